/** That a rule's condition holds: what fired, what it was held against, and who was told. */
import { z } from "zod";
import { OutlierMethod } from "./outliers/fences.ts";
import { AlertSeverity, RuleElement } from "./rules.ts";

export const AlertState = z.enum(["open", "acknowledged", "resolved"]);
export type AlertState = z.infer<typeof AlertState>;

export const AlertResolution = z.enum(["quiet", "by-hand", "rule-changed", "imported"]);

/** What a value was held against. Times of windows and history end when it was judged. */
export const AlertEvidence = z.object({
  type: z.enum(["above", "below", "outlier", "rate", "missing"]),
  explanation: z.string().describe("For a person; may change."),
  /** The bound that was crossed, in the metric's unit; of a rate in interactions. */
  bound: z.number().nullable(),
  side: z.enum(["high", "low"]).nullable(),
  quietThreshold: z
    .number()
    .nullable()
    .describe(
      "With this threshold (of an outlier: sensitivity; of a rate: number of interactions) the rule would have been quiet.",
    ),
  method: OutlierMethod.nullable(),
  sensitivity: z.number().nullable(),
  centre: z.number().nullable().describe("The middle of the history."),
  spread: z
    .number()
    .nullable()
    .describe("One spread: in the metric's unit, or of `log` in natural logarithms."),
  scale: z.enum(["linear", "log"]).nullable(),
  low: z.number().nullable().describe("Below it a value is out of order."),
  high: z.number().nullable().describe("Above it a value is out of order."),
  historyCount: z.int().nullable().describe("How many values the history has."),
  windowMinutes: z.int().nullable(),
  interactionIds: z.array(z.uuid()).max(20).describe("Of a rate: the newest that were counted."),
});
export type AlertEvidence = z.infer<typeof AlertEvidence>;

export const Alert = z.object({
  id: z.uuid(),
  ownerId: z.uuid().nullable(),
  ruleId: z.uuid().nullable().describe("Null: the rule was deleted."),
  ruleName: z.string(),
  severity: AlertSeverity,
  state: AlertState,
  app: z.string().nullable().describe("Null where the rule does not judge apps apart. So for the next two."),
  environment: z.string().nullable(),
  model: z.string().nullable(),
  element: RuleElement.nullable(),
  metric: z.string().nullable(),
  value: z.number().nullable().describe("The newest value that was out of order."),
  score: z
    .number()
    .nullable()
    .describe("How many spreads it is off, negative for too small; null where there is no history."),
  evidence: AlertEvidence,
  count: z.int().min(1).describe("How often the condition held since it was opened."),
  firstSeenAt: z.iso.datetime().describe("When what it tells of happened, first and last."),
  lastSeenAt: z.iso.datetime(),
  openedAt: z.iso.datetime(),
  acknowledgedAt: z.iso.datetime().nullable(),
  acknowledgedBy: z.uuid().nullable(),
  resolvedAt: z.iso.datetime().nullable(),
  resolution: AlertResolution.nullable(),
  reopened: z.int().describe("Times it came back within an hour after it was quiet."),
  isFlapping: z
    .boolean()
    .describe("It came back three times: nobody is told of it until it was quiet for an hour."),
  isSilenced: z.boolean().describe("Nobody is told of it at this moment."),
  notifiedAt: z.iso.datetime().nullable().describe("When people were last told of it."),
  notifications: z.int(),
  importId: z.uuid().nullable().describe("It is of the rows of this import, and nobody was told."),
});
export type Alert = z.infer<typeof Alert>;

/** An alert as far as the interaction that fired is concerned. */
export const InteractionAlert = z.object({
  alertId: z.uuid(),
  ruleId: z.uuid().nullable(),
  ruleName: z.string(),
  severity: AlertSeverity,
  state: AlertState,
  element: RuleElement.nullable(),
  metric: z.string().nullable(),
  value: z.number(),
  score: z.number().nullable(),
});
export type InteractionAlert = z.infer<typeof InteractionAlert>;

/** A rule's condition held: as `parlance.raise_alerts` takes it. */
export interface Firing {
  readonly ownerId: string | null;
  readonly ruleId: string;
  readonly ruleName: string;
  readonly severity: AlertSeverity;
  readonly fingerprint: string;
  readonly app: string | null;
  readonly environment: string | null;
  readonly model: string | null;
  readonly element: RuleElement | null;
  readonly metric: string | null;
  readonly value: number | null;
  readonly score: number | null;
  readonly evidence: AlertEvidence;
  readonly occurredAt: string;
  /** Undefined where it is of no single row. */
  readonly interactionId?: string;
  readonly importId?: string;
}
