/**
 * Between which bounds a value is nothing to speak of, by what came before it. Each method finds a centre and a spread; the fences
 * stand `sensitivity` spreads away from it.
 *
 *   z-score   mean and standard deviation. One far value widens it for all that come after.
 *   mad       median and 1.4826 × median absolute deviation (Iglewicz and Hoaglin 1993): half of the values may be far.
 *   iqr       the quartiles and the distance between them (Tukey 1977); the sides may be unequal.
 *   ewma      mean and deviation with old hours counting less: follows a trend.
 *   seasonal  as mad, over the same hour of the week and its neighbours, moved by how the level of the last day differs from that
 *             of the same hours before. Where all values are above 0 in logarithms: lengths, times and costs spread by factors.
 */
import { z } from "zod";
import { populationDeviation } from "../statistics/moments.ts";
import {
  type HourStatistics,
  hourOfWeek,
  hoursPerDay,
  hoursPerWeek,
  mergeHourMoments,
  mergeHourSketches,
  weighHours,
} from "./history.ts";

export const OutlierMethod = z.enum(["z-score", "mad", "iqr", "ewma", "seasonal"]);
export type OutlierMethod = z.infer<typeof OutlierMethod>;

export interface FenceOptions {
  readonly method: OutlierMethod;
  /** How many spreads from the centre, or from the quartiles, the fences stand. */
  readonly sensitivity: number;
  /** Fewer values than this are no history. */
  readonly countMin: number;
  /** The hour that is judged, in hours since 1970 UTC. */
  readonly nowHour: number;
}

export interface Fences {
  /** How many values of the history they rest on. */
  readonly count: number;
  readonly centre: number;
  /** From where each fence is measured: the centre, or the quartile on its side. */
  readonly lowFrom: number;
  readonly highFrom: number;
  /** In `log`, natural logarithms of factors. */
  readonly scale: "linear" | "log";
  readonly spread: number;
  readonly low: number;
  readonly high: number;
}

/** How much a value must differ at least, as a share of the centre's size: a constant history does not make each change an outlier. */
const spreadShareMin = 0.01;
/** Makes the median absolute deviation of normal values their standard deviation. */
const normalMad = 1.4826;
const ewmaHalfLifeHours = 2 * hoursPerDay;

/** Undefined where there is too little history to speak of. */
export function findFences(hours: readonly HourStatistics[], options: FenceOptions): Fences | undefined {
  const found = finders[options.method](hours, options);
  return found && found.count >= options.countMin ? found : undefined;
}

/**
 * How many spreads the value is above (positive) or below (negative) what its fence is measured from; 0 between the two. With a
 * greater sensitivity than its size the value would not have been out.
 */
export function scoreValue(value: number, { lowFrom, highFrom, spread, scale }: Fences): number {
  if (value >= lowFrom && value <= highFrom) return 0;
  const from = value > highFrom ? highFrom : lowFrom;
  if (scale === "linear") return (value - from) / spread;
  return Math.log(Math.max(value, from * 1e-9) / from) / spread;
}

/**
 * Fewer hours that come to the same fences, with the hour that is judged added to them or not: those that count alike in it are one.
 * `hours` are those before it, in ascending order.
 */
export function condenseHistory(
  hours: readonly HourStatistics[],
  { method, countMin, nowHour }: Omit<FenceOptions, "sensitivity">,
): readonly HourStatistics[] {
  if (method === "ewma" || hours.length === 0) return hours;
  const kindOf = method === "seasonal" ? (hour: number) => seasonalKind(hour, nowHour) : () => 1;
  if (method === "seasonal") {
    const alike = hours.filter(({ hour }) => isAlike(hour, nowHour, hoursPerDay));
    // Else all hours of any kind may be asked for.
    if (countValues(alike) < countMin) return hours;
  }
  const kinds = Map.groupBy(hours, ({ hour }) => kindOf(hour));
  return [...kinds]
    .filter(([kind]) => kind !== 0)
    .map(([, ofKind]) => ({
      hour: ofKind[0]?.hour ?? nowHour,
      moments: mergeHourMoments(ofKind),
      sketch: mergeHourSketches(ofKind),
    }));
}

type Finder = (hours: readonly HourStatistics[], options: FenceOptions) => Fences | undefined;

const finders: Readonly<Record<OutlierMethod, Finder>> = {
  "z-score": (hours, { sensitivity }) => {
    const moments = mergeHourMoments(hours);
    const { count, mean: centre } = moments;
    return standAround({ count, centre, spread: populationDeviation(moments) }, sensitivity);
  },
  mad: (hours, { sensitivity }) => standAround(findMedian(hours), sensitivity),
  iqr: (hours, { sensitivity }) => {
    const sketch = mergeHourSketches(hours);
    const [first, median, third] = [0.25, 0.5, 0.75].map((share) => sketch.quantile(share));
    if (first === undefined || median === undefined || third === undefined) return undefined;
    const middle = { count: sketch.count, centre: median, spread: third - first };
    return stand(middle, [first, third], sensitivity);
  },
  ewma: (hours, { sensitivity, nowHour }) => {
    const { count, mean, deviation } = weighHours(hours, nowHour, ewmaHalfLifeHours);
    return standAround({ count, centre: mean, spread: deviation }, sensitivity);
  },
  seasonal: findSeasonal,
};

interface Middle {
  readonly count: number;
  readonly centre: number;
  readonly spread: number;
}

function standAround(middle: Middle | undefined, sensitivity: number): Fences | undefined {
  if (!middle || middle.count === 0) return undefined;
  return stand(middle, [middle.centre, middle.centre], sensitivity);
}

function stand(middle: Middle, [lowFrom, highFrom]: readonly [number, number], sensitivity: number): Fences {
  const spread = Math.max(middle.spread, spreadShareMin * Math.abs(middle.centre), 1e-9);
  const distance = sensitivity * spread;
  const bounds = { low: lowFrom - distance, high: highFrom + distance };
  return { ...middle, scale: "linear", spread, lowFrom, highFrom, ...bounds };
}

function standByFactors({ count, centre, spread: found }: Middle, sensitivity: number): Fences {
  const spread = Math.max(found, spreadShareMin);
  const factor = Math.exp(sensitivity * spread);
  const bounds = { low: centre / factor, high: centre * factor };
  return { count, centre, lowFrom: centre, highFrom: centre, scale: "log", spread, ...bounds };
}

function findMedian(hours: Iterable<HourStatistics>): Middle | undefined {
  const sketch = mergeHourSketches(hours);
  const centre = sketch.quantile(0.5);
  if (centre === undefined) return undefined;
  return { count: sketch.count, centre, spread: normalMad * (sketch.medianDistance(centre) ?? 0) };
}

/** Too few of this hour of the week: those of this hour of any day; too few of those: all. */
function findSeasonal(hours: readonly HourStatistics[], options: FenceOptions): Fences | undefined {
  const { nowHour, countMin, sensitivity } = options;
  const cycles = [hoursPerWeek, hoursPerDay, 1].map((cycle) => ({
    cycle,
    alike: hours.filter(({ hour }) => isAlike(hour, nowHour, cycle)),
  }));
  const enough = cycles.find(({ alike }) => countValues(alike) >= countMin);
  if (!enough) return undefined;
  const sketch = mergeHourSketches(enough.alike);
  const centre = sketch.quantile(0.5) ?? 0;
  const shift = enough.cycle === 1 ? undefined : findShift(hours, options);
  if (sketch.isPositive) {
    const spread = normalMad * (sketch.medianLogDistance(centre) ?? 0);
    const moved = shift && shift.before > 0 && shift.now > 0 ? (centre * shift.now) / shift.before : centre;
    return standByFactors({ count: sketch.count, centre: moved, spread }, sensitivity);
  }
  const spread = normalMad * (sketch.medianDistance(centre) ?? 0);
  const moved = shift ? centre + shift.now - shift.before : centre;
  return standAround({ count: sketch.count, centre: moved, spread }, sensitivity);
}

/** By what `findSeasonal` asks of an hour; 0 where it asks for none of it. */
function seasonalKind(hour: number, nowHour: number): number {
  return (
    Number(isAlike(hour, nowHour, hoursPerWeek)) +
    2 * Number(isAlike(hour, nowHour, hoursPerDay)) +
    4 * Number(isOfDay(hour, nowHour)) +
    8 * Number(isOfDay(hour, nowHour) && nowHour - hour < hoursPerDay)
  );
}

/** Within the last day, or the same day of a week before it. */
const isOfDay = (hour: number, nowHour: number) => hourOfWeek(nowHour - hour) < hoursPerDay;

const countValues = (hours: readonly HourStatistics[]) =>
  hours.reduce((sum, { moments }) => sum + moments.count, 0);

/** The same hour of the cycle, or one beside it; for a cycle of one hour any. */
function isAlike(hour: number, nowHour: number, cycle: number): boolean {
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
