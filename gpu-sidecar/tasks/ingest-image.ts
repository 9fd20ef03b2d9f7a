import type { Sql } from "postgres";
import { AppError } from "../../shared/errors.ts";
import { type ImageState, type ImageVariant, imagePath } from "../../shared/images/contract.ts";
import { type IngestPayload, ingestImage } from "../../shared/images/kinds.ts";
import type { IngestOutcome } from "../../shared/images/outcomes.ts";
import { defineTask, type Task, type TaskContext } from "../../shared/jobs/kinds.ts";
import { PixelBudget } from "../image/pixel-budget.ts";
import { type PreparedPicture, preparePicture } from "../image/prepare.ts";
import type { PictureEmbedder } from "../models/batcher.ts";
import type { Space, SpaceDirectory } from "../spaces.ts";
import type { PictureStore } from "../storage.ts";

export interface IngestOptions {
  readonly sql: Sql;
  readonly store: PictureStore;
  readonly spaces: SpaceDirectory;
  readonly embedder: PictureEmbedder;
  /** Width times height of an original, and of all that are decoded at the same time. */
  readonly pixelsMax: number;
}

interface ImageRow {
  readonly id: string;
  readonly ownerId: string | null;
  readonly state: ImageState;
}

const variants: readonly ImageVariant[] = ["original", "display", "thumbnail"];
const steps = 4;

/**
 * Looks at a picture that was sent: original in, derivatives, hashes, EXIF and vector out. Doing it twice writes the
 * same objects again; the row changes when the job ends.
 */
export function createIngestTask(options: IngestOptions): Task {
  const budget = new PixelBudget(options.pixelsMax);
  return defineTask(ingestImage, (payload, context) => ingest({ ...options, budget }, payload, context));
}

async function ingest(
  { sql, store, spaces, embedder, pixelsMax, budget }: IngestOptions & { readonly budget: PixelBudget },
  { imageId }: IngestPayload,
  { signal, reportProgress }: TaskContext,
): Promise<IngestOutcome> {
  const image = await getWaitingImage(sql, imageId);
  const space = await spaces.findCurrent();
  const original = await store.get(imagePath(image, "original"), signal);
  signal.throwIfAborted();
  reportProgress(1, steps, "decoding");

  const { pixels, ...picture } = await preparePicture(original, space?.model?.image, { pixelsMax, budget });
  signal.throwIfAborted();
  reportProgress(2, steps, "embedding");

  const vector = await embedPixels(embedder, space, pixels);
  signal.throwIfAborted();
  reportProgress(3, steps, "storing");

  await Promise.all([
    store.put(imagePath(image, "display"), picture.display, "image/jpeg"),
    store.put(imagePath(image, "thumbnail"), picture.thumbnail, "image/jpeg"),
  ]);
  reportProgress(4, steps, "stored");
  return toOutcome(picture, vector);
}

/** Null where this worker does not have the model of the space that searches: another one fills it in later. */
async function embedPixels(
  embedder: PictureEmbedder,
  space: Space | undefined,
  pixels: Float32Array | undefined,
): Promise<IngestOutcome["vector"]> {
  if (!space?.model || !pixels) return null;
  return { spaceId: space.id, embedding: [...(await embedder.embed(space.model.name, pixels))] };
}

/** Another job may have ended it, or its owner deleted it: then there is nothing to do, now or later. */
async function getWaitingImage(sql: Sql, imageId: string): Promise<ImageRow> {
  const [image] = await sql<ImageRow[]>`
    select id, owner_id, state
    from parlance.images
    where id = ${imageId}
  `;
  if (!image) throw new AppError("not_found", "The picture was deleted.");
  if (image.state !== "processing") throw new AppError("conflict", `The picture is ${image.state} already.`);
  return image;
}

function toOutcome(picture: Omit<PreparedPicture, "pixels">, vector: IngestOutcome["vector"]): IngestOutcome {
  const { takenAt, camera, tags, place } = picture.exif;
  return {
    mediaType: picture.mediaType,
    sizeBytes: picture.sizeBytes,
    width: picture.width,
    height: picture.height,
    sha256: picture.sha256,
    perceptualHash: picture.perceptualHash,
    variants,
    takenAt,
    camera,
    exif: tags,
    place,
    colours: picture.colours,
    vector,
  };
}
