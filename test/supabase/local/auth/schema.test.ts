import type { Sql } from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Caller, transactAs } from "../../../../shared/callers.ts";
import { createId } from "../../../../shared/ids.ts";
import type { LocalDatabase } from "../../../../supabase/local/database.ts";
import { installStandIns } from "../../../../supabase/local/stand-ins.ts";
import { openTestDatabase } from "../../../helpers/database.ts";

/** The schema auth as migrations and policies see it. */

let database: LocalDatabase;
let owner: Sql;

beforeAll(async () => {
  database = await openTestDatabase({ migrate: false });
  owner = database.connect({ max: 1 });
});
afterAll(async () => {
  await owner.end({ timeout: 5 });
  await database.close();
});

const userId = createId();
const claims = {
  sub: userId,
  role: "authenticated",
  email: "ada@example.com",
  app_metadata: { role: "admin" },
};

async function readCaller(settings: Record<string, string>) {
  return owner.begin(async (transaction) => {
    for (const [name, value] of Object.entries(settings)) {
      await transaction`select set_config(${name}, ${value}, true)`;
    }
    const [row] = await transaction`select auth.uid(), auth.role(), auth.email(), auth.jwt()`;
    return row;
  });
}

describe("the functions of the caller", () => {
  test("read the claims from one setting", async () => {
    expect(await readCaller({ "request.jwt.claims": JSON.stringify(claims) })).toEqual({
      uid: userId,
      role: "authenticated",
      email: "ada@example.com",
      jwt: claims,
    });
  });

  test("read the claims from a setting each, which goes first", async () => {
    const other = createId();
    const settings = { "request.jwt.claims": JSON.stringify(claims), "request.jwt.claim.sub": other };
    expect(await readCaller(settings)).toMatchObject({ uid: other, role: "authenticated" });
  });

  test.each([
    ["without a request", {}],
    ["after one", { "request.jwt.claims": "", "request.jwt.claim.sub": "" }],
  ])("say that nobody asks %s", async (_name, settings) => {
    expect(await readCaller(settings)).toEqual({ uid: null, role: null, email: null, jwt: null });
  });

  test.each<Caller["role"]>(["anon", "authenticated", "service_role"])(
    "may be called by %s",
    async (role) => {
      const caller = { role, claims: { ...claims, role } };
      const [row] = await transactAs(owner, caller, (sql) => sql`select auth.uid(), auth.role()`);
      expect(row).toEqual({ uid: userId, role });
    },
  );
});

describe("the tables", () => {
  test.each<Caller["role"]>(["anon", "authenticated", "service_role"])("are closed to %s", async (role) => {
    for (const table of ["users", "sessions", "refresh_tokens"]) {
      const read = transactAs(owner, { role, claims: {} }, (sql) => sql`select from ${sql(`auth.${table}`)}`);
      await expect(read).rejects.toThrow(`permission denied for table ${table}`);
    }
  });

  test("of sessions and tokens are closed to the owner of the migrations", async () => {
    await expect(owner`select from auth.sessions`).rejects.toThrow("permission denied");
    await expect(owner`select from auth.refresh_tokens`).rejects.toThrow("permission denied");
  });

  test("of users can be read, referenced and watched by the owner of the migrations, not altered", async () => {
    await owner`create schema notes`;
    await owner`create table notes.notes (user_id uuid references auth.users (id) on delete cascade)`;
    await owner`insert into auth.users (id, email) values (${userId}, 'Ada@example.com')`;
    await owner`insert into notes.notes (user_id) values (${userId})`;
    await owner.unsafe(`
      create function notes.watch() returns trigger language plpgsql as 'begin return new; end';
      create trigger watch after insert on auth.users for each row execute function notes.watch();
    `);
    await owner`delete from auth.users where id = ${userId}`;
    expect(await owner`select from notes.notes`).toHaveLength(0);
    await expect(owner`alter table auth.users add column mine text`).rejects.toThrow("must be owner");
  });

  test("hold an address once, whatever its letters", async () => {
    await owner`insert into auth.users (id, email) values (${createId()}, 'grace@example.com')`;
    const again = owner`insert into auth.users (id, email) values (${createId()}, 'Grace@example.com')`;
    await expect(again).rejects.toThrow("users_email_key");
  });

  test("hold no metadata that is not an object", async () => {
    const odd = owner`insert into auth.users (id, raw_app_meta_data) values (${createId()}, '[]')`;
    await expect(odd).rejects.toThrow("metadata_is_an_object");
  });
});

test("the schema can be installed again over itself, and does not claim to be a real project", async () => {
  await owner`insert into auth.users (id, email) values (${createId()}, 'alan@example.com')`;
  await installStandIns(database);
  expect(await owner`select from auth.users where email = 'alan@example.com'`).toHaveLength(1);
  const [row] = await owner`select to_regclass('auth.schema_migrations') as marker`;
  expect(row?.marker).toBeNull();
});
