/** From a middle and a spread to fences, and what stands for the spread where most values are equal. */
import { type QuantileSketch, weightedQuantile } from "../statistics/sketch.ts";
import type { Fences } from "./fence-types.ts";

export interface Middle {
  readonly count: number;
  readonly centre: number;
  readonly spread: number;
}

/**
 * How much a value must differ at least for each step of sensitivity, as a share of the centre's size: a constant history does
 * not make each change an outlier.
 */
const spreadShareMin = 0.01;
/** Makes the median absolute deviation of normal values their standard deviation. */
const normalMad = 1.4826;

export function standAround(middle: Middle | undefined, sensitivity: number): Fences | undefined {
  if (!middle || middle.count === 0) return undefined;
  return stand(middle, [middle.centre, middle.centre], sensitivity);
}

export function stand(
  middle: Middle,
  [lowFrom, highFrom]: readonly [number, number],
  sensitivity: number,
): Fences {
  const spread = Math.max(middle.spread, spreadShareMin * Math.abs(middle.centre), 1e-9);
  const distance = sensitivity * spread;
  const bounds = { low: lowFrom - distance, high: highFrom + distance };
  return { ...middle, scale: "linear", spread, lowFrom, highFrom, ...bounds };
}

export function standByFactors({ count, centre, spread: found }: Middle, sensitivity: number): Fences {
  const spread = Math.max(found, spreadShareMin);
  const factor = Math.exp(sensitivity * spread);
  const bounds = { low: centre / factor, high: centre * factor };
  return { count, centre, lowFrom: centre, highFrom: centre, scale: "log", spread, ...bounds };
}

export function findMedian(sketch: QuantileSketch): Middle | undefined {
  const centre = sketch.quantile(0.5);
  if (centre === undefined) return undefined;
  const spread = normalMad * (sketch.medianDistance(centre) ?? 0);
  return { count: sketch.count, centre, spread: spread > 0 ? spread : findTiedSpread(sketch, centre) };
}

/** The median absolute deviation in natural logarithms; 0 where most values are equal. */
export const findLogSpread = (sketch: QuantileSketch, centre: number): number =>
  normalMad * (sketch.medianLogDistance(centre) ?? 0);

/**
 * Where more than half of the values are equal to the centre: how far the others lie from it in the median, times the root of
 * their share. So it is a standard deviation that single far values do not widen, and what a fair share of all values does is in
 * order. 0 where there are no others: then all values are within 1 % of the centre, as the sketch knows them.
 */
export function findTiedSpread(sketch: QuantileSketch, centre: number): number {
  const others = sketch.distancesFrom(centre).filter(([distance]) => distance > 0);
  const count = others.reduce((sum, [, times]) => sum + times, 0);
  return normalMad * Math.sqrt(count / sketch.count) * (weightedQuantile(others, count, 0.5) ?? 0);
}
