/** What judges the rows of a back-test, with what it needs to know of before them. */
import type { Sql } from "postgres";
import { serviceCaller, transactAs } from "../../../shared/callers.ts";
import type { Findings, Period } from "../../../shared/interactions/back-test-findings.ts";
import {
  beginWindows,
  createRowJudge,
  createWindowJudge,
  type RowJudge,
} from "../../../shared/interactions/back-test-judging.ts";
import {
  type GroupLabels,
  groupKeyOf,
  metricNumberOf,
  watchesGroup,
} from "../../../shared/interactions/judging.ts";
import { hoursPerDay } from "../../../shared/interactions/outliers/history.ts";
import { isOfMoments } from "../../../shared/interactions/outliers/keeping.ts";
import { historyBegin, SlidingHistory } from "../../../shared/interactions/outliers/rule-history.ts";
import type { OutlierCondition, Rule } from "../../../shared/interactions/rules.ts";
import { type BackTestProgress, findLastBefore } from "./back-test-store.ts";
import { type HistoryWanted, readHistory } from "./history-reader.ts";

/** Groups of the log that a rule judges together. */
export interface JudgedTogether {
  readonly ids: readonly number[];
  /** Whether the owner has no others. */
  readonly isAll: boolean;
}

/** In the order of their oldest groups: what is made meanwhile comes last. */
export function listJudgedTogether(
  rule: Rule,
  groups: readonly (GroupLabels & { readonly id: number })[],
): JudgedTogether[] {
  const watched = groups
    .filter((group) => watchesGroup(rule, group))
    .toSorted((one, other) => one.id - other.id);
  return [...Map.groupBy(watched, (group) => groupKeyOf(rule, group)).values()].map((together) => ({
    ids: together.map(({ id }) => id),
    isAll: together.length === groups.length,
  }));
}

export interface PageJudge extends RowJudge {
  /** Before rows until this time (microseconds since 1970) are added. */
  prepare(toAt: number): Promise<void>;
  /** As it is kept between runs. */
  save(): Pick<BackTestProgress, "windows" | "history">;
}

export interface JudgeOptions {
  readonly sql: Sql;
  readonly rule: Rule;
  readonly period: Period;
  readonly findings: Findings;
  /** Where a run before this one ended; undefined at the beginning. */
  readonly known: Pick<BackTestProgress, "after" | "windows" | "history"> | undefined;
}

export async function createPageJudge(options: JudgeOptions, together: JudgedTogether): Promise<PageJudge> {
  const { rule, findings } = options;
  const { condition } = rule;
  if (condition.type === "outlier") return createOutlierJudge(options, condition, together);
  const judge =
    condition.type === "rate" || condition.type === "missing"
      ? await createJudgeOfWindows(options, together)
      : createRowJudge(rule, findings, undefined);
  return {
    add: judge.add,
    end: judge.end,
    saveWindows: judge.saveWindows,
    prepare: async () => {},
    save: () => ({ windows: judge.saveWindows(), history: null }),
  };
}

const msPerMinute = 60_000;
const microsPerHour = 3_600_000_000;

async function createJudgeOfWindows(
  { sql, rule, period, findings, known }: JudgeOptions,
  { ids }: JudgedTogether,
): Promise<RowJudge> {
  if (known?.windows) {
    return createWindowJudge(rule, findings, { period, state: known.windows, groupId: ids[0] ?? 0 });
  }
  const beginMs = period.fromMs - windowMsOf(rule);
  const lastAt = await transactAs(sql, serviceCaller, (transaction) =>
    findLastBefore(transaction, { groupIds: ids, tags: rule.tags }, beginMs),
  );
  return createWindowJudge(rule, findings, {
    period,
    state: beginWindows(period, lastAt),
    groupId: ids[0] ?? 0,
  });
}

/** How long before the period its first window begins. */
export function windowMsOf({ condition }: Pick<Rule, "condition">): number {
  return condition.type === "rate" || condition.type === "missing"
    ? condition.windowMinutes * msPerMinute
    : 0;
}

/** The history is read some days at a time, ahead of the rows. */
async function createOutlierJudge(
  { sql, rule, period, findings, known }: JudgeOptions,
  condition: OutlierCondition,
  { ids }: JudgedTogether,
): Promise<PageJudge> {
  const wanted: HistoryWanted = {
    ownerId: rule.ownerId,
    groupIds: ids,
    metricNumber: metricNumberOf(rule) ?? 0,
    withSketches: !isOfMoments(condition),
  };
  const hoursAtOnce = Math.max(1, Math.floor(7 / ids.length)) * hoursPerDay;
  const beginHour = Math.floor((known?.after?.at ?? period.fromMs * 1000) / microsPerHour);
  const history = new SlidingHistory(condition);
  let readTo =
    Math.floor(historyBegin(condition, known?.history?.hour ?? beginHour) / hoursPerDay) * hoursPerDay;
  const readUntil = async (hour: number) => {
    while (readTo < hour) {
      const next = readTo + hoursAtOnce;
      for (const one of await readHistory(sql, wanted, [readTo, next])) history.add(one);
      readTo = next;
    }
  };
  await readUntil(beginHour);
  if (known?.history) history.resume(known.history);
  const judge = createRowJudge(rule, findings, history);
  return {
    add: judge.add,
    end: judge.end,
    saveWindows: judge.saveWindows,
    prepare: (toAt) => readUntil(Math.ceil(toAt / microsPerHour)),
    save: () => ({ windows: null, history: history.state ?? null }),
  };
}
