/** Jobs that keep the statistics of interactions complete and small. Each hour; what is pending is also folded each minute. */
import { z } from "zod";
import type { JobKind } from "../jobs/kinds.ts";

function defineStatisticsJob<Outcome extends Record<string, number>>(
  name: string,
  cpuMs: number,
): JobKind<Record<string, never>, Outcome> {
  return {
    name,
    runner: "edge",
    lane: "bulk",
    payload: z.object({}),
    // A try that saved a checkpoint got further, and counts as the first.
    attemptsMax: 5,
    timeoutMs: 10 * 60_000,
    cpuMs,
    summarize: (outcome) => ({ ...outcome }),
    land: async () => {},
    landFailure: async () => {},
  };
}

export interface FoldOutcome extends Record<string, number> {
  readonly batches: number;
  readonly rows: number;
}

/** Adds to the statistics, of everyone, what is not in them yet. */
export const foldStatistics = defineStatisticsJob<FoldOutcome>("interactions.fold-statistics", 150);

export interface RollUpOutcome extends Record<string, number> {
  /** Statistics of hours that are now part of a day's. */
  readonly hours: number;
  readonly fencesPruned: number;
}

/** Keeps hours of more than 35 days ago by the day. */
export const rollUpStatistics = defineStatisticsJob<RollUpOutcome>("interactions.roll-up-statistics", 250);

export interface MeasureAgainOutcome extends Record<string, number> {
  readonly measured: number;
}

/** Measures interactions by the metrics that came since, and adds those values, and no others, to the statistics. */
export const measureAgain = defineStatisticsJob<MeasureAgainOutcome>("interactions.measure-again", 400);
