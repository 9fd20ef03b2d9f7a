import type { Sql } from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LocalDatabase } from "../../../supabase/local/database.ts";
import { installStandIns } from "../../../supabase/local/stand-ins.ts";
import { openTestDatabase } from "../../helpers/database.ts";

// Holds on PGlite and on a server alike.

let database: LocalDatabase;
const clients: Sql[] = [];

function connect(role?: string): Sql {
  const sql = database.connect(role ? { role, max: 1 } : { max: 1 });
  clients.push(sql);
  return sql;
}

beforeAll(async () => {
  database = await openTestDatabase({ migrate: false });
});

afterAll(async () => {
  for (const sql of clients) await sql.end({ timeout: 1 });
  await database.close();
});

describe("notifications", () => {
  /** Everything that was heard, and a promise of the n-th. */
  async function hear(sql: Sql, channel: string) {
    const heard: string[] = [];
    let wake = () => {};
    const { unlisten } = await sql.listen(channel, (payload) => {
      heard.push(payload);
      wake();
    });
    const count = async (wanted: number) => {
      while (heard.length < wanted) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return heard;
    };
    return { heard, count, unlisten };
  }

  test("reach every client that listens, whoever raised them, and no other channel", async () => {
    const [one, other, third] = [connect(), connect("authenticator"), connect()];
    const [first, second, elsewhere] = [
      await hear(one, "news"),
      await hear(other, "news"),
      await hear(other, 'Other "news"'),
    ];
    await third.notify("news", "from a third");
    await one.notify("news", "from a listener");
    expect(await first.count(2)).toEqual(["from a third", "from a listener"]);
    expect(await second.count(2)).toEqual(["from a third", "from a listener"]);
    await third.notify('Other "news"', "quoted");
    expect(await elsewhere.count(1)).toEqual(["quoted"]);
    expect(first.heard).toHaveLength(2);
  });

  test("wait for the commit, and a rollback tells nobody", async () => {
    const [one, other] = [connect(), connect()];
    const { heard, count } = await hear(one, "commits");
    await other
      .begin(async (transaction) => {
        await transaction`select pg_notify('commits', 'never')`;
        throw new Error("undo");
      })
      .catch(() => {});
    await other.begin(async (transaction) => {
      await transaction`select pg_notify('commits', 'told')`;
      expect(heard).toEqual([]);
    });
    expect(await count(1)).toEqual(["told"]);
  });

  test("one that stops listening does not silence the others", async () => {
    const [one, other, third] = [connect(), connect(), connect()];
    const [first, second] = [await hear(one, "shared"), await hear(other, "shared")];
    await first.unlisten();
    await third.notify("shared", "for the second");
    expect(await second.count(1)).toEqual(["for the second"]);
    expect(first.heard).toEqual([]);
  });

  test("one that goes away does not silence the others", async () => {
    const [one, other, third] = [connect(), connect(), connect()];
    const [, second] = [await hear(one, "shared again"), await hear(other, "shared again")];
    await one.end({ timeout: 1 });
    await third.notify("shared again", "for the second");
    expect(await second.count(1)).toEqual(["for the second"]);
  });
});

describe("roles", () => {
  test("a client is its login role, and by default the owner, who is no superuser", async () => {
    const who = async (sql: Sql) => {
      const [row] = await sql<{ role: string; super: boolean }[]>`
        select session_user as role, rolsuper as super from pg_roles where rolname = current_user
      `;
      return row;
    };
    expect(await who(connect())).toEqual({ role: "parlance_owner", super: false });
    expect(await who(connect("supabase_auth_admin"))).toEqual({ role: "supabase_auth_admin", super: false });
    expect(await who(connect(database.superuser))).toEqual({ role: database.superuser, super: true });
  });

  test.each(["anon", "authenticated", "service_role", "dashboard_user", "supabase_admin", "nobody"])(
    "%s may not log in",
    async (role) => {
      await expect(connect(role)`select 1`).rejects.toMatchObject({ code: "28000" });
    },
  );

  test.each([
    ["parlance_owner", ["anon", "authenticated", "service_role"]],
    ["authenticator", ["anon", "authenticated", "service_role"]],
    ["supabase_storage_admin", ["anon", "authenticated", "service_role"]],
    ["supabase_realtime_admin", ["anon", "authenticated", "service_role"]],
    ["supabase_auth_admin", []],
  ])("%s may act as %j and as nobody else", async (login, allowed) => {
    const sql = connect(login);
    const others = [
      "anon",
      "authenticated",
      "service_role",
      "parlance_owner",
      "supabase_auth_admin",
      database.superuser,
    ];
    for (const role of others.filter((name) => name !== login)) {
      const become = sql.begin((transaction) => transaction`select set_config('role', ${role}, true)`);
      if (allowed.includes(role)) await expect(become).resolves.toHaveLength(1);
      else await expect(become).rejects.toMatchObject({ code: "42501" });
    }
  });

  test("the owner makes roles and schemas but neither superusers nor databases", async () => {
    const sql = connect();
    const attempt = (statement: string) =>
      sql.begin(async (transaction) => {
        await transaction.unsafe(statement);
        throw new Error("allowed");
      });
    await expect(attempt("create role parlance_someone")).rejects.toThrow("allowed");
    await expect(attempt("create schema someones")).rejects.toThrow("allowed");
    await expect(attempt("create role parlance_someone superuser")).rejects.toMatchObject({ code: "42501" });
    await expect(attempt("alter role anon bypassrls superuser")).rejects.toMatchObject({ code: "42501" });
    await expect(attempt("select pg_read_file('/etc/passwd')")).rejects.toMatchObject({ code: "42501" });
    await expect(attempt("copy (select 1) to program 'true'")).rejects.toMatchObject({ code: "42501" });
  });

  test("several databases are made at once, although roles belong to all of them", async () => {
    const databases = await Promise.all([1, 2, 3, 4].map(() => openTestDatabase({ migrate: false })));
    await Promise.all(databases.map((one) => installStandIns(one)));
    await Promise.all(databases.map((one) => one.close()));
  });

  test("names are looked up as on Supabase, and vectors are at hand", async () => {
    const [row] = await connect()<{ path: string; product: number }[]>`
      select current_setting('search_path') as path, '[1,2]'::vector <#> '[3,4]'::vector as product
    `;
    expect(row).toEqual({ path: '"$user", public, extensions', product: -11 });
  });
});
