/** Pictures in one run. Few sizes, so that a device prepares itself for few shapes. */
export const batchSizes = [1, 2, 4, 8, 16, 32, 64] as const;

export interface PaceOptions {
  /** What one run may take. Default 150. */
  readonly budgetMs?: number;
  /** Pictures in one run, at most. Default 64. */
  readonly sizeMax?: number;
}

interface Measured {
  runMs: number;
  samples: number;
  /** How many runs of any size there were when this one was measured. */
  at: number;
}

const weightOfNewest = 0.25;
const forgottenAfterRuns = 64;

/**
 * How many pictures of one model fit into one run, so that a text never waits long behind them. Learned from the runs:
 * it begins with one picture and doubles while twice the time of the size below fits the budget. The first run of a
 * size warms the device up, so that alone rules no size out.
 */
export class Pace {
  readonly #budgetMs: number;
  readonly #measured = new Map<number, Measured>();
  #sizeMax: number;
  #runs = 0;

  constructor({ budgetMs = 150, sizeMax = batchSizes[batchSizes.length - 1] ?? 1 }: PaceOptions = {}) {
    this.#budgetMs = budgetMs;
    this.#sizeMax = sizeMax;
  }

  /** The most that may run at once now. */
  get size(): number {
    let allowed = 1;
    for (const size of batchSizes) {
      if (size > 1 && !this.#isAllowed(size)) break;
      allowed = size;
    }
    return allowed;
  }

  /** How many of `waiting` to take. */
  take(waiting: number): number {
    const most = Math.min(this.size, waiting);
    return batchSizes.findLast((size) => size <= most) ?? 1;
  }

  /** How long a run of this size takes; 0 where that is not known yet. */
  expect(size: number): number {
    return this.#measured.get(size)?.runMs ?? 0;
  }

  learn(size: number, tookMs: number): void {
    this.#runs += 1;
    const before = this.#measured.get(size);
    const runMs = !before
      ? tookMs
      : before.samples === 1
        ? Math.min(before.runMs, tookMs)
        : before.runMs + weightOfNewest * (tookMs - before.runMs);
    this.#measured.set(size, { runMs, samples: (before?.samples ?? 0) + 1, at: this.#runs });
  }

  /** A run of this size was too much for the device: never again. */
  forbid(size: number): void {
    this.#sizeMax = Math.max(1, Math.min(this.#sizeMax, Math.ceil(size / 2)));
  }

  #isAllowed(size: number): boolean {
    const below = this.#measured.get(size / 2);
    if (size > this.#sizeMax || !below) return false;
    const isExpected = 2 * below.runMs <= this.#budgetMs;
    const known = this.#measured.get(size);
    if (!known) return isExpected;
    if (known.runMs <= this.#budgetMs) return true;
    // Once is no proof, and what was too slow long ago need not be so for ever.
    return isExpected && (known.samples === 1 || this.#runs - known.at > forgottenAfterRuns);
  }
}
