/**
 * The hours that a rule of outliers was held against, also long ago. Statistics older than 35 days are kept by the day; where
 * the rows of such a day are still there, its hours are made of them again.
 */
import type { Sql } from "postgres";
import { serviceCaller, transactAs } from "../../../shared/callers.ts";
import { hoursPerDay } from "../../../shared/interactions/outliers/history.ts";
import type { HistoryHour } from "../../../shared/interactions/outliers/rule-history.ts";
import { addValues, mergeMoments, noMoments } from "../../../shared/interactions/statistics/moments.ts";
import { QuantileSketch } from "../../../shared/interactions/statistics/sketch.ts";
import { listHistory } from "../statistics/fence-store.ts";
import { type HourRow, toEntry } from "../statistics/hour-store.ts";
import { firstId, type RowsWanted, readRows } from "./row-reader.ts";

export interface HistoryWanted {
  readonly ownerId: string | null;
  /** Of which rows there may be. */
  readonly groupIds: readonly number[];
  readonly metricNumber: number;
  readonly withSketches: boolean;
}

const microsPerHour = 3_600_000_000;

/** From the first hour until the second, which are beginnings of days; in ascending order. */
export async function readHistory(
  sql: Sql,
  wanted: HistoryWanted,
  [fromHour, toHour]: readonly [number, number],
): Promise<HistoryHour[]> {
  const { groupIds, metricNumber, withSketches } = wanted;
  const watched = groupIds.map((id) => ({ id, place: 0 }));
  const range = { metric: metricNumber, fromHour, toHour: toHour - 1 };
  const query = { ...range, watched, withSketches, rowsMax: 1e9 };
  const kept = mergeGroups(
    await transactAs(sql, serviceCaller, (transaction) => listHistory(transaction, query)),
  );
  const rolledUp = [...kept.values()].filter(({ hours }) => hours === hoursPerDay).map(({ hour }) => hour);
  if (rolledUp.length === 0) return sortHours(kept.values());
  const made = await makeHours(sql, wanted, [Math.min(...rolledUp), Math.max(...rolledUp) + hoursPerDay]);
  for (const day of rolledUp) replaceDay(kept, day, made);
  return sortHours(kept.values());
}

/** What groups have in an hour together; a day where one of them has it by the day. */
function mergeGroups(rows: readonly HourRow[]): Map<number, HistoryHour> {
  const days = new Set(rows.filter(({ hours }) => hours === hoursPerDay).map(({ hour }) => hour));
  const merged = new Map<number, HistoryHour>();
  for (const row of rows) {
    const day = Math.floor(row.hour / hoursPerDay) * hoursPerDay;
    const isOfDay = days.has(day);
    addTo(merged, isOfDay ? { ...toEntry(row), hour: day, hours: hoursPerDay } : toEntry(row));
  }
  return merged;
}

function addTo(hours: Map<number, HistoryHour>, one: HistoryHour): void {
  const known = hours.get(one.hour);
  if (known) known.sketch.merge(one.sketch);
  hours.set(one.hour, known ? { ...known, moments: mergeMoments(known.moments, one.moments) } : one);
}

const rowsAtOnce = 10_000;

async function makeHours(
  sql: Sql,
  { ownerId, groupIds, metricNumber, withSketches }: HistoryWanted,
  [fromHour, toHour]: readonly [number, number],
): Promise<Map<number, HistoryHour>> {
  const wanted: RowsWanted = { ownerId, groupIds, metricNumber, tags: null };
  const made = new Map<number, HistoryHour>();
  let after = { afterAt: fromHour * microsPerHour, afterId: firstId };
  for (;;) {
    const { rows, stop } = await readRows(
      sql,
      wanted,
      { ...after, toAt: toHour * microsPerHour },
      rowsAtOnce,
    );
    const byHour = Map.groupBy(rows, ({ at }) => Math.floor(at / microsPerHour));
    for (const [hour, ofHour] of byHour) {
      const values = ofHour.map(({ value }) => value);
      addTo(made, {
        hour,
        moments: addValues(noMoments, values),
        sketch: QuantileSketch.of(withSketches ? values : []),
      });
    }
    if (!stop) return made;
    after = { afterAt: stop.at, afterId: stop.id };
  }
}

/** Not where some of its rows are gone: the statistics know more. */
function replaceDay(
  kept: Map<number, HistoryHour>,
  day: number,
  made: ReadonlyMap<number, HistoryHour>,
): void {
  const hours = Array.from({ length: hoursPerDay }, (_, index) => made.get(day + index)).filter(
    (hour) => hour !== undefined,
  );
  const count = hours.reduce((sum, { moments }) => sum + moments.count, 0);
  if (count < (kept.get(day)?.moments.count ?? 0)) return;
  kept.delete(day);
  for (const hour of hours) kept.set(hour.hour, hour);
}

function sortHours(hours: Iterable<HistoryHour>): HistoryHour[] {
  return [...hours].sort((one, other) => one.hour - other.hour);
}
