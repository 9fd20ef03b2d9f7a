/**
 * Judges the rows of a back-test, of what the rule judges together, in the order of their times. Conditions of single rows are
 * held against the hours before them; those of windows minute by minute.
 */
import type { Findings, Found, Period } from "./back-test-findings.ts";
import { judgeValue } from "./judging.ts";
import type { Fences } from "./outliers/fence-types.ts";
import { scoreValue } from "./outliers/fences.ts";
import type { SlidingHistory } from "./outliers/rule-history.ts";
import type { RuleFields } from "./rules.ts";
import { forgottenAfterDays } from "./window-judging.ts";
import { SlidingWindow, type Stretch, type WindowState } from "./windows.ts";

/** A row that the rule watches; its time in microseconds since 1970. */
export interface BackTestedRow {
  readonly id: string;
  readonly at: number;
  readonly groupId: number;
  /** NaN where the rule is of no metric. */
  readonly value: number;
  /** Whether it has one of the rule's tags; others are history too. */
  readonly isWatched: boolean;
}

export interface RowJudge {
  add(row: BackTestedRow): void;
  /** The period is over. */
  end(): void;
  /** As it is kept between runs; null where there is nothing to keep. */
  saveWindows(): WindowJudgeState | null;
}

const microsPerMinute = 60_000_000;
const minutesPerDay = 24 * 60;

/** For `above`, `below` and `outlier`. */
export function createRowJudge(
  rule: RuleFields,
  findings: Findings,
  history: SlidingHistory | undefined,
): RowJudge {
  const judge = ({ id, at, groupId, value }: BackTestedRow, fences: Fences | undefined) => {
    findings.addJudged(at / 1000, history === undefined || fences !== undefined);
    findings.addValue(value);
    if (fences) findings.addScore(scoreValue(value, fences));
    const judged = judgeValue(rule, value, () => fences);
    if (!judged) return;
    findings.addFired({ id, at, groupId, value, score: judged.score, bound: judged.evidence.bound ?? 0 });
  };
  return {
    saveWindows: () => null,
    end: () => {},
    add(row) {
      const atMs = row.at / 1000;
      if (row.isWatched) judge(row, history?.fencesAt(atMs));
      history?.note(atMs, row.value);
    },
  };
}

export interface WindowJudgeState extends WindowState {
  /** The last minute at which the condition held; null where it did not yet. */
  readonly heldAt: number | null;
  readonly newest: BackTestedRow | null;
}

/** Minutes are judged from the first one after the period's beginning until its end. `lastAt`: of what came before all rows. */
export function beginWindows({ fromMs }: Period, lastAt: number | null): WindowJudgeState {
  const last = lastAt === null ? null : toMinute(lastAt);
  return { minutes: [], toldTo: fromMs / 60_000, last, heldAt: null, newest: null };
}

/** One that comes at a full minute is of the window that ends with it. */
const toMinute = (at: number) => Math.ceil(at / microsPerMinute) - 1;

/** For `rate` and `missing`. Rows of the window before the period are given too. */
export function createWindowJudge(
  { condition }: RuleFields,
  findings: Findings,
  {
    period,
    state,
    groupId,
  }: { readonly period: Period; readonly state: WindowJudgeState; readonly groupId: number },
): RowJudge {
  if (condition.type !== "rate" && condition.type !== "missing")
    throw new Error("this condition has no window");
  let { heldAt, newest } = state;
  const hold = ({ from, to }: Stretch, found: Omit<Found, "at" | "groupId" | "score">) => {
    const at = from * microsPerMinute;
    findings.addMinutes([from, to], { ...found, at, groupId, score: null }, heldAt !== from - 1);
    heldAt = to;
  };
  const window = new SlidingWindow(condition.windowMinutes, state, (stretch) => {
    const { count, from, to, quietSince } = stretch;
    if (condition.type === "rate") {
      findings.addValue(count, to - from + 1);
      if (count > condition.moreThan) {
        hold(stretch, { id: newest?.id ?? null, value: count, bound: condition.moreThan });
      }
      return;
    }
    if (heldAt === from - 1 && count > 0) findings.resolve(from);
    if (count > 0 || quietSince === null) return;
    const last = quietSince + condition.windowMinutes + forgottenAfterDays * minutesPerDay;
    const held = { ...stretch, to: Math.min(to, last) };
    if (from <= last)
      hold(held, { id: null, value: held.to - quietSince - 1, bound: condition.windowMinutes });
    if (to > last) findings.forget();
  });
  return {
    saveWindows: () => ({ ...window.state, heldAt, newest }),
    end: () => window.tellTo(period.toMs / 60_000),
    add(row) {
      window.add(toMinute(row.at));
      newest = row;
      if (row.at >= period.fromMs * 1000) findings.addJudged(row.at / 1000);
    },
  };
}

/** Whether rows without the rule's metric say nothing to it. */
export function comparesValues({ condition }: Pick<RuleFields, "condition">): boolean {
  if (condition.type === "missing") return false;
  return condition.type !== "rate" || condition.above !== undefined || condition.below !== undefined;
}

/** Whether the metric of a row makes it count; where the rule names none, all do. */
export function countsInWindow({ condition }: RuleFields, value: number): boolean {
  if (condition.type !== "rate") return true;
  const { above, below } = condition;
  return (above === undefined || value > above) && (below === undefined || value < below);
}
