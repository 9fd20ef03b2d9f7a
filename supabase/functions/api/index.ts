/** The door on Supabase: one function named `api`, on the edge runtime's Deno 2.1. */
import postgres from "postgres";
import { createApp } from "../../../edge/app.ts";
import { readEdgeConfig } from "../../../edge/config.ts";
import { createDeps } from "../../../edge/create-deps.ts";
import { databaseOptions } from "../../../shared/database.ts";
import { createLog, describeError } from "../../../shared/log.ts";

const config = readEdgeConfig(Deno.env.toObject());

const sql = postgres(config.databaseUrl, {
  ...databaseOptions,
  max: config.databaseConnectionsMax,
  // Isolates come and go: what is idle is given back.
  idle_timeout: 20,
});

const log = createLog((line) => console.log(line), config.logLevel);

/** What the edge runtime gives beside Deno: it keeps an isolate alive until the promise settles. */
declare const EdgeRuntime: { waitUntil(promise: Promise<unknown>): void } | undefined;
const keepAlive = (work: Promise<unknown>) => {
  if (typeof EdgeRuntime !== "undefined") EdgeRuntime.waitUntil(work);
};

// An isolate is told before it ends, because its time, CPU or memory is used up, or nobody calls it.
const ending = new AbortController();
addEventListener("beforeunload", (event) => {
  log.info("isolate.ends", { reason: (event as CustomEvent<{ reason?: string }>).detail?.reason });
  ending.abort();
});

const deps = createDeps(config, { sql, log, keepAlive, ending: ending.signal });

// The first isolate of a new project makes the buckets; requests do not wait for it.
for (const { ensureBucket } of [deps.objects, deps.files]) {
  ensureBucket().catch((error) => log.warn("bucket.not-ready", { error: describeError(error) }));
}

const { fetch } = createApp(deps);
const tracing =
  config.tracing &&
  (await import("../../../shared/tracing-export.ts")).startTracing({
    ...config.tracing,
    service: "parlance-edge",
    version: "0.1.0",
  });

Deno.serve(async (request) => {
  const response = await fetch(request);
  if (tracing) keepAlive(tracing.flush());
  return response;
});
