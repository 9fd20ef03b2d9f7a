import type { Sharp } from "sharp";
import type { ImageInput } from "../models/card.ts";
import type { Size } from "./raster.ts";
import { type Axis, type Kernel, reachOf } from "./resample.ts";

/**
 * Which part of a picture a model reads, at which scale. `cover` follows the image processors of Hugging Face to the
 * pixel: the short edge becomes `edge`, the long one is rounded down, and so is where the cut begins.
 */
export interface Frame {
  readonly columns: Axis;
  readonly rows: Axis;
}

export function frameOf({ width, height }: Size, { size, edge, resize }: ImageInput): Frame {
  const short = Math.min(width, height);
  const axisOf = (length: number): Axis => {
    if (resize === "squash") return { size: length, scaled: size, start: 0, count: size };
    const scaled = length === short ? edge : Math.floor((edge * length) / short);
    return { size: length, scaled, start: Math.floor((scaled - size) / 2), count: size };
  };
  return { columns: axisOf(width), rows: axisOf(height) };
}

/** The same frame in a copy of the picture that has another size. */
export function frameIn({ width, height }: Size, { columns, rows }: Frame): Frame {
  return { columns: { ...columns, size: width }, rows: { ...rows, size: height } };
}

/**
 * The frame in the smallest copy of the picture that is still good enough: on each axis `room` times what it is scaled
 * to, never more than there is.
 */
export function shrinkFrame({ columns, rows }: Frame, room: number): Frame {
  const shrink = (axis: Axis): Axis => ({
    ...axis,
    size: Math.min(axis.size, Math.ceil(room * axis.scaled)),
  });
  return { columns: shrink(columns), rows: shrink(rows) };
}

/** Whether a copy has on each axis `room` times what the frame scales it to, or all that the picture has. */
export function hasRoom(copy: Size, { columns, rows }: Frame, room: number): boolean {
  const suffices = (length: number, axis: Axis) => length >= Math.min(axis.size, room * axis.scaled);
  return suffices(copy.width, columns) && suffices(copy.height, rows);
}

/** The part that a frame reads. */
export interface Part extends Size {
  readonly left: number;
  readonly top: number;
}

export function partOf({ columns, rows }: Frame, kernel: Kernel): Part {
  const [across, down] = [reachOf(columns, kernel), reachOf(rows, kernel)];
  return { left: across.from, top: down.from, width: across.count, height: down.count };
}

/** Makes a picture as small as the frame says, and cuts away what is not in the part. */
export function shapePicture(picture: Sharp, whole: Size, frame: Frame, part: Part, kernel: Kernel): Sharp {
  const [width, height] = [frame.columns.size, frame.rows.size];
  const isShrunk = width < whole.width || height < whole.height;
  const shrunk = isShrunk ? picture.resize(width, height, { fit: "fill", kernel }) : picture;
  const isCut = part.width < width || part.height < height;
  return isCut ? shrunk.extract(part) : shrunk;
}
