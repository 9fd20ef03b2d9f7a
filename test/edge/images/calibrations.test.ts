import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createCalibrationTask } from "../../../edge/images/calibrations.ts";
import { readCalibration } from "../../../edge/images/spaces.ts";
import { createId } from "../../../shared/ids.ts";
import { type CalibrateOutcome, calibrateSpace } from "../../../shared/images/calibration-kinds.ts";
import { embedQuery } from "../../../shared/images/kinds.ts";
import { paletteCalibration } from "../../../shared/images/palette-calibration.ts";
import { probePhrases } from "../../../shared/images/probes.ts";
import { openTestApp, type TestApp } from "../../helpers/app.ts";
import { taskContext } from "../../helpers/task-context.ts";

let house: TestApp;
/** A space of 64 dimensions. */
let spaceId: number;

beforeAll(async () => {
  house = await openTestApp();
  const [row] = await house.sql<{ id: number }[]>`
    select parlance.create_embedding_space('test', 'test-model', 'digest', 64) as id
  `;
  spaceId = row?.id ?? 0;
});

beforeEach(async () => {
  await house.sql`delete from parlance.jobs`;
  await house.sql`delete from parlance.workers`;
  await house.sql`delete from parlance.images`;
  await house.sql`delete from parlance.query_vectors`;
  await house.sql`update parlance.embedding_spaces set calibration = null, is_current = (id = ${spaceId}), is_maintained = true`;
});

afterAll(() => house.close());

/** Random directions. */
async function addPictures(count: number, ownerId = house.alice.id): Promise<void> {
  await house.sql`
    with added as (
      insert into parlance.images (id, owner_id, name, state, media_type, size_bytes, width, height, variants)
      select id, ${ownerId}, id::text, 'ready', 'image/jpeg', 1, 2, 1, '{original}'
      from (select gen_random_uuid() as id from generate_series(1, ${count})) as ids
      returning id
    )
    insert into parlance.image_vectors (space_id, image_id, owner_id, embedding)
    select ${spaceId}, id, ${ownerId}, ${house.sql.unsafe(randomVector)}
    from added
  `;
}

const randomVector = `(
  select extensions.l2_normalize(array_agg(
    sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random()) + length(id::text) * 0 order by d
  )::real[]::extensions.vector)
  from generate_series(1, 64) as d
)`;

async function addQueries(count: number): Promise<void> {
  await house.sql`
    insert into parlance.query_vectors (space_id, query, embedding)
    select ${spaceId}, id::text, ${house.sql.unsafe(randomVector)}
    from generate_series(1, ${count}) as id
  `;
}

/** A sidecar that offers the space's model. */
async function reportSidecar(): Promise<void> {
  await house.sql`
    select parlance.report_worker(
      ${createId()}, 'sidecar', 'test', 'test', ${[embedQuery.name]}::text[], '{test-model}'::text[],
      '{}'::text[], 0, '{}'::jsonb, 'running'
    )
  `;
}

function run(payload: { spaceId?: number } = {}): Promise<CalibrateOutcome> {
  return createCalibrationTask(house.deps).run(payload, taskContext()) as Promise<CalibrateOutcome>;
}

async function calibrationOf(id: number) {
  const [row] = await house.sql<{ calibration: unknown }[]>`
    select calibration from parlance.embedding_spaces where id = ${id}
  `;
  return readCalibration(row?.calibration);
}

test("a space with pictures and queries is calibrated, for words and for pictures", async () => {
  await addPictures(200);
  await addQueries(60);
  expect(await run({ spaceId })).toEqual({ calibrated: 1, waiting: 0 });
  const calibration = await calibrationOf(spaceId);
  expect(calibration).toMatchObject({ queries: 60, pairs: 60 * 200, pictures: 200 });
  expect(calibration?.byPicture).toMatchObject({ queries: 150, pictures: 200 });
  // Inner products of random directions in 64 dimensions have a deviation of an eighth.
  expect(calibration?.mean).toBeCloseTo(0, 1);
  expect(calibration?.deviation).toBeGreaterThan(0.1);
  expect(calibration?.deviation).toBeLessThan(0.15);
});

test("with a calibration a search says that nothing matches, or that something does", async () => {
  await addPictures(100);
  await addQueries(60);
  await run({ spaceId });
  await house.sql`
    insert into parlance.query_vectors (space_id, query, embedding)
    select ${spaceId}, 'there', embedding from parlance.image_vectors where space_id = ${spaceId} limit 1
  `;
  const search = async (q: string) =>
    (await house.call("secret", "GET", `/images/search?q=${q}&limit=2&scope=all`)).body;
  const found = await search("there");
  expect(found).toMatchObject({ nothingMatches: false, items: [{ isMatch: true }, { isMatch: false }] });
  expect(found.calibration.threshold).toBeGreaterThan(found.items[1].similarity);
  expect(found.calibration.falsePositiveRate).toBeLessThan(0.2);
  let inVain = 0;
  // About two of forty go wrong, up to five where the pictures that it was learnt from were few; none would be found
  // in vain without a calibration.
  for (let query = 1; query <= 40; query++) inVain += Number((await search(String(query))).nothingMatches);
  expect(inVain).toBeGreaterThanOrEqual(28);
}, 60_000);

test("the built-in model's calibration is known beforehand and needs no pictures", async () => {
  expect(await run({ spaceId: 1 })).toEqual({ calibrated: 1, waiting: 0 });
  expect(await calibrationOf(1)).toEqual(paletteCalibration);
});

test("a space with few pictures or few queries waits", async () => {
  await addQueries(60);
  await addPictures(39);
  expect(await run({ spaceId })).toEqual({ calibrated: 0, waiting: 1 });
  await addPictures(10);
  await house.sql`delete from parlance.query_vectors where length(query) = 2`;
  expect(await run({ spaceId })).toEqual({ calibrated: 0, waiting: 1 });
  expect(await calibrationOf(spaceId)).toBeNull();
});

test("where few queries are known, phrases are turned into vectors first, by whoever can", async () => {
  await addPictures(50);
  const listJobs = async (kind: string) => house.sql<{ uniqueKey: string; model: string | null }[]>`
    select unique_key, model from parlance.jobs where kind = ${kind}
  `;
  await run({ spaceId });
  expect(await listJobs(embedQuery.name)).toHaveLength(0);
  await reportSidecar();
  await run({ spaceId });
  const asked = await listJobs(embedQuery.name);
  expect(asked).toHaveLength(probePhrases.length);
  expect(asked.every(({ model }) => model === "test-model")).toBe(true);
  expect(await listJobs(calibrateSpace.name)).toHaveLength(1);
  await run({ spaceId });
  expect(await listJobs(embedQuery.name)).toHaveLength(probePhrases.length);
  expect(await listJobs(calibrateSpace.name)).toHaveLength(1);
});

test("hourly, only what has changed by a fifth is calibrated again", async () => {
  await addPictures(100);
  await addQueries(60);
  expect(await run()).toEqual({ calibrated: 2, waiting: 0 });
  expect(await run()).toEqual({ calibrated: 0, waiting: 0 });
  await addPictures(19);
  expect(await run()).toEqual({ calibrated: 0, waiting: 0 });
  await addPictures(2);
  expect(await run()).toEqual({ calibrated: 1, waiting: 0 });
});

test("the phrases are many, short, and each there once", () => {
  expect(probePhrases.length).toBeGreaterThanOrEqual(140);
  expect(new Set(probePhrases).size).toBe(probePhrases.length);
  for (const phrase of probePhrases)
    expect(embedQuery.payload.safeParse({ spaceId: 1, query: phrase }).success).toBe(true);
});
