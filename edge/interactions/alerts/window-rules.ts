/**
 * Judges the rules of rates and of what is missing. Each is taken, judged, and its alerts are raised and ended in one
 * transaction that holds the rule: two at once judge different ones, and one that was just judged is not due.
 */
import type { TransactionSql } from "postgres";
import { serviceCaller, transactAs } from "../../../shared/callers.ts";
import type { Firing } from "../../../shared/interactions/alerts.ts";
import {
  fingerprintOf,
  type GroupLabels,
  groupKeyOf,
  metricNumberOf,
  watchesGroup,
} from "../../../shared/interactions/judging.ts";
import type { Rule } from "../../../shared/interactions/rules.ts";
import {
  forgottenAfterDays,
  isMissingRule,
  isRateRule,
  judgeMissing,
  judgeRate,
  type MissingRule,
  type RateRule,
} from "../../../shared/interactions/window-judging.ts";
import type { Deps } from "../../deps.ts";
import { raiseAlerts } from "../log-store.ts";
import { resolveAlerts } from "./alert-store.ts";
import { endJudging, listUnresolved, postponeJudging, takeDueRule } from "./watch-store.ts";
import {
  countInteractions,
  type GroupCount,
  insertFirings,
  listGroups,
  listLastTimes,
  listNewest,
  type RowFilter,
  type Window,
} from "./window-store.ts";

/** Rows of all groups together that one judgement looks at, unless the rule counts more than that. */
const budgetRows = 500_000;
/** A rate is counted to its end up to here. */
const countedMax = 100_000;
/** Rows of a group that may stand before the newest one that matches. */
const lookedForLast = 10_000;

export interface RuleJudged {
  readonly ruleId: string;
  /** What went wrong; undefined where it was judged. */
  readonly trouble?: unknown;
  readonly resolved: number;
  /** Groups that had more rows than were looked at: they neither fired nor were found quiet. */
  readonly undecided: number;
}

/** Judges the rule that is due the longest; undefined where none is. */
export async function judgeNextRule({ sql }: Pick<Deps, "sql">): Promise<RuleJudged | undefined> {
  let rule: Rule | undefined;
  try {
    return await transactAs(sql, serviceCaller, async (transaction) => {
      const taken = await takeDueRule(transaction);
      if (!taken) return undefined;
      rule = taken.rule;
      const judged = await judgeRule(transaction, taken.rule, taken.now);
      await endJudging(transaction, taken.rule.id, taken.now);
      return { ruleId: taken.rule.id, resolved: 0, undecided: 0, ...judged };
    });
  } catch (trouble) {
    if (!rule) throw trouble;
    await postponeJudging(sql, rule.id);
    return { ruleId: rule.id, trouble, resolved: 0, undecided: 0 };
  }
}

function judgeRule(transaction: TransactionSql, rule: Rule, now: string): Promise<Partial<RuleJudged>> {
  if (isRateRule(rule)) return judgeRateRule(transaction, rule, now);
  if (isMissingRule(rule)) return judgeMissingRule(transaction, rule, now);
  return Promise.resolve({});
}

/** What the rule judges together. */
interface Key {
  readonly group: GroupLabels;
  readonly groupIds: number[];
}

async function listKeys(transaction: TransactionSql, rule: Rule): Promise<Key[]> {
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

const before = (now: string, minutes: number) => new Date(Date.parse(now) - minutes * 60_000).toISOString();

async function judgeRateRule(
  transaction: TransactionSql,
  rule: RateRule,
  now: string,
): Promise<Partial<RuleJudged>> {
  const { moreThan, windowMinutes } = rule.condition;
  const window: Window = { from: before(now, windowMinutes), to: now };
  const filter = filterOf(rule);
  // A metric that is not known has no values.
  if (!filter) return {};
  const keys = await listKeys(transaction, rule);
  const groupIds = keys.flatMap((key) => key.groupIds);
  const lookedMax = Math.max(moreThan + 1, Math.floor(budgetRows / Math.max(1, groupIds.length)));
  const counts = await countInteractions(transaction, groupIds, {
    window,
    filter,
    lookedMax,
    countMax: moreThan + 1,
  });
  const byGroup = new Map(counts.map((count) => [count.groupId, count]));
  const many = keys.map((key) => ({ ...key, ...sumCounts(byGroup, key.groupIds) }));
  for (const key of many.filter(({ count }) => count > moreThan)) {
    await raiseRate(transaction, rule, { ...key, window, filter });
  }
  return { undecided: many.filter(({ count, isWhole }) => count <= moreThan && !isWhole).length };
}

/** Undefined where the rule asks for a metric that there is not. */
function filterOf(rule: Rule): RowFilter | undefined {
  const { tags, condition } = rule;
  const { above, below } = condition.type === "rate" ? condition : {};
  if (above === undefined && below === undefined) return { tags, metricNumber: metricNumberOf(rule) };
  const metricNumber = metricNumberOf(rule);
  return metricNumber === undefined ? undefined : { tags, above, below, metricNumber };
}

function sumCounts(
  byGroup: ReadonlyMap<number, GroupCount>,
  groupIds: readonly number[],
): { count: number; isWhole: boolean } {
  const counts = groupIds.flatMap((id) => byGroup.get(id) ?? []);
  return {
    count: counts.reduce((sum, { count }) => sum + count, 0),
    isWhole: counts.every(({ isWhole }) => isWhole),
  };
}

interface RateToRaise extends Key {
  readonly window: Window;
  readonly filter: RowFilter;
}

async function raiseRate(
  transaction: TransactionSql,
  rule: RateRule,
  { group, groupIds, window, filter }: RateToRaise,
): Promise<void> {
  const lookedMax = Math.max(rule.condition.moreThan + 1, Math.floor(budgetRows / groupIds.length));
  const countMax = Math.max(rule.condition.moreThan + 1, countedMax);
  const counts = await countInteractions(transaction, groupIds, { window, filter, lookedMax, countMax });
  const counted = sumCounts(new Map(counts.map((count) => [count.groupId, count])), groupIds);
  const newestIds = await listNewest(transaction, groupIds, { window, filter, lookedMax, limit: 20 });
  const firing = judgeRate(rule, { group, judgedAt: window.to }, { ...counted, newestIds });
  if (!firing) return;
  const alertId = (await raiseAlerts(transaction, [firing])).get(firing.fingerprint);
  if (alertId === undefined) return;
  const { metricNumber } = filter;
  await insertFirings(transaction, {
    alertId,
    interactionIds: newestIds,
    metricNumber,
    value: counted.count,
  });
}

async function judgeMissingRule(
  transaction: TransactionSql,
  rule: MissingRule,
  now: string,
): Promise<Partial<RuleJudged>> {
  const { windowMinutes } = rule.condition;
  const keys = await listKeys(transaction, rule);
  const times = await listLastTimes(
    transaction,
    keys.flatMap((key) => key.groupIds),
    {
      window: { from: before(now, windowMinutes + forgottenAfterDays * 24 * 60), to: now },
      filter: { tags: rule.tags },
      lookedMax: lookedForLast,
    },
  );
  const lastTimes = new Map(times.map(({ groupId, lastAt }) => [groupId, lastAt]));
  const judged = keys.map((key) => {
    const lastAt = findLast(lastTimes, key.groupIds);
    return { ...key, lastAt, firing: judgeMissing(rule, { group: key.group, judgedAt: now }, lastAt) };
  });
  await raiseAlerts(
    transaction,
    judged.flatMap(({ firing }): Firing[] => (firing ? [firing] : [])),
  );
  const ended = judged.filter(({ firing }) => !firing);
  const end = async (groups: readonly Key[], resolution: "quiet" | "forgotten") => {
    const fingerprints = groups.map(({ group }) => fingerprintOf(rule, group));
    const ids = await listUnresolved(transaction, rule.id, fingerprints);
    return resolveAlerts(transaction, ids, { resolution, userId: null });
  };
  const returned = await end(
    ended.filter(({ lastAt }) => lastAt !== null),
    "quiet",
  );
  const forgotten = await end(
    ended.filter(({ lastAt }) => lastAt === null),
    "forgotten",
  );
  return { resolved: returned + forgotten };
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
