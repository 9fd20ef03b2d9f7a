import { expect, test } from "vitest";
import { TopRows } from "../../../shared/interactions/top-rows.ts";
import { seededRandom } from "../../helpers/pictures.ts";

test("the first of many are the same whatever order they come in", () => {
  const random = seededRandom(3);
  const numbers = Array.from({ length: 500 }, () => Math.floor(1000 * random()));
  for (const rowsMax of [1, 7, 499, 500, 600]) {
    const top = new TopRows<number>(rowsMax, (one, other) => one - other);
    for (const one of numbers) top.add(one);
    expect(top.rows).toEqual(numbers.toSorted((one, other) => one - other).slice(0, rowsMax));
  }
});
