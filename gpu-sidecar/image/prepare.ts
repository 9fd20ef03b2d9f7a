import { type ImageColour, variantEdges } from "../../shared/images/contract.ts";
import type { ImageMediaType } from "../../shared/images/media-types.ts";
import type { ImageInput } from "../models/card.ts";
import { nameColours } from "./colours.ts";
import { type OpenOptions, openPicture } from "./decode.ts";
import { type PictureExif, readExif } from "./exif.ts";
import { hashContent, hashPicture } from "./hash.ts";
import { readModelPixels, sufficesForModel, toModelPixels } from "./pixels.ts";
import { encodeJpeg, type Raster, resizeRaster, sizeInside } from "./raster.ts";

/** Everything that one look at a picture gives. */
export interface PreparedPicture {
  /** By content. */
  readonly mediaType: ImageMediaType;
  readonly sizeBytes: number;
  /** Pixels, upright. */
  readonly width: number;
  readonly height: number;
  readonly sha256: string;
  readonly perceptualHash: string;
  readonly exif: PictureExif;
  /** JPEG in sRGB without metadata, at most 2048 and 512 pixels long; a picture is never enlarged. */
  readonly display: Uint8Array;
  readonly thumbnail: Uint8Array;
  readonly colours: readonly ImageColour[];
  /** What the model reads; undefined without a model. */
  readonly pixels: Float32Array | undefined;
}

const displayQuality = 82;
const thumbnailQuality = 80;

/**
 * Decodes once; derivatives, hash, colours and the model's pixels are all made from that one raster. A picture so long
 * and thin that the raster is too small for the model is decoded again for it.
 */
export async function preparePicture(
  bytes: Uint8Array,
  input: ImageInput | undefined,
  options: OpenOptions = {},
): Promise<PreparedPicture> {
  const picture = await openPicture(bytes, options);
  const { mediaType, width, height } = picture;
  const raster = await picture.read(sizeInside(picture, variantEdges.display));
  const small = await shrink(raster, variantEdges.thumbnail);
  const readPixels = (model: ImageInput) =>
    sufficesForModel(raster, model, picture)
      ? toModelPixels(raster, model, picture)
      : readModelPixels(picture, model);
  const [sha256, perceptualHash, display, thumbnail, pixels] = await Promise.all([
    hashContent(bytes),
    hashPicture(small),
    encodeJpeg(raster, displayQuality),
    encodeJpeg(small, thumbnailQuality),
    input && readPixels(input),
  ]);
  return {
    mediaType,
    width,
    height,
    sizeBytes: bytes.length,
    sha256,
    perceptualHash,
    exif: readExif(picture.exif),
    display,
    thumbnail,
    colours: nameColours(small),
    pixels,
  };
}

/** The model's pixels alone, for a picture that is only asked with or whose derivative is at hand. */
export async function preparePixels(
  bytes: Uint8Array,
  input: ImageInput,
  options: OpenOptions = {},
): Promise<Float32Array> {
  return readModelPixels(await openPicture(bytes, options), input);
}

async function shrink(raster: Raster, edge: number): Promise<Raster> {
  return edge < Math.max(raster.width, raster.height)
    ? resizeRaster(raster, sizeInside(raster, edge), "cubic")
    : raster;
}
