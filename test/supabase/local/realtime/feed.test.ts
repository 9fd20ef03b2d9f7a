import type { SupabaseClient } from "@supabase/supabase-js";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type ChannelConfig, connectClient, type Listener, listen, type Received } from "./clients.ts";
import { openStandIn, type StandIn } from "./stand-in.ts";

/** What the database says reaches supabase-js: after the commit, in its order, once. */
let standIn: StandIn;
let user: string;
let topic: string;
const clients: SupabaseClient[] = [];

beforeAll(async () => {
  standIn = await openStandIn();
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.removeAllChannels()));
});
afterAll(() => standIn.close());

/** A new user on their own topic, which nobody wrote to before. */
async function listenAsNewUser(config: ChannelConfig = {}): Promise<Listener> {
  user = crypto.randomUUID();
  topic = `user:${user}`;
  return listenAgain(config);
}

async function listenAgain(config: ChannelConfig = {}): Promise<Listener> {
  const token = await standIn.signToken(user);
  const client = connectClient(standIn.url, standIn.keys.publishableKey, async () => token);
  clients.push(client);
  return listen(client, topic, { private: true, ...config });
}

async function send(n: number, sql = standIn.owner): Promise<void> {
  await sql`select realtime.send(${sql.json({ n })}, 'step', ${topic})`;
}

const numbers = (received: readonly Received[]) =>
  received.map(({ payload }) => (payload as { n: number }).n);
const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);

describe("realtime.send", () => {
  test("reaches the subscriber with the id of the row", async () => {
    const mine = await listenAsNewUser();
    await send(7);
    const [received] = await mine.heard(1);
    const [row] = await standIn.owner`select id from realtime.messages where topic = ${topic}`;
    expect(received).toEqual({
      type: "broadcast",
      event: "step",
      payload: { n: 7, id: row?.id },
      meta: { id: row?.id },
    });
  });

  test("tells nothing of a transaction that rolled back, nor before the commit", async () => {
    const mine = await listenAsNewUser();
    await standIn.owner
      .begin(async (transaction) => {
        await transaction`select realtime.send('{"n": 0}', 'step', ${topic})`;
        throw new Error("changed my mind");
      })
      .catch(() => {});
    await standIn.owner.begin(async (transaction) => {
      await transaction`select realtime.send('{"n": 1}', 'step', ${topic})`;
      await transaction`select pg_sleep(0.05)`;
      expect(mine.received).toEqual([]);
      await transaction`select realtime.send('{"n": 2}', 'step', ${topic})`;
    });
    expect(numbers(await mine.heard(2))).toEqual([1, 2]);
  });

  test("keeps the order of a thousand messages, of one transaction and of many", async () => {
    const mine = await listenAsNewUser();
    await standIn.owner`
      select realtime.send(jsonb_build_object('n', n), 'step', ${topic})
      from generate_series(0, 999) as n
    `;
    await mine.heard(1_000);
    for (let n = 1_000; n < 1_100; n += 1) await send(n);
    expect(numbers(await mine.heard(1_100))).toEqual(upTo(1_100));
  });

  test("to a public topic reaches public subscribers and no private one", async () => {
    const mine = await listenAsNewUser();
    const client = connectClient(standIn.url, standIn.keys.publishableKey);
    clients.push(client);
    const open = await listen(client, topic);
    await standIn.owner`select realtime.send('{"n": 1}', 'open', ${topic}, false)`;
    await send(2);
    await Promise.all([mine.heard(1), open.heard(1)]);
    await standIn.owner`select realtime.send('{"n": 3}', 'open', ${topic}, false)`;
    expect(numbers(await open.heard(2))).toEqual([1, 3]);
    expect(numbers(mine.received)).toEqual([2]);
  });

  test("of bytes arrives as bytes", async () => {
    const mine = await listenAsNewUser();
    await standIn.owner`select realtime.send_binary('\\x00ff10'::bytea, 'bytes', ${topic})`;
    const [received] = await mine.heard(1);
    expect(new Uint8Array(received?.payload as ArrayBuffer)).toEqual(new Uint8Array([0, 255, 16]));
    expect(received?.meta).toEqual({ id: expect.any(String) });
  });

  test("of numbers beyond a double leaves them to the reader", async () => {
    const mine = await listenAsNewUser();
    await standIn.owner`select realtime.send('{"id": 1, "n": 0.10}', 'step', ${topic})`;
    expect((await mine.heard(1))[0]?.payload).toEqual({ id: 1, n: 0.1 });
  });

  test("from a trigger by broadcast_changes tells what changed", async () => {
    const mine = await listenAsNewUser();
    await standIn.owner.begin(async (transaction) => {
      await transaction.unsafe(`
        create temporary table plants (id int primary key, name text) on commit drop;
        create function pg_temp.tell() returns trigger language plpgsql security definer set search_path = '' as $$
        begin
          perform realtime.broadcast_changes('${topic}', tg_op, tg_op, tg_table_name, tg_table_schema, new, old);
          return null;
        end $$;
        create trigger tell after insert or update or delete on plants for each row execute function pg_temp.tell();
      `);
      await transaction`insert into plants values (1, 'moss')`;
      await transaction`update plants set name = 'fern'`;
      await transaction`delete from plants`;
    });
    const received = await mine.heard(3);
    expect(received.map(({ event, payload }) => [event, payload])).toMatchObject([
      ["INSERT", { operation: "INSERT", table: "plants", record: { name: "moss" }, old_record: null }],
      ["UPDATE", { record: { id: 1, name: "fern" }, old_record: { id: 1, name: "moss" } }],
      ["DELETE", { record: null, old_record: { name: "fern" } }],
    ]);
  });

  test("is not delivered by a notification that anyone made up", async () => {
    const mine = await listenAsNewUser();
    await send(1);
    const [received] = await mine.heard(1);
    for (const payload of ["", "no id", "' or true --", crypto.randomUUID(), received?.meta?.id ?? ""]) {
      await standIn.owner`select pg_notify('realtime_messages', ${payload})`;
    }
    await send(2);
    expect(numbers(await mine.heard(2))).toEqual([1, 2]);
    expect(standIn.errors).toEqual([]);
  });
});

describe("replay", () => {
  test("brings the latest messages first, oldest of them first, then what is live", async () => {
    const early = await listenAsNewUser();
    for (const n of upTo(6)) await send(n);
    await early.heard(6);
    const late = await listenAgain({ broadcast: { replay: { since: 0, limit: 4 } } });
    expect(numbers(await late.heard(4))).toEqual([2, 3, 4, 5]);
    expect(late.received.every(({ meta }) => meta?.replayed === true && meta.id)).toBe(true);
    await send(6);
    const [, , , , live] = await late.heard(5);
    expect(live).toMatchObject({ payload: { n: 6 }, meta: { id: expect.any(String) } });
    expect(live?.meta?.replayed).toBeUndefined();
  });

  test("brings ten unless asked for more, twenty-five at most, and none from before the time", async () => {
    const early = await listenAsNewUser();
    for (const n of upTo(30)) await send(n);
    await early.heard(30);
    const ten = await listenAgain({ broadcast: { replay: { since: 0 } } });
    expect(numbers(await ten.heard(10))).toEqual(upTo(30).slice(20));
    const most = await listenAgain({ broadcast: { replay: { since: 0, limit: 1_000 } } });
    expect(numbers(await most.heard(25))).toEqual(upTo(30).slice(5));
    const none = await listenAgain({ broadcast: { replay: { since: Date.now() + 60_000, limit: 25 } } });
    await send(30);
    expect(numbers(await none.heard(1))).toEqual([30]);
  });

  test("brings nothing of another topic, of public messages, and nothing to whoever may not read", async () => {
    await listenAsNewUser();
    const first = topic;
    await send(1);
    await standIn.owner`select realtime.send('{"n": 2}', 'open', ${topic}, false)`;
    await listenAsNewUser();
    await send(3);
    const mine = await listenAgain({ broadcast: { replay: { since: 0 } } });
    expect(numbers(await mine.heard(1))).toEqual([3]);
    topic = first;
    const stranger = await listenAgain({ broadcast: { replay: { since: 0 } } });
    expect(stranger.statuses[0]).toContain("Unauthorized");
    expect(stranger.received).toEqual([]);
  });

  test("and live messages together lose nothing and bring nothing twice", async () => {
    await listenAsNewUser();
    const sending = (async () => {
      for (const n of upTo(200)) await send(n);
    })();
    const rounds = upTo(8).map(() => listenAgain({ broadcast: { replay: { since: 0, limit: 25 } } }));
    const listeners = await Promise.all(rounds);
    await sending;
    for (const { received } of listeners) {
      await expect.poll(() => numbers(received).at(-1)).toBe(199);
      // What the database told late may be older than the oldest that was replayed; it is not lost for that.
      const past = numbers(received.filter(({ meta }) => meta?.replayed));
      const live = numbers(received.filter(({ meta }) => !meta?.replayed));
      expect(past).toEqual(upTo(200).slice(past[0], (past[0] ?? 0) + past.length));
      expect(live).toEqual(live.toSorted((a, b) => a - b));
      const heard = [...past, ...live].toSorted((a, b) => a - b);
      expect(heard).toEqual(upTo(200).slice(heard[0]));
    }
  });
});

describe("a server that was away", () => {
  test("is joined again by itself, and the channel hears as before", async () => {
    const mine = await listenAsNewUser();
    await standIn.restart();
    await mine.reached("CHANNEL_ERROR");
    await mine.reached("SUBSCRIBED", 1);
    await send(1);
    expect(numbers(await mine.heard(1))).toEqual([1]);
  });

  test("leaves what was sent meanwhile to replay", async () => {
    const mine = await listenAsNewUser({ broadcast: { replay: { since: 0 } } });
    await send(1);
    await mine.heard(1);
    await standIn.restart(() => send(2));
    await mine.reached("SUBSCRIBED", 1);
    // The same `since` is asked for again: the first message comes a second time, with the id that it had.
    const heard = await mine.heard(3);
    expect(numbers(heard)).toEqual([1, 1, 2]);
    expect(heard[1]?.meta).toEqual({ replayed: true, id: heard[0]?.meta?.id });
  });

  test("asks again when the database refused, and loses nothing", async () => {
    const mine = await listenAsNewUser();
    await standIn.owner`revoke select on realtime.messages from supabase_realtime_admin`;
    for (const n of upTo(3)) await send(n);
    await expect.poll(() => standIn.errors.length).toBeGreaterThan(0);
    await standIn.owner`grant select on realtime.messages to supabase_realtime_admin`;
    expect(numbers(await mine.heard(3))).toEqual(upTo(3));
    expect(standIn.errors.splice(0)).toMatchObject([{ code: "42501" }]);
  });

  // PGlite runs in the process of the server; there is no connection to lose.
  if (process.env.TEST_DATABASE_URL) {
    test("catches up by itself when only its connection was cut: everything once, and in order", async () => {
      const mine = await listenAsNewUser();
      const superuser = standIn.database.connect({ role: standIn.database.superuser, max: 1 });
      for (const n of upTo(60)) {
        if (n % 20 === 10) {
          const cut = await superuser`
            select pg_terminate_backend(pid)
            from pg_stat_activity
            where datname = current_database() and query ilike 'listen%'
          `;
          expect(cut).toHaveLength(1);
        }
        await send(n);
        if (n % 20 === 9) await mine.heard(n + 1);
      }
      await superuser.end();
      await mine.heard(60);
      await send(60);
      expect(numbers(await mine.heard(61))).toEqual(upTo(61));
    });
  }
});
