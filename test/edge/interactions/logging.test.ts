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

interface FiredAlert {
  alertId: string;
  ruleName: string;
}

/** A user with a log of their own. */
async function addUser(): Promise<{ id: string; token: string }> {
  const token = await house.signToken();
  const id: string = JSON.parse(atob(token.split(".")[1] ?? "")).sub;
  await house.sql`insert into auth.users (id, email) values (${id}, ${`${id}@example.com`})`;
  return { id, token };
}

describe("a length that is far from those before it", () => {
  const unusual = "output of unusual length";
  const say = async (who: Who, length: number): Promise<FiredAlert[]> => {
    const answer = await send(who, { input: "x", output: "y".repeat(length) });
    expect(answer.status, answer.text).toBe(201);
    return answer.body.alerts.filter((alert: FiredAlert) => alert.ruleName === unusual);
  };

  test("fires once there is enough history, and says what it was held against", async () => {
    const user = await addUser();
    for (let index = 0; index < 29; index++) expect(await say(user, 40 + (index % 5))).toEqual([]);
    // The thirtieth: there are 29 before it.
    expect(await say(user, 90)).toEqual([]);
    expect(await say(user, 42)).toEqual([]);
    const [fired] = await say(user, 95);
    const { body } = await house.call(user, "GET", `/alerts/${fired?.alertId}`);
    expect(body.evidence).toMatchObject({
      type: "outlier",
      method: "z-score",
      side: "high",
      sensitivity: 2,
      historyCount: 31,
    });
    const { centre, spread, high, quietThreshold } = body.evidence;
    expect(high).toBeCloseTo(centre + 2 * spread, 6);
    expect(quietThreshold).toBeCloseTo((95 - centre) / spread, 6);
  });

  test("fires over a history that never changed, and what is a hundredth off does not", async () => {
    const user = await addUser();
    for (let index = 0; index < 31; index++) expect(await say(user, 80)).toEqual([]);
    expect(await say(user, 81)).toEqual([]);
    expect(await say(user, 99)).toHaveLength(1);
  });
});

test("what cannot raise its alerts is not logged either, and lands once when it is sent again", async () => {
  const user = await addUser();
  const body = { input: "x", output: "y".repeat(150) };
  const countOf = async () => {
    const [row] = await house.sql<{ rows: number; batches: number }[]>`
      select
        (select count(*)::int from parlance.interactions where owner_id = ${user.id}) as rows,
        (select count(*)::int from parlance.interaction_batches where owner_id = ${user.id}) as batches
    `;
    return row;
  };
  await house.sql.unsafe(`
    create function parlance.break_alerts() returns trigger language plpgsql as $$ begin raise exception 'broken'; end $$;
    create trigger break_alerts before insert on parlance.interaction_alerts for each row execute function parlance.break_alerts();
  `);
  try {
    expect((await send(user, body, { "idempotency-key": "again" })).status).toBe(500);
    expect(await countOf()).toEqual({ rows: 0, batches: 0 });
  } finally {
    await house.sql.unsafe(
      "drop trigger break_alerts on parlance.interaction_alerts; drop function parlance.break_alerts()",
    );
  }
  const answer = await send(user, body, { "idempotency-key": "again" });
  expect([answer.status, answer.body.alerts.length], answer.text).toEqual([201, 1]);
  expect(await countOf()).toEqual({ rows: 1, batches: 1 });
});
