/** The statements that order pictures by nearness, and those that tell how many there are. */
import type { PendingQuery, Row, TransactionSql } from "postgres";
import { calibrationLimits, cohortQuantiles, type ScoreCohort } from "../../shared/images/calibration.ts";
import type { SearchFilters } from "../../shared/images/contract.ts";
import type { Scope } from "./access.ts";
import { isFiltering, matchImages, passesFilters } from "./filters.ts";
import type { Space } from "./spaces.ts";

type Fragment = PendingQuery<Row[]>;

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

export interface NearestQuery {
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

/** By a walk of the index, or by comparing every row of the scope. */
export function nearestQuery(
  sql: TransactionSql,
  search: NearestQuery,
  path: SearchPath,
): PendingQuery<(Hit & Row)[]> {
  const candidates = sql`${inScope(sql, search)} ${passesImage(sql, search, { filters: search.filters ?? {}, path })}`;
  return sql<(Hit & Row)[]>`
    select id, -distance as score, -asked_distance as similarity
    from (${nearest(sql, search, { path, candidates })}) as near
    order by distance, id
  `;
}

export interface MatchedHit {
  /** Null where nothing is found. */
  readonly id: string | null;
  readonly score: number;
  readonly similarity: number;
  /** How many pass the filters: counted, or a guess. */
  readonly estimate: number;
  /** False where too many pass, and nothing was compared. */
  readonly isCounted: boolean;
}

/**
 * What passes the filters, found by their own indexes and compared one by one, where it is at most `rowsMax`. The
 * caller's role looks at the rows again: what the function answers is not believed alone.
 */
export function matchedQuery(
  sql: TransactionSql,
  search: NearestQuery,
  { rowsMax, isSure }: { rowsMax: number; isSure: boolean },
): PendingQuery<(MatchedHit & Row)[]> {
  const { scope, filters = {} } = search;
  const candidates = sql`
    ${inScope(sql, search)} and vectors.image_id = any (matched.ids) ${passesImage(sql, search, { filters: {}, path: "index" })}
  `;
  return sql<(MatchedHit & Row)[]>`
    select
      near.id,
      -near.distance as score,
      -near.asked_distance as similarity,
      matched.estimate,
      matched.ids is not null as is_counted
    from ${matchImages(sql, { scope, filters, rowsMax, isSure })} as matched
    left join lateral (${nearest(sql, search, { path: "exact", candidates })}) as near on true
    order by near.distance, near.id
  `;
}

function nearest(
  sql: TransactionSql,
  search: NearestQuery,
  { path, candidates }: { path: SearchPath; candidates: Fragment },
): Fragment {
  const { space, embedding, minus, after, limit } = search;
  const distance = distanceTo(sql, space, embedding);
  const beyond = after
    ? sql`where distance > ${-after.score} or (distance = ${-after.score} and id > ${after.id})`
    : sql``;
  return sql`
    select id, distance, asked_distance
    from (
      select
        vectors.image_id as id,
        -- An expression that no index holds: the rows are compared one by one.
        ${path === "exact" ? sql`${distance} + 0` : distance} as distance,
        ${minus ? distanceTo(sql, space, minus.asked) : distance} as asked_distance
      from parlance.image_vectors as vectors
      where vectors.space_id = ${integer(sql, space.id)} and ${candidates} ${lessLike(sql, search)}
    ) as candidates
    ${beyond}
    order by distance, id
    limit ${limit}
  `;
}

/** What is nearer to what it must not be than to what was asked for is not it. */
function lessLike(sql: TransactionSql, { space, minus }: Pick<NearestQuery, "space" | "minus">): Fragment {
  if (!minus?.embedding) return sql``;
  return sql`and ${distanceTo(sql, space, minus.asked)} < ${distanceTo(sql, space, minus.embedding)}`;
}

function distanceTo(sql: TransactionSql, space: NearestQuery["space"], embedding: string): Fragment {
  const vector = sql`extensions.vector(${integer(sql, space.dimensions)})`;
  return sql`(vectors.embedding::${vector} operator(extensions.<#>) ${embedding}::text::${vector})`;
}

function inScope(
  sql: TransactionSql,
  { scope, exceptIds }: Pick<NearestQuery, "scope" | "exceptIds">,
): Fragment {
  const except = exceptIds?.length ? sql`and vectors.image_id <> all (${[...exceptIds]}::uuid[])` : sql``;
  if (scope.kind === "all") return sql`true ${except}`;
  if (scope.kind === "public") return sql`vectors.is_public ${except}`;
  if (scope.ownerId === null) return sql`vectors.owner_id is null ${except}`;
  return sql`vectors.owner_id = ${scope.ownerId} ${except}`;
}

/**
 * On a walk asked of each candidate by itself: a join might be turned around, and the index would not be walked. Where
 * every row is compared, a join is what is wanted.
 */
function passesImage(
  sql: TransactionSql,
  { minus }: NearestQuery,
  { filters, path }: { filters: SearchFilters; path: SearchPath },
): Fragment {
  if (!isFiltering(filters) && !minus?.words) return sql``;
  const unlike = minus?.words
    ? sql`and not images.words @@ plainto_tsquery('pg_catalog.english', ${minus.words})`
    : sql``;
  const passes = sql`${passesFilters(sql, filters)} ${unlike}`;
  if (path === "exact") {
    return sql`and vectors.image_id in (select images.id from parlance.images where ${passes})`;
  }
  return sql`and (select true from parlance.images where images.id = vectors.image_id and ${passes})`;
}

/** How many vectors the space has, as the planner believes; 0 while the table was never looked at. */
export async function estimateVectors(sql: TransactionSql, space: NearestQuery["space"]): Promise<number> {
  const [row] = await sql<{ total: number }[]>`
    select greatest(reltuples, 0)::float8 as total
    from pg_catalog.pg_class
    where oid = to_regclass('parlance.image_vectors_' || ${integer(sql, space.id)})
  `;
  return row?.total ?? 0;
}

/** Counts to `rowsMax` and no further. */
export async function countVectors(
  sql: TransactionSql,
  { space, scope }: Pick<NearestQuery, "space" | "scope">,
  rowsMax: number,
): Promise<number> {
  const [row] = await sql<{ visible: number }[]>`
    select count(*)::integer as visible
    from (
      select
      from parlance.image_vectors as vectors
      where vectors.space_id = ${integer(sql, space.id)} and ${inScope(sql, { scope })}
      limit ${rowsMax}
    ) as counted
  `;
  return row?.visible ?? 0;
}

/** How near a picture is to the vector that the order is by, and to what was asked for. */
export interface Measure extends Pick<Hit, "score" | "similarity"> {
  /** More like what was asked for than like what it must not be. */
  readonly isWanted: boolean;
}

/** Of these pictures; what has no vector in the space is left out. */
export async function measureHits(
  sql: TransactionSql,
  search: Pick<NearestQuery, "space" | "embedding" | "minus">,
  ids: readonly string[],
): Promise<Map<string, Measure>> {
  if (ids.length === 0) return new Map();
  const { space, embedding, minus } = search;
  const rows = await sql<(Measure & { id: string })[]>`
    select
      vectors.image_id as id,
      -${distanceTo(sql, space, embedding)} as score,
      -${distanceTo(sql, space, minus?.asked ?? embedding)} as similarity,
      true ${lessLike(sql, search)} as is_wanted
    from parlance.image_vectors as vectors
    where vectors.space_id = ${integer(sql, space.id)} and vectors.image_id = any (${[...ids]}::uuid[])
  `;
  return new Map(rows.map(({ id, ...measure }) => [id, measure]));
}

/** A picture's vector in a space, or undefined while it has none. */
export async function findVector(
  sql: TransactionSql,
  space: NearestQuery["space"],
  imageId: string,
): Promise<string | undefined> {
  const [row] = await sql<{ embedding: string }[]>`
    select embedding::text
    from parlance.image_vectors
    where space_id = ${integer(sql, space.id)} and image_id = ${imageId}
  `;
  return row?.embedding;
}

/** A number as part of the statement: a plan made for any value could use neither partition nor index. */
export function integer(sql: TransactionSql, value: number): Fragment {
  if (!Number.isSafeInteger(value) || value < 0)
    throw new RangeError(`Expected an integer but found ${value}`);
  return sql.unsafe(String(value));
}

/** The middle and the spread of what some pictures of a scope score with a vector; filters do not count. */
export async function measureCohort(
  sql: TransactionSql,
  { space, scope }: Pick<NearestQuery, "space" | "scope">,
  embedding: string,
): Promise<ScoreCohort | undefined> {
  const [row] = await sql<ScoreCohort[]>`
    select
      count(*)::integer as pictures,
      percentile_cont(${cohortQuantiles[0]}::float8) within group (order by score) as median,
      percentile_cont(${cohortQuantiles[1]}::float8) within group (order by score) as low
    from (
      select -${distanceTo(sql, space, embedding)} + 0 as score
      from parlance.image_vectors as vectors
      where vectors.space_id = ${integer(sql, space.id)} and ${inScope(sql, { scope })}
      limit ${calibrationLimits.cohortMax}
    ) as scored
    having count(*) > 0
  `;
  return row;
}
