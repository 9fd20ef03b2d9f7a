/** Jobs that keep embedding spaces complete and compare them. */
import type { Sql, TransactionSql } from "postgres";
import { z } from "zod";
import type { JobKind } from "../jobs/kinds.ts";
import { addJob } from "../jobs/queue.ts";
import { calibrateSpace } from "./calibration-kinds.ts";
import type { FillSpaceOutcome } from "./outcomes.ts";
import { type SpaceComparison, SpaceId, spaceLimits } from "./space-contract.ts";
import { type FillableSpace, findSpaceToFillAgain, stopMaintaining } from "./space-landing.ts";

export const FillSpacePayload = z.object({ spaceId: SpaceId });
export type FillSpacePayload = z.infer<typeof FillSpacePayload>;

/** A fill that added as many has the space's scores calibrated at once; else the hour does. */
const recalibratedFrom = 50;

/** As many failures are named in a job's result. */
const failuresTold = 20;

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
  summarize: ({ spaceId, added, coloured, failures }) => ({
    spaceId,
    added,
    coloured,
    failed: failures.length,
    failures: failures.slice(0, failuresTold),
  }),
  land: async (transaction, _job, outcome) => {
    const space = await findSpaceToFillAgain(transaction, outcome);
    if (space) await addFill(transaction, space, 2);
    if (outcome.added >= recalibratedFrom) {
      const { spaceId } = outcome;
      await addJob(transaction, calibrateSpace, {
        payload: { spaceId },
        ownerId: null,
        uniqueKey: String(spaceId),
      });
    }
  },
  landFailure: async (transaction, job, { code }) => {
    if (code === "cancelled") await stopMaintaining(transaction, job.id);
  },
};

/** Answers the id of the space's open fill, or of a new one. */
export function addFill(
  sql: Sql | TransactionSql,
  { id, model }: FillableSpace,
  delaySeconds = 0,
): Promise<string> {
  const payload = { spaceId: id };
  return addJob(sql, fillSpace, { payload, ownerId: null, uniqueKey: String(id), model, delaySeconds });
}

export const CompareSpacesPayload = z.object({
  /** The space that is compared with the one that searches. */
  spaceId: SpaceId,
  queriesMax: z.int().min(1).max(spaceLimits.queriesMax),
});
export type CompareSpacesPayload = z.infer<typeof CompareSpacesPayload>;

/** Asks both spaces the same and tells how differently they answer. It writes nothing but vectors of queries. */
export const compareSpaces: JobKind<CompareSpacesPayload, SpaceComparison> = {
  name: "images.compare-spaces",
  runner: "sidecar",
  lane: "bulk",
  payload: CompareSpacesPayload,
  attemptsMax: 5,
  timeoutMs: 600_000,
  summarize: (comparison) => ({ ...comparison }),
  land: async () => {},
  landFailure: async () => {},
};

export function addComparison(
  sql: Sql | TransactionSql,
  { id, model }: FillableSpace,
  queriesMax: number,
): Promise<string> {
  const payload = { spaceId: id, queriesMax };
  return addJob(sql, compareSpaces, { payload, ownerId: null, uniqueKey: String(id), model });
}
