import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { builtInCatalog } from "../../gpu-sidecar/models/catalog.ts";
import { createSpaceDirectory, type SpaceDirectory } from "../../gpu-sidecar/spaces.ts";
import { openTestApp, type TestApp } from "../helpers/app.ts";

let house: TestApp;
let spaces: SpaceDirectory;
beforeAll(async () => {
  house = await openTestApp();
  spaces = createSpaceDirectory(house.sql, builtInCatalog);
});
afterAll(() => house.close());

beforeEach(async () => {
  const others = await house.sql<{ id: number }[]>`select id from parlance.embedding_spaces where id <> 1`;
  for (const { id } of others) await house.sql`select parlance.drop_embedding_space(${id}::smallint)`;
});

async function add(name: string, model: string, digest: string, dimensions: number): Promise<number> {
  const [row] = await house.sql<{ id: number }[]>`
    select parlance.create_embedding_space(${name}, ${model}, ${digest}, ${dimensions}) as id
  `;
  return row?.id ?? 0;
}

test("a worker makes vectors for each space whose model is its own, and offers that model once", async () => {
  const id = await add("second", "palette", "built-in", 128);
  await spaces.refresh();
  expect(spaces.offers()).toEqual(["palette"]);
  expect(await spaces.getUsable(id)).toMatchObject({ id, name: "second", model: { name: "palette" } });
  expect(await spaces.findCurrent()).toMatchObject({ id: 1, isCurrent: true });
});

test.each([
  ["another model", "rare", "built-in", 128],
  ["other files of the model", "palette", "sha256-of-others", 128],
  ["another number of dimensions than the model has", "palette", "built-in", 64],
])("it makes none for a space of %s", async (_what, model, digest, dimensions) => {
  const id = await add("second", model, digest, dimensions);
  await spaces.refresh();
  expect(spaces.offers()).toEqual(["palette"]);
  await expect(spaces.getUsable(id)).rejects.toMatchObject({ code: "conflict" });
});

test("nor for one that is gone", async () => {
  await expect(spaces.getUsable(999)).rejects.toMatchObject({ code: "conflict" });
});
