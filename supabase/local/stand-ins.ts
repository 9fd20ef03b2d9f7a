import { readFile } from "node:fs/promises";
import type { Sql } from "postgres";
import type { LocalDatabase } from "./database.ts";

/** In this order: each may use what the ones before it made. */
const schemas = ["roles", "auth", "storage", "realtime"];

/**
 * Makes the roles and schemas that a Supabase project has before our migrations run. Idempotent.
 * A real project has its own; nothing of ours is put over them.
 */
export async function installStandIns(database: LocalDatabase): Promise<void> {
  const sql = database.connect({ role: database.superuser, max: 1 });
  try {
    if (await isSupabase(sql)) {
      throw new Error(
        "This database belongs to a Supabase project (auth.schema_migrations or storage.migrations exists); the stand-ins are not for it.",
      );
    }
    for (const schema of schemas) await installSchema(sql, schema);
  } finally {
    await sql.end();
  }
}

/** True where Supabase's own Auth or Storage keeps its migrations. */
export async function isSupabase(sql: Sql): Promise<boolean> {
  const [row] = await sql<{ found: boolean }[]>`
    select coalesce(to_regclass('auth.schema_migrations'), to_regclass('storage.migrations')) is not null as found
  `;
  return row?.found ?? false;
}

async function installSchema(sql: Sql, schema: string): Promise<void> {
  const text = await readFile(new URL(`./schemas/${schema}.sql`, import.meta.url), "utf8").catch(() => "");
  await sql.begin((transaction) => transaction.unsafe(text));
}
