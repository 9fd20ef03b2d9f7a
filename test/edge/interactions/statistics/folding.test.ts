/** Jobs that wait until what was logged is in the statistics. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createBackTestTask } from "../../../../edge/interactions/rules/back-test-task.ts";
import { serviceCaller, transactAs } from "../../../../shared/callers.ts";
import { openTestApp, type TestApp } from "../../../helpers/app.ts";
import { insertInteractions } from "../../../helpers/interactions.ts";
import { taskContext } from "../../../helpers/task-context.ts";
import { start } from "../rules/rig.ts";

let house: TestApp;
beforeAll(async () => {
  house = await openTestApp();
});
afterAll(() => house.close());
beforeEach(async () => {
  await house.sql`delete from parlance.interactions`;
  await house.sql`delete from parlance.interaction_batches`;
});

const rule = { element: "output", metric: "characters", condition: { type: "above", threshold: 3 } };
const countPending = async () =>
  (await house.sql`select from parlance.interaction_batches where folded_at is null`).length;
async function addBatches(number: number): Promise<void> {
  for (let index = 0; index < number; index++) {
    await insertInteractions(house.sql, house.alice.id, [{ output: "long" }]);
  }
  // As many as one fold takes.
  await house.sql`update parlance.interaction_batches set rows = 5000`;
}

describe("a back-test", () => {
  test("pauses after each fold, and goes on with those that were there when it began", async () => {
    await addBatches(3);
    const { id } = await start(house, { rule });
    const task = createBackTestTask(house.deps);
    const cursors: unknown[] = [];
    const killed = task.run(
      { backTestId: id },
      taskContext({
        checkpoint: async (cursor) => {
          cursors.push(cursor);
          throw new Error("killed");
        },
      }),
    );
    await expect(killed).rejects.toThrow("killed");
    expect(await countPending()).toBe(2);
    const pauses: unknown[] = [];
    await task.run(
      { backTestId: id },
      taskContext({ cursor: cursors[0], checkpoint: async (cursor) => void pauses.push(cursor) }),
    );
    expect(pauses).toEqual([cursors[0], cursors[0]]);
    expect(await countPending()).toBe(0);
  });

  test.runIf(process.env.TEST_DATABASE_URL)("waits while another folds", async () => {
    await addBatches(1);
    const { id } = await start(house, { rule });
    const other = house.database.connect({ max: 1 });
    const waits = Promise.withResolvers<void>();
    let running: Promise<unknown> | undefined;
    await transactAs(other, serviceCaller, async (transaction) => {
      await transaction`select from parlance.interaction_settings for update`;
      running = Promise.resolve(
        createBackTestTask(house.deps).run(
          { backTestId: id },
          taskContext({ checkpoint: async () => waits.resolve() }),
        ),
      );
      await Promise.race([running, waits.promise]);
      expect(await countPending()).toBe(1);
    });
    await running;
    expect(await countPending()).toBe(0);
    await other.end();
  });
});
