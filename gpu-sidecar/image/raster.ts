import sharp, { type Sharp } from "sharp";

export interface Size {
  readonly width: number;
  readonly height: number;
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

/** The raster in another size, by libvips. `fill` squashes, `inside` keeps the shape and never enlarges. */
export async function resizeRaster(
  raster: Raster,
  { width, height }: Size,
  { fit, kernel }: { fit: "fill" | "inside"; kernel: "linear" | "cubic" },
): Promise<Raster> {
  const withoutEnlargement = fit === "inside";
  return toRaster(fromRaster(raster).resize(width, height, { fit, kernel, withoutEnlargement }));
}

/** A JPEG without metadata: no EXIF, no place, no profile, and so sRGB. */
export async function encodeJpeg(raster: Raster, quality: number): Promise<Uint8Array> {
  return fromRaster(raster)
    .jpeg({ quality, chromaSubsampling: quality >= 90 ? "4:4:4" : "4:2:0" })
    .toBuffer();
}
