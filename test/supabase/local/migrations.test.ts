import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Sql } from "postgres";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { LocalDatabase } from "../../../supabase/local/database.ts";
import { applyMigrations } from "../../../supabase/local/migrations.ts";
import { installStandIns } from "../../../supabase/local/stand-ins.ts";
import { openTestDatabase } from "../../helpers/database.ts";

let database: LocalDatabase;
let sql: Sql;
let root: string;
let folder: string;

beforeEach(async () => {
  database = await openTestDatabase({ migrate: false });
  sql = database.connect({ max: 1 });
  root = await mkdtemp(join(tmpdir(), "parlance-migrations-"));
  folder = join(root, "migrations");
  await mkdir(folder);
});

afterEach(async () => {
  await sql.end({ timeout: 1 });
  await database.close();
  await rm(root, { recursive: true });
});

const write = (file: string, text: string) => writeFile(join(folder, file), text);

describe("migrations", () => {
  test("are applied once, in the order of their names, as the owner, and recorded as the CLI does", async () => {
    await write("20260102000000_add_column.sql", "alter table things add name text;\n-- done\n");
    await write(
      "20260101000000_create_things.sql",
      "-- Things;\ncreate table public.things (id int);\n\ncomment on table public.things is 'a;b';",
    );
    expect(await applyMigrations(database, folder)).toEqual([
      "20260101000000_create_things.sql",
      "20260102000000_add_column.sql",
    ]);
    expect(await applyMigrations(database, folder)).toEqual([]);
    expect(
      await sql`select version, statements, name from supabase_migrations.schema_migrations order by version`,
    ).toEqual([
      {
        version: "20260101000000",
        statements: [
          "-- Things;\ncreate table public.things (id int)",
          "comment on table public.things is 'a;b'",
        ],
        name: "create_things",
      },
      { version: "20260102000000", statements: ["alter table things add name text"], name: "add_column" },
    ]);
    const [row] = await sql`select pg_get_userbyid(relowner) as owner from pg_class where relname = 'things'`;
    expect(row).toEqual({ owner: "parlance_owner" });
  });

  test("that fail leave nothing, and name the file and the statement", async () => {
    await write("20260101000000_create_things.sql", "create table public.things (id int);");
    await write(
      "20260102000000_break.sql",
      "create table public.more (id int);\ninsert into nowhere values (1);",
    );
    await expect(applyMigrations(database, folder)).rejects.toThrow(
      /20260102000000_break\.sql, statement 2 \(insert into nowhere values \(1\)\): relation "nowhere" does not exist/,
    );
    const [row] =
      await sql`select to_regclass('public.things')::text as first, to_regclass('public.more') as second`;
    expect(row).toEqual({ first: "things", second: null });
    await write("20260102000000_break.sql", "create table public.more (id int);");
    expect(await applyMigrations(database, folder)).toEqual(["20260102000000_break.sql"]);
  });

  test("that were changed after they were applied are refused by name; a comment is no change", async () => {
    await write("20260101000000_create_things.sql", "create table public.things (id int);");
    await applyMigrations(database, folder);
    await write(
      "20260101000000_create_things.sql",
      "-- The things.\ncreate table\n  public.things (id int)\n",
    );
    expect(await applyMigrations(database, folder)).toEqual([]);
    await write("20260101000000_create_things.sql", "create table public.things (id bigint);");
    await expect(applyMigrations(database, folder)).rejects.toThrow(
      /20260101000000_create_things\.sql was changed/,
    );
  });

  test("recorded by the CLI without their statements are taken as they are", async () => {
    await applyMigrations(database, folder);
    await sql`insert into supabase_migrations.schema_migrations (version) values ('20260101000000')`;
    await write("20260101000000_create_things.sql", "create table public.things (id int);");
    expect(await applyMigrations(database, folder)).toEqual([]);
  });

  test.each(["create_things.sql", "2026_create_things.sql", "20260101000000.sql"])(
    "named %s are refused",
    async (file) => {
      await write(file, "select 1");
      await expect(applyMigrations(database, folder)).rejects.toThrow(
        /is not named YYYYMMDDHHMMSS_name\.sql/,
      );
    },
  );

  test("have no more rights than the owner", async () => {
    await write("20260101000000_escape.sql", "alter role parlance_owner superuser;");
    await expect(applyMigrations(database, folder)).rejects.toThrow(/permission denied/);
  });
});

describe("seed.sql", () => {
  test("runs once, after the migrations", async () => {
    await write("20260101000000_create_things.sql", "create table public.things (id int);");
    await writeFile(
      join(root, "seed.sql"),
      "insert into public.things values (1); insert into public.things values (2);",
    );
    await applyMigrations(database, folder);
    await applyMigrations(database, folder);
    expect(await sql`select id from public.things order by id`).toEqual([{ id: 1 }, { id: 2 }]);
  });

  test("is tried again when it failed", async () => {
    await writeFile(join(root, "seed.sql"), "insert into public.things values (1);");
    await expect(applyMigrations(database, folder)).rejects.toThrow();
    await write("20260101000000_create_things.sql", "create table public.things (id int);");
    await applyMigrations(database, folder);
    expect(await sql`select id from public.things`).toEqual([{ id: 1 }]);
  });
});

describe("the stand-ins", () => {
  test("may be installed again and again", async () => {
    await installStandIns(database);
    await installStandIns(database);
  });

  test.each(["auth.schema_migrations", "storage.migrations"])("refuse a database with %s", async (table) => {
    const admin = database.connect({ role: database.superuser, max: 1 });
    await admin.unsafe(`create table ${table} (version text)`);
    await admin.end();
    await expect(installStandIns(database)).rejects.toThrow(/is a Supabase project/);
  });

  test("are not installed by one who is no superuser", async () => {
    await expect(installStandIns({ ...database, superuser: "parlance_owner" })).rejects.toThrow(
      /parlance_owner is none/,
    );
  });
});
