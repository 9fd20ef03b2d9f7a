import { createRoute, z } from "@hono/zod-openapi";
import { type Caller, transactAs } from "../../shared/callers.ts";
import { type GpuSample, GpuStats, type Supervisor } from "../../shared/gpu-stats.ts";
import type { Deps } from "../deps.ts";
import { requireAdmin } from "../http/identity.ts";
import { describeProblems } from "../http/problems.ts";
import { createRouter } from "../http/router.ts";
import { nameSchema } from "../http/schemas.ts";
import { type GpuSampleRow, listGpuDevices, listGpuSamples, listSupervisors } from "./store.ts";

const statsRoute = createRoute({
  method: "get",
  path: "/gpu-stats",
  tags: ["gpu-stats"],
  summary: "What sidecars run on: their processes, and the graphics cards with a short history",
  description:
    "For admins and the secret key. Cards and sidecars that nobody has reported for a minute are stale; after a day " +
    "they are gone.",
  request: {
    query: z.object({
      minutes: z.coerce.number().int().min(1).max(60).default(10).describe("How far back the history goes."),
    }),
  },
  responses: {
    200: {
      description: "Every card that was seen within a day; none where no machine has one.",
      content: { "application/json": { schema: nameSchema("GpuStats", GpuStats) } },
    },
    ...describeProblems("invalid_request", "unauthenticated", "forbidden"),
  },
});

/** The graphics cards of all machines that sidecars run on. */
export function createGpuStatsRoutes(deps: Deps) {
  return createRouter().openapi(statsRoute, async (c) => {
    requireAdmin(c.var.caller);
    return c.json(await readStats(deps, c.var.caller, c.req.valid("query").minutes), 200);
  });
}

async function readStats({ sql }: Deps, caller: Caller, minutes: number): Promise<GpuStats> {
  const { devices, samples, supervisors } = await transactAs(sql, caller, async (transaction) => ({
    devices: await listGpuDevices(transaction),
    samples: await listGpuSamples(transaction, minutes),
    supervisors: await listSupervisors(transaction),
  }));
  const histories = groupSamples(samples);
  const items = devices.map((device) => ({ ...device, history: histories.get(keyOf(device)) ?? [] }));
  return { source: findSource(supervisors), items, supervisors };
}

function groupSamples(rows: readonly GpuSampleRow[]): Map<string, GpuSample[]> {
  const histories = new Map<string, GpuSample[]>();
  for (const { host, uuid, ...sample } of rows) {
    const key = keyOf({ host, uuid });
    const history = histories.get(key);
    if (history) history.push(sample);
    else histories.set(key, [sample]);
  }
  return histories;
}

function keyOf({ host, uuid }: { host: string; uuid: string }): string {
  return JSON.stringify([host, uuid]);
}

/** NVML before nvidia-smi, of those that report now. */
function findSource(supervisors: readonly Supervisor[]): GpuStats["source"] {
  const sources = supervisors.filter(({ isStale }) => !isStale).map(({ gpuSource }) => gpuSource);
  return (["nvml", "nvidia-smi"] as const).find((source) => sources.includes(source)) ?? "none";
}
