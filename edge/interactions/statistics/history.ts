/** What rows of one group key are held against: its statistics by hour, with sketches that are only made where they are looked at. */
import type { Fences } from "../../../shared/interactions/outliers/fence-types.ts";
import { findFences } from "../../../shared/interactions/outliers/fences.ts";
import { type HourStatistics, hoursPerDay } from "../../../shared/interactions/outliers/history.ts";
import { isOfQuantiles, limitFences } from "../../../shared/interactions/outliers/keeping.ts";
import { type OutlierCondition, sensitivityOf } from "../../../shared/interactions/rules.ts";
import { type Moments, mergeMoments, noMoments } from "../../../shared/interactions/statistics/moments.ts";
import { QuantileSketch } from "../../../shared/interactions/statistics/sketch.ts";
import { SketchSum } from "../../../shared/interactions/statistics/sketch-text.ts";
import type { HourRow } from "./hour-store.ts";

export interface StoodFences {
  /** Undefined: there is too little history. */
  readonly fences: Fences | undefined;
  /** How many values the history has. */
  readonly values: number;
}

/** An hour of all groups together, or a day that hours were rolled up into. */
class HistoryHour implements HourStatistics {
  readonly hour: number;
  readonly hours: 1 | 24;
  readonly moments: Moments;
  readonly texts: readonly string[];
  #sketch: QuantileSketch | undefined;

  constructor(rows: readonly [HourRow, ...HourRow[]]) {
    const [{ hour, hours }] = rows;
    this.hour = hour;
    this.hours = hours;
    this.moments = rows.reduce<Moments>(mergeMoments, noMoments);
    this.texts = rows.map(({ sketch }) => sketch);
  }

  get sketch(): QuantileSketch {
    if (!this.#sketch) {
      for (const text of this.texts) sum.add(text);
      this.#sketch = QuantileSketch.fromParts(sum.take());
    }
    return this.#sketch;
  }
}

const sum = new SketchSum();

/** What many histories have together, one after another: only what differs from the last one is added and taken off. */
class SlidingSum {
  readonly #sum = new SketchSum();
  #inside: ReadonlySet<HistoryHour> = new Set();

  moveTo(history: readonly HistoryHour[]): QuantileSketch {
    const next = new Set(history);
    for (const hour of this.#inside) {
      if (!next.has(hour)) for (const text of hour.texts) this.#sum.subtract(text);
    }
    for (const hour of next) {
      if (!this.#inside.has(hour)) for (const text of hour.texts) this.#sum.add(text);
    }
    this.#inside = next;
    return QuantileSketch.fromParts(this.#sum.toParts());
  }
}

export interface WantedHour {
  readonly hour: number;
  /** Whether what the hour itself brought so far counts. */
  readonly isPresent: boolean;
}

/** Bounds for each of these hours; rows are of one group key. */
export function standAtHours(
  rows: readonly HourRow[],
  condition: OutlierCondition,
  wanted: readonly WantedHour[],
): Map<number, StoodFences> {
  const hours = toHours(rows);
  const found = new Map<number, StoodFences>();
  const sliding = new SlidingSum();
  for (const { hour, isPresent } of wanted.toSorted((one, other) => one.hour - other.hour)) {
    const begin = hour - condition.historyDays * hoursPerDay;
    const history = hours
      .slice(findPlace(hours, begin), findPlace(hours, hour + 1))
      .filter((one) => one.hour + one.hours <= hour || (isPresent && one.hour === hour));
    const fences = standOn(history, { condition, hour, sliding });
    found.set(hour, { fences: limitFences(fences), values: countValues(history) });
  }
  return found;
}

interface Standing {
  readonly condition: OutlierCondition;
  readonly hour: number;
  readonly sliding: SlidingSum;
}

function standOn(
  history: readonly HistoryHour[],
  { condition, hour: nowHour, sliding }: Standing,
): Fences | undefined {
  const { method, countMin } = condition;
  if (countValues(history) < countMin) return undefined;
  const options = { method, countMin, sensitivity: sensitivityOf(condition), nowHour };
  if (!isOfQuantiles(condition)) return findFences(history, options);
  return findFences([{ hour: nowHour, moments: noMoments, sketch: sliding.moveTo(history) }], options);
}

const countValues = (hours: readonly HistoryHour[]) =>
  hours.reduce((count, { moments }) => count + moments.count, 0);

/** In ascending order. Of a day that became one while hours stood beside it, both. */
function toHours(rows: readonly HourRow[]): HistoryHour[] {
  const byHour = Map.groupBy(rows, ({ hour, hours }) => hour * 2 + Number(hours === hoursPerDay));
  return [...byHour.values()]
    .map((ofHour) => new HistoryHour(ofHour as [HourRow, ...HourRow[]]))
    .sort((one, other) => one.hour - other.hour);
}

/** The first place whose hour is not before this one. */
function findPlace(hours: readonly HistoryHour[], hour: number): number {
  let [low, high] = [0, hours.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((hours[middle]?.hour ?? hour) < hour) low = middle + 1;
    else high = middle;
  }
  return low;
}
