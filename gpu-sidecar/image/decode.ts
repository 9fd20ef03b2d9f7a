import sharp, { type Metadata, type Sharp } from "sharp";
import { AppError } from "../../shared/errors.ts";
import { type ImageMediaType, sniffMediaType } from "../../shared/images/media-types.ts";
import { PixelBudget } from "./pixel-budget.ts";
import { type Part, type Raster, type Size, sizeInside, toRaster } from "./raster.ts";

/** A file whose header was read. Its size is that of the whole picture as it is looked at: after the EXIF orientation. */
export interface OpenPicture extends Size {
  readonly mediaType: ImageMediaType;
  /** The raw EXIF block, if there is one. */
  readonly exif: Uint8Array | undefined;
  /**
   * Decodes the first frame: upright, its ICC profile turned into sRGB, transparency laid on white; in the size that
   * is asked for, which is not larger than the picture, and of that a part.
   */
  readonly read: (size: Size, part?: Part) => Promise<Raster>;
}

export interface DecodedPicture extends Omit<OpenPicture, "read"> {
  readonly raster: Raster;
}

export interface OpenOptions {
  /** Width times height of the original; what has more is refused before it is decoded. */
  readonly pixelsMax?: number;
  readonly timeoutSeconds?: number;
  /** Shared by pictures that are decoded at the same time; alone without. */
  readonly budget?: PixelBudget;
}

export interface DecodeOptions extends OpenOptions {
  /** The longest edge of the raster; a larger picture is made smaller while it is read. */
  readonly edgeMax?: number;
}

// No picture is decoded twice, so what libvips would keep of the last ones is only memory.
sharp.cache(false);

const defaults = { pixelsMax: 100_000_000, edgeMax: 2048, timeoutSeconds: 30 } as const;

/**
 * Only the types that the content shows are read, so that no other decoder of libvips (SVG, PDF) is ever reached. A
 * file that ends too early fails; it is not shown with grey where the rest should be.
 */
export async function openPicture(bytes: Uint8Array, options: OpenOptions = {}): Promise<OpenPicture> {
  const { pixelsMax, timeoutSeconds } = { ...defaults, ...options };
  const budget = options.budget ?? new PixelBudget(pixelsMax);
  const mediaType = sniffMediaType(bytes);
  if (!mediaType) throw undecodable("The content is not a picture that can be read here.");
  const open = () =>
    sharp(bytes, { failOn: "error", limitInputPixels: pixelsMax, sequentialRead: true, pages: 1 });
  const metadata = await readMetadata(open(), mediaType, pixelsMax);
  const { width, height } = metadata.autoOrient;
  const shape = createShaper(mediaType, { width, height });
  const read = async (size: Size, part?: Part): Promise<Raster> => {
    const picture = await openColours(open().autoOrient(), metadata, timeoutSeconds);
    return toRaster(shape(picture, size, part).timeout({ seconds: timeoutSeconds }));
  };
  const fail = (cause: unknown): never => {
    const isLate = cause instanceof Error && /timeout/i.test(cause.message);
    throw isLate ? tooSlow(timeoutSeconds, cause) : undecodable(messageFor(mediaType), cause);
  };
  return {
    mediaType,
    width,
    height,
    exif: metadata.exif,
    read: (size, part) => budget.run(width * height, () => read(size, part)).catch(fail),
  };
}

/** The whole picture, at most `edgeMax` long. */
export async function decodePicture(bytes: Uint8Array, options: DecodeOptions = {}): Promise<DecodedPicture> {
  const { read, ...picture } = await openPicture(bytes, options);
  return { ...picture, raster: await read(sizeInside(picture, options.edgeMax ?? defaults.edgeMax)) };
}

/**
 * A large JPEG is not decoded in full, which is twice as fast; but libvips rounds what it loads smaller, and 3001
 * pixels would come out as 3000 that are a little too wide. WebP could be loaded smaller too, with colours that are off
 * by 40 of 255 beside hard edges.
 */
function createShaper(mediaType: ImageMediaType, whole: Size) {
  const isJpeg = mediaType === "image/jpeg";
  const isEven = whole.width % 8 === 0 && whole.height % 8 === 0;
  return (picture: Sharp, size: Size, part?: Part): Sharp => {
    const factor = Math.min(whole.width / size.width, whole.height / size.height);
    // What is cut first, be it nothing, is loaded in full.
    const loaded =
      isJpeg && !isEven && factor >= 2 ? picture.extract({ left: 0, top: 0, ...whole }) : picture;
    const shrunk = isSame(size, whole)
      ? loaded
      : loaded.resize(size.width, size.height, { fit: "fill", kernel: "cubic", fastShrinkOnLoad: isJpeg });
    return part && !isSame(part, size) ? shrunk.extract({ ...part }) : shrunk;
  };
}

function isSame(left: Size, right: Size): boolean {
  return left.width === right.width && left.height === right.height;
}

async function openColours(picture: Sharp, metadata: Metadata, timeoutSeconds: number): Promise<Sharp> {
  if (metadata.space === "cmyk" && !metadata.hasProfile) return openInks(picture, timeoutSeconds);
  // libvips turns 16 bits with a profile into Display P3, and what follows takes that for sRGB.
  const isDeep = metadata.depth === "ushort" && metadata.hasProfile;
  return (isDeep ? picture.withIccProfile("srgb") : picture).flatten({ background: "#ffffff" });
}

/**
 * Inks without a profile are what everyone takes them for: each dims the light that black leaves, so that red is
 * (255 - cyan) (255 - black) / 255; libvips would take them for a certain press. Negated, the four inks are red,
 * green, blue and an alpha to be laid on black, which is that product.
 */
async function openInks(picture: Sharp, timeoutSeconds: number): Promise<Sharp> {
  const { data, info } = await picture
    .pipelineColourspace("cmyk")
    .toColourspace("cmyk")
    .negate()
    .timeout({ seconds: timeoutSeconds })
    .raw({ depth: "uchar" })
    .toBuffer({ resolveWithObject: true });
  if (info.channels !== 4) throw new Error(`${info.channels} inks came out instead of 4`);
  const { width, height } = info;
  return sharp(data, { raw: { width, height, channels: 4 } }).flatten({ background: "#000000" });
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
