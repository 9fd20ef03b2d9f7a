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
  readonly groups?: GroupLimits;
}

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
  /** Owners up to this one, by the id of their settings, are done. */
  afterId: z.uuid().optional(),
  rowsRemoved: z.int(),
  groupsRemoved: z.int().default(0),
});

async function sweepExpired(sql: Sql, now: Date, { context, limits }: Run): Promise<SweepOutcome> {
  const cursor = SweepCursor.safeParse(context.cursor).data;
  let { afterId, rowsRemoved, groupsRemoved } = cursor ?? { rowsRemoved: 0, groupsRemoved: 0 };
  while (!context.signal.aborted && rowsRemoved < limits.runRows) {
    const place = afterId;
    const { keeper, ids } = await transactAs(sql, serviceCaller, async (transaction) => {
      const [keeper] = await listKeepers(transaction, place, 1);
      return {
        keeper,
        ids: keeper ? await listExpired(transaction, keeper, { now, rowsMax: limits.sliceRows }) : [],
      };
    });
    if (!keeper) break;
    const next = {
      afterId: ids.length < limits.sliceRows ? keeper.id : afterId,
      rowsRemoved: rowsRemoved + ids.length,
      groupsRemoved,
    };
    await context.checkpoint(next, async (transaction) => {
      await deleteRows(transaction, ids);
    });
    ({ afterId, rowsRemoved } = next);
  }
  const groups = limits.groups ?? usualGroupLimits;
  const crowded = await transactAs(sql, serviceCaller, (transaction) =>
    listCrowdedOwners(transaction, groups),
  );
  for (const ownerId of crowded) {
    let removed = { groups: 0, hours: 0 };
    do {
      if (context.signal.aborted) break;
      await context.checkpoint({ afterId, rowsRemoved, groupsRemoved }, async (transaction) => {
        removed = await removeSpareGroups(transaction, ownerId, { ...groups, now });
      });
      groupsRemoved += removed.groups;
    } while (removed.groups + removed.hours > 0);
  }
  return { rowsRemoved, groupsRemoved };
}
