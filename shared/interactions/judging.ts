/** Whether a rule's condition holds for a row, and what the value was held against. */
import type { AlertEvidence, Firing } from "./alerts.ts";
import { findMetricNumber } from "./metrics/registry.ts";
import type { Fences } from "./outliers/fence-types.ts";
import { scoreValue } from "./outliers/fences.ts";
import { type OutlierCondition, type Rule, sensitivityOf } from "./rules.ts";

/** Which app, environment and model an interaction is of; empty where they were not told. */
export interface GroupLabels {
  readonly app: string;
  readonly environment: string;
  readonly model: string;
}

export interface JudgedRow {
  readonly id: string;
  readonly group: GroupLabels;
  readonly tags: readonly string[];
  /** By the number of the metric. */
  readonly values: readonly (number | null)[];
  /** ISO 8601. */
  readonly occurredAt: string;
}

/** Whether a group is among those that a rule watches. */
export function watchesGroup(rule: Rule, group: GroupLabels): boolean {
  return (
    (rule.apps?.includes(group.app) ?? true) &&
    (rule.environments?.includes(group.environment) ?? true) &&
    (rule.models?.includes(group.model) ?? true)
  );
}

export function watchesRow(rule: Rule, row: Pick<JudgedRow, "group" | "tags">): boolean {
  const { tags } = rule;
  return watchesGroup(rule, row.group) && (tags === null || row.tags.some((tag) => tags.includes(tag)));
}

/** What the rule judges apart, of a group; null for what it judges together. */
export function labelsOf(rule: Rule, group: GroupLabels): { [Part in keyof GroupLabels]: string | null } {
  const pick = (part: keyof GroupLabels) => (rule.groupBy.includes(part) ? group[part] : null);
  return { app: pick("app"), environment: pick("environment"), model: pick("model") };
}

/** The same for all groups that a rule judges together; empty where it judges all together. */
export function groupKeyOf(rule: Rule, group: GroupLabels): string {
  const { app, environment, model } = labelsOf(rule, group);
  return rule.groupBy.length === 0 ? "" : JSON.stringify([app, environment, model]);
}

export function fingerprintOf(rule: Rule, group: GroupLabels): string {
  return `${rule.id}${groupKeyOf(rule, group)}`;
}

export function metricNumberOf(rule: Pick<Rule, "element" | "metric">): number | undefined {
  return findMetricNumber(`${rule.element}.${rule.metric}`);
}

/** What an outlier rule holds a value against; undefined where there is too little history. */
export type FindFences = (rule: Rule, row: JudgedRow) => Fences | undefined;

/** The firing, or undefined where all is in order or the condition is not of single rows. */
export function judgeRow(rule: Rule, row: JudgedRow, findFences: FindFences): Firing | undefined {
  const number = metricNumberOf(rule);
  if (number === undefined) return undefined;
  const value = row.values[number - 1];
  if (value === null || value === undefined || !watchesRow(rule, row)) return undefined;
  const found = judgeValue(rule, value, () => findFences(rule, row));
  if (!found) return undefined;
  return {
    ownerId: rule.ownerId,
    ruleId: rule.id,
    ruleName: rule.name,
    severity: rule.severity,
    fingerprint: fingerprintOf(rule, row.group),
    ...labelsOf(rule, row.group),
    element: rule.element,
    metric: rule.metric,
    value,
    ...found,
    occurredAt: row.occurredAt,
    interactionId: row.id,
  };
}

export interface Judgement {
  readonly score: number | null;
  readonly evidence: AlertEvidence;
}

/** For conditions of single values; `fencesOf` is only called where the condition asks for history. */
export function judgeValue(
  rule: Pick<Rule, "condition" | "element" | "metric">,
  value: number,
  fencesOf: () => Fences | undefined,
): Judgement | undefined {
  const { condition } = rule;
  if (condition.type === "outlier") return judgeOutlier(rule, condition, value, fencesOf());
  if (condition.type !== "above" && condition.type !== "below") return undefined;
  const { type, threshold } = condition;
  const isOut = type === "above" ? value > threshold : value < threshold;
  if (!isOut) return undefined;
  const explanation = `${nameMetric(rule)} is ${show(value)}, ${type} the threshold of ${show(threshold)}.`;
  const side = type === "above" ? "high" : "low";
  return {
    score: null,
    evidence: { ...noEvidence, type, explanation, bound: threshold, side, quietThreshold: value },
  };
}

function judgeOutlier(
  rule: Pick<Rule, "element" | "metric">,
  condition: OutlierCondition,
  value: number,
  fences: Fences | undefined,
): Judgement | undefined {
  if (!fences) return undefined;
  const side = value > fences.high ? "high" : value < fences.low ? "low" : undefined;
  if (side === undefined || (condition.tails !== "both" && condition.tails !== side)) return undefined;
  const score = scoreValue(value, fences);
  const bound = fences[side];
  const explanation =
    `${nameMetric(rule)} is ${show(value)}, ${side === "high" ? "above" : "below"} ${show(bound)}: ` +
    `${show(Math.abs(score))} spreads from ${show(fences.centre)}, the middle of ${fences.count} values before it ` +
    `(${condition.method}, sensitivity ${show(sensitivityOf(condition))}).`;
  return {
    score,
    evidence: {
      ...noEvidence,
      type: "outlier",
      explanation,
      bound,
      side,
      quietThreshold: Math.abs(score),
      method: condition.method,
      sensitivity: sensitivityOf(condition),
      centre: fences.centre,
      spread: fences.spread,
      scale: fences.scale,
      low: fences.low,
      high: fences.high,
      historyCount: fences.count,
    },
  };
}

/** Evidence that says nothing, to be spread under what is known. */
export const noEvidence: Omit<AlertEvidence, "type" | "explanation"> = {
  bound: null,
  side: null,
  quietThreshold: null,
  method: null,
  sensitivity: null,
  centre: null,
  spread: null,
  scale: null,
  low: null,
  high: null,
  historyCount: null,
  windowMinutes: null,
  interactionIds: [],
};

/** As the metrics of an interaction are named. */
const nameMetric = ({ element, metric }: Pick<Rule, "element" | "metric">) => `${element}.${metric}`;

/** Four digits are enough for a person. */
const show = (value: number) => `${Number(value.toPrecision(4))}`;
