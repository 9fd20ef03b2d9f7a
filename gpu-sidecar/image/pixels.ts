import type { ImageInput } from "../models/card.ts";
import { type Raster, resizeRaster } from "./decode.ts";

/** A raster as the numbers that a model reads: [3, size, size]. */
export async function toModelPixels(raster: Raster, input: ImageInput): Promise<Float32Array> {
  const size = { width: input.size, height: input.size };
  const fit = input.resize === "squash" ? "fill" : "cover";
  const square = await resizeRaster(raster, size, { fit, kernel: input.kernel });
  return normalisePixels(square, input);
}

/** Rows of pixels become planes of red, green and blue; each byte is looked up, which is faster than reckoning. */
export function normalisePixels(
  raster: Raster,
  input: Pick<ImageInput, "scale" | "mean" | "deviation">,
): Float32Array {
  const count = raster.width * raster.height;
  const pixels = new Float32Array(3 * count);
  for (let channel = 0; channel < 3; channel++) {
    const table = lookupTable(input.scale, input.mean[channel] ?? 0, input.deviation[channel] ?? 1);
    for (let i = 0; i < count; i++)
      pixels[channel * count + i] = table[raster.data[3 * i + channel] ?? 0] ?? 0;
  }
  return pixels;
}

/** Pictures one after the other in one array, as a batch is handed to a model. */
export function joinPixels(pictures: readonly Float32Array[]): Float32Array {
  const batch = new Float32Array(pictures.reduce((sum, picture) => sum + picture.length, 0));
  let offset = 0;
  for (const picture of pictures) {
    batch.set(picture, offset);
    offset += picture.length;
  }
  return batch;
}

function lookupTable(scale: number, mean: number, deviation: number): Float32Array {
  return Float32Array.from({ length: 256 }, (_, value) => (value * scale - mean) / deviation);
}
