/**
 * How work that was done is written: endings that come while others are being written wait for those and are then
 * written together, complete_jobs and every landing in one transaction. So a lone job ends at once, and under load many
 * share a round trip and a commit.
 *
 *   finished ─▶ waiting ──up to 256, or 16 that land──▶ begin · complete_jobs ─held─▶ land each · commit
 *                                                         └─ refused: each again in a transaction of its own
 */
import type { Sql, TransactionSql } from "postgres";
import { isTransientDatabaseError } from "../database.ts";
import type { AnyJobKind } from "./kinds.ts";
import { type ClaimedJob, completeJobs } from "./queue.ts";

export interface Endings {
  /** Resolves once it is committed; `lost` when the claim was another's by then. Rejects when it was refused. */
  complete(kind: AnyJobKind, job: ClaimedJob, outcome: unknown): Promise<"done" | "lost">;
}

interface Ending {
  readonly kind: AnyJobKind;
  readonly job: ClaimedJob;
  readonly outcome: unknown;
  readonly resolve: (ending: "done" | "lost") => void;
  readonly reject: (error: unknown) => void;
}

const togetherMax = 256;
const landingTogetherMax = 16;
/** One is written while the next one's statements are on their way. */
const writersMax = 2;

export function createEndings(sql: Sql): Endings {
  const waiting: Ending[] = [];
  let writers = 0;

  async function write(): Promise<void> {
    writers += 1;
    for (let batch = takeBatch(waiting); batch.length > 0; batch = takeBatch(waiting)) {
      await writeBatch(sql, batch);
    }
    writers -= 1;
  }

  return {
    complete: (kind, job, outcome) =>
      new Promise((resolve, reject) => {
        waiting.push({ kind, job, outcome, resolve, reject });
        // What ends in the same turn of the event loop goes together.
        if (writers < writersMax) queueMicrotask(() => writers < writersMax && waiting.length > 0 && write());
      }),
  };
}

function takeBatch(waiting: Ending[]): Ending[] {
  const landing = waiting.slice(0, togetherMax).some(({ kind }) => kind.land);
  return waiting.splice(0, landing ? landingTogetherMax : togetherMax);
}

async function writeBatch(sql: Sql, batch: readonly Ending[]): Promise<void> {
  try {
    const held = await persist(() => land(sql, batch));
    for (const { job, resolve } of batch) resolve(held.has(job.claim) ? "done" : "lost");
  } catch (error) {
    if (batch.length === 1 || isTransientDatabaseError(error)) for (const { reject } of batch) reject(error);
    else for (const ending of batch) await writeBatch(sql, [ending]);
  }
}

function land(sql: Sql, batch: readonly Ending[]): Promise<ReadonlySet<number>> {
  const endings = batch.map(({ kind, job, outcome }) => ({
    id: job.id,
    claim: job.claim,
    result: kind.summarize(outcome),
  }));
  if (batch.every(({ kind }) => !kind.land)) return completeJobs(sql, endings);
  return sql.begin(async (transaction: TransactionSql) => {
    const held = await completeJobs(transaction, endings);
    const landing = batch
      .filter(({ job }) => held.has(job.claim))
      .map(async ({ kind, job, outcome }) => kind.land?.(transaction, job, outcome));
    // All are waited for: none may still write when the transaction is over.
    for (const landed of await Promise.allSettled(landing))
      if (landed.status === "rejected") throw landed.reason;
    return held;
  }) as Promise<ReadonlySet<number>>;
}

const endingTriesMax = 9;

/**
 * Tries to write an ending for about 15 s while the database is away, so that a restart does not cost the work that
 * was done. Writing it twice is safe: the first one took the claim.
 */
export async function persist<T>(write: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await write();
    } catch (error) {
      if (tries === endingTriesMax || !isTransientDatabaseError(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, Math.min(5_000, 50 * 2 ** tries)));
    }
  }
}
