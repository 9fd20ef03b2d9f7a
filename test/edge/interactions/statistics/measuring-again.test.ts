import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { foldBatches } from "../../../../edge/interactions/statistics/fold.ts";
import { createStatisticsTasks } from "../../../../edge/interactions/statistics/tasks.ts";
import { measureInteraction, metricEdition } from "../../../../shared/interactions/metrics/registry.ts";
import { measureAgain } from "../../../../shared/interactions/statistics-kinds.ts";
import type { Task } from "../../../../shared/jobs/kinds.ts";
import { openTestApp, type TestApp } from "../../../helpers/app.ts";
import { insertInteractions, type TestInteraction } from "../../../helpers/interactions.ts";
import { seededRandom } from "../../../helpers/pictures.ts";
import { taskContext } from "../../../helpers/task-context.ts";
import { breakUpdatesOf, findDifference, hourMs, listExact, listStored } from "./exact.ts";

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

const random = seededRandom(11);
/** As if the metrics above that number had come since. */
const edition = 10;

const draw = (count: number): TestInteraction[] =>
  Array.from({ length: count }, (_, index) => ({
    input: "How do I sort a list? ".repeat(1 + Math.floor(random() * 5)),
    output: `${"You call sort on it. ".repeat(Math.floor(random() * 30))}See https://example.com/${index}`,
    latencyMs: 100 + random() * 1_000,
    outputTokens: 5 + Math.floor(random() * 50),
    app: index % 3 === 0 ? "shop" : "desk",
    occurredAt: new Date(Date.now() - Math.floor(random() * 30) * hourMs),
    edition,
  }));

const fold = (sql = house.deps.sql, rowsMax = 100_000) => foldBatches(sql, owner, { rowsMax });

/** As the queue does it: what a checkpoint writes commits with it. */
const context = (overrides: Partial<Parameters<typeof taskContext>[0]> = {}) =>
  taskContext({
    checkpoint: async (_cursor, write) => {
      await house.sql.begin(async (transaction) => write?.(transaction));
    },
    ...overrides,
  });

function run(given = context(), limits = { rowsMax: 7, charactersMax: 100_000 }) {
  const isMeasuring = ({ kind }: Task) => kind === measureAgain;
  const tasks = createStatisticsTasks(house.deps, {
    rowsFolded: 1,
    hoursRolledUp: 1,
    fencesPruned: 1,
    ...limits,
  });
  return tasks.find(isMeasuring)?.run({}, given);
}

/** Every row has all values that there are to be had, and each is in the statistics once. */
async function expectWhole(): Promise<void> {
  const rows = await house.sql<Record<string, never>[]>`
    select input, output, input_tokens, output_tokens, latency_ms, cost_usd, to_jsonb(metric_values) as metric_values,
      metric_edition
    from parlance.interactions where owner_id = ${owner}
  `;
  for (const { metricValues, metricEdition: measured, ...row } of rows) {
    expect(measured).toBe(metricEdition);
    expect(metricValues).toEqual(measureInteraction(row as never).values);
  }
  expect(
    findDifference(await listStored(house.sql, owner), await listExact(house.sql, owner)),
  ).toBeUndefined();
}

describe("measuring again", () => {
  test("adds what rows lack, to them and to the statistics, and nothing else", async () => {
    await insertInteractions(house.sql, owner, draw(25));
    await fold();
    const before = await listStored(house.sql, owner);
    expect(Math.max(...before.map(({ metric }) => metric))).toBe(edition);
    expect(await run()).toEqual({ measured: 25 });
    await expectWhole();
    const known = (await listStored(house.sql, owner)).filter(({ metric }) => metric <= edition);
    expect(known).toEqual(before);
    expect(await run()).toEqual({ measured: 0 });
    await expectWhole();
  });

  test("leaves it to the fold to count rows that wait for it", async () => {
    await insertInteractions(house.sql, owner, draw(5));
    await fold();
    await insertInteractions(house.sql, owner, draw(9));
    await run();
    expect(
      (await listStored(house.sql, owner))
        .filter(({ metric }) => metric === 1)
        .reduce((sum, { count }) => sum + count, 0),
    ).toBe(5);
    await fold();
    await expectWhole();
  });

  test("takes several owners' rows and the house's, and keeps their values apart", async () => {
    const first = owner;
    await insertInteractions(house.sql, null, draw(6));
    await insertInteractions(house.sql, first, draw(6));
    await fold();
    owner = crypto.randomUUID();
    await house.sql`insert into auth.users (id, email) values (${owner}, ${`${owner}@example.com`})`;
    await insertInteractions(house.sql, owner, draw(6));
    await fold();
    expect(await run(context(), { rowsMax: 100, charactersMax: 100_000 })).toEqual({ measured: 18 });
    await expectWhole();
    owner = first;
    await expectWhole();
    await foldBatches(house.deps.sql, null, { rowsMax: 100 });
    expect(
      findDifference(await listStored(house.sql, null), await listExact(house.sql, null)),
    ).toBeUndefined();
  });

  test("takes long texts one at a time", async () => {
    const long = { output: "word ".repeat(30_000), edition };
    await insertInteractions(house.sql, owner, [long, long, long]);
    await fold();
    let slices = 0;
    const counted = context({
      checkpoint: async (_cursor, write) => {
        slices += 1;
        await house.sql.begin(async (transaction) => write?.(transaction));
      },
    });
    expect(await run(counted, { rowsMax: 100, charactersMax: 10_000 })).toEqual({ measured: 3 });
    expect(slices).toBe(3);
    await expectWhole();
  });

  test("that breaks writes neither rows nor statistics, and goes on where it stopped", async () => {
    await insertInteractions(house.sql, owner, draw(20));
    await fold();
    const before = await listStored(house.sql, owner);
    const mend = await breakUpdatesOf(house.sql, "interaction_hours");
    await expect(run()).rejects.toThrow("broken");
    await mend();
    const [row] =
      await house.sql`select max(metric_edition) as edition from parlance.interactions where owner_id = ${owner}`;
    expect(row?.edition).toBe(edition);
    expect(await listStored(house.sql, owner)).toEqual(before);
    const stopped = new AbortController();
    let cursor: unknown;
    const once = context({
      signal: stopped.signal,
      checkpoint: async (saved, write) => {
        cursor = saved;
        await house.sql.begin(async (transaction) => write?.(transaction));
        stopped.abort("shutdown");
      },
    });
    expect(await run(once)).toEqual({ measured: 7 });
    expect(await run(context({ cursor }))).toEqual({ measured: 20 });
    await expectWhole();
  });

  test("twice at once, while others write and fold, counts each value once", async () => {
    const sql = house.database.connect({ max: 12 });
    await insertInteractions(house.sql, owner, draw(40));
    const write = async () => {
      for (let time = 0; time < 8; time++) await insertInteractions(house.sql, owner, draw(6));
    };
    const foldOften = async () => {
      for (let time = 0; time < 10; time++) await fold(sql, 20);
    };
    await Promise.all([
      write(),
      foldOften(),
      foldOften(),
      foldOften(),
      run(),
      run(context(), { rowsMax: 3, charactersMax: 9_999 }),
    ]);
    await run();
    await fold();
    await run();
    await sql.end();
    await expectWhole();
  });

  test.runIf(process.env.TEST_DATABASE_URL)(
    "waits for who folds, and then knows what was folded",
    async () => {
      await insertInteractions(house.sql, owner, draw(3));
      let measuring: Promise<unknown> | undefined;
      await house.sql.begin(async (transaction) => {
        await transaction`select from parlance.interaction_settings where owner_id = ${owner} for update`;
        measuring = run();
        const isWaiting = async () => {
          const [found] = await transaction`
          select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
        `;
          return found !== undefined;
        };
        await vi.waitUntil(isWaiting, { timeout: 30_000 });
        const [row] = await house.sql`
        select max(metric_edition) as edition from parlance.interactions where owner_id = ${owner}
      `;
        expect(row?.edition).toBe(edition);
      });
      expect(await measuring).toEqual({ measured: 3 });
      await fold();
      await expectWhole();
    },
  );

  test("leaves rows alone that were deleted meanwhile", async () => {
    const { ids } = await insertInteractions(house.sql, owner, draw(3));
    await fold();
    const removing = context({
      checkpoint: async (_cursor, write) => {
        await house.sql`delete from parlance.interactions where id = ${ids[0] ?? ""}`;
        await house.sql.begin(async (transaction) => write?.(transaction));
      },
    });
    await run(removing);
    const stored = await listStored(house.sql, owner);
    const countOf = (metric: number) =>
      stored.filter((one) => one.metric === metric).reduce((sum, { count }) => sum + count, 0);
    expect([countOf(1), countOf(26)]).toEqual([3, 2]);
  });
});
