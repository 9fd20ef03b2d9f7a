import { hc } from "hono/client";
import postgres from "postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { App } from "../../edge/app.ts";
import { Problem } from "../../edge/http/problems.ts";
import { databaseOptions } from "../../shared/database.ts";
import { createId } from "../../shared/ids.ts";
import { openTestApp, type TestApp } from "../helpers/app.ts";

let house: TestApp;
beforeAll(async () => {
  house = await openTestApp();
});
afterAll(() => house.close());

test("it is alive without asking anybody", async () => {
  const alone = house.withSettings({}, { sql: connectToNothing() });
  const answer = await alone.call("nobody", "GET", "/health");
  expect([answer.status, answer.body]).toEqual([200, { isAlive: true }]);
  expect(answer.headers.get("ratelimit")).toBeNull();
});

test("it is ready when database, storage and a sidecar answer", async () => {
  const without = await house.call("nobody", "GET", "/ready");
  expect([without.status, without.body]).toMatchObject([
    503,
    {
      isReady: false,
      parts: { database: { isReady: true }, storage: { isReady: true }, sidecar: { isReady: false } },
    },
  ]);
  const workerId = createId();
  await house.sql`
    select parlance.report_worker(
      ${workerId}, 'sidecar', 'test', 'test', '{images.ingest-image}'::text[], '{}'::text[], '{}'::text[], 0, '{}'::jsonb, 'running'
    )
  `;
  const ready = await house.call("nobody", "GET", "/ready");
  expect([ready.status, ready.body.isReady]).toEqual([200, true]);
  await house.sql`select parlance.remove_worker(${workerId})`;
});

test("it is not ready without its database or its storage, and says no more than that", async () => {
  const without = house.withSettings({ SUPABASE_URL: "http://127.0.0.1:1" }, { sql: connectToNothing() });
  const answer = await without.call("nobody", "GET", "/ready");
  expect([answer.status, answer.body.parts.database.isReady, answer.body.parts.storage.isReady]).toEqual([
    503,
    false,
    false,
  ]);
  expect(answer.text).not.toMatch(/127\.0\.0\.1|ECONNREFUSED/);
});

test("a database that does not answer is told as unavailable, and when to try again", async () => {
  const without = house.withSettings({}, { sql: connectToNothing() });
  const answer = await without.call(house.alice, "GET", "/jobs");
  expect([answer.status, answer.body.code, answer.headers.get("retry-after")]).toEqual([
    503,
    "unavailable",
    "2",
  ]);
  expect(without.logLines.at(-1)).toMatchObject({
    level: "error",
    code: "unavailable",
    error: { cause: {} },
  });
});

test("what nobody foresaw is told to no one and logged whole", async () => {
  const objects = new Proxy(house.deps.objects, {
    get: () => () => Promise.reject(new TypeError("the secret plan failed")),
  });
  const broken = house.withSettings({}, { objects });
  const answer = await broken.call(house.alice, "POST", "/images", {
    body: JSON.stringify({ name: "a.jpg", mediaType: "image/jpeg", sizeBytes: 1 }),
    headers: { "content-type": "application/json" },
  });
  expect([answer.status, answer.body.code]).toEqual([500, "unexpected"]);
  expect(answer.text).not.toContain("secret plan");
  expect(broken.logLines.at(-1)).toMatchObject({
    level: "error",
    requestId: answer.body.requestId,
    route: "/api/images",
    error: { cause: { name: "TypeError", message: "the secret plan failed" } },
  });
});

test.each([
  ["GET", "/nowhere", 404, "not_found"],
  ["GET", "/", 404, "not_found"],
  ["GET", "/jobs/not-a-uuid", 400, "invalid_request"],
  ["PUT", "/jobs", 405, "method_not_allowed"],
  ["DELETE", "/health", 405, "method_not_allowed"],
])("%s %s is a problem with status %i and code %s", async (method, path, status, code) => {
  const answer = await house.call(house.alice, method, path);
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  expect(Problem.parse(answer.body)).toMatchObject({
    type: `urn:parlance:error:${code}`,
    status,
    code,
    instance: `/api${path}`,
    requestId: answer.headers.get("x-request-id"),
  });
  expect(answer.status).toBe(status);
});

test("a path outside the API is a problem too, with a request id", async () => {
  const answer = await house.app.request("/elsewhere");
  expect([answer.status, (await answer.json()).requestId]).toEqual([404, answer.headers.get("x-request-id")]);
});

test("a wrong method is answered with the right ones", async () => {
  const jobs = await house.call(house.alice, "DELETE", "/jobs/stats");
  expect(jobs.headers.get("allow")?.split(", ").sort()).toEqual(["GET", "HEAD"]);
  const images = await house.call("nobody", "PUT", "/images");
  expect(images.headers.get("allow")?.split(", ").sort()).toEqual(["GET", "HEAD", "POST"]);
});

test("HEAD answers as GET does, without a body", async () => {
  const answer = await house.call(house.alice, "HEAD", "/jobs");
  expect([answer.status, answer.text]).toEqual([200, ""]);
});

test("every field at fault is named", async () => {
  const answer = await house.call(house.alice, "GET", "/jobs?limit=0&state=odd");
  expect(answer.body.errors.map(({ field }: { field: string }) => field).sort()).toEqual([
    "query.limit",
    "query.state",
  ]);
});

test.each([
  ["text/plain", "hello", 415, "unsupported_media_type"],
  ["application/json", "{", 400, "invalid_request"],
  ["application/json", "", 400, "invalid_request"],
  ["application/json", "[]", 400, "invalid_request"],
])("a body of type %s that is %j is refused", async (contentType, body, status, code) => {
  const answer = await house.call(house.alice, "POST", "/images", {
    body,
    headers: { "content-type": contentType },
  });
  expect([answer.status, answer.body.code]).toEqual([status, code]);
});

test("a NUL character is the caller's fault, not ours", async () => {
  const answer = await house.call(house.alice, "GET", "/jobs?kind=%00");
  expect([answer.status, answer.body.code]).toEqual([400, "invalid_request"]);
});

test.each(["abc-123", "4bf92f3577b34da6a3ce929d0e0e4736", "a.b:c_d"])(
  "the request id %s is kept",
  async (requestId) => {
    const answer = await house.call("nobody", "GET", "/health", { headers: { "x-request-id": requestId } });
    expect(answer.headers.get("x-request-id")).toBe(requestId);
  },
);

test.each(["", "a b", "a".repeat(65), '"quoted"', "-leading", "{}", "a\tb", "%0d%0aSet-Cookie:a=b", "é"])(
  "the request id %j is replaced",
  async (requestId) => {
    const answer = await house.call("nobody", "GET", "/health", { headers: { "x-request-id": requestId } });
    expect(answer.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
  },
);

test("a request is one line, with who and what, and no secret, query or body", async () => {
  const quiet = house.withSettings({});
  await quiet.call(house.alice, "GET", "/jobs?kind=private.words");
  await quiet.call("secret", "POST", "/jobs/ticks?jobsMax=0", { body: "private body" });
  await quiet.call("nobody", "GET", "/jobs", { headers: { authorization: "Bearer forged.token.value" } });
  expect(quiet.logLines).toMatchObject([
    {
      event: "request",
      method: "GET",
      route: "/api/jobs",
      status: 200,
      callerKind: "user",
      userId: house.alice.id,
    },
    { event: "request", method: "POST", route: "/api/jobs/ticks", status: 200, callerKind: "secret" },
    { event: "request", method: "GET", route: "/api/jobs", status: 401, code: "unauthenticated" },
  ]);
  const lines = JSON.stringify(quiet.logLines);
  for (const secret of [house.alice.token, house.keys.secretKey, "private", "forged.token"]) {
    expect(lines).not.toContain(secret);
  }
});

test("LOG_LEVEL leaves out what matters less", async () => {
  const quiet = house.withSettings({ LOG_LEVEL: "error" });
  await quiet.call("nobody", "GET", "/health");
  expect(quiet.logLines).toEqual([]);
});

test("an answer may not be framed, guessed at, run or kept", async () => {
  for (const path of ["/health", "/jobs", "/nowhere"]) {
    const { headers } = await house.call("nobody", "GET", path);
    expect(Object.fromEntries(headers)).toMatchObject({
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "content-security-policy": expect.stringContaining("default-src 'none'"),
      "referrer-policy": "no-referrer",
      "cache-control": "no-store",
    });
  }
});

test("the app is a typed client of itself", async () => {
  const client = hc<App>("http://house.test", {
    headers: { apikey: house.keys.secretKey },
    fetch: house.app.request as typeof fetch,
  });
  const answer = await client.api.jobs.$get({ query: { limit: 1 } });
  if (answer.status !== 200) throw new Error(`status ${answer.status}`);
  const { items } = await answer.json();
  expect(items.every((job) => job.ownerId === null)).toBe(true);
});

function connectToNothing() {
  return postgres("postgres://nobody@127.0.0.1:1/nothing", { ...databaseOptions, connect_timeout: 1 });
}
