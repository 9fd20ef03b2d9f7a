/** How much of what they should real searches find: jobs, and the shape in which it is told. */
import type { TransactionSql } from "postgres";
import { z } from "zod";
import { createId } from "../ids.ts";
import type { EndingJob, JobKind } from "../jobs/kinds.ts";

/** How many of the best hits are looked at. */
export const recallDepth = 10;

export const RecallFigures = z.object({
  searches: z.int().describe("Real searches that were asked again."),
  recall: z.number().describe("Mean share of the true best 10 that they found, 0 to 1."),
  lowerBound: z
    .number()
    .describe("Lower end of a 95 % interval of the mean (Wilson's, each search counted as one trial)."),
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

/** What was measured of one space, class of filters and path. */
export interface RecallMeasure {
  readonly spaceId: number;
  readonly filterClass: string;
  readonly path: "exact" | "index";
  readonly searches: number;
  /** Of the shares of the true hits that were found. */
  readonly recallSum: number;
  readonly recallMin: number;
  /** Medians. */
  readonly servedMs: number;
  readonly exactMs: number;
}

export interface RecallOutcome {
  /** When the searches were drawn: the next run looks at those that came after. */
  readonly measuredAt: string;
  readonly measures: readonly RecallMeasure[];
  /** Searches that could not be asked again in time. */
  readonly skipped: number;
}

const daysKept = 30;

async function landRecall(
  transaction: TransactionSql,
  _job: EndingJob,
  { measures, measuredAt }: RecallOutcome,
): Promise<void> {
  await transaction`
    delete from parlance.recall_measures where measured_at < now() - make_interval(days => ${daysKept})
  `;
  for (const one of measures) {
    await transaction`
      insert into parlance.recall_measures
        (id, space_id, filter_class, path, k, searches, recall_sum, recall_min, served_ms, exact_ms, measured_at)
      select
        ${createId()}, id, ${one.filterClass}, ${one.path}, ${recallDepth}, ${one.searches}, ${one.recallSum},
        ${one.recallMin}, ${one.servedMs}, ${one.exactMs}, ${measuredAt}
      from parlance.embedding_spaces
      where id = ${one.spaceId}
    `;
  }
}

/** Asks sampled real searches again, exactly, and keeps what share of the true hits they found. */
export const measureRecall: JobKind<Record<string, never>, RecallOutcome> = {
  name: "images.measure-recall",
  runner: "edge",
  lane: "bulk",
  payload: z.object({}),
  attemptsMax: 2,
  timeoutMs: 60_000,
  cpuMs: 50,
  summarize: ({ measures, skipped }) => ({
    measured: measures.reduce((sum, { searches }) => sum + searches, 0),
    skipped,
  }),
  land: landRecall,
  landFailure: async () => {},
};
