/** SQL that lands the jobs of the image library, in the transaction that ends them. */
import type { TransactionSql } from "postgres";
import type { JobError } from "../jobs/contract.ts";
import type { EndingJob } from "../jobs/kinds.ts";
import type { EmbedQueryOutcome, IngestOutcome } from "./outcomes.ts";
import { addFill } from "./space-kinds.ts";
import { listSpacesToFill } from "./space-landing.ts";

/** pgvector's text form. */
export function toVector(embedding: readonly number[]): string {
  return `[${embedding.join(",")}]`;
}

/** The picture becomes ready with everything that was found out; one deleted meanwhile stays deleted. */
export async function landImage(
  transaction: TransactionSql,
  job: EndingJob,
  outcome: IngestOutcome,
): Promise<void> {
  const [image] = await transaction<{ ownerId: string | null; isPublic: boolean }[]>`
    update parlance.images
    set state = 'ready',
      media_type = ${outcome.mediaType},
      size_bytes = ${outcome.sizeBytes},
      width = ${outcome.width},
      height = ${outcome.height},
      perceptual_hash = ('x' || ${outcome.perceptualHash})::bit(64),
      variants = ${[...outcome.variants]}::text[],
      taken_at = ${outcome.takenAt},
      camera = ${outcome.camera},
      colours = ${[...outcome.colours]}::text[]
    where id = ${job.subjectId} and state = 'processing'
    returning owner_id, is_public
  `;
  if (!image) return;
  await transaction`
    insert into parlance.image_origins
      (image_id, owner_id, sha256, exif, latitude, longitude, altitude_metres)
    values (
      ${job.subjectId}, ${image.ownerId}, ${outcome.sha256}, ${transaction.json(outcome.exif as never)},
      ${outcome.place?.latitude ?? null}, ${outcome.place?.longitude ?? null},
      ${outcome.place?.altitudeMetres ?? null}
    )
    on conflict (image_id) do update
    set sha256 = excluded.sha256,
      exif = excluded.exif,
      latitude = excluded.latitude,
      longitude = excluded.longitude,
      altitude_metres = excluded.altitude_metres
  `;
  if (outcome.vector) await landVector(transaction, job.subjectId, image, outcome.vector);
  await fillOtherSpaces(transaction, outcome.vector?.spaceId);
}

/** A space that was dropped meanwhile takes nothing. */
async function landVector(
  transaction: TransactionSql,
  imageId: string | null,
  image: { readonly ownerId: string | null; readonly isPublic: boolean },
  vector: NonNullable<IngestOutcome["vector"]>,
): Promise<void> {
  await transaction`
    insert into parlance.image_vectors (space_id, image_id, owner_id, is_public, embedding)
    select id, ${imageId}::uuid, ${image.ownerId}::uuid, ${image.isPublic},
      ${toVector(vector.embedding)}::text::extensions.vector
    from parlance.embedding_spaces
    where id = ${vector.spaceId}
    on conflict (space_id, image_id) do update set embedding = excluded.embedding
  `;
}

/** What is kept complete besides the space that the picture has just landed in gets it soon. */
async function fillOtherSpaces(transaction: TransactionSql, spaceId: number | undefined): Promise<void> {
  for (const space of await listSpacesToFill(transaction, spaceId)) await addFill(transaction, space, 2);
}

export async function landImageFailure(
  transaction: TransactionSql,
  job: EndingJob,
  error: JobError,
): Promise<void> {
  await transaction`
    update parlance.images
    set state = 'failed',
      error_code = ${error.code},
      error_message = ${error.message}
    where id = ${job.subjectId} and state = 'processing'
  `;
}

/** Tried again: the picture is under way again, unless something else became of it. */
export async function landImageRetry(transaction: TransactionSql, job: EndingJob): Promise<void> {
  await transaction`
    update parlance.images
    set state = 'processing',
      error_code = null,
      error_message = null
    where id = ${job.subjectId} and state = 'failed'
  `;
}

export async function landQueryVector(
  transaction: TransactionSql,
  _job: EndingJob,
  outcome: EmbedQueryOutcome,
): Promise<void> {
  await transaction`
    insert into parlance.query_vectors (space_id, query, embedding)
    select id, ${outcome.query}, ${outcome.embedding ? toVector(outcome.embedding) : null}::text::extensions.vector
    from parlance.embedding_spaces
    where id = ${outcome.spaceId}
    on conflict (space_id, query) do update
    set embedding = excluded.embedding, created_at = now()
  `;
}
