/** How much is read and worked out for bounds at once, and what becomes of the rest. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { findRule } from "../../../../edge/interactions/rules/rule-store.ts";
import { listHistory } from "../../../../edge/interactions/statistics/fence-store.ts";
import {
  type FindOptions,
  findRuleFences,
  requestLimits,
} from "../../../../edge/interactions/statistics/fences.ts";
import { serviceCaller, transactAs } from "../../../../shared/callers.ts";
import { createId } from "../../../../shared/ids.ts";
import type { JudgedRow } from "../../../../shared/interactions/judging.ts";
import { OutlierCondition, type Rule } from "../../../../shared/interactions/rules.ts";
import { addValues, noMoments } from "../../../../shared/interactions/statistics/moments.ts";
import { QuantileSketch } from "../../../../shared/interactions/statistics/sketch.ts";
import { writeSketch } from "../../../../shared/interactions/statistics/sketch-text.ts";
import { openTestApp, type TestApp } from "../../../helpers/app.ts";
import { normal } from "../../../helpers/draws.ts";
import { seededRandom } from "../../../helpers/pictures.ts";
import { hourMs } from "./exact.ts";

let house: TestApp;
let owner: string;
beforeAll(async () => {
  house = await openTestApp();
});
afterAll(() => house.close());
beforeEach(async () => {
  owner = crypto.randomUUID();
  await house.sql`insert into auth.users (id, email) values (${owner}, ${`${owner}@example.com`})`;
  await house.sql`select parlance.ensure_interaction_settings(${owner})`;
});

const hour = Math.floor(Date.now() / hourMs);

async function addRule(method: string, groupBy: Rule["groupBy"] = []): Promise<Rule> {
  const condition = OutlierCondition.parse({ type: "outlier", method, countMin: 2 });
  const id = createId();
  await house.sql`
    insert into parlance.interaction_rules (id, owner_id, name, element, metric, condition, group_by)
    values (${id}, ${owner}, ${id}, 'input', 'characters', ${house.sql.json(condition)}, ${[...groupBy]}::text[])
  `;
  const rule = await transactAs(house.deps.sql, serviceCaller, (transaction) => findRule(transaction, id));
  if (!rule) throw new Error("no rule");
  return rule;
}

/** As many groups, each with ten values in each of the hours before now. */
async function addHistory(groups: number, hours: readonly number[]): Promise<void> {
  const values = [90, 92, 94, 96, 98, 102, 104, 106, 108, 110];
  const { mean, m2, min, max } = addValues(noMoments, values);
  const sketch = writeSketch(QuantileSketch.of(values).toParts());
  await house.sql`
    with groups as (
      insert into parlance.interaction_groups (owner_id, app, environment, model)
      select ${owner}, 'app', '', 'model ' || number from generate_series(1, ${groups}::integer) as number
      returning id
    )
    insert into parlance.interaction_hours (group_id, metric, hour, count, mean, m2, min, max, sketch)
    select id, 1, ${hour}::integer - before, 10, ${mean}, ${m2}, ${min}, ${max}, ${sketch}
    from groups, unnest(${`{${hours.join(",")}}`}::text::integer[]) as before
  `;
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

function toRow(before: number, model = "model 1"): JudgedRow {
  const occurredAt = new Date((hour - before) * hourMs + 1_000).toISOString();
  return { id: createId(), group: { app: "app", environment: "", model }, tags: [], values: [1], occurredAt };
}

/** How many values the bounds of each row rest on, and how many bounds were left out. */
async function find(rule: Rule, rows: readonly JudgedRow[], options: FindOptions = {}) {
  let leftOut = 0;
  const onLeftOut = (bounds: number) => {
    leftOut += bounds;
  };
  const counts = await transactAs(house.deps.sql, serviceCaller, async (transaction) => {
    const fencesOf = await findRuleFences(transaction, [rule], rows, {
      presentHour: hour,
      ...options,
      onLeftOut,
    });
    return rows.map((row) => fencesOf(rule, row)?.count);
  });
  return { counts, leftOut };
}

const limit = (statistics: number) => ({ ...requestLimits, statistics, statisticsPerRead: statistics });

const countKept = async () =>
  (
    await house.sql`
      select from parlance.interaction_fences
      where rule_id in (select id from parlance.interaction_rules where owner_id = ${owner})
    `
  ).length;

describe("a history that is more than its share", () => {
  test.each(["mad", "iqr"])("is that of its newest hours by %s", async (method) => {
    await addHistory(5, range(0, 99));
    const rule = await addRule(method);
    const of = (statistics: number) => find(rule, [toRow(0)], { limits: limit(statistics), keeps: false });
    // Ten hours of five groups, and what is read on until it is too much.
    expect(await of(52)).toEqual({ counts: [500], leftOut: 0 });
    expect(await of(5)).toEqual({ counts: [50], leftOut: 0 });
    // Not even an hour.
    expect(await of(4)).toEqual({ counts: [undefined], leftOut: 1 });
    expect(await of(500)).toEqual({ counts: [5_000], leftOut: 0 });
  });

  test.each(["z-score", "ewma"])("is merged by the database for %s, which costs a tenth", async (method) => {
    await addHistory(50, range(0, 99));
    const rule = await addRule(method);
    const of = (statistics: number) => find(rule, [toRow(0)], { limits: limit(statistics), keeps: false });
    // Each hour is a row, of 50 statistics: 1 + 50 / 10.
    expect(await of(600)).toEqual({ counts: [50_000], leftOut: 0 });
    expect((await of(60)).counts[0]).toBeLessThan(50_000);
    expect((await of(60)).counts[0]).toBeGreaterThanOrEqual(12 * 500);
    expect(await of(0)).toEqual({ counts: [undefined], leftOut: 1 });
  });

  test("is read once for hours that are near, and not between those that are far", async () => {
    const tenYears = 24 * 3_650;
    await addHistory(1, [...range(0, 23), ...range(2_000, 5_000), ...range(tenYears, tenYears + 23)]);
    const rule = await addRule("mad");
    const rows = [toRow(0), toRow(5), toRow(tenYears), toRow(tenYears + 12)];
    // 48 is what both ends have, and 4 what the second read still needs to be let in.
    const { counts, leftOut } = await find(rule, rows, {
      limits: { ...requestLimits, statistics: 52, statisticsPerRead: 260 },
    });
    expect({ counts, leftOut }).toEqual({ counts: [240, 180, 230, 110], leftOut: 0 });
  });

  test("of an hour that a read does not reach is read for itself while there is room", async () => {
    await addHistory(1, range(0, 1_300));
    const rule = await addRule("mad");
    const rows = [0, 300, 600].map((before) => toRow(before));
    const whole = await find(rule, rows, { limits: limit(100_000), keeps: false });
    expect(whole).toEqual({ counts: [6_730, 6_720, 6_720], leftOut: 0 });
    const parts = { ...requestLimits, statistics: Number.POSITIVE_INFINITY, statisticsPerRead: 100 };
    expect(await find(rule, rows, { limits: parts, keeps: false })).toEqual({
      counts: [1_000, 990, 990],
      leftOut: 0,
    });
    const first = await find(rule, rows, { limits: limit(100), keeps: false });
    expect(first).toEqual({ counts: [1_000, undefined, undefined], leftOut: 2 });
  });
});

test("what the database merges is what all of the values have", async () => {
  const random = seededRandom(5);
  const groups = range(1, 40).map((index) =>
    Array.from({ length: 1 + Math.floor(random() * 30) }, () => 1e6 * index + 50 * normal(random)),
  );
  const merged = await transactAs(house.deps.sql, serviceCaller, async (transaction) => {
    const watched: { id: number; place: number }[] = [];
    for (const [index, values] of groups.entries()) {
      const { count, mean, m2, min, max } = addValues(noMoments, values);
      const [row] = await transaction<{ groupId: number }[]>`
        with made as (
          insert into parlance.interaction_groups (owner_id, app, environment, model)
          values (${owner}, 'app', '', ${`model ${index}`})
          returning id
        )
        insert into parlance.interaction_hours (group_id, metric, hour, count, mean, m2, min, max, sketch)
        select id, 1, 7, ${count}, ${mean}, ${m2}, ${min}, ${max}, '1:1'
        from made
        returning group_id
      `;
      watched.push({ id: row?.groupId ?? 0, place: index % 3 });
    }
    const query = { watched, metric: 1, fromHour: 0, toHour: 9, withSketches: false, rowsMax: 10 };
    return listHistory(transaction, query);
  });
  expect(merged.map(({ groupId }) => groupId).toSorted()).toEqual([0, 1, 2]);
  for (const { groupId, count, mean, m2, min, max } of merged) {
    const all = addValues(noMoments, groups.filter((_, index) => index % 3 === groupId).flat());
    expect({ count, min, max }).toEqual({ count: all.count, min: all.min, max: all.max });
    expect(mean / all.mean).toBeCloseTo(1, 12);
    expect(m2 / all.m2).toBeCloseTo(1, 9);
  }
});

describe("more bounds than there is time for", () => {
  const limits = { ...requestLimits, bounds: 2 };
  const rows = [4, 0, 3, 1, 2].map((before) => toRow(before));

  test("are worked out from the newest hours on, and kept, so that the next request goes on", async () => {
    await addHistory(1, range(0, 20));
    const rule = await addRule("z-score");
    const is = async (leftOut: number, ...befores: number[]) => {
      const found = await find(rule, rows, { limits });
      expect(found.leftOut).toBe(leftOut);
      expect(found.counts.map((count) => count !== undefined)).toEqual(
        [4, 0, 3, 1, 2].map((before) => befores.includes(before)),
      );
    };
    await is(3, 0, 1);
    await is(1, 0, 1, 2, 3);
    await is(0, 0, 1, 2, 3, 4);
    // All fit by then: what rests on little is worked out each time.
    expect(await countKept()).toBe(4);
  });

  test("are not even looked for beyond a limit", async () => {
    await addHistory(1, range(0, 20));
    const rule = await addRule("z-score");
    const { counts, leftOut } = await find(rule, rows, { limits: { ...requestLimits, lookups: 3 } });
    expect(counts).toEqual([undefined, 210, undefined, 190, 180]);
    expect(leftOut).toBe(2);
  });

  test("are not kept of hours that are hardly asked for again", async () => {
    await addHistory(20, range(0, 20));
    const rule = await addRule("z-score");
    await find(rule, rows, { limits, keeps: false });
    expect(await countKept()).toBe(0);
    await find(rule, rows);
    expect(await countKept()).toBe(5);
  });
});

test("a request of more hours than it has time for lands all the same, and says how much was not judged", async () => {
  await addHistory(1, range(0, 300));
  const who = { id: owner, token: await house.signToken({ sub: owner }) };
  const items = range(1, 300).map((before) => ({
    input: "x".repeat(300),
    output: "y",
    app: "app",
    model: "model 1",
    occurredAt: toRow(before).occurredAt,
  }));
  const answer = await house.call(who, "POST", "/interactions", {
    body: JSON.stringify({ items }),
    headers: { "content-type": "application/json" },
  });
  expect(answer.status, answer.text).toBe(201);
  expect(answer.body.items).toHaveLength(300);
  const line = house.logLines.find(({ event }) => event === "interactions.not-judged");
  expect(line).toMatchObject({ ownerId: owner, rows: 300, bounds: 2 * 300 - requestLimits.bounds });
  // Only the values of the inputs are known to the history; the newest hours are judged by it.
  const judged = answer.body.items.filter((item: { alerts: { ruleName: string }[] }) =>
    item.alerts.some(({ ruleName }) => ruleName === "input of unusual length"),
  );
  expect(judged).toHaveLength(requestLimits.bounds / 2);
});
