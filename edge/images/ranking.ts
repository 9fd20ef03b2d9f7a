/**
 * One order of all hits of a question, of which pages are parts. By vectors alone it is that of their scores. With
 * words it is a window of the best of both lists, fused, and after it the order of the vectors without what was in
 * the window: each page computes the window anew and finds its place in it.
 */
import type { TransactionSql } from "postgres";
import type { SearchFilters } from "../../shared/images/contract.ts";
import type { Scope } from "./access.ts";
import { comparePlaces, fuse, type Placed, scoreBehind } from "./fusion.ts";
import { type Hit, type Measure, type Minus, measureHits, type SearchPath } from "./nearest-query.ts";
import { type FilterClass, findNearest } from "./search.ts";
import type { Space } from "./spaces.ts";
import { findByWords } from "./words.ts";

export interface Ranked extends Placed {
  readonly similarity: number | null;
  readonly matchedWords: boolean;
  /** The score that the order goes on from, in the phase. */
  readonly place: { readonly phase: "window" | "rest"; readonly score: number };
}

export interface RankedSearch {
  space: Space;
  embedding: string;
  /** Normalized; undefined where only vectors are searched. */
  words: string | undefined;
  minus: Minus | undefined;
  scope: Scope;
  filters: SearchFilters;
  exceptIds: readonly string[];
  /** Only when asked: each of what matches is compared. */
  isExact?: boolean;
}

/** Where a page begins. */
export interface Start {
  readonly phase: "window" | "rest";
  readonly after: Placed | undefined;
}

export const fromTheTop: Start = { phase: "window", after: undefined };

export interface Ranking {
  readonly way: "fused" | "vectors";
  readonly hits: Ranked[];
  readonly path: SearchPath;
  readonly filterClass: FilterClass;
  readonly pictures: number;
}

/** So many of each list are fused. Twice as many find little more and cost twice as much. */
const windowSize = 100;

/** `way` is how the pages before were ranked; undefined for the first one, which decides. */
export async function rank(
  sql: TransactionSql,
  search: RankedSearch,
  page: { start: Start; limit: number; way: "fused" | "vectors" | undefined },
): Promise<Ranking> {
  const worded = page.way === "vectors" ? [] : await listWorded(sql, search);
  if (worded.length === 0 && page.way !== "fused") return rankByVectors(sql, search, page);
  if (page.start.phase === "rest") return rankRest(sql, search, page, worded);
  return rankFused(sql, search, page, worded);
}

async function listWorded(sql: TransactionSql, search: RankedSearch): Promise<Placed[]> {
  const { words, minus, exceptIds, ...rest } = search;
  if (words === undefined) return [];
  const found = await findByWords(sql, {
    ...rest,
    query: words,
    minus: minus?.words,
    after: undefined,
    limit: windowSize,
  });
  return found.filter(({ id }) => !exceptIds.includes(id));
}

type Page = { start: Start; limit: number };

async function rankByVectors(sql: TransactionSql, search: RankedSearch, page: Page): Promise<Ranking> {
  const { hits, ...told } = await findNearest(sql, { ...search, after: page.start.after, limit: page.limit });
  return { way: "vectors", hits: hits.map((hit) => toRanked(hit, hit.score, "window")), ...told };
}

async function rankFused(
  sql: TransactionSql,
  search: RankedSearch,
  page: Page,
  worded: Placed[],
): Promise<Ranking> {
  const { hits: near, ...told } = await findNearest(sql, { ...search, after: undefined, limit: windowSize });
  const window = await describeWindow(sql, search, near, worded);
  const { after } = page.start;
  const hits = window
    .filter((hit) => after === undefined || comparePlaces(after, hit) < 0)
    .slice(0, page.limit);
  const last = near.at(-1);
  const missing = page.limit - hits.length;
  if (missing === 0 || near.length < windowSize || !last) return { way: "fused", hits, ...told };
  const start: Start = { phase: "rest", after: last };
  const rest = await rankRest(sql, search, { start, limit: missing }, worded);
  return { ...rest, ...told, hits: [...hits, ...rest.hits] };
}

async function rankRest(
  sql: TransactionSql,
  search: RankedSearch,
  { start, limit }: Page,
  worded: Placed[],
): Promise<Ranking> {
  const exceptIds = [...search.exceptIds, ...worded.map(({ id }) => id)];
  const { hits, ...told } = await findNearest(sql, { ...search, exceptIds, after: start.after, limit });
  const ranked = hits.map((hit) => toRanked(hit, scoreBehind(hit.score), "rest"));
  return { way: "fused", hits: ranked, ...told };
}

async function describeWindow(
  sql: TransactionSql,
  search: RankedSearch,
  near: readonly Hit[],
  worded: readonly Placed[],
): Promise<Ranked[]> {
  const known = new Map<string, Measure>(near.map((hit) => [hit.id, { ...hit, isWanted: true }]));
  const unknown = worded.flatMap(({ id }) => (known.has(id) ? [] : [id]));
  for (const [id, measure] of await measureHits(sql, search, unknown)) known.set(id, measure);
  const measured = worded
    .filter(({ id }) => known.get(id)?.isWanted !== false)
    .map((place) => ({ ...place, nearness: known.get(place.id)?.score ?? null }));
  const wordedIds = new Set(worded.map(({ id }) => id));
  return fuse(near, measured).map(({ id, score }) => ({
    id,
    score,
    similarity: known.get(id)?.similarity ?? null,
    matchedWords: wordedIds.has(id),
    place: { phase: "window", score },
  }));
}

function toRanked(hit: Hit, score: number, phase: "window" | "rest"): Ranked {
  const { id, similarity } = hit;
  return { id, score, similarity, matchedWords: false, place: { phase, score: hit.score } };
}
