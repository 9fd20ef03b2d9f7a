/** Jobs over HTTP: every path below `/jobs` but the schedules. */
import { createRoute, z } from "@hono/zod-openapi";
import type { Deps } from "../deps.ts";
import { requireSecretKey } from "../http/identity.ts";
import { describeProblems } from "../http/problems.ts";
import { createRouter } from "../http/router.ts";
import { createAddingRoutes } from "./adding-routes.ts";
import { createDeadLetterRoutes } from "./dead-letter-routes.ts";
import { createEndingRoutes } from "./ending-routes.ts";
import { createFollowingRoutes } from "./following-routes.ts";
import { createShareRoutes } from "./share-routes.ts";
import { createStatsRoutes } from "./stats-routes.ts";
import { type Schedule, tick } from "./ticks.ts";

const tags = ["jobs"];

const tickRoute = createRoute({
  method: "post",
  path: "/jobs/ticks",
  tags,
  summary: "Keep the house going",
  description:
    "Adds the jobs of due schedules, takes back what dead workers held, and runs due jobs that need no model. " +
    "Called by a timer, with the secret key.",
  request: {
    query: z.object({
      budgetMs: z.coerce
        .number()
        .int()
        .min(100)
        .max(50_000)
        .optional()
        .describe("No job is begun later, and what runs then is handed back. Default 20,000."),
      cpuMs: z.coerce
        .number()
        .int()
        .min(100)
        .max(60_000)
        .optional()
        .describe("CPU for jobs; a long one goes on in the next tick. Default 1,500."),
      jobsMax: z.coerce.number().int().min(0).max(100).optional().describe("Default 100."),
    }),
  },
  responses: {
    200: {
      description: "What was done.",
      content: {
        "application/json": {
          schema: z
            .object({
              added: z.int(),
              rescued: z.int(),
              done: z.int(),
              failed: z.int(),
              requeued: z.int().describe("Handed back: the time was up, or they may be tried again."),
            })
            .openapi("Tick"),
        },
      },
    },
    ...describeProblems("invalid_request", "forbidden"),
  },
});

/** The fixed paths come before `/jobs/{id}`. */
export function createJobRoutes(deps: Deps, schedule: Schedule) {
  return createRouter()
    .openapi(tickRoute, async (c) => {
      requireSecretKey(c.var.caller);
      return c.json(await tick(deps, schedule, c.req.valid("query")), 200);
    })
    .route("/", createAddingRoutes(deps))
    .route("/", createStatsRoutes(deps))
    .route("/", createShareRoutes(deps))
    .route("/", createDeadLetterRoutes(deps))
    .route("/", createFollowingRoutes(deps))
    .route("/", createEndingRoutes(deps));
}
