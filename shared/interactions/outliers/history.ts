/** The values that one is held against, as hourly statistics keep them. Merging is in any order. */
import { type Moments, mergeMoments, noMoments } from "../statistics/moments.ts";
import { QuantileSketch } from "../statistics/sketch.ts";

/** What one hour brought, or a day that hours were rolled up into. */
export interface HourStatistics {
  /** Hours since 1970 UTC; of a day its first one. */
  readonly hour: number;
  /** 1, or 24 of a day. */
  readonly hours?: number;
  readonly moments: Moments;
  readonly sketch: QuantileSketch;
}

export const hoursPerDay = 24;
export const hoursPerWeek = 168;

export const isDay = ({ hours }: Pick<HourStatistics, "hours">): boolean => hours === hoursPerDay;

/** 0 is the first hour of a Thursday: the week is only a cycle here. */
export const hourOfWeek = (hour: number): number => ((hour % hoursPerWeek) + hoursPerWeek) % hoursPerWeek;

export function mergeHourMoments(hours: Iterable<HourStatistics>): Moments {
  let merged = noMoments;
  for (const { moments } of hours) merged = mergeMoments(merged, moments);
  return merged;
}

export function mergeHourSketches(hours: Iterable<HourStatistics>): QuantileSketch {
  const merged = new QuantileSketch();
  for (const { sketch } of hours) merged.merge(sketch);
  return merged;
}

/** Where the values of hours lie and how far they spread, an hour half as much for each `halfLifeHours` of its age. */
export function weighHours(
  hours: Iterable<HourStatistics>,
  nowHour: number,
  halfLifeHours: number,
): { count: number; mean: number; deviation: number } {
  let weight = 0;
  let mean = 0;
  let m2 = 0;
  let count = 0;
  for (const { hour, moments } of hours) {
    if (moments.count === 0) continue;
    const decay = 2 ** (-Math.max(0, nowHour - hour) / halfLifeHours);
    const added = moments.count * decay;
    const apart = moments.mean - mean;
    m2 += moments.m2 * decay + (apart * apart * weight * added) / (weight + added);
    mean += (apart * added) / (weight + added);
    weight += added;
    count += moments.count;
  }
  return { count, mean, deviation: weight === 0 ? 0 : Math.sqrt(Math.max(0, m2) / weight) };
}
