/** What is wrong with a rule beyond its single fields, and which changes make another rule of it. */
import type { FieldError } from "../errors.ts";
import { metricNames } from "./metrics/registry.ts";
import type { RuleElement, RuleFields } from "./rules.ts";

/** Empty where nothing is. Fields are named from `at`, such as `body`. */
export function findRuleFaults(rule: RuleFields, at: string): FieldError[] {
  return [...findMetricFaults(rule), ...findRangeFaults(rule), ...findRepeatedParts(rule)].map(
    ({ field, message }) => ({ field: `${at}.${field}`, message }),
  );
}

function findMetricFaults({ condition, element, metric }: RuleFields): FieldError[] {
  const { type } = condition;
  if (type === "missing") {
    const message = "must be null: what is missing has no metric";
    const given = { element, metric };
    return (["element", "metric"] as const)
      .filter((field) => given[field] !== null)
      .map((field) => ({ field, message }));
  }
  const countsAll = type === "rate" && condition.above === undefined && condition.below === undefined;
  if (element === null && metric === null && countsAll) return [];
  const faults: FieldError[] = [];
  if (element === null) {
    faults.push({ field: "element", message: "must be input, output or pair: the condition is of a metric" });
  }
  if (metric === null) {
    faults.push({ field: "metric", message: `must name a metric: the condition is of one` });
  } else if (element !== null && !namesOf(element).includes(metric)) {
    faults.push({
      field: "metric",
      message: `must be one of \`${element}\`: ${namesOf(element).join(", ")}`,
    });
  }
  return faults;
}

function namesOf(element: RuleElement): string[] {
  return [...metricNames.values()]
    .filter((name) => name.startsWith(`${element}.`))
    .map((name) => name.slice(element.length + 1));
}

function findRangeFaults({ condition }: RuleFields): FieldError[] {
  if (condition.type !== "rate") return [];
  const { above, below } = condition;
  if (above === undefined || below === undefined || above < below) return [];
  return [
    {
      field: "condition.above",
      message: "must be less than `below`: no value is above the one and below the other",
    },
  ];
}

function findRepeatedParts({ groupBy }: RuleFields): FieldError[] {
  return groupBy.flatMap((part, index) =>
    groupBy.indexOf(part) < index
      ? [{ field: `groupBy.${index}`, message: `must not name ${part} twice` }]
      : [],
  );
}

/** How people see a rule and are told of it; everything else is what it judges. */
const manners: ReadonlySet<keyof RuleFields> = new Set([
  "name",
  "severity",
  "isEnabled",
  "renotifyMinutes",
  "resolveMinutes",
]);

/** Whether alerts and bounds of the one are none of the other. */
export function judgesOtherwise(one: RuleFields, other: RuleFields): boolean {
  const fields = Object.keys(one) as (keyof RuleFields)[];
  return fields.some((field) => !manners.has(field) && !isSame(one[field], other[field]));
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(sortKeys(one)) === JSON.stringify(sortKeys(other));
}

/** Postgres gives the keys of a condition in an order of its own. */
function sortKeys(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)));
}
