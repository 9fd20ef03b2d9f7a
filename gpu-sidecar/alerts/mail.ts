import type { SendMailPayload } from "../../shared/interactions/mail-kind.ts";
import type { Mail } from "../mail/mailer.ts";
import { describeAlert, flatten } from "./wording.ts";

export interface MailWish extends SendMailPayload {
  /** Of the job that sends it, which follows from what is told. */
  readonly id: string;
  readonly to: string;
  /** The last for a while: there were too many. */
  readonly isLast: boolean;
}

/** Sent twice it is the same message, and all that are told of an alert are one thread. */
export function composeAlertMail({ id, event, alert, to, isLast }: MailWish): Mail {
  const { title, explanation, facts } = describeAlert(event, alert);
  const lines = [
    `${title}.`,
    explanation,
    facts.join("\n"),
    ...(isLast ? [tooMany] : []),
    "You get this because your settings of interactions name this address for alerts.",
  ];
  return {
    to,
    subject: flatten(`[Parlance] ${title}`, 200),
    text: `${lines.filter(Boolean).join("\n\n")}\n`,
    name: id,
    thread: alert.id,
  };
}

const tooMany =
  "There are more alerts than mail should tell of: only one e-mail in two minutes is sent until there are fewer. " +
  "GET /alerts shows all of them.";
