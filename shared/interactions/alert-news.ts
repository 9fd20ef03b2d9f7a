/** What people and programs are told of an alert: over Realtime, by webhooks and by e-mail. */
import { z } from "zod";
import { AlertState } from "./alerts.ts";
import { AlertSeverity } from "./rules.ts";

export const AlertEvent = z.enum(["alert.opened", "alert.repeated", "alert.resolved"]);
export type AlertEvent = z.infer<typeof AlertEvent>;

/** An alert as it stood when it was told of, as `parlance.compose_alert` writes it. */
export const AlertNews = z.object({
  id: z.uuid(),
  ruleId: z.uuid().nullable().describe("Null: the rule is gone."),
  ruleName: z.string(),
  severity: AlertSeverity,
  state: AlertState,
  app: z.string().nullable().describe("Null where the rule does not judge it apart; so are the two below."),
  environment: z.string().nullable(),
  model: z.string().nullable(),
  element: z.string().nullish().describe("`input`, `output` or `pair`."),
  metric: z.string().nullable(),
  value: z.number().nullable().describe("The newest value that was out of order."),
  score: z.number().nullish().describe("How far out it was, as the method of the rule counts."),
  explanation: z.string().nullable().describe("Why, as a sentence."),
  count: z.int().min(0).describe("How often the condition held since it was opened."),
  firstSeenAt: z.iso.datetime(),
  lastSeenAt: z.iso.datetime(),
  openedAt: z.iso.datetime().nullish(),
  resolvedAt: z.iso.datetime().nullish(),
  resolution: z.string().nullish().describe("How it ended."),
});
export type AlertNews = z.infer<typeof AlertNews>;

/** On the private topic `user:<owner>`, or `house`; the name of the event is that of the message. */
export const AlertMessage = z.union([
  z.object({ id: z.uuid(), event: AlertEvent, at: z.iso.datetime(), alert: AlertNews }),
  z
    .object({ id: z.uuid(), event: z.literal("alert.changed"), at: z.iso.datetime(), alert: AlertNews })
    .describe(
      "Somebody took care of it, or no longer does, or resolved what nobody was told of; told nowhere else.",
    ),
  z
    .object({ id: z.uuid(), event: z.literal("alerts.changed"), at: z.iso.datetime() })
    .describe("More than twenty at once: ask for the list."),
]);
export type AlertMessage = z.infer<typeof AlertMessage>;
