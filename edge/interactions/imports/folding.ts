/** The second step of an import: what landed enters the statistics. */
import type { Sql } from "postgres";
import { serviceCaller, transactAs } from "../../../shared/callers.ts";
import { foldBatches } from "../statistics/fold.ts";
import { ownedBy } from "../statistics/settings-lock.ts";
import type { CursorOf, ImportRun } from "./under-way.ts";

const rowsAtOnce = 4_000;
/** Another folds them meanwhile. */
const waitMs = 200;

export async function foldAll({ deps, context, row }: ImportRun, cursor: CursorOf<"fold">): Promise<void> {
  const { sizeBytes, ownerId } = row;
  let rows = 0;
  for (;;) {
    context.signal.throwIfAborted();
    const folded = await foldBatches(deps.sql, ownerId, { rowsMax: rowsAtOnce });
    if (folded.batches === 0) {
      if (!(await isPending(deps.sql, ownerId, cursor.upTo))) return;
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
    rows += folded.rows;
    await context.checkpoint(cursor);
    context.reportProgress(sizeBytes, sizeBytes, `${rows} rows are in the statistics.`);
  }
}

function isPending(sql: Sql, ownerId: string | null, upTo: string): Promise<boolean> {
  return transactAs(sql, serviceCaller, async (transaction) => {
    const [row] = await transaction<{ isPending: boolean }[]>`
      select exists (
        select
        from parlance.interaction_batches
        where ${ownedBy(transaction, ownerId)} and folded_at is null and id <= ${upTo}
      ) as is_pending
    `;
    return row?.isPending ?? false;
  });
}
