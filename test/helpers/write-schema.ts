import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { openTestDatabase } from "./database.ts";
import { readCatalog } from "./schema/catalog.ts";
import { formatSchema } from "./schema/format.ts";
import { formatPrivileges } from "./schema/privileges.ts";

// `bun run schema`: writes what the migrations make of schema parlance, for people to read and for a test to hold.

export const schemaFile = fileURLToPath(new URL("../../supabase/schema.sql", import.meta.url));
export const privilegesFile = fileURLToPath(new URL("../fixtures/privileges.md", import.meta.url));

if (import.meta.main) {
  const database = await openTestDatabase();
  const sql = database.connect({ max: 1 });
  const catalog = await readCatalog(sql);
  await sql.end();
  await database.close();
  await writeFile(schemaFile, formatSchema(catalog));
  await writeFile(privilegesFile, formatPrivileges(catalog));
}
