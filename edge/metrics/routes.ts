/** What a Prometheus server scrapes. */
import { createRoute, z } from "@hono/zod-openapi";
import { serviceCaller, transactAs } from "../../shared/callers.ts";
import type { Deps } from "../deps.ts";
import { requireAdmin } from "../http/identity.ts";
import { describeProblems } from "../http/problems.ts";
import { createRouter } from "../http/router.ts";
import { expositionType, formatMetrics } from "./exposition.ts";
import { countEndedJobs, readJobFigures } from "./job-figures.ts";
import { type Figures, toMetrics } from "./metrics.ts";
import { countImages, countSlots, countVectors, listGpus, listWorkers, measureRecall } from "./store.ts";

const getMetrics = createRoute({
  method: "get",
  path: "/metrics",
  tags: ["service"],
  summary: "Figures of the house for Prometheus",
  description: `Admins and the secret key only (\`Authorization: Bearer sb_secret_…\`). Read from tables, so any instance
answers for all of them; the answer may be 5 seconds old.`,
  responses: {
    200: {
      description: "The text format 0.0.4.",
      content: { "text/plain": { schema: z.string() } },
    },
    ...describeProblems("unauthenticated", "forbidden"),
  },
});

const freshMs = 5_000;

export function createMetricsRoutes(deps: Deps) {
  let reading: { readonly text: Promise<string>; readonly atMs: number } | undefined;
  const read = (): Promise<string> => {
    if (!reading || deps.now().getTime() - reading.atMs > freshMs) {
      const text = readFigures(deps).then((figures) => formatMetrics(toMetrics(figures)));
      reading = { text, atMs: deps.now().getTime() };
      text.catch(() => {
        reading = undefined;
      });
    }
    return reading.text;
  };
  return createRouter().openapi(getMetrics, async (c) => {
    requireAdmin(c.var.caller);
    return c.text(await read(), 200, { "content-type": expositionType });
  });
}

async function readFigures({ sql }: Pick<Deps, "sql">): Promise<Figures> {
  await countEndedJobs(sql);
  return transactAs(sql, serviceCaller, async (transaction) => ({
    jobs: await readJobFigures(transaction),
    images: await countImages(transaction),
    spaces: await countVectors(transaction),
    workers: await listWorkers(transaction),
    gpus: await listGpus(transaction),
    slots: await countSlots(transaction),
    recall: await measureRecall(transaction),
  }));
}
