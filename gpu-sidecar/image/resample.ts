import type { ImageInput } from "../models/card.ts";
import type { Raster } from "./raster.ts";

/**
 * Pixels in another size, to the bit as Pillow's `ImagingResample` makes them for 8 bits (src/libImaging/Resample.c):
 * columns first, then rows; a kernel that widens with the factor of shrinking; at the border its weights are shared
 * out anew over the pixels that there are; fixed point with 22 bits. Models were trained on pictures made so, and
 * libvips differs by more than a model should see: it rounds positions to 1/64 pixel, goes on with the last pixel
 * beyond the border and enlarges by other rules.
 *
 * It runs in the calling thread, half a nanosecond for each multiplication (a whole one without `Math.imul`), and is
 * meant for sources of about a megapixel.
 */
export type Kernel = ImageInput["kernel"];

/** One axis: `size` pixels become `scaled`, of which those from `start` are wanted, `count` of them. */
export interface Axis {
  readonly size: number;
  readonly scaled: number;
  readonly start: number;
  readonly count: number;
}

/** What of a picture is at hand: `raster` is its part from `left`, `top` on. */
export interface Cut {
  readonly raster: Raster;
  readonly left: number;
  readonly top: number;
}

/** For each wanted pixel the first source pixel, how many follow, and their weights, `stride` to a pixel. */
export interface Weights {
  readonly first: Int32Array;
  readonly length: Int32Array;
  readonly values: Int32Array;
  readonly stride: number;
}

export const weightBits = 22;
const half = 1 << (weightBits - 1);

export function resample(
  { raster, left, top }: Cut,
  { columns, rows }: { readonly columns: Axis; readonly rows: Axis },
  kernel: Kernel,
): Raster {
  const down = reachOf(rows, kernel);
  const bytes = 3 * raster.width;
  // Only the rows that the second step reads.
  const height = down.count;
  const data = raster.data.subarray((down.from - top) * bytes, (down.from - top + height) * bytes);
  const band = { data, width: raster.width, height };
  const narrow = isSame(columns)
    ? cutColumns(band, columns.start - left, columns.count)
    : resampleColumns(band, weighAxis(columns, kernel), left);
  const out = isSame(rows) ? narrow.data : resampleRows(narrow, weighAxis(rows, kernel), down.from);
  return { data: out, width: columns.count, height: rows.count };
}

/** The source pixels that an axis reads. */
export function reachOf(axis: Axis, kernel: Kernel): { from: number; count: number } {
  if (isSame(axis)) return { from: axis.start, count: axis.count };
  const { from } = spanOf(axis, kernel, 0);
  return { from, count: spanOf(axis, kernel, axis.count - 1).to - from };
}

/** The source pixels that one wanted pixel is made from. */
function spanOf({ size, scaled, start }: Axis, kernel: Kernel, index: number): Span {
  const centre = ((start + index + 0.5) * size) / scaled;
  if (kernel === "nearest") return { centre, from: Math.floor(centre), to: Math.floor(centre) + 1 };
  const support = supports[kernel] * Math.max(1, size / scaled);
  const from = Math.max(0, Math.trunc(centre - support + 0.5));
  return { centre, from, to: Math.min(size, Math.trunc(centre + support + 0.5)) };
}

interface Span {
  readonly centre: number;
  readonly from: number;
  readonly to: number;
}

const supports: Readonly<Record<Kernel, number>> = { nearest: 0.5, linear: 1, cubic: 2, lanczos3: 3 };

const kernels: Readonly<Record<Kernel, (x: number) => number>> = {
  nearest: () => 1,
  linear: (x) => Math.max(0, 1 - Math.abs(x)),
  // Keys 1981 with a = -0.5, which is Catmull-Rom.
  cubic: (x) => {
    const d = Math.abs(x);
    if (d < 1) return (1.5 * d - 2.5) * d * d + 1;
    return d < 2 ? -0.5 * (((d - 5) * d + 8) * d - 4) : 0;
  },
  lanczos3: (x) => (Math.abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0),
};

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

export function weighAxis(axis: Axis, kernel: Kernel): Weights {
  const { size, scaled, count } = axis;
  const spread = Math.max(1, size / scaled);
  const stride = Math.ceil(supports[kernel] * spread) * 2 + 1;
  const first = new Int32Array(count);
  const length = new Int32Array(count);
  const values = new Int32Array(count * stride);
  for (let i = 0; i < count; i++) {
    const { centre, from, to } = spanOf(axis, kernel, i);
    first[i] = from;
    length[i] = to - from;
    const row = values.subarray(i * stride, (i + 1) * stride);
    fillWeights(row, to - from, (x) => kernels[kernel]((x + from - centre + 0.5) / spread));
  }
  return { first, length, values, stride };
}

/** Adds up to one, in fixed point rounded away from zero as C rounds there. */
function fillWeights(row: Int32Array, length: number, weigh: (x: number) => number): void {
  const weights = Array.from({ length }, (_, x) => weigh(x));
  const sum = weights.reduce((all, weight) => all + weight, 0) || 1;
  weights.forEach((weight, x) => {
    const value = (weight / sum) * (1 << weightBits);
    row[x] = Math.trunc(value < 0 ? value - 0.5 : value + 0.5);
  });
}

function isSame({ size, scaled }: Axis): boolean {
  return size === scaled;
}

function resampleColumns({ data, width, height }: Raster, weights: Weights, left: number): Raster {
  const { first, length, values, stride } = weights;
  const count = first.length;
  const out = new Uint8ClampedArray(3 * count * height);
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < count; x++, to += 3) {
      let red = half;
      let green = half;
      let blue = half;
      let from = 3 * (y * width + (first[x] ?? 0) - left);
      const end = x * stride + (length[x] ?? 0);
      for (let k = x * stride; k < end; k++, from += 3) {
        const weight = values[k] ?? 0;
        red = (red + Math.imul(data[from] ?? 0, weight)) | 0;
        green = (green + Math.imul(data[from + 1] ?? 0, weight)) | 0;
        blue = (blue + Math.imul(data[from + 2] ?? 0, weight)) | 0;
      }
      out[to] = red >> weightBits;
      out[to + 1] = green >> weightBits;
      out[to + 2] = blue >> weightBits;
    }
  }
  return { data: new Uint8Array(out.buffer), width: count, height };
}

function resampleRows({ data, width }: Raster, weights: Weights, top: number): Uint8Array {
  const { first, length, values, stride } = weights;
  const bytes = 3 * width;
  const out = new Uint8ClampedArray(bytes * first.length);
  const sums = new Int32Array(bytes);
  for (let y = 0; y < first.length; y++) {
    sums.fill(half);
    const rows = length[y] ?? 0;
    for (let k = 0; k < rows; k++) {
      const weight = values[y * stride + k] ?? 0;
      const from = ((first[y] ?? 0) - top + k) * bytes;
      for (let i = 0; i < bytes; i++) sums[i] = ((sums[i] ?? 0) + Math.imul(data[from + i] ?? 0, weight)) | 0;
    }
    const to = y * bytes;
    for (let i = 0; i < bytes; i++) out[to + i] = (sums[i] ?? 0) >> weightBits;
  }
  return new Uint8Array(out.buffer);
}

function cutColumns({ data, width, height }: Raster, from: number, count: number): Raster {
  if (count === width) return { data, width, height };
  const out = new Uint8Array(3 * count * height);
  for (let y = 0; y < height; y++) {
    const start = 3 * (y * width + from);
    out.set(data.subarray(start, start + 3 * count), 3 * y * count);
  }
  return { data: out, width: count, height };
}
