import sharp, { type Sharp } from "sharp";

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Part extends Size {
  readonly left: number;
  readonly top: number;
}

/** The size of a picture that is made to fit a square; it is never enlarged, and never thinner than a pixel. */
export function sizeInside({ width, height }: Size, edgeMax: number): Size {
  const scale = Math.min(1, edgeMax / Math.max(width, height));
  const lengthOf = (length: number) => Math.max(1, Math.round(length * scale));
  return { width: lengthOf(width), height: lengthOf(height) };
}

/** Pixels in sRGB, three bytes each, row by row, without alpha. */
export interface Raster extends Size {
  readonly data: Uint8Array;
}

export function fromRaster({ data, width, height }: Raster): Sharp {
  return sharp(data, { raw: { width, height, channels: 3 } });
}

export async function toRaster(pipeline: Sharp): Promise<Raster> {
  const { data, info } = await pipeline
    .toColourspace("srgb")
    .raw({ depth: "uchar" })
    .toBuffer({ resolveWithObject: true });
  if (info.channels !== 3) throw new Error(`${info.channels} channels came out instead of 3`);
  return { data, width: info.width, height: info.height };
}

/** The raster squashed into another size, by libvips. */
export async function resizeRaster(
  raster: Raster,
  { width, height }: Size,
  kernel: "linear" | "cubic",
): Promise<Raster> {
  return toRaster(fromRaster(raster).resize(width, height, { fit: "fill", kernel }));
}

/** A JPEG without metadata: no EXIF, no place, no profile, and so sRGB. */
export async function encodeJpeg(raster: Raster, quality: number): Promise<Uint8Array> {
  return fromRaster(raster)
    .jpeg({ quality, chromaSubsampling: quality >= 90 ? "4:4:4" : "4:2:0" })
    .toBuffer();
}
