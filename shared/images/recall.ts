/** How much of what they should real searches find: jobs, and the shape in which it is told. */
import { z } from "zod";
import type { JobKind } from "../jobs/kinds.ts";

/** How many of the best hits are looked at. */
export const recallDepth = 10;

export const RecallFigures = z.object({
  searches: z.int().describe("Real searches that were asked again."),
  recall: z.number().describe("Mean share of the true best 10 that they found, 0 to 1."),
  lowerBound: z
    .number()
    .describe("The mean is above this with 97.5 % probability (the lower end of a 95 % interval)."),
  worst: z.number().describe("The least share of any search."),
  servedMs: z.number().describe("Median time of a search as it is served."),
  exactMs: z.number().describe("Median time of comparing everything."),
  measuredAt: z.iso.datetime().describe("The last of the measurements."),
});
export type RecallFigures = z.infer<typeof RecallFigures>;

export const RecallEntry = z.object({
  space: z.string(),
  filterClass: z.string().describe("How much the filters of the searches left: see the classes of `search`."),
  path: z.enum(["exact", "index"]).describe("How the searches were served."),
  lastDay: RecallFigures.nullable().describe("Of the last 24 hours; null where nothing was measured."),
  lastWeek: RecallFigures.describe("Of the last 7 days."),
});
export type RecallEntry = z.infer<typeof RecallEntry>;

export const RecallReport = z.object({
  k: z.literal(recallDepth),
  items: z.array(RecallEntry).describe("By space, class of filters and path; empty until measured."),
});
export type RecallReport = z.infer<typeof RecallReport>;

export interface RecallOutcome {
  /** Searches asked again. */
  readonly measured: number;
  /** Searches whose user is gone, or that did not end in time. */
  readonly skipped: number;
}

const hourly = {
  runner: "edge",
  lane: "bulk",
  payload: z.object({}),
  attemptsMax: 2,
  timeoutMs: 60_000,
  land: async () => {},
  landFailure: async () => {},
} as const;

/** Asks sampled real searches again, exactly, and keeps what share of the true hits they found. */
export const measureRecall: JobKind<Record<string, never>, RecallOutcome> = {
  ...hourly,
  name: "images.measure-recall",
  summarize: (outcome) => ({ ...outcome }),
};
