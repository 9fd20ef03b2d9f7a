/**
 * Between which bounds a value is nothing to speak of, by what came before it. Each method finds a centre and a spread; the fences
 * stand `sensitivity` spreads away from it.
 *
 *   z-score   mean and standard deviation. One far value widens it for all that come after.
 *   mad       median and 1.4826 × median absolute deviation (Iglewicz and Hoaglin 1993): half of the values may be far.
 *   iqr       the quartiles and the distance between them (Tukey 1977); the sides may be unequal.
 *   ewma      mean and deviation with old hours counting less: follows a trend.
 *   seasonal  as mad, over the same hour of the week and its neighbours (where hours became days: the same weekday), moved by how the level of the last day differs from that
 *             of the same hours before. Where all values are above 0 in logarithms: lengths, times and costs spread by factors.
 *
 * Where more than half of the values are equal (counts that are mostly 0, flags), the quantiles of `mad`, `iqr` and `seasonal` know
 * no spread. Then it is that of the others, times the root of their share, and never in logarithms: what happens seldom and far off
 * is out, what a fair share of values does is not. A flag is then out by default where fewer than one of 290 to 430 values has it
 * (1 / (1.4826 × sensitivity)²; `z-score` and `ewma`: one of 43 to 65). How often a flag is set is for a rule of rates.
 */
import { populationDeviation } from "../statistics/moments.ts";
import type { FenceOptions, Fences, OutlierMethod } from "./fence-types.ts";
import {
  type HourStatistics,
  hoursPerDay,
  mergeHourMoments,
  mergeHourSketches,
  weighHours,
} from "./history.ts";
import { findAlike, findSeasonal, seasonalKind } from "./seasonal.ts";
import { findMedian, findTiedSpread, stand, standAround } from "./standing.ts";

/** The distance between the quartiles of normal values is so many of their standard deviations. */
const normalQuartiles = 1.349;
const ewmaHalfLifeHours = 2 * hoursPerDay;

/** Undefined where there is too little history to speak of. */
export function findFences(hours: readonly HourStatistics[], options: FenceOptions): Fences | undefined {
  const found = finders[options.method](hours, options);
  return found && found.count >= options.countMin ? found : undefined;
}

/**
 * How many spreads the value is above (positive) or below (negative) what its fence is measured from; 0 between the two. With a
 * greater sensitivity than its size the value would not have been out. It ends at a million, beyond any sensitivity: what is off
 * a history that never changed is off by any number of spreads.
 */
export function scoreValue(value: number, { lowFrom, highFrom, spread, scale }: Fences): number {
  if (value >= lowFrom && value <= highFrom) return 0;
  const from = value > highFrom ? highFrom : lowFrom;
  const score =
    scale === "linear" ? (value - from) / spread : Math.log(Math.max(value, from * 1e-9) / from) / spread;
  return Math.max(-scoreMax, Math.min(scoreMax, score));
}

const scoreMax = 1e6;

/**
 * Fewer hours that come to the same fences, with the hour that is judged added to them or not: those that count alike in it are one.
 * `hours` are those before it, in ascending order.
 */
export function condenseHistory(
  hours: readonly HourStatistics[],
  { method, countMin, nowHour }: Omit<FenceOptions, "sensitivity">,
): readonly HourStatistics[] {
  if (method === "ewma" || hours.length === 0) return hours;
  if (method !== "seasonal") return [mergeAlike(hours, nowHour)];
  // Else all hours of any kind may be asked for.
  if (!findAlike(hours, { nowHour, countMin })) return hours;
  const kinds = Map.groupBy(hours, (one) => seasonalKind(one, nowHour));
  return [...kinds].filter(([kind]) => kind !== 0).map(([, ofKind]) => mergeAlike(ofKind, nowHour));
}

function mergeAlike(ofKind: readonly HourStatistics[], nowHour: number): HourStatistics {
  const { hour = nowHour, hours = 1 } = ofKind[0] ?? {};
  return { hour, hours, moments: mergeHourMoments(ofKind), sketch: mergeHourSketches(ofKind) };
}

type Finder = (hours: readonly HourStatistics[], options: FenceOptions) => Fences | undefined;

const finders: Readonly<Record<OutlierMethod, Finder>> = {
  "z-score": (hours, { sensitivity }) => {
    const moments = mergeHourMoments(hours);
    const { count, mean: centre } = moments;
    return standAround({ count, centre, spread: populationDeviation(moments) }, sensitivity);
  },
  mad: (hours, { sensitivity }) => standAround(findMedian(mergeHourSketches(hours)), sensitivity),
  iqr: (hours, { sensitivity }) => {
    const sketch = mergeHourSketches(hours);
    const [first, median, third] = [0.25, 0.5, 0.75].map((share) => sketch.quantile(share));
    if (first === undefined || median === undefined || third === undefined) return undefined;
    const apart = third - first || normalQuartiles * findTiedSpread(sketch, median);
    const middle = { count: sketch.count, centre: median, spread: apart };
    return stand(middle, [first, third], sensitivity);
  },
  ewma: (hours, { sensitivity, nowHour }) => {
    const { count, mean, deviation } = weighHours(hours, nowHour, ewmaHalfLifeHours);
    return standAround({ count, centre: mean, spread: deviation }, sensitivity);
  },
  seasonal: findSeasonal,
};
