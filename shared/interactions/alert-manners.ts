/**
 * How often people are told of a condition that holds now and then: one alert for as long as it lasts, told again where the
 * rule asks for it, and not while it flaps. The same manners as `parlance.raise_alerts` and the watch over alerts have, by
 * the time of what fires instead of a clock; without silences and acknowledgements, which nobody can foresee.
 */
import type { Rule } from "./rules.ts";

export type Told = "opened" | "repeated";

const msPerMinute = 60_000;
const msPerHour = 60 * msPerMinute;
/** It is told of when it comes back for the first and the second time. */
const returnsTold = 2;

/** As it is kept between runs; times in milliseconds since 1970. */
export interface MannersState {
  /** When it was opened, for the last time. */
  readonly begunAt: number;
  readonly firedAt: number;
  /** Null while it goes on. */
  readonly resolvedAt: number | null;
  /** Null: nobody was told. */
  readonly notifiedAt: number | null;
  /** When it was first counted after people were told; null where it was not. */
  readonly pendingAt: number | null;
  readonly returns: number;
  readonly isFlapping: boolean;
}

export class AlertManners {
  readonly #resolveMs: number;
  readonly #renotifyMs: number | null;
  readonly #tell: (told: Told, atMs: number) => void;
  #state: MannersState | undefined;

  constructor(
    { resolveMinutes, renotifyMinutes }: Pick<Rule, "resolveMinutes" | "renotifyMinutes">,
    tell: (told: Told, atMs: number) => void,
    state?: MannersState,
  ) {
    this.#resolveMs = resolveMinutes * msPerMinute;
    this.#renotifyMs = renotifyMinutes === null ? null : renotifyMinutes * msPerMinute;
    this.#tell = tell;
    this.#state = state;
  }

  get state(): MannersState | undefined {
    return this.#state;
  }

  /** Its condition held at this time, in ascending order; `untilMs`: and each minute until then. */
  fire(atMs: number, untilMs: number = atMs): void {
    this.settle(atMs);
    const known = this.#state;
    if (!known || (known.resolvedAt !== null && atMs - known.resolvedAt >= msPerHour)) {
      this.#open(atMs, { returns: 0, isFlapping: false });
    } else if (known.resolvedAt !== null) {
      // After it went on for an hour it is not one that comes and goes.
      const returns = (known.firedAt - known.begunAt < msPerHour ? known.returns : 0) + 1;
      this.#open(atMs, { returns, isFlapping: returns > returnsTold });
    } else {
      this.#state = { ...known, firedAt: atMs, pendingAt: known.pendingAt ?? atMs };
      this.#calm(atMs);
      this.#repeat(atMs);
    }
    if (untilMs > atMs) this.#goOn(atMs, untilMs);
  }

  /** That the time has come: what was counted is told again, what was quiet is over. */
  settle(atMs: number): void {
    const known = this.#state;
    if (!known || known.resolvedAt !== null) return;
    const endsAt = known.firedAt + this.#resolveMs;
    this.#repeat(Math.min(atMs, endsAt));
    if (atMs > endsAt && this.#state) this.#state = { ...this.#state, resolvedAt: endsAt };
  }

  /** It is over at once: what was missing is there again. */
  resolve(atMs: number): void {
    this.settle(atMs);
    if (this.#state?.resolvedAt === null) this.#state = { ...this.#state, resolvedAt: atMs };
  }

  /** It is over for good: what comes next is another. */
  forget(): void {
    this.#state = undefined;
  }

  /** What flaps and then goes on for an hour is told of. */
  #calm(toldAtMs: number): void {
    const known = this.#state;
    if (!known?.isFlapping || known.firedAt - known.begunAt < msPerHour) return;
    this.#tell("opened", toldAtMs);
    this.#state = { ...known, returns: 0, isFlapping: false, notifiedAt: toldAtMs, pendingAt: null };
  }

  #open(atMs: number, how: Pick<MannersState, "returns" | "isFlapping">): void {
    if (!how.isFlapping) this.#tell("opened", atMs);
    const notifiedAt = how.isFlapping ? null : atMs;
    this.#state = { begunAt: atMs, firedAt: atMs, resolvedAt: null, notifiedAt, pendingAt: null, ...how };
  }

  /** Once, where that was due by then and there is something to tell. */
  #repeat(byMs: number): void {
    const known = this.#state;
    if (!known || this.#renotifyMs === null || known.notifiedAt === null || known.pendingAt === null) return;
    const dueAt = Math.max(known.notifiedAt + this.#renotifyMs, known.pendingAt);
    if (dueAt > byMs) return;
    this.#tell("repeated", dueAt);
    this.#state = { ...known, notifiedAt: dueAt, pendingAt: null };
  }

  #goOn(fromMs: number, untilMs: number): void {
    if (this.#state) this.#state = { ...this.#state, firedAt: untilMs };
    if (this.#state) this.#calm(Math.max(this.#state.begunAt + msPerHour, fromMs));
    for (let known = this.#state; known; known = this.#state) {
      const dueAt =
        this.#renotifyMs === null || known.notifiedAt === null ? null : known.notifiedAt + this.#renotifyMs;
      if (dueAt === null || dueAt > untilMs) break;
      this.#tell("repeated", dueAt);
      this.#state = { ...known, notifiedAt: dueAt, pendingAt: null };
    }
    if (!this.#state) return;
    const isTold = this.#state.notifiedAt === untilMs;
    this.#state = { ...this.#state, pendingAt: isTold ? null : untilMs };
  }
}
