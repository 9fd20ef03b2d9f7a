/** What is logged: measured, judged, stored and answered. */
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { openTestApp, type TestApp, type Who } from "../../helpers/app.ts";

let house: TestApp;
beforeAll(async () => {
  house = await openTestApp();
});
afterAll(() => house.close());

const send = (who: Who, body: unknown, headers: Record<string, string> = {}) =>
  house.call(who, "POST", "/interactions", {
    body: JSON.stringify(body),
    headers: { "content-type": "application/json", ...headers },
  });

const countRows = async () => {
  const [row] = await house.sql<{ count: number }[]>`select count(*)::int from parlance.interactions`;
  return row?.count ?? 0;
};

describe("one interaction", () => {
  test("is answered with its metrics", async () => {
    const answer = await send(house.alice, { input: "How are you?", output: "Fine." });
    expect(answer.status, answer.text).toBe(201);
    expect(answer.body.metrics).toMatchObject({ "input.characters": 12, "output.characters": 5 });
    expect(answer.body.alerts).toEqual([]);
  });

  test("fires strictly above the threshold of 100 characters, for each of its texts", async () => {
    const fired = async (input: number, output: number) => {
      const answer = await send(house.bob, { input: "x".repeat(input), output: "y".repeat(output) });
      return answer.body.alerts.map((alert: { element: string }) => alert.element).toSorted();
    };
    expect(await fired(100, 100)).toEqual([]);
    expect(await fired(101, 100)).toEqual(["input"]);
    expect(await fired(100, 101)).toEqual(["output"]);
    expect(await fired(101, 500)).toEqual(["input", "output"]);
  });

  test("may be empty, but neither missing nor null", async () => {
    expect((await send(house.alice, { input: "", output: "" })).status).toBe(201);
    for (const [body, field] of [
      [{ input: "x" }, "body.output"],
      [{ input: null, output: "x" }, "body.input"],
      [{ input: "x", output: 5 }, "body.output"],
      [{ input: "x", output: "y".repeat(200_001) }, "body.output"],
      [{ input: "x", output: "y", latencyMs: -1 }, "body.latencyMs"],
      [{ items: [{ input: "x", output: "y" }, { input: "x" }] }, "body.items.1.output"],
      [{ items: [] }, "body.items"],
      [{ input: "x", output: "y", occurredAt: "2999-01-01T00:00:00Z" }, "body.occurredAt"],
      [
        { items: [{ input: "x", output: "y", occurredAt: "2999-01-01T00:00:00Z" }] },
        "body.items.0.occurredAt",
      ],
      [{ input: "x", output: "y", model: "a\0b" }, "body.model"],
      [{ input: "x", output: "y", tags: ["a", "b\n c"] }, "body.tags.1"],
      [{ items: [{ input: "x", output: "y", userLabel: "\ud83e" }] }, "body.items.0.userLabel"],
    ] as const) {
      const answer = await send(house.alice, body);
      expect([answer.status, answer.body.errors?.[0]?.field], answer.text).toEqual([400, field]);
    }
  });

  test("keeps what Postgres cannot: NUL and half a surrogate pair are replaced", async () => {
    const answer = await send(house.alice, { input: "a\0b", output: "c\ud800d" });
    expect(answer.status, answer.text).toBe(201);
    const [row] = await house.sql<{ input: string; output: string }[]>`
      select input, output from parlance.interactions where id = ${answer.body.id}
    `;
    expect(row).toEqual({ input: "a\ufffdb", output: "c\ufffdd" });
  });
});

test("a batch lands whole or not at all, in its order", async () => {
  const before = await countRows();
  const items = Array.from({ length: 1000 }, (_, index) => ({ input: "x".repeat(index % 90), output: "y" }));
  const answer = await send(house.alice, { items });
  expect(answer.status, answer.text).toBe(201);
  expect(
    answer.body.items.map((item: { metrics: Record<string, number> }) => item.metrics["input.characters"]),
  ).toEqual(items.map(({ input }) => input.length));
  expect(await countRows()).toBe(before + 1000);
  expect((await send(house.alice, { items: [...items, { input: "x", output: "y" }] })).status).toBe(400);
  expect(await countRows()).toBe(before + 1000);
});

test("the same request with its Idempotency-Key lands once, also where its answer was not kept", async () => {
  const before = await countRows();
  const body = { items: [{ input: "x".repeat(200), output: "once" }] };
  const first = await send(house.alice, body, { "idempotency-key": "k1" });
  expect(first.status).toBe(201);
  await house.sql`delete from parlance.idempotency_keys`;
  const second = await send(house.alice, body, { "idempotency-key": "k1" });
  expect(second.body.items[0].id).toBe(first.body.items[0].id);
  expect(second.body.items[0].alerts).toEqual(first.body.items[0].alerts);
  expect(first.body.items[0].alerts.map((alert: { ruleName: string }) => alert.ruleName)).toContain(
    "input longer than 100 characters",
  );
  expect(await countRows()).toBe(before + 1);
});

test("sent again with its Idempotency-Key, what told no time is answered with the time that it was logged with", async () => {
  const body = { items: [{ input: "How long is a long sentence in English?", output: "Long." }] };
  const first = await send(house.alice, body, { "idempotency-key": "k2" });
  await house.sql`delete from parlance.idempotency_keys`;
  await vi.waitFor(() => expect(Date.now()).toBeGreaterThan(Date.parse(first.body.items[0].occurredAt) + 5));
  const second = await send(house.alice, body, { "idempotency-key": "k2" });
  expect([second.status, second.body]).toEqual([201, first.body]);
});

test("who is not signed in may not log", async () => {
  expect((await send("nobody", { input: "x", output: "y" })).status).toBe(401);
  expect((await send("publishable", { input: "x", output: "y" })).status).toBe(401);
});

test("what an owner redacts is not stored, but measured", async () => {
  await house.sql`
    insert into parlance.interaction_settings (owner_id, redact)
    values (${house.admin.id}, array['email'])
  `;
  const answer = await send(house.admin, { input: "Write to joe@example.com", output: "Yes." });
  const [row] = await house.sql<{ input: string }[]>`
    select input from parlance.interactions where id = ${answer.body.id}
  `;
  expect(row?.input).not.toContain("joe@");
  expect(answer.body.metrics["input.personal-data"]).toBe(1);
});

test("two first requests at once make the four default rules, once", async () => {
  const token = await house.signToken();
  const id = JSON.parse(atob(token.split(".")[1] ?? "")).sub;
  await house.sql`insert into auth.users (id, email) values (${id}, 'new@example.com')`;
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => send({ id, token }, { input: "x", output: "y" })),
  );
  expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(201));
  const rules = await house.sql`select name from parlance.interaction_rules where owner_id = ${id}`;
  expect(rules.length).toBe(4);
});
