import type { Sql } from "postgres";
import { describe, expect, test } from "vitest";
import { migrationsFolder, readMigrations } from "../../supabase/local/migrations.ts";
import { stripComments } from "../../supabase/local/split-sql.ts";
import { openTestDatabase } from "../helpers/database.ts";

// The schemas of Supabase's own services belong to it: on a hosted project a migration may make policies there and
// nothing else, and on plain Postgres, where it could do more, it must not.

const foreign = "(?:auth|storage|realtime)";

/** What our own statements may use of them. */
const uses = new RegExp(
  [
    "\\breferences auth\\.users\\b",
    "\\bauth\\.(?:uid|jwt|role|email)\\(\\)",
    "\\brealtime\\.(?:topic\\(\\)|send\\()",
    "\\bstorage\\.(?:foldername|filename|extension)\\(",
  ].join("|"),
  "gi",
);

/** Why a statement is not allowed in a migration, or undefined. */
function findTrespass(statement: string): string | undefined {
  const sql = stripComments(statement).replace(/\s+/g, " ").replaceAll('"', "");
  const policy = new RegExp(`^(?:create|alter|drop) policy (?:if exists )?.+? on ${foreign}\\.\\w+`, "i");
  const rest = sql.replace(policy, "").replace(uses, "");
  if (new RegExp(`^(?:create|alter|drop|grant|revoke|comment)\\b[^(]*\\b${foreign}\\.`, "i").test(sql)) {
    if (!policy.test(sql)) return "changes an object of a foreign schema";
  }
  if (new RegExp(`\\b${foreign}\\.\\w`, "i").test(rest)) return "names an object of a foreign schema";
  if (new RegExp(`\\bschema (?:if (?:not )?exists )?${foreign}\\b`, "i").test(rest))
    return "changes a foreign schema";
  if (new RegExp(`\\bsearch_path\\b[^;]*\\b${foreign}\\b`, "i").test(rest))
    return "looks names up in a foreign schema";
  return undefined;
}

describe("the rule for migrations", () => {
  test.each([
    "create policy \"a\" on realtime.messages for select to authenticated using ((select realtime.topic()) = 'x')",
    "drop policy if exists a on storage.objects",
    "alter policy a on storage.objects using (auth.uid() is not null)",
    "create table parlance.a (owner_id uuid references auth.users (id))",
    "create function parlance.f() returns void language sql as $$ select realtime.send('{}', 'a', 'b') $$",
    "-- auth.users is only named in a comment\nselect 1",
  ])("allows %s", (statement) => {
    expect(findTrespass(statement)).toBeUndefined();
  });

  test.each([
    "create trigger t after insert on auth.users for each row execute function parlance.f()",
    "create table realtime.mine ()",
    'create table "storage"."mine" ()',
    "alter table storage.objects enable row level security",
    "insert into storage.buckets (id) values ('a')",
    "update auth.users set email = null",
    "grant execute on function auth.uid() to anon",
    "drop function auth.uid()",
    "create or replace function auth.uid() returns uuid language sql as $$ select null $$",
    "grant usage on schema auth to anon",
    "alter schema storage owner to parlance_owner",
    "create view parlance.v as select * from auth.users",
    "set search_path = storage",
    "do $$ begin delete from storage.objects; end $$",
    "comment on table auth.users is 'ours'",
    "create policy a on parlance.images using (exists (select from auth.users))",
  ])("refuses %s", (statement) => {
    expect(findTrespass(statement)).toBeDefined();
  });

  test("is kept by every migration", async () => {
    const migrations = await readMigrations(migrationsFolder);
    expect(migrations.length).toBeGreaterThan(0);
    const trespasses = migrations.flatMap(({ file, statements }) =>
      statements.map((statement) => ({ file, statement, why: findTrespass(statement) })),
    );
    expect(trespasses.filter(({ why }) => why !== undefined)).toEqual([]);
  });
});

/** Everything in the foreign schemas but policies, as lines of text. */
async function listForeignObjects(sql: Sql): Promise<string[]> {
  const rows = await sql<{ line: string }[]>`
    with schemas as (
      select oid, nspname, nspacl from pg_namespace where nspname in ('auth', 'storage', 'realtime', 'extensions')
    )
    select concat_ws(' ', 'schema', nspname, nspacl) as line from schemas
    union all
    select concat_ws(' ', 'relation', oid::regclass, relkind, relowner::regrole, relacl, relrowsecurity, reloptions)
    from pg_class where relnamespace in (select oid from schemas)
    union all
    select concat_ws(' ', 'column', attrelid::regclass, attname, atttypid::regtype, attnotnull, attacl)
    from pg_attribute
    where attnum > 0 and attrelid in (select oid from pg_class where relnamespace in (select oid from schemas))
    union all
    select concat_ws(' ', 'function', oid::regprocedure, proowner::regrole, proacl, prosecdef, md5(prosrc))
    from pg_proc where pronamespace in (select oid from schemas)
    union all
    select concat_ws(' ', 'trigger', tgrelid::regclass, tgname, tgenabled)
    from pg_trigger
    where not tgisinternal and tgrelid in (select oid from pg_class where relnamespace in (select oid from schemas))
    union all
    select concat_ws(' ', 'type', oid::regtype, typowner::regrole, typacl)
    from pg_type where typnamespace in (select oid from schemas)
    union all
    select concat_ws(' ', 'bucket', id) from storage.buckets
    order by line
  `;
  return rows.map(({ line }) => line);
}

test("the migrations leave the foreign schemas as they were, but for policies", async () => {
  const [before, after] = await Promise.all(
    [false, true].map(async (migrate) => {
      const database = await openTestDatabase({ migrate });
      const sql = database.connect({ role: database.superuser, max: 1 });
      const objects = await listForeignObjects(sql);
      await sql.end();
      await database.close();
      return objects;
    }),
  );
  expect(before?.length).toBeGreaterThan(100);
  expect(after).toEqual(before);
});
