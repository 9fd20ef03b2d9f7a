/** What a back-test should find, by looking at all rows again for each row or minute. */
import { groupKeyOf, judgeValue, watchesGroup, watchesRow } from "../../../../shared/interactions/judging.ts";
import type { Fences } from "../../../../shared/interactions/outliers/fence-types.ts";
import { findFences } from "../../../../shared/interactions/outliers/fences.ts";
import type { HourStatistics } from "../../../../shared/interactions/outliers/history.ts";
import { type Rule, sensitivityOf } from "../../../../shared/interactions/rules.ts";
import { addValues, noMoments } from "../../../../shared/interactions/statistics/moments.ts";
import { QuantileSketch } from "../../../../shared/interactions/statistics/sketch.ts";

export interface SeriesRow {
  readonly id: string;
  readonly group: { readonly app: string; readonly environment: string; readonly model: string };
  readonly tags: readonly string[];
  readonly atMs: number;
  /** Of the rule's metric; null where it says nothing. */
  readonly value: number | null;
}

const msPerHour = 3_600_000;
const hourOf = ({ atMs }: SeriesRow) => Math.floor(atMs / msPerHour);

/** Ids of those that fire, in the order of time. */
export function findFired(
  rule: Rule,
  rows: readonly SeriesRow[],
  [fromMs, toMs]: readonly [number, number],
): string[] {
  const sorted = rows.toSorted((one, other) => one.atMs - other.atMs || (one.id < other.id ? -1 : 1));
  const kept = new Map<string, { hour: number; atMs: number; fences: Fences | undefined }>();
  const fired: string[] = [];
  for (const row of sorted) {
    if (row.value === null || !watchesRow(rule, row) || row.atMs < fromMs || row.atMs >= toMs) continue;
    const judged = judgeValue(rule, row.value, () => findBounds(rule, row, sorted, kept));
    if (judged) fired.push(row.id);
  }
  return fired;
}

function findBounds(
  rule: Rule,
  row: SeriesRow,
  sorted: readonly SeriesRow[],
  kept: Map<string, { hour: number; atMs: number; fences: Fences | undefined }>,
): Fences | undefined {
  const { condition } = rule;
  if (condition.type !== "outlier") return undefined;
  const key = groupKeyOf(rule, row.group);
  const before = sorted
    .slice(0, sorted.indexOf(row))
    .filter(
      (one) => one.value !== null && watchesGroup(rule, one.group) && groupKeyOf(rule, one.group) === key,
    )
    .filter((one) => hourOf(one) >= hourOf(row) - condition.historyDays * 24);
  const known = kept.get(key);
  if (before.length >= 1000 && known?.hour === hourOf(row) && row.atMs < known.atMs + 5 * 60_000)
    return known.fences;
  const hours = [...Map.groupBy(before, hourOf)].map(([hour, ofHour]): HourStatistics => {
    const values = ofHour.map(({ value }) => value ?? 0);
    return { hour, moments: addValues(noMoments, values), sketch: QuantileSketch.of(values) };
  });
  const { method, countMin } = condition;
  const fences = findFences(hours, {
    method,
    countMin,
    sensitivity: sensitivityOf(condition),
    nowHour: hourOf(row),
  });
  kept.set(key, { hour: hourOf(row), atMs: row.atMs, fences });
  return fences;
}

/** How many minutes the condition of a window holds at. */
export function countMinutes(
  rule: Rule,
  rows: readonly SeriesRow[],
  [fromMs, toMs]: readonly [number, number],
): number {
  const { condition } = rule;
  if (condition.type !== "rate" && condition.type !== "missing")
    throw new Error("this condition has no window");
  const windowMs = condition.windowMinutes * 60_000;
  const watched = rows.filter((row) => watchesRow(rule, row));
  let minutes = 0;
  for (const together of Map.groupBy(watched, ({ group }) => groupKeyOf(rule, group)).values()) {
    for (let atMs = fromMs + 60_000; atMs <= toMs; atMs += 60_000) {
      const before = together.filter((row) => row.atMs <= atMs);
      if (condition.type === "missing") {
        const last = Math.max(...before.map((row) => row.atMs));
        const quiet = Math.floor((atMs - last) / 60_000);
        if (
          before.length > 0 &&
          quiet >= condition.windowMinutes &&
          quiet < condition.windowMinutes + 7 * 1440
        )
          minutes += 1;
        continue;
      }
      const { above = Number.NEGATIVE_INFINITY, below = Number.POSITIVE_INFINITY } = condition;
      const counted = before.filter((row) => row.atMs > atMs - windowMs);
      const those =
        condition.above === undefined && condition.below === undefined
          ? counted
          : counted.filter(({ value }) => value !== null && value > above && value < below);
      if (those.length > condition.moreThan) minutes += 1;
    }
  }
  return minutes;
}
