/**
 * Finds a page of the log: a short walk first, which is enough for whatever is common; then leaps, where batches or hours say where
 * the rare is; else a longer walk. Each looks at a bounded number of rows, and the page says where it stopped.
 *
 * Keys are found as the service role with the owner given; the rows are read as the caller, so a mistake here shows nothing.
 */
import type { TransactionSql } from "postgres";
import type { ListOrder } from "../../../shared/interactions/listing.ts";
import { hashWords, labelsOf } from "../../../shared/interactions/words.ts";
import { findBatches } from "./batch-pieces.ts";
import type { LogFilters } from "./conditions.ts";
import { findHours } from "./hour-pieces.ts";
import { compareKeys, type Key, type Stretch } from "./keys.ts";
import { leap, type Pieces } from "./pieces.ts";
import { type Plan, planWalk } from "./sources.ts";
import { checkTexts } from "./texts.ts";
import { walk } from "./walking.ts";

export interface Search {
  readonly filters: LogFilters;
  readonly order: ListOrder;
  readonly after: Key | undefined;
  /** As many are enough. */
  readonly found: number;
  readonly limits?: Limits;
}

/** What a page may take. */
export interface Limits {
  /** Rows that the short walk looks at, and the long one. */
  readonly firstRows: number;
  readonly rows: number;
  /** Rows whose texts are read after a walk. */
  readonly texts: number;
  /** Rows that a leap looks at, batches among which it chooses, and hours. */
  readonly pieceRows: number;
  readonly batches: number;
  readonly hours: number;
}

export const usualLimits: Limits = {
  firstRows: 600,
  rows: 4000,
  texts: 800,
  pieceRows: 1200,
  batches: 2000,
  hours: 4000,
};

/** Rows that are found by what they made fire lie in many places. */
const limitsOf = ({ source }: Plan, limits: Limits): Limits =>
  source.of === "firings" || source.of === "alerts"
    ? { ...limits, rows: Math.ceil(limits.rows / 2), texts: Math.ceil(limits.texts / 2) }
    : limits;

type Step = Search & { readonly plan: Plan; readonly limits: Limits };

export async function findKeys(sql: TransactionSql, search: Search): Promise<Stretch> {
  const plan = await planWalk(sql, search.filters);
  if (!plan) return { keys: [], stop: null };
  const limits = limitsOf(plan, search.limits ?? usualLimits);
  const step = { ...search, plan, limits };
  if (!canLeap(search.filters)) return walk(sql, step, { looked: limits.rows, found: search.found });
  const first = await stepOn(sql, step, limits.firstRows);
  if (first.keys.length >= search.found || first.stop === null) return first;
  const rest = { ...step, after: first.stop, found: search.found - first.keys.length };
  const second = (await leapOn(sql, rest)) ?? (await stepOn(sql, rest, limits.rows));
  return { keys: [...first.keys, ...second.keys], stop: second.stop };
}

const canLeap = ({ terms, tags, provider, ranges }: LogFilters) =>
  Boolean(terms?.length || tags?.length || provider !== undefined || ranges?.length);

/** Rows whose texts are to be read are counted before they are. */
const budgetOf = ({ filters, found, limits }: Step, looked: number) => ({
  looked,
  found: filters.terms?.length ? limits.texts : found,
});

async function stepOn(sql: TransactionSql, step: Step, looked: number): Promise<Stretch> {
  return readTexts(sql, step, await walk(sql, step, budgetOf(step, looked)));
}

/** Undefined where it cannot, or would lead nowhere. */
async function leapOn(sql: TransactionSql, step: Step & { after: Key }): Promise<Stretch | undefined> {
  const { limits } = step;
  const pieces = await findPieces(sql, step);
  if (!pieces) return undefined;
  const stretch = await leap(
    sql,
    { ...step, rowsMax: limits.pieceRows },
    pieces,
    budgetOf(step, limits.rows),
  );
  if (stretch.stop && compareKeys(stretch.stop, step.after, step.order) <= 0) return undefined;
  return readTexts(sql, step, stretch);
}

async function readTexts(sql: TransactionSql, { filters, found }: Step, stretch: Stretch): Promise<Stretch> {
  return filters.terms?.length ? checkTexts(sql, stretch, { terms: filters.terms, found }) : stretch;
}

async function findPieces(sql: TransactionSql, step: Step): Promise<Pieces | undefined> {
  const { filters, plan } = step;
  const hashes = hashWords(filters.terms ?? [], labelsOf(filters));
  const batches =
    hashes.length > 0
      ? await findBatches(sql, { ...step, countMax: step.limits.batches }, hashes)
      : undefined;
  if (batches) return batches;
  return filters.ranges?.length
    ? findHours(sql, { ...step, countMax: step.limits.hours }, plan.groupIds)
    : undefined;
}
