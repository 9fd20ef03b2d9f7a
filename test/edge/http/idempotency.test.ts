import type { Context } from "hono";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Deps } from "../../../edge/deps.ts";
import { keepIdempotent } from "../../../edge/http/idempotency.ts";
import { handleError } from "../../../edge/http/problems.ts";
import { type AppEnv, createRouter, type Identity } from "../../../edge/http/router.ts";
import { anonymousCaller } from "../../../shared/callers.ts";
import { AppError } from "../../../shared/errors.ts";
import { openTestApp, type TestApp } from "../../helpers/app.ts";

let house: TestApp;
beforeAll(async () => {
  house = await openTestApp();
  await house.deps.objects.ensureBucket();
});
afterAll(() => house.close());
beforeEach(async () => {
  await house.sql`delete from parlance.idempotency_keys`;
});

type Handler = (body: string, run: number, c: Context<AppEnv>) => Response | Promise<Response>;

/** A room of one route behind the middleware alone; counts how often it ran. */
function openRoom(answer: Handler, deps: Deps = house.deps) {
  const room = { runs: 0 };
  const app = createRouter();
  app.onError(handleError);
  app.use(async (c, next) => {
    const subject = c.req.header("x-subject") ?? "user:alice";
    const kind = subject.split(":")[0] as Identity["kind"];
    c.set("requestId", "request");
    c.set("identity", { kind, caller: anonymousCaller, subject });
    await next();
  });
  app.use(keepIdempotent(deps));
  app.on(["POST", "PUT"], "/things/*", async (c) => answer(await c.req.text(), ++room.runs, c));
  const send = async (
    body: string | FormData,
    headers: Record<string, string> = {},
    path = "/things/1",
    method = "POST",
  ) => {
    const response = await app.request(path, {
      method,
      body,
      headers: { "idempotency-key": "k", ...headers },
    });
    const text = await response.text();
    return {
      status: response.status,
      text,
      code: response.status >= 400 ? JSON.parse(text).code : undefined,
      isReplayed: response.headers.get("idempotency-replayed") === "true",
      headers: response.headers,
    };
  };
  return { room, send };
}

const created = (body: string, run: number) =>
  new Response(JSON.stringify({ body, run }), {
    status: 201,
    headers: { "content-type": "application/json", location: `things/${run}`, "x-other": "not kept" },
  });

describe("an Idempotency-Key", () => {
  test("makes the same request run once and be answered alike", async () => {
    const { room, send } = openRoom(created);
    const [first, second] = [await send("a"), await send("a")];
    expect(room.runs).toBe(1);
    expect([first.isReplayed, second.isReplayed]).toEqual([false, true]);
    expect([second.status, second.text]).toEqual([201, first.text]);
    expect(second.headers.get("location")).toBe("things/1");
    expect(second.headers.get("content-type")).toBe("application/json");
    expect(second.headers.get("x-other")).toBeNull();
  });

  test("is refused with another body, query or media type", async () => {
    const { room, send } = openRoom(created);
    await send("a");
    for (const answer of [
      await send("b"),
      await send("a", {}, "/things/1?dry=true"),
      await send("a", { "content-type": "text/html" }),
    ]) {
      expect([answer.status, answer.code]).toEqual([422, "idempotency_mismatch"]);
    }
    expect(room.runs).toBe(1);
  });

  test("belongs to its owner and its path", async () => {
    const { room, send } = openRoom(created);
    await send("a");
    await send("a", { "x-subject": "user:bob" });
    await send("a", { "x-subject": "secret:default" });
    await send("a", { "x-subject": "secret:sidecar" });
    await send("a", {}, "/things/2");
    await send("a", { "idempotency-key": "other" });
    expect(room.runs).toBe(6);
  });

  test("is for POST only: what is idempotent by itself runs each time", async () => {
    const { room, send } = openRoom(created);
    for (let round = 0; round < 2; round++)
      expect((await send("a", {}, "/things/1", "PUT")).isReplayed).toBe(false);
    expect(room.runs).toBe(2);
  });

  test("lets one of two requests at once run; the other hears that it is running", async () => {
    const gate = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    const { room, send } = openRoom(async (body, run) => {
      started.resolve();
      await gate.promise;
      return created(body, run);
    });
    const first = send("a");
    await started.promise;
    const second = await send("a");
    expect([second.status, second.code, second.headers.get("retry-after")]).toEqual([
      409,
      "idempotency_in_progress",
      "1",
    ]);
    const other = await send("b");
    expect(other.code).toBe("idempotency_mismatch");
    gate.resolve();
    expect((await first).status).toBe(201);
    expect((await send("a")).isReplayed).toBe(true);
    expect(room.runs).toBe(1);
  });

  test("lets exactly one of many first calls run", async () => {
    const gate = Promise.withResolvers<void>();
    const { room, send } = openRoom(async (body, run) => {
      await gate.promise;
      return created(body, run);
    });
    const calls = Array.from({ length: 8 }, () => send("a"));
    // Those that lost are answered while the first still runs.
    await Promise.race(calls);
    gate.resolve();
    const answers = await Promise.all(calls);
    expect(answers.filter(({ status, isReplayed }) => status === 201 && !isReplayed)).toHaveLength(1);
    expect(room.runs).toBe(1);
  });

  test("keeps refusals, which would be the same again", async () => {
    const { room, send } = openRoom(() => {
      throw new AppError("name_taken", "That name is taken.");
    });
    expect([(await send("a")).code, (await send("a")).code]).toEqual(["name_taken", "name_taken"]);
    expect(room.runs).toBe(1);
  });

  test.each([
    ["a failure of ours", new AppError("unexpected", "Something went wrong."), 500],
    ["a failure of theirs", new AppError("upstream_failed", "Storage did not answer."), 502],
    ["a limit", new AppError("quota_exceeded", "Too much for today."), 429],
    ["what nobody foresaw", new Error("boom"), 500],
  ])("is free again after %s", async (_, error, status) => {
    const { room, send } = openRoom((body, run) => {
      if (run === 1) throw error;
      return created(body, run);
    });
    expect((await send("a")).status).toBe(status);
    expect((await send("a")).status).toBe(201);
    expect((await send("a")).isReplayed).toBe(true);
    expect(room.runs).toBe(2);
  });

  test("whose first run crashed is locked for two minutes, then free", async () => {
    const { room, send } = openRoom(created);
    await send("a");
    await house.sql`
      update parlance.idempotency_keys
      set status = null, headers = null, body = null
    `;
    expect((await send("a")).code).toBe("idempotency_in_progress");
    const [lock] = await house.sql<{ seconds: number }[]>`
      select extract(epoch from locked_until - now())::integer as seconds from parlance.idempotency_keys
    `;
    expect(lock?.seconds).toBeGreaterThan(60);
    expect(lock?.seconds).toBeLessThanOrEqual(120);
    await house.sql`update parlance.idempotency_keys set locked_until = now() - interval '1 second'`;
    expect((await send("a")).status).toBe(201);
    expect(room.runs).toBe(2);
  });

  test("that outlived its lock does not write over the next one's answer", async () => {
    const gate = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    const { send } = openRoom(async (body, run) => {
      if (run === 1) {
        started.resolve();
        await gate.promise;
      }
      return created(body, run);
    });
    const slow = send("a");
    await started.promise;
    await house.sql`update parlance.idempotency_keys set locked_until = now() - interval '1 second'`;
    const next = await send("a");
    gate.resolve();
    await slow;
    const kept = await send("a");
    expect([kept.isReplayed, kept.text]).toEqual([true, next.text]);
  });

  test("lives for 24 hours", async () => {
    const { room, send } = openRoom(created);
    await send("a");
    await house.sql`update parlance.idempotency_keys set created_at = now() - interval '23 hours 59 minutes'`;
    expect((await send("a")).isReplayed).toBe(true);
    await house.sql`update parlance.idempotency_keys set created_at = now() - interval '24 hours 1 second'`;
    expect((await send("another")).isReplayed).toBe(false);
    expect(room.runs).toBe(2);
  });

  test("keeps no answer above 256 kB", async () => {
    const { room, send } = openRoom(() => new Response("x".repeat(262_145), { status: 201 }));
    await send("a");
    expect((await send("a")).isReplayed).toBe(false);
    expect(room.runs).toBe(2);
    expect(await house.sql`select from parlance.idempotency_keys`).toHaveLength(0);
  });

  test("keeps no answer that shows a secret, but those that show none", async () => {
    const ids: unknown[] = [];
    const { room, send } = openRoom((_body, run, c) => {
      ids.push(c.var.operationId);
      if (run === 3) throw new AppError("not_found", "It is gone.");
      c.set("answerHoldsSecret", true);
      return new Response(`secret ${run}`, { status: 201 });
    });
    const [first, second] = [await send("a"), await send("a")];
    expect([first.text, second.text, second.isReplayed]).toEqual(["secret 1", "secret 2", false]);
    expect(await house.sql`select from parlance.idempotency_keys`).toHaveLength(0);
    expect([(await send("a")).code, (await send("a")).isReplayed]).toEqual(["not_found", true]);
    expect(room.runs).toBe(3);
    expect(new Set(ids).size).toBe(1);
  });

  test("keeps an answer without a body", async () => {
    const { room, send } = openRoom(() => new Response(null, { status: 204 }));
    await send("a");
    const again = await send("a");
    expect([again.status, again.text, again.isReplayed, room.runs]).toEqual([204, "", true, 1]);
  });

  test("knows the same form again although its boundary is another", async () => {
    const form = (content: string) => {
      const data = new FormData();
      data.set("title", "a title");
      data.set("file", new File([content], "a.txt", { type: "text/plain" }));
      return data;
    };
    const { room, send } = openRoom(() => new Response("ok", { status: 200 }));
    await send(form("bytes"));
    expect((await send(form("bytes"))).isReplayed).toBe(true);
    expect((await send(form("other"))).code).toBe("idempotency_mismatch");
    expect(room.runs).toBe(1);
  });

  test.each(["a b", "", "é", "a".repeat(256), "tab\there"])("%j is refused", async (key) => {
    const { room, send } = openRoom(created);
    const answer = await send("a", { "idempotency-key": key });
    expect([answer.status, answer.code, room.runs]).toEqual([400, "invalid_request", 0]);
  });

  test.each(["nobody", "publishable:default"])("cannot be used by %s", async (subject) => {
    const { room, send } = openRoom(created);
    const answer = await send("a", { "x-subject": subject });
    expect([answer.status, answer.code, room.runs]).toEqual([401, "unauthenticated", 0]);
  });

  test("that cannot be settled does not fail the work that was done", async () => {
    const gone = () => Promise.reject(new Error("connection lost"));
    let statements = 0;
    const sql = new Proxy(house.sql, {
      apply: (target, self, [strings, ...values]) =>
        ++statements > 1 ? gone() : Reflect.apply(target, self, [strings, ...values]),
    });
    const { send } = openRoom(created, { ...house.deps, sql });
    expect((await send("a")).status).toBe(201);
    expect(house.logLines.at(-1)).toMatchObject({ level: "warn", event: "idempotency.unsettled" });
  });
});

test("the API adds one picture for a key and answers the second time as the first", async () => {
  const send = (who = house.alice) =>
    house.call(who, "POST", "/images", {
      body: JSON.stringify({ name: "once.jpg", mediaType: "image/jpeg", sizeBytes: 10 }),
      headers: { "content-type": "application/json", "idempotency-key": "once" },
    });
  const [first, second, other] = [await send(), await send(), await send(house.bob)];
  expect([first.status, second.status, other.status]).toEqual([201, 201, 201]);
  expect(second.text).toBe(first.text);
  expect(second.headers.get("location")).toBe(first.headers.get("location"));
  expect(second.headers.get("idempotency-replayed")).toBe("true");
  expect(second.headers.get("x-request-id")).not.toBe(first.headers.get("x-request-id"));
  expect(second.headers.get("ratelimit")).not.toBeNull();
  expect(other.body.image.id).not.toBe(first.body.image.id);
  const [row] = await house.sql<{ count: number }[]>`
    select count(*) as count from parlance.images where name = 'once.jpg'
  `;
  expect(row?.count).toBe(2);
});
