import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { foldBatches } from "../../../../edge/interactions/statistics/fold.ts";
import { createStatisticsTasks } from "../../../../edge/interactions/statistics/tasks.ts";
import { rollUpStatistics } from "../../../../shared/interactions/statistics-kinds.ts";
import type { Task } from "../../../../shared/jobs/kinds.ts";
import { openTestApp, type TestApp } from "../../../helpers/app.ts";
import { taskContext } from "../../../helpers/task-context.ts";
import { distributions, drawValues } from "../../../shared/interactions/statistics/values.ts";
import { breakUpdatesOf, describe as describeValues, hourMs, insertBatches, listStored } from "./exact.ts";

let house: TestApp;
let owner: string;
beforeAll(async () => {
  house = await openTestApp();
});
afterAll(() => house.close());
beforeEach(async () => {
  owner = crypto.randomUUID();
  await house.sql`insert into auth.users (id, email) values (${owner}, ${`${owner}@example.com`})`;
});

const today = Math.floor(Date.now() / hourMs / 24) * 24;

/** Folds rows as if they had been folded `daysAgo` days ago, when their hours were young. */
async function foldThen(
  rows: readonly (readonly [hour: number, value: number])[],
  daysAgo: number,
): Promise<void> {
  const shift = daysAgo * 24;
  await insertBatches(house.sql, owner, [
    rows.map(([hour, value]) => [(hour + shift) * hourMs, value] as const),
  ]);
  await foldBatches(house.deps.sql, owner, { rowsMax: 100_000 });
  await house.sql`
    update parlance.interaction_hours set hour = hour - ${shift}
    where group_id in (select id from parlance.interaction_groups where owner_id = ${owner})
      and hour >= ${today - 35 * 24}
  `;
}

function run(hoursRolledUp = 1_000, context = taskContext()): Promise<unknown> | undefined {
  const limits = { rowsFolded: 1, hoursRolledUp, fencesPruned: 2, rowsMax: 1, charactersMax: 1 };
  const isRollUp = ({ kind }: Task) => kind === rollUpStatistics;
  return createStatisticsTasks(house.deps, limits).find(isRollUp)?.run({}, context);
}

/** Of each day its values, whatever they are kept in. */
const draw = (index: number, count: number) => {
  const distribution = distributions[index % distributions.length];
  if (!distribution) throw new Error("no distribution");
  return drawValues(distribution, count, index);
};

describe("rolling up", () => {
  test("makes days of hours of more than 35 days ago, and leaves younger ones", async () => {
    const young = today - 35 * 24;
    await foldThen(
      [
        [young - 1, 1],
        [young - 24, 2],
        [young - 25, 3],
        [young, 4],
        [young + 7, 5],
      ],
      2,
    );
    expect(await run()).toMatchObject({ hours: 3 });
    const stored = await listStored(house.sql, owner);
    expect(stored.map(({ hour, hours, count, mean }) => [hour - young, hours, count, mean])).toEqual([
      [-48, 24, 1, 3],
      [-24, 24, 2, 1.5],
      [0, 1, 1, 4],
      [7, 1, 1, 5],
    ]);
    expect(await run()).toMatchObject({ hours: 0 });
  });

  test.each([1, 5, 7, 1_000])(
    "keeps moments, and the very sketch of all values of the day, %i hours at a time",
    async (slice) => {
      const days = distributions.map((_, index) => ({
        hour: today - (60 + index) * 24,
        values: draw(index, 500),
      }));
      const rows = days.flatMap(({ hour, values }) =>
        values.map((value, index) => [hour + (index % 24), value] as const),
      );
      await foldThen(rows, 40);
      await run(slice);
      const stored = await listStored(house.sql, owner);
      expect(stored).toHaveLength(days.length);
      for (const { hour, values } of days) {
        const day = stored.find((one) => one.hour === hour);
        const exact = describeValues(values);
        expect(day).toMatchObject({
          hours: 24,
          count: 500,
          min: exact.min,
          max: exact.max,
          keys: exact.keys,
          counts: exact.counts,
        });
        expect(Math.abs((day?.mean ?? 0) - exact.mean)).toBeLessThan(
          1e-9 * Math.max(1, Math.abs(exact.mean)),
        );
        expect(Math.abs((day?.m2 ?? 0) - exact.m2)).toBeLessThan(1e-9 * Math.max(1, exact.m2));
      }
    },
  );

  test("adds late hours to a day that is there", async () => {
    const day = today - 50 * 24;
    await foldThen([[day + 3, 1]], 20);
    await run();
    await foldThen(
      [
        [day + 4, 3],
        [day + 5, 5],
      ],
      20,
    );
    await insertBatches(house.sql, owner, [[[(day + 9) * hourMs, 7]]]);
    await foldBatches(house.deps.sql, owner, { rowsMax: 10 });
    await run(1);
    const stored = await listStored(house.sql, owner);
    expect(stored.map(({ hour, hours, count, mean }) => [hour, hours, count, mean])).toEqual([
      [day, 24, 4, 4],
    ]);
  });

  test("that breaks half-way has lost nothing, and goes on", async () => {
    const day = today - 70 * 24;
    await foldThen(
      draw(2, 288).map((value, index) => [day + (index % 72), value] as const),
      40,
    );
    const sumOf = async () =>
      (await listStored(house.sql, owner)).reduce((sum, { count, mean }) => sum + count * mean, 0);
    const before = await sumOf();
    const stopped = new AbortController();
    await run(10, taskContext({ signal: stopped.signal, checkpoint: async () => stopped.abort("shutdown") }));
    const half = await listStored(house.sql, owner);
    const mend = await breakUpdatesOf(house.sql, "interaction_hours");
    await expect(run(10)).rejects.toThrow("broken");
    await mend();
    expect(await listStored(house.sql, owner)).toEqual(half);
    expect(await sumOf()).toBeCloseTo(before, 6);
    await run(10);
    const stored = await listStored(house.sql, owner);
    expect(stored.map(({ hours, count }) => [hours, count])).toEqual(Array(3).fill([24, 96]));
    expect(await sumOf()).toBeCloseTo(before, 6);
  });

  test("and folding at once count all once", async () => {
    const day = today - 60 * 24;
    const rows = Array.from({ length: 192 }, (_, index) => [day + (index % 48), index] as const);
    await foldThen(rows, 30);
    const sql = house.database.connect({ max: 8 });
    const late = Array.from({ length: 48 }, (_, index) => [[(day + (index % 48)) * hourMs, index] as const]);
    await insertBatches(house.sql, owner, late);
    await Promise.all([
      run(3),
      run(5),
      ...Array.from({ length: 10 }, (_, index) => foldBatches(sql, owner, { rowsMax: 1 + index })),
    ]);
    await foldBatches(sql, owner, { rowsMax: 1_000 });
    await run();
    await sql.end();
    const stored = await listStored(house.sql, owner);
    expect(stored.map(({ hours, count }) => [hours, count])).toEqual(Array(2).fill([24, 120]));
  });
});

test("bounds that nobody looked at for an hour are pruned to the last, slice by slice", async () => {
  await house.sql`select parlance.ensure_interaction_settings(${owner})`;
  await house.sql`
    insert into parlance.interaction_fences (rule_id, group_key, hour, rule_updated_at, computed_at)
    select id, '', hour, now(), now() - make_interval(mins => case when hour > 7 then 59 else 61 end)
    from generate_series(1, 9) as hour, (
      select id from parlance.interaction_rules where owner_id = ${owner} limit 1
    ) as rules
  `;
  const slices: unknown[] = [];
  const context = taskContext({
    checkpoint: (cursor) => {
      slices.push(cursor);
      return Promise.resolve();
    },
  });
  expect(await run(1_000, context)).toMatchObject({ fencesPruned: 7 });
  expect(slices).toEqual([2, 4, 6].map((fencesPruned) => ({ hours: 0, fencesPruned })));
  const kept = await house.sql`select hour from parlance.interaction_fences order by hour`;
  expect(kept.map(({ hour }) => hour)).toEqual([8, 9]);
});
