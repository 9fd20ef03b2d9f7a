/**
 * Where scores of an embedding space begin to mean something.
 *
 * A score is an inner product of a query with a picture. Pictures that have nothing to do with a query score too,
 * spread around some value, and a search answers the best of n of them: the more pictures, the higher the best score
 * of a library that holds nothing of what was asked. So no fixed score is a match. What is wanted is, for a search over
 * n pictures, the score that the best of n unrelated ones reaches in at most 5 % of the searches.
 *
 * 1. Queries differ: "a photo" is near to every picture, "zebra" to few. A score is therefore told in steps of the
 *    query's own spread over (a part of) the pictures that are searched: z = (score - median) / (median - 16 % quantile),
 *    both drawn towards those of the whole space while there are few pictures. Half of the pictures may match, and
 *    neither number is moved by it: both look at the lower half only.
 * 2. The best of n is what is measured: known queries are asked in blocks of 5, 20, 80, 320 and 1,000 random pictures,
 *    as a search would ask, and the best z of each block is kept. The largest of many has Gumbel's distribution
 *    (Fisher and Tippett, 1928; Gumbel, 1958), whose two parameters follow from two low quantiles.
 * 3. Real libraries hold much of what is asked. Blocks with a match lie high, so the quantiles are low ones (20 % and
 *    60 %), and queries that stand out from the fit are left out until none does. What is left out under a true fit is
 *    known (2 %) and reckoned with.
 * 4. Beyond 1,000 pictures is extrapolated: with S(z) the share of unrelated pairs above z, a search of n goes wrong in
 *    1 - (1 - S(z))^n, and for tails between the normal and the exponential one, log z grows in a nearly straight
 *    line with log(log(n / rate)). The slope is fitted, a little is added, and it is held between 0.6 (the normal's) and
 *    1.3 (heavier than the exponential's).
 *
 * The rate of 5 % is shared out: 4 % for z, and 1 % for a ceiling on the bare score, found in the same way without
 * the query's own spread. Who asks for what most of their pictures show is answered by the ceiling.
 */
import { z } from "zod";

/** A threshold for searches over as many pictures. */
const Level = z.object({ pictures: z.int().min(1), z: z.number() });
export type Level = z.infer<typeof Level>;

/** Thresholds that grow with the number of pictures: read between the levels, extrapolated beyond the last. */
const Growth = z.object({
  levels: z.array(Level).min(1).max(20),
  /** The slope of log z over log(log(n / rate)) beyond the last level. */
  slope: z.number(),
});
export type Growth = z.infer<typeof Growth>;

const Thresholds = z.object({
  /** The middle of the scores of unrelated pairs, and their spread below it (one standard deviation of a normal). */
  mean: z.number(),
  deviation: z.number().positive(),
  /** In spreads of the query itself. */
  ofQuery: Growth,
  /** In `deviation`s from `mean`, whatever the query. */
  ofSpace: Growth,
  /**
   * The middle of pictures that stand for all there could be, where a model's own are known: its score with a query is
   * the query's middle, and no pictures of the library are asked.
   */
  centre: z.array(z.number()).max(2000).optional(),
  /**
   * Share of the searches for what no picture shows that are answered with a match all the same, measured on queries
   * that the thresholds were not made from; and the interval that holds it with 95 % probability.
   */
  falsePositiveRate: z.number().min(0).max(1),
  falsePositiveInterval: z.tuple([z.number(), z.number()]),
  /** Share of the queries that were found to match something: left out of the fit. */
  matchedRate: z.number().min(0).max(1),
  /** The bare score that is a match whatever the query, in a search over all `pictures`. */
  threshold: z.number(),
  queries: z.int().min(1),
  pairs: z.int().min(1),
  /** How many vectors the space had. */
  pictures: z.int().min(1),
  measuredAt: z.iso.datetime(),
});
export type Thresholds = z.infer<typeof Thresholds>;

export const Calibration = Thresholds.extend({
  /** For questions that are pictures: they are nearer to each other than words are to them. Null: not known. */
  byPicture: Thresholds.nullable().default(null),
});
export type Calibration = z.infer<typeof Calibration>;

/** The scores of one query with some of the pictures that it is asked among. */
export interface ScoreCohort {
  /** How many were looked at; `cohortMax` at most. */
  readonly pictures: number;
  readonly median: number;
  /** Their 15.87 % quantile: one standard deviation below the median of a normal. */
  readonly low: number;
}

export const calibrationLimits = {
  /** Of a cohort. */
  cohortMax: 400,
  blockSizes: [5, 20, 80, 320, 1000],
  /** Blocks of one size and one query. */
  blocksMax: 20,
  picturesMin: 40,
  picturesMax: 2000,
  queriesMin: 40,
  queriesMax: 150,
} as const;

/** Quantiles that a cohort is made of. */
export const cohortQuantiles = [0.5, 0.1587] as const;

export const calibrationRates = { ofQuery: 0.04, ofSpace: 0.01 } as const;
/** The stated limit of false positives among searches for what is not there. */
export const falsePositiveRateMax = calibrationRates.ofQuery + calibrationRates.ofSpace;

/** A score from here on is a match in a search over that many pictures. */
export function thresholdFor(calibration: Thresholds, pictures: number, cohort?: ScoreCohort): number {
  const { mean, deviation, ofQuery, ofSpace } = calibration;
  const ceiling = mean + deviation * readLevel(ofSpace, pictures, calibrationRates.ofSpace);
  if (!cohort || cohort.pictures === 0) return ceiling;
  const { middle, spread } = locate(cohort, calibration);
  return Math.min(ceiling, middle + spread * readLevel(ofQuery, pictures, calibrationRates.ofQuery));
}

/** Null while the space was not calibrated: then nothing is known of what a score means. */
export function isMatch(
  calibration: Thresholds | null,
  score: number,
  pictures: number,
  cohort?: ScoreCohort,
): boolean | null {
  return calibration === null ? null : score >= thresholdFor(calibration, pictures, cohort);
}

/** How many scores of its own a query needs to count as much as what is known of the space. */
const weightOfSpace = { middle: 15, spread: 30 } as const;

/** The cohort of a query by the centre of its space; undefined where the space has none. */
export function cohortByCentre(
  { centre, deviation }: Thresholds,
  embedding: readonly number[],
): ScoreCohort | undefined {
  if (!centre) return undefined;
  const median = centre.reduce((sum, value, index) => sum + value * (embedding[index] ?? 0), 0);
  return { pictures: Number.MAX_SAFE_INTEGER, median, low: median - deviation };
}

export type Prior = Pick<Thresholds, "mean" | "deviation">;

/** The middle and the spread of a query's scores, drawn towards the space's while there are few. */
export function locate(cohort: ScoreCohort, prior: Prior): { middle: number; spread: number } {
  const { pictures, median, low } = cohort;
  const { middle, spread } = weightOfSpace;
  const variance = spread * prior.deviation ** 2 + pictures * (median - low) ** 2;
  return {
    middle: (middle * prior.mean + pictures * median) / (middle + pictures),
    spread: Math.sqrt(variance / (spread + pictures)),
  };
}

/** How far out in the tail a search over so many pictures looks. */
export const depthOf = (pictures: number, rate: number) => Math.log(Math.log(pictures / rate));

export function readLevel({ levels, slope }: Growth, pictures: number, rate: number): number {
  const upper = levels.findIndex((level) => pictures <= level.pictures);
  const [first, last] = [levels[0], levels.at(-1)];
  if (!first || !last) throw new RangeError("a calibration without levels");
  if (upper === 0) return first.z;
  if (upper === -1) {
    return last.z * Math.exp(slope * (depthOf(pictures, rate) - depthOf(last.pictures, rate)));
  }
  const [from, to] = [levels[upper - 1] ?? first, levels[upper] ?? last];
  const [start, end] = [depthOf(from.pictures, rate), depthOf(to.pictures, rate)];
  return from.z + ((to.z - from.z) * (depthOf(pictures, rate) - start)) / (end - start);
}
