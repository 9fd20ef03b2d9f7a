/**
 * Mail by SMTP with TLS from the first byte (RFC 8314): nobody between can keep the connection plain, as they can with
 * STARTTLS, and clouds that close 25 and 587 leave 465 open. A connection for each mail.
 */
import { createTransport } from "nodemailer";
import { composeMessageId, type Mail, type Mailer, MailFault, type Sender } from "./mailer.ts";

export interface SmtpServer {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

export interface SmtpOptions {
  readonly server: SmtpServer;
  readonly from: Sender;
  /** Certificates in PEM that are trusted instead of the system's. */
  readonly authorities?: string | undefined;
  /** For looking the host up, for connecting, for its greeting, and for each answer. Default 10,000. */
  readonly waitMs?: number;
}

export function createSmtpMailer(options: SmtpOptions): Mailer {
  return {
    async send(mail, signal) {
      const transport = createTransport({
        ...connectionOf(options),
        disableFileAccess: true,
        disableUrlAccess: true,
      });
      try {
        await transport.sendMail({ ...messageOf(mail, options.from), signal });
      } catch (error) {
        throw faultOf(error);
      } finally {
        transport.close();
      }
    },
  };
}

function connectionOf({ server, authorities, waitMs = 10_000 }: SmtpOptions) {
  const { host, port, user, password } = server;
  return {
    host,
    port,
    secure: true,
    ...(user === "" ? {} : { auth: { user, pass: password } }),
    dnsTimeout: waitMs,
    connectionTimeout: waitMs,
    greetingTimeout: waitMs,
    socketTimeout: waitMs,
    socketCloseTimeout: 1_000,
    maxResponseSize: 65_536,
    tls: { minVersion: "TLSv1.2" as const, ...(authorities === undefined ? {} : { ca: authorities }) },
  };
}

function messageOf(mail: Mail, from: Sender) {
  return {
    from,
    to: { name: "", address: mail.to },
    subject: mail.subject,
    text: mail.text,
    messageId: composeMessageId(mail.name, from),
    references: composeMessageId(mail.thread, from),
    // Nobody's "I am on holiday" answers a machine (RFC 3834).
    headers: { "Auto-Submitted": "auto-generated" },
  };
}

interface SmtpError {
  readonly code?: string;
  readonly originalCode?: string;
  readonly responseCode?: number;
  readonly response?: string;
  readonly permanent?: boolean;
}

/** The answer's numbers are told, not its words: those are written for whoever runs the server. */
function faultOf(error: unknown): MailFault {
  const { code = "", originalCode = "", responseCode, response = "", permanent } = (error ?? {}) as SmtpError;
  if (responseCode !== undefined) {
    const detailed = /^\d{3}[ -](\d\.\d{1,3}\.\d{1,3})\b/.exec(response)?.[1];
    const answered = detailed === undefined ? String(responseCode) : `${responseCode} ${detailed}`;
    const words =
      code === "EAUTH" ? "The mail server refused the login" : "The mail server refused the message";
    return new MailFault(`${words}: ${answered}.`, { retryable: permanent === false, cause: error });
  }
  const isForGood = code === "EENVELOPE" || code === "ENOAUTH";
  const [, words] = reasons.find(([pattern]) => pattern.test(originalCode) || pattern.test(code)) ?? [];
  return new MailFault(words ?? "The mail could not be sent.", { retryable: !isForGood, cause: error });
}

const reasons: readonly [RegExp, string][] = [
  [/^(ENOTFOUND|ENODATA|EAI_\w+|EDNS)$/, "The mail server's name was not found."],
  [/^ECONNREFUSED$/, "The mail server refused the connection."],
  [/^CERT_HAS_EXPIRED$/, "The mail server's certificate has expired."],
  [/ALTNAME/, "The mail server's certificate is for another host."],
  [/CERT|SIGNATURE|ISSUER|SELF_SIGNED/, "The mail server's certificate is not one that is trusted."],
  [/^(ETLS|EPROTO|ERR_SSL_\w+|ERR_TLS_\w+)$/, "The mail server does not speak TLS on this port."],
  [/^(ETIMEDOUT|EABORT)$/, "The mail server did not answer in time."],
  [/^(EPROTOCOL)$/, "The mail server does not speak SMTP."],
  [/^(EENVELOPE)$/, "The mail server was not told a recipient."],
  [/^(ENOAUTH)$/, "The mail server offers no login that is known."],
  [/^(ECONNECTION|ECONNRESET|EPIPE|ESOCKET)$/, "The connection to the mail server was cut."],
];
