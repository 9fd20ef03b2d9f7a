/** Which pieces of the log can have what is searched: batches by the hashes of words, hours by the least and the greatest value. */
import type { TransactionSql } from "postgres";
import type { ListOrder } from "../../../shared/interactions/listing.ts";
import { findMetricNumber } from "../../../shared/interactions/metrics/registry.ts";
import { type LogFilters, type MetricRange, ownedBy } from "./conditions.ts";
import { type Fragment, formatMs, type Key } from "./keys.ts";
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
    select batches.id as batch_id, batches.first_at as "from", batches.last_at as "to", batches.rows
    from parlance.interaction_words as words
    join parlance.interaction_batches as batches on batches.id = words.batch_id
    where words.words @> ${words}::text::integer[]
      and ${ownedBy(sql, filters.ownerId, sql`words.owner_id`)}
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
  const begin = order === "occurredAt" ? later(from, after?.occurredAt) : from;
  const end = order === "occurredAt" ? to : earlier(to, after?.occurredAt);
  return sql`
    ${begin === undefined ? sql`true` : sql`last_at >= ${begin}::text::timestamptz`}
    and ${end === undefined ? sql`true` : sql`first_at <= ${end}::text::timestamptz`}
  `;
}

const later = (one: string | undefined, other: string | undefined) =>
  one === undefined || (other !== undefined && Date.parse(other) > Date.parse(one)) ? other : one;
const earlier = (one: string | undefined, other: string | undefined) =>
  one === undefined || (other !== undefined && Date.parse(other) < Date.parse(one)) ? other : one;

const hourMs = 3600_000;
/** Rows that every interaction has a value of, whose count is that of the rows. */
const countedMetric = "input.characters";

interface HourRow {
  readonly groupId: number;
  readonly hour: number;
  readonly hours: number;
  readonly rows: number;
}

/** Hours that may have values in the ranges, and batches that are in no hour yet. */
export async function findHours(
  sql: TransactionSql,
  query: PieceQuery,
  groupIds: readonly number[] | undefined,
): Promise<Pieces | undefined> {
  const { filters, order } = query;
  const [range, ...others] = filters.ranges ?? [];
  if (!range) return undefined;
  const unfolded = await listUnfolded(sql, query);
  if (!unfolded) return undefined;
  const groups = groupIds ?? (await listGroupIds(sql, filters.ownerId));
  if (groups.length === 0) return { pieces: unfolded, bound: null };
  const perGroup = Math.max(2, Math.floor(query.countMax / groups.length));
  const { fitting, edge } = await lookAtHours(sql, query, { groups, range, others, perGroup });
  const pieces = fitting.map(toPiece);
  if (edge === null) return { pieces: [...unfolded, ...pieces], bound: null };
  const bound = formatMs(edge * hourMs);
  // What lies beyond the edge belongs to the next leap, with what else lies there.
  const isSettled = ({ from, to }: Piece) => (order === "occurredAt" ? from < bound : to >= bound);
  return { pieces: [...unfolded, ...pieces.filter(isSettled)], bound };
}

function toPiece({ groupId, hour, hours, rows }: HourRow): Piece {
  const from = formatMs(hour * hourMs);
  const to = `${formatMs((hour + hours) * hourMs - 1).slice(0, -4)}999Z`;
  return { groupId, from, to, rows };
}

const batchesUnfoldedMax = 2000;

async function listUnfolded(
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

async function listGroupIds(sql: TransactionSql, ownerId: string | null): Promise<number[]> {
  const groups = await sql<{ id: number }[]>`
    select id
    from parlance.interaction_groups
    where ${ownedBy(sql, ownerId)}
    limit 1000
  `;
  return groups.map(({ id }) => id);
}

interface HourQuery {
  readonly groups: readonly number[];
  readonly range: MetricRange;
  readonly others: readonly MetricRange[];
  readonly perGroup: number;
}

/** The next hours of each group; `edge`: from where on some were not looked at, in hours since 1970. */
async function lookAtHours(
  sql: TransactionSql,
  { filters, order, after }: PieceQuery,
  { groups, range, others, perGroup }: HourQuery,
): Promise<{ fitting: HourRow[]; edge: number | null }> {
  const isUp = order === "occurredAt";
  const toHour = (time: string | undefined) =>
    time === undefined ? undefined : Math.floor(Date.parse(time) / hourMs);
  const [first, last] = isUp
    ? [toHour(later(filters.from, after?.occurredAt)), toHour(filters.to)]
    : [toHour(filters.from), toHour(earlier(filters.to, after?.occurredAt))];
  const rows = await sql<{ fitting: HourRow[] | null; edge: number | null }[]>`
    with looked as materialized (
      select hours.*
      from unnest(${`{${groups.join(",")}}`}::text::integer[]) as lanes (group_id)
      cross join lateral (
        select hours.group_id, hours.hour, hours.hours, hours.count, ${fits(sql, range)} as fits
        from parlance.interaction_hours as hours
        where hours.group_id = lanes.group_id
          and hours.metric = ${range.number}::smallint
          -- A day begins up to 23 hours before the hour that is asked for.
          and ${
            first === undefined
              ? sql`true`
              : sql`hours.hour >= ${first - 23}::integer and hours.hour + hours.hours > ${first}::integer`
          }
          and ${last === undefined ? sql`true` : sql`hours.hour <= ${last}::integer`}
        order by ${isUp ? sql`hours.hour` : sql`hours.hour desc`}
        limit ${perGroup}
      ) as hours
    )
    select
      (
        select json_agg(json_build_object(
          'groupId', looked.group_id, 'hour', looked.hour, 'hours', looked.hours, 'rows', coalesce(counted.count, looked.count)
        ))
        from looked
        left join parlance.interaction_hours as counted
          on (counted.group_id, counted.metric, counted.hour)
            = (looked.group_id, ${findMetricNumber(countedMetric) ?? 1}::smallint, looked.hour)
        where looked.fits and ${fitsOthers(sql, others)}
      ) as fitting,
      (
        select ${isUp ? sql`min(lanes.edge)` : sql`max(lanes.edge)`}
        from (
          select ${isUp ? sql`max(looked.hour + looked.hours)` : sql`min(looked.hour)`} as edge
          from looked
          group by looked.group_id
          having count(*) = ${perGroup}
        ) as lanes
      ) as edge
  `;
  return { fitting: rows[0]?.fitting ?? [], edge: rows[0]?.edge ?? null };
}

function fits(sql: TransactionSql, { low, high }: MetricRange, hours = sql`hours`): Fragment {
  return sql`
    ${low === undefined ? sql`true` : sql`${hours}.max >= ${low}::float8`}
    and ${high === undefined ? sql`true` : sql`${hours}.min <= ${high}::float8`}
  `;
}

/** Hours of one metric may be a day of another: they are held together where they overlap. */
function fitsOthers(sql: TransactionSql, others: readonly MetricRange[]): Fragment {
  return others
    .map(
      (range) => sql`exists (
        select
        from parlance.interaction_hours as hours
        where hours.group_id = looked.group_id
          and hours.metric = ${range.number}::smallint
          and hours.hour > looked.hour - 24
          and hours.hour < looked.hour + looked.hours
          and hours.hour + hours.hours > looked.hour
          and ${fits(sql, range)}
        offset 0
      )`,
    )
    .reduce((before, one) => sql`${before} and ${one}`, sql`true`);
}
