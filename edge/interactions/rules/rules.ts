/** What can be done with rules. Who sees one may change it: its owner, and admins; for all others it is not there. */
import type { TransactionSql } from "postgres";
import { becomeCaller, type Caller, serviceCaller, transactAs } from "../../../shared/callers.ts";
import { violatedConstraint } from "../../../shared/database.ts";
import { AppError } from "../../../shared/errors.ts";
import { findRuleFaults, judgesOtherwise } from "../../../shared/interactions/rule-checks.ts";
import { type Rule, type RuleChange, RuleFields, rulesMax } from "../../../shared/interactions/rules.ts";
import type { Deps } from "../../deps.ts";
import { ensureSettings } from "../settings-store.ts";
import {
  deleteRule,
  findRule,
  insertRule,
  listRules,
  lockRule,
  resolveAlertsOfRule,
  updateRule,
} from "./rule-store.ts";

type Database = Pick<Deps, "sql">;

/** The first look makes those that an account begins with. */
export async function showRules({ sql }: Database, caller: Caller, ownerId: string | null): Promise<Rule[]> {
  await beginAccount({ sql }, ownerId);
  return transactAs(sql, caller, (transaction) => listRules(transaction, ownerId));
}

export function showRule({ sql }: Database, caller: Caller, id: string): Promise<Rule> {
  return transactAs(sql, caller, (transaction) => getRule(transaction, id));
}

export async function addRule(
  { sql }: Database,
  rule: RuleFields & { id: string; ownerId: string | null },
): Promise<Rule> {
  refuseFaults(rule, "body");
  // Else the name of a rule that an account begins with could be taken, and that rule not be made.
  await beginAccount({ sql }, rule.ownerId);
  return explainRefusal(rule.name, () =>
    transactAs(sql, serviceCaller, async (transaction) => {
      await insertRule(transaction, rule);
      return getRule(transaction, rule.id);
    }),
  );
}

export function changeRule({ sql }: Database, caller: Caller, id: string, change: RuleChange): Promise<Rule> {
  return explainRefusal(change.name ?? "", () =>
    transactAs(sql, caller, async (transaction) => {
      await getRule(transaction, id);
      await becomeCaller(transaction, serviceCaller);
      const known = await holdRule(transaction, id);
      const before = RuleFields.parse(known);
      const rule = { ...before, ...withoutGaps(change) };
      refuseFaults(rule, "body");
      const judgesAsBefore = !judgesOtherwise(before, rule);
      if (!judgesAsBefore || !rule.isEnabled) await resolveAlertsOfRule(transaction, id);
      await updateRule(transaction, id, { ...rule, judgesAsBefore });
      return getRule(transaction, id);
    }),
  );
}

export function removeRule({ sql }: Database, caller: Caller, id: string): Promise<void> {
  return transactAs(sql, caller, async (transaction) => {
    await getRule(transaction, id);
    await becomeCaller(transaction, serviceCaller);
    await holdRule(transaction, id);
    await resolveAlertsOfRule(transaction, id);
    await deleteRule(transaction, id);
  });
}

/** What the caller may not see is not there. */
export async function getRule(transaction: TransactionSql, id: string): Promise<Rule> {
  return orNotFound(await findRule(transaction, id));
}

/** It may have been deleted since it was seen. */
async function holdRule(transaction: TransactionSql, id: string): Promise<Rule> {
  return orNotFound(await lockRule(transaction, id));
}

function orNotFound(rule: Rule | undefined): Rule {
  if (!rule) throw new AppError("not_found", "There is no such rule.");
  return rule;
}

export function refuseFaults(rule: RuleFields, at: string): void {
  const fields = findRuleFaults(rule, at);
  if (fields.length === 0) return;
  throw new AppError("invalid_request", "The request is not valid; see `errors`.", { fields });
}

function beginAccount({ sql }: Database, ownerId: string | null): Promise<unknown> {
  return transactAs(sql, serviceCaller, (transaction) => ensureSettings(transaction, ownerId));
}

/** What is not named is left out rather than undefined. */
function withoutGaps(change: RuleChange): Partial<RuleFields> {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
}

async function explainRefusal<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const constraint = violatedConstraint(error);
    if (constraint === "names_are_told_apart") {
      throw new AppError("name_taken", `There is a rule of the name "${name}" already.`, { cause: error });
    }
    if (constraint === "rules_are_at_most_200") {
      throw new AppError("quota_exceeded", `There are ${rulesMax} rules already, which is the most.`, {
        cause: error,
      });
    }
    throw error;
  }
}
