import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { openPglite } from "../../supabase/local/database.ts";
import { applyMigrations } from "../../supabase/local/migrations.ts";
import { installStandIns } from "../../supabase/local/stand-ins.ts";

/**
 * A finished database is built once for each state of the SQL files and of the engine, kept in the system's
 * folder for temporary files, and copied for every test.
 */

export interface TemplateOptions {
  /** With our migrations, or the stand-ins alone. */
  migrate: boolean;
}

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = `${tmpdir()}/parlance-templates`;
/** A template that no run used for so long is removed when a new one is built. */
const keptMs = 3600 * 1000;

/** The dump to open PGlite from; built when it is not there. */
export async function pgliteTemplate(options: TemplateOptions): Promise<Blob> {
  const path = `${folder}/${await templateKey(options)}.tar`;
  if (existsSync(path)) await utimes(path, new Date(), new Date());
  else await buildTemplate(path, options);
  return new Blob([await readFile(path)]);
}

/** A name that changes with everything that the template is made of. */
export async function templateKey(options: TemplateOptions): Promise<string> {
  const hash = createHash("sha256").update(await readFile(`${root}/package.json`));
  const folders = ["supabase/local/schemas", ...(options.migrate ? ["supabase/migrations", "supabase"] : [])];
  for (const name of folders) {
    const files = (await readdir(`${root}/${name}`)).filter((file) => file.endsWith(".sql")).sort();
    for (const file of files) {
      if (file !== "schema.sql") hash.update(file).update(await readFile(`${root}/${name}/${file}`));
    }
  }
  return `${options.migrate ? "migrated" : "bare"}_${hash.digest("hex").slice(0, 16)}`;
}

async function buildTemplate(path: string, options: TemplateOptions): Promise<void> {
  const database = await openPglite();
  try {
    await installStandIns(database);
    if (options.migrate) await applyMigrations(database);
    const dump = await database.dump();
    await mkdir(folder, { recursive: true });
    await removeOldTemplates();
    const partial = `${path}.${crypto.randomUUID()}`;
    await writeFile(partial, new Uint8Array(await dump.arrayBuffer()));
    await rename(partial, path);
  } finally {
    await database.close();
  }
}

async function removeOldTemplates(): Promise<void> {
  for (const file of await readdir(folder)) {
    const { mtimeMs } = await stat(`${folder}/${file}`).catch(() => ({ mtimeMs: Date.now() }));
    if (mtimeMs < Date.now() - keptMs) await rm(`${folder}/${file}`, { force: true });
  }
}
