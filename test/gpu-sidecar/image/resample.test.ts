import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Raster } from "../../../gpu-sidecar/image/raster.ts";
import { type Axis, type Kernel, reachOf, resample, weighAxis } from "../../../gpu-sidecar/image/resample.ts";

const kernels = ["nearest", "linear", "cubic", "lanczos3"] as const satisfies readonly Kernel[];
const kernel = fc.constantFrom(...kernels);
const length = fc.integer({ min: 1, max: 40 });

/** Any axis, of which any part is wanted. */
const axis = fc
  .record({
    size: length,
    scaled: length,
    from: fc.double({ min: 0, max: 1, noNaN: true }),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map(({ size, scaled, from, share }): Axis => {
    const start = Math.min(scaled - 1, Math.floor(from * scaled));
    return { size, scaled, start, count: 1 + Math.floor(share * (scaled - start - 1)) };
  });

function whole(size: number, scaled: number): Axis {
  return { size, scaled, start: 0, count: scaled };
}

function rasterOf(width: number, height: number, seed: number): Raster {
  const data = Uint8Array.from({ length: 3 * width * height }, (_, i) => Math.imul(i + 1, seed | 1) >>> 24);
  return { data, width, height };
}

function resize(raster: Raster, width: number, height: number, how: Kernel): Raster {
  const frame = { columns: whole(raster.width, width), rows: whole(raster.height, height) };
  return resample({ raster, left: 0, top: 0 }, frame, how);
}

function flop({ data, width, height }: Raster): Raster {
  const out = new Uint8Array(data.length);
  for (let i = 0; i < width * height; i++) {
    const from = Math.floor(i / width) * width + (width - 1 - (i % width));
    out.set(data.subarray(3 * from, 3 * from + 3), 3 * i);
  }
  return { data: out, width, height };
}

function turn({ data, width, height }: Raster): Raster {
  const out = new Uint8Array(data.length);
  for (let i = 0; i < width * height; i++) {
    const to = (i % width) * height + Math.floor(i / width);
    out.set(data.subarray(3 * i, 3 * i + 3), 3 * to);
  }
  return { data: out, width: height, height: width };
}

function cut({ data, width }: Raster, left: number, top: number, columns: number, rows: number): Raster {
  const out = new Uint8Array(3 * columns * rows);
  for (let y = 0; y < rows; y++) {
    const from = 3 * ((top + y) * width + left);
    out.set(data.subarray(from, from + 3 * columns), 3 * y * columns);
  }
  return { data: out, width: columns, height: rows };
}

describe("the weights of an axis", () => {
  test("add up to one, and lie in the picture", () => {
    fc.assert(
      fc.property(axis, kernel, (one, how) => {
        const { first, length: counts, values, stride } = weighAxis(one, how);
        const reach = reachOf(one, how);
        for (let i = 0; i < one.count; i++) {
          const row = values.subarray(i * stride, i * stride + (counts[i] ?? 0));
          // Each is rounded to 22 bits.
          expect(Math.abs(row.reduce((sum, value) => sum + value, 0) - 2 ** 22)).toBeLessThanOrEqual(
            row.length,
          );
          if (one.size === one.scaled) continue;
          expect(first[i]).toBeGreaterThanOrEqual(reach.from);
          expect((first[i] ?? 0) + row.length).toBeLessThanOrEqual(reach.from + reach.count);
        }
        expect(reach.from).toBeGreaterThanOrEqual(0);
        expect(reach.from + reach.count).toBeLessThanOrEqual(one.size);
      }),
    );
  });
});

describe("a picture in another size", () => {
  const picture = fc.record({ width: length, height: length, seed: fc.integer() });

  test("of one colour stays of one colour", () => {
    const colour = fc.tuple(...[0, 1, 2].map(() => fc.integer({ min: 0, max: 255 })));
    fc.assert(
      fc.property(picture, length, length, kernel, colour, ({ width, height }, columns, rows, how, rgb) => {
        const data = Uint8Array.from({ length: 3 * width * height }, (_, i) => rgb[i % 3] ?? 0);
        const out = resize({ data, width, height }, columns, rows, how);
        expect(out.data.every((value, i) => value === rgb[i % 3])).toBe(true);
      }),
    );
  });

  test("of its own size is itself", () => {
    fc.assert(
      fc.property(picture, kernel, ({ width, height, seed }, how) => {
        const raster = rasterOf(width, height, seed);
        expect(resize(raster, width, height, how).data).toEqual(raster.data);
      }),
    );
  });

  test("and mirrored is the mirrored one in that size", () => {
    fc.assert(
      fc.property(picture, length, length, kernel, ({ width, height, seed }, columns, rows, how) => {
        // Between two pixels the nearest is the right one, mirrored the left one.
        fc.pre(how !== "nearest");
        const raster = rasterOf(width, height, seed);
        const expected = flop(resize(raster, columns, rows, how)).data;
        const found = resize(flop(raster), columns, rows, how).data;
        // What lies just at the end of a kernel is taken in on one side only, and rounding goes up.
        expect(found.every((value, i) => Math.abs(value - (expected[i] ?? 0)) <= 2)).toBe(true);
      }),
    );
  });

  test("is the same whether columns or rows come first, but for rounding", () => {
    fc.assert(
      fc.property(picture, length, length, ({ width, height, seed }, columns, rows) => {
        const raster = rasterOf(width, height, seed);
        const expected = turn(resize(raster, columns, rows, "linear")).data;
        const found = resize(turn(raster), rows, columns, "linear").data;
        expect(found.every((value, i) => Math.abs(value - (expected[i] ?? 0)) <= 1)).toBe(true);
      }),
    );
  });

  test("is in part what that part of the whole is, made from no more than it reads", () => {
    fc.assert(
      fc.property(axis, axis, kernel, fc.integer(), (columns, rows, how, seed) => {
        const raster = rasterOf(columns.size, rows.size, seed);
        const all = resize(raster, columns.scaled, rows.scaled, how);
        const [across, down] = [reachOf(columns, how), reachOf(rows, how)];
        const part = cut(raster, across.from, down.from, across.count, down.count);
        const found = resample({ raster: part, left: across.from, top: down.from }, { columns, rows }, how);
        expect(found.data).toEqual(cut(all, columns.start, rows.start, columns.count, rows.count).data);
      }),
    );
  });
});
