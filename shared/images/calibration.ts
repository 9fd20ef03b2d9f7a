/**
 * Where scores of an embedding space begin to mean something: inner products of queries with pictures that have
 * nothing to do with them are spread around some value, and only what lies far above is a match.
 */
import { z } from "zod";

export const Calibration = z.object({
  /** Mean and standard deviation of the scores of unrelated pairs. */
  mean: z.number(),
  deviation: z.number().positive(),
  /** Share of unrelated pairs that score at least `threshold`, as measured on pairs held out. */
  falsePositiveRate: z.number().min(0).max(1),
  /** A score from here on is a match. */
  threshold: z.number().min(-1).max(1),
  queries: z.int().min(1),
  pairs: z.int().min(1),
  measuredAt: z.iso.datetime(),
});
export type Calibration = z.infer<typeof Calibration>;

/** Null while the space was not calibrated: then nothing is known of what a score means. */
export function isMatch(calibration: Calibration | null, score: number): boolean | null {
  return calibration === null ? null : score >= calibration.threshold;
}
