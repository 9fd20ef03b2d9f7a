import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { QuantileSketch, relativeError } from "../../../../shared/interactions/statistics/sketch.ts";
import { distributions, drawValues, shuffle, splitAtRandom } from "./values.ts";

const shares = [0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1];

const ascending = (values: readonly number[]) => values.toSorted((one, other) => one - other);

/** The value at the lower rank, from all the values. */
function exactQuantile(sorted: readonly number[], share: number): number {
  return sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN;
}

function mergeAll(sketches: readonly QuantileSketch[]): QuantileSketch {
  const merged = new QuantileSketch();
  for (const sketch of sketches) merged.merge(sketch);
  return merged;
}

describe("a sketch", () => {
  test.each(distributions)(
    "of thousands of parts of $name values, merged in any order, knows each quantile within 1 %",
    (distribution) => {
      for (const seed of [1, 2, 3]) {
        const values = drawValues(distribution, 20_000, seed);
        const parts = splitAtRandom(values, 3_000, seed).map((part) => QuantileSketch.of(part));
        const merged = mergeAll(shuffle(parts, seed));
        const sorted = ascending(values);
        expect(merged.count).toBe(values.length);
        for (const share of shares) {
          const exact = exactQuantile(sorted, share);
          expect(Math.abs((merged.quantile(share) ?? 0) - exact)).toBeLessThanOrEqual(
            relativeError * Math.abs(exact) * (1 + 1e-9) + 1e-9,
          );
        }
      }
    },
  );

  test.each(distributions)(
    "of $name values knows the median distance within 1 % of value and centre",
    (distribution) => {
      for (const seed of [4, 5, 6]) {
        const values = drawValues(distribution, 5_000, seed);
        const sketch = QuantileSketch.of(values);
        const centre = sketch.quantile(0.5) ?? 0;
        const exact = exactQuantile(ascending(values.map((value) => Math.abs(value - centre))), 0.5);
        // The value whose distance is the median one is no farther from 0 than this.
        const size = Math.abs(centre) + exact;
        const found = sketch.medianDistance(centre) ?? Number.NaN;
        expect(Math.abs(found - exact)).toBeLessThanOrEqual(relativeError * size * 1.05 + 1e-9);
      }
    },
  );

  test("is the same to the last bit whatever the order of the merges", () => {
    const values = fc.array(fc.double({ min: -1e14, max: 1e14, noNaN: true }), { maxLength: 40 });
    fc.assert(
      fc.property(fc.array(values, { maxLength: 12 }), fc.nat(), (parts, seed) => {
        const sketches = parts.map((part) => QuantileSketch.of(part));
        const inOrder = mergeAll(sketches).toParts();
        expect(mergeAll(shuffle(sketches, seed)).toParts()).toEqual(inOrder);
        expect(QuantileSketch.of(parts.flat()).toParts()).toEqual(inOrder);
      }),
    );
  });

  test("comes back from what is stored of it", () => {
    const parts = QuantileSketch.of([-3, 0, 0, 5, 5, 1e300, -1e-300]).toParts();
    expect(parts.keys).toEqual(parts.keys.toSorted((one, other) => one - other));
    expect(QuantileSketch.fromParts(parts).toParts()).toEqual(parts);
  });

  test("grows by values a hundred times apart by as many buckets as are needed, not by the values", () => {
    const values = drawValues({ name: "wide", draw: (random) => 10 ** (random() * 30 - 15) }, 100_000, 7);
    expect(QuantileSketch.of(values).toParts().keys.length).toBeLessThan(2_500);
  });

  test("counts what lies above within a bucket", () => {
    const sketch = QuantileSketch.of([-10, -1, 0, 1, 10, 100, 100, 1000]);
    expect([-100, -5, 0, 5, 50, 500, 5000].map((value) => sketch.countAbove(value))).toEqual([
      8, 7, 5, 4, 3, 1, 0,
    ]);
  });

  test("of nothing has no quantiles", () => {
    const none = new QuantileSketch();
    expect([none.count, none.quantile(0.5), none.medianDistance(0)]).toEqual([0, undefined, undefined]);
  });

  test.each(["uniform", "lognormal", "bimodal"])(
    "of %s values knows the median factor from the centre",
    (name) => {
      const distribution = distributions.find((one) => one.name === name) ?? distributions[0];
      const values = drawValues(distribution as (typeof distributions)[number], 5_000, 8).map((value) =>
        Math.max(value, 0.5),
      );
      const sketch = QuantileSketch.of(values);
      const centre = sketch.quantile(0.5) ?? 0;
      const exact = exactQuantile(ascending(values.map((value) => Math.abs(Math.log(value / centre)))), 0.5);
      expect(sketch.isPositive).toBe(true);
      expect(Math.abs((sketch.medianLogDistance(centre) ?? 0) - exact)).toBeLessThanOrEqual(
        relativeError * 1.05,
      );
    },
  );

  test("is positive when each of its values is", () => {
    expect([[], [0, 1], [-1, 1], [1, 2]].map((values) => QuantileSketch.of(values).isPositive)).toEqual([
      false,
      false,
      false,
      true,
    ]);
  });
});
