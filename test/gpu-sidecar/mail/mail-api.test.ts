import http from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createApiMailer } from "../../../gpu-sidecar/mail/mail-api.ts";
import { type Mail, MailFault } from "../../../gpu-sidecar/mail/mailer.ts";

interface Received {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Record<string, unknown>;
}

let server: http.Server;
let received: Received[];
let reply: (response: http.ServerResponse) => void;
beforeEach(async () => {
  received = [];
  reply = (response) => response.writeHead(200, { "content-type": "application/json" }).end('{"id":"1"}');
  server = http.createServer(async (request, response) => {
    const parts: Uint8Array[] = [];
    for await (const part of request) parts.push(part as Uint8Array);
    const { method, url: path, headers } = request;
    received.push({ method, path, headers, body: JSON.parse(Buffer.concat(parts).toString()) });
    reply(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const key = "re_0123456789";
const from = { name: 'Parlance "dev"', address: "alerts@example.com" };
const mail: Mail = {
  to: "alice@example.org",
  subject: "größer",
  text: "Zu groß.\n",
  name: "message-1",
  thread: "thread-1",
};

/** `sent`, or the fault in words. */
async function send(wish: { waitMs?: number; url?: string; signal?: AbortSignal } = {}): Promise<string> {
  const url = wish.url ?? `http://127.0.0.1:${(server.address() as AddressInfo | null)?.port}/emails`;
  const mailer = createApiMailer({ api: { url, key }, from, waitMs: wish.waitMs ?? 10_000 });
  try {
    await mailer.send(mail, wish.signal ?? new AbortController().signal);
    return "sent";
  } catch (error) {
    expect(error).toBeInstanceOf(MailFault);
    const { message, retryable } = error as MailFault;
    return `${retryable ? "later" : "never"}: ${message}`;
  }
}

test("a mail is one POST with the key, and a name by which it is sent once", async () => {
  expect(await send()).toBe("sent");
  expect(received).toEqual([
    {
      method: "POST",
      path: "/emails",
      headers: expect.objectContaining({
        authorization: `Bearer ${key}`,
        "content-type": "application/json",
        "idempotency-key": "message-1",
      }),
      body: {
        from: '"Parlance \\"dev\\"" <alerts@example.com>',
        to: "alice@example.org",
        subject: "größer",
        text: "Zu groß.\n",
        headers: { References: "<thread-1@example.com>", "Auto-Submitted": "auto-generated" },
      },
    },
  ]);
});

describe("a service that", () => {
  test.each([
    [400, "never"],
    [401, "never"],
    [403, "never"],
    [404, "never"],
    [422, "never"],
    [302, "never"],
    [408, "later"],
    [409, "later"],
    [429, "later"],
    [500, "later"],
    [503, "later"],
  ])("answers %i: the mail is tried again %s", async (status, when) => {
    reply = (response) => response.writeHead(status, { location: "/elsewhere" }).end(`secret ${key}`);
    expect(await send()).toBe(`${when}: The mail service answered ${status}.`);
    expect(received).toHaveLength(1);
  });

  test("never answers is given up", async () => {
    reply = () => {};
    expect(await send({ waitMs: 200 })).toBe("later: The mail service did not answer in time.");
  });

  test("sends a body without end has answered", async () => {
    reply = (response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write("z".repeat(4096)), 5);
      response.on("close", () => clearInterval(timer));
    };
    expect(await send()).toBe("sent");
  });

  test("is not there is tried later", async () => {
    expect(await send({ url: "http://127.0.0.1:1/emails" })).toBe(
      "later: The mail service could not be reached.",
    );
  });
});

test("a send that is stopped ends", async () => {
  reply = () => {};
  const controller = new AbortController();
  const sending = send({ signal: controller.signal });
  await expect.poll(() => received.length, { timeout: 20_000 }).toBe(1);
  controller.abort();
  expect(await sending).toMatch(/^later: /);
});
