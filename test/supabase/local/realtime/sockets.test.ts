import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { connectClient, listen } from "./clients.ts";
import { openRaw, type RawSocket } from "./raw.ts";
import { openSleeper } from "./sleeper.ts";
import { openStandIn, type StandIn, type StandInOptions } from "./stand-in.ts";

/** What a socket may ask, and what it may not take. */
let standIn: StandIn;
const sockets: RawSocket[] = [];
const others: StandIn[] = [];

beforeAll(async () => {
  standIn = await openStandIn();
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.close();
  await Promise.all(others.splice(0).map((other) => other.close()));
});
afterAll(() => standIn.close());

async function open(where = standIn, query?: string): Promise<RawSocket> {
  const socket = await openRaw(where.url, where.keys.publishableKey, query);
  sockets.push(socket);
  return socket;
}

async function openLimited(limits: StandInOptions["limits"]): Promise<StandIn> {
  const limited = await openStandIn({ limits: limits ?? {} });
  others.push(limited);
  return limited;
}

const request = (query: string, headers: Record<string, string> = {}) =>
  fetch(`${standIn.url}/realtime/v1/websocket?${query}`, { headers });
const upgrade = { connection: "Upgrade", upgrade: "websocket" };

describe("a socket", () => {
  test("is refused without a key, with an unknown one, and in a version that nobody speaks", async () => {
    const key = standIn.keys.publishableKey;
    expect((await request("vsn=2.0.0", upgrade)).status).toBe(401);
    expect((await request("vsn=2.0.0&apikey=sb_publishable_no", upgrade)).status).toBe(401);
    const unknown = await request(`vsn=3.0.0&apikey=${key}`, upgrade);
    expect([unknown.status, await unknown.json()]).toEqual([
      400,
      { message: "The protocol is 1.0.0 or 2.0.0." },
    ]);
    expect((await request(`vsn=2.0.0&apikey=${key}`)).status).toBe(426);
  });

  test("with the secret key is refused to a browser", async () => {
    const headers = { ...upgrade, "user-agent": "Mozilla/5.0 (X11; Linux x86_64)" };
    expect((await request(`vsn=2.0.0&apikey=${standIn.keys.secretKey}`, headers)).status).toBe(401);
  });

  test("is answered its heartbeat while a join is still on its way", async () => {
    const socket = await open();
    void socket.join("realtime:slow", {});
    expect(await socket.ask("phoenix", "heartbeat")).toEqual({ status: "ok", response: {} });
  });

  test("that sends what is no frame is closed with the reason", async () => {
    for (const data of [
      "no json",
      "[1,2]",
      new Uint8Array([3, 200, 0, 0, 0, 0, 1]),
      new Uint8Array([0, 1, 2, 3]),
    ]) {
      const socket = await open();
      socket.sendRaw(data);
      expect((await socket.ended()).code).toBe(1007);
    }
  });

  test("that falls silent is closed", async () => {
    const socket = await open(await openLimited({ heartbeatTimeoutMs: 100 }));
    expect(await socket.ended()).toEqual({ code: 1002, reason: "No heartbeat" });
  });

  test("that sends a frame too long is closed", async () => {
    const socket = await open(await openLimited({ frameBytesMax: 1_000 }));
    socket.sendRaw(JSON.stringify([null, "1", "phoenix", "heartbeat", { filler: "x".repeat(1_000) }]));
    await socket.ended();
    expect(socket.frames).toEqual([]);
  });

  test("beyond the number of sockets is refused, and one that left makes room", async () => {
    const limited = await openLimited({ socketsMax: 1 });
    const first = await open(limited);
    const second = await openRaw(limited.url, limited.keys.publishableKey);
    expect(second.closed).toHaveLength(1);
    first.close();
    await first.ended();
    await expect.poll(async () => (await open(limited)).closed, { timeout: 10_000 }).toEqual([]);
  });

  test("that does not read what it asked for is closed with the reason, and the others go on", async () => {
    const limited = await openLimited({ sendBufferBytesMax: 100_000, messagesPerSecond: 10_000 });
    const reader = await listen(connectClient(limited.url, limited.keys.publishableKey), "flood");
    const sleeper = await openSleeper(limited, "flood");
    const sender = connectClient(limited.url, limited.keys.publishableKey).channel("flood");
    const filler = "x".repeat(200_000);
    let sent = 0;
    // The buffers of the kernel hold some megabytes before ours has anything to hold.
    for (; sent < 100; sent += 1) await sender.httpSend("filler", { filler });
    await reader.heard(sent);
    expect(await sleeper.wake()).toMatchObject({
      code: 1013,
      reason: "Too slow: more than 100000 bytes are waiting",
    });
    await reader.channel.unsubscribe();
  });
});

describe("a join", () => {
  test.each([
    ["presence", { presence: { enabled: true } }, "PresenceNotSupported"],
    [
      "postgres_changes",
      { postgres_changes: [{ event: "*", schema: "public" }] },
      "PostgresChangesNotSupported",
    ],
    ["a replay of a public channel", { broadcast: { replay: { since: 0 } } }, "UnableToReplayMessages"],
    ["settings of another shape", { broadcast: { ack: "yes" } }, "InvalidJoinPayload"],
    [
      "a replay since no time",
      { private: true, broadcast: { replay: { since: "now" } } },
      "UnableToReplayMessages",
    ],
    [
      "a replay since a time that is none",
      { private: true, broadcast: { replay: { since: 1e300 } } },
      "Unable",
    ],
  ])("that asks for %s is refused", async (_, config, reason) => {
    const socket = await open();
    const answer = await socket.join("realtime:t", config);
    expect(answer.status).toBe("error");
    expect(answer.response.reason).toContain(reason);
    expect((await socket.ask("realtime:t", "broadcast", { event: "e" })).response.reason).toBe(
      "unmatched topic",
    );
  });

  test("of presence is told to supabase-js as an error", async () => {
    const client = connectClient(standIn.url, standIn.keys.publishableKey);
    const channel = client.channel("present").on("presence", { event: "sync" }, () => {});
    const told = await new Promise<string>((resolve) => {
      channel.subscribe((status, error) => resolve(`${status}: ${error?.message}`));
    });
    expect(told).toBe("CHANNEL_ERROR: PresenceNotSupported: Presence is not supported by the embedded mode");
    await client.removeAllChannels();
    const tracked = await listen(connectClient(standIn.url, standIn.keys.publishableKey), "tracked");
    expect(await tracked.channel.track({ online: true })).toBe("error");
    await tracked.channel.unsubscribe();
  });

  test("without a topic, or of a topic that is no channel, is refused", async () => {
    const socket = await open();
    expect((await socket.join("realtime:")).response.reason).toContain("TopicNameRequired");
    expect((await socket.join("phoenix:other")).response.reason).toBe("unmatched topic");
    expect((await socket.ask("realtime:never joined", "broadcast")).response.reason).toBe("unmatched topic");
    expect((await socket.ask("realtime:never joined", "phx_leave")).status).toBe("ok");
  });

  test("beyond the number of channels is refused, and one that was left makes room", async () => {
    const socket = await open(await openLimited({ channelsPerSocketMax: 2 }));
    expect((await socket.join("realtime:1")).status).toBe("ok");
    expect((await socket.join("realtime:2")).status).toBe("ok");
    const refused = await socket.join("realtime:3");
    expect(refused.response.reason).toBe("ChannelRateLimitReached: Too many channels");
    expect((await socket.ask("realtime:1", "phx_leave")).status).toBe("ok");
    expect((await socket.join("realtime:3")).status).toBe("ok");
  });

  test("of a channel that is open closes the old one and opens a new one", async () => {
    const socket = await open();
    await socket.join("realtime:twice");
    await socket.join("realtime:twice");
    const events = socket.frames.map(({ event, joinRef }) => [event, joinRef]);
    expect(events).toEqual([
      ["phx_reply", "1"],
      ["phx_close", "1"],
      ["phx_reply", "2"],
    ]);
  });

  test("says that the database is listened to where the client asks", async () => {
    const socket = await open();
    await socket.join("realtime:ready", { broadcast: { replication_ready: true } });
    const { payload } = await socket.heard("realtime:ready", "system");
    expect(payload).toEqual({
      extension: "system",
      status: "ok",
      message: "Replication connection established",
      channel: "ready",
    });
  });
});

describe("a message", () => {
  test("of a channel that was joined anew is not taken for one of the new channel", async () => {
    const socket = await open();
    const hearer = await open();
    await hearer.join("realtime:stale");
    await socket.join("realtime:stale");
    await socket.join("realtime:stale");
    socket.send(["1", "8", "realtime:stale", "broadcast", { type: "broadcast", event: "old", payload: {} }]);
    socket.send([
      "2",
      "9",
      "realtime:stale",
      "broadcast",
      { type: "broadcast", event: "x".repeat(256), payload: {} },
    ]);
    // A name this long comes as text, which is what this socket can read.
    const frame = await hearer.heard("realtime:stale", "broadcast");
    expect(frame.payload).toEqual({ type: "broadcast", event: "x".repeat(256), payload: {} });
  });

  test("that is too large is refused where an answer was asked for", async () => {
    const socket = await open(await openLimited({ payloadBytesMax: 1_000 }));
    await socket.join("realtime:t", { broadcast: { ack: true } });
    const ask = (length: number) =>
      socket.ask("realtime:t", "broadcast", { event: "e", payload: { filler: "x".repeat(length) } });
    expect(await ask(500)).toEqual({ status: "ok", response: {} });
    expect(await ask(1_000)).toEqual({ status: "error", response: { reason: "payload_size_exceeded" } });
  });

  test("that asks to be kept is refused", async () => {
    const client = connectClient(standIn.url, standIn.keys.secretKey);
    const keeper = await listen(client, "kept", { private: true, broadcast: { ack: true } });
    const message = { type: "broadcast" as const, event: "e", payload: {}, persist: true };
    expect(await keeper.channel.send(message)).toBe("persist is not supported by the embedded mode");
    await client.removeAllChannels();
  });

  test("too many at a time close the channel, and without a channel the socket", async () => {
    const limited = await openLimited({ messagesPerSecond: 10 });
    const talker = await listen(connectClient(limited.url, limited.keys.publishableKey), "busy");
    for (let n = 0; n < 30; n += 1)
      void talker.channel.send({ type: "broadcast", event: "e", payload: { n } });
    await talker.reached("CLOSED");
    expect(talker.systems).toMatchObject([{ status: "error", message: "Too many messages per second" }]);

    const socket = await open(limited);
    for (let n = 0; n < 30; n += 1) socket.send([null, String(n), "phoenix", "heartbeat", {}]);
    expect(await socket.ended()).toEqual({ code: 1008, reason: "Too many messages per second" });
  });
});

test("a stopping server says so", async () => {
  const limited = await openLimited({});
  const socket = await open(limited);
  await limited.restart();
  expect(await socket.ended()).toEqual({ code: 1001, reason: "The server is stopping" });
});

test("nothing of this went wrong without an answer", () => {
  expect(standIn.errors).toEqual([]);
});
