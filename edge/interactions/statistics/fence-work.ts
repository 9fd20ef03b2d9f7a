/**
 * Bounds worked out of the statistics, within what there is time for: the newest hours first, one read for the hours of a rule
 * whose histories overlap. What is read of an hour's history ends where it would be too much: it is then that of the newest hours
 * that fit. Where hardly anything fits, there are no bounds.
 */
import type { TransactionSql } from "postgres";
import {
  type GroupLabels,
  groupKeyOf,
  metricNumberOf,
  watchesGroup,
} from "../../../shared/interactions/judging.ts";
import { hoursPerDay } from "../../../shared/interactions/outliers/history.ts";
import { isOfMoments } from "../../../shared/interactions/outliers/keeping.ts";
import type { OutlierCondition, Rule } from "../../../shared/interactions/rules.ts";
import { type FoundFences, listGroups, listHistory, type WantedFences } from "./fence-store.ts";
import { standAtHours } from "./history.ts";
import type { HourRow } from "./hour-store.ts";

export interface FenceLimits {
  /** How many bounds are looked for among those that are kept. */
  readonly lookups: number;
  /** How many are worked out: each is of a rule, what that judges apart, and an hour. */
  readonly bounds: number;
  /** How many statistics are read; of those that the database merges a tenth counts. */
  readonly statistics: number;
  readonly statisticsPerRead: number;
}

export interface WorkedOut {
  readonly found: readonly FoundFences[];
  /** How many bounds there was no room for. */
  readonly leftOut: number;
}

/** Of the statistics as they stand; nothing is kept. */
export async function workOutFences(
  transaction: TransactionSql,
  wanted: readonly WantedFences[],
  limits: FenceLimits,
): Promise<WorkedOut> {
  const groups = await listGroups(transaction, wanted[0]?.rule.ownerId ?? null);
  const taken = wanted.toSorted((one, other) => other.hour - one.hour).slice(0, limits.bounds);
  const reads = [...Map.groupBy(taken, ({ rule }) => rule).values()].flatMap(findOverlapping);
  reads.sort(([one], [other]) => (other?.hour ?? 0) - (one?.hour ?? 0));
  const found: FoundFences[] = [];
  let statistics = limits.statistics;
  let leftOut = wanted.length - taken.length;
  for (let next = reads.shift(); next; next = reads.shift()) {
    const share = Math.max(statistics / (reads.length + 1), limits.statisticsPerRead / 10);
    const costMax = Math.min(statistics, limits.statisticsPerRead, share);
    const read = await workOutOne(transaction, { wanted: next, groups, costMax });
    statistics -= read.cost;
    found.push(...read.found);
    const [first] = read.missing;
    if (read.found.length === 0) leftOut += read.missing.length;
    else if (first) reads.push([first, ...read.missing.slice(1)]);
  }
  return { found, leftOut };
}

type Wanted = readonly [WantedFences, ...WantedFences[]];

const daysOf = ({ condition }: Rule) => (condition as OutlierCondition).historyDays;

/** Of one rule, in descending order of hours; each of what is answered has a span of its own. */
function findOverlapping(wanted: readonly WantedFences[]): Wanted[] {
  const reads: [WantedFences, ...WantedFences[]][] = [];
  for (const one of wanted) {
    const last = reads.at(-1);
    const newer = last?.at(-1);
    if (last && newer && newer.hour - one.hour <= daysOf(one.rule) * hoursPerDay) last.push(one);
    else reads.push([one]);
  }
  return reads;
}

interface FenceRead {
  readonly wanted: Wanted;
  readonly groups: readonly (GroupLabels & { readonly id: number })[];
  readonly costMax: number;
}

interface FenceReadOutcome {
  readonly found: readonly FoundFences[];
  /** Whose history was not reached. */
  readonly missing: readonly WantedFences[];
  readonly cost: number;
}

async function workOutOne(
  transaction: TransactionSql,
  { wanted, groups, costMax }: FenceRead,
): Promise<FenceReadOutcome> {
  const [{ rule, hour: newest }] = wanted;
  const condition = rule.condition as OutlierCondition;
  const places = new Map(
    [...new Set(wanted.map(({ groupKey }) => groupKey))].map((key, place) => [key, place]),
  );
  const watched = groups
    .filter((group) => watchesGroup(rule, group))
    .flatMap((group) => {
      const place = places.get(groupKeyOf(rule, group));
      return place === undefined ? [] : [{ id: group.id, place }];
    });
  const hoursBefore = condition.historyDays * hoursPerDay;
  const { rows, fromHour, cost } = await readHistory(transaction, {
    watched,
    metric: metricNumberOf(rule) ?? 0,
    fromHour: (wanted.at(-1)?.hour ?? newest) - hoursBefore,
    toHour: newest,
    withSketches: !isOfMoments(condition),
    costMax,
  });
  // At least half as much as the newest one has, or all there is.
  const reaches = ({ hour }: WantedFences) =>
    fromHour <= hour - hoursBefore ||
    (fromHour <= hour && 2 * (hour - fromHour + 1) >= newest - fromHour + 1);
  const [reached = [], missing = []] = [true, false].map((is) => wanted.filter((one) => reaches(one) === is));
  const byPlace = Map.groupBy(rows, ({ groupId }) => groupId);
  const found: FoundFences[] = [];
  for (const [groupKey, ofKey] of Map.groupBy(reached, (one) => one.groupKey)) {
    const stood = standAtHours(byPlace.get(places.get(groupKey) ?? -1) ?? [], condition, ofKey);
    for (const one of ofKey)
      found.push({ ...one, ...(stood.get(one.hour) ?? { fences: undefined, values: 0 }) });
  }
  return { found, missing, cost };
}

interface HistoryRange {
  /** Groups, and what of what is judged apart each belongs to. */
  readonly watched: readonly { readonly id: number; readonly place: number }[];
  readonly metric: number;
  readonly fromHour: number;
  /** The last one. */
  readonly toHour: number;
  readonly withSketches: boolean;
  readonly costMax: number;
}

interface History {
  /** Of each place, which stands in for the group. */
  readonly rows: readonly HourRow[];
  /** From this hour on they are whole. */
  readonly fromHour: number;
  readonly cost: number;
}

/** What the database merges costs it little, and the app nothing. */
const mergedPerCost = 10;

/** The newest hours first, in parts: first as many as surely fit, then more. */
async function readHistory(
  transaction: TransactionSql,
  { watched, costMax, ...range }: HistoryRange,
): Promise<History> {
  const { fromHour, withSketches } = range;
  const rows: HourRow[] = [];
  let cost = 0;
  let hours = 0;
  let whole = watched.length === 0 ? fromHour : range.toHour + 1;
  while (whole > fromHour && cost < costMax) {
    const rowsMax = Math.floor(costMax - cost);
    const fits = Math.floor((rowsMax * (withSketches ? 1 : mergedPerCost)) / watched.length);
    hours = Math.max(1, fits, hours * 4);
    const from = Math.max(fromHour, whole - hours);
    const part = await listHistory(transaction, {
      ...range,
      watched,
      fromHour: from,
      toHour: whole - 1,
      rowsMax: rowsMax + 1,
    });
    const isCut = part.length > rowsMax;
    // The oldest hour of what was cut off is not there in whole.
    whole = isCut ? (part.at(-1)?.hour ?? from) + 1 : from;
    for (const row of part) if (row.hour >= whole) rows.push(row);
    cost += part.reduce((sum, { merged }) => sum + 1 + (withSketches ? 0 : merged / mergedPerCost), 0);
    if (isCut) break;
  }
  return { rows, fromHour: whole, cost };
}
