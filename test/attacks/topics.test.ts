import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openRaw, type RawSocket } from "../supabase/local/realtime/raw.ts";
import { drawJpeg, openRig, type Rig } from "./rig.ts";

let rig: Rig;
let socket: RawSocket;
beforeAll(async () => {
  rig = await openRig();
  socket = await openRaw(rig.url, rig.publishableKey);
});
afterAll(async () => {
  socket?.close();
  await rig?.close();
});

const join = (topic: string, token?: string) =>
  socket.join(`realtime:${topic}`, { private: true }, token === undefined ? {} : { access_token: token });
const refusal = /^(Unauthorized|InvalidTopic|JwtSignatureError): /;

describe("a private topic", () => {
  test.each<[string, () => string]>([
    ["of another user", () => `user:${rig.alice.id}`],
    ["of another user in other letters", () => `USER:${rig.alice.id}`],
    ["of another user in capitals", () => `user:${rig.alice.id.toUpperCase()}`],
    ["of another user with a space", () => `user:${rig.alice.id} `],
    ["of another user with a zero byte", () => `user:${rig.alice.id}\0`],
    ["of two users", () => `user:${rig.bob.id},user:${rig.alice.id}`],
    ["of one's own with more behind it", () => `user:${rig.bob.id}:${rig.alice.id}`],
    ["of every user", () => "user:%"],
    ["of nobody", () => "user:"],
    ["of no user", () => "user:null"],
    ["of a query", () => "user:' or true --"],
    ["of the house", () => "house"],
    ["of half a character", () => "user:\ud800"],
    ["of a hundred thousand letters", () => `user:${crypto.randomUUID().repeat(3000)}`],
  ])("%s is not to be heard by a user", async (_what, topic) => {
    const answer = await join(topic(), rig.bob.token);
    expect(answer).toMatchObject({ status: "error", response: { reason: expect.stringMatching(refusal) } });
  });

  test("of a user is not to be heard with a key", async () => {
    for (const token of [undefined, rig.publishableKey, rig.secretKey, "null", `${rig.bob.token}x`]) {
      const answer = await join(`user:${rig.alice.id}`, token);
      expect(answer).toMatchObject({ status: "error", response: { reason: expect.stringMatching(refusal) } });
    }
  });

  test("of a user is heard by them, that of the house by admins", async () => {
    expect((await join(`user:${rig.bob.id}`, rig.bob.token)).status).toBe("ok");
    expect((await join("house", rig.admin.token)).status).toBe("ok");
  });

  test("that one's token opened closes when the token becomes another's", async () => {
    const other = await openRaw(rig.url, rig.publishableKey);
    const channel = `realtime:user:${rig.bob.id}`;
    const opened = await other.join(channel, { private: true }, { access_token: rig.bob.token });
    expect(opened.status).toBe("ok");
    other.send([null, null, channel, "access_token", { access_token: rig.alice.token }]);
    await other.heard(channel, "phx_close");
    other.close();
  });

  test("takes no words of users, by socket or by HTTP: what is told there is true", async () => {
    const [alices, bobs] = [
      await openRaw(rig.url, rig.publishableKey),
      await openRaw(rig.url, rig.publishableKey),
    ];
    const topic = `user:${rig.alice.id}`;
    const channel = `realtime:${topic}`;
    expect((await alices.join(channel, { private: true }, { access_token: rig.alice.token })).status).toBe(
      "ok",
    );
    // The public channel of that name is another one.
    expect((await bobs.join(channel, { private: false, broadcast: { ack: true } })).status).toBe("ok");
    const lie = { type: "broadcast", event: "job.done", payload: { lie: true } };
    await bobs.ask(channel, "broadcast", lie);
    for (const isPrivate of [true, false]) {
      const messages = [{ topic, event: "job.done", payload: { lie: true }, private: isPrivate }];
      await rig.sendJson(rig.bob, "POST", "/realtime/v1/api/broadcast", { messages });
    }
    const one = `/realtime/v1/api/broadcast/${topic}/events/job.done?private=true`;
    for (const who of [rig.bob, rig.alice, "publishable"] as const) {
      expect((await rig.sendJson(who, "POST", one, { lie: true })).status).toBe(403);
    }
    const { body } = await rig.upload(rig.alice, await drawJpeg());
    await rig.follow(rig.alice, body.job.id);
    const heard = await alices.broadcasts(3);
    expect(heard.length).toBeGreaterThanOrEqual(3);
    expect(JSON.stringify(heard)).not.toContain("lie");
    alices.close();
    bobs.close();
  });

  test.each(["a\0b", "\0"])("that no policy can be asked about is refused as such: %j", async (topic) => {
    const path = `/realtime/v1/api/broadcast/${encodeURIComponent(topic)}/events/e?private=true`;
    expect((await rig.sendJson(rig.bob, "POST", path, {})).status).toBe(422);
    const messages = [{ topic, event: "e", payload: {}, private: true }];
    expect((await rig.sendJson(rig.bob, "POST", "/realtime/v1/api/broadcast", { messages })).status).toBe(
      422,
    );
    expect((await join(topic, rig.bob.token)).response.reason).toMatch(/^InvalidTopic: /);
  });
});

describe("a socket that is told nonsense", () => {
  test.each<[string, string | Uint8Array<ArrayBuffer>]>([
    ["an open bracket", "["],
    ["a hundred thousand of them", "[".repeat(100_000)],
    ["no frame", "[]"],
    ["a number", "1"],
    ["a topic that is none", '["1","1",1,2,3]'],
    ["a frame of the other version", '{"topic":"a","event":"b","payload":{}}'],
    ["one byte", Uint8Array.of(3)],
    ["lengths beyond the frame", Uint8Array.of(3, 255, 255, 255, 255, 255, 1)],
    ["a frame of the server", Uint8Array.of(4, 0, 0, 0, 1)],
    ["bytes that are no text", Uint8Array.of(3, 0, 0, 2, 0, 0, 1, 0xff, 0xfe)],
  ])("is closed with the reason: %s", async (_what, data) => {
    const victim = await openRaw(rig.url, rig.publishableKey);
    victim.sendRaw(data);
    expect((await victim.ended()).code).toBe(1007);
  });

  test("does not keep others from being answered", async () => {
    const flood = await openRaw(rig.url, rig.publishableKey);
    for (let index = 0; index < 300; index++) {
      const topic = `realtime:${"long".repeat(200)}${index}`;
      flood.send([String(index), String(index), topic, "phx_join", { config: { private: true } }]);
    }
    expect((await rig.call("nobody", "GET", "/images")).status).toBe(200);
    expect((await join(`user:${rig.bob.id}`, rig.bob.token)).status).toBe("ok");
    flood.close();
  });
});
