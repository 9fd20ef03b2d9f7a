import { defineTask, type Task } from "../../shared/jobs/kinds.ts";
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
    defineTask(pruneHistory, async (_, { signal }) => ({
      rowsRemoved: await removeInBatches(() => pruneJobs(sql, daysKept, rowsMax), signal),
    })),
    defineTask(expireKeys, async (_, { signal }) => {
      let rowsRemoved = 0;
      for (const remove of expired) {
        rowsRemoved += await removeInBatches(() => remove(sql, rowsMax), signal);
      }
      return { rowsRemoved };
    }),
  ];
}

async function removeInBatches(removeBatch: () => Promise<number>, signal: AbortSignal): Promise<number> {
  let removed = 0;
  for (let batch = 0; batch < batchesMax && !signal.aborted; batch++) {
    const count = await removeBatch();
    removed += count;
    if (count === 0) break;
  }
  return removed;
}
