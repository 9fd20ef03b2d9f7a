/** What is watched: a metric, of which interactions, and when it is out of order. */
import { z } from "zod";
import { OutlierMethod } from "./outliers/fence-types.ts";

export const AlertSeverity = z.enum(["info", "warning", "critical"]);
export type AlertSeverity = z.infer<typeof AlertSeverity>;

export const RuleElement = z.enum(["input", "output", "pair"]);
export type RuleElement = z.infer<typeof RuleElement>;

export const GroupPart = z.enum(["app", "environment", "model"]);
export type GroupPart = z.infer<typeof GroupPart>;

const finite = z.number().min(-1e15).max(1e15);
const windowMinutes = z
  .int()
  .min(1)
  .max(7 * 24 * 60)
  .describe("How far back is looked, from the moment of judging.");

/** How many spreads off a value must be by default; tuned for few false alerts on seeded series (`bun run bench outliers`). */
export const sensitivities: Readonly<Record<OutlierMethod, number>> = {
  "z-score": 8,
  mad: 14,
  iqr: 9.5,
  ewma: 6.5,
  seasonal: 11.5,
};

export const ThresholdCondition = z
  .object({
    type: z.enum(["above", "below"]),
    threshold: finite.describe("Strictly: a value that equals it is in order."),
  })
  .strict();

export const OutlierCondition = z
  .object({
    type: z.literal("outlier"),
    method: OutlierMethod.default("seasonal"),
    sensitivity: z
      .number()
      .min(0.1)
      .max(1000)
      .optional()
      .describe("How many spreads from the middle a value is still in order. Default: tuned for the method."),
    tails: z.enum(["high", "low", "both"]).default("both"),
    countMin: z
      .int()
      .min(2)
      .max(1_000_000)
      .default(30)
      .describe("With less history nothing is out of order."),
    historyDays: z.int().min(1).max(35).default(28),
  })
  .strict();
export type OutlierCondition = z.infer<typeof OutlierCondition>;

export const RateCondition = z
  .object({
    type: z.literal("rate"),
    windowMinutes,
    moreThan: z
      .int()
      .min(0)
      .max(100_000)
      .describe("Strictly: so many interactions within the window are in order."),
    above: finite.optional().describe("Only interactions whose metric is above it count."),
    below: finite.optional().describe("Only interactions whose metric is below it count."),
  })
  .strict();

export const MissingCondition = z
  .object({ type: z.literal("missing"), windowMinutes })
  .strict()
  .describe("No interaction within the window, though there were some before.");

export const RuleCondition = z.discriminatedUnion("type", [
  ThresholdCondition,
  OutlierCondition,
  RateCondition,
  MissingCondition,
]);
export type RuleCondition = z.infer<typeof RuleCondition>;

const names = (length: number) =>
  z.array(z.string().trim().min(1).max(length)).min(1).max(50).nullable().describe("Only these; null: all.");

/** What a rule says, without what the house knows about it. */
export const RuleFields = z.object({
  name: z.string().trim().min(1).max(100),
  isEnabled: z.boolean(),
  severity: AlertSeverity,
  element: RuleElement.nullable().describe("Null where the condition is of no metric."),
  metric: z.string().min(1).max(64).nullable().describe("A name that `GET /interactions/metrics` tells."),
  apps: names(64),
  environments: names(64),
  models: names(128),
  tags: names(64).describe("Those with any of these; null: all."),
  condition: RuleCondition,
  groupBy: z
    .array(GroupPart)
    .max(3)
    .describe("Each app, environment or model is judged apart, with alerts of its own. Empty: all together."),
  renotifyMinutes: z
    .int()
    .min(1)
    .max(100_000)
    .nullable()
    .describe("People are told again of an alert that goes on. Null: once."),
  resolveMinutes: z.int().min(1).max(100_000).describe("An alert that was quiet for so long is over."),
});
export type RuleFields = z.infer<typeof RuleFields>;

export const Rule = RuleFields.extend({
  id: z.uuid(),
  ownerId: z.uuid().nullable().describe("Null: it watches the house's own calls."),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
});
export type Rule = z.infer<typeof Rule>;

export const NewRule = RuleFields.extend({
  isEnabled: RuleFields.shape.isEnabled.default(true),
  severity: AlertSeverity.default("warning"),
  element: RuleFields.shape.element.default(null),
  metric: RuleFields.shape.metric.default(null),
  apps: RuleFields.shape.apps.default(null),
  environments: RuleFields.shape.environments.default(null),
  models: RuleFields.shape.models.default(null),
  tags: RuleFields.shape.tags.default(null),
  groupBy: RuleFields.shape.groupBy.default([]),
  renotifyMinutes: RuleFields.shape.renotifyMinutes.default(null),
  resolveMinutes: RuleFields.shape.resolveMinutes.default(60),
}).strict();
export type NewRule = z.infer<typeof NewRule>;

/** What is named is replaced, a condition as a whole. */
export const RuleChange = RuleFields.partial()
  .strict()
  .refine((change) => Object.keys(change).length > 0, "must change something");
export type RuleChange = z.infer<typeof RuleChange>;

/** An owner may have as many; the database holds them to it. */
export const rulesMax = 200;

/** The sensitivity in force. */
export function sensitivityOf({ method, sensitivity }: OutlierCondition): number {
  return sensitivity ?? sensitivities[method];
}
