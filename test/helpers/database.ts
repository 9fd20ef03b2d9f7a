import postgres from "postgres";
import { type LocalDatabase, openPglite, openPostgres } from "../../supabase/local/database.ts";
import { applyMigrations } from "../../supabase/local/migrations.ts";
import { installStandIns } from "../../supabase/local/stand-ins.ts";
import { pgliteTemplate, type TemplateOptions, templateKey } from "./template.ts";

/**
 * A fresh database of its own for a test: PGlite in memory, or a database on the server that TEST_DATABASE_URL
 * names (its user a superuser), dropped by `close`. `migrate: false` leaves it with the stand-ins alone.
 */
export async function openTestDatabase(options: { migrate?: boolean } = {}): Promise<LocalDatabase> {
  const wanted = { migrate: options.migrate ?? true };
  const url = process.env.TEST_DATABASE_URL;
  if (url) return openServerClone(url, wanted);
  return openPglite({ template: await pgliteTemplate(wanted) });
}

async function openServerClone(url: string, options: TemplateOptions): Promise<LocalDatabase> {
  const template = `parlance_${await templateKey(options)}`;
  const name = `parlance_test_${crypto.randomUUID().replaceAll("-", "")}`;
  const admin = postgres(url, { max: 1, onnotice: () => {} });
  const drop = async () => {
    await admin.unsafe(`drop database if exists ${name} with (force)`);
    await admin.end();
  };
  try {
    await ensureServerTemplate(admin, url, template, options);
    await admin.unsafe(`create database ${name} template ${template}`);
    const database = await openPostgres(urlOf(url, name));
    // A copy has everything but what the server keeps about the database itself: its grants and its search path.
    await installStandIns(database);
    return { ...database, close: () => database.close().then(drop) };
  } catch (error) {
    await drop();
    throw error;
  }
}

/** Builds the template under a lock of the server: several test processes may want it at once. */
async function ensureServerTemplate(
  admin: postgres.Sql,
  url: string,
  template: string,
  options: TemplateOptions,
): Promise<void> {
  await admin`select pg_advisory_lock(hashtext('parlance test template'))`;
  try {
    const [found] = await admin`select from pg_database where datname = ${template} and datistemplate`;
    if (found) return;
    await admin.unsafe(`drop database if exists ${template} with (force)`);
    await admin.unsafe(`create database ${template}`);
    const database = await openPostgres(urlOf(url, template));
    await installStandIns(database);
    if (options.migrate) await applyMigrations(database);
    await database.close();
    await admin.unsafe(`alter database ${template} is_template true`);
  } finally {
    await admin`select pg_advisory_unlock(hashtext('parlance test template'))`;
  }
}

function urlOf(url: string, database: string): string {
  const target = new URL(url);
  target.pathname = `/${database}`;
  return target.href;
}
