import { afterAll, beforeAll, expect, test } from "vitest";
import { serviceCaller, transactAs } from "../../shared/callers.ts";
import { createId } from "../../shared/ids.ts";
import { embedQuery } from "../../shared/images/kinds.ts";
import { executeJob } from "../../shared/jobs/executor.ts";
import { defineTask } from "../../shared/jobs/kinds.ts";
import { addJob, claimJobs } from "../../shared/jobs/queue.ts";
import { currentTraceparent, inSpan } from "../../shared/tracing.ts";
import { startTracing, type Tracing } from "../../shared/tracing-export.ts";
import { openTestApp, type TestApp } from "../helpers/app.ts";
import { until } from "../helpers/until.ts";

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly attributes: { readonly key: string; readonly value: Record<string, unknown> }[];
  readonly status: { readonly code?: number; readonly message?: string };
}

/** A collector that keeps what it is sent. */
function openCollector() {
  const spans: Span[] = [];
  const requests: { path: string; authorization: string | null }[] = [];
  const server = Bun.serve({
    port: 0,
    async fetch(request) {
      requests.push({
        path: new URL(request.url).pathname,
        authorization: request.headers.get("authorization"),
      });
      const body = (await request.json()) as {
        resourceSpans: { scopeSpans: { spans: Span[] }[] }[];
      };
      spans.push(
        ...body.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)),
      );
      return Response.json({});
    },
  });
  return { spans, requests, endpoint: `http://127.0.0.1:${server.port}`, close: () => server.stop(true) };
}

let collector: ReturnType<typeof openCollector>;
let tracing: Tracing;
let house: TestApp;

beforeAll(async () => {
  collector = openCollector();
  house = await openTestApp();
});
afterAll(async () => {
  await tracing?.stop();
  await house.close();
  collector.close();
});

const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/** Adds a job inside a span, runs it as a worker would, and answers what was sent. */
async function trace(run: () => Promise<never> | Promise<unknown>): Promise<Span[]> {
  collector.spans.length = 0;
  const query = createId();
  await inSpan("request", { kind: "server", traceparent: parent }, () =>
    transactAs(house.sql, serviceCaller, (transaction) =>
      addJob(transaction, embedQuery, { payload: { spaceId: 1, query }, ownerId: null }),
    ),
  );
  const [job] = await claimJobs(house.sql, {
    workerId: createId(),
    kinds: [embedQuery],
    lane: "interactive",
    jobsMax: 1,
    leaseSeconds: 30,
  });
  if (!job) throw new Error("nothing was claimed");
  await executeJob(house.sql, defineTask(embedQuery, run as never), job).ended;
  await tracing.flush();
  return collector.spans;
}

const findSpan = (spans: readonly Span[], name: string) => {
  const span = spans.find((one) => one.name === name);
  if (!span) throw new Error(`no span ${name} among ${spans.map((one) => one.name)}`);
  return span;
};

test("without an endpoint nothing is recorded, and work goes on", async () => {
  expect(await inSpan("nothing", {}, async () => currentTraceparent())).toBeUndefined();
  const answer = await house.call("nobody", "GET", "/health");
  expect(answer.status).toBe(200);
});

test("one trace goes from the request through the job to its landing", async () => {
  tracing = startTracing({
    endpoint: collector.endpoint,
    headers: { authorization: "Bearer collector" },
    sampleShare: 1,
    service: "parlance-test",
    version: "0",
  });
  const spans = await trace(async () => ({ spaceId: 1, query: createId(), embedding: null }));
  const [request, job] = [findSpan(spans, "request"), findSpan(spans, "job images.embed-query")];
  expect(request).toMatchObject({
    traceId: parent.split("-")[1],
    parentSpanId: parent.split("-")[2],
    kind: 2,
  });
  expect(job).toMatchObject({ traceId: request.traceId, parentSpanId: request.spanId, kind: 5 });
  for (const name of ["run", "land"]) {
    expect(findSpan(spans, name)).toMatchObject({ traceId: request.traceId, parentSpanId: job.spanId });
  }
  expect(job.attributes).toContainEqual({ key: "parlance.job.ending", value: { stringValue: "done" } });
  expect(collector.requests.at(-1)).toEqual({ path: "/v1/traces", authorization: "Bearer collector" });
});

test("a job that fails is marked with its code, and tells nothing of what it worked on", async () => {
  const spans = await trace(async () => {
    throw new Error("the secret words of someone");
  });
  expect(findSpan(spans, "job images.embed-query").status).toMatchObject({ code: 2, message: "unexpected" });
  expect(JSON.stringify(spans)).not.toContain("secret words");
});

test("a request is a span with its route, its status and the caller's trace", async () => {
  collector.spans.length = 0;
  await house.app.request("/api/health?secret=words", { headers: { traceparent: parent } });
  await house.app.request("/api/nowhere", { headers: { traceparent: "00-not-a-trace-01" } });
  await tracing.flush();
  await until("both were sent", () => collector.spans.length >= 2);
  const health = findSpan(collector.spans, "GET /api/health");
  expect(health).toMatchObject({ traceId: parent.split("-")[1], kind: 2 });
  expect(health.attributes).toContainEqual({ key: "http.response.status_code", value: { intValue: 200 } });
  expect(JSON.stringify(collector.spans)).not.toContain("secret");
  expect(findSpan(collector.spans, "GET").traceId).not.toBe(parent.split("-")[1]);
});

test("of the traces that callers want kept no more are than the share, and of jobs all", async () => {
  await tracing.stop();
  collector.spans.length = 0;
  const { endpoint } = collector;
  tracing = startTracing({ endpoint, headers: {}, sampleShare: 0, service: "parlance-test", version: "1" });
  await house.app.request("/api/health", { headers: { traceparent: parent } });
  await inSpan("job of a request", { kind: "consumer", traceparent: parent }, async () => {});
  await tracing.flush();
  await until("the job's was sent", () => collector.spans.length > 0);
  expect(collector.spans.map(({ name }) => name)).toEqual(["job of a request"]);
});

test("a collector that is away loses traces, not work", async () => {
  collector.close();
  const answer = await house.call("nobody", "GET", "/health");
  expect(answer.status).toBe(200);
  await tracing.flush();
});
