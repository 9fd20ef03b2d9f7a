import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { foldBatches, foldIfDue } from "../../../../edge/interactions/statistics/fold.ts";
import { createStatisticsTasks } from "../../../../edge/interactions/statistics/tasks.ts";
import { foldStatistics } from "../../../../shared/interactions/statistics-kinds.ts";
import type { Task } from "../../../../shared/jobs/kinds.ts";
import { openTestApp, type TestApp } from "../../../helpers/app.ts";
import { insertInteractions } from "../../../helpers/interactions.ts";
import { seededRandom } from "../../../helpers/pictures.ts";
import { taskContext } from "../../../helpers/task-context.ts";
import {
  distributions,
  drawValues,
  shuffle,
  splitAtRandom,
} from "../../../shared/interactions/statistics/values.ts";
import {
  breakUpdatesOf,
  describe as describeValues,
  findDifference,
  hourMs,
  insertBatches,
  listExact,
  listStored,
} from "./exact.ts";

let house: TestApp;
beforeAll(async () => {
  house = await openTestApp();
});
afterAll(() => house.close());

const all = { rowsMax: 1_000_000 };
const isServer = process.env.TEST_DATABASE_URL !== undefined && process.env.TEST_DATABASE_URL !== "";

/** Each test has an owner of its own. */
async function addOwner(): Promise<string> {
  const id = crypto.randomUUID();
  await house.sql`insert into auth.users (id, email) values (${id}, ${`${id}@example.com`})`;
  return id;
}

const now = Date.now();
/** The beginning of the present hour: so many hours later or earlier. */
const at = (hours: number) => Math.floor(now / hourMs) * hourMs + hours * hourMs;

async function foldedRows(ownerId: string | null): Promise<number> {
  const [row] = await house.sql<{ foldedRows: number }[]>`
    select folded_rows from parlance.interaction_settings where owner_id is not distinct from ${ownerId}
  `;
  return row?.foldedRows ?? -1;
}

async function countStored(ownerId: string | null, metric = 1): Promise<number> {
  const stored = await listStored(house.sql, ownerId);
  return stored.filter((one) => one.metric === metric).reduce((sum, { count }) => sum + count, 0);
}

describe("a fold", () => {
  test("adds each value to its group, metric and hour, once", async () => {
    const owner = await addOwner();
    const random = seededRandom(1);
    for (let batch = 0; batch < 6; batch++) {
      const rows = Array.from({ length: 40 }, () => ({
        input: "Why is that so? ".repeat(Math.floor(random() * 9)),
        output: "Because it is, and it was before. ".repeat(Math.floor(random() * 20)),
        app: random() < 0.5 ? "shop" : "desk",
        model: random() < 0.5 ? "large" : "small",
        latencyMs: random() * 5_000,
        occurredAt: new Date(at(-Math.floor(random() * 60)) + random() * hourMs),
      }));
      await insertInteractions(house.sql, owner, rows);
      expect(await foldBatches(house.deps.sql, owner, all)).toEqual({ batches: 1, rows: 40 });
    }
    const stored = await listStored(house.sql, owner);
    expect(stored.length).toBeGreaterThan(500);
    expect(findDifference(stored, await listExact(house.sql, owner))).toBeUndefined();
    expect(await foldBatches(house.deps.sql, owner, all)).toEqual({ batches: 0, rows: 0 });
    expect(await foldedRows(owner)).toBe(240);
  });

  test("counts what the house itself logged apart", async () => {
    await insertInteractions(house.sql, null, [{ input: "abc", output: "de" }]);
    expect(await foldBatches(house.deps.sql, null, all)).toEqual({ batches: 1, rows: 1 });
    expect(await countStored(null)).toBe(1);
  });

  test.each(distributions)(
    "of thousands of parts of $name values in any order is that of all at once",
    async (distribution) => {
      const owner = await addOwner();
      const values = drawValues(distribution, 6_000, 3).map((value, index) => ({
        value,
        at: at(-(index % 7)) + index,
      }));
      const parts = splitAtRandom(values, 3_000, 4).filter((part) => part.length > 0);
      const batches = shuffle(parts, 5).map((part) => part.map((one) => [one.at, one.value] as const));
      const slices = splitAtRandom(batches, 20, 6);
      for (const slice of slices) {
        await insertBatches(house.sql, owner, slice);
        await foldBatches(house.deps.sql, owner, { rowsMax: 250 });
      }
      let folded = 1;
      while (folded > 0) folded = (await foldBatches(house.deps.sql, owner, { rowsMax: 700 })).rows;
      expect(
        findDifference(await listStored(house.sql, owner), await listExact(house.sql, owner)),
      ).toBeUndefined();
      expect(await countStored(owner)).toBe(6_000);
    },
  );

  test("takes the oldest batches, and one that is too great alone", async () => {
    const owner = await addOwner();
    await insertBatches(
      house.sql,
      owner,
      [5, 3, 4].map((size) => Array(size).fill([at(0), 1])),
    );
    expect(await foldBatches(house.deps.sql, owner, { rowsMax: 2 })).toEqual({ batches: 1, rows: 5 });
    expect(await foldBatches(house.deps.sql, owner, { rowsMax: 7 })).toEqual({ batches: 2, rows: 7 });
  });

  test("leaves out values that are null, and rows that were deleted before", async () => {
    const owner = await addOwner();
    const values = [null, 7, null];
    const { ids } = await insertInteractions(house.sql, owner, [{ values }, { values }, { values }]);
    await house.sql`delete from parlance.interactions where id = ${ids[0] ?? ""}`;
    await foldBatches(house.deps.sql, owner, all);
    const stored = await listStored(house.sql, owner);
    expect(stored.map(({ metric, count, mean }) => [metric, count, mean])).toEqual([[2, 2, 7]]);
  });

  test("that breaks at its end has done nothing, and the next does all of it", async () => {
    const owner = await addOwner();
    await insertBatches(house.sql, owner, [[[at(0), 1]]]);
    await foldBatches(house.deps.sql, owner, all);
    const before = await listStored(house.sql, owner);
    await insertBatches(house.sql, owner, [[[at(0), 5]], [[at(-1), 6]]]);
    const mend = await breakUpdatesOf(house.sql, "interaction_settings");
    await expect(foldBatches(house.deps.sql, owner, all)).rejects.toThrow("broken");
    expect(await listStored(house.sql, owner)).toEqual(before);
    await mend();
    expect(await foldBatches(house.deps.sql, owner, all)).toEqual({ batches: 2, rows: 2 });
    expect(
      findDifference(await listStored(house.sql, owner), await listExact(house.sql, owner)),
    ).toBeUndefined();
  });

  test("counts once what twenty fold at once, while others write", async () => {
    const owner = await addOwner();
    await insertBatches(house.sql, owner, [[[at(0), 1]]]);
    const sql = house.database.connect({ max: 20 });
    const random = seededRandom(8);
    const write = async () => {
      for (let time = 0; time < 12; time++) {
        const rows = Array.from(
          { length: 7 },
          () => [at(-Math.floor(random() * 5)), random() * 100] as const,
        );
        await insertBatches(house.sql, owner, [rows, rows.slice(2)]);
      }
    };
    const fold = async (rowsMax: number) => {
      for (let time = 0; time < 15; time++) {
        await (time % 2 === 0 ? foldIfDue(sql, owner) : foldBatches(sql, owner, { rowsMax }));
      }
    };
    await Promise.all([write(), write(), ...Array.from({ length: 20 }, (_, index) => fold(10 + index))]);
    await foldBatches(sql, owner, all);
    await sql.end();
    expect(
      findDifference(await listStored(house.sql, owner), await listExact(house.sql, owner)),
    ).toBeUndefined();
    expect(await countStored(owner)).toBe(1 + 2 * 12 * 12);
  });

  test.runIf(isServer)("that is killed anywhere leaves it to the next", async () => {
    const owner = await addOwner();
    const random = seededRandom(9);
    let killed = 0;
    for (let time = 0; time < 40; time++) {
      const batches = Array.from({ length: 30 }, () =>
        Array.from({ length: 10 }, () => [at(-Math.floor(random() * 200)), random() * 1000] as const),
      );
      await insertBatches(house.sql, owner, batches);
      const victim = house.database.connect({ max: 1 });
      const [backend] = await victim<{ pid: number }[]>`select pg_backend_pid() as pid`;
      const folding = foldBatches(victim, owner, all).then(
        () => false,
        () => true,
      );
      await new Promise((resolve) => setTimeout(resolve, random() * 40));
      await house.sql`select pg_terminate_backend(${backend?.pid ?? 0})`;
      if (await folding) killed += 1;
      await victim.end();
    }
    expect(killed).toBeGreaterThan(0);
    await foldBatches(house.deps.sql, owner, all);
    expect(
      findDifference(await listStored(house.sql, owner), await listExact(house.sql, owner)),
    ).toBeUndefined();
    expect(await foldedRows(owner)).toBe(40 * 300);
  });

  test.runIf(isServer)("leaves alone what another holds", async () => {
    const owner = await addOwner();
    await insertBatches(house.sql, owner, [[[at(0), 1]]]);
    await house.sql.begin(async (transaction) => {
      await transaction`select from parlance.interaction_settings where owner_id = ${owner} for update`;
      expect(await foldBatches(house.deps.sql, owner, all)).toEqual({ batches: 0, rows: 0 });
      expect(await foldIfDue(house.deps.sql, owner)).toEqual({ batches: 0, rows: 0 });
    });
    expect(await foldIfDue(house.deps.sql, owner)).toEqual({ batches: 1, rows: 1 });
  });
});

describe("what is due", () => {
  test("is all that is pending while the history is small, and else what waits since the last fold of ten seconds ago", async () => {
    const owner = await addOwner();
    for (let time = 0; time < 3; time++) {
      await insertBatches(house.sql, owner, [[[at(0), time]]]);
      expect(await foldIfDue(house.deps.sql, owner)).toEqual({ batches: 1, rows: 1 });
    }
    await house.sql`update parlance.interaction_settings set folded_rows = 2000 where owner_id = ${owner}`;
    await insertBatches(house.sql, owner, [[[at(0), 1]]]);
    expect(await foldIfDue(house.deps.sql, owner)).toEqual({ batches: 0, rows: 0 });
    await house.sql`
      update parlance.interaction_settings set folded_at = now() - interval '11 seconds' where owner_id = ${owner}
    `;
    expect(await foldIfDue(house.deps.sql, owner)).toEqual({ batches: 1, rows: 1 });
  });

  test("is nothing for who has no log", async () => {
    expect(await foldIfDue(house.deps.sql, crypto.randomUUID())).toEqual({ batches: 0, rows: 0 });
  });
});

describe("old rows", () => {
  const longAgo = Math.floor(at(-24 * 60) / (24 * hourMs)) * 24 * hourMs;

  test("of more than 35 days ago go into their day", async () => {
    const owner = await addOwner();
    const rows = [0, 5, 23].map((hour) => [longAgo + hour * hourMs, hour] as const);
    await insertBatches(house.sql, owner, [rows, [[longAgo + 24 * hourMs, 100]]]);
    await foldBatches(house.deps.sql, owner, all);
    const stored = await listStored(house.sql, owner);
    expect(stored.map(({ hour, hours, count }) => [hour * hourMs, hours, count])).toEqual([
      [longAgo, 24, 3],
      [longAgo + 24 * hourMs, 24, 1],
    ]);
    const { count, mean, m2, min, max, keys, counts } = stored[0] ?? {};
    expect({ count, mean, m2, min, max, keys, counts }).toEqual({
      ...describeValues([0, 5, 23]),
      mean: expect.closeTo(28 / 3, 12),
      m2: expect.closeTo(describeValues([0, 5, 23]).m2, 9),
    });
  });

  test("make a day of an hour that stood where the day begins, and leave the others to be rolled up", async () => {
    const owner = await addOwner();
    await insertBatches(house.sql, owner, [
      [
        [longAgo, 1],
        [longAgo + 3 * hourMs, 2],
      ],
    ]);
    await foldBatches(house.deps.sql, owner, all);
    await house.sql`
      update parlance.interaction_hours set hours = 1
      where group_id in (select id from parlance.interaction_groups where owner_id = ${owner})
    `;
    await insertBatches(house.sql, owner, [[[longAgo + 7 * hourMs, 3]]]);
    await foldBatches(house.deps.sql, owner, all);
    const stored = await listStored(house.sql, owner);
    expect(stored.map(({ hour, hours, count }) => [hour * hourMs, hours, count])).toEqual([[longAgo, 24, 3]]);
  });

  test("stay in days although the clock went back", async () => {
    const owner = await addOwner();
    await insertBatches(house.sql, owner, [[[at(0), 1]]]);
    await foldBatches(house.deps.sql, owner, all);
    const days = Math.floor(at(0) / hourMs / 24) * 24;
    await house.sql`update parlance.interaction_settings set days_before = ${days} where owner_id = ${owner}`;
    await insertBatches(house.sql, owner, [[[at(-30), 1]], [[at(-26), 1]]]);
    await foldBatches(house.deps.sql, owner, all);
    const stored = await listStored(house.sql, owner);
    expect(stored.filter(({ hour }) => hour < days).every(({ hours }) => hours === 24)).toBe(true);
    expect(await countStored(owner)).toBe(3);
  });
});

test("the job folds everyone's in slices, and goes on from its checkpoint", async () => {
  const isFold = ({ kind }: Task) => kind === foldStatistics;
  await createStatisticsTasks(house.deps).find(isFold)?.run({}, taskContext());
  const owners = [await addOwner(), await addOwner()];
  for (const owner of [...owners, null]) {
    await insertBatches(
      house.sql,
      owner,
      Array.from({ length: 9 }, (_, index) => [[at(-index), index]] as const),
    );
  }
  const task = createStatisticsTasks(house.deps, {
    rowsFolded: 4,
    hoursRolledUp: 1,
    fencesPruned: 1,
    rowsMax: 1,
    charactersMax: 1,
  }).find(isFold);
  const cursors: unknown[] = [];
  const stopped = new AbortController();
  const checkpoint = async (cursor: unknown) => {
    cursors.push(cursor);
    if (cursors.length === 3) stopped.abort("shutdown");
  };
  await task?.run({}, taskContext({ checkpoint, signal: stopped.signal }));
  expect(cursors).toHaveLength(3);
  const outcome = await task?.run({}, taskContext({ cursor: cursors.at(-1) }));
  expect(outcome).toEqual({ batches: 27, rows: 27 });
  for (const owner of owners) expect(await countStored(owner)).toBe(9);
});
