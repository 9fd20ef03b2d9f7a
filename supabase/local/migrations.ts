import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Sql } from "postgres";
import type { LocalDatabase } from "./database.ts";
import { splitSql, stripComments } from "./split-sql.ts";

const migrationName = /^(\d{14})_(\w+)\.sql$/;
export const migrationsFolder = fileURLToPath(new URL("../migrations", import.meta.url));

interface Migration {
  readonly file: string;
  readonly version: string;
  readonly name: string;
  readonly statements: readonly string[];
}

/**
 * Applies what is not yet applied, in the order of the names, each in one transaction as the owner, and records it
 * as the Supabase CLI does, so that either may go on where the other stopped. Then seed.sql, once.
 * Returns the names of the files that it applied. A file that was changed after it was applied is an error.
 */
export async function applyMigrations(
  database: LocalDatabase,
  folder: string = migrationsFolder,
): Promise<string[]> {
  const migrations = await readMigrations(folder);
  const sql = database.connect({ max: 1 });
  try {
    await createRecords(sql);
    const pending = await findPending(sql, migrations);
    for (const migration of pending) await applyMigration(sql, migration);
    if (pending.length > 0) await database.allowLogins();
    await applySeed(sql, `${folder}/../seed.sql`);
    return pending.map((migration) => migration.file);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

export async function readMigrations(folder: string): Promise<Migration[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith(".sql")).sort();
  return Promise.all(files.map((file) => readMigration(folder, file)));
}

async function readMigration(folder: string, file: string): Promise<Migration> {
  const [, version, name] = migrationName.exec(file) ?? [];
  if (!version || !name) throw new Error(`${file} is not named YYYYMMDDHHMMSS_name.sql.`);
  return { file, version, name, statements: splitSql(await readFile(`${folder}/${file}`, "utf8")) };
}

async function createRecords(sql: Sql): Promise<void> {
  await sql.unsafe(`
    create schema if not exists supabase_migrations;
    create table if not exists supabase_migrations.schema_migrations (
      version text not null primary key,
      statements text[],
      name text
    );
    create table if not exists supabase_migrations.seed_files (path text not null primary key, hash text not null);
  `);
}

async function findPending(sql: Sql, migrations: readonly Migration[]): Promise<Migration[]> {
  const records = await sql<{ version: string; statements: string[] | null }[]>`
    select version, statements from supabase_migrations.schema_migrations
  `;
  const applied = new Map(records.map((record) => [record.version, record.statements]));
  for (const migration of migrations) {
    const statements = applied.get(migration.version);
    if (statements && fingerprint(statements) !== fingerprint(migration.statements)) {
      throw new Error(
        `${migration.file} was changed after it was applied. Undo that and add a new migration, or start on a new database.`,
      );
    }
  }
  return migrations.filter((migration) => !applied.has(migration.version));
}

/** Neither comments nor spaces nor how a text was split make another migration. */
function fingerprint(statements: readonly string[]): string {
  return stripComments(statements.join("\n;")).replace(/[\s;]+/g, " ");
}

async function applyMigration(sql: Sql, migration: Migration): Promise<void> {
  await sql.begin(async (transaction) => {
    for (const [index, statement] of migration.statements.entries()) {
      await transaction.unsafe(statement).catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error);
        const first = stripComments(statement).split("\n", 1)[0];
        throw new Error(`${migration.file}, statement ${index + 1} (${first}): ${reason}`, { cause: error });
      });
    }
    await transaction`
      insert into supabase_migrations.schema_migrations (version, statements, name)
      values (${migration.version}, ${migration.statements as string[]}, ${migration.name})
    `;
  });
}

async function applySeed(sql: Sql, path: string): Promise<void> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return;
  const hash = createHash("sha256").update(text).digest("hex");
  await sql.begin(async (transaction) => {
    const [record] = await transaction`
      insert into supabase_migrations.seed_files (path, hash)
      values ('supabase/seed.sql', ${hash})
      on conflict (path) do nothing
      returning path
    `;
    if (record && splitSql(text).length > 0) await transaction.unsafe(text);
  });
}
