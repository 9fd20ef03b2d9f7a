import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { findRule } from "../../../../edge/interactions/rules/rule-store.ts";
import {
  findRuleFences,
  forgetFences,
  pruneFences,
} from "../../../../edge/interactions/statistics/fences.ts";
import { foldBatches, foldIfDue } from "../../../../edge/interactions/statistics/fold.ts";
import { serviceCaller, transactAs } from "../../../../shared/callers.ts";
import { createId } from "../../../../shared/ids.ts";
import { type JudgedRow, judgeRow, watchesRow } from "../../../../shared/interactions/judging.ts";
import { OutlierMethod } from "../../../../shared/interactions/outliers/fence-types.ts";
import { OutlierCondition, type Rule } from "../../../../shared/interactions/rules.ts";
import { openTestApp, type TestApp } from "../../../helpers/app.ts";
import { normal } from "../../../helpers/draws.ts";
import { insertInteractions, type TestInteraction } from "../../../helpers/interactions.ts";
import { seededRandom } from "../../../helpers/pictures.ts";
import { hourMs, insertBatches } from "./exact.ts";

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

const at = (hours: number) => (Math.floor(Date.now() / hourMs) + hours) * hourMs;

/** Of metric 1, `input.characters`. */
async function addRule(
  condition: Partial<OutlierCondition> = {},
  fields: Partial<Pick<Rule, "groupBy" | "apps" | "tags">> = {},
): Promise<Rule> {
  const parsed = OutlierCondition.parse({ type: "outlier", method: "z-score", sensitivity: 3, ...condition });
  const { groupBy = [], apps = null, tags = null } = fields;
  const id = createId();
  await house.sql`
    insert into parlance.interaction_rules (id, owner_id, name, element, metric, condition, group_by, apps, tags)
    values (
      ${id}, ${owner}, ${id}, 'input', 'characters', ${house.sql.json(parsed)}, ${[...groupBy]}::text[],
      ${apps}::text[], ${tags}::text[]
    )
  `;
  const row = await transactAs(house.deps.sql, serviceCaller, (transaction) => findRule(transaction, id));
  if (!row) throw new Error("no rule");
  return row;
}

function toRow(value: number, row: Partial<TestInteraction> & { hours?: number } = {}): JudgedRow {
  const { app = "default", environment = "", model = "", tags = [], hours = 0 } = row;
  const occurredAt = new Date(at(hours) + 1_000).toISOString();
  return { id: createId(), group: { app, environment, model }, tags, values: [value], occurredAt };
}

/** Answers the bounds of each row by the rule, as judging sees them. */
function find(rule: Rule, rows: readonly JudgedRow[]) {
  return transactAs(house.deps.sql, serviceCaller, async (transaction) => {
    const fencesOf = await findRuleFences(transaction, [rule], rows);
    return rows.map((row) => (watchesRow(rule, row) ? fencesOf(rule, row) : undefined));
  });
}

async function fires(rule: Rule, row: JudgedRow): Promise<boolean> {
  const [fences] = await find(rule, [row]);
  return judgeRow(rule, row, () => fences) !== undefined;
}

/** So many rows of the value in the hour. */
async function log(value: number, count: number, row: Partial<TestInteraction> & { hours?: number } = {}) {
  const { hours = 0, ...rest } = row;
  const one = { ...rest, values: [value], occurredAt: new Date(at(hours) + 1_000) };
  await insertInteractions(house.sql, owner, Array(count).fill(one));
  await foldBatches(house.deps.sql, owner, { rowsMax: 100_000 });
}

const countKept = async () =>
  (
    await house.sql<{ count: number }[]>`
      select count(*) as count from parlance.interaction_fences as fences
      join parlance.interaction_rules as rules on rules.id = fences.rule_id where rules.owner_id = ${owner}
    `
  )[0]?.count;

describe("a young log", () => {
  test.each(OutlierMethod.options)(
    "fires by %s in its first hour, after as many values as the rule asks for",
    async (method) => {
      const rule = await addRule({ method, countMin: 30, sensitivity: undefined });
      for (let count = 0; count < 30; count++) {
        await insertInteractions(house.sql, owner, [{ values: [100], occurredAt: new Date(at(0)) }]);
        await foldIfDue(house.deps.sql, owner);
        if (count === 28) expect(await fires(rule, toRow(500))).toBe(false);
      }
      expect(await fires(rule, toRow(500))).toBe(true);
      expect(await fires(rule, toRow(100))).toBe(false);
    },
  );

  test("has no bounds without history", async () => {
    expect(await find(await addRule(), [toRow(500)])).toEqual([undefined]);
  });
});

describe("a history", () => {
  test("ends with the hour of a row, however late the row comes", async () => {
    const rule = await addRule();
    await log(100, 40, { hours: -8 });
    await log(1_000, 400, { hours: -3 });
    await log(1_000, 400, { hours: 0 });
    const [atMinus5, atMinus8, atMinus10] = await find(rule, [
      toRow(1_000, { hours: -5 }),
      toRow(1_000, { hours: -8 }),
      toRow(1_000, { hours: -10 }),
    ]);
    expect(atMinus5).toMatchObject({ count: 40, centre: 100 });
    // There was nothing before, and its own hour is over.
    expect(atMinus8).toBeUndefined();
    expect(atMinus10).toBeUndefined();
    expect(await fires(rule, toRow(1_000, { hours: -5 }))).toBe(true);
    expect((await find(rule, [toRow(1_000)]))[0]).toMatchObject({ count: 840 });
  });

  test("has what is known of the hour itself, whatever was before it", async () => {
    const rule = await addRule({ method: "mad" });
    await log(100, 50, { hours: -1 });
    await log(1_000, 40);
    expect((await find(rule, [toRow(7)]))[0]).toMatchObject({ count: 90, centre: expect.closeTo(100, -1) });
    await log(1_000, 40);
    expect((await find(rule, [toRow(7)]))[0]).toMatchObject({
      count: 130,
      centre: expect.closeTo(1_000, -2),
    });
  });

  test.each(OutlierMethod.options)("has nothing of an hour that is over, by %s", async (method) => {
    const rule = await addRule({ method, countMin: 20 });
    for (const value of [99, 100, 101]) await log(value, 10, { hours: -5 });
    // As a late row, or one of a file, is folded beside others before it is judged.
    for (const value of [1_000, 2_000, 1_000_000]) await log(value, 10, { hours: -4 });
    const [late] = await find(rule, [toRow(1_000, { hours: -4 })]);
    expect(late).toMatchObject({ count: 30, centre: expect.closeTo(100, -1) });
    expect((await find(rule, [toRow(1_000, { hours: -2 })]))[0]?.count).toBe(60);
    expect(await fires(rule, toRow(1_000, { hours: -4 }))).toBe(true);
    expect(await fires(rule, toRow(100, { hours: -4 }))).toBe(false);
  });

  test("of rows that are folded already has nothing of the present hour either", async () => {
    const rule = await addRule();
    await log(100, 40, { hours: -1 });
    await log(1_000, 1_000);
    const findAs = (presentHour?: number) =>
      transactAs(house.deps.sql, serviceCaller, async (transaction) => {
        const row = toRow(1_000);
        const fencesOf = await findRuleFences(transaction, [rule], [row], {
          keeps: false,
          ...(presentHour === undefined ? {} : { presentHour }),
        });
        return fencesOf(rule, row)?.count;
      });
    expect((await find(rule, [toRow(1)]))[0]?.count).toBe(1_040);
    expect(await countKept()).toBe(1);
    // Those that are kept are not those.
    expect(await findAs(Number.POSITIVE_INFINITY)).toBe(40);
    expect(await findAs()).toBe(1_040);
  });

  test("ends as many days back as the rule says", async () => {
    const rule = await addRule({ historyDays: 2 });
    await log(100, 40, { hours: -47 });
    await log(1_000, 40, { hours: -49 });
    expect((await find(rule, [toRow(1)]))[0]).toMatchObject({ count: 40, centre: 100 });
  });

  test("is of the groups that are judged together, with any tags", async () => {
    await log(100, 40, { hours: -2, app: "shop", model: "small", tags: ["a"] });
    await log(1_000, 40, { hours: -2, app: "shop", model: "large" });
    await log(5, 40, { hours: -2, app: "desk", model: "large" });
    const row = (app: string, model: string, tags = ["b"]) => toRow(7, { app, model, tags });
    const rows = [row("shop", "small"), row("shop", "large"), row("desk", "large")];
    const centres = async (rule: Rule) =>
      (await find(rule, rows)).map((fences) => fences && [Math.round(fences.centre), fences.count]);
    expect(await centres(await addRule())).toEqual(Array(3).fill([368, 120]));
    expect(await centres(await addRule({}, { groupBy: ["model"] }))).toEqual([
      [100, 40],
      [503, 80],
      [503, 80],
    ]);
    expect(await centres(await addRule({}, { apps: ["shop"] }))).toEqual([[550, 80], [550, 80], undefined]);
    expect(await centres(await addRule({}, { groupBy: ["app"], tags: ["b"] }))).toEqual([
      [550, 80],
      [550, 80],
      [5, 40],
    ]);
    expect(await centres(await addRule({}, { tags: ["c"] }))).toEqual([undefined, undefined, undefined]);
  });

  test("is another owner's never", async () => {
    const rule = await addRule();
    const other = owner;
    owner = crypto.randomUUID();
    await house.sql`insert into auth.users (id, email) values (${owner}, ${`${owner}@example.com`})`;
    await log(100, 50, { hours: -2 });
    owner = other;
    expect(await find(rule, [toRow(1)])).toEqual([undefined]);
  });

  test("of more than 35 days ago is that of days that were over", async () => {
    const rule = await addRule();
    const day = Math.floor(at(-24 * 50) / (24 * hourMs)) * 24 - Math.floor(Date.now() / hourMs);
    await log(100, 40, { hours: day + 5 });
    await log(1_000, 40, { hours: day + 24 + 20 });
    const [sameDay, nextDay, dayAfter] = await find(
      rule,
      [day + 9, day + 24 + 2, day + 48].map((hours) => toRow(7, { hours })),
    );
    expect(sameDay).toBeUndefined();
    expect(nextDay).toMatchObject({ count: 40, centre: 100 });
    expect(dayAfter).toMatchObject({ count: 80, centre: 550 });
  });
});

describe("bounds", () => {
  const addHistory = async (values: number, random = seededRandom(3)) => {
    const rows = Array.from(
      { length: values },
      (_, index) => [at(-1 - (index % 600)), 100 + 5 * normal(random)] as const,
    );
    await insertBatches(
      house.sql,
      owner,
      [rows.slice(0, 1000), rows.slice(1000)].filter(({ length }) => length > 0),
    );
    await foldBatches(house.deps.sql, owner, { rowsMax: 100_000 });
  };

  test("that rest on little are worked out each time", async () => {
    const rule = await addRule();
    await addHistory(900);
    const [before] = await find(rule, [toRow(1)]);
    expect(await countKept()).toBe(0);
    await log(100_000, 5, { hours: -1 });
    expect((await find(rule, [toRow(1)]))[0]?.high).toBeGreaterThan((before?.high ?? 0) * 2);
  });

  test("that rest on much are kept for five minutes, unless the rule changes", async () => {
    const rule = await addRule();
    await addHistory(2_000);
    const [before] = await find(rule, [toRow(1)]);
    expect(await countKept()).toBe(1);
    await log(100_000, 5, { hours: -1 });
    expect(await find(rule, [toRow(1)])).toEqual([before]);
    const changed = { ...rule, updatedAt: new Date(Date.now() + 5_000).toISOString() };
    expect((await find(changed, [toRow(1)]))[0]?.high).toBeGreaterThan((before?.high ?? 0) * 2);
    expect((await find(rule, [toRow(1)]))[0]?.high).toBeGreaterThan((before?.high ?? 0) * 2);
    await log(1_000_000, 5, { hours: -1 });
    const [kept] = await find(rule, [toRow(1)]);
    await house.sql`update parlance.interaction_fences set computed_at = now() - interval '5 minutes 1 second'`;
    expect((await find(rule, [toRow(1)]))[0]?.high).toBeGreaterThan((kept?.high ?? 0) * 2);
    await transactAs(house.deps.sql, serviceCaller, (transaction) => forgetFences(transaction, rule.id));
    expect(await countKept()).toBe(0);
  });

  test("that are kept are those that were worked out", async () => {
    await addHistory(2_000);
    for (const method of OutlierMethod.options) {
      const rule = await addRule({ method, sensitivity: 1_000 });
      const [made] = await find(rule, [toRow(1)]);
      expect(Number.isFinite(made?.low) && Number.isFinite(made?.high)).toBe(true);
      expect(await find(rule, [toRow(1)])).toEqual([made]);
    }
    const rule = await addRule({ countMin: 100_000 });
    expect(await find(rule, [toRow(1)])).toEqual([undefined]);
    expect(await find(rule, [toRow(1)])).toEqual([undefined]);
    expect(await countKept()).toBe(OutlierMethod.options.length + 1);
  });

  test("of a rule that is gone are not kept, and nothing fails", async () => {
    const rule = await addRule();
    await addHistory(2_000);
    await house.sql`delete from parlance.interaction_rules where id = ${rule.id}`;
    expect((await find(rule, [toRow(1)]))[0]?.count).toBe(2_000);
    expect(await countKept()).toBe(0);
  });

  test("are pruned when nobody looks at them any more", async () => {
    const rule = await addRule();
    await addHistory(2_000);
    await find(rule, [toRow(1), toRow(1, { hours: -1 }), toRow(1, { hours: -2 })]);
    await house.sql`
      update parlance.interaction_fences set computed_at = now() - interval '61 minutes'
      where rule_id = ${rule.id} and hour < ${at(0) / hourMs}
    `;
    await transactAs(house.deps.sql, serviceCaller, (transaction) => pruneFences(transaction));
    expect(await countKept()).toBe(1);
  });

  test("are found at once by twenty who log", async () => {
    await addHistory(2_000);
    const rules = await Promise.all([addRule(), addRule({ method: "mad" }), addRule({ method: "seasonal" })]);
    const sql = house.database.connect({ max: 20 });
    const rows = Array.from({ length: 24 }, (_, hour) => toRow(1, { hours: -hour }));
    const found = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        transactAs(sql, serviceCaller, async (transaction) => {
          const order = index % 2 === 0 ? rows : rows.toReversed();
          const fencesOf = await findRuleFences(
            transaction,
            index % 3 === 0 ? rules : rules.toReversed(),
            order,
          );
          return rules.flatMap((rule) => rows.map((row) => fencesOf(rule, row)?.high));
        }),
      ),
    );
    await sql.end();
    expect(new Set(found.map((one) => JSON.stringify(one))).size).toBe(1);
    expect(await countKept()).toBe(3 * 24);
  });
});
