import type { ImageInput } from "../models/card.ts";
import type { Part, Size } from "./raster.ts";
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
 * The frame in a copy of the picture that has on each axis `room` times what it is scaled to; an axis that is not
 * longer than `direct` times that stays as it is, because shrinking by little blurs much.
 */
export function shrinkFrame({ columns, rows }: Frame, { room, direct }: Shrinking): Frame {
  const shrink = (axis: Axis): Axis =>
    axis.size > direct * axis.scaled ? { ...axis, size: Math.ceil(room * axis.scaled) } : axis;
  return { columns: shrink(columns), rows: shrink(rows) };
}

export interface Shrinking {
  readonly room: number;
  readonly direct: number;
}

/** Whether a copy has on each axis `room` times what the frame scales it to, or all that the picture has. */
export function hasRoom(copy: Size, { columns, rows }: Frame, room: number): boolean {
  const suffices = (length: number, axis: Axis) => length >= Math.min(axis.size, room * axis.scaled);
  return suffices(copy.width, columns) && suffices(copy.height, rows);
}

/** What of a picture a frame reads. */
export function partOf({ columns, rows }: Frame, kernel: Kernel): Part {
  const [across, down] = [reachOf(columns, kernel), reachOf(rows, kernel)];
  return { left: across.from, top: down.from, width: across.count, height: down.count };
}
