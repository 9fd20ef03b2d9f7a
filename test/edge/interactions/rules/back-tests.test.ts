import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { createBackTestTask } from "../../../../edge/interactions/rules/back-test-task.ts";
import { runTick } from "../../../../edge/tasks.ts";
import { createId } from "../../../../shared/ids.ts";
import { metricNumberOf } from "../../../../shared/interactions/judging.ts";
import { NewRule, type Rule } from "../../../../shared/interactions/rules.ts";
import { openTestApp, type TestApp } from "../../../helpers/app.ts";
import { insertInteractions } from "../../../helpers/interactions.ts";
import { seededRandom } from "../../../helpers/pictures.ts";
import { taskContext } from "../../../helpers/task-context.ts";
import { countMinutes, findFired, type SeriesRow } from "./brute-force.ts";
import { json, run, show, start, work } from "./rig.ts";

let house: TestApp;
beforeAll(async () => {
  house = await openTestApp({ environment: { RATE_LIMIT_WRITE: "100000", RATE_LIMIT_READ: "100000" } });
});
afterAll(() => house.close());
const empty = async () => {
  for (const table of [
    "jobs",
    "rule_back_tests",
    "interactions",
    "interaction_batches",
    "interaction_groups",
    "interaction_rules",
    "interaction_settings",
  ])
    await house.sql.unsafe(`delete from parlance.${table}`);
};
afterEach(empty);

const msPerHour = 3_600_000;
const msPerDay = 24 * msPerHour;
const thisHour = Math.floor(Date.now() / msPerHour) * msPerHour;
const number = metricNumberOf({ element: "output", metric: "characters" }) ?? 0;
const outputCharacters = { element: "output", metric: "characters" } as const;
const outlier = { ...outputCharacters, condition: { type: "outlier" } };

type Draft = Omit<SeriesRow, "id">;
const plain = { app: "a", environment: "", model: "m" };

const at = (atMs: number, value: number | null, more: Partial<Draft> = {}): Draft => ({
  atMs,
  value,
  group: plain,
  tags: [],
  ...more,
});

async function log(drafts: readonly Draft[]): Promise<SeriesRow[]> {
  const rows: SeriesRow[] = [];
  for (let from = 0; from < drafts.length; from += 1000) {
    const part = drafts.slice(from, from + 1000);
    const { ids } = await insertInteractions(
      house.sql,
      house.alice.id,
      part.map(({ group, tags, atMs, value }) => ({
        ...group,
        tags,
        occurredAt: new Date(atMs),
        values: Array.from({ length: number }, (_, index) => (index === number - 1 ? value : 7)),
      })),
    );
    rows.push(...part.map((row, index) => ({ ...row, id: ids[index] ?? "" })));
  }
  return rows;
}

/** Lengths that spread by factors, in bursts, some far out, of four groups and with tags; `values` as they are. */
function drawSeries(seed: number, { days = 12, perDay = 30, endMs = thisHour } = {}): Draft[] {
  const random = seededRandom(seed);
  return Array.from({ length: days * perDay }, () => {
    const far = random() < 0.02 ? 20 * random() : 1;
    return at(
      endMs - Math.floor(random() * days * msPerDay),
      Math.round(200 * Math.exp(random() + random() - 1) * far * 10) / 10,
      {
        group: {
          app: random() < 0.6 ? "a" : "b",
          environment: random() < 0.5 ? "production" : "",
          model: random() < 0.5 ? "m" : "n",
        },
        tags: ["x", "y", "z"].filter(() => random() < 0.3),
        ...(random() < 0.03 ? { value: null } : {}),
      },
    );
  });
}

const toRule = (body: object): Rule => ({
  ...NewRule.parse({ name: "tried", ...body }),
  id: createId(),
  ownerId: house.alice.id,
  createdAt: "",
  updatedAt: "",
});

const iso = (atMs: number) => new Date(atMs).toISOString();

describe("a back-test of single rows", () => {
  test.each<[string, object, object?]>([
    ["above", { condition: { type: "above", threshold: 300 } }],
    ["below", { condition: { type: "below", threshold: 110 } }],
    ...(["z-score", "mad", "iqr", "ewma", "seasonal"] as const).map((method): [string, object] => [
      method,
      { condition: { type: "outlier", method, sensitivity: 2.5, countMin: 20 } },
    ]),
    [
      "few days of history",
      { condition: { type: "outlier", method: "mad", sensitivity: 2, historyDays: 2, countMin: 10 } },
    ],
    ["the high tail", { condition: { type: "outlier", method: "iqr", sensitivity: 1, tails: "high" } }],
    ["the low tail", { condition: { type: "outlier", method: "z-score", sensitivity: 1, tails: "low" } }],
    [
      "each app and model",
      {
        condition: { type: "outlier", method: "mad", sensitivity: 3, countMin: 15 },
        groupBy: ["app", "model"],
      },
    ],
    [
      "each environment",
      {
        condition: { type: "outlier", method: "z-score", sensitivity: 2, countMin: 15 },
        groupBy: ["environment"],
      },
    ],
    [
      "some apps, models and environments",
      {
        condition: { type: "outlier", method: "ewma", sensitivity: 2, countMin: 10 },
        apps: ["a"],
        models: ["n"],
        environments: ["production"],
      },
    ],
    [
      "tags, whose history is that of all",
      {
        condition: { type: "outlier", method: "mad", sensitivity: 2.5, countMin: 20 },
        tags: ["x", "q"],
        apps: ["a"],
      },
    ],
    ["tags and a threshold", { condition: { type: "above", threshold: 250 }, tags: ["y"], groupBy: ["app"] }],
    [
      "great sensitivity",
      { condition: { type: "outlier", method: "seasonal", sensitivity: 1000, countMin: 20 } },
    ],
  ])("finds what looking at all rows again finds: %s", async (_what, body) => {
    const rows = await log(drawSeries(7));
    const period = [thisHour - 8 * msPerDay, thisHour] as const;
    const rule = { ...outputCharacters, ...body };
    const expected = findFired(toRule(rule), rows, period);
    const result = await run(
      house,
      { rule, from: iso(period[0]), to: iso(period[1]) },
      {
        limits: { rowsAtOnce: 37, pagesPerSlice: 3, rowsPerSlice: 50 },
      },
    );
    expect(result.fired).toBe(expected.length);
    const isFew = expected.length <= 100;
    expect(result.first.map(({ interactionId }) => interactionId)).toEqual(expected.slice(0, 100));
    expect(result.newest.map(({ interactionId }) => interactionId)).toEqual(
      expected.toReversed().slice(0, 100),
    );
    if (isFew)
      expect(result.extreme.map(({ interactionId }) => interactionId).sort()).toEqual(expected.toSorted());
    expect(result.weeks.map(({ fired }) => fired).reduce((sum, fired) => sum + fired, 0)).toBe(
      expected.length,
    );
    expect(result.weeks).toHaveLength(2);
  });

  test("holds bounds that rest on much history for five minutes", async () => {
    const random = seededRandom(3);
    const steady = Array.from({ length: 1500 }, (_, index) =>
      at(thisHour - 5 * msPerHour + index * 11_000, 100 + random()),
    );
    // A burst that raises its own bounds only when they are worked out again.
    const burst = Array.from({ length: 300 }, (_, index) =>
      at(thisHour - 1800_000 + index * 5_000, 110 + 10 * random()),
    );
    const rows = await log([...steady, ...burst]);
    for (const method of ["z-score", "mad", "seasonal"]) {
      const rule = { ...outputCharacters, condition: { type: "outlier", method, sensitivity: 4 } };
      const expected = findFired(toRule(rule), rows, [thisHour - 6 * msPerHour, thisHour]);
      expect(expected.length).toBeGreaterThan(3);
      const result = await run(
        house,
        { rule, from: iso(thisHour - 6 * msPerHour), to: iso(thisHour) },
        {
          limits: { rowsAtOnce: 100, pagesPerSlice: 2, rowsPerSlice: 100_000 },
        },
      );
      expect([method, result.fired]).toEqual([method, expected.length]);
      expect(result.first.map(({ interactionId }) => interactionId)).toEqual(expected.slice(0, 100));
    }
  });

  test("knows the hours also of what is kept by the day", async () => {
    const endMs = thisHour - 60 * msPerDay;
    const rows = await log(drawSeries(11, { days: 14, perDay: 25, endMs }));
    const period = [endMs - 7 * msPerDay, endMs] as const;
    for (const method of ["z-score", "seasonal"]) {
      const rule = {
        ...outputCharacters,
        condition: { type: "outlier", method, sensitivity: 2.5, countMin: 20 },
      };
      const expected = findFired(toRule(rule), rows, period);
      expect(expected.length).toBeGreaterThan(0);
      const result = await run(house, { rule, from: iso(period[0]), to: iso(period[1]) });
      expect(result.first.map(({ interactionId }) => interactionId)).toEqual(expected.slice(0, 100));
    }
    const [kept] = await house.sql`select count(*) from parlance.interaction_hours where hours = 1`;
    expect(kept?.count).toBe(0);
  });

  test("uses the days where the rows are gone", async () => {
    const endMs = Math.floor((thisHour - 60 * msPerDay) / msPerDay) * msPerDay;
    const rows = await log([
      ...Array.from({ length: 100 }, (_, index) =>
        at(endMs - 3 * msPerDay + index * 600_000, 100 + (index % 7)),
      ),
      at(endMs + msPerHour, 5000),
    ]);
    const { result } = await show(
      house,
      (await startAndWork({ rule: outlier, from: iso(endMs), to: iso(endMs + msPerDay) })).id,
    );
    expect(result?.fired).toBe(1);
    // After a retention of the old rows, which statistics outlive.
    await house.sql`delete from parlance.interactions where id = any(${rows.slice(0, 100).map(({ id }) => id)}::uuid[])`;
    const again = await run(house, { rule: outlier, from: iso(endMs), to: iso(endMs + msPerDay) });
    expect(again).toMatchObject({ judged: 1, fired: 1, withoutHistory: 0 });
  });
});

async function startAndWork(body: object) {
  const test = await start(house, body);
  expect(await work(house)).toBe("done");
  return test;
}

describe("a back-test of windows", () => {
  const minutes = (number: number) => number * 60_000;
  const period = [thisHour - 6 * msPerHour, thisHour] as const;
  const times = { from: iso(period[0]), to: iso(period[1]) };

  test.each<[string, object]>([
    ["a rate", { condition: { type: "rate", windowMinutes: 15, moreThan: 3 } }],
    ["any", { condition: { type: "rate", windowMinutes: 1, moreThan: 0 } }],
    [
      "a rate of long ones",
      {
        ...outputCharacters,
        condition: { type: "rate", windowMinutes: 60, moreThan: 2, above: 200, below: 400 },
      },
    ],
    ["a rate of each app", { condition: { type: "rate", windowMinutes: 30, moreThan: 2 }, groupBy: ["app"] }],
    ["a rate of tags", { condition: { type: "rate", windowMinutes: 30, moreThan: 1 }, tags: ["x"] }],
    ["more than there are", { condition: { type: "rate", windowMinutes: 1, moreThan: 1000 } }],
    ["missing", { condition: { type: "missing", windowMinutes: 12 } }],
    [
      "missing of each model and environment",
      { condition: { type: "missing", windowMinutes: 45 }, groupBy: ["model", "environment"] },
    ],
    ["missing of a tag", { condition: { type: "missing", windowMinutes: 30 }, tags: ["y"] }],
  ])("finds what counting at each minute finds: %s", async (_what, rule) => {
    // Some at full minutes.
    const drafts = drawSeries(5, { days: 1, perDay: 300 }).map((row, index) =>
      index % 3 === 0 ? { ...row, atMs: Math.floor(row.atMs / 60_000) * 60_000 } : row,
    );
    const rows = await log(drafts);
    const result = await run(
      house,
      { rule, ...times },
      { limits: { rowsAtOnce: 23, pagesPerSlice: 2, rowsPerSlice: 30 } },
    );
    expect(result.fired).toBe(countMinutes(toRule(rule), rows, period));
    expect(result.weeks.reduce((sum, { fired }) => sum + fired, 0)).toBe(result.fired);
  });

  test("tells where a stretch began, and tells of it once", async () => {
    await log([
      at(period[0] + minutes(10.5), 1),
      at(period[0] + minutes(11), 1),
      at(period[0] + minutes(200), 1),
    ]);
    const rate = await run(house, {
      rule: { condition: { type: "rate", windowMinutes: 5, moreThan: 1 } },
      ...times,
    });
    // From the second one until the first has left.
    expect(rate).toMatchObject({ judged: 3, fired: 5, alerts: { opened: 1, repeated: 0 } });
    expect(rate.first).toEqual([
      expect.objectContaining({
        occurredAt: iso(period[0] + minutes(11)).replace("Z", "000Z"),
        value: 2,
        bound: 1,
        score: null,
      }),
    ]);
    expect(rate.values).toMatchObject({ count: 360, max: 2, p50: 0 });
    const missing = await run(house, {
      rule: { condition: { type: "missing", windowMinutes: 100 }, renotifyMinutes: 30 },
      ...times,
    });
    // 111 to 199, and 300 to 360; told again after 30, 60 minutes of each.
    expect(missing).toMatchObject({
      fired: 89 + 61,
      alerts: { opened: 2, repeated: 2 + 2 },
      values: null,
      thresholds: null,
    });
    expect(missing.first.map(({ value, interactionId }) => [value, interactionId])).toEqual([
      [188, null],
      [160, null],
    ]);
  });

  test("expects nothing that was never there, nor what was away for a week beyond its window", async () => {
    const rule = { condition: { type: "missing", windowMinutes: 60 } };
    const range = { from: iso(thisHour - 20 * msPerDay), to: iso(thisHour) };
    await log([at(thisHour - 15 * msPerDay, 1)]);
    expect(await run(house, { rule, ...range })).toMatchObject({
      fired: 7 * 1440,
      alerts: { opened: 1 },
    });
    expect(await run(house, { rule: { ...rule, apps: ["other"] }, ...range })).toMatchObject({
      fired: 0,
      groups: 0,
    });
    const later = { from: iso(thisHour - 14 * msPerDay), to: iso(thisHour) };
    expect((await run(house, { rule, ...later })).fired).toBe(6 * 1440 + 59);
  });
});

describe("a back-test that is interrupted", () => {
  test.each<[string, object]>([
    [
      "outliers",
      {
        ...outputCharacters,
        condition: { type: "outlier", method: "mad", sensitivity: 2, countMin: 20 },
        groupBy: ["app"],
        renotifyMinutes: 60,
      },
    ],
    [
      "by the season",
      {
        ...outputCharacters,
        condition: { type: "outlier", method: "seasonal", sensitivity: 3, countMin: 10 },
      },
    ],
    [
      "a threshold",
      { ...outputCharacters, condition: { type: "above", threshold: 220 }, renotifyMinutes: 120 },
    ],
    [
      "a rate",
      {
        condition: { type: "rate", windowMinutes: 600, moreThan: 14 },
        groupBy: ["model"],
        renotifyMinutes: 30,
      },
    ],
    ["what is missing", { condition: { type: "missing", windowMinutes: 60 }, groupBy: ["app", "model"] }],
  ])("at each checkpoint comes to the same: %s", async (_what, rule) => {
    await log(drawSeries(21, { days: 10, perDay: 20 }));
    const whole = await run(house, { rule });
    const limits = { rowsAtOnce: 11, pagesPerSlice: 2, rowsPerSlice: 15 };
    const { id } = await start(house, { rule });
    const task = createBackTestTask(house.deps, limits);
    let cursor: unknown;
    let deaths = 0;
    for (;;) {
      let isSaved = false;
      const context = taskContext({
        cursor,
        checkpoint: async (next, write) => {
          // Every other time it dies before the second checkpoint is written rather than after the first.
          if (isSaved) throw new Error("killed before it was saved");
          await house.sql.begin(async (transaction) => write?.(transaction));
          cursor = next;
          isSaved = true;
          if (deaths % 2 === 0) throw new Error("killed");
        },
      });
      const outcome = await task.run({ backTestId: id }, context).catch((error: Error) => {
        if (!error.message.startsWith("killed")) throw error;
        deaths += 1;
      });
      if (!outcome) continue;
      expect(outcome).toEqual(whole);
      break;
    }
    expect(deaths).toBeGreaterThan(4);
  });

  test("by a user is cancelled, and says so", async () => {
    await log(drawSeries(1, { days: 3, perDay: 5 }));
    const { id, job } = await start(house, { rule: outlier });
    expect((await house.call(house.alice, "POST", `/jobs/${job.id}/cancellation`)).status).toBeLessThan(300);
    const shown = await show(house, id);
    expect(shown).toMatchObject({ state: "cancelled", result: null, error: { code: "cancelled" } });
    expect(shown.finishedAt).not.toBeNull();
  });
});

describe("what a back-test says", () => {
  test("of an empty log is nothing", async () => {
    const result = await run(house, { rule: outlier });
    expect(result).toMatchObject({
      judged: 0,
      fired: 0,
      firedPerWeek: 0,
      first: [],
      values: null,
      groups: 0,
      alerts: { opened: 0 },
    });
    expect(result.weeks).toHaveLength(4);
    expect(
      (await run(house, { rule: { condition: { type: "rate", windowMinutes: 5, moreThan: 0 } } })).fired,
    ).toBe(0);
    expect((await run(house, { rule: { condition: { type: "missing", windowMinutes: 5 } } })).fired).toBe(0);
  });

  test("of one row is that it has no history", async () => {
    const [row] = await log([at(thisHour - msPerDay + 123, 5000)]);
    expect(await run(house, { rule: outlier })).toMatchObject({
      judged: 1,
      withoutHistory: 1,
      fired: 0,
      values: { count: 1, max: 5000 },
    });
    const above = await run(house, {
      rule: { ...outputCharacters, condition: { type: "above", threshold: 100 } },
    });
    expect(above).toMatchObject({ judged: 1, withoutHistory: 0, fired: 1, firedPerWeek: 0.25 });
    const shown = {
      interactionId: row?.id,
      occurredAt: iso(row?.atMs ?? 0).replace("Z", "000Z"),
      app: "a",
      environment: null,
      model: "m",
      value: 5000,
      score: null,
      bound: 100,
    };
    expect([above.first, above.newest, above.extreme]).toEqual([[shown], [shown], [shown]]);
  });

  test("of what hardly any row is of looks at so many rows at once, and pauses", async () => {
    await log(Array.from({ length: 100 }, (_, index) => at(thisHour - 5 * msPerHour + index * 60_000, 9)));
    const rule = { ...outputCharacters, condition: { type: "above", threshold: 3 } };
    for (const [wish, judged] of [
      [{ tags: ["never"] }, 0],
      [{ element: "pair", metric: "latency" }, 0],
      [{}, 100],
    ] as const) {
      const { id } = await start(house, { rule: { ...rule, ...wish } });
      let pauses = 0;
      const checkpoint = async () => void pauses++;
      const task = createBackTestTask(house.deps, { rowsAtOnce: 10, pagesPerSlice: 1 });
      await house.sql`update parlance.interaction_batches set folded_at = now()`;
      expect(await task.run({ backTestId: id }, taskContext({ checkpoint }))).toMatchObject({ judged });
      expect(pauses).toBeGreaterThan(10);
    }
  });

  test("of a constant history is that a hundredth is no change worth telling", async () => {
    const steady = Array.from({ length: 200 }, (_, index) =>
      at(thisHour - 3 * msPerDay + index * 600_000, 100),
    );
    await log([...steady, at(thisHour - msPerHour, 101), at(thisHour - msPerHour + 1, 150)]);
    for (const method of ["z-score", "mad", "iqr", "ewma", "seasonal"]) {
      const condition = { type: "outlier", method, sensitivity: 5 };
      const result = await run(house, { rule: { ...outputCharacters, condition } });
      expect([method, result.first.map(({ value }) => value)]).toEqual([method, [150]]);
      expect(result.judged).toBe(202);
    }
  });

  test("of the rule that accounts begin with is a far value after enough history, and never one after little", async () => {
    await house.call(house.alice, "GET", "/rules");
    const rules = (await house.call(house.alice, "GET", "/rules")).body.items as Rule[];
    const rule = rules.find(({ element, condition }) => element === "output" && condition.type === "outlier");
    const random = seededRandom(2);
    const draw = (count: number) =>
      Array.from({ length: count }, (_, index) =>
        at(thisHour - msPerDay + index * 60_000, 100 + 10 * random()),
      );
    await log([...draw(29), at(thisHour - msPerHour, 100_000)]);
    expect(await run(house, { ruleId: rule?.id })).toMatchObject({
      judged: 30,
      withoutHistory: 30,
      fired: 0,
    });
    await empty();
    await house.call(house.alice, "GET", "/rules");
    await log([...draw(30), at(thisHour - msPerHour, 100_000)]);
    const result = await run(house, { rule: { ...outputCharacters, condition: rule?.condition } });
    expect(result).toMatchObject({ judged: 31, withoutHistory: 30, fired: 1, alerts: { opened: 1 } });
    expect(result.first[0]).toMatchObject({ value: 100_000, app: "a" });
    expect(result.first[0]?.score).toBeGreaterThan(1000);
  });

  test("of other sensitivities and thresholds is what they come to", async () => {
    await log(drawSeries(9));
    const condition = { type: "outlier", method: "mad", sensitivity: 4, countMin: 20 };
    const result = await run(house, { rule: { ...outputCharacters, condition } });
    expect(result.sensitivities?.map(({ sensitivity }) => sensitivity)).toEqual([1, 2, 3, 4, 6, 8, 12]);
    for (const { sensitivity, fired } of result.sensitivities ?? []) {
      const other = await run(house, {
        rule: { ...outputCharacters, condition: { ...condition, sensitivity } },
      });
      expect([sensitivity, fired]).toEqual([sensitivity, other.fired]);
    }
    for (const type of ["above", "below"]) {
      const own = await run(house, { rule: { ...outputCharacters, condition: { type, threshold: 200 } } });
      expect(own.thresholds?.find(({ threshold }) => threshold === 200)?.fired).toBe(own.fired);
      for (const { threshold, fired } of own.thresholds ?? []) {
        const count = async (bound: number) =>
          (await run(house, { rule: { ...outputCharacters, condition: { type, threshold: bound } } })).fired;
        const around = [await count(threshold * 0.97), await count(threshold * 1.03)].sort(
          (one, other) => one - other,
        );
        expect(fired).toBeGreaterThanOrEqual(around[0] ?? 0);
        expect(fired).toBeLessThanOrEqual(around[1] ?? 0);
      }
    }
  });

  test("of many with long names is as much as can be kept", async () => {
    const long = (letter: string, length: number) => letter.repeat(length);
    const group = { app: long("\u{1f600}", 32), environment: long("\\", 64), model: long("\u4e00", 128) };
    await log(Array.from({ length: 150 }, (_, index) => at(thisHour - index * 60_000 - 1, 500, { group })));
    const result = await run(house, {
      rule: { ...outputCharacters, condition: { type: "above", threshold: 1 } },
    });
    expect([result.fired, result.first.length]).toEqual([150, 50]);
    expect(result.first[0]).toMatchObject(group);
  });

  test("of a window names what was judged apart alone", async () => {
    await log([
      at(thisHour - msPerHour, 1),
      at(thisHour - msPerHour, 1, { group: { ...plain, model: "n" } }),
    ]);
    const rule = { condition: { type: "rate", windowMinutes: 1, moreThan: 0 }, groupBy: ["model"] };
    const { first, groups } = await run(house, { rule });
    expect(groups).toBe(2);
    expect(first.map(({ app, model }) => [app, model]).sort()).toEqual([
      [null, "m"],
      [null, "n"],
    ]);
  });

  test("of alerts is how often people would have been told", async () => {
    const minutesAgo = [1000, 990, 800, 700, 100].map((minutes) => thisHour - minutes * 60_000);
    await log(minutesAgo.map((atMs) => at(atMs, 500)));
    const rule = { ...outputCharacters, condition: { type: "above", threshold: 100 } };
    const count = async (more: object) => (await run(house, { rule: { ...rule, ...more } })).alerts;
    expect(await count({})).toMatchObject({ opened: 4, repeated: 0 });
    expect(await count({ resolveMinutes: 250 })).toMatchObject({ opened: 2, repeated: 0 });
    expect(await count({ resolveMinutes: 250, renotifyMinutes: 60 })).toEqual({
      opened: 2,
      repeated: 3,
      perWeek: 1.25,
    });
  });

  test("changes nothing else", async () => {
    await log(drawSeries(4, { days: 3, perDay: 20 }));
    await run(house, { rule: { ...outputCharacters, condition: { type: "above", threshold: 0 } } });
    for (const table of ["interaction_alerts", "alert_firings", "interaction_fences"]) {
      expect((await house.sql.unsafe(`select from parlance.${table}`)).length, table).toBe(0);
    }
    expect((await house.call(house.alice, "GET", "/rules")).body.items).toHaveLength(4);
  });
});

describe("over HTTP", () => {
  test.each<[object, string[]]>([
    [{}, ["body.rule"]],
    [{ rule: outlier, ruleId: createId() }, ["body.rule"]],
    [{ rule: { ...outlier, metric: "odd" } }, ["body.rule.metric"]],
    [{ rule: { ...outlier, condition: { type: "outlier", method: "odd" } } }, ["body.rule.condition.method"]],
    [{ rule: outlier, from: "yesterday" }, ["body.from"]],
    [{ rule: outlier, from: iso(thisHour), to: iso(thisHour) }, ["body.from"]],
    [{ rule: outlier, from: iso(thisHour + 3 * msPerDay) }, ["body.from"]],
    [{ rule: outlier, from: iso(thisHour - 401 * msPerDay) }, ["body.from"]],
    [{ rule: outlier, odd: 1 }, ["body"]],
  ])("what makes no sense is refused: %j", async (body, fields) => {
    const refused = await house.call(house.alice, "POST", "/rules/back-tests", json(body));
    expect([refused.status, refused.body.code], refused.text).toEqual([400, "invalid_request"]);
    expect([...new Set(refused.body.errors.map(({ field }: { field: string }) => field))]).toEqual(fields);
  });

  test("the last 28 days of what is there are looked at, in full hours", async () => {
    await log([at(thisHour - 50 * msPerDay + 1, 1), at(thisHour - 40 * msPerDay, 1)]);
    const end = thisHour - 40 * msPerDay + msPerHour;
    expect(await start(house, { rule: outlier })).toMatchObject({
      from: iso(end - 28 * msPerDay).replace("Z", "000Z"),
      to: iso(end).replace("Z", "000Z"),
      state: "running",
      result: null,
    });
    const said = await start(house, {
      rule: outlier,
      from: iso(thisHour + 1),
      to: iso(thisHour + msPerHour + 1),
    });
    expect([said.from, said.to]).toEqual(
      [thisHour, thisHour + 2 * msPerHour].map((ms) => iso(ms).replace("Z", "000Z")),
    );
  });

  test("a rule that is there is tried as it stands, by who sees it", async () => {
    const rule = (await house.call(house.alice, "GET", "/rules")).body.items[0] as Rule;
    const { id } = await start(house, { ruleId: rule.id });
    expect((await show(house, id)).rule).toMatchObject({ name: rule.name, condition: rule.condition });
    expect((await start(house, { ruleId: rule.id }, house.admin)).ownerId).toBe(house.alice.id);
    const refused = await house.call(house.bob, "POST", "/rules/back-tests", json({ ruleId: rule.id }));
    expect([refused.status, refused.body.code]).toEqual([404, "not_found"]);
  });

  test("another's is not there", async () => {
    const { id } = await start(house, { rule: outlier });
    expect((await house.call(house.bob, "GET", `/rules/back-tests/${id}`)).status).toBe(404);
    expect((await house.call(house.bob, "GET", "/rules/back-tests")).body.items).toEqual([]);
    expect((await house.call(house.admin, "GET", `/rules/back-tests/${id}`)).status).toBe(200);
    const ofHouse = await start(house, { rule: outlier }, "secret");
    expect(ofHouse.ownerId).toBeNull();
    expect((await house.call(house.alice, "GET", `/rules/back-tests/${ofHouse.id}`)).status).toBe(404);
    expect((await house.call(house.admin, "GET", "/rules/back-tests?scope=house")).body.items).toHaveLength(
      1,
    );
  });

  test("one request is one back-test, though it came twice", async () => {
    const headers = { "idempotency-key": "once" };
    const one = await house.call(house.alice, "POST", "/rules/back-tests", json({ rule: outlier }, headers));
    await house.sql`delete from parlance.idempotency_keys`;
    const again = await house.call(
      house.alice,
      "POST",
      "/rules/back-tests",
      json({ rule: outlier }, headers),
    );
    expect(again.body).toEqual(one.body);
    expect((await house.sql`select from parlance.jobs`).length).toBe(1);
  });

  test("one is run by whoever runs the edge's jobs, and its job says what came of it", async () => {
    await log([at(thisHour - msPerHour, 500)]);
    const { id, job } = await start(house, {
      rule: { ...outputCharacters, condition: { type: "above", threshold: 100 } },
    });
    // One tick may run out of time with the house's own jobs, and leave the rest to the next.
    await vi.waitFor(
      async () => {
        await runTick(house.deps);
        expect((await show(house, id)).state).toBe("done");
      },
      { timeout: 40_000 },
    );
    expect((await house.call(house.alice, "GET", `/jobs/${job.id}`)).body).toMatchObject({
      kind: "interactions.run-back-test",
      state: "done",
      subjectId: id,
      result: { judged: 1, fired: 1, alerts: { opened: 1 } },
    });
  });

  test("pages are in order of age, and a hundred that are over are kept", async () => {
    for (let index = 0; index < 5; index++) await start(house, { rule: { ...outlier, name: `${index}` } });
    const names: string[] = [];
    let query = "?limit=2";
    for (;;) {
      const { items, nextCursor } = (await house.call(house.alice, "GET", `/rules/back-tests${query}`)).body;
      names.push(...items.map(({ rule }: { rule: Rule }) => rule.name));
      if (nextCursor === null) break;
      query = `?limit=2&cursor=${nextCursor}`;
    }
    expect(names).toEqual(["4", "3", "2", "1", "0"]);
    await house.sql`
      insert into parlance.rule_back_tests (id, owner_id, rule, from_at, to_at, job_id, error_code, finished_at, created_at)
      select parlance.create_id(), owner_id, rule, from_at, to_at, parlance.create_id(), 'cancelled', now(), now() - number * interval '1 day'
      from parlance.rule_back_tests, generate_series(1, 40) as number
    `;
    await start(house, { rule: { ...outlier, name: "last" } });
    const [kept] =
      await house.sql`select count(*), bool_and(created_at > now() - interval '25 days') as are_young from parlance.rule_back_tests`;
    expect(kept).toEqual({ count: 100, areYoung: true });
  });

  test("more than twenty may not wait", async () => {
    for (let index = 0; index < 20; index++) await start(house, { rule: outlier });
    const refused = await house.call(house.alice, "POST", "/rules/back-tests", json({ rule: outlier }));
    expect([refused.status, refused.body.code]).toEqual([429, "quota_exceeded"]);
    expect((await house.sql`select from parlance.rule_back_tests`).length).toBe(20);
  });
});
