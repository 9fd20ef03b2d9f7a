import { AppError } from "../../shared/errors.ts";
import {
  type ImageColour,
  type ImageVariant,
  imagePath,
  variantEdges,
} from "../../shared/images/contract.ts";
import { nameColours } from "../image/colours.ts";
import { decodePicture, type OpenOptions } from "../image/decode.ts";
import { preparePixels } from "../image/prepare.ts";
import type { ImageInput } from "../models/card.ts";
import type { PictureStore } from "../storage.ts";

/** What is enough for a model, the smallest first. */
const variantsBySize: readonly ImageVariant[] = ["thumbnail", "display", "original"];

export interface StoredPicture {
  readonly id: string;
  readonly ownerId: string | null;
  readonly variants: readonly ImageVariant[];
}

export interface DerivativeWish {
  /** Of the model that wants pixels; undefined where only the colours are wanted. */
  readonly input: ImageInput | undefined;
  readonly colours: boolean;
}

export interface ReadDerivative {
  readonly pixels: Float32Array | undefined;
  readonly colours: ImageColour[] | undefined;
}

/** The smallest copy of a picture that can be read; a larger one where a smaller is missing or broken. */
export async function readDerivative(
  { store, ...options }: OpenOptions & { readonly store: PictureStore },
  picture: StoredPicture,
  wish: DerivativeWish,
  signal: AbortSignal,
): Promise<ReadDerivative> {
  let failure = new AppError("image_object_missing", "The picture has no copy in storage.");
  for (const variant of variantsBySize.filter((name) => picture.variants.includes(name))) {
    try {
      const bytes = await store.get(imagePath(picture, variant), signal);
      return await look(bytes, wish, options);
    } catch (error) {
      if (!isOfThePicture(error)) throw error;
      failure = error;
    }
  }
  throw failure;
}

async function look(bytes: Uint8Array, wish: DerivativeWish, options: OpenOptions): Promise<ReadDerivative> {
  try {
    const [pixels, colours] = await Promise.all([
      wish.input && preparePixels(bytes, wish.input, options),
      wish.colours ? readColours(bytes, options) : undefined,
    ]);
    return { pixels, colours };
  } catch (cause) {
    // Whatever it is, it comes from these bytes and would come again.
    throw cause instanceof AppError
      ? cause
      : new AppError("image_undecodable", "The picture could not be made ready for the model.", { cause });
  }
}

async function readColours(bytes: Uint8Array, options: OpenOptions): Promise<ImageColour[]> {
  const { raster } = await decodePicture(bytes, { ...options, edgeMax: variantEdges.thumbnail });
  return nameColours(raster);
}

/** Whether it is this picture that cannot be read, and not storage that is away. */
export function isOfThePicture(error: unknown): error is AppError {
  return (
    error instanceof AppError &&
    (error.code === "image_object_missing" ||
      error.code === "image_undecodable" ||
      error.code === "image_too_many_pixels" ||
      error.code === "payload_too_large" ||
      // One that takes so long to decode would hold up all others each time.
      error.code === "deadline_exceeded")
  );
}
