import type { Sql } from "postgres";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { anonymousCaller, type Caller, serviceCaller, transactAs } from "../../../../shared/callers.ts";
import { databaseErrorCode } from "../../../../shared/database.ts";
import type { LocalDatabase } from "../../../../supabase/local/database.ts";
import { isPermitted } from "../../../../supabase/local/realtime/authorization.ts";
import { pruneMessages } from "../../../../supabase/local/realtime/retention.ts";
import { openTestDatabase } from "../../../helpers/database.ts";

/** The schema realtime as migrations, policies and triggers meet it. */
let database: LocalDatabase;
let owner: Sql;
let admin: Sql;

beforeAll(async () => {
  database = await openTestDatabase({ migrate: false });
  owner = database.connect({ max: 1 });
  admin = database.connect({ role: "supabase_realtime_admin", max: 1 });
});
afterEach(() => admin`delete from realtime.messages`);
afterAll(async () => {
  await Promise.all([owner.end(), admin.end()]);
  await database.close();
});

const user: Caller = {
  role: "authenticated",
  claims: { sub: "018f0000-0000-7000-8000-000000000001", role: "authenticated" },
};

const listAll = () => admin<{ id: string; payload: unknown; topic: string; private: boolean }[]>`
  select id, payload, topic, private
  from realtime.messages
  order by write_order
`;

/** The SQLSTATE of what a statement throws. */
const refusal = (work: Promise<unknown>) => work.then(() => undefined, databaseErrorCode);

describe("realtime.send", () => {
  test("puts the id of the row into a payload that has none, and is private unless told otherwise", async () => {
    await owner`select realtime.send('{"a": 1}', 'e', 't')`;
    await owner`select realtime.send('{"id": "mine"}', 'e', 't', false)`;
    const [one, two] = await listAll();
    expect(one).toMatchObject({ payload: { a: 1, id: one?.id }, private: true });
    expect(two).toMatchObject({ payload: { id: "mine" }, private: false });
  });

  test.each(["[1]", '["id"]', '"id"', "1", "null"])(
    "sends nothing for the payload %s, and goes on",
    async (payload) => {
      const [row] = await owner`select realtime.send(${payload}::text::jsonb, 'e', 't'), 'on' as went`;
      expect(row?.went).toBe("on");
      expect(await listAll()).toEqual([]);
    },
  );

  test("sends nothing for no payload and for no topic, and goes on", async () => {
    await owner`select realtime.send(null, 'e', 't'), realtime.send('{}', 'e', null)`;
    expect(await listAll()).toEqual([]);
  });

  test("of a user whom no policy lets write sends nothing and throws nothing", async () => {
    for (const caller of [user, anonymousCaller]) {
      await transactAs(owner, caller, (sql) => sql`select realtime.send('{}', 'e', 't')`);
    }
    expect(await listAll()).toEqual([]);
  });

  test("of the service needs no policy", async () => {
    await transactAs(owner, serviceCaller, (sql) => sql`select realtime.send('{}', 'e', 't')`);
    expect(await listAll()).toHaveLength(1);
  });

  test("leaves its topic for the policies, until the end of the transaction", async () => {
    const topics = await owner.begin(async (sql) => {
      const [before] = await sql`select realtime.topic() as topic`;
      await sql`select realtime.send('{}', 'e', ${'it\'s "t" \\ --'})`;
      const [after] = await sql`select realtime.topic() as topic`;
      return [before?.topic, after?.topic];
    });
    expect(topics).toEqual([null, 'it\'s "t" \\ --']);
    expect((await owner`select realtime.topic() as topic`)[0]?.topic).toBeNull();
  });
});

test("broadcast_changes throws for a statement trigger and for an operation that is none", async () => {
  const change = (operation: string, level: string) => owner`
    select realtime.broadcast_changes('t', 'e', ${operation}, 'plants', 'garden', row(1), null, ${level})
  `;
  await expect(change("INSERT", "STATEMENT")).rejects.toThrow("Failed to process the row");
  await expect(change("TRUNCATE", "ROW")).rejects.toThrow("Failed to process the row");
  await change("DELETE", "ROW");
  expect(await listAll()).toMatchObject([{ topic: "t", private: true }]);
});

describe("the table of messages", () => {
  test("shows a user nothing without a policy, and lets nobody but its owner delete", async () => {
    await owner`select realtime.send('{}', 'e', 't')`;
    for (const caller of [user, anonymousCaller]) {
      expect(await transactAs(owner, caller, (sql) => sql`select id from realtime.messages`)).toHaveLength(0);
    }
    for (const caller of [user, anonymousCaller, serviceCaller]) {
      const refused = transactAs(owner, caller, (sql) => sql`delete from realtime.messages`);
      expect(await refusal(refused)).toBe("42501");
    }
  });

  test("takes policies from the owner of the project, who makes nothing else in the schema", async () => {
    await owner`create policy "a" on realtime.messages for select to anon using (true)`;
    await owner`alter policy "a" on realtime.messages using (false)`;
    await owner`drop policy "a" on realtime.messages`;
    expect(await refusal(owner`create table realtime.mine ()`)).toBe("42501");
    expect(await refusal(owner`create function realtime.mine() returns int language sql as 'select 1'`)).toBe(
      "42501",
    );
  });
});

describe("the policies", () => {
  test("are asked for reading and writing apart, under the caller's claims and topic", async () => {
    await owner`
      create policy "a" on realtime.messages for select to authenticated
        using (extension = 'broadcast' and (select realtime.topic()) = 'a:' || (select auth.uid())::text)
    `;
    await owner`create policy "b" on realtime.messages for insert to anon with check (realtime.topic() = 'b')`;
    const ask = (caller: Caller, topic: string) =>
      Promise.all([isPermitted(admin, caller, "read", topic), isPermitted(admin, caller, "write", topic)]);
    expect(await ask(user, `a:${user.claims.sub}`)).toEqual([true, false]);
    expect(await ask(user, "a:018f0000-0000-7000-8000-000000000002")).toEqual([false, false]);
    expect(await ask(anonymousCaller, "b")).toEqual([false, true]);
    expect(await ask(anonymousCaller, `a:${user.claims.sub}`)).toEqual([false, false]);
    expect(await ask(serviceCaller, "anything")).toEqual([true, true]);
    await owner`drop policy "a" on realtime.messages`;
    await owner`drop policy "b" on realtime.messages`;
    expect(await listAll()).toEqual([]);
    expect((await admin`select current_user as name, realtime.topic() as topic`)[0]).toEqual({
      name: "supabase_realtime_admin",
      topic: null,
    });
  });
});

test("pruning removes what is older than 72 hours, however much it is, and nothing younger", async () => {
  await owner`
    insert into realtime.messages (topic, extension, event, payload, inserted_at)
    select 'old', 'broadcast', 'e', '{}', timezone('utc', now()) - interval '72 hours 1 minute'
    from generate_series(1, 2500)
  `;
  await owner`
    insert into realtime.messages (topic, extension, event, payload, inserted_at)
    values ('young', 'broadcast', 'e', '{}', timezone('utc', now()) - interval '71 hours 59 minutes')
  `;
  expect(await pruneMessages(admin)).toBe(2500);
  expect(await listAll()).toMatchObject([{ topic: "young" }]);
  expect(await pruneMessages(admin)).toBe(0);
});
