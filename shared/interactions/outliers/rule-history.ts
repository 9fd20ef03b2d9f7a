/**
 * What an outlier rule held the values of the past against: of what it judges together, the statistics of the `historyDays`
 * before a value's hour, and of that hour what came before the value.
 *
 *      ┌──────────── historyDays ───────────┬─ so far ─┐
 *   ───┼──┬──┬──┬──┬──┬──┬── … ──┬──┬──┬──┬─┴──────────x───▶
 *
 * As when rows are logged, bounds that rest on much history are kept for five minutes, and those that rest on little are worked
 * out for each value.
 */
import { type OutlierCondition, sensitivityOf } from "../rules.ts";
import { addValues, type Moments, noMoments } from "../statistics/moments.ts";
import { QuantileSketch, type SketchParts } from "../statistics/sketch.ts";
import type { Fences } from "./fence-types.ts";
import { condenseHistory, findFences } from "./fences.ts";
import { type HourStatistics, hoursPerDay } from "./history.ts";
import { fencesKeptMs, isOfMoments, isOfQuantiles, limitFences, valuesOfSmallHistory } from "./keeping.ts";

const msPerHour = 3_600_000;

/** In hours since 1970 UTC. */
export const hourOf = (timeMs: number): number => Math.floor(timeMs / msPerHour);

/** The first hour of the history of one. */
export function historyBegin({ historyDays }: OutlierCondition, hour: number): number {
  return hour - historyDays * hoursPerDay;
}

/** An hour that is over, or a day that hours were rolled up into. */
export type HistoryHour = HourStatistics;

/** What is of the hour that is under way, as it is kept between runs. */
export interface SlidingHistoryState {
  readonly hour: number;
  readonly moments: Moments;
  readonly sketch: SketchParts;
  readonly found: { readonly atMs: number; readonly fences: Fences | null } | null;
}

/**
 * The history of one value after another, in the order of time. Quantiles slide: what leaves is taken off what was merged, which
 * is exact, because sketches are counts.
 */
export class SlidingHistory {
  readonly #condition: OutlierCondition;
  /** Not over yet when what is judged happened. */
  readonly #ahead: HourStatistics[] = [];
  readonly #window: HourStatistics[] = [];
  /** Of the window and the hour so far; only where quantiles slide. */
  readonly #merged = new QuantileSketch();
  #count = 0;
  #hour: { readonly hour: number; moments: Moments; sketch: QuantileSketch } | undefined;
  /** The window with what counts alike in the hour under way merged; undefined until it is asked for. */
  #condensed: readonly HourStatistics[] | undefined;
  #found: { readonly atMs: number; readonly fences: Fences | undefined } | undefined;

  constructor(condition: OutlierCondition) {
    this.#condition = condition;
  }

  /** Of the hour under way; undefined before the first value. */
  get state(): SlidingHistoryState | undefined {
    const hour = this.#hour;
    if (!hour) return undefined;
    const { moments, sketch } = hour;
    return {
      hour: hour.hour,
      moments: moments.count === 0 ? { ...moments, min: 0, max: 0 } : moments,
      sketch: sketch.toParts(),
      found: this.#found ? { atMs: this.#found.atMs, fences: this.#found.fences ?? null } : null,
    };
  }

  /** Goes on in an hour; what was before it is added first. */
  resume({ hour, moments, sketch, found }: SlidingHistoryState): void {
    this.#moveTo(hour);
    const known = QuantileSketch.fromParts(sketch);
    this.#hour = { hour, moments: moments.count === 0 ? noMoments : moments, sketch: known };
    if (isOfQuantiles(this.#condition)) this.#merged.merge(known);
    this.#found = found ? { atMs: found.atMs, fences: found.fences ?? undefined } : undefined;
  }

  /** In ascending order, each before a value of an hour after it. */
  add(hour: HourStatistics): void {
    this.#ahead.push(hour);
  }

  /** A value of the rule's groups, judged or not, after it was judged. */
  note(atMs: number, value: number): void {
    this.#moveTo(hourOf(atMs));
    const hour = this.#hour;
    if (!hour) return;
    hour.moments = addValues(hour.moments, [value]);
    if (!isOfMoments(this.#condition)) hour.sketch.add(value);
    if (isOfQuantiles(this.#condition)) this.#merged.add(value);
  }

  /** What a value of this time is held against; undefined where there is too little. */
  fencesAt(atMs: number): Fences | undefined {
    this.#moveTo(hourOf(atMs));
    const isKept =
      this.#values() >= valuesOfSmallHistory && this.#found && atMs < this.#found.atMs + fencesKeptMs;
    if (!isKept) this.#found = { atMs, fences: limitFences(this.#findFences()) };
    return this.#found?.fences;
  }

  #values(): number {
    return this.#count + (this.#hour?.moments.count ?? 0);
  }

  #findFences(): Fences | undefined {
    const hour = this.#hour;
    if (!hour) return undefined;
    const { method, countMin } = this.#condition;
    if (this.#values() < countMin) return undefined;
    const options = { method, sensitivity: sensitivityOf(this.#condition), countMin, nowHour: hour.hour };
    if (isOfQuantiles(this.#condition)) {
      return findFences([{ hour: hour.hour, moments: noMoments, sketch: this.#merged }], options);
    }
    this.#condensed ??= condenseHistory(this.#window, options);
    return findFences(hour.moments.count === 0 ? this.#condensed : [...this.#condensed, hour], options);
  }

  #moveTo(hour: number): void {
    const slides = isOfQuantiles(this.#condition);
    if (this.#hour?.hour === hour) return;
    if (slides && this.#hour) this.#merged.subtract(this.#hour.sketch);
    this.#hour = { hour, moments: noMoments, sketch: new QuantileSketch() };
    this.#found = undefined;
    this.#condensed = undefined;
    const entered = countWhile(this.#ahead, (one) => one.hour + (one.hours ?? 1) <= hour);
    for (const one of this.#ahead.splice(0, entered)) {
      this.#window.push(one);
      this.#count += one.moments.count;
      if (slides) this.#merged.merge(one.sketch);
    }
    const begin = historyBegin(this.#condition, hour);
    const left = countWhile(this.#window, (one) => one.hour < begin);
    for (const one of this.#window.splice(0, left)) {
      this.#count -= one.moments.count;
      if (slides) this.#merged.subtract(one.sketch);
    }
  }
}

function countWhile<T>(items: readonly T[], holds: (item: T) => boolean): number {
  const end = items.findIndex((item) => !holds(item));
  return end === -1 ? items.length : end;
}
