import type { TransactionSql } from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { foldBatches } from "../../../../edge/interactions/statistics/fold.ts";
import {
  listMatchingGroups,
  listSeriesHours,
} from "../../../../edge/interactions/statistics/series-store.ts";
import { becomeCaller, serviceCaller, transactAs } from "../../../../shared/callers.ts";
import { metrics } from "../../../../shared/interactions/metrics/registry.ts";
import { MetricAnswer, Series, type SeriesPoint } from "../../../../shared/interactions/series.ts";
import { openTestApp, type TestApp, type Who } from "../../../helpers/app.ts";
import { insertInteractions, type TestInteraction } from "../../../helpers/interactions.ts";
import { seededRandom } from "../../../helpers/pictures.ts";
import { hourMs } from "./exact.ts";

let house: TestApp;
const random = seededRandom(21);
const now = Date.now();
const apps = ["shop", "desk", "bot"];
const models = ["small", "large"];

const draw = (count: number, hours: number): (TestInteraction & { values: number[]; occurredAt: Date })[] =>
  Array.from({ length: count }, () => ({
    app: apps[Math.floor(random() * 3)] ?? "",
    model: models[Math.floor(random() * 2)] ?? "",
    values: [Math.floor(random() * 50), Math.exp(random() * 6)],
    occurredAt: new Date(now - random() * hours * hourMs),
  }));

const rows = draw(3_000, 33 * 24);

beforeAll(async () => {
  house = await openTestApp();
  await insertInteractions(house.sql, house.alice.id, rows);
  await foldBatches(house.deps.sql, house.alice.id, { rowsMax: 100_000 });
});
afterAll(() => house.close());

const ask = (query: Record<string, string>, who: Who = house.alice) =>
  house.call(who, "GET", `/interactions/series?${new URLSearchParams(query)}`);

async function read(query: Record<string, string>, who: Who = house.alice): Promise<Series> {
  const answer = await ask(query, who);
  expect(answer.body).toMatchObject({});
  expect(answer.status).toBe(200);
  return Series.parse(answer.body);
}

const dayOf = (time: Date) => time.toISOString().slice(0, 10);

/** Statements that begin with `select` are answered with their plans. */
function explaining(transaction: TransactionSql): TransactionSql {
  const ask = (strings: TemplateStringsArray, ...values: never[]) => {
    const query = transaction(strings, ...values);
    return strings[0]?.trimStart().startsWith("select") ? transaction`explain ${query}` : query;
  };
  return ask as unknown as TransactionSql;
}

const showPlan = (lines: readonly object[]) => lines.flatMap(Object.values).join("\n");

/** The week's Monday, by the calendar. */
function weekOf(time: Date): string {
  const monday = new Date(time);
  monday.setUTCDate(monday.getUTCDate() - ((monday.getUTCDay() + 6) % 7));
  return dayOf(monday);
}

function expectExact(point: SeriesPoint, values: readonly number[]): void {
  const sorted = values.toSorted((one, other) => one - other);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  expect(point).toMatchObject({ count: values.length, min: sorted[0], max: sorted.at(-1) });
  expect(point.mean).toBeCloseTo(mean, 8);
  expect(point.deviation).toBeCloseTo(Math.sqrt(variance), 6);
  for (const [name, share] of [
    ["p50", 0.5],
    ["p90", 0.9],
    ["p95", 0.95],
    ["p99", 0.99],
  ] as const) {
    const exact = sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
    expect(Math.abs(point[name] - exact)).toBeLessThanOrEqual(0.0101 * exact + 1e-9);
  }
}

describe("a series", () => {
  const buckets = {
    hour: (time: Date) => time.toISOString().slice(0, 13),
    day: dayOf,
    week: weekOf,
  };

  test.each(["hour", "day", "week"] as const)("by %s is that of the interactions of each", async (bucket) => {
    const series = await read({
      metric: "output.characters",
      bucket,
      from: new Date(now - 32 * 24 * hourMs).toISOString(),
    });
    expect(series).toMatchObject({
      metric: "output.characters",
      unit: "characters",
      bucket,
      groupsLeftOut: 0,
      pending: 0,
    });
    expect(Date.parse(series.foldedAt ?? "")).toBeGreaterThan(now - hourMs);
    const inRange = rows.filter(
      ({ occurredAt }) => occurredAt.toISOString() >= series.from && occurredAt.toISOString() < series.to,
    );
    const exact = Map.groupBy(inRange, ({ occurredAt }) => buckets[bucket](occurredAt));
    const [group] = series.groups;
    expect(series.groups).toHaveLength(1);
    expect(group?.count).toBe(inRange.length);
    expect(group?.points.map(({ at }) => buckets[bucket](new Date(at)))).toEqual([...exact.keys()].sort());
    for (const point of group?.points ?? []) {
      expectExact(
        point,
        exact.get(buckets[bucket](new Date(point.at)))?.map(({ values }) => values[1] ?? 0) ?? [],
      );
      expect(point.hours).toBe({ hour: 1, day: 24, week: 168 }[bucket]);
    }
  });

  test("by model, of one app, has one for each, the greatest first", async () => {
    const series = await read({ metric: "input.characters", groupBy: "model", app: "desk", bucket: "week" });
    const exact = Map.groupBy(
      rows.filter(({ app, occurredAt }) => app === "desk" && occurredAt.toISOString() >= series.from),
      ({ model }) => model ?? "",
    );
    expect(series.groups.map(({ model }) => model)).toEqual(
      [...exact].sort(([, one], [, other]) => other.length - one.length).map(([model]) => model),
    );
    for (const { model, count, points, ...rest } of series.groups) {
      expect(rest).toEqual({});
      expect(count).toBe(exact.get(model ?? "")?.length);
      expect(points.reduce((sum, point) => sum + point.count, 0)).toBe(count);
    }
  });

  test("has the buckets that its times are in, and no others", async () => {
    const from = "2026-03-04T05:06:07Z";
    const range = async (bucket: string, to: string) => {
      const series = await read({ metric: "input.characters", bucket, from, to });
      return [series.from, series.to];
    };
    expect(await range("hour", "2026-03-04T07:00:00Z")).toEqual([
      "2026-03-04T05:00:00.000Z",
      "2026-03-04T07:00:00.000Z",
    ]);
    expect(await range("day", "2026-03-05T00:00:01+02:00")).toEqual([
      "2026-03-04T00:00:00.000Z",
      "2026-03-05T00:00:00.000Z",
    ]);
    expect(await range("week", "2026-03-09T00:00:00.001Z")).toEqual([
      "2026-03-02T00:00:00.000Z",
      "2026-03-16T00:00:00.000Z",
    ]);
  });

  test("is of the last thirty days unless told, and tells what is not in it yet", async () => {
    const before = await read({ metric: "input.characters" });
    expect(Date.parse(before.to) - Date.parse(before.from)).toBeLessThanOrEqual(31 * 24 * hourMs);
    await insertInteractions(house.sql, house.bob.id, draw(4, 5));
    expect(await read({ metric: "input.characters" }, house.bob)).toMatchObject({
      groups: [],
      foldedAt: null,
      pending: 4,
    });
  });

  test("of days that hours became says that they are days", async () => {
    const long = Math.floor(now / hourMs / 24 - 100) * 24 * hourMs;
    const occurredAt = [3, 4, 17].map((hour) => new Date(long + hour * hourMs));
    const user = crypto.randomUUID();
    await house.sql`insert into auth.users (id, email) values (${user}, 'long@example.com')`;
    await insertInteractions(
      house.sql,
      user,
      occurredAt.map((time) => ({ values: [7], occurredAt: time })),
    );
    await foldBatches(house.deps.sql, user, { rowsMax: 10 });
    const who = { id: user, token: await house.signToken({ sub: user }) };
    const range = { from: new Date(long).toISOString(), to: new Date(long + 24 * hourMs).toISOString() };
    const series = await read({ metric: "input.characters", bucket: "hour", ...range }, who);
    expect(series.groups[0]?.points).toMatchObject([{ at: range.from, hours: 24, count: 3 }]);
  });

  test("shows twenty groups, and says how many more there are", async () => {
    const user = crypto.randomUUID();
    await house.sql`insert into auth.users (id, email) values (${user}, 'many@example.com')`;
    const many = Array.from({ length: 23 }, (_, index) =>
      Array(index + 1).fill({ model: `model-${index}`, values: [1] }),
    ).flat();
    await insertInteractions(house.sql, user, many);
    await foldBatches(house.deps.sql, user, { rowsMax: 1_000 });
    const who = { id: user, token: await house.signToken({ sub: user }) };
    const series = await read({ metric: "input.characters", groupBy: "model" }, who);
    expect(series.groups.map(({ model }) => model)).toEqual(
      Array.from({ length: 20 }, (_, index) => `model-${22 - index}`),
    );
    expect(series.groupsLeftOut).toBe(3);
    expect(
      (await read({ metric: "input.characters", groupBy: "model", model: "model-0" }, who)).groups,
    ).toHaveLength(1);
  });
});

describe("a log beside many others", () => {
  const others = 50_000;

  test("is found by indices, and its hours by what its owner sees", async () => {
    await house.sql`
      insert into parlance.interaction_groups (owner_id, app, environment, model)
      select ${house.bob.id}, 'app ' || number, 'of others', '' from generate_series(1, ${others}::integer) as number
    `;
    await house.sql`analyze parlance.interaction_groups`;
    const alice = { role: "authenticated", claims: { role: "authenticated", sub: house.alice.id } } as const;
    const [plan, hoursPlan] = await transactAs(house.deps.sql, alice, async (transaction) => {
      const groups = await listMatchingGroups(transaction, house.alice.id, {});
      const ofGroups = await listMatchingGroups(explaining(transaction), house.alice.id, {});
      await becomeCaller(transaction, serviceCaller);
      const hours = { groupIds: groups.map(({ id }) => id), metric: 1, fromHour: 0, toHour: 1e6 };
      return [showPlan(ofGroups), showPlan(await listSeriesHours(explaining(transaction), hours))];
    });
    expect(plan).toContain("groups_are_told_apart");
    expect(plan).not.toContain("Seq Scan");
    expect(hoursPlan).not.toContain("interaction_groups");
    const query = { metric: "input.characters", groupBy: "app", environment: "of others" };
    expect((await read(query)).groups).toEqual([]);
    expect((await read(query, house.admin)).groups).toEqual([]);
    await house.sql`delete from parlance.interaction_groups where environment = 'of others'`;
  });
});

describe("who asks", () => {
  test("sees no other owner's groups; only admins see the house's", async () => {
    await insertInteractions(house.sql, null, [{ app: "parlance", values: [5] }]);
    await foldBatches(house.deps.sql, null, { rowsMax: 10 });
    const query = { metric: "input.characters", groupBy: "app" };
    expect((await read(query, house.bob)).groups).toEqual([]);
    expect((await read({ ...query, app: "shop" }, house.bob)).groups).toEqual([]);
    expect((await read(query, house.admin)).groups).toEqual([]);
    const ofHouse = [{ app: "parlance", count: 1 }];
    expect((await read({ ...query, scope: "house" }, house.admin)).groups).toMatchObject(ofHouse);
    expect((await read(query, "secret")).groups).toMatchObject(ofHouse);
    expect((await ask({ ...query, scope: "house" })).status).toBe(403);
    expect((await ask(query, "nobody")).status).toBe(401);
    expect((await ask({}, "publishable")).status).toBe(401);
  });

  test.each([
    [{}, "query.metric"],
    [{ metric: "output.beauty" }, "query.metric"],
    [{ metric: "characters" }, "query.metric"],
    [{ metric: "input.characters", bucket: "month" }, "query.bucket"],
    [{ metric: "input.characters", groupBy: "user" }, "query.groupBy"],
    [{ metric: "input.characters", from: "yesterday" }, "query.from"],
    [{ metric: "input.characters", from: "1969-12-31T00:00:00Z" }, "query.from"],
    [{ metric: "input.characters", to: "9999-01-01T00:00:00Z" }, "query.to"],
    [{ metric: "input.characters", from: "2026-01-02T00:00:00Z", to: "2026-01-02T00:00:00Z" }, "query.from"],
    [
      {
        metric: "input.characters",
        bucket: "hour",
        from: "2026-01-01T00:00:00Z",
        to: "2026-03-01T00:00:00Z",
      },
      "query.bucket",
    ],
    [{ metric: "input.characters", app: "" }, "query.app"],
    [{ metric: "input.characters", scope: "all" }, "query.scope"],
  ])("is refused %j with the field %s", async (query, field) => {
    const answer = await ask(query);
    expect(answer.status).toBe(400);
    expect(answer.body.code).toBe("invalid_request");
    expect(answer.body.errors.map((error: { field: string }) => error.field)).toContain(field);
  });

  test("is refused more statistics than can be read at once, and told what to name", async () => {
    const user = crypto.randomUUID();
    await house.sql`insert into auth.users (id, email) values (${user}, 'wide@example.com')`;
    await house.sql`
      with groups as (
        insert into parlance.interaction_groups (owner_id, app, environment, model)
        select ${user}, 'app', '', 'model ' || number from generate_series(1, 120) as number
        returning id
      )
      insert into parlance.interaction_hours (group_id, metric, hour, count, mean, m2, min, max, sketch)
      select id, 1, ${Math.floor(now / hourMs)} - hour, 1, 1, 0, 1, 1, '4096:1'
      from groups, generate_series(1, 840) as hour
    `;
    const who = { id: user, token: await house.signToken({ sub: user }) };
    const from = new Date(now - 34 * 24 * hourMs).toISOString();
    const answer = await ask(
      { metric: "input.characters", bucket: "week", from: new Date(now - 36 * 24 * hourMs).toISOString() },
      who,
    );
    expect(answer.status).toBe(400);
    expect(answer.body.errors).toMatchObject([
      { field: "query.from", message: expect.stringContaining("name an app") },
    ]);
    const narrower = await read({ metric: "input.characters", bucket: "week", from, model: "model 7" }, who);
    expect(narrower.groups[0]?.count).toBeGreaterThan(800);
    // What is left out is not read.
    expect((await read({ metric: "input.characters", groupBy: "model", from }, who)).groupsLeftOut).toBe(100);
  });
});

test("metrics are told by name, with what they mean, and not by number", async () => {
  const answer = await house.call(house.alice, "GET", "/interactions/metrics");
  expect(answer.status).toBe(200);
  expect(answer.body.items).toHaveLength(metrics.length);
  for (const item of answer.body.items) {
    expect(MetricAnswer.strict().parse(item)).toEqual(item);
    for (const element of item.elements) {
      expect((await ask({ metric: `${element}.${item.name}` })).body.unit).toBe(item.unit);
    }
  }
  expect((await house.call("nobody", "GET", "/interactions/metrics")).status).toBe(401);
});
