/** A metric by time bucket and group, out of the statistics by hour: no interaction is read. */
import type { TransactionSql } from "postgres";
import { becomeCaller, type Caller, serviceCaller, transactAs } from "../../../shared/callers.ts";
import { AppError, type FieldError } from "../../../shared/errors.ts";
import type { GroupLabels } from "../../../shared/interactions/judging.ts";
import { findMetricNumber } from "../../../shared/interactions/metrics/registry.ts";
import {
  findMetricUnit,
  type Series,
  type SeriesBucket,
  type SeriesGroup,
  type SeriesGroupBy,
  type SeriesPoint,
  type SeriesQuery,
  seriesBuckets,
  seriesLimits,
} from "../../../shared/interactions/series.ts";
import {
  type Moments,
  mergeMoments,
  noMoments,
  populationDeviation,
} from "../../../shared/interactions/statistics/moments.ts";
import { findQuantiles } from "../../../shared/interactions/statistics/sketch.ts";
import { SketchSum } from "../../../shared/interactions/statistics/sketch-text.ts";
import type { Deps } from "../../deps.ts";
import type { HourRow } from "./hour-store.ts";
import { countStatistics, findFreshness, listMatchingGroups, listSeriesHours } from "./series-store.ts";
import { toHour } from "./spans.ts";

const daysDefault = 30;
const hourMs = 3_600_000;
/** 1970 began on a Thursday: the Monday before it. */
const firstMonday = -72;

interface HourRange {
  readonly fromHour: number;
  /** Without it. */
  readonly toHour: number;
}

/**
 * Of what the caller sees of an owner's: the groups that row level security shows are the only ones whose hours are read. Those are
 * read as the service role, for their policy would look at the groups of everybody.
 */
export function readSeries(
  { sql, now }: Pick<Deps, "sql" | "now">,
  caller: Caller,
  { ownerId, ...query }: SeriesQuery & { readonly ownerId: string | null },
): Promise<Series> {
  const range = alignRange(query, now());
  const number = findMetricNumber(query.metric);
  const unit = findMetricUnit(query.metric);
  if (number === undefined || unit === undefined) throw new Error(`${query.metric} is no metric`);
  return transactAs(sql, caller, async (transaction) => {
    const freshness = await findFreshness(transaction, ownerId);
    const groups = await listMatchingGroups(transaction, ownerId, query);
    await becomeCaller(transaction, serviceCaller);
    const series = await readGroups(transaction, { query, range, groups, metric: number });
    return {
      metric: query.metric,
      unit,
      bucket: query.bucket,
      from: toTime(range.fromHour),
      to: toTime(range.toHour),
      ...series,
      ...freshness,
    };
  });
}

const toTime = (hour: number) => new Date(hour * hourMs).toISOString();

function toBucket(hour: number, bucket: SeriesBucket): number {
  const size = seriesBuckets[bucket];
  const first = bucket === "week" ? firstMonday : 0;
  return Math.floor((hour - first) / size) * size + first;
}

/** Whole buckets: those that have any of the time. */
function alignRange(query: Pick<SeriesQuery, "from" | "to" | "bucket">, now: Date): HourRange {
  const { bucket } = query;
  const to = query.to === undefined ? now.getTime() : Date.parse(query.to);
  const from = query.from === undefined ? to - daysDefault * 24 * hourMs : Date.parse(query.from);
  if (from >= to) refuse({ field: "query.from", message: "must be before `to`" });
  const size = seriesBuckets[bucket];
  const fromHour = toBucket(toHour(new Date(from)), bucket);
  const toHourEnd = toBucket(Math.ceil(to / hourMs) - 1, bucket) + size;
  const buckets = (toHourEnd - fromHour) / size;
  if (buckets > seriesLimits.bucketsMax) {
    const message = `has ${buckets} buckets; the most are ${seriesLimits.bucketsMax}: take a greater one, or less time`;
    refuse({ field: "query.bucket", message });
  }
  return { fromHour, toHour: toHourEnd };
}

function refuse(field: FieldError): never {
  throw new AppError("invalid_request", "The request is not valid; see `errors`.", { fields: [field] });
}

type KnownGroup = GroupLabels & { readonly id: number };

interface SeriesRequest {
  readonly query: SeriesQuery;
  readonly range: HourRange;
  readonly groups: readonly KnownGroup[];
  readonly metric: number;
}

/** Which series have the most is counted first: what is left out is not read. */
async function readGroups(
  transaction: TransactionSql,
  { query, range, groups, metric }: SeriesRequest,
): Promise<Pick<Series, "groups" | "groupsLeftOut">> {
  const labelById = new Map(groups.map((group) => [group.id, labelOf(group, query.groupBy)]));
  const what = { ...range, metric, groupIds: [...labelById.keys()] };
  const counts = await countStatistics(transaction, what);
  const totals = new Map<string, number>();
  for (const { groupId, values } of counts) {
    const label = labelById.get(groupId) ?? "";
    totals.set(label, (totals.get(label) ?? 0) + values);
  }
  const ranked = [...totals].sort(([one, many], [other, more]) => more - many || (one < other ? -1 : 1));
  const shown = ranked.slice(0, seriesLimits.groupsMax).map(([label]) => label);
  const groupIds = what.groupIds.filter((id) => shown.includes(labelById.get(id) ?? ""));
  refuseTooMany(counts.filter(({ groupId }) => groupIds.includes(groupId)));
  const rows = await listSeriesHours(transaction, { ...what, groupIds });
  const byLabel = Map.groupBy(rows, ({ groupId }) => labelById.get(groupId) ?? "");
  return {
    groups: shown.map((label) =>
      toGroup(query, label, { rows: byLabel.get(label) ?? [], count: totals.get(label) ?? 0 }),
    ),
    groupsLeftOut: ranked.length - shown.length,
  };
}

const labelOf = (group: GroupLabels, groupBy: SeriesGroupBy) => (groupBy === "none" ? "" : group[groupBy]);

function refuseTooMany(counts: readonly { readonly statistics: number }[]): void {
  const statistics = counts.reduce((sum, one) => sum + one.statistics, 0);
  if (statistics <= seriesLimits.statisticsMax) return;
  const message =
    `asks for ${statistics} statistics, of ${counts.length} combinations of app, environment and model; the most are ` +
    `${seriesLimits.statisticsMax}: name an app, environment or model, or ask for less time`;
  refuse({ field: "query.from", message });
}

function toGroup(
  { groupBy, bucket }: SeriesQuery,
  label: string,
  { rows, count }: { readonly rows: readonly HourRow[]; readonly count: number },
): SeriesGroup {
  const sum = new SketchSum();
  const points = [...Map.groupBy(rows, ({ hour }) => toBucket(hour, bucket))]
    .sort(([one], [other]) => one - other)
    .map(([hour, ofBucket]) => toPoint(hour, { bucket, rows: ofBucket, sum }));
  return { ...(groupBy === "none" ? {} : { [groupBy]: label }), count, points };
}

interface PointParts {
  readonly bucket: SeriesBucket;
  readonly rows: readonly HourRow[];
  /** Empty; it is used again for the next. */
  readonly sum: SketchSum;
}

function toPoint(hour: number, { bucket, rows, sum }: PointParts): SeriesPoint {
  let moments: Moments = noMoments;
  let hours: number = seriesBuckets[bucket];
  for (const row of rows) {
    moments = mergeMoments(moments, row);
    sum.add(row.sketch);
    hours = Math.max(hours, row.hours);
  }
  const { count, mean, min, max } = moments;
  const quantiles = findQuantiles(sum.take(), [0.5, 0.9, 0.95, 0.99]) ?? [];
  // The middle of a sketch's bucket may lie beyond the outermost value in it.
  const [p50 = mean, p90 = mean, p95 = mean, p99 = mean] = quantiles.map((value) =>
    Math.min(max, Math.max(min, value)),
  );
  return {
    at: toTime(hour),
    hours,
    count,
    mean,
    deviation: populationDeviation(moments),
    min,
    max,
    p50,
    p90,
    p95,
    p99,
  };
}
