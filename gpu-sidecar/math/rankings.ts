/** How alike two rankings of the same things are, and how numbers are spread. */

/** Share of the longer ranking that is in both; 1 for two empty ones. */
export function overlapOf(left: readonly string[], right: readonly string[]): number {
  const length = Math.max(left.length, right.length);
  if (length === 0) return 1;
  const others = new Set(right);
  return left.filter((id) => others.has(id)).length / length;
}

/**
 * Rank-biased overlap, extrapolated from the depth of the shorter ranking (Webber, Moffat and Zobel 2010, RBO_ext): 1
 * for equal rankings, 0 for disjoint ones; with p = 0.9 the first ten ranks weigh 86 %.
 */
export function rankBiasedOverlap(left: readonly string[], right: readonly string[], p = 0.9): number {
  const depth = Math.min(left.length, right.length);
  if (depth === 0) return left.length === right.length ? 1 : 0;
  const [seenLeft, seenRight] = [new Set<string>(), new Set<string>()];
  let [common, sum, weight] = [0, 0, 1];
  for (let rank = 0; rank < depth; rank++) {
    const [one, other] = [left[rank] ?? "", right[rank] ?? ""];
    if (one === other) common += 1;
    else common += Number(seenRight.has(one)) + Number(seenLeft.has(other));
    seenLeft.add(one);
    seenRight.add(other);
    weight *= p;
    sum += (common / (rank + 1)) * weight;
  }
  return (common / depth) * weight + ((1 - p) / p) * sum;
}

export interface Spread {
  readonly mean: number;
  readonly deviation: number;
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** Undefined for no numbers. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  const sorted = [...values].sort((left, right) => left - right);
  const [min, max] = [sorted.at(0), sorted.at(-1)];
  const mean = meanOf(sorted);
  if (min === undefined || max === undefined || mean === undefined) return undefined;
  const variance = meanOf(sorted.map((value) => (value - mean) ** 2)) ?? 0;
  const middle = sorted.slice(Math.ceil(sorted.length / 2) - 1, Math.floor(sorted.length / 2) + 1);
  return { mean, deviation: Math.sqrt(variance), min, median: meanOf(middle) ?? mean, max };
}

export function meanOf(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
}
