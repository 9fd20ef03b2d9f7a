import fc from "fast-check";
import { expect, test } from "vitest";
import { findQuantiles, QuantileSketch } from "../../../../shared/interactions/statistics/sketch.ts";
import {
  readSketch,
  SketchSum,
  writeSketch,
} from "../../../../shared/interactions/statistics/sketch-text.ts";

const value = fc.oneof(
  fc.double({ min: -1e300, max: 1e300, noNaN: true }),
  fc.double({ min: 90, max: 110, noNaN: true }),
  fc.constantFrom(0, 1e12, -1e12, 1e-9, -1e-9, 1e-10),
);
const values = fc.array(value, { maxLength: 60 });

test("a sketch comes back from its text to the last bucket", () => {
  fc.assert(
    fc.property(values, (list) => {
      const parts = QuantileSketch.of(list).toParts();
      expect(readSketch(writeSketch(parts))).toEqual(parts);
    }),
  );
  expect(writeSketch({ keys: [-3, 0, 4400, 4401, 4403, 4512], counts: [1, 2, 3, 5, 7, 10] })).toBe(
    "-3:1,,,2;4400:3,5,,7;4512:10",
  );
  expect(writeSketch({ keys: [], counts: [] })).toBe("");
});

test("the sum of texts is that of the sketches, also when some are taken off, and begins anew when it was taken", () => {
  const sum = new SketchSum();
  fc.assert(
    fc.property(fc.array(values, { maxLength: 8 }), (lists) => {
      const merged = new QuantileSketch();
      for (const list of lists) {
        const sketch = QuantileSketch.of(list);
        merged.merge(sketch);
        sum.add(writeSketch(sketch.toParts()));
      }
      expect(sum.toParts()).toEqual(merged.toParts());
      for (const list of lists.slice(1)) sum.subtract(writeSketch(QuantileSketch.of(list).toParts()));
      expect(sum.take()).toEqual(QuantileSketch.of(lists[0] ?? []).toParts());
    }),
  );
  expect(sum.take()).toEqual({ keys: [], counts: [] });
});

test("quantiles of parts are those of the sketch", () => {
  const shares = [0, 0.25, 0.5, 0.99, 1];
  fc.assert(
    fc.property(values, (list) => {
      const sketch = QuantileSketch.of(list);
      const found = findQuantiles(sketch.toParts(), shares);
      expect(found ?? shares.map(() => undefined)).toEqual(shares.map((share) => sketch.quantile(share)));
    }),
  );
});
