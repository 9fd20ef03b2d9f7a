/** What a rule judges apart, and how far back it looks. */
import type { TransactionSql } from "postgres";
import { type GroupLabels, groupKeyOf, watchesGroup } from "../../../shared/interactions/judging.ts";
import type { Rule } from "../../../shared/interactions/rules.ts";
import { listGroups } from "./window-store.ts";

/** Rows of all groups together that one judgement looks at, unless the rule counts more than that. */
export const budgetRows = 200_000;

/** What the rule judges together. */
export interface Key {
  readonly group: GroupLabels;
  readonly groupIds: number[];
}

export async function listKeys(transaction: TransactionSql, rule: Rule): Promise<Key[]> {
  const keys = new Map<string, Key>();
  for (const { id, ...group } of await listGroups(transaction, rule.ownerId)) {
    if (!watchesGroup(rule, group)) continue;
    const text = groupKeyOf(rule, group);
    const known = keys.get(text);
    if (known) known.groupIds.push(id);
    else keys.set(text, { group, groupIds: [id] });
  }
  return [...keys.values()];
}

export const before = (now: string, minutes: number) =>
  new Date(Date.parse(now) - minutes * 60_000).toISOString();
