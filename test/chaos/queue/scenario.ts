/** What a way of hurting the queue is, and what all of them use. */
import type { Stage } from "./stage.ts";

export interface Scenario {
  readonly name: string;
  /** What of its report must be above 0, or it did not hurt. */
  readonly feels: readonly ("reclaims" | "lost" | "unclear" | "troubles" | "refusals")[];
  /** Before any runner is there. */
  prepare?(stage: Stage): Promise<void>;
  /** Ends with everything healed: what was away is back. Hurts until `deadlineMs` of `performance.now()`. */
  hurt(stage: Stage, deadlineMs: number): Promise<void>;
  /** Environment of the runners by their index, and of the enqueuer. */
  environmentOf?(index: number | undefined): Record<string, string>;
}

export const sleep = (durationMs: number) => new Promise((resolve) => setTimeout(resolve, durationMs));
export const isBefore = (deadlineMs: number) => performance.now() < deadlineMs;

/** A duration between the two, from the seed. */
export function between({ options }: Stage, leastMs: number, mostMs: number): number {
  return leastMs + options.random() * (mostMs - leastMs);
}

export function pick<T>({ options }: Stage, items: readonly T[]): T {
  const item = items[Math.floor(options.random() * items.length)];
  if (item === undefined) throw new Error("there is nothing to pick from");
  return item;
}
