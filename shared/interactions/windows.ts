/**
 * How many interactions a window has, minute by minute, of times that come in order. The window of minute M are those from
 * `windowMinutes` before it until it, without what comes at M itself. Nothing is done for a minute in which nothing changes.
 *
 *                 M - windowMinutes             M
 *   ──────────────┼─────x──x───────x────────────┼──x──▶      three
 */

/** Minutes since 1970 in which the count does not change; both count. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  /** Minutes since the last one; null where there was none yet. */
  readonly quietSince: number | null;
}

/** As it is kept between runs. */
export interface WindowState {
  /** Minutes with interactions, and how many, of which the window may still hold some. */
  readonly minutes: readonly (readonly [minute: number, count: number])[];
  readonly toldTo: number;
  readonly last: number | null;
}

export class SlidingWindow {
  readonly #windowMinutes: number;
  readonly #tell: (stretch: Stretch) => void;
  #minutes: [minute: number, count: number][];
  #count: number;
  #toldTo: number;
  #last: number | null;

  /** Tells of the minutes after `toldTo`. */
  constructor(windowMinutes: number, state: WindowState, tell: (stretch: Stretch) => void) {
    this.#windowMinutes = windowMinutes;
    this.#tell = tell;
    this.#minutes = state.minutes.map(([minute, count]) => [minute, count]);
    this.#count = this.#minutes.reduce((sum, [, count]) => sum + count, 0);
    this.#toldTo = state.toldTo;
    this.#last = state.last;
  }

  get state(): WindowState {
    return { minutes: this.#minutes, toldTo: this.#toldTo, last: this.#last };
  }

  /** One interaction in this minute; minutes never go back. */
  add(minute: number): void {
    this.tellTo(minute);
    const newest = this.#minutes.at(-1);
    if (newest?.[0] === minute) newest[1] += 1;
    else this.#minutes.push([minute, 1]);
    this.#count += 1;
    this.#last = minute;
  }

  /** Tells of all minutes up to this one. */
  tellTo(minute: number): void {
    while (this.#toldTo < minute) {
      const from = this.#toldTo + 1;
      while ((this.#minutes[0]?.[0] ?? from) < from - this.#windowMinutes) {
        this.#count -= this.#minutes.shift()?.[1] ?? 0;
      }
      const oldest = this.#minutes[0]?.[0];
      const leaves = oldest === undefined ? minute : oldest + this.#windowMinutes;
      const to = Math.min(minute, leaves);
      this.#tell({ from, to, count: this.#count, quietSince: this.#last });
      this.#toldTo = to;
    }
  }
}
