import { z } from "zod";
import { AlertEvent, AlertNews } from "../interactions/alert-news.ts";
import { AlertSeverity } from "../interactions/rules.ts";
import { Job } from "../jobs/contract.ts";

/** What a webhook may ask to hear. */
export const WebhookEvent = z.enum(["job.done", "job.failed", ...AlertEvent.options]);
export type WebhookEvent = z.infer<typeof WebhookEvent>;

const Events = z
  .array(WebhookEvent)
  .min(1)
  .max(WebhookEvent.options.length)
  .refine((events) => new Set(events).size === events.length, "must not name an event twice");
const Kinds = z
  .array(z.string().min(1).max(64))
  .min(1)
  .max(50)
  .nullable()
  .describe("Only jobs of these kinds; null: of all kinds.");
const Format = z
  .enum(["standard", "slack"])
  .describe(
    "`standard`: signed JSON. `slack`: a text as incoming webhooks of Slack take it; Mattermost and Discord's `/slack` do too.",
  );
const SeverityMin = AlertSeverity.nullable().describe("Of alerts only these and graver ones; null: all.");
const Url = z
  .string()
  .min(1)
  .max(2000)
  .describe("An https address that anyone on the internet can reach; redirects are not followed.");

export const Webhook = z.object({
  id: z.uuid(),
  ownerId: z.uuid().nullable().describe("Null: it hears of the house's jobs and alerts."),
  url: Url,
  events: z.array(WebhookEvent),
  kinds: z.array(z.string()).nullable().describe("Only jobs of these kinds; null: of all kinds."),
  format: Format,
  severityMin: SeverityMin,
  isEnabled: z.boolean(),
  disabledAt: z.iso.datetime().nullable(),
  disabledReason: z.string().nullable().describe("Why it was disabled; null where its owner did."),
  failingSince: z.iso
    .datetime()
    .nullable()
    .describe("The first failure since the last success. After three days it is disabled."),
  createdAt: z.iso.datetime(),
});
export type Webhook = z.infer<typeof Webhook>;

export const NewWebhook = z.object({
  url: Url,
  events: Events.default(["job.done", "job.failed"]),
  kinds: Kinds.default(null),
  format: Format.default("standard"),
  severityMin: SeverityMin.default(null),
});
export type NewWebhook = z.infer<typeof NewWebhook>;

export const WebhookChange = z
  .object({
    url: Url.optional(),
    events: Events.optional(),
    kinds: Kinds.optional(),
    format: Format.optional(),
    severityMin: SeverityMin.optional(),
    isEnabled: z.boolean().optional().describe("Enabling one clears why it was disabled."),
  })
  .refine((change) => Object.keys(change).length > 0, "must change something");
export type WebhookChange = z.infer<typeof WebhookChange>;

const Secret = z
  .string()
  .describe("`whsec_` and 32 bytes in base64. Shown here only: keep it, it cannot be read again.");

export const WebhookWithSecret = Webhook.extend({ secret: Secret });
export type WebhookWithSecret = z.infer<typeof WebhookWithSecret>;

export const WebhookSecret = z.object({
  secret: Secret,
  formerUntil: z.iso
    .datetime()
    .describe("Until then every message also bears a signature by the former secret."),
});
export type WebhookSecret = z.infer<typeof WebhookSecret>;

export const DeliveryState = z.enum(["pending", "delivered", "failed", "cancelled"]);
export type DeliveryState = z.infer<typeof DeliveryState>;

const DeliveredEvent = z.enum([...WebhookEvent.options, "webhook.test"]);

export const WebhookDelivery = z.object({
  id: z.uuid().describe("The message's id, sent as `webhook-id`: the same for every try and redelivery."),
  webhookId: z.uuid(),
  event: DeliveredEvent,
  jobId: z.uuid().nullable().describe("The job that it tells of; null for a test and of an alert."),
  alertId: z.uuid().nullable().describe("The alert that it tells of."),
  sequence: z.int().nullable().describe("The sequence of the event within the job."),
  state: DeliveryState.describe("`cancelled`: the webhook was disabled before it was reached."),
  attempts: z.int().min(0),
  statusCode: z.int().nullable().describe("What the last try was answered with."),
  error: z.string().nullable().describe("What the last try met, for a person to read."),
  tookMs: z.int().nullable(),
  createdAt: z.iso.datetime(),
  attemptedAt: z.iso.datetime().nullable(),
  nextAttemptAt: z.iso.datetime().nullable().describe("When it is tried again, where it is."),
  finishedAt: z.iso.datetime().nullable(),
});
export type WebhookDelivery = z.infer<typeof WebhookDelivery>;

/** The body of a call. */
export const WebhookMessage = z.object({
  id: z.uuid().describe("Equal to the header `webhook-id`."),
  type: DeliveredEvent,
  timestamp: z.iso.datetime().describe("When it happened; `webhook-timestamp` says when it was sent."),
  data: z.union([
    Job.describe("The job as it ended."),
    AlertNews.describe("The alert as it was then."),
    z.object({ webhookId: z.uuid() }).describe("Of a test."),
  ]),
});
export type WebhookMessage = z.infer<typeof WebhookMessage>;
