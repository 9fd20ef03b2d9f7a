import type { AddressInfo } from "node:net";
import net from "node:net";
import tls from "node:tls";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { type Mail, MailFault } from "../../../gpu-sidecar/mail/mailer.ts";
import { createSmtpMailer, type SmtpServer } from "../../../gpu-sidecar/mail/smtp.ts";
import {
  decodeWords,
  issueForMail,
  type MailServer,
  type MailServerOptions,
  mailAuthorities,
  openMailServer,
} from "./mail-server.ts";

let server: MailServer;
beforeEach(async () => {
  server = await openMailServer();
});
afterEach(() => server[Symbol.asyncDispose]());

const from = { name: "Parlance", address: "alerts@example.com" };
const mail: Mail = {
  to: "alice@example.org",
  subject: "[Parlance] Warning: größer als sonst",
  text: "Die Antwort war größer.\n.\nEnde\n",
  name: "0190-message",
  thread: "0190-thread",
};

interface Wish {
  readonly mail?: Partial<Mail>;
  readonly server?: Partial<SmtpServer>;
  readonly waitMs?: number;
  readonly trusts?: string | undefined;
  readonly signal?: AbortSignal;
}

/** `sent`, or the fault in words. */
async function send(wish: Wish = {}): Promise<string> {
  const { host, port, user, password } = server;
  const mailer = createSmtpMailer({
    server: { host, port, user, password, ...wish.server },
    from,
    authorities: "trusts" in wish ? wish.trusts : mailAuthorities,
    waitMs: wish.waitMs ?? 10_000,
  });
  try {
    await mailer.send({ ...mail, ...wish.mail }, wish.signal ?? new AbortController().signal);
    return "sent";
  } catch (error) {
    expect(error).toBeInstanceOf(MailFault);
    const { message, retryable } = error as MailFault;
    return `${retryable ? "later" : "never"}: ${message}`;
  }
}

test("a mail arrives as it was written, at one address, from the one that was set", async () => {
  expect(await send()).toBe("sent");
  const [received, ...others] = server.received;
  expect(others).toEqual([]);
  expect(received).toMatchObject({
    from: from.address,
    to: [mail.to],
    text: mail.text,
    headers: {
      from: "Parlance <alerts@example.com>",
      to: mail.to,
      "message-id": "<0190-message@example.com>",
      references: "<0190-thread@example.com>",
      "auto-submitted": "auto-generated",
    },
  });
  expect(decodeWords(received?.headers.subject ?? "")).toBe(mail.subject);
  expect(server.logins).toBe(1);
});

test("the same mail sent twice is the same message", async () => {
  await send();
  await send();
  const names = server.received.map(({ headers }) => headers["message-id"]);
  expect(names).toEqual(["<0190-message@example.com>", "<0190-message@example.com>"]);
});

test.each([
  "harmless\r\nBcc: mallory@example.net",
  "harmless\nTo: mallory@example.net\n\nanother text",
  "harmless\r\n\r\n.\r\nRCPT TO:<mallory@example.net>",
  "harmless\u0085\u2028Bcc: mallory@example.net",
])("a subject can add neither headers nor recipients: %j", async (subject) => {
  expect(await send({ mail: { subject } })).toBe("sent");
  const [received] = server.received;
  expect(received?.to).toEqual([mail.to]);
  expect(Object.keys(received?.headers ?? {})).not.toContain("bcc");
  expect(received?.headers.to).toBe(mail.to);
  expect(received?.text).toBe(mail.text);
});

test("of an address with more in it nobody else is written to", async () => {
  for (const to of [
    "alice@example.org, mallory@example.net",
    "alice@example.org>\r\nRCPT TO:<mallory@example.net",
  ]) {
    await send({ mail: { to } });
  }
  expect(server.received.flatMap(({ to }) => to)).not.toContain("mallory@example.net");
});

test("a text cannot end the message and give orders", async () => {
  const text = "one\n.\nMAIL FROM:<mallory@example.net>\n.\n\n.\n";
  expect(await send({ mail: { text } })).toBe("sent");
  expect(server.received).toHaveLength(1);
  expect(server.received[0]?.text).toBe(text);
});

describe("a server that", () => {
  test.each([
    [
      { at: "rcpt", code: 550, words: "5.1.1 nobody" },
      "never: The mail server refused the message: 550 5.1.1.",
    ],
    [{ at: "rcpt", code: 450 }, "later: The mail server refused the message: 450."],
    [{ at: "mail", code: 553 }, "never: The mail server refused the message: 553."],
    [{ at: "mail", code: 421 }, "later: The mail server refused the message: 421."],
    [{ at: "data", code: 554 }, "never: The mail server refused the message: 554."],
    [{ at: "data", code: 452 }, "later: The mail server refused the message: 452."],
    [{ at: "auth", code: 535 }, "never: The mail server refused the login: 535."],
    [{ at: "auth", code: 454 }, "later: The mail server refused the login: 454."],
  ] as const)("answers %j", async (refusal, outcome) => {
    server.refuse(refusal);
    expect(await send()).toBe(outcome);
    expect(server.received).toEqual([]);
  });

  test("says more than numbers is not quoted", async () => {
    server.refuse({ at: "rcpt", code: 550, words: "blocked by mx7.internal.example.com for 10.0.0.7" });
    expect(await send()).not.toMatch(/internal|10\.0/);
  });

  test("does not know the password refuses the login, and no password is told", async () => {
    const outcome = await send({ server: { password: "wrong-secret" } });
    expect(outcome).toBe("never: The mail server refused the login: 535.");
  });

  test("is not there is tried later", async () => {
    const { port } = server;
    await server[Symbol.asyncDispose]();
    expect(await send({ server: { port } })).toBe("later: The mail server refused the connection.");
    server = await openMailServer();
  });

  test("never greets is given up", async () => {
    const certificate = issueForMail(["localhost"]);
    const port = await listen(
      tls.createServer({ cert: certificate.certificate, key: certificate.key }, () => {}),
    );
    expect(await send({ server: { port }, waitMs: 200 })).toBe(
      "later: The mail server did not answer in time.",
    );
  });

  test("takes the connection and says nothing, not even of TLS, is given up", async () => {
    const port = await listen(net.createServer(() => {}));
    expect(await send({ server: { port }, waitMs: 200 })).toBe(
      "later: The mail server did not answer in time.",
    );
  });

  test("greets and falls silent is given up", async () => {
    const certificate = issueForMail(["localhost"]);
    const greet = (socket: net.Socket) => void socket.write("220 mail.example.com ESMTP\r\n");
    const port = await listen(
      tls.createServer({ cert: certificate.certificate, key: certificate.key }, greet),
    );
    expect(await send({ server: { port }, waitMs: 200 })).toBe(
      "later: The mail server did not answer in time.",
    );
  });

  test("speaks without TLS is told nothing", async () => {
    const heard: string[] = [];
    const port = await listen(
      net.createServer((socket) => {
        socket.on("data", (part) => heard.push(String(part)));
        socket.write("220 mail.example.com ESMTP\r\n");
      }),
    );
    expect(await send({ server: { port } })).toMatch(/^later: /);
    expect(heard.join("")).not.toMatch(/EHLO|AUTH|alice/);
  });

  test("speaks another protocol is tried later", async () => {
    const certificate = issueForMail(["localhost"]);
    const answer = (socket: net.Socket) => void socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
    const port = await listen(
      tls.createServer({ cert: certificate.certificate, key: certificate.key }, answer),
    );
    expect(await send({ server: { port } })).toMatch(/^later: /);
  });
});

describe("the certificate", () => {
  test.each<[string, MailServerOptions, Wish, string]>([
    [
      "is for another host",
      { certificate: issueForMail(["other.example.com"]) },
      {},
      "later: The mail server's certificate is for another host.",
    ],
    [
      "has expired",
      { certificate: issueForMail(["localhost"], { hasExpired: true }) },
      {},
      "later: The mail server's certificate has expired.",
    ],
    [
      "is by an authority of nobody",
      {},
      { trusts: undefined },
      "later: The mail server's certificate is not one that is trusted.",
    ],
  ])("%s: no login is sent", async (_what, options, wish, outcome) => {
    const other = await openMailServer(options);
    onTestFinished(() => other[Symbol.asyncDispose]());
    expect(await send({ ...wish, server: { port: other.port } })).toBe(outcome);
    expect([other.logins, other.received]).toEqual([0, []]);
  });
});

test("a send that is stopped ends, and the connection with it", async () => {
  const certificate = issueForMail(["localhost"]);
  let isClosed = false;
  const greeted = Promise.withResolvers<void>();
  const port = await listen(
    tls.createServer({ cert: certificate.certificate, key: certificate.key }, (socket) => {
      socket.on("close", () => {
        isClosed = true;
      });
      socket.on("error", () => {});
      socket.write("220 mail.example.com ESMTP\r\n");
      greeted.resolve();
    }),
  );
  const controller = new AbortController();
  const sending = send({ server: { port }, signal: controller.signal });
  await greeted.promise;
  controller.abort();
  expect(await sending).toMatch(/^later: /);
  await expect.poll(() => isClosed, { timeout: 20_000 }).toBe(true);
});

async function listen(listener: net.Server): Promise<number> {
  const sockets = new Set<net.Socket>();
  listener.on("connection", (socket: net.Socket) => void sockets.add(socket.on("error", () => {})));
  listener.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => listener.close(resolve));
  });
  return (listener.address() as AddressInfo).port;
}
