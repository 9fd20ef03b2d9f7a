import { z } from "zod";
import { defineTask, type Task, type TaskContext } from "../../shared/jobs/kinds.ts";
import { expireKeys, pruneHistory } from "../../shared/jobs/maintenance.ts";
import type { Deps } from "../deps.ts";
import {
  pruneJobs,
  removeExpiredPictureQueries,
  removeIdleRateBuckets,
  removeOldDeliveries,
  removeOldIdempotencyKeys,
  removeOldQueryVectors,
  removeOldSearches,
} from "./store.ts";

const daysKept = { jobsKept: 30, eventsKept: 7 };
/** Small batches, each a transaction of its own: nobody waits long for a lock. */
const rowsMax = 1000;
/** What is left then is for the next hour. */
const batchesMax = 100;

const expired = [
  removeOldIdempotencyKeys,
  removeIdleRateBuckets,
  removeOldQueryVectors,
  removeExpiredPictureQueries,
  removeOldSearches,
  removeOldDeliveries,
];

/** The work of keeping the house small. */
export function createJobTasks({ sql }: Deps): Task[] {
  return [
    defineTask(pruneHistory, (_, context) =>
      removeInBatches([() => pruneJobs(sql, daysKept, rowsMax)], context),
    ),
    defineTask(expireKeys, (_, context) =>
      removeInBatches(
        expired.map((remove) => () => remove(sql, rowsMax)),
        context,
      ),
    ),
  ];
}

const Cursor = z.object({
  /** Which of the removals is under way, and how many batches of it are done. */
  removal: z.int().min(0),
  batches: z.int().min(0),
  rowsRemoved: z.int().min(0),
});

/** One removal after another. What is gone stays gone, so a batch whose checkpoint was lost is at most not counted. */
async function removeInBatches(
  removals: readonly (() => Promise<number>)[],
  { signal, cursor, checkpoint }: TaskContext,
): Promise<{ rowsRemoved: number }> {
  let { removal, batches, rowsRemoved } = Cursor.safeParse(cursor).data ?? {
    removal: 0,
    batches: 0,
    rowsRemoved: 0,
  };
  while (removal < removals.length && !signal.aborted) {
    const count = (await removals[removal]?.()) ?? 0;
    rowsRemoved += count;
    batches += 1;
    if (count === 0 || batches >= batchesMax) [removal, batches] = [removal + 1, 0];
    if (count > 0) await checkpoint({ removal, batches, rowsRemoved });
  }
  return { rowsRemoved };
}
