import { readFile } from "node:fs/promises";
import type { Sql } from "postgres";
import { isSupabase, type LocalDatabase } from "./database.ts";

/** In this order: each may use what the ones before it made. */
const schemas = ["roles", "auth", "storage", "realtime"];

/**
 * Makes the roles and schemas that a Supabase project has before our migrations run. Idempotent.
 * A real project has its own; nothing of ours is put over them.
 */
export async function installStandIns(database: LocalDatabase): Promise<void> {
  const sql = database.connect({ role: database.superuser, max: 1 });
  try {
    await checkMayInstall(sql);
    for (const schema of schemas) await installSchema(sql, schema);
    await database.allowLogins();
  } finally {
    await sql.end({ timeout: 5 });
  }
}

async function checkMayInstall(sql: Sql): Promise<void> {
  if (await isSupabase(sql)) {
    throw new Error(
      "This database is a Supabase project: auth.schema_migrations or storage.migrations exists. The stand-ins are not for it.",
    );
  }
  const [row] = await sql<{ name: string; rolsuper: boolean }[]>`
    select rolname as name, rolsuper from pg_catalog.pg_roles where rolname = current_user
  `;
  if (!row?.rolsuper) {
    throw new Error(`The stand-ins are installed by a superuser, and ${row?.name ?? "this role"} is none.`);
  }
}

async function installSchema(sql: Sql, schema: string): Promise<void> {
  const file = `supabase/local/schemas/${schema}.sql`;
  const text = await readFile(new URL(`./schemas/${schema}.sql`, import.meta.url), "utf8");
  try {
    await sql.begin((transaction) => transaction.unsafe(text));
  } catch (error) {
    throw new Error(`${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
