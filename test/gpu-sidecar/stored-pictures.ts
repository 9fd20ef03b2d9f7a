/** Pictures that were taken in long ago: rows that are ready and copies in storage, written without a sidecar. */
import { preparePixels } from "../../gpu-sidecar/image/prepare.ts";
import type { Inference } from "../../gpu-sidecar/models/inference.ts";
import { createId } from "../../shared/ids.ts";
import { type ImageVariant, imagePath } from "../../shared/images/contract.ts";
import { drawJpegs, type Library, palette } from "./library.ts";

export interface StoredPicture {
  readonly id: string;
  readonly ownerId: string | null;
  readonly jpeg: Uint8Array;
}

export interface StoreOptions {
  readonly ownerId?: string | null;
  /** What there is in storage. Default the thumbnail alone: the row names all three. */
  readonly variants?: readonly ImageVariant[];
  readonly bytes?: Uint8Array;
  /** Null: from before there were colours. */
  readonly colours?: string[] | null;
  readonly title?: string;
  readonly keywords?: readonly string[];
}

export async function storePicture(
  { house }: Pick<Library, "house">,
  jpeg: Uint8Array,
  options: StoreOptions = {},
): Promise<StoredPicture> {
  const { ownerId = house.alice.id, variants = ["thumbnail"], bytes = jpeg, colours = ["red"] } = options;
  const id = createId();
  for (const variant of variants) {
    await house.deps.objects.put(imagePath({ id, ownerId }, variant), bytes, "image/jpeg");
  }
  await house.sql`
    insert into parlance.images
      (id, owner_id, name, title, keywords, state, media_type, size_bytes, width, height, variants, colours)
    values (
      ${id}, ${ownerId}, ${`${id}.jpg`}, ${options.title ?? null}, ${[...(options.keywords ?? [])]}::text[], 'ready',
      'image/jpeg', ${jpeg.length}, 240, 180, '{original,display,thumbnail}', ${colours}::text[]
    )
  `;
  return { id, ownerId, jpeg };
}

export async function storePictures(
  library: Pick<Library, "house">,
  count: number,
  options: StoreOptions & { readonly seed?: number } = {},
): Promise<StoredPicture[]> {
  const stored: StoredPicture[] = [];
  for (const jpeg of await drawJpegs(count, options.seed))
    stored.push(await storePicture(library, jpeg, options));
  return stored;
}

/** A second space of the same model, kept complete. */
export async function addSpace({ house }: Pick<Library, "house">, name = "second"): Promise<number> {
  const [row] = await house.sql<{ id: number }[]>`
    select parlance.create_embedding_space(${name}, 'palette', 'built-in', ${palette.dimensions}) as id
  `;
  const id = row?.id ?? 0;
  await house.sql`update parlance.embedding_spaces set is_maintained = true where id = ${id}`;
  return id;
}

export interface VectorRow {
  readonly imageId: string;
  readonly ownerId: string | null;
  readonly isPublic: boolean;
  readonly embedding: readonly number[];
}

export async function listVectors({ house }: Pick<Library, "house">, spaceId: number): Promise<VectorRow[]> {
  const rows = await house.sql<(Omit<VectorRow, "embedding"> & { embedding: string })[]>`
    select image_id, owner_id, is_public, embedding::text
    from parlance.image_vectors
    where space_id = ${spaceId}
    order by image_id
  `;
  return rows.map((row) => ({ ...row, embedding: JSON.parse(row.embedding) }));
}

/** The vector of a picture that travels alone. */
export async function embedAlone(inference: Inference, jpeg: Uint8Array): Promise<Float32Array> {
  return inference.embedImages(palette.name, await preparePixels(jpeg, palette.image), 1);
}

/** The largest difference of two vectors in one number. */
export function differenceOf(left: ArrayLike<number>, right: ArrayLike<number>): number {
  if (left.length !== right.length) return Number.POSITIVE_INFINITY;
  return Math.max(...Array.from(left, (value, index) => Math.abs(value - (right[index] ?? Number.NaN))));
}
