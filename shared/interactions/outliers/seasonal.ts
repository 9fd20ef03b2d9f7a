/** Fences by the hour of the day and the week. */

import type { QuantileSketch } from "../statistics/sketch.ts";
import type { FenceOptions, Fences } from "./fences.ts";
import { type HourStatistics, hourOfWeek, hoursPerDay, hoursPerWeek, mergeHourSketches } from "./history.ts";
import { findLogSpread, findMedian, findTiedSpread, standAround, standByFactors } from "./standing.ts";

/** Too few of this hour of the week: those of this hour of any day; too few of those: all. */
export function findSeasonal(hours: readonly HourStatistics[], options: FenceOptions): Fences | undefined {
  const { nowHour, countMin, sensitivity } = options;
  const cycles = [hoursPerWeek, hoursPerDay, 1].map((cycle) => ({
    cycle,
    alike: hours.filter(({ hour }) => isAlike(hour, nowHour, cycle)),
  }));
  const enough = cycles.find(({ alike }) => countValues(alike) >= countMin);
  if (!enough) return undefined;
  const sketch = mergeHourSketches(enough.alike);
  const middle = findMedian(sketch);
  if (!middle) return undefined;
  const { centre } = middle;
  const shift = enough.cycle === 1 ? undefined : findShift(hours, options);
  const logSpread = sketch.isPositive ? findLogSpread(sketch, centre) : 0;
  // Where most values are equal, factors say nothing of the others, unless there are none.
  if (logSpread > 0 || (sketch.isPositive && middle.spread === 0)) {
    const moved = shift && shift.before > 0 && shift.now > 0 ? (centre * shift.now) / shift.before : centre;
    return standByFactors({ ...middle, centre: moved, spread: logSpread }, sensitivity);
  }
  const moved = shift ? centre + shift.now - shift.before : centre;
  const spread = Math.max(middle.spread, findSpreadOfAnyDay(hours, options, sketch, centre));
  return standAround({ ...middle, centre: moved, spread }, sensitivity);
}

/** Where most values are equal, few say how far the others lie: those of this hour of any day know it better. */
function findSpreadOfAnyDay(
  hours: readonly HourStatistics[],
  { nowHour }: FenceOptions,
  sketch: QuantileSketch,
  centre: number,
): number {
  if ((sketch.medianDistance(centre) ?? 0) > 0) return 0;
  const ofAnyDay = mergeHourSketches(hours.filter(({ hour }) => isAlike(hour, nowHour, hoursPerDay)));
  return ofAnyDay.medianDistance(centre) === 0 ? findTiedSpread(ofAnyDay, centre) : 0;
}

/** By what `findSeasonal` asks of an hour; 0 where it asks for none of it. */
export function seasonalKind(hour: number, nowHour: number): number {
  return (
    Number(isAlike(hour, nowHour, hoursPerWeek)) +
    2 * Number(isAlike(hour, nowHour, hoursPerDay)) +
    4 * Number(isOfDay(hour, nowHour)) +
    8 * Number(isOfDay(hour, nowHour) && nowHour - hour < hoursPerDay)
  );
}

/** Within the last day, or the same day of a week before it. */
const isOfDay = (hour: number, nowHour: number) => hourOfWeek(nowHour - hour) < hoursPerDay;

export const countValues = (hours: readonly HourStatistics[]) =>
  hours.reduce((sum, { moments }) => sum + moments.count, 0);

/** The same hour of the cycle, or one beside it; for a cycle of one hour any. */
export function isAlike(hour: number, nowHour: number, cycle: number): boolean {
  const apart = hourOfWeek(nowHour - hour) % cycle;
  return Math.min(apart, cycle - apart) <= 1;
}

/** The median of the last day, and of the same day of the weeks before it. */
function findShift(
  hours: readonly HourStatistics[],
  { nowHour, countMin }: FenceOptions,
): { readonly now: number; readonly before: number } | undefined {
  const isNow = ({ hour }: HourStatistics) => nowHour - hour < hoursPerDay;
  const lastDay = mergeHourSketches(hours.filter(isNow));
  const earlier = mergeHourSketches(hours.filter((one) => isOfDay(one.hour, nowHour) && !isNow(one)));
  if (lastDay.count < countMin || earlier.count < countMin) return undefined;
  return { now: lastDay.quantile(0.5) ?? 0, before: earlier.quantile(0.5) ?? 0 };
}
