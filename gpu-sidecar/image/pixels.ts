import type { ImageInput } from "../models/card.ts";
import type { OpenPicture } from "./decode.ts";
import { finishPixels } from "./finish-pool.ts";
import { type Frame, frameIn, frameOf, hasRoom, partOf, shrinkFrame } from "./frame.ts";
import { fromRaster, type Raster, type Size, toRaster } from "./raster.ts";

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
  return finishPixels({ cut: { raster, ...part }, frame, input });
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
  return finishPixels({ cut, frame, input });
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
