import { readFile } from "node:fs/promises";
import type { Sql } from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openStandIn, type StandIn } from "./stand-in.ts";
import { connect } from "./target.ts";

let standIn: StandIn;
let owner: Sql;

beforeAll(async () => {
  standIn = await openStandIn();
  owner = standIn.owner;
  const { storage } = connect(standIn.url, standIn.keys.secretKey);
  await storage.createBucket("things");
  await storage.from("things").upload("kept.txt", "kept");
});

afterAll(() => standIn?.close());

/** The SQLSTATE with which a statement fails; the transaction is undone either way. */
async function failureOf(statement: string, role?: string): Promise<string | undefined> {
  const undone = new Error("undone");
  try {
    await owner.begin(async (transaction) => {
      if (role) await transaction.unsafe(`set local role ${role}`);
      await transaction.unsafe(statement);
      throw undone;
    });
  } catch (error) {
    if (error === undone) return undefined;
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
  return undefined;
}

describe("deleting by hand", () => {
  test.each(["storage.objects", "storage.buckets"])("is refused to everyone in %s", async (table) => {
    for (const role of [undefined, "service_role", "authenticated", "anon"]) {
      expect(await failureOf(`delete from ${table}`, role)).toBe("42501");
      expect(await failureOf(`delete from ${table} where false`, role)).toBe("42501");
    }
  });

  test("is let through to whoever says that it is meant", async () => {
    const meant = "set local storage.allow_delete_query = 'true'; delete from storage.objects";
    expect(await failureOf(meant)).toBeUndefined();
    expect(await failureOf(meant.replace("'true'", "'yes'"))).toBe("42501");
  });
});

describe("the owner of the migrations", () => {
  test("makes, alters and drops policies on both tables", async () => {
    for (const table of ["storage.objects", "storage.buckets"]) {
      await owner.unsafe(`create policy "mine" on ${table} for select to authenticated using (false)`);
      await owner.unsafe(`alter policy "mine" on ${table} using (true)`);
      await owner.unsafe(`drop policy "mine" on ${table}`);
    }
  });

  test("reads and writes the rows, and makes buckets", async () => {
    expect(
      await failureOf("insert into storage.buckets (id, name, public) values ('by-sql', 'by-sql', false)"),
    ).toBe(undefined);
    expect(await owner`select name from storage.objects`).toMatchObject([{ name: "kept.txt" }]);
  });

  test("does not become the role that owns the tables, nor gives it to anyone", async () => {
    expect(await failureOf("set local role supabase_storage_admin")).toBe("42501");
    expect(await failureOf("grant supabase_storage_admin to authenticated")).toBe("42501");
  });
});

describe("the tables", () => {
  test("are closed to visitors and users until a policy opens them", async () => {
    const insert = "insert into storage.buckets (id, name) values ('x', 'x')";
    for (const role of ["anon", "authenticated"]) {
      expect(await failureOf(insert, role)).toBe("42501");
      expect(
        await failureOf("insert into storage.objects (bucket_id, name) values ('things', 'x')", role),
      ).toBe("42501");
    }
    expect(await failureOf(insert, "service_role")).toBeUndefined();
    const [seen] = await owner.begin(async (transaction) => {
      await transaction`set local role anon`;
      return transaction`select count(*) as objects from storage.objects`;
    });
    expect(seen).toEqual({ objects: 0 });
  });

  test("hold one object of a name in a bucket, and only in buckets that are there", async () => {
    const insert = (bucket: string) =>
      `insert into storage.objects (bucket_id, name) values ('${bucket}', 'kept.txt')`;
    expect(await failureOf(insert("things"))).toBe("23505");
    expect(await failureOf(insert("nowhere"))).toBe("23503");
  });

  test("tell the folders of a name, and when a row was changed", async () => {
    const [row] = await standIn.admin.begin(async (transaction) => {
      const rows = await transaction`
        insert into storage.objects (bucket_id, name, created_at, updated_at)
        values ('things', 'a/b/c.txt', '2020-01-01', '2020-01-01')
        returning path_tokens
      `;
      const changed = await transaction`
        update storage.objects
        set user_metadata = '{}'
        where name = 'a/b/c.txt'
        returning created_at, updated_at > '2021-01-01' as is_new
      `;
      await transaction`select set_config('storage.allow_delete_query', 'true', true)`;
      await transaction`delete from storage.objects where name = 'a/b/c.txt'`;
      return [{ ...rows[0], ...changed[0] }];
    });
    expect(row).toMatchObject({ pathTokens: ["a", "b", "c.txt"], isNew: true });
  });
});

test.each([
  ["a/b/c.tar.gz", ["a", "b"], "c.tar.gz", "gz"],
  ["c.png", [], "c.png", "png"],
  ["a/README", ["a"], "README", "README"],
  ["/c.png", [""], "c.png", "png"],
  ["a/", ["a"], "", ""],
])("%j is in the folders %j", async (name, folders, file, extension) => {
  const [found] = await owner`
    select
      storage.foldername(${name}) as folders,
      storage.filename(${name}) as file,
      storage.extension(${name}) as extension
  `;
  expect(found).toEqual({ folders, file, extension });
});

test("policies can ask what the server is doing", async () => {
  await owner.unsafe(`
    create policy "visitors list, and nothing else" on storage.objects for select to anon
      using (bucket_id = 'things' and storage.allow_any_operation(array['object.list', 'storage.object.list_v2']))
  `);
  const files = connect(standIn.url, standIn.keys.publishableKey).storage.from("things");
  expect((await files.list()).data).toMatchObject([{ name: "kept.txt" }]);
  expect((await files.listV2()).data?.objects).toMatchObject([{ name: "kept.txt" }]);
  expect((await files.download("kept.txt")).error).toMatchObject({ statusCode: "404" });
  expect((await files.createSignedUrl("kept.txt", 60)).error).toMatchObject({ statusCode: "404" });
  await owner.unsafe(`drop policy "visitors list, and nothing else" on storage.objects`);
});

test("a policy that breaks is told to the operator and to nobody else", async () => {
  await owner.unsafe(`
    create policy "broken" on storage.objects for select to anon using (1 / (length(name) - length(name)) = 1)
  `);
  const files = connect(standIn.url, standIn.keys.publishableKey).storage.from("things");
  const { error } = await files.download("kept.txt");
  expect(error).toMatchObject({ status: 500, statusCode: "500", message: "Internal server error" });
  expect(standIn.errors).toMatchObject([{ code: "22012" }]);
  await owner.unsafe(`drop policy "broken" on storage.objects`);
});

test("applying the schema again changes nothing", async () => {
  const file = new URL("../../../../supabase/local/schemas/storage.sql", import.meta.url);
  const superuser = standIn.database.connect({ role: standIn.database.superuser, max: 1 });
  const text = await readFile(file, "utf8");
  await superuser.begin((transaction) => transaction.unsafe(text));
  await superuser.end();
  expect(await owner`select name from storage.objects`).toMatchObject([{ name: "kept.txt" }]);
  expect(await owner`select policyname from pg_policies where schemaname = 'storage'`).toMatchObject([
    { policyname: "own folder" },
  ]);
});
