import type { Sql, TransactionSql } from "postgres";
import { toDirection, toUuid } from "./acting.ts";

/** SQL of storage.buckets. What is given a transaction sees only what its caller may see. */
export interface Bucket {
  readonly id: string;
  readonly name: string;
  readonly owner: string;
  readonly public: boolean;
  readonly fileSizeLimit: number | null;
  readonly allowedMimeTypes: string[] | null;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface BucketPage {
  readonly limit: number;
  readonly offset: number;
  readonly search: string;
  readonly sortColumn: "id" | "name" | "created_at" | "updated_at";
  readonly sortOrder: "asc" | "desc";
}

export async function listBuckets(transaction: TransactionSql, page: BucketPage): Promise<Bucket[]> {
  return transaction<Bucket[]>`
    select ${bucketColumns(transaction)}
    from storage.buckets
    where position(lower(${page.search}) in lower(name)) > 0
    order by ${transaction(page.sortColumn)} ${toDirection(transaction, page.sortOrder)}, id
    limit ${page.limit}
    offset ${page.offset}
  `;
}

export async function findBucket(sql: Sql | TransactionSql, id: string): Promise<Bucket | undefined> {
  const [bucket] = await sql<Bucket[]>`
    select ${bucketColumns(sql)}
    from storage.buckets
    where id = ${id}
  `;
  return bucket;
}

export interface NewBucket {
  readonly id: string;
  readonly name: string;
  readonly ownerId: string | undefined;
  readonly public: boolean;
  readonly fileSizeLimit: number | null;
  readonly allowedMimeTypes: string[] | null;
}

export async function insertBucket(transaction: TransactionSql, bucket: NewBucket): Promise<void> {
  await transaction`
    insert into storage.buckets (id, name, owner, owner_id, public, file_size_limit, allowed_mime_types)
    values (
      ${bucket.id},
      ${bucket.name},
      ${toUuid(bucket.ownerId)},
      ${bucket.ownerId ?? null},
      ${bucket.public},
      ${bucket.fileSizeLimit},
      ${bucket.allowedMimeTypes}
    )
  `;
}

export interface BucketChanges {
  readonly public: boolean | undefined;
  readonly fileSizeLimit: number | null | undefined;
  readonly allowedMimeTypes: string[] | null | undefined;
}

/** What is undefined stays; null takes a limit away. */
export async function updateBucket(
  transaction: TransactionSql,
  id: string,
  changes: BucketChanges,
): Promise<boolean> {
  const result = await transaction`
    update storage.buckets
    set
      public = coalesce(${changes.public ?? null}, public),
      file_size_limit = case
        when ${changes.fileSizeLimit === undefined} then file_size_limit
        else ${changes.fileSizeLimit ?? null}::bigint
      end,
      allowed_mime_types = case
        when ${changes.allowedMimeTypes === undefined} then allowed_mime_types
        else ${changes.allowedMimeTypes ?? null}::text[]
      end,
      updated_at = now()
    where id = ${id}
  `;
  return result.count > 0;
}

export async function deleteBucket(transaction: TransactionSql, id: string): Promise<boolean> {
  const result = await transaction`
    delete from storage.buckets
    where id = ${id}
  `;
  return result.count > 0;
}

function bucketColumns(sql: Sql | TransactionSql) {
  return sql`
    id,
    name,
    coalesce(owner_id, '') as owner,
    coalesce(public, false) as public,
    file_size_limit,
    allowed_mime_types,
    created_at,
    updated_at
  `;
}
