/** Jobs that remove interactions: what someone asked for, and what is older than its owner keeps it. */
import { z } from "zod";
import type { JobKind } from "../jobs/kinds.ts";
import { NewDeletion } from "./listing.ts";

export const DeleteInteractionsPayload = z.object({
  ownerId: z.uuid().nullable(),
  /** What came into the log after that was not meant. */
  createdBefore: z.iso.datetime(),
  wish: NewDeletion,
});
export type DeleteInteractionsPayload = z.infer<typeof DeleteInteractionsPayload>;

export interface RemovalOutcome extends Record<string, number> {
  readonly rowsRemoved: number;
}

export interface SweepOutcome extends RemovalOutcome {
  /** Apps, environments and models of which nothing is left. */
  readonly groupsRemoved: number;
}

const removal = {
  runner: "edge",
  lane: "bulk",
  // A try that saved a checkpoint got further, and counts as the first.
  attemptsMax: 5,
  timeoutMs: 10 * 60_000,
  cpuMs: 60,
  summarize: (outcome: RemovalOutcome) => ({ ...outcome }),
  landFailure: async () => {},
} as const;

/** Some hundreds at a time, from the oldest on. */
export const deleteInteractions: JobKind<DeleteInteractionsPayload, RemovalOutcome> = {
  ...removal,
  name: "interactions.delete",
  payload: DeleteInteractionsPayload,
  queuedPerOwnerMax: 100,
  runningPerOwnerMax: 2,
};

/** Of everyone, by their settings. What one run does not get to is for the next one. */
export const removeExpired: JobKind<Record<string, never>, SweepOutcome> = {
  ...removal,
  name: "interactions.remove-expired",
  payload: z.object({}),
};
