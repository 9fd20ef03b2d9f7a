/** A job that has what was logged enter the statistics before it goes on. */
import type { Sql } from "postgres";
import { serviceCaller, transactAs } from "../../../shared/callers.ts";
import { foldBatches } from "./fold.ts";
import { ownedBy } from "./settings-lock.ts";

const rowsAtOnce = 4_000;
/** Another folds them meanwhile. */
const waitMs = 200;

export interface Folding {
  readonly ownerId: string | null;
  /** What was logged until then is waited for: a time of the database. */
  readonly until: string;
  readonly signal: AbortSignal;
  /** After each fold, and each wait for that of another; with how many rows were folded so far. */
  readonly pause: (rows: number) => Promise<void>;
}

export async function foldAll(sql: Sql, { ownerId, until, signal, pause }: Folding): Promise<void> {
  let rows = 0;
  for (;;) {
    signal.throwIfAborted();
    const folded = await foldBatches(sql, ownerId, { rowsMax: rowsAtOnce });
    if (folded.batches === 0) {
      if (!(await isPending(sql, ownerId, until))) return;
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
    rows += folded.rows;
    await pause(rows);
  }
}

/** From when on what is logged is not waited for. */
export function readClock(sql: Sql): Promise<string> {
  return transactAs(sql, serviceCaller, async (transaction) => {
    const [row] = await transaction<{ now: string }[]>`select clock_timestamp() as now`;
    if (!row) throw new Error("a select without a condition has a row");
    return row.now;
  });
}

/** Ids of batches tell no time: one that was sent with a key is named after it. */
function isPending(sql: Sql, ownerId: string | null, until: string): Promise<boolean> {
  return transactAs(sql, serviceCaller, async (transaction) => {
    const [row] = await transaction<{ isPending: boolean }[]>`
      select exists (
        select
        from parlance.interaction_batches
        where ${ownedBy(transaction, ownerId)} and folded_at is null and created_at <= ${until}
      ) as is_pending
    `;
    return row?.isPending ?? false;
  });
}
