/** Apps, environments and models that are removed to make room for others. */
import type { TransactionSql } from "postgres";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { removeSpareGroups } from "../../../../edge/interactions/log/group-removal.ts";
import { createRemovalTasks } from "../../../../edge/interactions/log/removal-tasks.ts";
import { foldBatches } from "../../../../edge/interactions/statistics/fold.ts";
import { serviceCaller, transactAs } from "../../../../shared/callers.ts";
import { removeExpired } from "../../../../shared/interactions/log-kinds.ts";
import { openTestApp, type TestApp } from "../../../helpers/app.ts";
import { insertInteractions } from "../../../helpers/interactions.ts";
import { taskContext } from "../../../helpers/task-context.ts";
import { findPid, seeWaiting } from "../../../helpers/waiting.ts";

let house: TestApp;
beforeAll(async () => {
  house = await openTestApp();
});
afterAll(() => house.close());
beforeEach(async () => {
  await house.sql`delete from parlance.interaction_groups`;
  await house.sql`delete from parlance.interaction_batches`;
});

const dayMs = 24 * 3600 * 1000;
const ago = (days: number) => new Date(Date.now() - days * dayMs);

/** One interaction of each model, in the statistics; all of them are old enough to go. */
async function add(models: Readonly<Record<string, number>>, ownerId: string | null = house.alice.id) {
  await insertInteractions(
    house.sql,
    ownerId,
    Object.entries(models).map(([model, days]) => ({ model, input: model, occurredAt: ago(days) })),
  );
  await foldBatches(house.sql, ownerId, { rowsMax: 10_000 });
  await house.sql`update parlance.interaction_groups set created_at = ${ago(1000).toISOString()}`;
}

const forget = (...models: string[]) =>
  house.sql`delete from parlance.interactions where input = any(${models})`;

async function sweep(limits = {}) {
  const groups = { groupsKept: 2, groupsMax: 2, hoursMax: 10_000, ...limits };
  const tasks = createRemovalTasks(house.deps, { sliceRows: 10, runRows: 1_000, groups });
  const task = tasks.find(({ kind }) => kind === removeExpired);
  const checkpoint: Parameters<typeof taskContext>[0] = {
    checkpoint: (_, write) =>
      transactAs(house.sql, serviceCaller, async (transaction) => void (await write?.(transaction))),
  };
  return task?.run({}, taskContext(checkpoint));
}

async function listModels(): Promise<string[]> {
  const rows = await house.sql<{ model: string }[]>`select model from parlance.interaction_groups`;
  return rows.map(({ model }) => model).toSorted();
}

const listHourModels = async () => {
  const rows = await house.sql<{ model: string }[]>`
    select distinct model
    from parlance.interaction_hours
    join parlance.interaction_groups as groups on groups.id = group_id
  `;
  return rows.map(({ model }) => model).toSorted();
};

describe("models without interactions", () => {
  test("go with their statistics, the longest unused first, and only while there are too many", async () => {
    await add({ a: 50, b: 40, c: 30, d: 20, e: 10 });
    await forget("a", "b", "d", "e");
    expect(await sweep({ groupsKept: 3 })).toMatchObject({ groupsRemoved: 2 });
    expect(await listModels()).toEqual(["c", "d", "e"]);
    expect(await listHourModels()).toEqual(["c", "d", "e"]);
    expect(await sweep({ groupsKept: 3 })).toMatchObject({ groupsRemoved: 0 });
    expect(await sweep({ groupsKept: 1 })).toMatchObject({ groupsRemoved: 2 });
    expect(await listModels()).toEqual(["c"]);
  });

  test("stay for a day after their last one", async () => {
    await add({ a: 0.5, b: 3, c: 3 });
    await forget("a", "b", "c");
    await house.sql`update parlance.interaction_groups set created_at = now() where model = 'b'`;
    await sweep({ groupsKept: 0 });
    expect(await listModels()).toEqual(["a", "b"]);
  });

  test("go in slices, however many statistics they have", async () => {
    await add({ a: 50, b: 40 });
    await add({ a: 51, b: 41 });
    await forget("a", "b");
    expect(await sweep({ groupsKept: 0, groupsMax: 1, hoursMax: 7 })).toMatchObject({ groupsRemoved: 2 });
    expect(await house.sql`select from parlance.interaction_hours`).toHaveLength(0);
  });

  test("of others are counted apart", async () => {
    await add({ a: 50, b: 40 });
    await add({ a: 50, b: 40, c: 30 }, null);
    await house.sql`delete from parlance.interactions`;
    expect(await sweep()).toMatchObject({ groupsRemoved: 1 });
    const left = await house.sql`select from parlance.interaction_groups where owner_id is null`;
    expect(left).toHaveLength(2);
  });

  test("make room: what was refused is logged", async () => {
    await add({ a: 50 });
    await house.sql`
      insert into parlance.interaction_groups (owner_id, app, environment, model, created_at)
      select ${house.alice.id}, 'default', '', 'request ' || n, ${ago(3).toISOString()} from generate_series(1, 999) as n
    `;
    expect((await log("b")).body.code).toBe("quota_exceeded");
    expect(await sweep({ groupsKept: 800, groupsMax: 100 })).toMatchObject({ groupsRemoved: 200 });
    expect((await log("b")).status).toBe(201);
  });
});

const log = (model: string) =>
  house.call(house.alice, "POST", "/interactions", {
    body: JSON.stringify({ input: "x", output: "y", model }),
    headers: { "content-type": "application/json" },
  });

describe.runIf(process.env.TEST_DATABASE_URL)("a model that is removed while someone logs for it", () => {
  const limits = { groupsKept: 0, groupsMax: 10, hoursMax: 10_000 };

  /** On a connection of its own. */
  async function during(hold: (transaction: TransactionSql) => Promise<void>): Promise<void> {
    const other = house.database.connect({ max: 1 });
    try {
      await transactAs(other, serviceCaller, hold);
    } finally {
      await other.end();
    }
  }

  test("is made again for what waited", async () => {
    await add({ a: 50 });
    await forget("a");
    // What is pending or due would wait for the settings.
    await house.sql`update parlance.interaction_settings set folded_at = now(), folded_rows = 1000000`;
    let logged: ReturnType<typeof log> | undefined;
    await during(async (transaction) => {
      const pid = await findPid(transaction);
      const removed = await removeSpareGroups(transaction, house.alice.id, { ...limits, now: new Date() });
      expect(removed.groups).toBe(1);
      logged = log("a");
      await Promise.race([logged, seeWaiting(house.sql, pid)]);
    });
    expect((await logged)?.status).toBe(201);
    expect(await house.sql`select from parlance.interactions where group_id is not null`).toHaveLength(1);
  });

  test("stays where that one came first", async () => {
    await add({ a: 50 });
    await forget("a");
    await during(async (transaction) => {
      await transaction`select from parlance.interaction_groups for key share`;
      expect(await sweep({ groupsKept: 0 })).toMatchObject({ groupsRemoved: 0 });
    });
    expect(await listModels()).toEqual(["a"]);
    expect(await listHourModels()).toEqual(["a"]);
  });
});
