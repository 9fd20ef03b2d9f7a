/** Where a row stands in the order of time. Times are as the database writes them, so that texts compare as times do. */
import type { PendingQuery, Row, TransactionSql } from "postgres";
import type { ListOrder } from "../../../shared/interactions/listing.ts";

export interface Key {
  readonly occurredAt: string;
  readonly id: string;
}

/** A row that was found, and how large its texts are. */
export interface FoundKey extends Key {
  readonly bytes: number;
}

/** A part of a walk: what passed, in order, and the last place that was looked at; null at the end. */
export interface Stretch {
  readonly keys: readonly FoundKey[];
  readonly stop: Key | null;
}

export type Fragment = PendingQuery<Row[]>;

const lowest = "00000000-0000-0000-0000-000000000000";
const highest = "ffffffff-ffff-ffff-ffff-ffffffffffff";

/** The place before all rows of this moment: what comes after it in this order begins with them. */
export const placeBefore = (occurredAt: string, order: ListOrder): Key => ({
  occurredAt,
  id: order === "occurredAt" ? lowest : highest,
});

/** Negative where one comes before the other in this order. */
export function compareKeys(one: Key, other: Key, order: ListOrder): number {
  const [a, b] = [`${one.occurredAt} ${one.id}`, `${other.occurredAt} ${other.id}`];
  const sign = a < b ? -1 : a > b ? 1 : 0;
  return order === "occurredAt" ? sign : -sign;
}

/** With all six digits of its microseconds, as the database writes times. */
export function formatMs(timeMs: number): string {
  return new Date(timeMs).toISOString().replace("Z", "000Z");
}

/** With all six digits of its microseconds, as the database writes times; offsets of a day it does not know. */
export function toUtc(time: string): string {
  const fraction = /\.(\d+)/.exec(time)?.[1] ?? "";
  return new Date(Date.parse(time))
    .toISOString()
    .replace(/\.\d+Z$/, `.${fraction.padEnd(6, "0").slice(0, 6)}Z`);
}

/** Rows that come after a place; `rows` is their alias, `time` and `id` their columns. */
export function comesAfter(
  sql: TransactionSql,
  place: Key | undefined,
  order: ListOrder,
  columns: Fragment = sql`rows.occurred_at, rows.id`,
): Fragment {
  if (!place) return sql`true`;
  const values = sql`(${place.occurredAt}::text::timestamptz, ${place.id}::uuid)`;
  return order === "occurredAt" ? sql`(${columns}) > ${values}` : sql`(${columns}) < ${values}`;
}

export const inOrder = (
  sql: TransactionSql,
  order: ListOrder,
  { time = sql`rows.occurred_at`, id = sql`rows.id` } = {},
): Fragment =>
  order === "occurredAt" ? sql`order by ${time}, ${id}` : sql`order by ${time} desc, ${id} desc`;

/** The later of two times, of which either may be missing; to the millisecond, then the first. */
export const laterTime = (one: string | undefined, other: string | undefined) =>
  one === undefined || (other !== undefined && Date.parse(other) > Date.parse(one)) ? other : one;
export const earlierTime = (one: string | undefined, other: string | undefined) =>
  one === undefined || (other !== undefined && Date.parse(other) < Date.parse(one)) ? other : one;

/** The time that comes first in this order. Both as the database writes them. */
export function nearerTime(
  one: string | null | undefined,
  other: string | null | undefined,
  order: ListOrder,
): string | undefined {
  if (one == null || other == null) return one ?? other ?? undefined;
  return (order === "occurredAt") === one < other ? one : other;
}
