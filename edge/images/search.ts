/**
 * Finds the nearest pictures, under the caller's role: row level security decides what can be found at all.
 *
 * Scores are inner products of unit vectors. Where little passes the filters, each of it is compared, so the answer is
 * exact. Where much does, the HNSW index is walked until enough of what it meets may be seen and passes; a walk that
 * ends short of that is followed by a comparison of everything. Both order by score and then by id, so that pages of
 * one search fit together.
 */
import type { TransactionSql } from "postgres";
import type { SearchFilters } from "../../shared/images/contract.ts";
import { findMatches, isFiltering } from "./filters.ts";
import {
  countVectors,
  estimateVectors,
  type Hit,
  matchedQuery,
  type NearestQuery,
  nearestQuery,
  type SearchPath,
} from "./nearest-query.ts";

/** `none`: nothing is filtered. `narrow`: the filters keep at most 5 % of the space's vectors. `broad`: more. */
export type FilterClass = "none" | "broad" | "narrow";

export interface VectorSearch extends NearestQuery {
  /** Compares everything, whatever it costs: what the index finds is measured by it. */
  isExact?: boolean;
  /** Up to this many are compared one by one. By default, as many as cost less than a walk. */
  exactRowsMax?: number;
}

export interface Nearest {
  readonly hits: readonly Hit[];
  readonly path: SearchPath;
  readonly filterClass: FilterClass;
  /** Among how many pictures was searched; a guess where they are many. */
  readonly pictures: number;
}

/** The nearest pictures of a space, best first. */
export async function findNearest(sql: TransactionSql, search: VectorSearch): Promise<Nearest> {
  const total = await estimateVectors(sql, search.space);
  const { exactRowsMax = balance(total) } = search;
  const few = await findAmongFew(sql, search, { rowsMax: exactRowsMax, isSure: search.isExact === true });
  const share = total > 0 ? Math.min(1, few.pictures / total) : 1;
  const told = { filterClass: classify(search.filters ?? {}, share), pictures: few.pictures };
  if (few.hits) return { hits: few.hits, path: "exact", ...told };
  if (!search.isExact) {
    await aimIndex(sql, { share, total }, search.limit);
    const hits = await nearestQuery(sql, search, "index");
    if (hits.length >= search.limit) return { hits, path: "index", ...told };
  }
  return { hits: await findAmongAll(sql, search), path: "exact", ...told };
}

/**
 * A comparison costs about 2.6 µs of a row. To meet what a share of the rows is, a walk must look the longer the smaller
 * the share is: about 1 ms divided by it. The two cost the same where the rows are some 20 times the root of all.
 */
function balance(total: number): number {
  return Math.round(Math.min(comparedMax, Math.max(2000, 20 * Math.sqrt(total))));
}

/** As many as `parlance.match_images` answers. */
const comparedMax = 20_000;

interface Few {
  /** Undefined where they are too many to compare. */
  readonly hits: readonly Hit[] | undefined;
  readonly pictures: number;
}

async function findAmongFew(
  sql: TransactionSql,
  search: VectorSearch,
  most: { rowsMax: number; isSure: boolean },
): Promise<Few> {
  const { scope, filters = {} } = search;
  if (isFiltering(filters)) return findMatched(sql, search, most);
  const { estimate } = await findMatches(sql, { scope, filters, rowsMax: 0, isSure: false });
  // The planner is seldom wrong by more, and counting is cheap.
  if (estimate > 4 * most.rowsMax) return { hits: undefined, pictures: estimate };
  const pictures = await countVectors(sql, search, most.rowsMax + 1);
  if (pictures > most.rowsMax) return { hits: undefined, pictures: Math.max(pictures, estimate) };
  return { hits: await nearestQuery(sql, search, "exact"), pictures };
}

async function findMatched(
  sql: TransactionSql,
  search: VectorSearch,
  most: { rowsMax: number; isSure: boolean },
): Promise<Few> {
  const rows = await matchedQuery(sql, search, most);
  const pictures = rows[0]?.estimate ?? 0;
  if (!rows[0]?.isCounted) return { hits: undefined, pictures };
  const hits = rows.flatMap(({ id, score, similarity }) => (id === null ? [] : [{ id, score, similarity }]));
  return { hits, pictures };
}

/** Nothing is missed, however long it takes. */
async function findAmongAll(sql: TransactionSql, search: VectorSearch): Promise<readonly Hit[]> {
  if (isFiltering(search.filters ?? {})) {
    const { hits } = await findMatched(sql, search, { rowsMax: comparedMax, isSure: true });
    if (hits) return hits;
  }
  return nearestQuery(sql, search, "exact");
}

function classify(filters: SearchFilters, share: number): FilterClass {
  if (!isFiltering(filters)) return "none";
  return share <= 0.05 ? "narrow" : "broad";
}

/**
 * How many candidates the index keeps in view. A hundred find the best ten of 100,000, twice as many those of a million.
 * The rarer what may be found, the more must be looked at before it is enough: three times the ten that matter most, and
 * half more than all that is asked for. 1,000 is the most that pgvector takes; beyond, more rounds follow.
 */
async function aimIndex(
  sql: TransactionSql,
  { share, total }: { share: number; total: number },
  limit: number,
): Promise<void> {
  const least = 100 * (1 + Math.max(0, Math.log10(total / 100_000)));
  const wanted = Math.max(0.3 * least, 1.5 * limit) / Math.max(share, 0.001);
  const candidates = Math.ceil(Math.min(1000, Math.max(least, wanted)));
  await sql`
    select
      set_config('hnsw.iterative_scan', 'strict_order', true),
      set_config('hnsw.ef_search', ${String(candidates)}, true)
  `;
}
