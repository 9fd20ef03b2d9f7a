import { type Raster, resizeRaster } from "./raster.ts";

/** SHA-256 of the bytes, in hex. */
export async function hashContent(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
  return toHex(new Uint8Array(digest));
}

const side = 32;
const low = 8;
/** Coefficients nearer than this to the median count as not above it, so that noise in an even picture sets no bits. */
const deadZone = 1;

/**
 * A 64-bit hash of what a picture looks like, as 16 hex digits: pHash by the discrete cosine transform
 * (Zauner 2010, "Implementation and Benchmarking of Perceptual Image Hash Functions"): the picture in grey at 32 by 32,
 * its 8 by 8 lowest frequencies, each compared with their median. Another size or quality changes few bits.
 */
export async function hashPicture(raster: Raster): Promise<string> {
  const square = await resizeRaster(raster, { width: side, height: side }, "linear");
  const coefficients = lowFrequencies(toGrey(square));
  const middle = median(coefficients.slice(1));
  const bytes = new Uint8Array(low);
  coefficients.forEach((value, index) => {
    // The first one is the mean, which is above all others; its bit says whether the picture is rather light.
    const limit = index === 0 ? 128 * side : middle + deadZone;
    if (value > limit) bytes[index >> 3] = (bytes[index >> 3] ?? 0) | (128 >> (index & 7));
  });
  return toHex(bytes);
}

function toGrey(raster: Raster): Float64Array {
  const { data } = raster;
  return Float64Array.from({ length: raster.width * raster.height }, (_, i) => {
    return 0.299 * (data[3 * i] ?? 0) + 0.587 * (data[3 * i + 1] ?? 0) + 0.114 * (data[3 * i + 2] ?? 0);
  });
}

/** The 8 by 8 lowest frequencies of the orthonormal DCT-II of a 32 by 32 square, row by row. */
function lowFrequencies(grey: Float64Array): number[] {
  const rows = Array.from({ length: low }, (_, u) =>
    Array.from({ length: side }, (_, x) => sumUp((y) => cosine(u, y) * (grey[y * side + x] ?? 0))),
  );
  return rows.flatMap((row) =>
    Array.from({ length: low }, (_, v) => sumUp((x) => cosine(v, x) * (row[x] ?? 0))),
  );
}

const cosines = Float64Array.from({ length: low * side }, (_, index) => {
  const frequency = Math.floor(index / side);
  const scale = Math.sqrt((frequency === 0 ? 1 : 2) / side);
  return scale * Math.cos((Math.PI * frequency * (2 * (index % side) + 1)) / (2 * side));
});

function cosine(frequency: number, position: number): number {
  return cosines[frequency * side + position] ?? 0;
}

function sumUp(term: (index: number) => number): number {
  let sum = 0;
  for (let i = 0; i < side; i++) sum += term(i);
  return sum;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[half] ?? 0) : ((sorted[half - 1] ?? 0) + (sorted[half] ?? 0)) / 2;
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
