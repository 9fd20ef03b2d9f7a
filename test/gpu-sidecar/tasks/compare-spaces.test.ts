import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { builtInCatalog } from "../../../gpu-sidecar/models/catalog.ts";
import type { Inference } from "../../../gpu-sidecar/models/inference.ts";
import { createSpaceDirectory } from "../../../gpu-sidecar/spaces.ts";
import { createCompareSpacesTask } from "../../../gpu-sidecar/tasks/compare-spaces.ts";
import { createId } from "../../../shared/ids.ts";
import { SpaceComparison } from "../../../shared/images/space-contract.ts";
import { addComparison, compareSpaces } from "../../../shared/images/space-kinds.ts";
import { type Ended, executeJob } from "../../../shared/jobs/executor.ts";
import { claimJobs } from "../../../shared/jobs/queue.ts";
import { type Library, openInference, openLibrary } from "../library.ts";
import { addSpace, embedAlone, type StoredPicture, storePictures } from "../stored-pictures.ts";

const picturesCount = 25;
let library: Library;
let inference: Inference;
let pictures: StoredPicture[];
let spaceId: number;

beforeAll(async () => {
  library = await openLibrary();
  inference = openInference();
  pictures = await storePictures(library, picturesCount, { seed: 9, keywords: ["Drawn  by hand"] });
  await setVectors(1, (index) => index);
}, 60_000);
afterAll(async () => {
  await inference.close();
  await library.close();
});

beforeEach(async () => {
  const { sql } = library.house;
  await sql`delete from parlance.jobs`;
  await sql`delete from parlance.searches`;
  await sql`delete from parlance.query_vectors`;
  if (spaceId) await sql`select parlance.drop_embedding_space(${spaceId}::smallint)`;
  spaceId = await addSpace(library);
});

/** Gives each picture the vector of the picture that `which` names. */
async function setVectors(space: number, which: (index: number) => number): Promise<void> {
  for (const [index, { id, ownerId }] of pictures.entries()) {
    const jpeg = pictures[which(index)]?.jpeg ?? new Uint8Array();
    const vector = JSON.stringify([...(await embedAlone(inference, jpeg))]);
    await library.house.sql`
      insert into parlance.image_vectors (space_id, image_id, owner_id, embedding)
      values (${space}, ${id}, ${ownerId}, ${vector}::text::extensions.vector)
    `;
  }
}

async function logSearches(queries: readonly string[]): Promise<void> {
  for (const [index, query] of queries.entries()) {
    await library.house.sql`
      insert into parlance.searches (id, space_id, asker, scope, query, path, embedding, created_at)
      values (
        ${createId()}, 1, 'service', 'all', ${query}, 'exact', '[1]'::text::extensions.vector,
        now() - make_interval(mins => ${index})
      )
    `;
  }
}

async function compare(queriesMax = 200): Promise<{ ended: Ended; comparison: SpaceComparison }> {
  const { house } = library;
  const id = await addComparison(house.sql, { id: spaceId, model: "palette" }, queriesMax);
  const sql = house.database.connect({ role: "parlance_sidecar", max: 1 });
  try {
    const [job] = await claimJobs(sql, {
      workerId: createId(),
      kinds: [compareSpaces],
      models: ["palette"],
      lane: "bulk",
      jobsMax: 1,
      leaseSeconds: 30,
    });
    if (!job) throw new Error("there was nothing to claim");
    const task = createCompareSpacesTask({
      sql,
      spaces: createSpaceDirectory(sql, builtInCatalog),
      inference,
    });
    const ended = await executeJob(sql, task, job).ended;
    const { body } = await house.call("secret", "GET", `/jobs/${id}`);
    return { ended, comparison: body.result };
  } finally {
    await sql.end({ timeout: 1 });
  }
}

const askedOften = Array.from({ length: 40 }, (_, index) => `${index % 2 ? "red" : "dark blue"} ${index}`);

test("a space that answers the same overlaps wholly", async () => {
  await setVectors(spaceId, (index) => index);
  await logSearches(askedOften);
  const { ended, comparison } = await compare();
  expect(ended).toEqual({ ending: "done" });
  expect(SpaceComparison.parse(comparison)).toEqual(comparison);
  expect(comparison).toMatchObject({
    current: { id: 1, name: "palette", vectors: picturesCount, missing: 0 },
    candidate: { id: spaceId, name: "second", vectors: picturesCount, missing: 0 },
    queries: { asked: 40, compared: 40, source: "searches", unknownToCurrent: 0, unknownToCandidate: 0 },
    overlapAt10: 1,
    recallAt10: 1,
  });
  expect(comparison.rankBiasedOverlap).toBeCloseTo(1, 9);
  expect(comparison.candidate.firstScores).toEqual(comparison.current.firstScores);
  expect(comparison.worst).toHaveLength(5);
});

test("a space that answers otherwise overlaps less, and the queries that differ most are named", async () => {
  // Every picture bears the vector of another one.
  await setVectors(spaceId, (index) => (index + 11) % picturesCount);
  await logSearches(askedOften);
  const { comparison } = await compare();
  expect(comparison.overlapAt10).toBeLessThan(0.9);
  expect(comparison.rankBiasedOverlap).toBeLessThan(0.9);
  expect(comparison.recallAt10).toBe(1);
  const overlaps = comparison.worst.map(({ overlapAt10 }) => overlapAt10);
  expect(overlaps).toEqual([...overlaps].sort((left, right) => left - right));
  for (const { query } of comparison.worst) expect(askedOften).toContain(query);
  const { firstScores, tenthScores } = comparison.current;
  expect(firstScores?.mean).toBeGreaterThan(tenthScores?.mean ?? 1);
});

test("the newest distinct queries are asked, as many as wanted, and their vectors kept for the switch", async () => {
  await setVectors(spaceId, (index) => index);
  await logSearches(["red", "red", "blue", "green", "red", ...askedOften]);
  const { comparison } = await compare(3);
  expect(comparison.queries).toMatchObject({ asked: 3, source: "searches" });
  const kept = await library.house
    .sql`select query from parlance.query_vectors where space_id = ${spaceId} order by query`;
  expect(kept.map(({ query }) => query)).toEqual(["blue", "green", "red"]);
});

test("with few searches in the log, words of the library are asked too, and the result says so", async () => {
  await setVectors(spaceId, (index) => index);
  await logSearches(["red"]);
  const { comparison } = await compare();
  expect(comparison.queries).toMatchObject({ asked: 27, source: "searches and words" });
  const kept = await library.house.sql<{ query: string }[]>`
    select query from parlance.query_vectors where space_id = ${spaceId}
  `;
  expect(kept.map(({ query }) => query)).toContain("drawn by hand");
  await library.house.sql`delete from parlance.searches`;
  expect((await compare()).comparison.queries.source).toBe("words");
});

test("words that a model does not know are counted, not compared", async () => {
  await setVectors(spaceId, (index) => index);
  await logSearches([...askedOften.slice(0, 28), "xyzzy", "plugh"]);
  const { comparison } = await compare();
  expect(comparison.queries).toEqual({
    asked: 30,
    compared: 28,
    source: "searches",
    unknownToCurrent: 2,
    unknownToCandidate: 2,
  });
});

test("a space without vectors is compared with what it has: nothing", async () => {
  await logSearches(askedOften.slice(0, 30));
  const { comparison } = await compare();
  expect(comparison).toMatchObject({
    candidate: { vectors: 0, missing: picturesCount, firstScores: null, tenthScores: null },
    overlapAt10: 0,
    rankBiasedOverlap: 0,
    recallAt10: null,
  });
});

test("the space that searches is not compared with itself, nor one that is gone", async () => {
  const { sql } = library.house;
  await sql`select parlance.switch_embedding_space(${spaceId}::smallint)`;
  expect((await compare()).ended).toMatchObject({ ending: "failed", error: { code: "conflict" } });
  await sql`select parlance.switch_embedding_space(1::smallint)`;
  await sql`select parlance.drop_embedding_space(${spaceId}::smallint)`;
  expect((await compare()).ended).toMatchObject({ ending: "failed", error: { code: "conflict" } });
});

test("the result of a thousand long queries is far below the limit of a job", async () => {
  await setVectors(spaceId, (index) => index);
  await logSearches(
    Array.from({ length: 300 }, (_, index) => `red ${"ö".repeat(90)} ${index}`.slice(0, 100)),
  );
  const { comparison } = await compare(1000);
  expect(comparison.queries.asked).toBe(300);
  expect(JSON.stringify(comparison).length).toBeLessThan(4_000);
}, 60_000);
