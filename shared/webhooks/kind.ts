import { z } from "zod";
import type { JobKind } from "../jobs/kinds.ts";
import { landDelivery, landDeliveryFailure, landDeliveryRetry } from "./landing.ts";
import type { DeliveryOutcome } from "./outcome.ts";

export const DeliverPayload = z.object({ deliveryId: z.uuid() });
export type DeliverPayload = z.infer<typeof DeliverPayload>;

/** One call of a webhook. Most are added by a trigger (`deliver_job_events`), which writes the same lane, slots and tries. */
export const deliverEvent: JobKind<DeliverPayload, DeliveryOutcome> = {
  name: "webhooks.deliver-event",
  runner: "sidecar",
  lane: "bulk",
  slots: "calls",
  payload: DeliverPayload,
  // With the waits between them, a receiver may be away for about a quarter of an hour.
  attemptsMax: 10,
  timeoutMs: 30_000,
  // Half the slots of a sidecar: whose receivers never answer do not keep those of others waiting.
  runningPerOwnerMax: 4,
  summarize: (outcome) => ({ ...outcome }),
  land: landDelivery,
  landFailure: landDeliveryFailure,
  landRetry: landDeliveryRetry,
};
