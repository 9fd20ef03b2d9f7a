import type { SupabaseClient } from "@supabase/supabase-js";
import { SignJWT } from "jose";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { connectClient, listen, settle } from "./clients.ts";
import { openTarget, type Target, type TargetUser } from "./target.ts";

/** Broadcast as supabase-js sees it. Asks nothing of the server that a Supabase project would not do. */
let target: Target;
let alice: TargetUser;
let bob: TargetUser;
const clients: SupabaseClient[] = [];

beforeAll(async () => {
  target = await openTarget();
  [alice, bob] = await Promise.all([target.createUser(), target.createUser()]);
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.removeAllChannels()));
});
afterAll(() => target.close());

function connect(
  user?: TargetUser | (() => Promise<string>),
  options: { vsn?: string } = {},
): SupabaseClient {
  const token = typeof user === "function" ? user : user?.token;
  const client = connectClient(target.url, target.publishableKey, token, options);
  clients.push(client);
  return client;
}

function connectService(): SupabaseClient {
  const client = connectClient(target.url, target.secretKey);
  clients.push(client);
  return client;
}

const topicOf = (user: TargetUser) => `user:${user.id}`;
const newTopic = () => `room:${crypto.randomUUID()}`;
const message = (event: string, payload: unknown = {}) => ({ type: "broadcast" as const, event, payload });

describe("a public channel", () => {
  test("carries a message to everyone else on the topic, and to nobody beside it", async () => {
    const topic = newTopic();
    const one = await listen(connect(), topic);
    const two = await listen(connect(), topic);
    const elsewhere = await listen(connect(), newTopic());
    expect([one.statuses, two.statuses]).toEqual([["SUBSCRIBED"], ["SUBSCRIBED"]]);

    await one.channel.send(message("greeting", { text: "Grüße, 世界 🌍", nested: [{ a: null }, 1.5, true] }));
    const heard = await settle(two, (event) => one.channel.send(message(event)));
    expect(heard).toEqual([
      {
        type: "broadcast",
        event: "greeting",
        payload: { text: "Grüße, 世界 🌍", nested: [{ a: null }, 1.5, true] },
      },
    ]);
    expect(one.received).toEqual([]);
    expect(elsewhere.received).toEqual([]);
  });

  test("gives the sender its own message back where it asked for that", async () => {
    const own = await listen(connect(), newTopic(), { broadcast: { self: true } });
    await own.channel.send(message("echo", { n: 1 }));
    expect(await own.heard(1)).toMatchObject([{ event: "echo", payload: { n: 1 } }]);
  });

  test("acknowledges a message where the sender asked for that", async () => {
    const sender = await listen(connect(), newTopic(), { broadcast: { ack: true } });
    expect(await sender.channel.send(message("noted"))).toBe("ok");
  });

  test("carries bytes as bytes", async () => {
    const topic = newTopic();
    const sender = await listen(connect(), topic);
    const hearer = await listen(connect(), topic);
    const bytes = Uint8Array.from({ length: 70_000 }, (_, index) => index % 251);
    await sender.channel.send(message("bytes", bytes.buffer));
    const [received] = await hearer.heard(1);
    expect(received?.payload).toBeInstanceOf(ArrayBuffer);
    expect(new Uint8Array(received?.payload as ArrayBuffer)).toEqual(bytes);
  });

  test("keeps the order of one sender", async () => {
    const topic = newTopic();
    const sender = await listen(connect(), topic);
    const hearer = await listen(connect(), topic);
    for (let n = 0; n < 50; n += 1) void sender.channel.send(message("step", { n }));
    const heard = await hearer.heard(50);
    expect(heard.map(({ payload }) => (payload as { n: number }).n)).toEqual(
      Array.from({ length: 50 }, (_, n) => n),
    );
  });

  test("joins clients of both versions of the protocol", async () => {
    const topic = newTopic();
    const old = await listen(connect(undefined, { vsn: "1.0.0" }), topic);
    const recent = await listen(connect(), topic);
    await old.channel.send(message("from old", { a: 1 }));
    await recent.heard(1);
    await recent.channel.send(message("from recent", { b: [2] }));
    await old.heard(1);
    expect(recent.received).toMatchObject([{ type: "broadcast", event: "from old", payload: { a: 1 } }]);
    expect(old.received).toMatchObject([{ type: "broadcast", event: "from recent", payload: { b: [2] } }]);
  });

  test("hears what is sent by HTTP, with or without a subscription of the sender", async () => {
    const topic = `room/with ${crypto.randomUUID()}?and=%25&more#`;
    const hearer = await listen(connect(), topic);
    expect(await connect().channel(topic).httpSend("evt x/y%", { n: 1 })).toEqual({ success: true });
    await hearer.heard(1);
    const bytes = new Uint8Array([0, 1, 255]);
    await connect().channel(topic).httpSend("bytes", bytes);
    await hearer.heard(2);
    // A channel that was never joined falls back to the endpoint for batches.
    expect(
      await connect()
        .channel(topic)
        .send(message("fallback", { n: 3 })),
    ).toBe("ok");
    const heard = await hearer.heard(3);
    expect(heard.map(({ event }) => event)).toEqual(["evt x/y%", "bytes", "fallback"]);
    expect(heard[0]?.payload).toEqual({ n: 1 });
    expect(new Uint8Array(heard[1]?.payload as ArrayBuffer)).toEqual(bytes);
    expect(heard[2]?.payload).toEqual({ n: 3 });
  });

  test("is silent after it was left, and open again to a new channel", async () => {
    const topic = newTopic();
    const client = connect();
    const stays = await listen(connect(), topic);
    const leaves = await listen(client, topic);
    expect(await client.removeChannel(leaves.channel)).toBe("ok");
    await leaves.reached("CLOSED");
    await settle(stays, (event) => connect().channel(topic).httpSend(event, {}));
    expect(leaves.received).toEqual([]);

    const again = await listen(client, topic);
    expect(again.statuses).toEqual(["SUBSCRIBED"]);
    await connect().channel(topic).httpSend("again", {});
    await again.heard(1);
    expect(leaves.received).toEqual([]);
  });
});

describe("a private channel", () => {
  test("is open to the user whom the policy names, and tells what the service sends", async () => {
    const mine = await listen(connect(alice), topicOf(alice), { private: true });
    expect(mine.statuses).toEqual(["SUBSCRIBED"]);
    const service = connectService().channel(topicOf(alice), { config: { private: true } });
    expect(await service.httpSend("done", { n: 1 })).toEqual({ success: true });
    expect(await mine.heard(1)).toMatchObject([{ type: "broadcast", event: "done", payload: { n: 1 } }]);
  });

  test("is open to the secret key, which may also write", async () => {
    const topic = newTopic();
    const reader = await listen(connectService(), topic, { private: true });
    const writer = await listen(connectService(), topic, { private: true, broadcast: { ack: true } });
    expect(await writer.channel.send(message("hello", { n: 1 }))).toBe("ok");
    expect(await reader.heard(1)).toMatchObject([{ event: "hello", payload: { n: 1 } }]);
  });

  test("is refused to another user and to whoever is not signed in", async () => {
    for (const client of [connect(bob), connect()]) {
      const refused = await listen(client, topicOf(alice), { private: true });
      expect(refused.statuses[0]).toMatch(/^CHANNEL_ERROR: .*permissions to read from this Channel topic/);
    }
  });

  test.each([
    "user:' or true --",
    "user:'; drop table realtime.messages; --",
    "user:%",
    "user:",
    'user:" \\ $1 :topic',
    "user:\u0001\u2028𝕌",
  ])("is refused for the topic %j", async (topic) => {
    const refused = await listen(connect(alice), topic, { private: true });
    expect(refused.statuses[0]).toContain("CHANNEL_ERROR");
    const mine = await listen(connect(alice), topicOf(alice), { private: true });
    expect(mine.statuses).toEqual(["SUBSCRIBED"]);
  });

  test("and the public channel of the same name never meet", async () => {
    const privately = await listen(connect(alice), topicOf(alice), { private: true });
    const publicly = await listen(connect(bob), topicOf(alice));
    expect(publicly.statuses).toEqual(["SUBSCRIBED"]);
    const service = connectService();
    await service.channel(topicOf(alice), { config: { private: true } }).httpSend("secret", {});
    const open = await settle(publicly, (event) => connect(bob).channel(topicOf(alice)).httpSend(event, {}));
    await privately.heard(1);
    expect(open).toEqual([]);
    expect(privately.received.map(({ event }) => event)).toEqual(["secret"]);
  });

  test("takes nothing from a user who may only read, and says so only to HTTP", async () => {
    const reader = await listen(connect(alice), topicOf(alice), {
      private: true,
      broadcast: { ack: true, self: true },
    });
    expect(await reader.channel.send(message("forged"), { timeout: 500 })).toBe("timed out");
    const client = connect(bob);
    await client.realtime.setAuth();
    const other = client.channel(topicOf(alice), { config: { private: true } });
    await expect(other.httpSend("forged", {})).rejects.toThrow();
    // The endpoint for batches drops it without a word.
    expect(await other.send(message("forged"))).toBe("ok");
    const service = connectService().channel(topicOf(alice), { config: { private: true } });
    const heard = await settle(reader, (event) => service.httpSend(event, {}));
    expect(heard).toEqual([]);
  });

  test("is refused to a forged token", async () => {
    const forged = new SignJWT({ role: "authenticated" })
      .setProtectedHeader({ alg: "HS256", typ: "JWT" })
      .setSubject(alice.id)
      .setAudience("authenticated")
      .setIssuer(`${target.url}/auth/v1`)
      .setIssuedAt()
      .setExpirationTime("1h")
      .sign(new TextEncoder().encode("x".repeat(40)));
    const refused = await listen(
      connect(() => forged),
      topicOf(alice),
      { private: true },
    );
    expect(refused.statuses[0]).toContain("CHANNEL_ERROR");
  });
});

describe("a new token", () => {
  test("of the same user goes unnoticed", async () => {
    const client = connect(alice);
    const mine = await listen(client, topicOf(alice), { private: true });
    await client.realtime.setAuth();
    const service = connectService().channel(topicOf(alice), { config: { private: true } });
    await service.httpSend("still here", {});
    await mine.heard(1);
    expect(mine.statuses).toEqual(["SUBSCRIBED"]);
  });

  test("of another user ends the channel that only the first may hear", async () => {
    let user = alice;
    const client = connect(() => user.token());
    const mine = await listen(client, topicOf(alice), { private: true });
    user = bob;
    await client.realtime.setAuth();
    await mine.reached("CLOSED");
    expect(mine.systems.at(-1)).toMatchObject({ status: "error", extension: "system" });
    expect(mine.systems.at(-1)?.message).toContain("permissions to read from this Channel topic");
  });
});

test("a key that is none opens no channel", async () => {
  const client = connectClient(target.url, "sb_publishable_of_nobody");
  clients.push(client);
  const refused = await listen(client, newTopic());
  expect(refused.statuses[0]).toContain("CHANNEL_ERROR");
  await expect(client.channel(newTopic()).httpSend("e", {})).rejects.toThrow();
});

test("a heartbeat is answered", async () => {
  const client = connect();
  await listen(client, newTopic());
  const beats: string[] = [];
  client.realtime.onHeartbeat((status) => void beats.push(status));
  await client.realtime.sendHeartbeat();
  await expect.poll(() => beats).toEqual(["sent", "ok"]);
});
