/**
 * Statistics by group, metric and hour: read, merged and written back, a few statements for any number of them. Whoever writes
 * holds the owner's settings, so that nobody else merges into the same ones.
 *
 * Lists of numbers travel as texts: postgres.js reads and writes arrays letter by letter.
 */
import type { Row, TransactionSql } from "postgres";
import {
  addValues,
  type Moments,
  mergeMoments,
  noMoments,
} from "../../../shared/interactions/statistics/moments.ts";
import { QuantileSketch } from "../../../shared/interactions/statistics/sketch.ts";
import { readSketch, writeSketch } from "../../../shared/interactions/statistics/sketch-text.ts";
import type { Span } from "./spans.ts";

export interface HourKey extends Span {
  readonly groupId: number;
  readonly metric: number;
}

export interface HourEntry extends HourKey {
  readonly moments: Moments;
  readonly sketch: QuantileSketch;
}

/** As the database answers it. */
export interface HourRow extends Row, Moments {
  readonly groupId: number;
  readonly metric: number;
  readonly hour: number;
  readonly hours: 1 | 24;
  /** Empty where it was not asked for. */
  readonly sketch: string;
}

export const hourColumns = (sql: TransactionSql) => sql`
  hours.group_id, hours.metric, hours.hour, hours.hours, hours.count, hours.mean, hours.m2, hours.min, hours.max,
  hours.sketch
`;

/** The numbers of `{1,2}`. What is null becomes NaN. */
export function parseNumbers(text: string): number[] {
  const numbers: number[] = [];
  let start = 1;
  let number = 0;
  let isPlain = true;
  for (let index = 1; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code >= zero && code <= nine) number = number * 10 + code - zero;
    else if (code === comma || code === brace) {
      // Most are small and whole; for those this is several times as quick.
      const isWhole = isPlain && index - start <= 15;
      if (index > start) numbers.push(isWhole ? number : Number(text.slice(start, index)));
      start = index + 1;
      number = 0;
      isPlain = true;
    } else isPlain = false;
  }
  return numbers;
}

const [zero, nine, comma, brace] = [48, 57, 44, 125];

export const toArrayText = (numbers: readonly (number | string)[]): string => `{${numbers.join(",")}}`;

export function toEntry(row: HourRow): HourEntry {
  const { groupId, metric, hour, hours, count, mean, m2, min, max } = row;
  const sketch = QuantileSketch.fromParts(readSketch(row.sketch));
  return { groupId, metric, hour, hours, moments: { count, mean, m2, min, max }, sketch };
}

const nameOf = ({ groupId, metric, hour }: Omit<HourKey, "hours">) => `${groupId} ${metric} ${hour}`;

/** Values by what they are counted to. */
export class Collection {
  readonly #spans = new Map<string, Span & { readonly groupId: number; readonly values: number[][] }>();

  /** A row's values, that of metric n at n - 1; those that are no finite number are left out. */
  add(groupId: number, { hour, hours }: Span, values: readonly number[]): void {
    const name = `${groupId} ${hour}`;
    let span = this.#spans.get(name);
    if (!span) {
      span = { groupId, hour, hours, values: [] };
      this.#spans.set(name, span);
    }
    for (let index = 0; index < values.length; index++) {
      const value = values[index] as number;
      if (!Number.isFinite(value)) continue;
      const known = span.values[index];
      if (known) known.push(value);
      else span.values[index] = [value];
    }
  }

  toEntries(): HourEntry[] {
    return [...this.#spans.values()].flatMap(({ groupId, hour, hours, values }) =>
      [...values.entries()].flatMap(([index, list]) =>
        list
          ? [
              {
                groupId,
                metric: index + 1,
                hour,
                hours,
                moments: addValues(noMoments, list),
                sketch: QuantileSketch.of(list),
              },
            ]
          : [],
      ),
    );
  }
}

/** Those of the same group, metric and hour become one; a day where one of them is. */
export function mergeEntries(entries: Iterable<HourEntry>): HourEntry[] {
  const merged = new Map<string, HourEntry>();
  for (const entry of entries) {
    const name = nameOf(entry);
    const known = merged.get(name);
    merged.set(name, known ? mergeTwo(known, entry) : entry);
  }
  return [...merged.values()];
}

/** The sketch of the first is changed. */
function mergeTwo(one: HourEntry, other: HourEntry): HourEntry {
  one.sketch.merge(other.sketch);
  return {
    ...one,
    hours: one.hours === 24 || other.hours === 24 ? 24 : 1,
    moments: mergeMoments(one.moments, other.moments),
  };
}

/** So many at once: a statement's text stays small, and so does what is in memory. */
const entriesAtOnce = 5_000;

/** Adds to what is there. Each group, metric and hour may be named once. */
export async function addToHours(transaction: TransactionSql, entries: readonly HourEntry[]): Promise<void> {
  const sorted = entries.toSorted(
    (one, other) => one.groupId - other.groupId || one.metric - other.metric || one.hour - other.hour,
  );
  for (let start = 0; start < sorted.length; start += entriesAtOnce) {
    const part = sorted.slice(start, start + entriesAtOnce);
    const known = await listHours(transaction, part);
    await writeHours(transaction, known.length === 0 ? part : mergeEntries([...known.map(toEntry), ...part]));
  }
}

async function listHours(transaction: TransactionSql, keys: readonly HourKey[]): Promise<HourRow[]> {
  return await transaction<HourRow[]>`
    select ${hourColumns(transaction)}
    from unnest(
      ${toArrayText(keys.map(({ groupId }) => groupId))}::text::integer[],
      ${toArrayText(keys.map(({ metric }) => metric))}::text::smallint[],
      ${toArrayText(keys.map(({ hour }) => hour))}::text::integer[]
    ) as wanted (group_id, metric, hour)
    -- One after another, for a list of them might be looked for in the whole table.
    cross join lateral (
      select *
      from parlance.interaction_hours as known
      where (known.group_id, known.metric, known.hour) = (wanted.group_id, wanted.metric, wanted.hour)
      offset 0
    ) as hours
  `;
}

async function writeHours(transaction: TransactionSql, entries: readonly HourEntry[]): Promise<void> {
  const column = (pick: (entry: HourEntry) => number) => toArrayText(entries.map(pick));
  await transaction`
    insert into parlance.interaction_hours as known (
      group_id, metric, hour, hours, count, mean, m2, min, max, sketch
    )
    select group_id, metric, hour, hours, count, mean, m2, min, max, sketch
    from unnest(
      ${column(({ groupId }) => groupId)}::text::integer[],
      ${column(({ metric }) => metric)}::text::smallint[],
      ${column(({ hour }) => hour)}::text::integer[],
      ${column(({ hours }) => hours)}::text::smallint[],
      ${column(({ moments }) => moments.count)}::text::integer[],
      ${column(({ moments }) => moments.mean)}::text::float8[],
      ${column(({ moments }) => moments.m2)}::text::float8[],
      ${column(({ moments }) => moments.min)}::text::float8[],
      ${column(({ moments }) => moments.max)}::text::float8[],
      ${toArrayText(entries.map(({ sketch }) => `"${writeSketch(sketch.toParts())}"`))}::text::text[]
    ) as merged (group_id, metric, hour, hours, count, mean, m2, min, max, sketch)
    on conflict (group_id, metric, hour) do update
    set hours = excluded.hours,
      count = excluded.count,
      mean = excluded.mean,
      m2 = excluded.m2,
      min = excluded.min,
      max = excluded.max,
      sketch = excluded.sketch
  `;
}
