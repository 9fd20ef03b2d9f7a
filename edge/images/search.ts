/**
 * SQL that finds the nearest pictures, under the caller's role: row level security decides what can be found at all.
 *
 * Scores are inner products of unit vectors. What passes the filters is counted first. When it is little, each of it
 * is compared, so the answer is exact; else the HNSW index walks on until enough of what it meets may be seen and
 * passes, and a walk that ends short of that is followed by a comparison of everything. Both order by score and then
 * by id, so that pages of one search fit together.
 */
import type { PendingQuery, Row, TransactionSql } from "postgres";
import type { SearchFilters } from "../../shared/images/contract.ts";
import type { Scope } from "./access.ts";
import { isFiltering, matchImages, passesFilters } from "./filters.ts";
import type { Space } from "./spaces.ts";

/** Where a picture stands in an order by score and then id. */
export interface Place {
  readonly id: string;
  readonly score: number;
}

export interface Hit extends Place {
  /** Inner product with what was asked for; the score, unless something is subtracted. */
  readonly similarity: number;
}

/** How hits were found: each of what matches compared, or by a walk of the index. */
export type SearchPath = "exact" | "index";

/** `none`: nothing is filtered. `narrow`: the filters keep at most 5 % of the space's vectors. `broad`: more. */
export type FilterClass = "none" | "broad" | "narrow";

/** Up to this many rows are compared one by one: some milliseconds, and every hit is found. */
const exactRowsMaxDefault = 5000;

export interface VectorSearch {
  space: Pick<Space, "id" | "dimensions">;
  /** What the order is by: unit length, in pgvector's text form. */
  embedding: string;
  scope: Scope;
  filters?: SearchFilters;
  minus?: Minus | undefined;
  /** The place after which to go on. */
  after: Place | undefined;
  limit: number;
  /** Pictures that are not to be found: the one whose like is looked for, and what was found otherwise. */
  exceptIds?: readonly string[];
  /** Compares everything, whatever it costs: what the index finds is measured by it. */
  isExact?: boolean;
  exactRowsMax?: number;
}

/** What hits must not be. */
export interface Minus {
  /** What was asked for before anything was subtracted; the similarity is with this. */
  readonly asked: string;
  /** A hit must be less like this than like what was asked for; undefined where the words have no vector. */
  readonly embedding: string | undefined;
  /** Pictures whose words answer this are left out. */
  readonly words: string | undefined;
}

export interface Nearest {
  readonly hits: Hit[];
  readonly path: SearchPath;
  readonly filterClass: FilterClass;
  /** Among how many pictures was searched; a guess where they are many. */
  readonly pictures: number;
}

/** The nearest pictures of a space, best first. */
export async function findNearest(sql: TransactionSql, search: VectorSearch): Promise<Nearest> {
  const reach = await measureReach(sql, search);
  const told = { filterClass: classify(search.filters ?? {}, reach), pictures: reach.pictures };
  if (!reach.isSmall && !search.isExact) {
    await aimIndex(sql, reach, search.limit);
    const hits = await nearestQuery(sql, search, { path: "index" });
    if (hits.length >= search.limit) return { hits: [...hits], path: "index", ...told };
  }
  const hits = await nearestQuery(sql, search, { path: "exact", ids: reach.ids });
  return { hits: [...hits], path: "exact", ...told };
}

/** How much of a space a search may find. */
interface Reach {
  readonly isSmall: boolean;
  readonly ids: readonly string[] | null;
  readonly pictures: number;
  /** Of the vectors in the index, 0 to 1. */
  readonly share: number;
}

async function measureReach(sql: TransactionSql, search: VectorSearch): Promise<Reach> {
  const { space, scope, filters = {}, exactRowsMax = exactRowsMaxDefault } = search;
  const filtering = isFiltering(filters);
  const { ids, estimate } = await matchImages(sql, { scope, filters }, filtering ? exactRowsMax : 0);
  const total = await estimateVectors(sql, space);
  const share = total > 0 ? Math.min(1, estimate / total) : 1;
  if (filtering) return { ids, share, pictures: estimate, isSmall: ids !== null };
  if (estimate > 4 * exactRowsMax) return { ids, share, pictures: estimate, isSmall: false };
  const counted = await countVectors(sql, space, scope, exactRowsMax + 1);
  const isSmall = counted <= exactRowsMax;
  return { ids, share, pictures: isSmall ? counted : Math.max(estimate, counted), isSmall };
}

function classify(filters: SearchFilters, { share }: Reach): FilterClass {
  if (!isFiltering(filters)) return "none";
  return share <= 0.05 ? "narrow" : "broad";
}

/**
 * The rarer what may be found, the more the index must look at before it is enough: the candidates of one round hold
 * about three times as many as asked for. 1,000 is the most that pgvector takes; beyond, more rounds follow.
 */
async function aimIndex(sql: TransactionSql, { share }: Reach, limit: number): Promise<void> {
  const candidates = Math.ceil(Math.min(1000, Math.max(efSearchMin, (3 * limit) / share)));
  await sql`
    select
      set_config('hnsw.iterative_scan', 'strict_order', true),
      set_config('hnsw.ef_search', ${String(candidates)}, true)
  `;
}

const efSearchMin = 100;

/** What the planner believes; 0 while the table was never looked at. */
async function estimateVectors(sql: TransactionSql, space: VectorSearch["space"]): Promise<number> {
  const [row] = await sql<{ total: number }[]>`
    select greatest(reltuples, 0)::float8 as total
    from pg_catalog.pg_class
    where oid = to_regclass('parlance.image_vectors_' || ${integer(sql, space.id)})
  `;
  return row?.total ?? 0;
}

/** Counts to `rowsMax` and no further. */
async function countVectors(
  sql: TransactionSql,
  space: VectorSearch["space"],
  scope: Scope,
  rowsMax: number,
): Promise<number> {
  const [row] = await sql<{ visible: number }[]>`
    select count(*)::integer as visible
    from (
      select
      from parlance.image_vectors as vectors
      where space_id = ${integer(sql, space.id)} and ${vectorsInScope(sql, scope)}
      limit ${rowsMax}
    ) as counted
  `;
  return row?.visible ?? 0;
}

/** The query alone, so that its plan can be asked for too. `ids` are all that may be found, where they are known. */
export function nearestQuery(
  sql: TransactionSql,
  search: VectorSearch,
  way: { path: SearchPath; ids?: readonly string[] | null },
): PendingQuery<(Hit & Row)[]> {
  const { space, embedding, after, limit, minus } = search;
  const distanceTo = (other: string) => {
    const vector = sql`extensions.vector(${integer(sql, space.dimensions)})`;
    return sql`(vectors.embedding::${vector} operator(extensions.<#>) ${other}::text::${vector})`;
  };
  const distance = distanceTo(embedding);
  const beyond = after
    ? sql`where distance > ${-after.score} or (distance = ${-after.score} and id > ${after.id})`
    : sql``;
  const less = minus?.embedding
    ? sql`and ${distanceTo(minus.asked)} < ${distanceTo(minus.embedding)}`
    : sql``;
  return sql<(Hit & Row)[]>`
    select id, -distance as score, -asked_distance as similarity
    from (
      select
        vectors.image_id as id,
        -- An expression that no index holds: the rows are compared one by one.
        ${way.path === "exact" ? sql`${distance} + 0` : distance} as distance,
        ${minus ? distanceTo(minus.asked) : distance} as asked_distance
      from parlance.image_vectors as vectors
      where vectors.space_id = ${integer(sql, space.id)}
        and ${vectorsInScope(sql, search.scope)}
        ${way.ids ? sql`and vectors.image_id = any (${[...way.ids]}::uuid[])` : sql``}
        ${search.exceptIds?.length ? sql`and vectors.image_id <> all (${[...search.exceptIds]}::uuid[])` : sql``}
        ${passesImage(sql, search, way.ids != null)}
        ${less}
    ) as near
    ${beyond}
    order by distance, id
    limit ${limit}
  `;
}

/** Asked of each candidate by itself: a join might be turned around, and the index would not be walked. */
function passesImage(
  sql: TransactionSql,
  { filters = {}, minus }: VectorSearch,
  isFiltered: boolean,
): PendingQuery<Row[]> {
  const filtering = isFiltering(filters) && !isFiltered;
  if (!filtering && !minus?.words) return sql``;
  const unlike = minus?.words
    ? sql`and not images.words @@ plainto_tsquery('pg_catalog.english', ${minus.words})`
    : sql``;
  return sql`
    and (
      select true
      from parlance.images
      where images.id = vectors.image_id and ${filtering ? passesFilters(sql, filters) : sql`true`} ${unlike}
    )
  `;
}

function vectorsInScope(sql: TransactionSql, scope: Scope): PendingQuery<Row[]> {
  if (scope.kind === "all") return sql`true`;
  if (scope.kind === "public") return sql`vectors.is_public`;
  return scope.ownerId === null ? sql`vectors.owner_id is null` : sql`vectors.owner_id = ${scope.ownerId}`;
}

/** A number as part of the statement: a plan made for any value could use neither partition nor index. */
function integer(sql: TransactionSql, value: number): PendingQuery<Row[]> {
  if (!Number.isSafeInteger(value) || value < 0)
    throw new RangeError(`Expected an integer but found ${value}`);
  return sql.unsafe(String(value));
}

/** The similarity of these pictures with a vector; what has none in the space is left out. */
export async function measureSimilarity(
  sql: TransactionSql,
  space: VectorSearch["space"],
  embedding: string,
  ids: readonly string[],
): Promise<Map<string, number>> {
  if (ids.length === 0) return new Map();
  const rows = await sql<{ id: string; similarity: number }[]>`
    select image_id as id, -(embedding operator(extensions.<#>) ${embedding}::text::extensions.vector) as similarity
    from parlance.image_vectors
    where space_id = ${integer(sql, space.id)} and image_id = any (${[...ids]}::uuid[])
  `;
  return new Map(rows.map((row) => [row.id, row.similarity]));
}

/** A picture's vector in a space, or undefined while it has none. */
export async function findVector(
  sql: TransactionSql,
  space: VectorSearch["space"],
  imageId: string,
): Promise<string | undefined> {
  const [row] = await sql<{ embedding: string }[]>`
    select embedding::text
    from parlance.image_vectors
    where space_id = ${integer(sql, space.id)} and image_id = ${imageId}
  `;
  return row?.embedding;
}
