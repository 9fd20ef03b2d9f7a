import sharp, { type Metadata, type Sharp } from "sharp";
import { AppError } from "../../shared/errors.ts";
import { type ImageMediaType, sniffMediaType } from "../../shared/images/media-types.ts";
import type { ImageInput } from "../models/card.ts";
import { PixelBudget } from "./pixel-budget.ts";

/** Pixels in sRGB, three bytes each, row by row, without alpha. */
export interface Raster {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

export interface DecodedPicture {
  readonly mediaType: ImageMediaType;
  /** Of the whole picture as it is looked at: after the EXIF orientation. */
  readonly width: number;
  readonly height: number;
  readonly raster: Raster;
  /** The raw EXIF block, if there is one. */
  readonly exif: Uint8Array | undefined;
}

export interface DecodeOptions {
  /** Width times height of the original; what has more is refused before it is decoded. */
  readonly pixelsMax?: number;
  /** The longest edge of the raster; a larger picture is made smaller while it is read. */
  readonly edgeMax?: number;
  readonly timeoutSeconds?: number;
  /** Shared by pictures that are decoded at the same time; alone without. */
  readonly budget?: PixelBudget;
}

// No picture is decoded twice, so what libvips would keep of the last ones is only memory.
sharp.cache(false);

const defaults = { pixelsMax: 100_000_000, edgeMax: 2048, timeoutSeconds: 30 } as const;

/**
 * Decodes the first frame: upright, its ICC profile turned into sRGB, transparency laid on white. Only the types that
 * the content shows are read, so that no other decoder of libvips (SVG, PDF) is ever reached. A file that ends too
 * early fails; it is not shown with grey where the rest should be.
 */
export async function decodePicture(bytes: Uint8Array, options: DecodeOptions = {}): Promise<DecodedPicture> {
  const { pixelsMax, edgeMax, timeoutSeconds } = { ...defaults, ...options };
  const budget = options.budget ?? new PixelBudget(pixelsMax);
  const mediaType = sniffMediaType(bytes);
  if (!mediaType) throw undecodable("The content is not a picture that can be read here.");
  const open = () =>
    sharp(bytes, { failOn: "error", limitInputPixels: pixelsMax, sequentialRead: true, pages: 1 });
  const metadata = await readMetadata(open(), mediaType, pixelsMax);
  const { width, height } = metadata.autoOrient;
  const pipeline = open()
    .autoOrient()
    .resize(edgeMax, edgeMax, { fit: "inside", withoutEnlargement: true })
    .flatten({ background: "#ffffff" })
    .timeout({ seconds: timeoutSeconds });
  const raster = await budget
    .run(width * height, () => toRaster(pipeline))
    .catch((cause: unknown) => {
      const isLate = cause instanceof Error && /timeout/i.test(cause.message);
      throw isLate ? tooSlow(timeoutSeconds, cause) : undecodable(messageFor(mediaType), cause);
    });
  return { mediaType, width, height, raster, exif: metadata.exif };
}

/** The raster in another size. `fill` squashes, `cover` cuts, `inside` keeps the shape and never enlarges. */
export async function resizeRaster(
  raster: Raster,
  size: { width: number; height: number },
  options: { fit: "fill" | "cover" | "inside"; kernel: ImageInput["kernel"] },
): Promise<Raster> {
  const { width, height } = size;
  const { fit, kernel } = options;
  const withoutEnlargement = fit === "inside";
  return toRaster(fromRaster(raster).resize(width, height, { fit, kernel, withoutEnlargement }));
}

/** A JPEG without metadata: no EXIF, no place, no profile, and so sRGB. */
export async function encodeJpeg(raster: Raster, quality: number): Promise<Uint8Array> {
  return fromRaster(raster)
    .jpeg({ quality, chromaSubsampling: quality >= 90 ? "4:4:4" : "4:2:0" })
    .toBuffer();
}

function fromRaster({ data, width, height }: Raster): Sharp {
  return sharp(data, { raw: { width, height, channels: 3 } });
}

async function toRaster(pipeline: Sharp): Promise<Raster> {
  const { data, info } = await pipeline
    .toColourspace("srgb")
    .raw({ depth: "uchar" })
    .toBuffer({ resolveWithObject: true });
  if (info.channels !== 3) throw new Error(`${info.channels} channels came out instead of 3`);
  return { data, width: info.width, height: info.height };
}

async function readMetadata(picture: Sharp, mediaType: ImageMediaType, pixelsMax: number): Promise<Metadata> {
  const metadata = await picture.metadata().catch((cause: unknown) => {
    const tooMany = cause instanceof Error && /pixel limit/i.test(cause.message);
    throw tooMany ? tooManyPixels(pixelsMax) : undecodable(messageFor(mediaType), cause);
  });
  if (metadata.width * metadata.height > pixelsMax) throw tooManyPixels(pixelsMax);
  return metadata;
}

function messageFor(mediaType: ImageMediaType): string {
  return mediaType === "image/heic"
    ? "This machine has no decoder for HEIC. Send the picture as JPEG, PNG, WebP or AVIF."
    : `The ${mediaType.slice("image/".length)} file is damaged or ends too early.`;
}

function undecodable(message: string, cause?: unknown): AppError {
  return new AppError("image_undecodable", message, { cause });
}

/** It may have been the machine that was busy, so it may be tried again. */
function tooSlow(seconds: number, cause: unknown): AppError {
  const message = `Decoding the picture took longer than ${seconds} s.`;
  return new AppError("deadline_exceeded", message, { cause, retryable: true });
}

function tooManyPixels(pixelsMax: number): AppError {
  const millions = (pixelsMax / 1e6).toLocaleString("en", { maximumFractionDigits: 1 });
  return new AppError("image_too_many_pixels", `The picture has more than ${millions} million pixels.`);
}
