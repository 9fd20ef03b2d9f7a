/** Jobs that keep embedding spaces complete. */
import { z } from "zod";
import type { JobKind } from "../jobs/kinds.ts";

export const FillSpacePayload = z.object({ spaceId: z.int().min(1) });
export type FillSpacePayload = z.infer<typeof FillSpacePayload>;

export interface FillSpaceOutcome {
  /** Vectors that this run added. */
  readonly added: number;
  /** Pictures whose derivative could not be read; they are tried again by the next fill. */
  readonly failed: number;
}

/**
 * Gives every picture that lacks one a vector in a space, batch by batch, each landed at once under the claim: what is
 * interrupted goes on where it stopped. One at a time for a space.
 */
export const fillSpace: JobKind<FillSpacePayload, FillSpaceOutcome> = {
  name: "images.fill-space",
  runner: "sidecar",
  lane: "bulk",
  payload: FillSpacePayload,
  attemptsMax: 100,
  timeoutMs: 24 * 3600 * 1000,
  summarize: (outcome) => ({ ...outcome }),
  land: async () => {},
  landFailure: async () => {},
};
