/**
 * Quantiles of any number of values in little space: DDSketch, Masson, Rim and Lee (VLDB 2019). Values fall into buckets whose
 * bounds grow by a constant factor, so that each quantile is within 1 % of the true value, whatever their distribution.
 * Sketches are merged by adding their counts: in any order, with the same result to the last bit.
 *
 *   key … -4097 -4096  │ 0 │  4096  4097 …        a key grows with its values
 *   value  -γ     -1   │ 0 │    1     γ …         γ = 1.01 / 0.99
 */
export const relativeError = 0.01;

/** Nearer to 0 than this counts as 0; farther than `farthest` counts as `farthest`. At most 4,900 buckets. */
const nearest = 1e-9;
const farthest = 1e12;

const growth = (1 + relativeError) / (1 - relativeError);
const growthLog = Math.log(growth);
const offset = 4096;

/** As it is stored: keys in ascending order, and how many values each has. */
export interface SketchParts {
  readonly keys: readonly number[];
  readonly counts: readonly number[];
}

function toKey(value: number): number {
  const size = Math.min(Math.abs(value), farthest);
  if (!(size >= nearest)) return 0;
  const key = Math.ceil(Math.log(size) / growthLog) + offset;
  return value > 0 ? key : -key;
}

/** The value that is within the relative error of all in its bucket. */
function toValue(key: number): number {
  if (key === 0) return 0;
  const size = (2 * growth ** (Math.abs(key) - offset)) / (growth + 1);
  return key > 0 ? size : -size;
}

export class QuantileSketch {
  readonly #counts = new Map<number, number>();
  #count = 0;

  static of(values: Iterable<number>): QuantileSketch {
    const sketch = new QuantileSketch();
    for (const value of values) sketch.add(value);
    return sketch;
  }

  static fromParts({ keys, counts }: SketchParts): QuantileSketch {
    const sketch = new QuantileSketch();
    for (const [index, key] of keys.entries()) sketch.#addKey(key, counts[index] ?? 0);
    return sketch;
  }

  /** How many values it has. */
  get count(): number {
    return this.#count;
  }

  /** The value must be finite. */
  add(value: number, count = 1): void {
    this.#addKey(toKey(value), count);
  }

  merge(other: QuantileSketch): void {
    for (const [key, count] of other.#counts) this.#addKey(key, count);
  }

  /** Takes away one that was merged before: to the last bit what it was without it. */
  subtract(other: QuantileSketch): void {
    for (const [key, count] of other.#counts) this.#addKey(key, -count);
  }

  /** The value of which this share (0 to 1) of all are smaller or equal; undefined where there are none. */
  quantile(share: number): number | undefined {
    return weightedQuantile(this.#values(), this.#count, share);
  }

  /** About how many are greater: those in the bucket of the value itself do not count. */
  countAbove(value: number): number {
    const key = toKey(value);
    let above = 0;
    for (const [other, count] of this.#counts) if (other > key) above += count;
    return above;
  }

  /** About how many are smaller, as above. */
  countBelow(value: number): number {
    const key = toKey(value);
    let below = 0;
    for (const [other, count] of this.#counts) if (other < key) below += count;
    return below;
  }

  /**
   * The median of the distances from `centre`. Each distance is within 1 % of its value's and the centre's size, which is
   * coarse where the values lie close together far from 0.
   */
  medianDistance(centre: number): number | undefined {
    return weightedQuantile(this.distancesFrom(centre), this.#count, 0.5);
  }

  /** Each distance from `centre` with how many values have it, in ascending order. */
  distancesFrom(centre: number): (readonly [distance: number, count: number])[] {
    return this.#values()
      .map(([value, count]) => [Math.abs(value - centre), count] as const)
      .sort(([one], [other]) => one - other);
  }

  /** The median of how far values are from `centre` in natural logarithms. All must be above 0. */
  medianLogDistance(centre: number): number | undefined {
    const distances = this.#values().map(
      ([value, count]) => [Math.abs(Math.log(value / centre)), count] as const,
    );
    return weightedQuantile(
      distances.sort(([one], [other]) => one - other),
      this.#count,
      0.5,
    );
  }

  /** Whether all values are above 0. */
  get isPositive(): boolean {
    for (const key of this.#counts.keys()) if (key <= 0) return false;
    return this.#count > 0;
  }

  toParts(): SketchParts {
    const sorted = this.#sorted();
    return { keys: sorted.map(([key]) => key), counts: sorted.map(([, count]) => count) };
  }

  #addKey(key: number, count: number): void {
    const sum = (this.#counts.get(key) ?? 0) + count;
    if (sum === 0) this.#counts.delete(key);
    else this.#counts.set(key, sum);
    this.#count += count;
  }

  #sorted(): [number, number][] {
    return [...this.#counts].sort(([one], [other]) => one - other);
  }

  #values(): (readonly [number, number])[] {
    return this.#sorted().map(([key, count]) => [toValue(key), count] as const);
  }
}

/** As of a sketch made of the parts, several at once; undefined where there are no values. */
export function findQuantiles(
  { keys, counts }: SketchParts,
  shares: readonly number[],
): number[] | undefined {
  if (keys.length === 0) return undefined;
  const values = keys.map((key, index) => [toValue(key), counts[index] ?? 0] as const);
  const count = counts.reduce((sum, one) => sum + one, 0);
  return shares.map((share) => weightedQuantile(values, count, share) ?? Number.NaN);
}

/** Of values in ascending order with how often each is there. */
export function weightedQuantile(
  values: readonly (readonly [number, number])[],
  count: number,
  share: number,
): number | undefined {
  const rank = Math.min(Math.max(share, 0), 1) * (count - 1);
  let seen = 0;
  for (const [value, times] of values) {
    seen += times;
    if (seen > rank) return value;
  }
  return values.at(-1)?.[0];
}
