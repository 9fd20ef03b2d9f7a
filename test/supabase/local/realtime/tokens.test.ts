import type { SupabaseClient } from "@supabase/supabase-js";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { loadKeys } from "../../../../supabase/local/keys.ts";
import { type ChannelConfig, connectClient, type Listener, listen, settle } from "./clients.ts";
import { openRaw } from "./raw.ts";
import { openStandIn, type StandIn, type TokenOptions } from "./stand-in.ts";

/** Who may hear and speak, for how long, and what a new token changes. */
let standIn: StandIn;
const clients: SupabaseClient[] = [];
const alice = crypto.randomUUID();

beforeAll(async () => {
  standIn = await openStandIn();
  await standIn.owner`
    create policy "speakers speak" on realtime.messages
      for all to authenticated
      using ((select realtime.topic()) like 'speech:%')
      with check (
        extension = 'broadcast'
        and (select realtime.topic()) = 'speech:' || (select auth.uid())::text
      )
  `;
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.removeAllChannels()));
});
afterAll(() => standIn.close());

function connect(token?: () => Promise<string>): SupabaseClient {
  const client = connectClient(standIn.url, standIn.keys.publishableKey, token);
  clients.push(client);
  return client;
}

const joinAsAlice = (token: TokenOptions, config: ChannelConfig = { private: true }): Promise<Listener> =>
  listen(
    connect(() => standIn.signToken(alice, token)),
    `user:${alice}`,
    config,
  );

describe("a token that is no good opens nothing", () => {
  test.each<[string, () => Promise<TokenOptions>, string]>([
    ["over", async () => ({ expiresInSeconds: -30 }), "InvalidJWTToken: Token has expired"],
    [
      "over for a second",
      async () => ({ expiresInSeconds: -1 }),
      "InvalidJWTToken: Token has expired 1 seconds ago",
    ],
    ["signed by another", async () => ({ keys: await loadKeys() }), "JwtSignatureError"],
    [
      "signed by another under our name",
      async () => ({ keys: { ...(await loadKeys()), kid: standIn.keys.kid } }),
      "JwtSignatureError",
    ],
    ["of another issuer", async () => ({ issuer: "http://elsewhere.test/auth/v1" }), "JwtSignatureError"],
  ])("one that is %s", async (_, options, reason) => {
    const token = await options();
    const privately = await joinAsAlice(token);
    const publicly = await joinAsAlice(token, {});
    for (const { statuses } of [privately, publicly])
      expect(statuses[0]).toContain(`CHANNEL_ERROR: ${reason}`);
  });

  test("one that is not even a token", async () => {
    const socket = await openRaw(standIn.url, standIn.keys.publishableKey);
    for (const token of ["x", "a.b.c", "Bearer x"]) {
      const answer = await socket.join(`realtime:user:${alice}`, { private: true }, { access_token: token });
      expect(answer.response.reason).toContain("JwtSignatureError");
    }
    socket.close();
  });
});

describe("the end of a token", () => {
  test("closes the channel and says why, though nobody sends anything", async () => {
    const mine = await joinAsAlice({ expiresInSeconds: 2 });
    expect(mine.statuses).toEqual(["SUBSCRIBED"]);
    await mine.reached("CLOSED");
    expect(mine.systems).toEqual([
      {
        extension: "system",
        status: "error",
        message: "Token has expired 0 seconds ago",
        channel: `user:${alice}`,
      },
    ]);
    await standIn.owner`select realtime.send('{}', 'late', ${`user:${alice}`})`;
    const later = await joinAsAlice({});
    await standIn.owner`select realtime.send('{}', 'later', ${`user:${alice}`})`;
    await later.heard(1);
    expect(mine.received).toEqual([]);
  });

  test("is put off by a new one", async () => {
    let expiresInSeconds = 2;
    const client = connect(() => standIn.signToken(alice, { expiresInSeconds }));
    const mine = await listen(client, `user:${alice}`, { private: true });
    const short = await joinAsAlice({ expiresInSeconds: 2 });
    expiresInSeconds = 3_600;
    await client.realtime.setAuth();
    await short.reached("CLOSED");
    await standIn.owner`select realtime.send('{}', 'still here', ${`user:${alice}`})`;
    await mine.heard(1);
    expect(mine.statuses).toEqual(["SUBSCRIBED"]);
  });

  test("is not put off by one that is over or forged", async () => {
    for (const token of [{ expiresInSeconds: -60 }, { keys: await loadKeys() }]) {
      let options: TokenOptions = {};
      const client = connect(() => standIn.signToken(alice, options));
      const mine = await listen(client, `user:${alice}`, { private: true });
      options = token;
      await client.realtime.setAuth();
      await mine.reached("CLOSED");
      expect(mine.systems.at(-1)).toMatchObject({ status: "error" });
    }
  });

  test("is not put off by a key, which is no token", async () => {
    const socket = await openRaw(standIn.url, standIn.keys.publishableKey);
    const token = await standIn.signToken(alice, { expiresInSeconds: 2 });
    const topic = `realtime:user:${alice}`;
    await socket.join(topic, { private: true }, { access_token: token });
    socket.send([null, "9", topic, "access_token", { access_token: standIn.keys.secretKey }]);
    socket.send([null, "10", topic, "access_token", { access_token: null }]);
    await socket.heard(topic, "phx_close");
    socket.close();
  });
});

describe("the right to speak", () => {
  const message = { type: "broadcast" as const, event: "words", payload: {} };

  test("is what the policy says, whatever the right to hear", async () => {
    const token = () => standIn.signToken(alice);
    const mine = await listen(connect(token), `speech:${alice}`, { private: true, broadcast: { ack: true } });
    const other = await listen(connect(token), "speech:of another", {
      private: true,
      broadcast: { ack: true },
    });
    expect(await mine.channel.send(message)).toBe("ok");
    expect(await other.channel.send(message, { timeout: 500 })).toBe("timed out");
  });

  test("is asked once for a token, and again for the next", async () => {
    // The client asks for it with every heartbeat too: it is another one only where that is meant.
    let token = standIn.signToken(alice);
    const client = connect(() => token);
    const renew = () => {
      token = standIn.signToken(alice);
      return client.realtime.setAuth();
    };
    const topic = `speech:${alice}`;
    const speaker = await listen(client, topic, { private: true, broadcast: { ack: true } });
    const hearer = await listen(
      connect(() => standIn.signToken(crypto.randomUUID())),
      topic,
      { private: true },
    );
    expect(await speaker.channel.send(message)).toBe("ok");
    await standIn.owner`
      create policy "nobody speaks" on realtime.messages as restrictive for insert to authenticated with check (false)
    `;
    expect(await speaker.channel.send(message)).toBe("ok");
    await renew();
    expect(await speaker.channel.send(message, { timeout: 500 })).toBe("timed out");
    await standIn.owner`drop policy "nobody speaks" on realtime.messages`;
    await renew();
    const heard = await settle(hearer, (event) => speaker.channel.send({ ...message, event }));
    expect(heard.map(({ event }) => event)).toEqual(["words", "words"]);
  });

  test("leaves no trace of the asking", async () => {
    const before = await countMessages();
    const mine = await listen(
      connect(() => standIn.signToken(alice)),
      `speech:${alice}`,
      { private: true, broadcast: { ack: true } },
    );
    await mine.channel.send(message);
    expect(await countMessages()).toBe(before);
  });

  test("is nobody's when the policy fails, and hearing neither", async () => {
    await standIn.owner`
      create policy "broken" on realtime.messages for all to authenticated
        using (((select realtime.topic()) like 'broken:%') and 1 / (length((select realtime.topic())) - 9) = 0)
    `;
    const refused = await listen(
      connect(() => standIn.signToken(alice)),
      "broken:xx",
      { private: true },
    );
    expect(refused.statuses[0]).toContain("CHANNEL_ERROR");
    expect(standIn.errors.splice(0)).toHaveLength(1);
    await standIn.owner`drop policy "broken" on realtime.messages`;
  });
});

async function countMessages(): Promise<number> {
  const [row] = await standIn.owner<{ count: number }[]>`select count(*) as count from realtime.messages`;
  return row?.count ?? -1;
}
