/** SQL of the pictures. Every function runs in the caller's transaction, so what is not visible does not exist. */
import type { PendingQuery, Row, TransactionSql } from "postgres";
import { violatedConstraint } from "../../shared/database.ts";
import { AppError } from "../../shared/errors.ts";
import type {
  ExifValue,
  ImageChange,
  ImageState,
  ImageVariant,
  SearchFilters,
} from "../../shared/images/contract.ts";
import type { JobError } from "../../shared/jobs/contract.ts";
import type { Scope } from "./access.ts";
import type { ListCursor } from "./cursors.ts";
import { findMatches, isFiltering, passesFilters } from "./filters.ts";

export interface ImageRow {
  readonly id: string;
  readonly ownerId: string | null;
  readonly name: string;
  readonly title: string | null;
  readonly keywords: readonly string[];
  readonly state: ImageState;
  readonly isPublic: boolean;
  readonly mediaType: string | null;
  readonly sizeBytes: number | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly perceptualHash: string | null;
  readonly variants: readonly ImageVariant[];
  readonly takenAt: string | null;
  readonly camera: string | null;
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface OriginRow {
  readonly sha256: string;
  readonly exif: Readonly<Record<string, ExifValue>>;
  readonly latitude: number | null;
  readonly longitude: number | null;
  readonly altitudeMetres: number | null;
}

type Fragment = PendingQuery<Row[]>;

function imageColumns(sql: TransactionSql): Fragment {
  return sql`
    id, owner_id, name, title, keywords, state, is_public, media_type, size_bytes, width, height,
    lpad(to_hex(perceptual_hash::bigint), 16, '0') as perceptual_hash, variants, taken_at, camera,
    error_code, error_message, created_at, updated_at
  `;
}

/** The condition on `owner_id`, `is_public` and `state` of pictures. */
export function imagesInScope(sql: TransactionSql, scope: Scope): Fragment {
  if (scope.kind === "all") return sql`true`;
  if (scope.kind === "public") return sql`(is_public and state = 'ready')`;
  return scope.ownerId === null ? sql`owner_id is null` : sql`owner_id = ${scope.ownerId}`;
}

export interface NewImage {
  id: string;
  ownerId: string | null;
  name: string;
  title: string | null;
  keywords: readonly string[];
  sizeBytes: number;
}

/** The new row, `uploading`; undefined when its owner has a picture of that name, or there is one of that id. */
export async function insertImage(sql: TransactionSql, image: NewImage): Promise<ImageRow | undefined> {
  const [row] = await sql<ImageRow[]>`
    insert into parlance.images (id, owner_id, name, title, keywords, size_bytes)
    values (
      ${image.id}, ${image.ownerId}, ${image.name}, ${image.title}, ${[...image.keywords]}::text[],
      ${image.sizeBytes}
    )
    on conflict do nothing
    returning ${imageColumns(sql)}
  `;
  return row;
}

/** The first of these names that the owner has not taken, or undefined. */
export async function findFreeName(
  sql: TransactionSql,
  ownerId: string | null,
  candidates: readonly string[],
): Promise<string | undefined> {
  const taken = await sql<{ name: string }[]>`
    select name
    from parlance.images
    where ${imagesInScope(sql, { kind: "own", ownerId })}
      and name = any (${[...candidates]}::text[])
  `;
  const names = new Set(taken.map((row) => row.name));
  return candidates.find((candidate) => !names.has(candidate));
}

export async function findImage(sql: TransactionSql, id: string): Promise<ImageRow | undefined> {
  const [row] = await sql<ImageRow[]>`
    select ${imageColumns(sql)}
    from parlance.images
    where id = ${id}
  `;
  return row;
}

export async function getImage(sql: TransactionSql, id: string): Promise<ImageRow> {
  const row = await findImage(sql, id);
  if (!row) throw new AppError("not_found", "There is no such picture.");
  return row;
}

/** What only owner and admins are shown; undefined for everyone else. */
export async function findOrigin(sql: TransactionSql, imageId: string): Promise<OriginRow | undefined> {
  const [row] = await sql<OriginRow[]>`
    select sha256, exif, latitude, longitude, altitude_metres
    from parlance.image_origins
    where image_id = ${imageId}
  `;
  return row;
}

export interface ImageList {
  scope: Scope;
  name: string | undefined;
  filters: SearchFilters;
  after: ListCursor | undefined;
  limit: number;
}

/** Up to so many that pass the filters are sorted; more are met soon on a walk from the newest. */
const sortedMax = 5000;

/** Newest first; the id decides between pictures of one instant. */
export async function listImages(sql: TransactionSql, list: ImageList): Promise<ImageRow[]> {
  const { scope, filters } = list;
  const matching = { scope, filters, rowsMax: sortedMax, isSure: false };
  const ids = isFiltering(filters) ? (await findMatches(sql, matching)).ids : null;
  const passing = ids ? sql`id = any (${[...ids]}::uuid[])` : passesFilters(sql, filters);
  const named = list.name === undefined ? sql`` : sql`and name = ${list.name}`;
  const after = list.after
    ? sql`and (created_at, id) < (${list.after.createdAt}::text::timestamptz, ${list.after.id}::uuid)`
    : sql``;
  return await sql<ImageRow[]>`
    select ${imageColumns(sql)}
    from parlance.images
    where ${imagesInScope(sql, scope)} and ${passing} ${named} ${after}
    order by created_at desc, id desc
    limit ${list.limit}
  `;
}

/** The ready ones of these pictures, in no order. */
export async function listReadyImages(sql: TransactionSql, ids: readonly string[]): Promise<ImageRow[]> {
  return await sql<ImageRow[]>`
    select ${imageColumns(sql)}
    from parlance.images
    where id = any (${[...ids]}::uuid[]) and state = 'ready'
  `;
}

/** Changes what is given; undefined when there is no such picture that the caller may change. */
export async function updateImage(
  sql: TransactionSql,
  id: string,
  change: ImageChange,
): Promise<ImageRow | undefined> {
  try {
    const [row] = await sql<ImageRow[]>`
      update parlance.images
      set name = coalesce(${change.name ?? null}, name),
        title = case when ${change.title !== undefined} then ${change.title ?? null} else title end,
        keywords = coalesce(${change.keywords ? [...change.keywords] : null}::text[], keywords)
      where id = ${id}
      returning ${imageColumns(sql)}
    `;
    return row;
  } catch (error) {
    if (violatedConstraint(error) !== "images_name_per_owner") throw error;
    throw new AppError("name_taken", "Its owner has another picture of this name.", { cause: error });
  }
}

/** Needs the service role: a user may not write whether a picture is public. */
export async function publishImage(
  sql: TransactionSql,
  id: string,
  isPublic: boolean,
): Promise<ImageRow | undefined> {
  const [row] = await sql<ImageRow[]>`
    update parlance.images
    set is_public = ${isPublic}
    where id = ${id}
    returning ${imageColumns(sql)}
  `;
  return row;
}

/** From `uploading` to `processing`, once; undefined in any other state. Needs the service role. */
export async function startProcessing(
  sql: TransactionSql,
  id: string,
  content: { mediaType: string; sizeBytes: number },
): Promise<ImageRow | undefined> {
  const [row] = await sql<ImageRow[]>`
    update parlance.images
    set state = 'processing',
      media_type = ${content.mediaType},
      size_bytes = ${content.sizeBytes}
    where id = ${id} and state = 'uploading'
    returning ${imageColumns(sql)}
  `;
  return row;
}

/** Ends an upload that is no picture; false when it is no longer `uploading`. Needs the service role. */
export async function failUpload(sql: TransactionSql, id: string, error: JobError): Promise<boolean> {
  const failed = await sql`
    update parlance.images
    set state = 'failed',
      error_code = ${error.code},
      error_message = ${error.message}
    where id = ${id} and state = 'uploading'
  `;
  return failed.count > 0;
}

export async function deleteImage(sql: TransactionSql, id: string): Promise<boolean> {
  const deleted = await sql`
    delete from parlance.images
    where id = ${id}
  `;
  return deleted.count > 0;
}

/** Takes back a row whose bytes were never accepted. */
export async function deleteUpload(sql: TransactionSql, id: string): Promise<void> {
  await sql`
    delete from parlance.images
    where id = ${id} and state = 'uploading'
  `;
}

export interface IngestJob {
  readonly id: string;
  readonly kind: string;
  readonly ownerId: string | null;
  readonly subjectId: string | null;
  readonly isOpen: boolean;
}

/** The newest job of a kind about a picture. Needs the service role. */
export async function findNewestJob(
  sql: TransactionSql,
  imageId: string,
  kind: string,
): Promise<IngestJob | undefined> {
  const [job] = await sql<IngestJob[]>`
    select id, kind, owner_id, subject_id, state in ('queued', 'running') as is_open
    from parlance.job_views
    where subject_id = ${imageId} and kind = ${kind}
    order by created_at desc, id desc
    limit 1
  `;
  return job;
}
