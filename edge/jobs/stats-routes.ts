/** How the queue fares: of everyone's jobs for operators, of their own for users. */
import { createRoute } from "@hono/zod-openapi";
import { isAdmin, transactAs } from "../../shared/callers.ts";
import { JobStats } from "../../shared/jobs/operating.ts";
import type { Deps } from "../deps.ts";
import { requireSignedIn } from "../http/identity.ts";
import { describeProblems } from "../http/problems.ts";
import { createRouter } from "../http/router.ts";
import { nameSchema } from "../http/schemas.ts";
import { measureJobs } from "./statistics.ts";

const statsRoute = createRoute({
  method: "get",
  path: "/jobs/stats",
  tags: ["jobs"],
  summary: "Jobs in numbers, by kind and lane",
  description: "Of your own jobs; for admins and the secret key, of everyone's.",
  responses: {
    200: {
      description: "What waits and runs now, and what ended within the last hour.",
      content: { "application/json": { schema: nameSchema("JobStats", JobStats) } },
    },
    ...describeProblems("unauthenticated"),
  },
});

export function createStatsRoutes(deps: Deps) {
  return createRouter().openapi(statsRoute, async (c) => {
    const userId = requireSignedIn(c.var.caller);
    const ownerId = isAdmin(c.var.caller) ? undefined : userId;
    const stats = await transactAs(deps.sql, c.var.caller, (transaction) =>
      measureJobs(transaction, ownerId),
    );
    return c.json(stats, 200);
  });
}
