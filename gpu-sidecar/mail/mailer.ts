/** What can send mail: a server by SMTP (smtp.ts) or a company's API (mail-api.ts). */
export interface Mail {
  /** One address. */
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  /** The same for what is the same message, and what all messages about one thing are tied together by; letters, digits, `-` and `.`. */
  readonly name: string;
  readonly thread: string;
}

export interface Mailer {
  /** Resolves once whoever sends it on has taken it; throws a MailFault. */
  send(mail: Mail, signal: AbortSignal): Promise<void>;
}

/** Why a mail was not taken, in words for whoever it was for: they tell nothing of the machine that sends. */
export class MailFault extends Error {
  /** False: it would be refused again. */
  readonly retryable: boolean;

  constructor(message: string, options: { retryable: boolean; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.name = "MailFault";
    this.retryable = options.retryable;
  }
}

/** Who sends: an address, with a name or without. */
export interface Sender {
  readonly name: string;
  readonly address: string;
}

/** Of a message, as RFC 5322 writes it: of the sender's domain. */
export function composeMessageId(name: string, { address }: Sender): string {
  return `<${name}@${address.slice(address.lastIndexOf("@") + 1)}>`;
}
