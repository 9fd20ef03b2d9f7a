import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { meanOf, overlapOf, rankBiasedOverlap, spreadOf } from "../../../gpu-sidecar/math/rankings.ts";

const letters = (text: string) => [...text];

describe("overlap", () => {
  test.each([
    ["abc", "abc", 1],
    ["abc", "cba", 1],
    ["abcd", "abxy", 0.5],
    ["abc", "xyz", 0],
    ["abcd", "ab", 0.5],
    ["", "abc", 0],
    ["", "", 1],
  ])("of %s and %s is %d", (left, right, expected) => {
    expect(overlapOf(letters(left), letters(right))).toBeCloseTo(expected, 12);
  });
});

describe("rank-biased overlap", () => {
  test("is 1 for equal rankings, 0 for disjoint ones, and 1 for none", () => {
    expect(rankBiasedOverlap(letters("abcdefghij"), letters("abcdefghij"))).toBeCloseTo(1, 12);
    expect(rankBiasedOverlap(letters("abcde"), letters("vwxyz"))).toBe(0);
    expect(rankBiasedOverlap([], [])).toBe(1);
    expect(rankBiasedOverlap([], ["a"])).toBe(0);
  });

  test("is as reckoned by hand", () => {
    // Agreement at depths 1, 2, 3: 0, 1, 1. (1) 0.9^3 + (0.1 / 0.9) (0 * 0.9 + 1 * 0.81 + 1 * 0.729)
    const expected = 0.729 + (0.1 / 0.9) * (0.81 + 0.729);
    expect(rankBiasedOverlap(letters("abc"), letters("bac"))).toBeCloseTo(expected, 12);
  });

  test("counts what differs at the top for more than what differs at the end", () => {
    const whole = letters("abcdefghij");
    expect(rankBiasedOverlap(whole, letters("bacdefghij"))).toBeLessThan(
      rankBiasedOverlap(whole, letters("abcdefghji")),
    );
  });

  test("lies between 0 and 1 and does not mind which comes first", () => {
    const ranking = fc.uniqueArray(fc.constantFrom(...letters("abcdefghijklmnop")), { maxLength: 10 });
    fc.assert(
      fc.property(ranking, ranking, (left, right) => {
        const overlap = rankBiasedOverlap(left, right);
        expect(overlap).toBeGreaterThanOrEqual(0);
        expect(overlap).toBeLessThanOrEqual(1 + 1e-12);
        expect(rankBiasedOverlap(right, left)).toBeCloseTo(overlap, 12);
      }),
    );
  });
});

describe("a spread", () => {
  test("is there for any number of numbers but none", () => {
    expect(spreadOf([])).toBeUndefined();
    expect(meanOf([])).toBeUndefined();
    expect(spreadOf([3])).toEqual({ mean: 3, deviation: 0, min: 3, median: 3, max: 3 });
    expect(spreadOf([4, 2])).toEqual({ mean: 3, deviation: 1, min: 2, median: 3, max: 4 });
    expect(spreadOf([9, 1, 2])).toMatchObject({ mean: 4, min: 1, median: 2, max: 9 });
  });
});
