import type { ImageColour } from "../../shared/images/contract.ts";
import { labFromSrgb } from "../math/colour.ts";
import { type BasicColour, basicColours } from "../models/palette/layout.ts";
import { shareOfBasics, shareOfShades } from "../models/palette/shades.ts";
import type { Raster } from "./raster.ts";

/** A colour is named when at least this share of the picture shows it. */
const shareMin = 0.1;
const samplesMax = 4096;

/** The basic colours that a picture shows much of, the most first; as `palette` tells colours apart. */
export function nameColours(raster: Raster): ImageColour[] {
  const shares = shareOfColours(raster);
  return basicColours
    .map((name, index) => ({ name, share: shares[index] ?? 0 }))
    .filter(({ share }) => share >= shareMin)
    .sort((left, right) => right.share - left.share)
    .map(({ name }): ImageColour => name satisfies BasicColour);
}

/** Mean over pixels taken evenly from the whole picture. */
function shareOfColours({ data, width, height }: Raster): Float64Array {
  const count = width * height;
  const samples = Math.min(count, samplesMax);
  const sums = new Float64Array(basicColours.length);
  for (let sample = 0; sample < samples; sample++) {
    const at = 3 * Math.floor(((sample + 0.5) * count) / samples);
    const shares = basicsOfPixel(data[at] ?? 0, data[at + 1] ?? 0, data[at + 2] ?? 0);
    for (let index = 0; index < sums.length; index++) sums[index] = (sums[index] ?? 0) + (shares[index] ?? 0);
  }
  return sums.map((sum) => sum / samples);
}

const known = new Map<number, Float64Array>();

/** To five bits a channel, so that few colours are reckoned and each only once. */
function basicsOfPixel(red: number, green: number, blue: number): Float64Array {
  const key = ((red >> 3) << 10) | ((green >> 3) << 5) | (blue >> 3);
  let shares = known.get(key);
  if (!shares) {
    const level = (value: number) => ((value >> 3) * 8 + 4) / 255;
    shares = shareOfBasics(shareOfShades(labFromSrgb([level(red), level(green), level(blue)])));
    known.set(key, shares);
  }
  return shares;
}
