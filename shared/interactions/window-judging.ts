/** Whether there are too many interactions within a window, or none, and what they were held against. */
import type { AlertEvidence, Firing } from "./alerts.ts";
import { fingerprintOf, type GroupLabels, labelsOf, noEvidence } from "./judging.ts";
import type { Rule, RuleCondition } from "./rules.ts";

type ConditionOf<Type extends RuleCondition["type"]> = Extract<RuleCondition, { type: Type }>;
export type RateRule = Rule & { readonly condition: ConditionOf<"rate"> };
export type MissingRule = Rule & { readonly condition: ConditionOf<"missing"> };

/** What has been missing for so long beyond its window is not expected any more. */
export const forgottenAfterDays = 7;

export function isRateRule(rule: Rule): rule is RateRule {
  return rule.condition.type === "rate";
}

export function isMissingRule(rule: Rule): rule is MissingRule {
  return rule.condition.type === "missing";
}

/** What a rule judges apart: groups of the log with the same key. */
export interface JudgedKey {
  /** One of its groups, for its labels. */
  readonly group: GroupLabels;
  /** ISO 8601: the end of the window. */
  readonly judgedAt: string;
}

export interface CountedWindow {
  readonly count: number;
  /** Whether there are no more than these. */
  readonly isWhole: boolean;
  /** The newest of them, twenty at most. */
  readonly newestIds: readonly string[];
}

export function judgeRate(
  rule: RateRule,
  { group, judgedAt }: JudgedKey,
  counted: CountedWindow,
): Firing | undefined {
  const { moreThan, windowMinutes } = rule.condition;
  const { count, isWhole, newestIds } = counted;
  if (count <= moreThan) return undefined;
  const explanation =
    `${isWhole ? count : `At least ${count}`} ${nameCounted(rule)}${nameLabels(rule, group)} within ` +
    `${nameMinutes(windowMinutes)}, more than ${moreThan}.`;
  return fire(rule, { group, judgedAt }, count, {
    ...noEvidence,
    type: "rate",
    explanation,
    bound: moreThan,
    side: "high",
    quietThreshold: isWhole ? count : null,
    windowMinutes,
    interactionIds: newestIds.slice(0, 20),
  });
}

/** `lastAt`: when the newest one happened; null where there is none that is remembered. */
export function judgeMissing(rule: MissingRule, key: JudgedKey, lastAt: string | null): Firing | undefined {
  if (lastAt === null) return undefined;
  const { windowMinutes } = rule.condition;
  const minutes = Math.floor((Date.parse(key.judgedAt) - Date.parse(lastAt)) / 60_000);
  if (minutes < windowMinutes) return undefined;
  const explanation =
    `No ${nameCounted(rule, 1)}${nameLabels(rule, key.group)} for ${nameMinutes(minutes)}; one is expected within ` +
    `${nameMinutes(windowMinutes)}.`;
  return fire(rule, key, minutes, {
    ...noEvidence,
    type: "missing",
    explanation,
    bound: windowMinutes,
    side: "low",
    quietThreshold: minutes + 1,
    windowMinutes,
  });
}

function fire(rule: Rule, { group, judgedAt }: JudgedKey, value: number, evidence: AlertEvidence): Firing {
  return {
    ownerId: rule.ownerId,
    ruleId: rule.id,
    ruleName: rule.name,
    severity: rule.severity,
    fingerprint: fingerprintOf(rule, group),
    ...labelsOf(rule, group),
    element: rule.element,
    metric: rule.metric,
    value,
    score: null,
    evidence,
    occurredAt: judgedAt,
  };
}

const nameMinutes = (minutes: number) => (minutes === 1 ? "a minute" : `${minutes} minutes`);

/** Such as `interactions tagged "a" or "b" with words of the output above 100`. */
function nameCounted({ condition, element, metric, tags }: Rule, number = 2): string {
  const parts = [number === 1 ? "interaction" : "interactions"];
  if (tags) parts.push(`tagged ${tags.map((tag) => `"${tag}"`).join(" or ")}`);
  const bounds =
    condition.type === "rate"
      ? (["above", "below"] as const).flatMap((side) =>
          condition[side] === undefined ? [] : [`${side} ${condition[side]}`],
        )
      : [];
  if (bounds.length > 0) {
    parts.push(`with ${metric}${element === "pair" ? "" : ` of the ${element}`} ${bounds.join(" and ")}`);
  }
  return parts.join(" ").slice(0, 300);
}

function nameLabels(rule: Rule, group: GroupLabels): string {
  const named = Object.values(labelsOf(rule, group)).filter((label) => label !== null && label !== "");
  return named.length === 0 ? "" : ` of ${named.join(", ")}`;
}
