/** Many interactions removed at once, by a job. */
import type { TransactionSql } from "postgres";
import { type Caller, serviceCaller, transactAs } from "../../../shared/callers.ts";
import { AppError } from "../../../shared/errors.ts";
import type { NewDeletion } from "../../../shared/interactions/listing.ts";
import {
  type DeleteInteractionsPayload,
  deleteInteractions,
} from "../../../shared/interactions/log-kinds.ts";
import { addJob } from "../../../shared/jobs/queue.ts";
import type { Deps } from "../../deps.ts";
import { chooseOwner, type Scope } from "../owners.ts";
import type { LogFilters } from "./conditions.ts";
import { toUtc } from "./keys.ts";

/** Answers the id of the job. */
export function startDeletion(
  { sql }: Pick<Deps, "sql">,
  caller: Caller,
  { scope, wish, id }: { readonly scope: Scope; readonly wish: NewDeletion; readonly id: string | undefined },
): Promise<string> {
  const ownerId = chooseOwner(caller, scope);
  return transactAs(sql, serviceCaller, async (transaction) => {
    const payload = { ownerId, createdBefore: await readClock(transaction), wish };
    return addJob(transaction, deleteInteractions, { payload, ownerId, ...(id ? { id } : {}) });
  });
}

/** The clock that says when rows came into the log. */
async function readClock(transaction: TransactionSql): Promise<string> {
  const [clock] = await transaction<{ now: string }[]>`select clock_timestamp() as now`;
  if (!clock) throw new AppError("unexpected", "The database did not say what time it is.");
  return clock.now;
}

export function toFilters({ ownerId, createdBefore, wish }: DeleteInteractionsPayload): LogFilters {
  const { from, to, ...labels } = wish;
  return { ...labels, from: from && toUtc(from), to: to && toUtc(to), ownerId, createdBefore };
}
