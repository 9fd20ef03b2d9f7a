/**
 * What outlier rules hold rows against, worked out of the statistics by hour.
 *
 *   history of a row = what was folded of its rule's groups, of the `historyDays` before its hour and of that hour so far
 *
 * Nothing that happened in a later hour counts, however late a row comes. Where hours became days, days that were over count, and
 * its own day only where they are too little. Batches that are not folded yet do not count, the row's own among them. A rule's
 * `tags` choose which rows are judged; its history is that of its groups with any tags.
 *
 * Bounds that rest on much history are kept for five minutes, in which they hardly move. Those that rest on little are worked out
 * each time: each value moves them, and there is little to read.
 */
import type { Sql, TransactionSql } from "postgres";
import {
  type FindFences,
  type GroupLabels,
  groupKeyOf,
  type JudgedRow,
  metricNumberOf,
  watchesGroup,
  watchesRow,
} from "../../../shared/interactions/judging.ts";
import type { Fences } from "../../../shared/interactions/outliers/fences.ts";
import { hoursPerDay } from "../../../shared/interactions/outliers/history.ts";
import { isOfMoments, valuesOfSmallHistory } from "../../../shared/interactions/outliers/keeping.ts";
import type { Rule } from "../../../shared/interactions/rules.ts";
import {
  type FoundFences,
  listFences,
  listGroups,
  listHistory,
  saveFences,
  type WantedFences,
} from "./fence-store.ts";
import { standAtHours } from "./history.ts";
import { toHour } from "./spans.ts";

/** As the service role; the rules are of one owner. */
export async function findRuleFences(
  transaction: TransactionSql,
  rules: readonly Rule[],
  rows: readonly JudgedRow[],
): Promise<FindFences> {
  const wanted = listWanted(rules, rows);
  if (wanted.size === 0) return () => undefined;
  const found = new Map<string, Fences | undefined>();
  for (const known of await listFences(transaction, [...wanted.values()]))
    found.set(nameOf(known), known.fences ?? undefined);
  const missing = [...wanted].filter(([name]) => !found.has(name)).map(([, one]) => one);
  if (missing.length > 0) {
    const made = await workOutFences(transaction, missing);
    for (const one of made) found.set(nameOf({ ...one, ruleId: one.rule.id }), one.fences);
    await saveFences(
      transaction,
      made.filter(({ values }) => values >= valuesOfSmallHistory),
    );
  }
  return (rule, row) =>
    found.get(
      nameOf({ ruleId: rule.id, groupKey: groupKeyOf(rule, row.group), hour: toHour(row.occurredAt) }),
    );
}

const nameOf = (one: { readonly ruleId: string; readonly groupKey: string; readonly hour: number }) =>
  `${one.ruleId} ${one.hour} ${one.groupKey}`;

/** By their names; of rows that have a value only. */
function listWanted(rules: readonly Rule[], rows: readonly JudgedRow[]): Map<string, WantedFences> {
  const wanted = new Map<string, WantedFences>();
  for (const rule of rules) {
    const number = rule.condition.type === "outlier" ? metricNumberOf(rule) : undefined;
    if (number === undefined) continue;
    for (const row of rows) {
      if ((row.values[number - 1] ?? null) === null || !watchesRow(rule, row)) continue;
      const one = { groupKey: groupKeyOf(rule, row.group), hour: toHour(row.occurredAt) };
      const name = nameOf({ ...one, ruleId: rule.id });
      if (!wanted.has(name)) wanted.set(name, { rule, ...one });
    }
  }
  return wanted;
}

/** Of the statistics as they stand; nothing is kept. Also for rules that are only tried. */
export async function workOutFences(
  transaction: TransactionSql,
  wanted: readonly WantedFences[],
): Promise<FoundFences[]> {
  const ownerId = wanted[0]?.rule.ownerId ?? null;
  const groups = await listGroups(transaction, ownerId);
  const byRule = Map.groupBy(wanted, ({ rule }) => rule);
  const found: FoundFences[] = [];
  for (const [rule, ofRule] of byRule) {
    const watched = groups.filter((group) => watchesGroup(rule, group));
    found.push(...(await workOutOne(transaction, { rule, wanted: ofRule, groups: watched })));
  }
  return found;
}

interface RuleHistory {
  readonly rule: Rule;
  readonly wanted: readonly WantedFences[];
  readonly groups: readonly (GroupLabels & { readonly id: number })[];
}

async function workOutOne(
  transaction: TransactionSql,
  { rule, wanted, groups }: RuleHistory,
): Promise<FoundFences[]> {
  const { condition } = rule;
  const metric = metricNumberOf(rule);
  if (condition.type !== "outlier" || metric === undefined) return [];
  const keys = new Set(wanted.map(({ groupKey }) => groupKey));
  const keyById = new Map(
    groups.map((group) => [group.id, groupKeyOf(rule, group)] as const).filter(([, key]) => keys.has(key)),
  );
  const hours = wanted.map(({ hour }) => hour);
  const rows = await listHistory(transaction, {
    groupIds: [...keyById.keys()],
    metric,
    fromHour: Math.min(...hours) - condition.historyDays * hoursPerDay,
    toHour: Math.max(...hours),
    withSketches: !isOfMoments(condition),
  });
  const byKey = Map.groupBy(rows, ({ groupId }) => keyById.get(groupId) ?? "");
  const found: FoundFences[] = [];
  for (const [groupKey, ofKey] of Map.groupBy(wanted, (one) => one.groupKey)) {
    const stood = standAtHours(
      byKey.get(groupKey) ?? [],
      condition,
      ofKey.map(({ hour }) => hour),
    );
    for (const one of ofKey)
      found.push({ ...one, ...(stood.get(one.hour) ?? { fences: undefined, values: 0 }) });
  }
  return found;
}

/** For a rule that judges otherwise than before. */
export async function forgetFences(sql: Sql | TransactionSql, ruleId: string): Promise<void> {
  await sql`
    delete from parlance.interaction_fences
    where rule_id = ${ruleId}
  `;
}

/** Removes what nobody will look at again, and answers how many that were; as the service role. */
export async function pruneFences(sql: Sql | TransactionSql, rowsMax = 10_000): Promise<number> {
  const removed = await sql`
    delete from parlance.interaction_fences
    where ctid = any (
      array(
        select ctid
        from parlance.interaction_fences
        where computed_at < clock_timestamp() - interval '1 hour'
        limit ${rowsMax}
        -- What is being worked out anew is not old.
        for update skip locked
      )
    )
  `;
  return removed.count;
}
