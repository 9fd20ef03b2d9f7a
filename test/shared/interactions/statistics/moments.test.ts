import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  addValues,
  type Moments,
  mergeMoments,
  noMoments,
  populationDeviation,
} from "../../../../shared/interactions/statistics/moments.ts";
import { distributions, drawValues, shuffle, splitAtRandom } from "./values.ts";

/** Two passes over the values themselves. */
function exactly(values: readonly number[]): { mean: number; deviation: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / values.length) };
}

const mergeAll = (parts: readonly Moments[]) => parts.reduce(mergeMoments, noMoments);

describe("moments", () => {
  test.each(distributions)(
    "of thousands of parts of $name values, merged in any order, are those of all",
    (distribution) => {
      for (const seed of [1, 2, 3]) {
        const values = drawValues(distribution, 20_000, seed);
        const parts = splitAtRandom(values, 3_000, seed).map((part) => addValues(noMoments, part));
        const merged = mergeAll(shuffle(parts, seed));
        const { mean, deviation } = exactly(values);
        expect(merged.count).toBe(values.length);
        expect(Math.abs(merged.mean - mean)).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(mean)));
        expect(Math.abs(populationDeviation(merged) - deviation)).toBeLessThanOrEqual(
          1e-9 * Math.max(1, deviation),
        );
        expect([merged.min, merged.max]).toEqual([Math.min(...values), Math.max(...values)]);
      }
    },
  );

  test("of values far from 0 keep their spread", () => {
    const values = [1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16];
    expect(populationDeviation(addValues(noMoments, values)) ** 2).toBeCloseTo(22.5, 6);
  });

  test("of nothing are 0 wide, and change nothing", () => {
    expect(populationDeviation(noMoments)).toBe(0);
    const some = addValues(noMoments, [1, 2]);
    expect(mergeMoments(some, noMoments)).toEqual(some);
    expect(mergeMoments(noMoments, some)).toEqual(some);
  });

  test("of a constant are 0 wide, however many", () => {
    const one = addValues(noMoments, Array(1000).fill(0.1));
    expect(populationDeviation(mergeMoments(one, one))).toBeLessThan(1e-12);
  });

  test("do not depend on where the parts are cut", () => {
    const value = fc.double({ min: -1e6, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 60 }), fc.nat(60), (values, cut) => {
        const whole = addValues(noMoments, values);
        const parts = mergeMoments(
          addValues(noMoments, values.slice(0, cut)),
          addValues(noMoments, values.slice(cut)),
        );
        expect(parts.count).toBe(whole.count);
        expect(parts.mean).toBeCloseTo(whole.mean, 5);
        expect(populationDeviation(parts)).toBeCloseTo(populationDeviation(whole), 4);
      }),
    );
  });
});
