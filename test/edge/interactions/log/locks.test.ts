/** Rows that are removed while others remove or fold their batches. */
import type { TransactionSql } from "postgres";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { deleteRows } from "../../../../edge/interactions/log/row-store.ts";
import { foldBatches } from "../../../../edge/interactions/statistics/fold.ts";
import { writeMeasured } from "../../../../edge/interactions/statistics/measuring-again.ts";
import { serviceCaller, transactAs } from "../../../../shared/callers.ts";
import { openTestApp, type TestApp } from "../../../helpers/app.ts";
import { insertInteractions } from "../../../helpers/interactions.ts";
import { findPid, seeWaiting } from "../../../helpers/waiting.ts";

let house: TestApp;
beforeAll(async () => {
  house = await openTestApp();
});
afterAll(() => house.close());
beforeEach(async () => {
  await house.sql`delete from parlance.interactions`;
  await house.sql`delete from parlance.interaction_batches`;
});

const remove = (ids: readonly string[]) =>
  transactAs(house.sql, serviceCaller, (transaction) => deleteRows(transaction, ids));

/** On a connection of its own. */
async function during<T>(hold: (transaction: TransactionSql) => Promise<T>): Promise<T> {
  const other = house.database.connect({ max: 1 });
  try {
    return (await transactAs(other, serviceCaller, hold)) as T;
  } finally {
    await other.end();
  }
}

/** Two batches whose rows stand in the table in the other order than their ids. */
async function addTwoBatches() {
  const one = await insertInteractions(house.sql, house.alice.id, [{ input: "a" }]);
  const other = await insertInteractions(house.sql, house.alice.id, [{ input: "b" }]);
  // Written again, the first one's stand behind those of the second.
  await house.sql`update parlance.interaction_batches set rows = rows where id = ${one.batchId}`;
  await house.sql`update parlance.interactions set input = input where id = ${one.ids[0] ?? ""}`;
  return [one, other] as const;
}

describe.runIf(process.env.TEST_DATABASE_URL)("rows that are removed", () => {
  test("by two at once leave no batch behind when they were its last", async () => {
    const { ids } = await insertInteractions(house.sql, house.alice.id, [{ input: "a" }, { input: "b" }]);
    let second: Promise<number> | undefined;
    await during(async (transaction) => {
      const pid = await findPid(transaction);
      expect(await deleteRows(transaction, ids.slice(0, 1))).toBe(1);
      second = remove(ids.slice(1));
      await Promise.race([second, seeWaiting(house.sql, pid)]);
    });
    expect(await second).toBe(1);
    expect(await house.sql`select from parlance.interaction_batches`).toHaveLength(0);
    expect(await house.sql`select from parlance.interaction_words`).toHaveLength(0);
  });

  test("of several batches are taken in the order in which batches are folded", async () => {
    const [one, other] = await addTwoBatches();
    const works = {
      removed: () => remove([...other.ids, ...one.ids]),
      folded: () => foldBatches(house.sql, house.alice.id, { rowsMax: 10 }),
    };
    for (const work of [works.folded, works.removed]) {
      let working: Promise<unknown> | undefined;
      await during(async (transaction) => {
        const pid = await findPid(transaction);
        await transaction`select from parlance.interaction_batches where id = ${one.batchId} for update`;
        working = work();
        await seeWaiting(house.sql, pid);
        // Not held by who waits for the first.
        await transaction`select from parlance.interaction_batches where id = ${other.batchId} for update nowait`;
      });
      await working;
    }
    expect(await house.sql`select from parlance.interaction_batches`).toHaveLength(0);
  });

  test("are taken in the order in which rows are measured again", async () => {
    const [one, other] = await addTwoBatches();
    const [first = "", last = ""] = [one.ids[0], other.ids[0]];
    const measured = { ownerId: house.alice.id, groupId: 1, hour: 1, metricEdition: 99, values: [] };
    const languages = { inputLanguage: null, outputLanguage: null };
    const again = [last, first].map((id) => ({ id, ...measured, ...languages }));
    for (const work of [
      () => house.sql.begin((transaction) => writeMeasured(transaction, again)),
      () => remove([last, first]),
    ]) {
      let working: Promise<unknown> | undefined;
      await during(async (transaction) => {
        const pid = await findPid(transaction);
        await transaction`select from parlance.interactions where id = ${first} for update`;
        working = work();
        await seeWaiting(house.sql, pid);
        await transaction`select from parlance.interactions where id = ${last} for update nowait`;
      });
      await working;
    }
    expect(await house.sql`select from parlance.interactions`).toHaveLength(0);
  });
});
