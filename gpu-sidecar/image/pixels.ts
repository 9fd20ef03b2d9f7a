import type { ImageInput } from "../models/card.ts";
import type { OpenPicture } from "./decode.ts";
import { type Frame, frameIn, frameOf, hasRoom, partOf, shrinkFrame } from "./frame.ts";
import { fromRaster, type Raster, type Size, toRaster } from "./raster.ts";
import { resample } from "./resample.ts";

/**
 * How a picture becomes what a model reads, as Pillow would have made it: libvips, quick and in threads of its own,
 * shrinks it to `room` times the model's size and cuts; the rest is done as Pillow does it, and all of it for a picture
 * that is at most `direct` times as large. With fine grain and hard edges the largest difference to Pillow is 11 of 255
 * with a room of 2, 9 with 2.5 and 6 with 3 (11 for drawings in black and white with lines of one pixel).
 */
const shrinking = { room: 3, direct: 4 } as const;
/** What a raster that is at hand must have to be used in place of the file; 8 of 255 at worst. */
const roomMin = 2.25;

/** From the file: as little of it as can be is decoded. */
export async function readModelPixels(picture: OpenPicture, input: ImageInput): Promise<Float32Array> {
  const frame = shrinkFor(frameOf(picture, input), input);
  const part = partOf(frame, input.kernel);
  const raster = await picture.read(sizeOf(frame), part);
  return normalisePixels(resample({ raster, ...part }, frame, input.kernel), input);
}

/** From a raster that shows a picture whole, perhaps smaller than it is: `whole` is the picture's own size. */
export async function toModelPixels(
  raster: Raster,
  input: ImageInput,
  whole: Size = raster,
): Promise<Float32Array> {
  const frame = shrinkFor(frameIn(raster, frameOf(whole, input)), input);
  const { width, height } = sizeOf(frame);
  const part = partOf(frame, input.kernel);
  const isLarge = width < raster.width || height < raster.height;
  const shrink = () =>
    toRaster(
      fromRaster(raster)
        .resize(width, height, { fit: "fill", kernel: "cubic" })
        .extract({ ...part }),
    );
  const cut = isLarge ? { raster: await shrink(), ...part } : { raster, left: 0, top: 0 };
  return normalisePixels(resample(cut, frame, input.kernel), input);
}

/** Whether a raster is enough for the model, or the file must be read again: it was long and thin. */
export function sufficesForModel(raster: Raster, input: ImageInput, whole: Size): boolean {
  const room = input.kernel === "nearest" ? Number.POSITIVE_INFINITY : roomMin;
  return hasRoom(raster, frameOf(whole, input), room);
}

/** Choosing the nearest pixel is right only among all of them. */
function shrinkFor(frame: Frame, { kernel }: ImageInput): Frame {
  return kernel === "nearest" ? frame : shrinkFrame(frame, shrinking);
}

function sizeOf({ columns, rows }: Frame): Size {
  return { width: columns.size, height: rows.size };
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
