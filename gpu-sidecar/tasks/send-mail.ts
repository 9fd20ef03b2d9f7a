/**
 * Sends one mail about an alert to the address that its owner's settings name. A process that dies between the server's
 * answer and the landing sends it again, as the same message: its name is that of the job.
 */
import type { Sql } from "postgres";
import { AppError } from "../../shared/errors.ts";
import { type MailOutcome, type SendMailPayload, sendMail } from "../../shared/interactions/mail-kind.ts";
import { isAddress } from "../../shared/interactions/recipients.ts";
import { defineTask, type Task, type TaskContext } from "../../shared/jobs/kinds.ts";
import { composeAlertMail } from "../alerts/mail.ts";
import { type Mailer, MailFault } from "../mail/mailer.ts";

export interface SendMailOptions {
  readonly sql: Sql;
  readonly mailer: Mailer;
}

export function createSendMailTask(options: SendMailOptions): Task {
  return defineTask(sendMail, (payload, context) => send(options, payload, context));
}

async function send(
  { sql, mailer }: SendMailOptions,
  payload: SendMailPayload,
  context: TaskContext,
): Promise<MailOutcome> {
  const given = await beginMail(sql, context);
  if (!given) return { state: "cancelled" };
  if (!given.mayBeSent) return { state: "held-back" };
  if (!isAddress(given.address))
    throw new AppError("invalid_request", "The settings name no address of e-mail.");
  try {
    const wish = { ...payload, id: context.job.id, to: given.address, isLast: given.isLast };
    await mailer.send(composeAlertMail(wish), context.signal);
    return { state: "sent" };
  } catch (error) {
    // Stopped from outside: nothing was found out about the server.
    if (context.signal.aborted || !(error instanceof MailFault)) throw error;
    throw new AppError("upstream_failed", error.message, { cause: error, retryable: error.retryable });
  }
}

interface Begun {
  readonly address: string;
  readonly mayBeSent: boolean;
  readonly isLast: boolean;
}

/** Through a function that asks for the claim: the sidecar's role cannot read settings. */
async function beginMail(sql: Sql, { job, claim }: TaskContext): Promise<Begun | undefined> {
  const [row] = await sql<Begun[]>`
    select address, may_be_sent, is_last
    from parlance.begin_alert_mail(${job.id}, ${claim})
  `;
  return row;
}
