import { createRoute, z } from "@hono/zod-openapi";
import type { Deps } from "../deps.ts";
import { checkReadiness, type Readiness } from "./readiness.ts";
import { createRouter } from "./router.ts";

const tags = ["service"];
const security: Record<string, string[]>[] = [];

const Part = z.object({ isReady: z.boolean(), tookMs: z.number() });

const ReadinessAnswer = z
  .object({
    isReady: z.boolean(),
    parts: z.object({
      database: Part,
      storage: Part,
      sidecar: Part.describe("Whether a worker that takes in pictures was seen lately."),
    }),
  })
  .openapi("Readiness");

const healthRoute = createRoute({
  method: "get",
  path: "/health",
  tags,
  security,
  summary: "Whether the process is alive; asks nobody else",
  responses: {
    200: {
      description: "It is.",
      content: { "application/json": { schema: z.object({ isAlive: z.literal(true) }) } },
    },
  },
});

const readinessContent = { "application/json": { schema: ReadinessAnswer } };

const readyRoute = createRoute({
  method: "get",
  path: "/ready",
  tags,
  security,
  summary: "Whether everything that the API needs answers",
  responses: {
    200: { description: "Everything does.", content: readinessContent },
    503: { description: "Something does not; see `parts`.", content: readinessContent },
  },
});

const documentRoute = createRoute({
  method: "get",
  path: "/openapi.json",
  tags,
  security,
  summary: "This document",
  responses: {
    200: {
      description: "OpenAPI 3.1.",
      content: { "application/json": { schema: z.record(z.string(), z.unknown()) } },
    },
  },
});

/** What machines ask that watch the service, and those that read its contract. */
export function createServiceRoutes(deps: Deps, createDocument: () => object) {
  const checkOnce = shareWhileRunning(() => checkReadiness(deps));
  let document: Record<string, unknown> | undefined;
  return createRouter()
    .openapi(healthRoute, (c) => c.json({ isAlive: true as const }, 200))
    .openapi(readyRoute, async (c) => {
      const readiness: Readiness = await checkOnce();
      return readiness.isReady ? c.json(readiness, 200) : c.json(readiness, 503);
    })
    .openapi(documentRoute, (c) => {
      document ??= { ...createDocument() };
      return c.json(document, 200);
    });
}

/** However many ask at once, it is found out once. */
function shareWhileRunning<T>(work: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined;
  return () => {
    running ??= work().finally(() => {
      running = undefined;
    });
    return running;
  };
}
