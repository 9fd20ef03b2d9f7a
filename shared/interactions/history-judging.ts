/** Judges rows of the past as they would have been judged then, and tells nobody. */
import type { Firing } from "./alerts.ts";
import { groupKeyOf, type JudgedRow, judgeRow, metricNumberOf, watchesGroup } from "./judging.ts";
import { type HistoryHour, SlidingHistory } from "./outliers/rule-history.ts";
import type { Rule } from "./rules.ts";

export interface JudgedHistory {
  readonly rules: readonly Rule[];
  /** The statistics by hour of what a rule judges together, in ascending order. Asked for once for each. */
  readonly hoursOf: (rule: Rule, groupKey: string) => Iterable<HistoryHour>;
  /** In the order of their times. */
  readonly rows: Iterable<JudgedRow>;
}

/** What fires, row by row, each held against what came before it. Conditions of windows are not of single rows. */
export function* judgeHistory({ rules, hoursOf, rows }: JudgedHistory): Generator<Firing> {
  const histories = new Map<string, SlidingHistory>();
  const findHistory = (rule: Rule, row: JudgedRow): SlidingHistory | undefined => {
    if (rule.condition.type !== "outlier") return undefined;
    const groupKey = groupKeyOf(rule, row.group);
    const key = `${rule.id}${groupKey}`;
    const known = histories.get(key);
    if (known) return known;
    const history = new SlidingHistory(rule.condition);
    for (const hour of hoursOf(rule, groupKey)) history.add(hour);
    histories.set(key, history);
    return history;
  };
  for (const row of rows) {
    const atMs = Date.parse(row.occurredAt);
    for (const rule of rules) {
      const firing = judgeRow(rule, row, () => findHistory(rule, row)?.fencesAt(atMs));
      if (firing) yield firing;
      const value = row.values[(metricNumberOf(rule) ?? 0) - 1] ?? null;
      if (value !== null && watchesGroup(rule, row.group)) findHistory(rule, row)?.note(atMs, value);
    }
  }
}
