/**
 * Fences by the hour of the day and the week: of what counts alike in it, the first that has enough values.
 *
 *   this hour of the week and those beside it ─▶ with whole days of this weekday ─▶ this hour of any day ─▶ all
 *
 * A day that hours were rolled up into is never this hour: it counts by its day of the week, and among all.
 */
import type { QuantileSketch } from "../statistics/sketch.ts";
import type { FenceOptions, Fences } from "./fence-types.ts";
import {
  type HourStatistics,
  hourOfWeek,
  hoursPerDay,
  hoursPerWeek,
  isDay,
  mergeHourSketches,
} from "./history.ts";
import { findLogSpread, findMedian, findTiedSpread, standAround, standByFactors } from "./standing.ts";

export function findSeasonal(hours: readonly HourStatistics[], options: FenceOptions): Fences | undefined {
  const { sensitivity } = options;
  const alike = findAlike(hours, options);
  if (!alike && countValues(hours) < options.countMin) return undefined;
  const sketch = mergeHourSketches(alike ?? hours);
  const middle = findMedian(sketch);
  if (!middle) return undefined;
  const { centre } = middle;
  const shift = alike && findShift(hours, options);
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
  const ofAnyDay = mergeHourSketches(hours.filter((one) => isOfHourOfDay(one, nowHour)));
  return ofAnyDay.medianDistance(centre) === 0 ? findTiedSpread(ofAnyDay, centre) : 0;
}

type IsAlike = (one: HourStatistics, nowHour: number) => boolean;

/** The same hour of the cycle, or one beside it. */
const isOfHour =
  (cycle: number): IsAlike =>
  (one, nowHour) => {
    const apart = hourOfWeek(nowHour - one.hour) % cycle;
    return !isDay(one) && Math.min(apart, cycle - apart) <= 1;
  };

/** Of a day the hours are not known apart. */
const isOfHourOfWeek = isOfHour(hoursPerWeek);
const isOfHourOfDay = isOfHour(hoursPerDay);
const isOfWeekday: IsAlike = (one, nowHour) => isDay(one) && isWithinDay(one.hour, nowHour);

/** From those that are most alike on. */
const likenesses: readonly IsAlike[] = [
  isOfHourOfWeek,
  (one, nowHour) => isOfHourOfWeek(one, nowHour) || isOfWeekday(one, nowHour),
  isOfHourOfDay,
];

/** Undefined where so few are alike that all must do. */
export function findAlike(
  hours: readonly HourStatistics[],
  { nowHour, countMin }: Pick<FenceOptions, "nowHour" | "countMin">,
): readonly HourStatistics[] | undefined {
  for (const isAlike of likenesses) {
    const alike = hours.filter((one) => isAlike(one, nowHour));
    if (countValues(alike) >= countMin) return alike;
  }
  return undefined;
}

/** By what is asked of an hour where enough are alike; 0 where it is none of it. */
export function seasonalKind(one: HourStatistics, nowHour: number): number {
  return (
    Number(isOfHourOfWeek(one, nowHour)) +
    2 * Number(isOfHourOfDay(one, nowHour)) +
    4 * Number(isOfLastDay(one, nowHour)) +
    8 * Number(isOfDayBefore(one, nowHour)) +
    16 * Number(isOfWeekday(one, nowHour))
  );
}

/** Begins at most a day before, or so in a week before it. */
const isWithinDay = (hour: number, nowHour: number) => hourOfWeek(nowHour - hour) < hoursPerDay;

const isOfLastDay: IsAlike = (one, nowHour) => !isDay(one) && nowHour - one.hour < hoursPerDay;

/** The same day of a week before the last day. */
const isOfDayBefore: IsAlike = (one, nowHour) =>
  !isDay(one) && isWithinDay(one.hour, nowHour) && !isOfLastDay(one, nowHour);

const countValues = (hours: readonly HourStatistics[]) =>
  hours.reduce((sum, { moments }) => sum + moments.count, 0);

/** The median of the last day, and of the same day of the weeks before it; by hours only. */
function findShift(
  hours: readonly HourStatistics[],
  { nowHour, countMin }: FenceOptions,
): { readonly now: number; readonly before: number } | undefined {
  const lastDay = mergeHourSketches(hours.filter((one) => isOfLastDay(one, nowHour)));
  const earlier = mergeHourSketches(hours.filter((one) => isOfDayBefore(one, nowHour)));
  if (lastDay.count < countMin || earlier.count < countMin) return undefined;
  return { now: lastDay.quantile(0.5) ?? 0, before: earlier.quantile(0.5) ?? 0 };
}
