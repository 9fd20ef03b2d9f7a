/**
 * The table of contents: what every request passes, in order, and the rooms behind it.
 *
 *   name · log · secure · origins · method · time ──▶ /health /ready /openapi.json
 *                                             └─────▶ identity · rate · body · idempotency ──▶ rooms
 */
import type { OpenAPIHono } from "@hono/zod-openapi";
import { methodNotAllowed } from "hono/method-not-allowed";
import { AppError } from "../shared/errors.ts";
import type { RouteClass } from "./config.ts";
import type { Deps } from "./deps.ts";
import { createGpuStatsRoutes } from "./gpu-stats/routes.ts";
import { workAfterAnswers } from "./http/after-answer.ts";
import { limitBody } from "./http/bodies.ts";
import { limitTime } from "./http/deadlines.ts";
import { keepIdempotent } from "./http/idempotency.ts";
import { authenticate } from "./http/identity.ts";
import { createDocument } from "./http/openapi.ts";
import { allowOrigins, secureAnswers } from "./http/origins.ts";
import { answerProblem, handleError, handleNotFound } from "./http/problems.ts";
import { limitRate } from "./http/rate-limits.ts";
import { logRequests, nameRequest } from "./http/request-log.ts";
import { type AppEnv, createRouter } from "./http/router.ts";
import { createServiceRoutes } from "./http/service-routes.ts";
import { traceRequest } from "./http/traces.ts";
import { createImageRoutes } from "./images/routes.ts";
import { createInteractionRoutes } from "./interactions/routes.ts";
import { createJobRoutes } from "./jobs/routes.ts";
import { createScheduleRoutes } from "./jobs/schedule-routes.ts";
import { createMetricsRoutes } from "./metrics/routes.ts";
import { createSpaceRoutes } from "./spaces/routes.ts";
import { createSchedule, houseSchedules, runAddedJobs } from "./tasks.ts";
import { createWebhookRoutes } from "./webhooks/routes.ts";

/** Supabase calls a function by its name; the embedded mode serves the same under /functions/v1. */
export const basePath = "/api";

const tags = {
  "gpu-stats": "What sidecars run on, and how hard it works.",
  interactions: "What models were asked and what they answered, measured and watched.",
  rules: "What is watched, and when it is out of order.",
  alerts: "What went out of order, once for as long as it lasts.",
  images: "A picture library that is searched by words.",
  jobs: "Work that outlasts a request: follow it, cancel it.",
  spaces: "Models side by side: which one searches, and which one is being made ready.",
  webhooks: "Addresses that are called when your jobs end, and of alerts.",
  service: "For machines that watch the service.",
};

export type App = ReturnType<typeof createApp>;

/** The whole API as one function of a request. Every path begins with `/api`. */
export function createApp(deps: Deps) {
  const rooms = createRooms(deps);
  const app = createRouter();
  app.onError(handleError);
  app.notFound(handleNotFound);
  app.use(nameRequest, traceRequest, logRequests(deps.log), secureAnswers(), allowOrigins(deps.config));
  app.use(
    methodNotAllowed({
      app,
      onMethodNotAllowed: (c, methods) => {
        c.header("Allow", methods.join(", "));
        return answerProblem(c, new AppError("method_not_allowed", `This takes ${methods.join(", ")}.`));
      },
    }),
  );
  app.use(limitTime(deps.config.requestMs));
  const url = `${deps.config.publicUrl}/functions/v1${basePath}`;
  const service = createServiceRoutes(deps, () => createDocument(all, { url, tags }));
  // Of it only the document is made: its type, with every route, would be one more than the compiler of Deno 2.1 bears.
  const all: OpenAPIHono<AppEnv> = createRouter();
  for (const routes of [service, rooms] as OpenAPIHono<AppEnv>[]) all.route("/", routes);
  return app.route(basePath, service).route(basePath, rooms);
}

function createRooms(deps: Deps) {
  const rooms = createRouter();
  rooms.use(workAfterAnswers(deps, () => runAddedJobs(deps)));
  rooms.use(authenticate(deps), limitRate(deps, classify), limitBody(deps.config), keepIdempotent(deps));
  return rooms
    .route("/", createImageRoutes(deps))
    .route("/", createScheduleRoutes(deps, houseSchedules))
    .route("/", createJobRoutes(deps, createSchedule(deps)))
    .route("/", createMetricsRoutes(deps))
    .route("/", createSpaceRoutes(deps))
    .route("/", createGpuStatsRoutes(deps))
    .route("/", createWebhookRoutes(deps))
    .route("/", createInteractionRoutes(deps));
}

/** Which limit a user's request counts against. */
function classify(method: string, path: string): RouteClass {
  if (path.startsWith(`${basePath}/jobs`)) return "job";
  if (/\/(search|similar)$/.test(path)) return "search";
  if (method === "POST" && isLog(path)) return "log";
  return method === "GET" || method === "HEAD" ? "read" : "write";
}

/** What programs send in a stream. */
const isLog = (path: string) => path === `${basePath}/interactions` || path === `${basePath}/otlp/v1/traces`;
