import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { innerProduct, rowOf, toUnit, vectorLength } from "../../../gpu-sidecar/math/vectors.ts";
import { rank, spearman } from "../../helpers/statistics.ts";

const vector = fc.array(fc.double({ min: -1000, max: 1000, noNaN: true }), { minLength: 1, maxLength: 50 });

describe("vectors", () => {
  test("become one long, whatever they were, but for the one of zeros", () => {
    fc.assert(
      fc.property(vector, (values) => {
        const length = vectorLength(values);
        fc.pre(length === 0 || length > 1e-6);
        expect(vectorLength(toUnit(values))).toBeCloseTo(length === 0 ? 0 : 1, 5);
      }),
    );
  });

  test("give an inner product only with one of their length", () => {
    expect(innerProduct([1, 2, 3], [4, -5, 6])).toBe(12);
    expect(() => innerProduct([1, 2], [1])).toThrow(RangeError);
  });

  test("are read from a batch as rows that share its memory", () => {
    const batch = Float32Array.of(1, 2, 3, 4);
    const row = rowOf(batch, 1, 2);
    row[0] = 9;
    expect([...batch]).toEqual([1, 2, 9, 4]);
    expect(() => rowOf(batch, 2, 2)).toThrow("there is no row 2");
  });
});

describe("Spearman's rank correlation", () => {
  test("gives equal values the mean of their ranks", () => {
    expect(rank([10, 20, 20, 5])).toEqual([2, 3.5, 3.5, 1]);
  });

  test("is 1 for the same order, -1 for the opposite, and Pearson's r of the ranks with ties", () => {
    expect(spearman([1, 2, 3, 4], [10, 100, 1000, 10_000])).toBeCloseTo(1, 12);
    expect(spearman([1, 2, 3, 4], [4, 3, 2, 1])).toBeCloseTo(-1, 12);
    // Ranks 1 2 3 4 and 1.5 1.5 3 4: r = 4.5 / sqrt(5 * 4.5).
    expect(spearman([1, 2, 3, 4], [0, 0, 1, 2])).toBeCloseTo(4.5 / Math.sqrt(22.5), 12);
  });
});
