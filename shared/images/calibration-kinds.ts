import { z } from "zod";
import type { JobKind } from "../jobs/kinds.ts";

/** Without a space: every space that needs it. */
export const CalibratePayload = z.object({ spaceId: z.int().min(1).optional() });
export type CalibratePayload = z.infer<typeof CalibratePayload>;

export interface CalibrateOutcome {
  readonly calibrated: number;
  /** Spaces with too few pictures or too few queries yet. */
  readonly waiting: number;
}

/** Learns where the scores of an embedding space begin to mean something. */
export const calibrateSpace: JobKind<CalibratePayload, CalibrateOutcome> = {
  name: "images.calibrate-space",
  runner: "edge",
  lane: "bulk",
  payload: CalibratePayload,
  attemptsMax: 2,
  timeoutMs: 60_000,
  // A slice asks the questions of one kind, and fits their answers.
  cpuMs: 400,
  summarize: (outcome) => ({ ...outcome }),
  land: async () => {},
  landFailure: async () => {},
};
