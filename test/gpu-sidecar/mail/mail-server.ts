/** A mail server on this machine: SMTP over TLS by an authority of its own, that does to senders what a test says. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { SMTPServer } from "smtp-server";
import { type Certificate, createAuthority } from "../../helpers/certificates.ts";

export const mailHost = "127.0.0.1";
const authority = createAuthority("an authority for mail");
export const mailAuthorities = authority.certificate;
export const issueForMail = (names: readonly string[], options?: { hasExpired?: boolean }) =>
  authority.issue(names, options);

export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  /** As it came: headers, an empty line, the text. */
  readonly raw: string;
  /** Unfolded, by lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** What is answered at a step instead of success. */
export interface Refusal {
  readonly at: "auth" | "mail" | "rcpt" | "data";
  readonly code: number;
  readonly words?: string;
}

export interface MailServer extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly received: readonly ReceivedMail[];
  readonly logins: number;
  /** Refusals to come, in order; undefined takes a mail. The last one stays. */
  refuse(...refusals: (Refusal | undefined)[]): void;
}

export interface MailServerOptions {
  readonly certificate?: Certificate;
}

export async function openMailServer(options: MailServerOptions = {}): Promise<MailServer> {
  const received: ReceivedMail[] = [];
  let refusals: (Refusal | undefined)[] = [undefined];
  let logins = 0;
  const [user, password] = ["parlance", "a pass:word@/%"];
  const judge = (at: Refusal["at"]): Error | undefined => {
    const refusal = refusals[0];
    if (refusal?.at !== at) return undefined;
    if (refusals.length > 1) refusals.shift();
    return Object.assign(new Error(refusal.words ?? "no"), { responseCode: refusal.code });
  };
  const { certificate, key } = options.certificate ?? authority.issue(["localhost"]);
  const server = new SMTPServer({
    secure: true,
    cert: certificate,
    key,
    authMethods: ["PLAIN", "LOGIN"],
    onAuth(auth, _session, answer) {
      logins += 1;
      const refusal = judge("auth");
      const isKnown = auth.username === user && auth.password === password;
      if (refusal) return answer(refusal);
      if (!isKnown) return answer(Object.assign(new Error("who are you"), { responseCode: 535 }));
      answer(null, { user });
    },
    onMailFrom: (_address, _session, answer) => answer(judge("mail")),
    onRcptTo: (_address, _session, answer) => answer(judge("rcpt")),
    onData(stream, session, answer) {
      const parts: Uint8Array[] = [];
      stream.on("data", (part: Uint8Array) => parts.push(part));
      stream.on("end", () => {
        const refusal = judge("data");
        if (refusal) return answer(refusal);
        if (refusals.length > 1) refusals.shift();
        const { mailFrom, rcptTo } = session.envelope;
        received.push(
          readMail(Buffer.concat(parts).toString("utf8"), {
            from: mailFrom ? mailFrom.address : "",
            to: rcptTo.map(({ address }) => address),
          }),
        );
        answer();
      });
    },
  });
  // What a test does to the connection is seen where it was made.
  server.on("error", () => {});
  const listening = server.listen(0, "127.0.0.1");
  await once(listening, "listening");
  return {
    host: "localhost",
    port: (listening.address() as AddressInfo).port,
    user,
    password,
    received,
    get logins() {
      return logins;
    },
    refuse: (...wanted) => {
      refusals = wanted;
    },
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

function readMail(raw: string, envelope: { from: string; to: string[] }): ReceivedMail {
  const [head = "", body = ""] = raw.split(/\r\n\r\n(.*)/s);
  const lines = head.replace(/\r\n[ \t]+/g, " ").split("\r\n");
  const headers = Object.fromEntries(
    lines.map((line) => [
      line.slice(0, line.indexOf(":")).toLowerCase(),
      line.slice(line.indexOf(":") + 1).trim(),
    ]),
  );
  return {
    ...envelope,
    raw,
    headers,
    text: decodeBody(body, headers["content-transfer-encoding"] ?? "7bit"),
  };
}

function decodeBody(body: string, encoding: string): string {
  if (encoding === "base64") return Buffer.from(body, "base64").toString("utf8");
  if (encoding !== "quoted-printable") return body.replaceAll("\r\n", "\n");
  const bytes = body
    .replace(/=\r\n/g, "")
    .replaceAll("\r\n", "\n")
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, "latin1").toString("utf8");
}

/** Words of a header, RFC 2047 undone. */
export function decodeWords(text: string): string {
  const joined = text.replace(/\?=\s+=\?/g, "?==?");
  return joined.replace(/=\?utf-8\?([bq])\?(.*?)\?=/gi, (_, kind: string, words: string) =>
    kind.toLowerCase() === "b"
      ? Buffer.from(words, "base64").toString("utf8")
      : decodeBody(words.replaceAll("_", " "), "quoted-printable"),
  );
}
