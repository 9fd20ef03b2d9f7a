import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { LocalDatabase } from "../../supabase/local/database.ts";
import { openTestDatabase } from "../helpers/database.ts";
import { type Catalog, readCatalog } from "../helpers/schema/catalog.ts";
import { formatSchema } from "../helpers/schema/format.ts";
import { formatPrivileges } from "../helpers/schema/privileges.ts";
import { privilegesFile, schemaFile } from "../helpers/write-schema.ts";

let database: LocalDatabase;
let catalog: Catalog;

beforeAll(async () => {
  database = await openTestDatabase();
  const sql = database.connect({ max: 1 });
  catalog = await readCatalog(sql);
  await sql.end();
});
afterAll(() => database.close());

const tables = () => catalog.relations.filter((relation) => relation.kind === "table");

test("supabase/schema.sql is what the migrations make; `bun run schema` writes it", async () => {
  expect(formatSchema(catalog)).toBe(await readFile(schemaFile, "utf8"));
});

test("test/fixtures/privileges.md is who may do what; `bun run schema` writes it", async () => {
  expect(formatPrivileges(catalog)).toBe(await readFile(privilegesFile, "utf8"));
});

test("row level security is on for every table", () => {
  expect(tables().length).toBeGreaterThan(5);
  expect(tables().filter((table) => !table.hasRowSecurity)).toEqual([]);
});

test("a view shows its reader only what the reader may see", () => {
  const views = catalog.relations.filter((relation) => relation.kind === "view");
  expect(views.filter((view) => !view.isInvokers)).toEqual([]);
});

test("nothing is for everybody", () => {
  const granted = [
    ...catalog.grants,
    ...[...catalog.relations, ...catalog.functions].flatMap(({ grants }) => grants),
  ];
  expect(granted.length).toBeGreaterThan(20);
  expect(granted.filter((grant) => grant.role === "public")).toEqual([]);
});

test("a function with the rights of its owner looks names up where the owner would, and never where its caller may make some", () => {
  const definers = catalog.functions.filter((one) => one.isDefiner);
  expect(definers.length).toBeGreaterThan(5);
  expect(definers.filter((one) => !one.settings.includes("search_path=pg_catalog, pg_temp"))).toEqual([]);
});

test("a request without a user may read at most", () => {
  const rights = tables().flatMap(({ grants }) => grants.filter((grant) => grant.role === "anon"));
  expect(rights.filter((grant) => grant.right !== "select")).toEqual([]);
});

test("every table says what it is for", () => {
  expect(tables().filter((table) => !table.comment && !table.partitionOf)).toEqual([]);
});
