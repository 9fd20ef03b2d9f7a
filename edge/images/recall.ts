/**
 * The recall meter: what share of the true best ten do real searches find? Logged searches are asked again as whoever
 * asked them, once as they are served and once with everything compared.
 *
 * It takes little: `searchesMax` searches, none longer than `statementMs`, none begun after `budgetMs` of a run. Comparing
 * everything takes some microseconds a picture, so a search over a million fits; a space where one takes too long is
 * left alone for the rest of the run, and the job tells how many searches it skipped.
 */
import type { Sql, TransactionSql } from "postgres";
import { z } from "zod";
import { anonymousCaller, type Caller, serviceCaller, transactAs } from "../../shared/callers.ts";
import { databaseErrorCode } from "../../shared/database.ts";
import {
  measureRecall,
  type RecallEntry,
  type RecallFigures,
  type RecallMeasure,
  type RecallOutcome,
  type RecallReport,
  recallDepth,
} from "../../shared/images/recall.ts";
import { defineTask, type Task } from "../../shared/jobs/kinds.ts";
import type { Deps } from "../deps.ts";
import type { Scope } from "./access.ts";
import type { Hit } from "./nearest-query.ts";
import {
  type RecallSums,
  readDrawingTime,
  type SampledSearch,
  sampleSearches,
  sumRecall,
} from "./recall-store.ts";
import { findNearest, type VectorSearch } from "./search.ts";

export interface RecallLimits {
  /** In one run. Default 50. */
  searchesMax?: number;
  /** No search is begun later. Default 10,000. */
  budgetMs?: number;
  /** For one statement. Default 5,000. */
  statementMs?: number;
  /** As `findNearest` knows it. */
  exactRowsMax?: number;
}

export function createRecallTask({ sql }: Pick<Deps, "sql">, limits: RecallLimits = {}): Task {
  return defineTask(measureRecall, async (_, context): Promise<RecallOutcome> => {
    const { searchesMax = 50, budgetMs = 10_000 } = limits;
    const { signal, checkpoint, reportProgress } = context;
    const endsAtMs = performance.now() + budgetMs;
    let at = Cursor.safeParse(context.cursor).data ?? (await begin(sql));
    const { drawnAt, askedIds } = at;
    const options = { drawnAt, searchesMax: searchesMax - askedIds.length, exceptIds: askedIds };
    const searches = await sampleSearches(sql, options);
    for (const search of searches) {
      if (signal.aborted || performance.now() > endsAtMs) break;
      if (at.slowSpaceIds.includes(search.spaceId)) continue;
      at = record(at, search, await read(sql, search, limits));
      await checkpoint(at);
      reportProgress(at.askedIds.length, askedIds.length + searches.length);
    }
    const skipped = askedIds.length + searches.length - at.found.length;
    return { measuredAt: drawnAt, measures: summarize(at.found), skipped };
  });
}

/** One search asked again. */
const Reading = z.object({
  spaceId: z.int(),
  filterClass: z.string(),
  path: z.enum(["exact", "index"]),
  servedMs: z.number(),
  exactMs: z.number(),
  /** Share of the true hits that were found. */
  recall: z.number(),
});
type Reading = z.infer<typeof Reading>;

const Cursor = z.object({
  drawnAt: z.string(),
  askedIds: z.array(z.uuid()),
  slowSpaceIds: z.array(z.int()),
  found: z.array(Reading),
});
type Cursor = z.infer<typeof Cursor>;

async function begin(sql: Sql): Promise<Cursor> {
  return { drawnAt: await readDrawingTime(sql), askedIds: [], slowSpaceIds: [], found: [] };
}

function record(at: Cursor, { id, spaceId }: SampledSearch, reading: Reading | "slow"): Cursor {
  const asked = { ...at, askedIds: [...at.askedIds, id] };
  if (reading === "slow") return { ...asked, slowSpaceIds: [...at.slowSpaceIds, spaceId] };
  return { ...asked, found: [...at.found, reading] };
}

const statementTimedOut = "57014";

async function read(
  sql: Deps["sql"],
  search: SampledSearch,
  { statementMs = 5_000, exactRowsMax }: RecallLimits,
): Promise<Reading | "slow"> {
  try {
    return await transactAs(sql, callerOf(search), async (transaction) => {
      await transaction`select set_config('statement_timeout', ${String(statementMs)}, true)`;
      return compare(transaction, search, exactRowsMax === undefined ? {} : { exactRowsMax });
    });
  } catch (error) {
    if (databaseErrorCode(error) === statementTimedOut) return "slow";
    throw error;
  }
}

/** Hits of a first page of usual length, and one that tells whether there is another. */
const servedMax = 26;

async function compare(
  transaction: TransactionSql,
  search: SampledSearch,
  options: Pick<VectorSearch, "exactRowsMax">,
): Promise<Reading> {
  const asked: VectorSearch = { ...toVectorSearch(search), ...options };
  const served = await timed(() => findNearest(transaction, { ...asked, limit: servedMax }));
  const exact = await timed(() => findNearest(transaction, { ...asked, limit: recallDepth, isExact: true }));
  return {
    spaceId: search.spaceId,
    filterClass: search.filterClass,
    path: served.result.path,
    recall: recallOf(served.result.hits, exact.result.hits),
    servedMs: served.tookMs,
    exactMs: exact.tookMs,
  };
}

/** Equal scores differ by no more, whichever way they were reckoned. */
const scoreTolerance = 1e-6;

/**
 * Share of the true best that are among as many of the served. Of pictures with equal scores any counts: what scores as
 * much as the last of the true ones is one of them.
 */
export function recallOf(
  served: readonly Pick<Hit, "score">[],
  exact: readonly Pick<Hit, "score">[],
): number {
  const last = exact.at(-1);
  if (!last) return 1;
  const found = served.slice(0, exact.length).filter(({ score }) => score >= last.score - scoreTolerance);
  return found.length / exact.length;
}

/** Whoever asked; what they may see is decided anew. */
function callerOf({ asker, ownerId }: SampledSearch): Caller {
  if (asker === "service") return serviceCaller;
  if (asker === "anon" || ownerId === null) return anonymousCaller;
  const claims = { role: "authenticated", sub: ownerId };
  if (asker === "user") return { role: "authenticated", claims };
  return { role: "authenticated", claims: { ...claims, app_metadata: { role: "admin" } } };
}

function toVectorSearch(search: SampledSearch): VectorSearch {
  const { spaceId, dimensions, embedding, filters, imageId, minus } = search;
  return {
    space: { id: spaceId, dimensions },
    embedding,
    scope: scopeOf(search),
    filters,
    // What was subtracted is in the vector already; its words still leave pictures out.
    minus: minus === null ? undefined : { asked: embedding, embedding: undefined, words: minus },
    after: undefined,
    limit: recallDepth,
    exceptIds: imageId === null ? [] : [imageId],
  };
}

function scopeOf({ scope, asker, ownerId }: SampledSearch): Scope {
  if (scope !== "own") return { kind: scope };
  return { kind: "own", ownerId: asker === "service" ? null : ownerId };
}

async function timed<T>(work: () => Promise<T>): Promise<{ result: T; tookMs: number }> {
  const startedAtMs = performance.now();
  const result = await work();
  return { result, tookMs: performance.now() - startedAtMs };
}

function summarize(readings: readonly Reading[]): RecallMeasure[] {
  const groups = new Map<string, Reading[]>();
  for (const reading of readings) {
    const key = JSON.stringify([reading.spaceId, reading.filterClass, reading.path]);
    groups.set(key, [...(groups.get(key) ?? []), reading]);
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (!first) return [];
    const recalls = group.map(({ recall }) => recall);
    return {
      spaceId: first.spaceId,
      filterClass: first.filterClass,
      path: first.path,
      searches: group.length,
      recallSum: recalls.reduce((sum, recall) => sum + recall, 0),
      recallMin: Math.min(...recalls),
      servedMs: median(group.map(({ servedMs }) => servedMs)),
      exactMs: median(group.map(({ exactMs }) => exactMs)),
    };
  });
}

function median(values: readonly number[]): number {
  const ordered = [...values].sort((a, b) => a - b);
  const [below, above] = [ordered[(ordered.length - 1) >> 1], ordered[ordered.length >> 1]];
  return ((below ?? 0) + (above ?? 0)) / 2;
}

const hours = { day: 24, week: 7 * 24 } as const;

/** Recall of the last day and week. */
export async function reportRecall({ sql }: Pick<Deps, "sql">): Promise<RecallReport> {
  const [lastDay, lastWeek] = [await sumRecall(sql, hours.day), await sumRecall(sql, hours.week)];
  const items = lastWeek.map((sums): RecallEntry => {
    const { space, filterClass, path } = sums;
    const today = lastDay.find(
      (one) => one.space === space && one.filterClass === filterClass && one.path === path,
    );
    return {
      space,
      filterClass,
      path,
      lastDay: today ? toFigures(today) : null,
      lastWeek: toFigures(sums),
    };
  });
  return { k: recallDepth, items };
}

function toFigures(sums: RecallSums): RecallFigures {
  const { searches, recallSum, worst, servedMs, exactMs, measuredAt } = sums;
  const recall = recallSum / searches;
  return { searches, recall, lowerBound: lowerBound(recall, searches), worst, servedMs, exactMs, measuredAt };
}

/**
 * Wilson's lower bound for a share (Wilson, 1927). Hits of one search stand or fall together, so each search counts as
 * one trial: no share between 0 and 1 varies more than one that is either.
 */
export function lowerBound(share: number, trials: number): number {
  const z = 1.96;
  const centre = share + z ** 2 / (2 * trials);
  const margin = z * Math.sqrt((share * (1 - share)) / trials + (z / (2 * trials)) ** 2);
  return Math.max(0, (centre - margin) / (1 + z ** 2 / trials));
}
