/** No interaction within a window, though there were some before. */
import type { TransactionSql } from "postgres";
import type { Firing } from "../../../shared/interactions/alerts.ts";
import { fingerprintOf, groupKeyOf } from "../../../shared/interactions/judging.ts";
import {
  forgottenAfterDays,
  judgeMissing,
  type MissingRule,
} from "../../../shared/interactions/window-judging.ts";
import { raiseAlerts } from "../log-store.ts";
import { resolveAlerts } from "./alert-store.ts";
import { before, budgetRows, type Key, listKeys } from "./rule-keys.ts";
import { holdUnresolved } from "./watch-store.ts";
import { hasImports, keepSightings, listLastTimes } from "./window-store.ts";

/** Answers how many alerts it ended: what is there again is over at once. */
export async function judgeMissingRule(
  transaction: TransactionSql,
  rule: MissingRule,
  now: string,
): Promise<{ resolved: number }> {
  const keys = await listKeys(transaction, rule);
  const judged = (await findLastTimes(transaction, rule, { keys, now })).map(({ lastAt, ...key }) => ({
    ...key,
    lastAt,
    fingerprint: fingerprintOf(rule, key.group),
    firing: judgeMissing(rule, { group: key.group, judgedAt: now }, lastAt),
  }));
  // All of them at once: taken as they are raised and then as they end, they would be taken in no order.
  const unresolved = await holdUnresolved(
    transaction,
    rule.id,
    judged.map(({ fingerprint }) => fingerprint),
  );
  await raiseAlerts(
    transaction,
    judged.flatMap(({ firing }): Firing[] => (firing ? [firing] : [])),
  );
  const end = (ended: typeof judged, resolution: "quiet" | "forgotten") =>
    resolveAlerts(
      transaction,
      ended.flatMap(({ fingerprint }) => unresolved.get(fingerprint) ?? []),
      { resolution, userId: null },
    );
  const ended = judged.filter(({ firing }) => !firing);
  const returned = ended.filter(({ lastAt }) => lastAt !== null);
  const forgotten = ended.filter(({ lastAt }) => lastAt === null);
  return { resolved: (await end(returned, "quiet")) + (await end(forgotten, "forgotten")) };
}

/**
 * When each key last had an interaction, as far back as is remembered. Where rows are chosen among others, the newest of each
 * group are looked at, and what was seen a minute ago is remembered: the last one may lie behind many.
 */
async function findLastTimes(
  transaction: TransactionSql,
  rule: MissingRule,
  { keys, now }: { readonly keys: readonly Key[]; readonly now: string },
): Promise<(Key & { lastAt: string | null })[]> {
  const { tags } = rule;
  const from = before(now, rule.condition.windowMinutes + forgottenAfterDays * 24 * 60);
  const groupIds = keys.flatMap((key) => key.groupIds);
  const imports = await hasImports(transaction, rule.ownerId);
  const times = await listLastTimes(transaction, groupIds, {
    window: { from, to: now },
    filter: { tags, hasImports: imports },
    lookedMax: Math.ceil(budgetRows / Math.max(1, groupIds.length)),
  });
  const byGroup = new Map(times.map(({ groupId, lastAt }) => [groupId, lastAt]));
  const found = keys.map((key) => ({ ...key, lastAt: findLast(byGroup, key.groupIds) }));
  if (tags === null && !imports) return found;
  const of = [tags, rule.apps, rule.environments, rule.models];
  const seen = found.map(({ group, lastAt }) => ({
    key: JSON.stringify([of, groupKeyOf(rule, group)]),
    lastAt,
  }));
  const kept = await keepSightings(transaction, rule.id, { seen, from });
  return found.map((key, index) => ({ ...key, lastAt: kept.get(seen[index]?.key ?? "") ?? null }));
}

/** Times are of one length, so texts sort as they do. */
function findLast(lastTimes: ReadonlyMap<number, string>, groupIds: readonly number[]): string | null {
  let last: string | null = null;
  for (const id of groupIds) {
    const time = lastTimes.get(id);
    if (time !== undefined && (last === null || time > last)) last = time;
  }
  return last;
}
