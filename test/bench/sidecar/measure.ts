import { readFileSync } from "node:fs";
import { cpus } from "node:os";

export const cores = cpus().length;

export interface Measured {
  readonly perSecond: number;
  /** Of this process, for each piece. */
  readonly coreMs: number;
  /** How long the main thread was kept from its work, 99 times of 100 at most. */
  readonly loopLagP99Ms: number;
  /** Cores that other processes took meanwhile. */
  readonly foreignCores: number;
}

export interface Lane {
  /** One piece of work; several run at once. */
  readonly work: () => Promise<unknown>;
  /** How many at once. */
  readonly atOnce: number;
}

/**
 * Pieces a second from one completion to the last, so that neither the start nor the unfinished end counts. What ended
 * together with the first one belongs to what came before it.
 */
export class Meter {
  #first: Snapshot | undefined;
  #last: Snapshot | undefined;
  #counted = 0;
  #lag: LagMeter | undefined;

  /** Call it at every completion. */
  count(): void {
    if (!this.#first) {
      this.#first = takeSnapshot();
      this.#lag = startLagMeter();
      return;
    }
    if (performance.now() < this.#first.atMs + 1) return;
    this.#counted += 1;
    this.#last = takeSnapshot();
  }

  finish(): Measured {
    const [first, last] = [this.#first, this.#last];
    const loopLagP99Ms = this.#lag?.stop() ?? 0;
    if (!first || !last) throw new Error("Too slow for so short a measurement.");
    const tookMs = last.atMs - first.atMs;
    const ownMs = last.ownMs - first.ownMs;
    return {
      perSecond: (this.#counted / tookMs) * 1000,
      coreMs: ownMs / this.#counted,
      loopLagP99Ms,
      foreignCores: Math.max(0, (last.allMs - first.allMs - ownMs) / tookMs),
    };
  }
}

/** The share of the cores that other processes left, if a piece costs no more than `coreMs`. */
export function shareOfFreeCores({ perSecond, foreignCores }: Measured, coreMs: number): number {
  return (perSecond * coreMs) / (1000 * (cores - foreignCores));
}

/**
 * The rate of work that is always under way `atOnce` times. Not measured before all of it came to an end once: until
 * then more is begun than ended.
 */
export async function measureRate({ work, atOnce }: Lane, seconds: number): Promise<Measured> {
  const startMs = performance.now();
  let endMs = Number.POSITIVE_INFINITY;
  let ended = 0;
  const meter = new Meter();
  const loop = async () => {
    while (performance.now() < endMs) {
      await work();
      ended += 1;
      const nowMs = performance.now();
      if (ended <= atOnce || nowMs < startMs + seconds * 250 || nowMs > endMs) continue;
      if (endMs === Number.POSITIVE_INFINITY) endMs = nowMs + seconds * 1000;
      meter.count();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, loop));
  return meter.finish();
}

interface Snapshot {
  readonly atMs: number;
  readonly ownMs: number;
  readonly allMs: number;
}

function takeSnapshot(): Snapshot {
  const { user, system } = process.cpuUsage();
  return { atMs: performance.now(), ownMs: (user + system) / 1000, allMs: readBusyMs() };
}

/** What all cores together worked since the machine started; NaN where the machine does not tell. */
export function readBusyMs(): number {
  try {
    const [, user, nice, system, , , irq, softirq] = readFileSync("/proc/stat", "utf8")
      .split(/\s+/)
      .map(Number);
    return [user, nice, system, irq, softirq].reduce<number>((sum, ticks) => sum + (ticks ?? 0), 0) * 10;
  } catch {
    return Number.NaN;
  }
}

interface LagMeter {
  /** The 99th percentile in milliseconds. */
  stop(): number;
}

/** How late a timer of 2 ms is. */
export function startLagMeter(): LagMeter {
  const everyMs = 2;
  const late: number[] = [];
  let isOver = false;
  const tick = (dueMs: number) => {
    const nowMs = performance.now();
    late.push(Math.max(0, nowMs - dueMs));
    if (!isOver) setTimeout(tick, everyMs, nowMs + everyMs);
  };
  setTimeout(tick, everyMs, performance.now() + everyMs);
  return {
    stop() {
      isOver = true;
      return percentile(late, 0.99);
    },
  };
}

export function percentile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN;
}

export const median = (values: readonly number[]) => percentile(values, 0.5);

export const round = (value: number, digits = 2) => Math.round(value * 10 ** digits) / 10 ** digits;
