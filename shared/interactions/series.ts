/** A metric over time, as charts draw it, and what metrics there are. */
import { z } from "zod";
import { findMetricNumber, metrics } from "./metrics/registry.ts";
import { GroupPart } from "./rules.ts";

export const seriesLimits = { bucketsMax: 1_100, groupsMax: 20, statisticsMax: 100_000 } as const;

/** Hours of each. */
export const seriesBuckets = { hour: 1, day: 24, week: 168 } as const;
export const SeriesBucket = z.enum(["hour", "day", "week"]);
export type SeriesBucket = z.infer<typeof SeriesBucket>;

export const SeriesGroupBy = z.enum([...GroupPart.options, "none"]);
export type SeriesGroupBy = z.infer<typeof SeriesGroupBy>;

export const MetricName = z
  .string()
  .max(100)
  .refine((name) => findMetricNumber(name) !== undefined, {
    message: "is no metric; `GET /interactions/metrics` tells which there are, such as `output.characters`",
  })
  .describe("Element and metric: `input.…`, `output.…` or `pair.…`, as `GET /interactions/metrics` tells.");

const time = z.iso
  .datetime({ offset: true })
  .refine((text) => /^(19[7-9]|20|21)\d/.test(text), { message: "must be from 1970 to 2199" });

export const SeriesQuery = z.object({
  metric: MetricName,
  bucket: SeriesBucket.default("day").describe("UTC; a week begins on Monday."),
  from: time
    .optional()
    .describe("From the beginning of the bucket that has this time. Default: 30 days before `to`."),
  to: time.optional().describe("To the end of the bucket that has the moment before this. Default: now."),
  groupBy: SeriesGroupBy.default("none").describe("One series for each of them; `none`: one of all."),
  app: z.string().min(1).max(64).optional().describe("Only of this app. So for the next two."),
  environment: z.string().max(64).optional().describe("Empty: of those that were sent without one."),
  model: z.string().max(128).optional().describe("Empty: of those that were sent without one."),
});
export type SeriesQuery = z.infer<typeof SeriesQuery>;

const within = "Within 1 % of the true value.";

export const SeriesPoint = z.object({
  at: z.iso.datetime().describe("When the bucket begins."),
  hours: z
    .int()
    .describe(
      "How many hours the values are of: those of the bucket, but 24 where a bucket is an hour of more than 35 days " +
        "ago, of which only the day is known.",
    ),
  count: z.int().describe("How many interactions had a value."),
  mean: z.number(),
  deviation: z.number().describe("Standard deviation, of all values there are."),
  min: z.number(),
  max: z.number(),
  p50: z.number().describe(`The median. ${within}`),
  p90: z.number().describe(within),
  p95: z.number().describe(within),
  p99: z.number().describe(within),
});
export type SeriesPoint = z.infer<typeof SeriesPoint>;

export const SeriesGroup = z.object({
  app: z.string().optional().describe("Only when grouped by it. So for the next two."),
  environment: z.string().optional().describe("Empty: those that were sent without one."),
  model: z.string().optional().describe("Empty: those that were sent without one."),
  count: z.int().describe("Of all its points."),
  points: z.array(SeriesPoint).describe("Oldest first. Buckets without values are left out."),
});
export type SeriesGroup = z.infer<typeof SeriesGroup>;

export const MetricUnit = z
  .enum(metrics.map(({ unit }) => unit))
  .describe("`share` is from 0 to 1, `flag` is 0 or 1: the mean is how many of all have it.");

export const Series = z.object({
  metric: z.string(),
  unit: MetricUnit,
  bucket: SeriesBucket,
  from: z.iso.datetime().describe("Where the first bucket begins."),
  to: z.iso.datetime().describe("Where the last bucket ends."),
  groups: z.array(SeriesGroup).describe("Those with the most values first, 20 at most."),
  groupsLeftOut: z.int().describe("How many more there are; filter to see them."),
  foldedAt: z.iso
    .datetime()
    .nullable()
    .describe("When interactions were last added to the statistics; null: never."),
  pending: z
    .int()
    .describe("Interactions that were logged and are not in the statistics yet; within a minute they are."),
});
export type Series = z.infer<typeof Series>;

export const MetricAnswer = z.object({
  name: z.string().describe("With its element before it, `output.characters`, it names a value."),
  elements: z.array(z.enum(["input", "output", "pair"])).describe("`pair`: it is of both together."),
  unit: MetricUnit,
  meaning: z.string(),
  version: z.int().describe("Grows when the same text would be measured otherwise."),
});
export type MetricAnswer = z.infer<typeof MetricAnswer>;

export const listMetricAnswers = (): MetricAnswer[] =>
  metrics.map(({ name, of, unit, meaning, version }) => ({
    name,
    elements: of === "pair" ? ["pair"] : ["input", "output"],
    unit,
    meaning,
    version,
  }));

export function findMetricUnit(name: string): MetricAnswer["unit"] | undefined {
  const short = name.slice(name.indexOf(".") + 1);
  return metrics.find((metric) => metric.name === short)?.unit;
}
