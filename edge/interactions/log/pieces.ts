/**
 * Leaps through the log: where few batches can hold what is searched, or few hours have values in a range, only their rows are
 * looked at. Pieces overlap in time, so what was found is in order only up to where the first piece begins that was not taken.
 *
 *   newest first    taken ▓▓▓▓▓▓▓▓
 *                   taken     ▓▓▓▓▓▓▓▓▓▓
 *                   not taken         ░░░░░░░        time ─▶ older
 *                   settled ──────────┤ the page goes on from here
 */
import type { TransactionSql } from "postgres";
import type { ListOrder } from "../../../shared/interactions/listing.ts";
import { ownedBy, passes, withinTimes } from "./conditions.ts";
import {
  comesAfter,
  type FoundKey,
  type Fragment,
  inOrder,
  type Key,
  nearerTime,
  placeBefore,
  type Stretch,
} from "./keys.ts";
import type { Plan, Way } from "./sources.ts";
import { type Budget, sizeOf, walk } from "./walking.ts";

/** Rows that may pass lie in these alone. Both times belong to it. */
export interface Piece {
  readonly from: string;
  readonly to: string;
  /** About how many rows it has. */
  readonly rows: number;
  readonly batchId?: string;
  readonly groupId?: number;
}

export interface Pieces {
  readonly pieces: readonly Piece[];
  /** Beyond it there may be more pieces; null where there are none. */
  readonly bound: string | null;
}

type Passage = Omit<Way, "source"> & {
  readonly plan: Plan;
  /** Rows of the pieces that are taken at once. */
  readonly rowsMax: number;
};

const lanesMax = 400;

/** Goes on after `way.after` through pieces alone. */
export async function leap(
  sql: TransactionSql,
  way: Passage,
  given: Pieces,
  budget: Budget,
): Promise<Stretch> {
  const { order } = way;
  const pieces = sortPieces(
    given.pieces.map((piece) => cutPiece(piece, way.after, order)),
    order,
  );
  const begin = pieces[0] && beginOf(pieces[0], order);
  if (begin === undefined)
    return { keys: [], stop: given.bound === null ? null : placeBefore(given.bound, order) };
  const taken = takePieces(pieces, way.rowsMax);
  const next = pieces[taken.length];
  const edge = nearerTime(next && beginOf(next, order), given.bound, order) ?? null;
  // Where even the first piece is too large, or nothing would be settled, its rows are walked through.
  if (taken.length > 0 && edge !== begin) return readPieces(sql, way, { taken, edge, found: budget.found });
  return walk(
    sql,
    { ...way, after: laterOf(way.after, placeBefore(begin, order), order), where: inBatches(sql, pieces) },
    budget,
  );
}

/** Where it is first met in this order. */
export const beginOf = ({ from, to }: Piece, order: ListOrder) => (order === "occurredAt" ? from : to);

/** Without what was walked before. */
function cutPiece(piece: Piece, after: Key | undefined, order: ListOrder): Piece {
  if (!after || nearerTime(beginOf(piece, order), after.occurredAt, order) === after.occurredAt) return piece;
  return order === "occurredAt" ? { ...piece, from: after.occurredAt } : { ...piece, to: after.occurredAt };
}

function sortPieces(pieces: readonly Piece[], order: ListOrder): Piece[] {
  const sign = order === "occurredAt" ? 1 : -1;
  return [...pieces].sort((one, other) => {
    const [a, b] = [beginOf(one, order), beginOf(other, order)];
    return a < b ? -sign : a > b ? sign : 0;
  });
}

function takePieces(pieces: readonly Piece[], rowsMax: number): Piece[] {
  const taken: Piece[] = [];
  let rows = 0;
  for (const piece of pieces.slice(0, lanesMax)) {
    rows += piece.rows;
    if (rows > rowsMax) break;
    taken.push(piece);
  }
  return taken;
}

function laterOf(one: Key | undefined, other: Key, order: ListOrder): Key {
  if (!one) return other;
  const isLater =
    order === "occurredAt" ? other.occurredAt > one.occurredAt : other.occurredAt < one.occurredAt;
  return isLater ? other : one;
}

/** Where all pieces are batches, nothing else need be looked at closely. */
function inBatches(sql: TransactionSql, pieces: readonly Piece[]): Fragment | undefined {
  const ids = pieces.flatMap(({ batchId }) => batchId ?? []);
  if (ids.length < pieces.length) return undefined;
  // An array as such is looked up by hashes; one that is cast from text would be read again for each row.
  return sql`rows.batch_id = any(${ids}::uuid[])`;
}

interface Taken {
  readonly taken: readonly Piece[];
  /** From here on it is not settled. */
  readonly edge: string | null;
  readonly found: number;
}

async function readPieces(
  sql: TransactionSql,
  { filters, order, after, plan }: Passage,
  { taken, edge, found }: Taken,
): Promise<Stretch> {
  const settled =
    edge === null
      ? sql`true`
      : order === "occurredAt"
        ? sql`rows.occurred_at < ${edge}::text::timestamptz`
        : sql`rows.occurred_at > ${edge}::text::timestamptz`;
  const keys = await sql<FoundKey[]>`
    select distinct rows.occurred_at, rows.id, ${sizeOf(sql)}
    from (${rowsOfPieces(sql, taken)}) as rows
    where ${ownedBy(sql, filters.ownerId, sql`rows.owner_id`)}
      and ${comesAfter(sql, after, order)}
      and ${withinTimes(sql, filters)}
      and ${settled}
      and ${passes(sql, filters, plan.groupIds)}
    ${inOrder(sql, order)}
    limit ${found}
  `;
  if (keys.length >= found) return { keys, stop: keys.at(-1) ?? null };
  return { keys, stop: edge === null ? null : placeBefore(edge, order) };
}

function rowsOfPieces(sql: TransactionSql, taken: readonly Piece[]): Fragment {
  const batches = taken.flatMap(({ batchId }) => (batchId === undefined ? [] : [batchId]));
  const spans = taken.filter(({ groupId }) => groupId !== undefined);
  const ofBatches = sql`
    select rows.*
    from parlance.interactions as rows
    where rows.batch_id = any(${`{${batches.join(",")}}`}::text::uuid[])
  `;
  if (spans.length === 0) return ofBatches;
  const ofSpans = sql`
    select rows.*
    from unnest(
      ${`{${spans.map(({ groupId }) => groupId).join(",")}}`}::text::integer[],
      ${`{${spans.map(({ from }) => `"${from}"`).join(",")}}`}::text::timestamptz[],
      ${`{${spans.map(({ to }) => `"${to}"`).join(",")}}`}::text::timestamptz[]
    ) as spans (group_id, from_at, to_at)
    cross join lateral (
      select rows.*
      from parlance.interactions as rows
      where rows.group_id = spans.group_id
        and rows.occurred_at between spans.from_at and spans.to_at
      offset 0
    ) as rows
  `;
  return batches.length === 0 ? ofSpans : sql`${ofBatches} union all ${ofSpans}`;
}
