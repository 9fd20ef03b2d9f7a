/** Interactions that are removed, slice by slice: each slice and the place where the next begins are one transaction. */
import type { Sql } from "postgres";
import { z } from "zod";
import { serviceCaller, transactAs } from "../../../shared/callers.ts";
import {
  type DeleteInteractionsPayload,
  deleteInteractions,
  type RemovalOutcome,
  removeExpired,
  type SweepOutcome,
} from "../../../shared/interactions/log-kinds.ts";
import { defineTask, type Task, type TaskContext } from "../../../shared/jobs/kinds.ts";
import type { Deps } from "../../deps.ts";
import { toFilters } from "./deletions.ts";
import { findKeys } from "./finding.ts";
import { type GroupLimits, listCrowdedOwners, removeSpareGroups, usualGroupLimits } from "./group-removal.ts";
import { listExpired, listKeepers } from "./retention-store.ts";
import { deleteRows } from "./row-store.ts";

export interface RemovalLimits {
  readonly sliceRows: number;
  /** Of one run of the sweep. */
  readonly runRows: number;
  /** Of one owner, before the next one's turn comes; default 20,000. */
  readonly turnRows?: number;
  readonly groups?: GroupLimits;
}

const usualTurnRows = 20_000;
const usualLimits: RemovalLimits = { sliceRows: 500, runRows: 200_000 };

export function createRemovalTasks(
  { sql, now }: Pick<Deps, "sql" | "now">,
  limits: RemovalLimits = usualLimits,
): Task[] {
  return [
    defineTask(deleteInteractions, (payload, context) => deleteWanted(sql, payload, { context, limits })),
    defineTask(removeExpired, (_, context) => sweepExpired(sql, now(), { context, limits })),
  ];
}

interface Run {
  readonly context: TaskContext;
  readonly limits: RemovalLimits;
}

const DeletionCursor = z.object({
  after: z.object({ occurredAt: z.string(), id: z.uuid() }).optional(),
  rowsRemoved: z.int(),
});

async function deleteWanted(
  sql: Sql,
  payload: DeleteInteractionsPayload,
  { context, limits }: Run,
): Promise<RemovalOutcome> {
  const filters = toFilters(payload);
  let { after, rowsRemoved } = DeletionCursor.safeParse(context.cursor).data ?? { rowsRemoved: 0 };
  while (!context.signal.aborted) {
    const place = after;
    const { keys, stop } = await transactAs(sql, serviceCaller, (transaction) =>
      findKeys(transaction, { filters, order: "occurredAt", after: place, found: limits.sliceRows }),
    );
    const next = { after: stop ?? undefined, rowsRemoved: rowsRemoved + keys.length };
    await context.checkpoint(next, async (transaction) => {
      await deleteRows(
        transaction,
        keys.map(({ id }) => id),
      );
    });
    rowsRemoved = next.rowsRemoved;
    after = next.after;
    context.reportProgress(rowsRemoved, rowsRemoved, `${rowsRemoved} removed`);
    if (after === undefined) break;
  }
  return { rowsRemoved };
}

const SweepCursor = z.object({
  /** Owners up to this one, by the id of their settings, had their turn in this round. */
  afterId: z.uuid().optional(),
  /** Of the owner whose turn it is. */
  turnRowsRemoved: z.int().default(0),
  /** Whether somebody's turn ended before all was removed: then there is another round. */
  isMoreLeft: z.boolean().default(false),
  rowsRemoved: z.int().default(0),
  groupsRemoved: z.int().default(0),
});
type SweepCursor = z.infer<typeof SweepCursor>;

async function sweepExpired(sql: Sql, now: Date, run: Run): Promise<SweepOutcome> {
  const begin = SweepCursor.safeParse(run.context.cursor).data ?? SweepCursor.parse({});
  const rowsDone = await sweepRows(sql, now, run, begin);
  const { rowsRemoved, groupsRemoved } = await sweepGroups(sql, now, run, rowsDone);
  return { rowsRemoved, groupsRemoved };
}

/** Everyone has a turn before anyone has a second one: whoever has much to remove holds up nobody. */
async function sweepRows(sql: Sql, now: Date, { context, limits }: Run, begin: SweepCursor) {
  let cursor = begin;
  while (!context.signal.aborted && cursor.rowsRemoved < limits.runRows) {
    const { afterId, isMoreLeft } = cursor;
    const { keeper, ids } = await transactAs(sql, serviceCaller, async (transaction) => {
      const [keeper] = await listKeepers(transaction, afterId, 1);
      return {
        keeper,
        ids: keeper ? await listExpired(transaction, keeper, { now, rowsMax: limits.sliceRows }) : [],
      };
    });
    if (keeper) {
      cursor = goOn(cursor, keeper.id, { rowsRemoved: ids.length, limits });
      await context.checkpoint(cursor, async (transaction) => {
        await deleteRows(transaction, ids);
      });
    } else if (isMoreLeft) {
      cursor = { ...cursor, afterId: undefined, isMoreLeft: false };
    } else break;
  }
  return cursor;
}

/** What comes after a slice of the owner whose turn it is. */
function goOn(
  cursor: SweepCursor,
  keeperId: string,
  { rowsRemoved, limits }: { readonly rowsRemoved: number; readonly limits: RemovalLimits },
): SweepCursor {
  const { turnRows = usualTurnRows, sliceRows } = limits;
  const turnRowsRemoved = cursor.turnRowsRemoved + rowsRemoved;
  const next = { ...cursor, turnRowsRemoved, rowsRemoved: cursor.rowsRemoved + rowsRemoved };
  const isOwnerDone = rowsRemoved < sliceRows;
  if (!isOwnerDone && turnRowsRemoved < turnRows) return next;
  return { ...next, afterId: keeperId, turnRowsRemoved: 0, isMoreLeft: cursor.isMoreLeft || !isOwnerDone };
}

async function sweepGroups(sql: Sql, now: Date, { context, limits }: Run, begin: SweepCursor) {
  let cursor = begin;
  const groups = limits.groups ?? usualGroupLimits;
  const crowded = await transactAs(sql, serviceCaller, (transaction) =>
    listCrowdedOwners(transaction, groups),
  );
  for (const ownerId of crowded) {
    let removed = { groups: 0, hours: 0 };
    do {
      if (context.signal.aborted) break;
      await context.checkpoint(cursor, async (transaction) => {
        removed = await removeSpareGroups(transaction, ownerId, { ...groups, now });
      });
      cursor = { ...cursor, groupsRemoved: cursor.groupsRemoved + removed.groups };
    } while (removed.groups + removed.hours > 0);
  }
  return cursor;
}
