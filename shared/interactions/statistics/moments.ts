/**
 * Count, mean and spread of values, kept without the values: parts are merged in any order. Welford's update, merged as in
 * Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances" (1979).
 */
export interface Moments {
  readonly count: number;
  /** 0 where there are no values. */
  readonly mean: number;
  /** The sum of squared differences from the mean. */
  readonly m2: number;
  /** Infinity where there are no values. */
  readonly min: number;
  /** -Infinity where there are no values. */
  readonly max: number;
}

export const noMoments: Moments = {
  count: 0,
  mean: 0,
  m2: 0,
  min: Number.POSITIVE_INFINITY,
  max: Number.NEGATIVE_INFINITY,
};

/** With these values too. They must be finite. */
export function addValues(moments: Moments, values: Iterable<number>): Moments {
  let { count, mean, m2, min, max } = moments;
  for (const value of values) {
    count += 1;
    const before = value - mean;
    mean += before / count;
    m2 += before * (value - mean);
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return { count, mean, m2, min, max };
}

export function mergeMoments(one: Moments, other: Moments): Moments {
  if (one.count === 0) return other;
  if (other.count === 0) return one;
  const count = one.count + other.count;
  const apart = other.mean - one.mean;
  return {
    count,
    mean: one.mean + (apart * other.count) / count,
    m2: one.m2 + other.m2 + (apart * apart * one.count * other.count) / count,
    min: Math.min(one.min, other.min),
    max: Math.max(one.max, other.max),
  };
}

/** Of all the values there are, not of a sample of more: divided by their count. 0 where there are none. */
export function populationDeviation({ count, m2 }: Moments): number {
  return count === 0 ? 0 : Math.sqrt(Math.max(0, m2) / count);
}
