/** Embedding spaces as they cross walls: models whose vectors may be compared with each other; one searches. */
import { z } from "zod";
import { Progress } from "../jobs/contract.ts";

export const spaceLimits = {
  dimensionsMax: 2000,
  /** Queries that a comparison asks. */
  queriesMax: 1000,
  queriesDefault: 200,
} as const;

/** Names of spaces and keys of models. */
const Key = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9.-]{0,63}$/,
    "must be 1 to 64 of a-z, 0-9, dot and hyphen, and begin with none of the two",
  );

export const SpaceId = z.int().min(1).max(32_767);

export const NewEmbeddingSpace = z.strictObject({
  model: Key.describe("The key of the model that makes its vectors."),
  modelDigest: z
    .string()
    .min(1)
    .max(100)
    .describe("Follows from the model's files; only workers that have the same files work for the space."),
  dimensions: z.int().min(1).max(spaceLimits.dimensionsMax),
  name: Key.optional().describe("Default: the model's key."),
});
export type NewEmbeddingSpace = z.infer<typeof NewEmbeddingSpace>;

export const SpaceSwitch = z.strictObject({
  spaceId: SpaceId,
  force: z
    .boolean()
    .default(false)
    .describe(
      "Also where vectors are missing or no sidecar offers the model: searches find less until they are there.",
    ),
});
export type SpaceSwitch = z.infer<typeof SpaceSwitch>;

export const NewComparison = z.strictObject({
  queries: z
    .int()
    .min(1)
    .max(spaceLimits.queriesMax)
    .default(spaceLimits.queriesDefault)
    .describe("The newest distinct queries of the log, as many."),
});
export type NewComparison = z.infer<typeof NewComparison>;

export const SpaceJob = z.object({
  id: z.uuid().describe("Follow it at `/jobs/{id}`."),
  state: z.enum(["queued", "running"]),
  progress: Progress,
});
export type SpaceJob = z.infer<typeof SpaceJob>;

export const EmbeddingSpace = z.object({
  id: SpaceId,
  name: z.string(),
  model: z.string(),
  modelDigest: z.string(),
  dimensions: z.int(),
  isCurrent: z.boolean().describe("It is the one that searches."),
  isMaintained: z.boolean().describe("What it lacks is filled in by itself."),
  isOffered: z.boolean().describe("A sidecar that runs now has the model."),
  pictures: z.int().describe("Pictures that are ready."),
  vectors: z.int().describe("How many of them have a vector here."),
  missing: z.int().describe("How many have none."),
  calibration: z
    .object({
      threshold: z
        .number()
        .describe(
          "A bare score that is a match whatever was asked; each question has a lower one of its own.",
        ),
      falsePositiveRate: z.number(),
      measuredAt: z.iso.datetime(),
    })
    .nullable()
    .describe("From which score on a hit is a match; null: not measured."),
  fill: SpaceJob.nullable().describe("The open job that fills it."),
  createdAt: z.iso.datetime(),
  switchedAt: z.iso.datetime().nullable().describe("When it began or ceased to be the one that searches."),
});
export type EmbeddingSpace = z.infer<typeof EmbeddingSpace>;

export const EmbeddingSpaceList = z.object({ items: z.array(EmbeddingSpace) });
export type EmbeddingSpaceList = z.infer<typeof EmbeddingSpaceList>;

export const AddedSpaceJob = z.object({
  job: z.object({ id: z.uuid().describe("Follow it at `/jobs/{id}`.") }),
});
export type AddedSpaceJob = z.infer<typeof AddedSpaceJob>;

const Spread = z.object({
  mean: z.number(),
  deviation: z.number(),
  min: z.number(),
  median: z.number(),
  max: z.number(),
});
export type Spread = z.infer<typeof Spread>;

const ComparedSpace = z.object({
  id: SpaceId,
  name: z.string(),
  vectors: z.int(),
  missing: z.int(),
  /** Scores of the first hit and of the tenth, over all queries. */
  firstScores: Spread.nullable(),
  tenthScores: Spread.nullable(),
});

/** The result of a comparison: how differently the space that searches and another one rank the same pictures. */
export const SpaceComparison = z.object({
  current: ComparedSpace,
  candidate: ComparedSpace,
  queries: z.object({
    asked: z.int(),
    /** Both models know a word of them. */
    compared: z.int(),
    /** `searches`: as they were really asked; `words`: titles, keywords and names of the library. */
    source: z.enum(["searches", "searches and words", "words", "none"]),
    unknownToCurrent: z.int(),
    unknownToCandidate: z.int(),
  }),
  /** Share of the ten best that both have; mean over the queries. Null where nothing was compared. */
  overlapAt10: z.number().nullable(),
  /** Rank-biased overlap of the ten best, p = 0.9: 1 for equal order, 0 for nothing in common. */
  rankBiasedOverlap: z.number().nullable(),
  /** Share of the exactly ten best that the candidate's index finds. */
  recallAt10: z.number().nullable(),
  worst: z
    .array(z.object({ query: z.string().max(100), overlapAt10: z.number(), rankBiasedOverlap: z.number() }))
    .max(5),
});
export type SpaceComparison = z.infer<typeof SpaceComparison>;
