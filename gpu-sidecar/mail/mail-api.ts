/** Mail by a company's API, as Resend's takes it (resend.com/docs/api-reference/emails/send-email). */
import { composeMessageId, type Mailer, MailFault, type Sender } from "./mailer.ts";

export interface MailApi {
  readonly url: string;
  readonly key: string;
}

export interface MailApiOptions {
  readonly api: MailApi;
  readonly from: Sender;
  /** Until its answer. Default 15,000. */
  readonly waitMs?: number;
}

export function createApiMailer({ api, from, waitMs = 15_000 }: MailApiOptions): Mailer {
  return {
    async send(mail, signal) {
      const body = {
        from: formatSender(from),
        to: mail.to,
        subject: mail.subject,
        text: mail.text,
        headers: { References: composeMessageId(mail.thread, from), "Auto-Submitted": "auto-generated" },
      };
      const status = await call(api, {
        body,
        name: mail.name,
        signal: AbortSignal.any([signal, AbortSignal.timeout(waitMs)]),
      });
      if (status >= 200 && status < 300) return;
      throw new MailFault(`The mail service answered ${status}.`, { retryable: isTransient(status) });
    },
  };
}

interface Wish {
  readonly body: object;
  /** What was sent by this name before is not sent again. */
  readonly name: string;
  readonly signal: AbortSignal;
}

async function call({ url, key }: MailApi, { body, name, signal }: Wish): Promise<number> {
  try {
    const response = await fetch(url, {
      method: "POST",
      // The key goes to the address that was set, and nowhere else.
      redirect: "manual",
      headers: {
        authorization: `Bearer ${key}`,
        "content-type": "application/json",
        "idempotency-key": name,
        "user-agent": "Parlance-Mail/1",
      },
      body: JSON.stringify(body),
      signal,
    });
    await response.body?.cancel();
    return response.status;
  } catch (error) {
    const words = signal.aborted
      ? "The mail service did not answer in time."
      : "The mail service could not be reached.";
    throw new MailFault(words, { retryable: true, cause: error });
  }
}

/** 409 where another call with this name is under way. */
function isTransient(status: number): boolean {
  return status >= 500 || [408, 409, 425, 429].includes(status);
}

function formatSender({ name, address }: Sender): string {
  return name === "" ? address : `"${name.replace(/[\\"]/g, "\\$&")}" <${address}>`;
}
