import type { Sql, TransactionSql } from "postgres";
import { toUuid } from "./acting.ts";

/** SQL of storage.objects. What is given a transaction sees only what its caller may see. */

/** What the server knows of the bytes, with the names that storage-js gives it. Rows of other origin may lack any. */
export interface FileMetadata {
  readonly eTag?: string;
  readonly size?: number;
  readonly mimetype?: string;
  readonly cacheControl?: string;
  readonly contentEncoding?: string;
  readonly lastModified?: string;
  readonly contentLength?: number;
  readonly httpStatusCode?: number;
}

export interface StoredObject {
  readonly id: string;
  readonly bucketId: string;
  readonly name: string;
  readonly owner: string | null;
  readonly ownerId: string | null;
  readonly version: string | null;
  readonly metadata: FileMetadata | null;
  readonly userMetadata: Record<string, unknown> | null;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly lastAccessedAt: string;
}

export interface NewObject {
  readonly id: string;
  readonly bucketId: string;
  readonly name: string;
  readonly ownerId: string | undefined;
  readonly version: string;
  readonly metadata: FileMetadata;
  readonly userMetadata: Record<string, unknown> | undefined;
}

export async function hasObjects(sql: Sql | TransactionSql, bucketId: string): Promise<boolean> {
  const [row] = await sql<{ found: boolean }[]>`
    select exists (
      select 1
      from storage.objects
      where bucket_id = ${bucketId}
    ) as found
  `;
  return row?.found ?? false;
}

export async function findObject(
  sql: Sql | TransactionSql,
  bucketId: string,
  name: string,
): Promise<StoredObject | undefined> {
  const [object] = await sql<StoredObject[]>`
    select ${objectColumns(sql)}
    from storage.objects
    where bucket_id = ${bucketId}
      and name = ${name}
  `;
  return object;
}

/** Which of the names the caller may see. */
export async function findNames(
  transaction: TransactionSql,
  bucketId: string,
  names: readonly string[],
): Promise<string[]> {
  const rows = await transaction<{ name: string }[]>`
    select name
    from storage.objects
    where bucket_id = ${bucketId}
      and name = any(${names as string[]})
  `;
  return rows.map((row) => row.name);
}

/** Which of the versions a row names, whoever owns it. */
export async function findVersions(sql: Sql, versions: readonly string[]): Promise<string[]> {
  const rows = await sql<{ version: string }[]>`
    select version
    from storage.objects
    where version = any(${versions as string[]})
  `;
  return rows.map((row) => row.version);
}

/**
 * Makes writers of these names wait for each other until they commit. Without it two uploads at once would both replace
 * the same version, or one would replace what a move has just brought there, and a file would have no row. Locks are
 * taken in one order, so that two moves in opposite directions do not wait for each other.
 */
export async function lockPlaces(transaction: TransactionSql, places: readonly Place[]): Promise<void> {
  const keys = places.map(({ bucketId, name }) => `${bucketId}/${name}`).sort();
  for (const key of keys) {
    await transaction`
      select pg_advisory_xact_lock(hashtextextended(${key}, 5102))
    `;
  }
}

/** Locks one name and answers the version that is there now. */
export async function lockObject(transaction: TransactionSql, place: Place): Promise<string | undefined> {
  await lockPlaces(transaction, [place]);
  const current = await findObject(transaction, place.bucketId, place.name);
  return current?.version ?? undefined;
}

/** Needs nothing but the right to insert: the row is not read back. */
export async function insertObject(transaction: TransactionSql, object: NewObject): Promise<string> {
  await transaction`
    insert into storage.objects (${objectNames(transaction)})
    values (${objectValues(transaction, object)})
  `;
  return object.id;
}

/** Needs the rights to insert, select and update, as the policies of a hosted project do for an upsert. */
export async function upsertObject(transaction: TransactionSql, object: NewObject): Promise<string> {
  const [row] = await transaction<{ id: string }[]>`
    insert into storage.objects (${objectNames(transaction)})
    values (${objectValues(transaction, object)})
    on conflict (bucket_id, name) do update
    set
      version = excluded.version,
      metadata = excluded.metadata,
      user_metadata = coalesce(excluded.user_metadata, objects.user_metadata),
      owner = coalesce(excluded.owner, objects.owner),
      owner_id = coalesce(excluded.owner_id, objects.owner_id)
    returning id
  `;
  return row?.id ?? object.id;
}

export interface Place {
  readonly bucketId: string;
  readonly name: string;
}

/** The bytes stay where they are: no file is named for its object. Whoever moves an object owns it, but for a key. */
export async function moveObject(
  transaction: TransactionSql,
  from: Place,
  to: Place,
  ownerId: string | undefined,
): Promise<string | undefined> {
  const [row] = await transaction<{ id: string }[]>`
    update storage.objects
    set
      bucket_id = ${to.bucketId},
      name = ${to.name},
      owner = coalesce(${toUuid(ownerId)}::uuid, owner),
      owner_id = coalesce(${ownerId ?? null}, owner_id)
    where bucket_id = ${from.bucketId}
      and name = ${from.name}
    returning id
  `;
  return row?.id;
}

/** Needs the rights to select and to delete; what the caller may not see or delete is left out without a word. */
export async function deleteObjects(
  transaction: TransactionSql,
  bucketId: string,
  names: readonly string[],
): Promise<StoredObject[]> {
  return transaction<StoredObject[]>`
    delete from storage.objects
    where bucket_id = ${bucketId}
      and name = any(${names as string[]})
    returning ${objectColumns(transaction)}
  `;
}

export async function deleteSomeObjects(
  transaction: TransactionSql,
  bucketId: string,
  limit: number,
): Promise<(string | null)[]> {
  const rows = await transaction<{ version: string | null }[]>`
    delete from storage.objects
    where id in (
      select id
      from storage.objects
      where bucket_id = ${bucketId}
      limit ${limit}
    )
    returning version
  `;
  return rows.map((row) => row.version);
}

function objectColumns(sql: Sql | TransactionSql) {
  return sql`
    id,
    bucket_id,
    name,
    owner,
    owner_id,
    version,
    metadata,
    user_metadata,
    created_at,
    updated_at,
    last_accessed_at
  `;
}

function objectNames(transaction: TransactionSql) {
  return transaction`id, bucket_id, name, owner, owner_id, version, metadata, user_metadata`;
}

function objectValues(transaction: TransactionSql, object: NewObject) {
  return transaction`
    ${object.id},
    ${object.bucketId},
    ${object.name},
    ${toUuid(object.ownerId)}::uuid,
    ${object.ownerId ?? null},
    ${object.version},
    ${JSON.stringify(object.metadata)}::text::jsonb,
    ${object.userMetadata === undefined ? null : JSON.stringify(object.userMetadata)}::text::jsonb
  `;
}
