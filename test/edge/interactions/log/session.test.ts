/** One interaction with what came before and after it in its session. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { InteractionDetail } from "../../../../shared/interactions/listing.ts";
import { openTestApp, type TestApp, type TestUser } from "../../../helpers/app.ts";
import { insertInteractions } from "../../../helpers/interactions.ts";

let house: TestApp;
beforeAll(async () => {
  house = await openTestApp();
});
afterAll(() => house.close());

const show = async (who: TestUser, id: string | undefined) => {
  const answer = await house.call(who, "GET", `/interactions/${id}`);
  expect(answer.status, answer.text).toBe(200);
  return InteractionDetail.strict().parse(answer.body);
};

test("its five neighbours on each side, of its owner alone, in the order of time", async () => {
  // Three at the same moment: their ids tell their order.
  const minutes = [0, 1, 2, 3, 4, 5, 5, 5, 6, 7, 8, 9, 10];
  const rows = minutes.map((minute, index) => ({
    input: `${index} ${"x".repeat(300)}`,
    output: `${index}`,
    model: "m",
    sessionId: "talk",
    occurredAt: new Date(Date.UTC(2026, 0, 1, 0, minute)),
  }));
  const { ids } = await insertInteractions(house.sql, house.alice.id, rows);
  await insertInteractions(house.sql, house.bob.id, rows);
  await insertInteractions(house.sql, house.alice.id, [{ ...rows[6], sessionId: "another" }]);
  const order = ids
    .map((id, index) => ({ id, index, minute: minutes[index] ?? 0 }))
    .toSorted((one, other) => one.minute - other.minute || (one.id < other.id ? -1 : 1));
  const place = order.findIndex(({ index }) => index === 6);
  const { session, metrics } = await show(house.alice, ids[6]);
  expect(session?.before.map(({ id }) => id)).toEqual(order.slice(place - 5, place).map(({ id }) => id));
  expect(session?.after.map(({ id }) => id)).toEqual(order.slice(place + 1, place + 6).map(({ id }) => id));
  expect(session?.before.every(({ inputIsCut, outputIsCut }) => inputIsCut && !outputIsCut)).toBe(true);
  expect(session?.after[0]?.model).toBe("m");
  expect(metrics["input.characters"]).toBe(302);
  const first = await show(house.alice, ids[0]);
  expect([first.session?.before, first.session?.after.length]).toEqual([[], 5]);
});

test("without a session has no neighbours", async () => {
  const { ids } = await insertInteractions(house.sql, house.alice.id, [{ input: "alone" }]);
  expect((await show(house.alice, ids[0])).session).toBeNull();
});
