import { describe, expect, onTestFinished, test } from "vitest";
import { CallFault } from "../../../gpu-sidecar/webhooks/faults.ts";
import { findAddresses, resolveHost } from "../../../gpu-sidecar/webhooks/hosts.ts";
import { type Answer, post } from "../../../gpu-sidecar/webhooks/post.ts";
import { until } from "../../helpers/until.ts";
import {
  answer,
  authorities,
  createResolver,
  hostName,
  issue,
  ok,
  openReceiver,
  type Receiver,
  type ReceiverOptions,
} from "./receiver.ts";

async function open(options?: ReceiverOptions): Promise<Receiver> {
  const receiver = await openReceiver(options);
  onTestFinished(() => receiver[Symbol.asyncDispose]());
  return receiver;
}

interface Wish {
  readonly addresses?: readonly string[];
  readonly body?: string;
  readonly callMs?: number;
  readonly trusts?: string | undefined;
}

/** The answer, or the fault in words. */
async function call(url: string, wish: Wish = {}): Promise<Answer | string> {
  const resolver = createResolver(wish.addresses ?? ["127.0.0.1"]);
  try {
    return await post({
      url: new URL(url),
      addresses: await resolver.resolve(hostName),
      headers: { "content-type": "application/json", "webhook-id": "1" },
      body: wish.body ?? "{}",
      signal: AbortSignal.timeout(wish.callMs ?? 10_000),
      authorities: "trusts" in wish ? wish.trusts : authorities,
    });
  } catch (error) {
    expect(error).toBeInstanceOf(CallFault);
    return (error as CallFault).message;
  }
}

test("a call is a POST with the body, the headers and the name of the host", async () => {
  const receiver = await open();
  const body = JSON.stringify({ words: "größer als 日本" });
  expect(await call(receiver.url, { body })).toEqual({ statusCode: 200, retryAfter: undefined });
  expect(receiver.received).toEqual([
    {
      method: "POST",
      path: "/hooks?for=parlance",
      headers: expect.objectContaining({
        host: `${hostName}:${receiver.port}`,
        "content-type": "application/json",
        "content-length": String(Buffer.byteLength(body)),
        "webhook-id": "1",
      }),
      body,
    },
  ]);
});

test("over http too, where that is allowed", async () => {
  const receiver = await open({ isPlain: true });
  expect(await call(receiver.url)).toMatchObject({ statusCode: 200 });
});

test("of several addresses one that answers is enough", async () => {
  const receiver = await open();
  expect(await call(receiver.url, { addresses: ["127.0.0.9", "127.0.0.1"] })).toMatchObject({
    statusCode: 200,
  });
});

test("a proxy of the environment is not asked", async () => {
  const receiver = await open();
  const before = { ...process.env };
  onTestFinished(() => {
    process.env = before;
  });
  process.env.HTTPS_PROXY = process.env.https_proxy = "http://127.0.0.1:1";
  expect(await call(receiver.url)).toMatchObject({ statusCode: 200 });
});

test("a redirect is an answer like any other: nobody goes there", async () => {
  const elsewhere = await open({ isPlain: true });
  const receiver = await open();
  receiver.reply(answer(307, `location: http://127.0.0.1:${elsewhere.port}/\r\n`));
  expect(await call(receiver.url)).toMatchObject({ statusCode: 307 });
  expect(elsewhere.connections).toBe(0);
});

describe("the certificate", () => {
  test.each([
    [
      "is for another host",
      { certificate: issue(["other.example.com"]) },
      {},
      "The certificate is for another host.",
    ],
    ["is for the address", { certificate: issue(["127.0.0.1"]) }, {}, "The certificate is for another host."],
    [
      "has expired",
      { certificate: issue([hostName], { hasExpired: true }) },
      {},
      "The certificate has expired.",
    ],
    [
      "is by an authority of nobody",
      {},
      { trusts: undefined },
      "The certificate is not one that is trusted.",
    ],
    [
      "is none: no TLS at all",
      { isPlain: true, greeting: "220 mail.example.com ESMTP\r\n" },
      {},
      "A secure connection could not be made.",
    ],
  ])("%s: nothing is sent", async (_what, options, wish, message) => {
    const receiver = await open(options);
    expect(await call(receiver.url.replace("http:", "https:"), wish)).toBe(message);
    expect(receiver.connections).toBeGreaterThan(0);
    expect(receiver.received).toEqual([]);
  });

  test("with a wildcard counts", async () => {
    const receiver = await open({ certificate: issue(["*.example.com"]) });
    expect(await call(receiver.url)).toMatchObject({ statusCode: 200 });
  });
});

describe("a receiver that", () => {
  test("never answers is waited for no longer than the call may take", async () => {
    const receiver = await open();
    receiver.reply(() => {});
    expect(await call(receiver.url, { callMs: 200 })).toBe("There was no answer in time.");
  });

  test("takes the connection and says nothing is waited for no longer either", async () => {
    const receiver = await open({ isPlain: true });
    const silent = receiver.url.replace("http:", "https:");
    expect(await call(silent, { callMs: 200 })).toBe("There was no answer in time.");
  });

  test("answers a letter at a time is waited for no longer either", async () => {
    const receiver = await open();
    receiver.reply((socket) => {
      const timer = setInterval(() => socket.write("H"), 20);
      socket.on("close", () => clearInterval(timer));
      socket.write("HTTP/1.1 200 OK\r\nx: ");
    });
    expect(await call(receiver.url, { callMs: 300 })).toBe("There was no answer in time.");
  });

  test("sends a body without end is read a little, and the connection ends", async () => {
    const receiver = await open();
    let sentBytes = 0;
    let hasEnded = false;
    receiver.reply((socket) => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      const timer = setInterval(() => {
        sentBytes += 4096;
        socket.write("z".repeat(4096));
      }, 1);
      socket.on("close", () => {
        clearInterval(timer);
        hasEnded = true;
      });
    });
    expect(await call(receiver.url)).toMatchObject({ statusCode: 200 });
    await until("the connection has ended", () => hasEnded);
    expect(sentBytes).toBeGreaterThan(16_384);
  });

  test("sends headers without end is cut off", async () => {
    const receiver = await open();
    receiver.reply((socket) => {
      socket.write("HTTP/1.1 200 OK\r\n");
      let count = 0;
      const timer = setInterval(() => socket.write(`x-${count++}: ${"y".repeat(1000)}\r\n`), 1);
      socket.on("close", () => clearInterval(timer));
    });
    expect(await call(receiver.url)).toBe("The answer's headers are too long.");
  });

  test("answers 200 and is cut off in the middle of its words has answered 200", async () => {
    const receiver = await open();
    receiver.reply((socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc"));
    expect(await call(receiver.url)).toMatchObject({ statusCode: 200 });
  });

  test.each([
    [
      "cuts the connection",
      (socket: { destroy(): void }) => void socket.destroy(),
      /^The connection was cut/,
    ],
    ["speaks another protocol", "SSH-2.0-OpenSSH_9.6\r\n\r\n", /^The answer is not HTTP/],
    ["says nothing and ends", "", /^The connection was cut/],
  ] as const)("%s is told so", async (_what, reply, message) => {
    const receiver = await open();
    receiver.reply(reply);
    expect(await call(receiver.url)).toMatch(message);
  });

  test("listens no more refuses the connection", async () => {
    const receiver = await openReceiver();
    await receiver[Symbol.asyncDispose]();
    expect(await call(receiver.url)).toBe("The connection was refused.");
  });

  test("asks for time is understood", async () => {
    const receiver = await open();
    receiver.reply(answer(503, "retry-after: 120\r\n"));
    expect(await call(receiver.url)).toEqual({ statusCode: 503, retryAfter: "120" });
  });

  test.each(["connection: Upgrade\r\nupgrade: websocket\r\n", ""])(
    "would rather speak another protocol has answered 101: %j",
    async (headers) => {
      const receiver = await open();
      let hasEnded = false;
      receiver.reply((socket) => {
        socket.on("close", () => {
          hasEnded = true;
        });
        socket.write(`HTTP/1.1 101 Switching Protocols\r\n${headers}\r\n`);
      });
      expect(await call(receiver.url, { callMs: 2_000 })).toMatchObject({ statusCode: 101 });
      await until("the connection has ended", () => hasEnded);
    },
  );

  test("says 100 first has not answered yet", async () => {
    const receiver = await open();
    receiver.reply(`HTTP/1.1 100 Continue\r\n\r\n${ok}`);
    expect(await call(receiver.url)).toMatchObject({ statusCode: 200 });
  });
});

describe("the addresses of a host", () => {
  const find = async (url: string, answers: readonly string[], targets: "public" | "any" = "public") => {
    const resolver = createResolver(answers);
    const found = await findAddresses(new URL(url), { resolve: resolver.resolve, targets }).catch(
      (error: CallFault) => ({ message: error.message, retryable: error.retryable }),
    );
    return { found, asked: resolver.asked };
  };
  const refused = { message: "The host is not one of the public internet.", retryable: true };

  test("are all that the resolver knows, asked once", async () => {
    const { found, asked } = await find("https://example.com./a", ["1.1.1.1", "2606:4700::1111"]);
    expect(found).toEqual([
      { address: "1.1.1.1", family: 4 },
      { address: "2606:4700::1111", family: 6 },
    ]);
    expect(asked).toEqual(["example.com"]);
  });

  test.each([
    ["127.0.0.1"],
    ["10.0.0.1"],
    ["169.254.169.254"],
    ["100.64.0.1"],
    ["0.0.0.0"],
    ["::1"],
    ["::ffff:127.0.0.1"],
    ["64:ff9b::a00:1"],
    ["fe80::1%eth0"],
    ["fd00::1"],
    ["2002:a00:1::"],
    ["1.1.1.1", "10.0.0.1"],
    ["2606:4700::1111", "::1"],
  ])("are refused as a whole, this time, where one is not public: %s %s", async (...answers) => {
    expect((await find("https://example.com/", answers)).found).toEqual(refused);
  });

  test("that are named by the URL itself are judged alike, without a resolver", async () => {
    const forGood = { found: { ...refused, retryable: false }, asked: [] };
    expect(await find("https://[::1]/", [])).toEqual(forGood);
    expect(await find("https://127.1/", [])).toEqual(forGood);
    const open = { found: [{ address: "1.1.1.1", family: 4 }], asked: [] };
    expect(await find("https://1.1.1.1/", [])).toEqual(open);
  });

  test("that are none may be there the next time", async () => {
    expect((await find("https://example.com/", [])).found).toMatchObject({ retryable: true });
    const resolve = () => Promise.reject(Object.assign(new Error("queryA"), { code: "ENOTFOUND" }));
    const looking = findAddresses(new URL("https://example.com/"), { resolve, targets: "public" });
    await expect(looking).rejects.toMatchObject({
      message: "The host's name was not found.",
      retryable: true,
    });
  });

  test("are looked up as the system does", async () => {
    const looking = findAddresses(new URL("https://localhost/"), { resolve: resolveHost, targets: "public" });
    await expect(looking).rejects.toMatchObject(refused);
  });

  test("may be private to try things out", async () => {
    const { found } = await find("http://example.com/", ["127.0.0.1"], "any");
    expect(found).toEqual([{ address: "127.0.0.1", family: 4 }]);
  });
});
