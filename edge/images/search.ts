/**
 * SQL that finds pictures, under the caller's role: row level security decides what can be found at all.
 *
 * Scores are inner products of unit vectors. With few rows in sight every one is compared, so the answer is exact
 * and the index is of no use; with many the HNSW index walks until enough of what it finds may be seen. Both order
 * by score and then by id, so that pages of one search fit together.
 */
import type { PendingQuery, Row, TransactionSql } from "postgres";
import type { Scope } from "./access.ts";
import type { Space } from "./query-vectors.ts";
import { imagesInScope } from "./store.ts";

export interface Hit {
  readonly id: string;
  readonly score: number;
}

/** Up to this many rows are compared one by one: some milliseconds, and every hit is found. */
const exactRowsMaxDefault = 2000;

export interface VectorSearch {
  space: Space;
  /** Unit length, in pgvector's text form. */
  embedding: string;
  scope: Scope;
  /** The hit after which to go on. */
  after: Hit | undefined;
  limit: number;
  /** A picture that is not to be found: the one whose like is looked for. */
  exceptId?: string;
  exactRowsMax?: number;
}

/** The nearest pictures of a space, best first. */
export async function findNearest(sql: TransactionSql, search: VectorSearch): Promise<Hit[]> {
  const { space, scope, exactRowsMax = exactRowsMaxDefault } = search;
  const isExact = (await countVectors(sql, space, scope, exactRowsMax + 1)) <= exactRowsMax;
  if (!isExact) {
    await sql`
      select
        set_config('hnsw.iterative_scan', 'strict_order', true),
        set_config('hnsw.ef_search', '100', true)
    `;
  }
  return await nearestQuery(sql, search, isExact);
}

/** Counts to `rowsMax` and no further. */
async function countVectors(
  sql: TransactionSql,
  space: Space,
  scope: Scope,
  rowsMax: number,
): Promise<number> {
  const [row] = await sql<{ visible: number }[]>`
    select count(*)::integer as visible
    from (
      select
      from parlance.image_vectors
      where space_id = ${integer(sql, space.id)} and ${vectorsInScope(sql, scope)}
      limit ${rowsMax}
    ) as counted
  `;
  return row?.visible ?? 0;
}

/** The query alone, so that its plan can be asked for too. */
export function nearestQuery(
  sql: TransactionSql,
  search: VectorSearch,
  isExact: boolean,
): PendingQuery<(Hit & Row)[]> {
  const { space, embedding, scope, after, limit, exceptId } = search;
  const vector = sql`extensions.vector(${integer(sql, space.dimensions)})`;
  const distance = sql`(embedding::${vector} operator(extensions.<#>) ${embedding}::text::${vector})`;
  const beyond = after
    ? sql`where distance > ${-after.score} or (distance = ${-after.score} and id > ${after.id})`
    : sql``;
  return sql<(Hit & Row)[]>`
    select id, -distance as score
    from (
      select
        image_id as id,
        -- An expression that no index holds: the rows are compared one by one.
        ${isExact ? sql`${distance} + 0` : distance} as distance
      from parlance.image_vectors
      where space_id = ${integer(sql, space.id)}
        and ${vectorsInScope(sql, scope)}
        ${exceptId === undefined ? sql`` : sql`and image_id <> ${exceptId}`}
    ) as near
    ${beyond}
    order by distance, id
    limit ${limit}
  `;
}

function vectorsInScope(sql: TransactionSql, scope: Scope): PendingQuery<Row[]> {
  if (scope.kind === "all") return sql`true`;
  if (scope.kind === "public") return sql`is_public`;
  return scope.ownerId === null ? sql`owner_id is null` : sql`owner_id = ${scope.ownerId}`;
}

/** A number as part of the statement: a plan made for any value could use neither partition nor index. */
function integer(sql: TransactionSql, value: number): PendingQuery<Row[]> {
  if (!Number.isSafeInteger(value) || value < 0)
    throw new RangeError(`Expected an integer but found ${value}`);
  return sql.unsafe(String(value));
}

/** A picture's vector in the space that is searched now, or undefined while it has none. */
export async function findVector(
  sql: TransactionSql,
  imageId: string,
): Promise<{ space: Space; embedding: string } | undefined> {
  const [row] = await sql<{ id: number; name: string; dimensions: number; embedding: string }[]>`
    select spaces.id, spaces.name, spaces.dimensions, vectors.embedding::text
    from parlance.embedding_spaces as spaces
    join parlance.image_vectors as vectors on vectors.space_id = spaces.id
    where spaces.is_current and vectors.image_id = ${imageId}
  `;
  if (!row) return undefined;
  const { embedding, ...space } = row;
  return { space, embedding };
}

export interface WordSearch {
  /** Normalized; any text is a question, none is an error. */
  query: string;
  scope: Scope;
  after: Hit | undefined;
  limit: number;
}

/** Pictures whose words answer the query or whose name begins with it, best first; scores are 0 to 1. */
export async function findByWords(sql: TransactionSql, search: WordSearch): Promise<Hit[]> {
  const { query, scope, after, limit } = search;
  const beyond = after
    ? sql`where score < ${after.score} or (score = ${after.score} and id > ${after.id})`
    : sql``;
  // 32 divides the rank by itself plus one, which keeps it below 1.
  return await sql<Hit[]>`
    select id, score
    from (
      select
        id,
        greatest(
          case when words @@ asked then ts_rank(words, asked, 32)::double precision else 0 end,
          case when is_begun then least(1, length(${query})::double precision / length(name)) else 0 end
        ) as score
      from parlance.images
      cross join websearch_to_tsquery('pg_catalog.english', ${query}) as asked
      cross join lateral (select starts_with(lower(normalize(name, nfkc)), ${query}) as is_begun) as named
      where state = 'ready'
        and ${imagesInScope(sql, scope)}
        and (words @@ asked or is_begun)
    ) as found
    ${beyond}
    order by score desc, id
    limit ${limit}
  `;
}
