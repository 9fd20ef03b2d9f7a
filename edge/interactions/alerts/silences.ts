/** What can be done with silences. Who sees one may end it: its owner, and admins; for all others it is not there. */
import type { TransactionSql } from "postgres";
import { becomeCaller, type Caller, serviceCaller, transactAs } from "../../../shared/callers.ts";
import { violatedConstraint } from "../../../shared/database.ts";
import { AppError } from "../../../shared/errors.ts";
import {
  type AlertSilence,
  findSilenceTimes,
  type NewSilence,
} from "../../../shared/interactions/silences.ts";
import type { Deps } from "../../deps.ts";
import {
  endSilence,
  findSilence,
  insertSilence,
  listSilences,
  type SilencesWanted,
} from "./silence-store.ts";

type Database = Pick<Deps, "sql" | "now">;

export function showSilences(
  { sql }: Database,
  caller: Caller,
  { ownerId, ...wanted }: SilencesWanted & { readonly ownerId: string | null },
): Promise<AlertSilence[]> {
  return transactAs(sql, caller, (transaction) => listSilences(transaction, ownerId, wanted));
}

export async function addSilence(
  { sql, now }: Database,
  { id, ownerId, ...asked }: NewSilence & { readonly id: string; readonly ownerId: string | null },
): Promise<AlertSilence> {
  const times = findSilenceTimes(asked, now());
  if (!times) {
    throw invalid("endsAt", "must be later than startsAt and than now, and within 366 days of startsAt");
  }
  try {
    return await transactAs(sql, serviceCaller, async (transaction) => {
      await insertSilence(transaction, { ...asked, ...times, id, ownerId });
      return getSilence(transaction, id);
    });
  } catch (error) {
    const constraint = violatedConstraint(error);
    // A rule of others is as one that is not there.
    if (constraint === "rule_is_of_the_owner") throw invalid("ruleId", "must be a rule of yours", error);
    if (constraint !== "silences_are_at_most_200") throw error;
    throw new AppError("quota_exceeded", "There are 200 silences that are not over, which is the most.", {
      cause: error,
    });
  }
}

function invalid(field: string, message: string, cause?: unknown): AppError {
  const fields = [{ field: `body.${field}`, message }];
  return new AppError("invalid_request", "The request is not valid; see `errors`.", { fields, cause });
}

export function removeSilence({ sql }: Database, caller: Caller, id: string): Promise<void> {
  return transactAs(sql, caller, async (transaction) => {
    await getSilence(transaction, id);
    await becomeCaller(transaction, serviceCaller);
    await endSilence(transaction, id);
  });
}

/** What the caller may not see is not there. */
async function getSilence(transaction: TransactionSql, id: string): Promise<AlertSilence> {
  const silence = await findSilence(transaction, id);
  if (!silence) throw new AppError("not_found", "There is no such silence.");
  return silence;
}
