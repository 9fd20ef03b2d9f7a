/** Batches that can have what is searched: by the hashes of their words, or because they are in no statistics yet. */
import type { TransactionSql } from "postgres";
import type { ListOrder } from "../../../shared/interactions/listing.ts";
import { type LogFilters, ownedBy } from "./conditions.ts";
import { earlierTime, type Fragment, type Key, laterTime } from "./keys.ts";
import type { Piece, Pieces } from "./pieces.ts";

export interface PieceQuery {
  readonly filters: LogFilters;
  readonly order: ListOrder;
  readonly after: Key | undefined;
  /** Batches or hours that are looked at. */
  readonly countMax: number;
}

/** Undefined where they are too many: then the word is common, and a walk finds it sooner. As the service role: under row level security the index of words is not used. */
export async function findBatches(
  sql: TransactionSql,
  { filters, order, after, countMax }: PieceQuery,
  hashes: readonly number[],
): Promise<Pieces | undefined> {
  const words = `{${hashes.join(",")}}`;
  if ((await estimateBatches(sql, words)) > countMax) return undefined;
  const pieces = await sql<Piece[]>`
    select batch_id, first_at as "from", last_at as "to", rows
    from parlance.interaction_words
    where words @> ${words}::text::integer[]
      and ${ownedBy(sql, filters.ownerId)}
      and ${reaches(sql, filters, order, after)}
    limit ${countMax + 1}
  `;
  return pieces.length > countMax ? undefined : { pieces, bound: null };
}

/** What the planner knows of how common they are: looking them up costs as much as they are many. */
async function estimateBatches(sql: TransactionSql, words: string): Promise<number> {
  const [row] = await sql<{ "QUERY PLAN": [{ Plan: { "Plan Rows": number } }] }[]>`
    explain (format json)
    select from parlance.interaction_words where words @> ${sql.unsafe(`'${words}'`)}::integer[]
  `;
  const [plan] = Object.values(row ?? {}) as [{ Plan: { "Plan Rows": number } }][];
  return plan?.[0].Plan["Plan Rows"] ?? 0;
}

/** Batches that reach into the times that are asked for and not yet walked. */
function reaches(
  sql: TransactionSql,
  { from, to }: LogFilters,
  order: ListOrder,
  after: Key | undefined,
): Fragment {
  const begin = order === "occurredAt" ? laterTime(from, after?.occurredAt) : from;
  const end = order === "occurredAt" ? to : earlierTime(to, after?.occurredAt);
  return sql`
    ${begin === undefined ? sql`true` : sql`last_at >= ${begin}::text::timestamptz`}
    and ${end === undefined ? sql`true` : sql`first_at <= ${end}::text::timestamptz`}
  `;
}

const batchesUnfoldedMax = 2000;

/** Undefined where they are too many. */
export async function listUnfolded(
  sql: TransactionSql,
  { filters, order, after }: PieceQuery,
): Promise<Piece[] | undefined> {
  const pieces = await sql<Piece[]>`
    select id as batch_id, first_at as "from", last_at as "to", rows
    from parlance.interaction_batches
    where ${ownedBy(sql, filters.ownerId)}
      and folded_at is null
      and ${reaches(sql, filters, order, after)}
    limit ${batchesUnfoldedMax + 1}
  `;
  return pieces.length > batchesUnfoldedMax ? undefined : pieces;
}
