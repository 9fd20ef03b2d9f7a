/** Many interactions removed at once, by a job. */
import { type Caller, serviceCaller, transactAs } from "../../../shared/callers.ts";
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
  { sql, now }: Pick<Deps, "sql" | "now">,
  caller: Caller,
  { scope, wish, id }: { readonly scope: Scope; readonly wish: NewDeletion; readonly id: string | undefined },
): Promise<string> {
  const ownerId = chooseOwner(caller, scope);
  const payload = { ownerId, createdBefore: now().toISOString(), wish };
  return transactAs(sql, serviceCaller, (transaction) =>
    addJob(transaction, deleteInteractions, { payload, ownerId, ...(id ? { id } : {}) }),
  );
}

export function toFilters({ ownerId, createdBefore, wish }: DeleteInteractionsPayload): LogFilters {
  const { from, to, ...labels } = wish;
  return { ...labels, from: from && toUtc(from), to: to && toUtc(to), ownerId, createdBefore };
}
