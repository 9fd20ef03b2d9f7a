/**
 * What outlier rules hold rows against, worked out of the statistics by hour.
 *
 *   history of a row = what was folded of its rule's groups, of the hours that ended in the `historyDays` before its own began
 *
 * Nothing that happened later counts, however late a row comes, and a burst does not raise its own bounds. Only where that is too
 * little, what is known of its own hour so far counts too (where hours became days, of its own day): else a log would have to be
 * an hour old before its first alert. Batches that are not folded yet do not count, the row's own among them. A rule's `tags`
 * choose which rows are judged; its history is that of its groups with any tags.
 *
 * Bounds that rest on much history are kept for five minutes, in which they hardly move. Those that rest on little are worked out
 * each time: each value moves them, and there is little to read.
 */
import type { Sql, TransactionSql } from "postgres";
import {
  type FindFences,
  type GroupLabels,
  groupKeyOf,
  type JudgedRow,
  metricNumberOf,
  watchesGroup,
  watchesRow,
} from "../../../shared/interactions/judging.ts";
import { type Fences, findFences, type OutlierMethod } from "../../../shared/interactions/outliers/fences.ts";
import { type HourStatistics, hoursPerDay } from "../../../shared/interactions/outliers/history.ts";
import { type OutlierCondition, type Rule, sensitivityOf } from "../../../shared/interactions/rules.ts";
import { QuantileSketch } from "../../../shared/interactions/statistics/sketch.ts";
import {
  type FoundFences,
  listFences,
  listGroups,
  listHistory,
  saveFences,
  type WantedFences,
} from "./fence-store.ts";
import { type HourRow, toEntry } from "./hour-store.ts";
import { toHour } from "./spans.ts";

/** With fewer values a history is small. */
const countKept = 1_000;

/** As the service role; the rules are of one owner. */
export async function findRuleFences(
  transaction: TransactionSql,
  rules: readonly Rule[],
  rows: readonly JudgedRow[],
): Promise<FindFences> {
  const wanted = listWanted(rules, rows);
  if (wanted.size === 0) return () => undefined;
  const found = new Map<string, Fences | undefined>();
  for (const known of await listFences(transaction, [...wanted.values()]))
    found.set(nameOf(known), known.fences ?? undefined);
  const missing = [...wanted].filter(([name]) => !found.has(name)).map(([, one]) => one);
  if (missing.length > 0) {
    const made = await workOutFences(transaction, missing);
    for (const one of made) found.set(nameOf({ ...one, ruleId: one.rule.id }), one.fences);
    await saveFences(
      transaction,
      made.filter(({ values }) => values >= countKept),
    );
  }
  return (rule, row) =>
    found.get(
      nameOf({ ruleId: rule.id, groupKey: groupKeyOf(rule, row.group), hour: toHour(row.occurredAt) }),
    );
}

const nameOf = (one: { readonly ruleId: string; readonly groupKey: string; readonly hour: number }) =>
  `${one.ruleId} ${one.hour} ${one.groupKey}`;

/** By their names; of rows that have a value only. */
function listWanted(rules: readonly Rule[], rows: readonly JudgedRow[]): Map<string, WantedFences> {
  const wanted = new Map<string, WantedFences>();
  for (const rule of rules) {
    const number = rule.condition.type === "outlier" ? metricNumberOf(rule) : undefined;
    if (number === undefined) continue;
    for (const row of rows) {
      if ((row.values[number - 1] ?? null) === null || !watchesRow(rule, row)) continue;
      const one = { groupKey: groupKeyOf(rule, row.group), hour: toHour(row.occurredAt) };
      const name = nameOf({ ...one, ruleId: rule.id });
      if (!wanted.has(name)) wanted.set(name, { rule, ...one });
    }
  }
  return wanted;
}

/** Of the statistics as they stand; nothing is kept. Also for rules that are only tried. */
export async function workOutFences(
  transaction: TransactionSql,
  wanted: readonly WantedFences[],
): Promise<FoundFences[]> {
  const ownerId = wanted[0]?.rule.ownerId ?? null;
  const groups = await listGroups(transaction, ownerId);
  const byRule = Map.groupBy(wanted, ({ rule }) => rule);
  const found: FoundFences[] = [];
  for (const [rule, ofRule] of byRule) {
    const watched = groups.filter((group) => watchesGroup(rule, group));
    found.push(...(await workOutOne(transaction, { rule, wanted: ofRule, groups: watched })));
  }
  return found;
}

interface RuleHistory {
  readonly rule: Rule;
  readonly wanted: readonly WantedFences[];
  readonly groups: readonly (GroupLabels & { readonly id: number })[];
}

async function workOutOne(
  transaction: TransactionSql,
  { rule, wanted, groups }: RuleHistory,
): Promise<FoundFences[]> {
  const { condition } = rule;
  const metric = metricNumberOf(rule);
  if (condition.type !== "outlier" || metric === undefined) return [];
  const keys = new Set(wanted.map(({ groupKey }) => groupKey));
  const keyById = new Map(
    groups.map((group) => [group.id, groupKeyOf(rule, group)] as const).filter(([, key]) => keys.has(key)),
  );
  const hours = wanted.map(({ hour }) => hour);
  const rows = await listHistory(transaction, {
    groupIds: [...keyById.keys()],
    metric,
    fromHour: Math.min(...hours) - condition.historyDays * hoursPerDay,
    toHour: Math.max(...hours),
    withSketches: needsSketches(condition.method),
  });
  const histories = new Map(
    [...Map.groupBy(rows, ({ groupId }) => keyById.get(groupId) ?? "")].map(([key, ofKey]) => [
      key,
      ofKey.map(toHistory),
    ]),
  );
  return wanted.map((one) => ({
    ...one,
    ...stand(histories.get(one.groupKey) ?? [], condition, one.hour),
  }));
}

const needsSketches = (method: OutlierMethod) => method !== "z-score" && method !== "ewma";

const noSketch = new QuantileSketch();

interface HistoryHour extends HourStatistics {
  readonly hours: number;
}

const toHistory = (row: HourRow): HistoryHour =>
  row.keys === "{}" ? { hour: row.hour, hours: row.hours, moments: row, sketch: noSketch } : toEntry(row);

/** Hours are in ascending order. */
function stand(
  hours: readonly HistoryHour[],
  condition: OutlierCondition,
  hour: number,
): Pick<FoundFences, "fences" | "values"> {
  const { method, countMin, historyDays } = condition;
  const begin = findPlace(hours, hour - historyDays * hoursPerDay);
  const withOwn = hours.slice(begin, findPlace(hours, hour + 1));
  const before = withOwn.filter((one) => one.hour + one.hours <= hour);
  const options = { method, countMin, sensitivity: sensitivityOf(condition), nowHour: hour };
  const fences = findFences(before, options) ?? findFences(withOwn, options);
  return { fences: limit(fences), values: countValues(before) };
}

const countValues = (hours: readonly HourStatistics[]) =>
  hours.reduce((sum, { moments }) => sum + moments.count, 0);

/** The first place whose hour is not before this one. */
function findPlace(hours: readonly HourStatistics[], hour: number): number {
  let [low, high] = [0, hours.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((hours[middle]?.hour ?? hour) < hour) low = middle + 1;
    else high = middle;
  }
  return low;
}

const farthest = 1e300;

/** JSON knows no infinity, which a great sensitivity reaches. */
function limit(fences: Fences | undefined): Fences | undefined {
  if (!fences) return undefined;
  const clamp = (value: number) => Math.max(-farthest, Math.min(farthest, value));
  return { ...fences, low: clamp(fences.low), high: clamp(fences.high) };
}

/** For a rule that judges otherwise than before. */
export async function forgetFences(sql: Sql | TransactionSql, ruleId: string): Promise<void> {
  await sql`
    delete from parlance.interaction_fences
    where rule_id = ${ruleId}
  `;
}

/** Removes what nobody will look at again, and answers how many that were; as the service role. */
export async function pruneFences(sql: Sql | TransactionSql, rowsMax = 10_000): Promise<number> {
  const removed = await sql`
    delete from parlance.interaction_fences
    where ctid = any (
      array(
        select ctid
        from parlance.interaction_fences
        where computed_at < clock_timestamp() - interval '1 hour'
        limit ${rowsMax}
      )
    )
  `;
  return removed.count;
}
