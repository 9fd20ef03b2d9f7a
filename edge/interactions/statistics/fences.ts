/**
 * What outlier rules hold rows against, worked out of the statistics by hour.
 *
 *   history of a row = what was folded of its rule's groups, of the `historyDays` before its hour; and where that hour is the
 *                      present one, of it so far
 *
 * Nothing that happened in a later hour counts, however late a row comes, and nothing of its own hour where that is over: what is
 * folded of it came after the row as well as before it, and may be the row itself. So rows of an import, which are folded before
 * they are judged, have no history but the hours before theirs, be it the present one. Where hours became days, only days that
 * were over count. Back-tests (`SlidingHistory`) judge rows as if each had come when it happened: of its own hour counts what was
 * before it. Else they hold them against the same.
 *
 * Batches that are not folded yet do not count. A rule's `tags` choose which rows are judged; its history is that of its groups
 * with any tags.
 *
 * Bounds that rest on much history are kept for five minutes, in which they hardly move. Those that rest on little are worked out
 * each time: each value moves them, and there is little to read.
 *
 * A request works out so many bounds, of the newest hours first, and reads so many statistics for them (`requestLimits`). A history
 * that is more than its share of them is that of its newest hours; what there is no room for has no bounds, and its rows are not
 * judged by that rule: the log says so. What was worked out is then kept whatever it rests on, so that the next request goes on.
 */
import type { Sql, TransactionSql } from "postgres";
import {
  type FindFences,
  groupKeyOf,
  type JudgedRow,
  metricNumberOf,
  watchesRow,
} from "../../../shared/interactions/judging.ts";
import type { Fences } from "../../../shared/interactions/outliers/fence-types.ts";
import { valuesOfSmallHistory } from "../../../shared/interactions/outliers/keeping.ts";
import type { Rule } from "../../../shared/interactions/rules.ts";
import { type FoundFences, listFences, saveFences, type WantedFences } from "./fence-store.ts";
import { type FenceLimits, type WorkedOut, workOutFences } from "./fence-work.ts";
import { toHour } from "./spans.ts";

/** What fits into a request beside the rest of it. */
export const requestLimits: FenceLimits = {
  lookups: 10_000,
  bounds: 200,
  statistics: 40_000,
  statisticsPerRead: 40_000,
};

export interface FindOptions {
  /** Default: those of a request. */
  readonly limits?: FenceLimits;
  /** False for hours that are hardly asked for again. */
  readonly keeps?: boolean;
  /** Hours before it are over, and do not count in their own bounds. Default: that of the clock. */
  readonly presentHour?: number;
  /** Told how many bounds there was no room for. */
  readonly onLeftOut?: (bounds: number) => void;
}

const nothing: WorkedOut = { found: [], leftOut: 0 };

/** As the service role; the rules are of one owner. */
export async function findRuleFences(
  transaction: TransactionSql,
  rules: readonly Rule[],
  rows: readonly JudgedRow[],
  { limits = requestLimits, keeps = true, presentHour = toHour(new Date()), onLeftOut }: FindOptions = {},
): Promise<FindFences> {
  const wanted = listWanted(rules, rows, presentHour);
  if (wanted.size === 0) return () => undefined;
  const newest = [...wanted].sort(([, one], [, other]) => other.hour - one.hour).slice(0, limits.lookups);
  const found = new Map<string, Fences | undefined>();
  const known = await listFences(
    transaction,
    newest.map(([, one]) => one),
  );
  for (const one of known) found.set(nameOf(one), one.fences ?? undefined);
  const missing = newest.filter(([name]) => !found.has(name)).map(([, one]) => one);
  const made = missing.length === 0 ? nothing : await workOutFences(transaction, missing, limits);
  for (const one of made.found) found.set(nameOf({ ...one, ruleId: one.rule.id }), one.fences);
  const leftOut = made.leftOut + wanted.size - newest.length;
  if (leftOut > 0) onLeftOut?.(leftOut);
  if (keeps) {
    const isKept = ({ values }: FoundFences) => leftOut > 0 || values >= valuesOfSmallHistory;
    await saveFences(transaction, made.found.filter(isKept));
  }
  const hours = new Map(rows.map((row) => [row, toHour(row.occurredAt)]));
  return (rule, row) => {
    const hour = hours.get(row) ?? toHour(row.occurredAt);
    return found.get(nameOf({ ruleId: rule.id, groupKey: groupKeyOf(rule, row.group), hour }));
  };
}

const nameOf = (one: { readonly ruleId: string; readonly groupKey: string; readonly hour: number }) =>
  `${one.ruleId} ${one.hour} ${one.groupKey}`;

/** By their names; of rows that have a value only. */
function listWanted(
  rules: readonly Rule[],
  rows: readonly JudgedRow[],
  presentHour: number,
): Map<string, WantedFences> {
  const wanted = new Map<string, WantedFences>();
  const hours = rows.map(({ occurredAt }) => toHour(occurredAt));
  for (const rule of rules) {
    const number = rule.condition.type === "outlier" ? metricNumberOf(rule) : undefined;
    if (number === undefined) continue;
    for (const [index, row] of rows.entries()) {
      if ((row.values[number - 1] ?? null) === null || !watchesRow(rule, row)) continue;
      const hour = hours[index] ?? 0;
      const one = { groupKey: groupKeyOf(rule, row.group), hour, isPresent: hour >= presentHour };
      const name = nameOf({ ...one, ruleId: rule.id });
      if (!wanted.has(name)) wanted.set(name, { rule, ...one });
    }
  }
  return wanted;
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
