import type { TransactionSql } from "postgres";
import { z } from "zod";
import { toDirection } from "./acting.ts";
import { storageErrors } from "./errors.ts";
import type { FileMetadata } from "./object-store.ts";

/**
 * Listing names as if slashes made folders. A folder is what several names have in common; no row stands for it. It
 * sorts by its name, or by the latest time of what is in it.
 */
export interface Entry {
  /** Whole, from the root of the bucket; a folder ends with a slash. */
  readonly name: string;
  /** Null for a folder. */
  readonly id: string | null;
  readonly metadata: FileMetadata | null;
  readonly createdAt: string | null;
  readonly updatedAt: string | null;
  readonly lastAccessedAt: string | null;
  /** The value sorted by, to the microsecond where it is a time. */
  readonly sortKey: string;
}

export interface EntryQuery {
  readonly bucketId: string;
  readonly prefix: string;
  /** What the rest of a name begins with, in any case. */
  readonly search?: string;
  readonly withFolders: boolean;
  readonly column: "name" | "created_at" | "updated_at" | "last_accessed_at";
  readonly order: "asc" | "desc";
  readonly after?: { readonly sortKey: string; readonly name: string } | undefined;
  readonly limit: number;
  readonly offset?: number;
}

export async function listEntries(transaction: TransactionSql, query: EntryQuery): Promise<Entry[]> {
  const { after, order } = query;
  const sorted = toDirection(transaction, order);
  const isPastCursor = after
    ? transaction`
        where (sort_key collate "C", name collate "C")
          ${order === "asc" ? transaction`>` : transaction`<`} (${after.sortKey}, ${after.name})
      `
    : transaction``;
  return transaction<Entry[]>`
    with visible as (
      select
        id,
        metadata,
        created_at,
        updated_at,
        last_accessed_at,
        name as full_name,
        substr(name, length(${query.prefix}) + 1) as rest
      from storage.objects
      where bucket_id = ${query.bucketId}
        and starts_with(name collate "C", ${query.prefix})
    ),
    placed as (
      select
        visible.*,
        case
          when ${query.withFolders} and position('/' in rest) > 0
            then ${query.prefix} || split_part(rest, '/', 1) || '/'
        end as folder
      from visible
      where starts_with(lower(rest), lower(${query.search ?? ""}))
    ),
    entries as (
      select full_name as name, id, metadata, created_at, updated_at, last_accessed_at
      from placed
      where folder is null
      union all
      select folder, null, null, max(created_at), max(updated_at), max(last_accessed_at)
      from placed
      where folder is not null
      group by folder
    ),
    keyed as (
      select *, ${sortKey(transaction, query.column)} as sort_key
      from entries
    )
    select name, id, metadata, created_at, updated_at, last_accessed_at, sort_key
    from keyed
    ${isPastCursor}
    order by sort_key collate "C" ${sorted}, name collate "C" ${sorted}
    limit ${query.limit}
    offset ${query.offset ?? 0}
  `;
}

function sortKey(transaction: TransactionSql, column: EntryQuery["column"]) {
  if (column === "name") return transaction`name`;
  return transaction`to_char(${transaction(column)} at time zone 'utc', 'YYYYMMDDHH24MISSUS')`;
}

/** An entry of `list()`: named from its folder, and a folder is a name and nothing else. */
export function toListed(entry: Entry, prefix: string) {
  const name = entry.name.slice(prefix.length);
  if (entry.id === null) {
    const nothing = { id: null, updated_at: null, created_at: null, last_accessed_at: null, metadata: null };
    return { name: name.slice(0, -1), ...nothing };
  }
  return { ...toJson(entry), name };
}

export interface ListedPage {
  readonly hasNext: boolean;
  readonly nextCursor?: string;
  readonly folders: { readonly name: string; readonly key: string }[];
  readonly objects: (ReturnType<typeof toJson> & { readonly key: string })[];
}

function toJson({ name, id, updatedAt, createdAt, lastAccessedAt, metadata }: Entry) {
  const times = { updated_at: updatedAt, created_at: createdAt, last_accessed_at: lastAccessedAt };
  return { name, id, ...times, metadata };
}

/** A page of `listV2()` from entries of which one more than `query.limit` were asked for. */
export function toPage(entries: readonly Entry[], query: EntryQuery): ListedPage {
  const shown = entries.slice(0, query.limit);
  const last = shown.at(-1);
  const hasNext = entries.length > shown.length;
  return {
    hasNext,
    ...(hasNext && last && { nextCursor: encodeCursor(last, query) }),
    folders: shown.filter((entry) => entry.id === null).map(({ name }) => ({ name, key: name })),
    objects: shown
      .filter((entry) => entry.id !== null)
      .map((entry) => ({ ...toJson(entry), key: entry.name })),
  };
}

const Cursor = z.object({
  sortKey: z.string(),
  name: z.string(),
  column: z.enum(["name", "created_at", "updated_at"]),
  order: z.enum(["asc", "desc"]),
});
export type Cursor = z.infer<typeof Cursor>;

function encodeCursor(last: Entry, { column, order }: EntryQuery): string {
  const cursor = { sortKey: last.sortKey, name: last.name, column, order };
  return Buffer.from(JSON.stringify(cursor)).toString("base64url");
}

export function decodeCursor(text: string): Cursor {
  try {
    return Cursor.parse(JSON.parse(Buffer.from(text, "base64url").toString()));
  } catch (cause) {
    if (cause instanceof Error) throw storageErrors.invalidRequest("Invalid cursor");
    throw cause;
  }
}
