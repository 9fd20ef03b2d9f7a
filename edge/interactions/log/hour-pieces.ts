/** Hours of the statistics that can have values in a range, by the least and the greatest that they counted. */
import type { TransactionSql } from "postgres";
import type { ListOrder } from "../../../shared/interactions/listing.ts";
import { findMetricNumber } from "../../../shared/interactions/metrics/registry.ts";
import { listUnfolded, type PieceQuery } from "./batch-pieces.ts";
import { type MetricRange, ownedBy } from "./conditions.ts";
import { earlierTime, type Fragment, formatMs, laterTime, nearerTime } from "./keys.ts";
import { beginOf, type Piece, type Pieces } from "./pieces.ts";

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
  const looked = await lookAtHours(sql, query, { groups, range, others, perGroup });
  if (!looked) return undefined;
  const pieces = looked.fitting.map(toPiece);
  const edge = looked.edge === null ? undefined : formatMs(looked.edge * hourMs);
  const last = looked.fitting.length < fittingMax ? undefined : findLast(pieces, order);
  const bound = nearerTime(last, edge, order) ?? null;
  return { pieces: [...unfolded, ...pieces], bound };
}

/** Where the last of them begins. */
const findLast = (pieces: readonly Piece[], order: ListOrder) =>
  pieces
    .map((piece) => beginOf(piece, order))
    .reduce(
      (one, other) => nearerTime(one, other, order === "occurredAt" ? "-occurredAt" : "occurredAt") ?? one,
    );

function toPiece({ groupId, hour, hours, rows }: HourRow): Piece {
  const from = formatMs(hour * hourMs);
  const to = `${formatMs((hour + hours) * hourMs - 1).slice(0, -4)}999Z`;
  return { groupId, from, to, rows };
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

/** Pieces of one leap; more would not be taken. */
const fittingMax = 400;
/** Where more of the hours fit, leaping over the others gains nothing. */
const shareMax = 0.5;

interface LookedHours {
  /** In order; the last is where the next leap begins, where there are as many as may be. */
  readonly fitting: readonly HourRow[];
  /** From where on some were not looked at, in hours since 1970. */
  readonly edge: number | null;
}

/** The next hours of each group. Undefined where most of them fit. */
async function lookAtHours(
  sql: TransactionSql,
  query: PieceQuery,
  { groups, range, others, perGroup }: HourQuery,
): Promise<LookedHours | undefined> {
  const isUp = query.order === "occurredAt";
  const inOrder = isUp ? sql`order by looked.hour` : sql`order by looked.hour + looked.hours desc`;
  const [row] = await sql<(LookedHours & { share: number })[]>`
    with looked as materialized (
      select hours.*
      from unnest(${`{${groups.join(",")}}`}::text::integer[]) as lanes (group_id)
      cross join lateral (
        select hours.group_id, hours.hour, hours.hours, hours.count, ${fits(sql, range)} as fits
        from parlance.interaction_hours as hours
        where hours.group_id = lanes.group_id
          and hours.metric = ${range.number}::smallint
          and ${reachesHour(sql, query)}
        order by ${isUp ? sql`hours.hour` : sql`hours.hour desc`}
        limit ${perGroup}
      ) as hours
    ), fitting as (
      select looked.*
      from (select looked.* from looked where looked.fits ${inOrder} offset 0) as looked
      where ${fitsOthers(sql, others)}
      limit ${fittingMax}
    )
    select
      (
        select coalesce(json_agg(json_build_object(
          'groupId', fitting.group_id, 'hour', fitting.hour, 'hours', fitting.hours,
          'rows', coalesce(counted.count, fitting.count)
        )), '[]')
        from fitting
        left join parlance.interaction_hours as counted
          on (counted.group_id, counted.metric, counted.hour)
            = (fitting.group_id, ${findMetricNumber(countedMetric) ?? 1}::smallint, fitting.hour)
      ) as fitting,
      (
        select ${isUp ? sql`min(lanes.edge)` : sql`max(lanes.edge)`}
        from (
          select ${isUp ? sql`max(looked.hour + looked.hours)` : sql`min(looked.hour)`} as edge
          from looked
          group by looked.group_id
          having count(*) = ${perGroup}
        ) as lanes
      ) as edge,
      (select coalesce(avg(looked.fits::integer), 0)::float8 from looked) as share
  `;
  return !row || row.share > shareMax ? undefined : row;
}

/** Hours and days within the times that are asked for and not yet walked. A day begins up to 23 hours before an hour in it. */
function reachesHour(sql: TransactionSql, { filters, order, after }: PieceQuery): Fragment {
  const isUp = order === "occurredAt";
  const begin = isUp ? laterTime(filters.from, after?.occurredAt) : filters.from;
  const end = isUp ? filters.to : earlierTime(filters.to, after?.occurredAt);
  const [first, last] = [begin, end].map((time) =>
    time === undefined ? undefined : Math.floor(Date.parse(time) / hourMs),
  );
  return sql`
    ${
      first === undefined
        ? sql`true`
        : sql`hours.hour >= ${first - 23}::integer and hours.hour + hours.hours > ${first}::integer`
    }
    and ${last === undefined ? sql`true` : sql`hours.hour <= ${last}::integer`}
  `;
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
