import type { ImageColour } from "../../shared/images/contract.ts";
import { labFromSrgb } from "../math/colour.ts";
import { basicColours } from "../models/palette/layout.ts";
import { shadeSpread, shades } from "../models/palette/shades.ts";
import type { Raster } from "./raster.ts";

/** A colour is named when at least this share of the picture shows it. */
const shareMin = 0.1;

/**
 * The basic colours that a picture shows much of, the most first; as `palette` tells colours apart. Every pixel counts
 * the same. What was transparent is white, as in every raster.
 */
export function nameColours(raster: Raster): ImageColour[] {
  const shares = shareOfColours(raster);
  return basicColours
    .map((name, index): { name: ImageColour; share: number } => ({ name, share: shares[index] ?? 0 }))
    .filter(({ share }) => share >= shareMin)
    .sort((left, right) => right.share - left.share)
    .map(({ name }) => name);
}

/** Of each basic colour, adding up to 1. Pixels are counted to five bits a channel, so that few colours are reckoned. */
export function shareOfColours({ data, width, height }: Raster): Float64Array {
  const counts = new Uint32Array(binCount);
  const end = 3 * width * height;
  for (let i = 0; i < end; i += 3) {
    const bin = (((data[i] ?? 0) >> 3) << 10) | (((data[i + 1] ?? 0) >> 3) << 5) | ((data[i + 2] ?? 0) >> 3);
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  const sums = new Float64Array(basicColours.length);
  for (let bin = 0; bin < binCount; bin++) {
    const count = counts[bin] ?? 0;
    if (count > 0) addShares(sums, bin, count);
  }
  return sums.map((sum) => sum / (width * height));
}

const binCount = 1 << 15;
/** What each bin counts as, reckoned when it is first seen: a row of basic colours, 1.4 MB in all. */
const known = new Uint8Array(binCount);
const table = new Float32Array(binCount * basicColours.length);

function addShares(sums: Float64Array, bin: number, count: number): void {
  const row = bin * basicColours.length;
  if (known[bin] === 0) {
    table.set(basicsOfBin(bin), row);
    known[bin] = 1;
  }
  for (let i = 0; i < sums.length; i++) sums[i] = (sums[i] ?? 0) + count * (table[row + i] ?? 0);
}

const shadeLabs = Float64Array.from(shades.flatMap(({ lab }) => lab));
const shadeBasics = Float64Array.from(
  shades.flatMap(({ basics }) => basicColours.map((colour) => basics[colour] ?? 0)),
);
const distances = new Float64Array(shades.length);
/** Squared, beyond the nearest shade: what is farther counts less than a millionth. */
const reach = 2 * shadeSpread ** 2 * 14;

/** The middle of a bin, shared out to the shades as `shareOfShades` does it, leaving out what counts for nothing. */
function basicsOfBin(bin: number): Float64Array {
  const levelOf = (shift: number) => (((bin >> shift) & 31) * 8 + 4) / 255;
  const [lightness, a, b] = labFromSrgb([levelOf(10), levelOf(5), levelOf(0)]);
  let nearest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < distances.length; i++) {
    const dl = lightness - (shadeLabs[3 * i] ?? 0);
    const da = a - (shadeLabs[3 * i + 1] ?? 0);
    const db = b - (shadeLabs[3 * i + 2] ?? 0);
    const distance = dl * dl + da * da + db * db;
    distances[i] = distance;
    nearest = Math.min(nearest, distance);
  }
  const basics = new Float64Array(basicColours.length);
  let sum = 0;
  for (let shade = 0; shade < distances.length; shade++) {
    const beyond = (distances[shade] ?? 0) - nearest;
    if (beyond > reach) continue;
    const weight = Math.exp(-beyond / (2 * shadeSpread ** 2));
    sum += weight;
    const row = shade * basics.length;
    for (let i = 0; i < basics.length; i++)
      basics[i] = (basics[i] ?? 0) + weight * (shadeBasics[row + i] ?? 0);
  }
  return basics.map((weight) => weight / sum);
}
