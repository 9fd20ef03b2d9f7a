import { z } from "zod";
import type { JobKind } from "../jobs/kinds.ts";
import { AlertEvent, AlertNews } from "./alert-news.ts";

/** The address is not here: it is asked for when the mail is sent, as the owner's settings name it then. */
export const SendMailPayload = z.object({ event: AlertEvent, at: z.iso.datetime(), alert: AlertNews });
export type SendMailPayload = z.infer<typeof SendMailPayload>;

/** What came of a mail; failures are errors of its job. */
export interface MailOutcome {
  /** `cancelled`: no address is set any more. `held-back`: too many within the hour. */
  readonly state: "sent" | "cancelled" | "held-back";
}

/** One e-mail about an alert. Added by `parlance.mail_alert`, which writes the same lane, slots, tries and deadline. */
export const sendMail: JobKind<SendMailPayload, MailOutcome> = {
  name: "alerts.send-mail",
  runner: "sidecar",
  lane: "bulk",
  slots: "calls",
  payload: SendMailPayload,
  // With the waits between them, a mail server may be away for about a quarter of an hour.
  attemptsMax: 10,
  timeoutMs: 60_000,
  // What nobody could send for a day is no news any more.
  deadlineMs: 24 * 3600_000,
  queuedPerOwnerMax: 1000,
  runningPerOwnerMax: 2,
  summarize: (outcome) => ({ ...outcome }),
  landFailure: async () => {},
};
