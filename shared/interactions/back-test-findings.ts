/** What a back-test has found so far: added to row by row, kept between runs, and told in the end. */
import { AlertManners, type MannersState } from "./alert-manners.ts";
import { backTestRowsMax } from "./back-tests.ts";
import { type OutlierCondition, type RuleFields, sensitivityOf } from "./rules.ts";
import { QuantileSketch, type SketchParts } from "./statistics/sketch.ts";
import { TopRows } from "./top-rows.ts";

const msPerMinute = 60_000;
export const msPerWeek = 7 * 24 * 60 * msPerMinute;

export interface Period {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Something that fired. */
export interface Found {
  /** Null where it is of no single interaction. */
  readonly id: string | null;
  /** In microseconds since 1970. */
  readonly at: number;
  /** A number of an app, environment and model; of a rate one of those that are judged together. */
  readonly groupId: number;
  readonly value: number;
  readonly score: number | null;
  readonly bound: number;
}

interface Week {
  judged: number;
  fired: number;
  alerts: number;
}

/** As it is kept between runs. */
export interface FindingsState {
  readonly judged: number;
  readonly withoutHistory: number;
  readonly fired: number;
  readonly opened: number;
  readonly repeated: number;
  readonly weeks: readonly Week[];
  readonly max: number | null;
  readonly sketch: SketchParts;
  /** Each with how often it would have fired. */
  readonly sensitivities: readonly (readonly [sensitivity: number, fired: number])[];
  readonly first: readonly Found[];
  readonly newest: readonly Found[];
  readonly extreme: readonly Found[];
  readonly manners: MannersState | null;
}

/** Of the rule's own sensitivity. */
const sensitivityFactors = [0.25, 0.5, 0.75, 1, 1.5, 2, 3];

const compareIds = (one: string, other: string) => (one < other ? -1 : one > other ? 1 : 0);
const byAge = (one: Found, other: Found) =>
  one.at - other.at || compareIds(one.id ?? "", other.id ?? "") || one.groupId - other.groupId;
const sizeOf = ({ score, value, bound }: Found) => Math.abs(score ?? value - bound);
const bySize = (one: Found, other: Found) => sizeOf(other) - sizeOf(one) || byAge(one, other);

export class Findings {
  readonly #rule: RuleFields;
  readonly #period: Period;
  readonly #weeks: Week[];
  readonly #sketch: QuantileSketch;
  readonly #sensitivities: [sensitivity: number, fired: number][];
  readonly #first: TopRows<Found>;
  readonly #newest: TopRows<Found>;
  readonly #extreme: TopRows<Found>;
  #manners: AlertManners;
  #judged: number;
  #withoutHistory: number;
  #fired: number;
  #opened: number;
  #repeated: number;
  #max: number | null;

  constructor(rule: RuleFields, period: Period, state?: FindingsState) {
    this.#rule = rule;
    this.#period = period;
    const weeks = Math.ceil((period.toMs - period.fromMs) / msPerWeek);
    this.#weeks = Array.from({ length: weeks }, (_, index) => ({
      ...(state?.weeks[index] ?? { judged: 0, fired: 0, alerts: 0 }),
    }));
    this.#sketch = state ? QuantileSketch.fromParts(state.sketch) : new QuantileSketch();
    const others = rule.condition.type === "outlier" ? listSensitivities(rule.condition) : [];
    this.#sensitivities = others.map((one, index) => [one, state?.sensitivities[index]?.[1] ?? 0]);
    this.#first = new TopRows(backTestRowsMax, byAge, state?.first);
    this.#newest = new TopRows(backTestRowsMax, (one, other) => byAge(other, one), state?.newest);
    this.#extreme = new TopRows(backTestRowsMax, bySize, state?.extreme);
    this.#manners = this.#createManners(state?.manners ?? undefined);
    this.#judged = state?.judged ?? 0;
    this.#withoutHistory = state?.withoutHistory ?? 0;
    this.#fired = state?.fired ?? 0;
    this.#opened = state?.opened ?? 0;
    this.#repeated = state?.repeated ?? 0;
    this.#max = state?.max ?? null;
  }

  get judged(): number {
    return this.#judged;
  }

  /** An interaction was judged. */
  addJudged(atMs: number, hasHistory = true): void {
    this.#judged += 1;
    if (!hasHistory) this.#withoutHistory += 1;
    this.#weekOf(atMs).judged += 1;
  }

  addValue(value: number, times = 1): void {
    this.#sketch.add(value, times);
    if (this.#max === null || value > this.#max) this.#max = value;
  }

  /** How far a value was off, whether it fired or not. */
  addScore(score: number): void {
    const { condition } = this.#rule;
    if (condition.type !== "outlier" || score === 0) return;
    if (condition.tails !== "both" && condition.tails !== (score > 0 ? "high" : "low")) return;
    const size = Math.abs(score);
    for (const one of this.#sensitivities) {
      if (size <= one[0]) break;
      one[1] += 1;
    }
  }

  /** A row fired. */
  addFired(found: Found): void {
    const atMs = Math.floor(found.at / 1000);
    this.#fired += 1;
    this.#weekOf(atMs).fired += 1;
    this.#manners.fire(atMs);
    this.#show(found);
  }

  /** The condition held at each of these minutes; `isNew`: what it shows did not go on from the minute before. */
  addMinutes([from, to]: readonly [from: number, to: number], found: Found, isNew: boolean): void {
    for (let start = from; start <= to; ) {
      const week = this.#weekIndex(start * msPerMinute);
      const last = Math.min(to, (this.#period.fromMs + (week + 1) * msPerWeek) / msPerMinute - 1);
      const minutes = Math.max(last, start) - start + 1;
      this.#fired += minutes;
      this.#weekOf(start * msPerMinute).fired += minutes;
      start += minutes;
    }
    this.#manners.fire(from * msPerMinute, to * msPerMinute);
    if (isNew) this.#show(found);
  }

  /** What was missing is there again. */
  resolve(minute: number): void {
    this.#manners.resolve(minute * msPerMinute);
  }

  /** What was missing is not expected any more. */
  forget(): void {
    this.#manners.forget();
  }

  /** What is judged apart has come to its end; what comes next has alerts of its own. */
  endGroup(): void {
    this.#manners.settle(this.#period.toMs);
    this.#manners = this.#createManners(undefined);
  }

  toState(): FindingsState {
    return {
      judged: this.#judged,
      withoutHistory: this.#withoutHistory,
      fired: this.#fired,
      opened: this.#opened,
      repeated: this.#repeated,
      weeks: this.#weeks,
      max: this.#max,
      sketch: this.#sketch.toParts(),
      sensitivities: this.#sensitivities,
      first: this.#first.rows,
      newest: this.#newest.rows,
      extreme: this.#extreme.rows,
      manners: this.#manners.state ?? null,
    };
  }

  #createManners(state: MannersState | undefined): AlertManners {
    return new AlertManners(
      this.#rule,
      (told, atMs) => {
        if (told === "opened") this.#opened += 1;
        else this.#repeated += 1;
        this.#weekOf(atMs).alerts += 1;
      },
      state,
    );
  }

  #show(found: Found): void {
    this.#first.add(found);
    this.#newest.add(found);
    this.#extreme.add(found);
  }

  #weekIndex(atMs: number): number {
    return Math.min(Math.floor((atMs - this.#period.fromMs) / msPerWeek), this.#weeks.length - 1);
  }

  #weekOf(atMs: number): Week {
    return this.#weeks[this.#weekIndex(atMs)] as Week;
  }
}

function listSensitivities(condition: OutlierCondition): number[] {
  const own = sensitivityOf(condition);
  return sensitivityFactors.map((factor) => (factor === 1 ? own : Number((own * factor).toPrecision(6))));
}
