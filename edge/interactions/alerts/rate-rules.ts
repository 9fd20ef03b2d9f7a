/** Too many interactions within a window. */
import type { TransactionSql } from "postgres";
import type { Firing } from "../../../shared/interactions/alerts.ts";
import { metricNumberOf } from "../../../shared/interactions/judging.ts";
import { judgeRate, type RateRule } from "../../../shared/interactions/window-judging.ts";
import { raiseAlerts } from "../log-store.ts";
import { before, budgetRows, type Key, listKeys } from "./rule-keys.ts";
import {
  countInteractions,
  type GroupCount,
  hasImports,
  insertFirings,
  listNewest,
  type RowFilter,
  type Window,
} from "./window-store.ts";

/** A rate is counted to its end up to here. */
const countedMax = 100_000;

/** Answers how many keys had more rows than were looked at: they neither fired nor were found quiet. */
export async function judgeRateRule(
  transaction: TransactionSql,
  rule: RateRule,
  now: string,
): Promise<{ undecided: number }> {
  const { moreThan, windowMinutes } = rule.condition;
  const window: Window = { from: before(now, windowMinutes), to: now };
  const filter = filterOf(rule, await hasImports(transaction, rule.ownerId));
  // A metric that is not known has no values.
  if (!filter) return { undecided: 0 };
  const keys = await listKeys(transaction, rule);
  const groupIds = keys.flatMap((key) => key.groupIds);
  const lookedMax = Math.max(moreThan + 1, Math.floor(budgetRows / Math.max(1, groupIds.length)));
  const counts = await countInteractions(transaction, groupIds, {
    window,
    filter,
    lookedMax,
    countMax: moreThan + 1,
  });
  const byGroup = byGroupId(counts);
  const many = keys.map((key) => ({ ...key, ...sumCounts(byGroup, key.groupIds) }));
  const fired: FiredRate[] = [];
  for (const key of many.filter(({ count }) => count > moreThan)) {
    fired.push(...(await judgeKey(transaction, rule, { ...key, window, filter })));
  }
  await raiseRates(transaction, fired, metricNumberOf(rule));
  return { undecided: many.filter(({ count, isWhole }) => count <= moreThan && !isWhole).length };
}

/** Undefined where the rule asks for a metric that there is not. */
function filterOf(rule: RateRule, imports: boolean): RowFilter | undefined {
  const { above, below } = rule.condition;
  const metricNumber = metricNumberOf(rule);
  if (metricNumber === undefined && (above !== undefined || below !== undefined)) return undefined;
  return { hasImports: imports, tags: rule.tags, above, below, metricNumber };
}

const byGroupId = (counts: readonly GroupCount[]) => new Map(counts.map((count) => [count.groupId, count]));

type GroupsCounted = Pick<GroupCount, "count" | "isWhole">;

function sumCounts(byGroup: ReadonlyMap<number, GroupCount>, groupIds: readonly number[]): GroupsCounted {
  const counts = groupIds.flatMap((id) => byGroup.get(id) ?? []);
  return {
    count: counts.reduce((sum, { count }) => sum + count, 0),
    isWhole: counts.every(({ isWhole }) => isWhole),
  };
}

interface RateToJudge extends Key, GroupsCounted {
  readonly window: Window;
  readonly filter: RowFilter;
}

interface FiredRate {
  readonly firing: Firing;
  readonly newestIds: readonly string[];
  readonly count: number;
}

async function judgeKey(
  transaction: TransactionSql,
  rule: RateRule,
  { group, groupIds, window, filter, count, isWhole }: RateToJudge,
): Promise<FiredRate[]> {
  const lookedMax = Math.max(rule.condition.moreThan + 1, Math.floor(budgetRows / groupIds.length));
  const countMax = Math.max(rule.condition.moreThan + 1, countedMax);
  const counted = isWhole
    ? { count, isWhole }
    : sumCounts(
        byGroupId(await countInteractions(transaction, groupIds, { window, filter, lookedMax, countMax })),
        groupIds,
      );
  const newestIds = await listNewest(transaction, groupIds, { window, filter, lookedMax, limit: 20 });
  const firing = judgeRate(rule, { group, judgedAt: window.to }, { ...counted, newestIds });
  return firing ? [{ firing, newestIds, count: counted.count }] : [];
}

/** All at once, so that alerts and rows are taken in the order in which all take them who take several. */
async function raiseRates(
  transaction: TransactionSql,
  fired: readonly FiredRate[],
  metricNumber: number | undefined,
): Promise<void> {
  const alertIds = await raiseAlerts(
    transaction,
    fired.map(({ firing }) => firing),
  );
  const firings = fired.flatMap(({ firing, newestIds, count }) => {
    const alertId = alertIds.get(firing.fingerprint);
    return alertId === undefined
      ? []
      : newestIds.map((interactionId) => ({ alertId, interactionId, value: count }));
  });
  await insertFirings(transaction, firings, metricNumber);
}
