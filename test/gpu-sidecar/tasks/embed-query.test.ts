import { afterAll, beforeAll, expect, test } from "vitest";
import { builtInCatalog } from "../../../gpu-sidecar/models/catalog.ts";
import type { Inference } from "../../../gpu-sidecar/models/inference.ts";
import { createSpaceDirectory, type SpaceDirectory } from "../../../gpu-sidecar/spaces.ts";
import { createEmbedQueryTask } from "../../../gpu-sidecar/tasks/embed-query.ts";
import type { EmbedQueryOutcome } from "../../../shared/images/outcomes.ts";
import { openTestApp, type TestApp } from "../../helpers/app.ts";
import { taskContext } from "../../helpers/task-context.ts";
import { openInference, palette } from "../library.ts";

let inference: Inference;
let house: TestApp;
let spaces: SpaceDirectory;
beforeAll(async () => {
  house = await openTestApp();
  inference = openInference();
  spaces = createSpaceDirectory(house.sql, builtInCatalog);
});
afterAll(async () => {
  await inference.close();
  await house.close();
});

async function embed(query: string, spaceId = 1): Promise<EmbedQueryOutcome> {
  const task = createEmbedQueryTask({ spaces, inference });
  return (await task.run({ spaceId, query }, taskContext())) as EmbedQueryOutcome;
}

test("words that the model knows become a vector of unit length", async () => {
  const outcome = await embed("a dark red sky");
  expect(outcome).toMatchObject({ spaceId: 1, query: "a dark red sky" });
  expect(outcome.embedding).toHaveLength(palette.dimensions);
  expect(Math.hypot(...(outcome.embedding ?? []))).toBeCloseTo(1, 5);
});

test("words that the model does not know have no vector", async () => {
  expect(await embed("xylophone qwerty")).toMatchObject({ embedding: null });
});

test("the same words have the same vector, however many ask at once", async () => {
  const alone = await embed("green");
  const together = await Promise.all(["blue", "green", "warm yellow", "green"].map((query) => embed(query)));
  expect(together[1]).toEqual(alone);
  expect(together[3]).toEqual(alone);
});

test.each([
  ["of another space", "red", 7, "conflict"],
  ["without words", "", 1, "invalid_request"],
  ["longer than may be", "r".repeat(101), 1, "invalid_request"],
])("a query %s is refused for good", async (_what, query, spaceId, code) => {
  await expect(embed(query, spaceId)).rejects.toMatchObject({ code, retryable: false });
});
