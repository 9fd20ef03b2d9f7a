/** That a rule's condition holds: what fired, what it was held against, and who was told. */
import { z } from "zod";
import { OutlierMethod } from "./outliers/fence-types.ts";
import { AlertSeverity, RuleElement } from "./rules.ts";
import { Time } from "./times.ts";

export const AlertState = z.enum(["open", "acknowledged", "resolved"]);
export type AlertState = z.infer<typeof AlertState>;

export const AlertResolution = z
  .enum(["quiet", "by-hand", "rule-changed", "imported", "forgotten"])
  .describe(
    "`quiet`: the condition held no more. `rule-changed`: the rule judges otherwise, is disabled or gone. `imported`: it is of " +
      "the rows of an import. `forgotten`: what was missing has been for a week.",
  );

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
      "With this threshold (of an outlier: sensitivity; of a rate: number of interactions; of what is missing: minutes) the rule " +
        "would have been quiet. Null where a rate was not counted to its end.",
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
  begunAt: z.iso.datetime().describe("When it was opened, or opened again."),
  acknowledgedAt: z.iso.datetime().nullable(),
  acknowledgedBy: z.uuid().nullable(),
  resolvedAt: z.iso.datetime().nullable(),
  resolution: AlertResolution.nullable(),
  resolvedBy: z.uuid().nullable(),
  reopened: z
    .int()
    .describe(
      "Times in a row that it came back within an hour after it was quiet, and did not go on for one.",
    ),
  isFlapping: z
    .boolean()
    .describe("It came back three times: nobody is told of it until it was quiet, or went on, for an hour."),
  isSilenced: z.boolean().describe("Nobody is told of it at this moment."),
  notifiedAt: z.iso.datetime().nullable().describe("When people were last told of it."),
  notifications: z.int(),
  importId: z.uuid().nullable().describe("It is of the rows of this import, and nobody was told."),
});
export type Alert = z.infer<typeof Alert>;

/** An interaction that an alert tells of. */
export const AlertFiring = z.object({
  interactionId: z.uuid(),
  occurredAt: z.iso.datetime(),
  value: z.number().describe("Of the metric; of a rate without one, how many were counted."),
  score: z.number().nullable(),
  app: z.string(),
  environment: z.string().nullable(),
  model: z.string().nullable(),
  sessionId: z.string().nullable(),
  input: z.string().describe("The first 200 characters."),
  output: z.string().describe("The first 200 characters."),
});
export type AlertFiring = z.infer<typeof AlertFiring>;

export const AlertDetails = Alert.extend({
  firings: z.object({
    items: z.array(AlertFiring).describe("The newest twenty."),
    nextCursor: z.string().nullable().describe("For `GET /alerts/{id}/firings`."),
  }),
});
export type AlertDetails = z.infer<typeof AlertDetails>;

/** Which alerts; what is not named is not asked for. */
export const AlertFilter = z.object({
  severity: AlertSeverity.optional().describe("This one and graver ones."),
  ruleId: z.uuid().optional(),
  app: z.string().max(64).optional(),
  environment: z.string().max(64).optional(),
  model: z.string().max(128).optional(),
  element: RuleElement.optional(),
  metric: z.string().max(64).optional(),
  interactionId: z.uuid().optional().describe("Those that this interaction made fire."),
  importId: z.uuid().optional(),
  from: Time.optional().describe("Opened then or later."),
  to: Time.optional().describe("Opened before."),
});
export type AlertFilter = z.infer<typeof AlertFilter>;

/** As many may be changed at once. */
export const alertsMax = 1000;

/** Which alerts are changed together. */
export const AlertSelection = AlertFilter.extend({
  ids: z.array(z.uuid()).min(1).max(alertsMax).optional().describe("Only these."),
}).strict();
export type AlertSelection = z.infer<typeof AlertSelection>;

export const AlertsChanged = z.object({
  changed: z.int().describe("How many were; the newest first."),
  hasMore: z.boolean().describe("There are more of them: ask again."),
});
export type AlertsChanged = z.infer<typeof AlertsChanged>;

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
}
