/** The jobs that keep the statistics complete and small, slice by slice; each slice is a transaction of its own. */
import type { Sql } from "postgres";
import { z } from "zod";
import { serviceCaller, transactAs } from "../../../shared/callers.ts";
import {
  type FoldOutcome,
  foldStatistics,
  type MeasureAgainOutcome,
  measureAgain,
  type RollUpOutcome,
  rollUpStatistics,
} from "../../../shared/interactions/statistics-kinds.ts";
import { defineTask, type Task, type TaskContext } from "../../../shared/jobs/kinds.ts";
import type { Deps } from "../../deps.ts";
import { pruneFences } from "./fences.ts";
import { foldBatches } from "./fold.ts";
import { measureOldRows, type SliceLimits, writeMeasured } from "./measuring-again.ts";
import { findOwnerToRollUp, rollUpHours } from "./roll-up.ts";

/** What fits into a kind's `cpuMs` twice. */
export interface StatisticsLimits extends SliceLimits {
  readonly rowsFolded: number;
  readonly hoursRolledUp: number;
  readonly fencesPruned: number;
}

const usualLimits: StatisticsLimits = {
  rowsFolded: 4_000,
  hoursRolledUp: 4_000,
  fencesPruned: 10_000,
  rowsMax: 500,
  charactersMax: 500_000,
};

export function createStatisticsTasks(
  { sql }: Pick<Deps, "sql">,
  limits: StatisticsLimits = usualLimits,
): Task[] {
  return [
    defineTask(foldStatistics, (_, context) => foldEveryone(sql, limits, context)),
    defineTask(rollUpStatistics, (_, context) => rollUpEveryone(sql, limits, context)),
    defineTask(measureAgain, (_, context) => measureEveryone(sql, limits, context)),
  ];
}

const FoldCursor = z.object({ batches: z.int(), rows: z.int() });

/** An owner whose settings another holds is folded by that one, or the next time. */
async function foldEveryone(
  sql: Sql,
  { rowsFolded }: StatisticsLimits,
  { cursor, signal, checkpoint }: TaskContext,
): Promise<FoldOutcome> {
  let { batches, rows } = FoldCursor.safeParse(cursor).data ?? { batches: 0, rows: 0 };
  const held: (string | null)[] = [];
  while (!signal.aborted) {
    const next = await findPendingOwner(sql, held);
    if (!next) break;
    const folded = await foldBatches(sql, next.ownerId, { rowsMax: rowsFolded });
    if (folded.batches === 0) held.push(next.ownerId);
    else {
      batches += folded.batches;
      rows += folded.rows;
      await checkpoint({ batches, rows });
    }
  }
  return { batches, rows };
}

function findPendingOwner(
  sql: Sql,
  except: readonly (string | null)[],
): Promise<{ ownerId: string | null } | undefined> {
  return transactAs(sql, serviceCaller, async (transaction) => {
    const named = except.filter((id) => id !== null);
    const [found] = await transaction<{ ownerId: string | null }[]>`
      select owner_id
      from parlance.interaction_batches
      where folded_at is null
        and ${except.includes(null) ? transaction`owner_id is not null` : transaction`true`}
        and (owner_id is null or owner_id <> all (${named}::uuid[]))
      order by owner_id, id
      limit 1
    `;
    return found;
  });
}

const RollUpCursor = z.object({ hours: z.int(), fencesPruned: z.int().default(0) });

async function rollUpEveryone(
  sql: Sql,
  limits: StatisticsLimits,
  { cursor, signal, checkpoint }: TaskContext,
): Promise<RollUpOutcome> {
  let { hours, fencesPruned } = RollUpCursor.safeParse(cursor).data ?? { hours: 0, fencesPruned: 0 };
  while (!signal.aborted) {
    const next = await findOwnerToRollUp(sql);
    const rolledUp = next ? await rollUpHours(sql, next.ownerId, { hoursMax: limits.hoursRolledUp }) : 0;
    if (rolledUp === 0) break;
    hours += rolledUp;
    await checkpoint({ hours, fencesPruned });
  }
  while (!signal.aborted) {
    const pruned = await transactAs(sql, serviceCaller, (transaction) =>
      pruneFences(transaction, limits.fencesPruned),
    );
    fencesPruned += pruned;
    if (pruned < limits.fencesPruned) break;
    await checkpoint({ hours, fencesPruned });
  }
  return { hours, fencesPruned };
}

const MeasureCursor = z.object({ measured: z.int() });

async function measureEveryone(
  sql: Sql,
  limits: StatisticsLimits,
  { cursor, signal, checkpoint }: TaskContext,
): Promise<MeasureAgainOutcome> {
  let { measured } = MeasureCursor.safeParse(cursor).data ?? { measured: 0 };
  while (!signal.aborted) {
    const rows = await measureOldRows(sql, limits);
    if (rows.length === 0) break;
    let written = 0;
    await checkpoint({ measured: measured + rows.length }, async (transaction) => {
      written = await writeMeasured(transaction, rows);
    });
    // What neither could be written nor is gone would be read again for ever.
    if (written === 0) break;
    measured += rows.length;
  }
  return { measured };
}
