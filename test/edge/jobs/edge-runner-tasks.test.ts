import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createRecallTask } from "../../../edge/images/recall.ts";
import { createImageTasks } from "../../../edge/images/tasks.ts";
import { createJobTasks } from "../../../edge/jobs/tasks.ts";
import { tick } from "../../../edge/jobs/ticks.ts";
import { createEdgeTasks } from "../../../edge/tasks.ts";
import { createId } from "../../../shared/ids.ts";
import { calibrateSpace } from "../../../shared/images/calibration-kinds.ts";
import { sweepImages } from "../../../shared/images/kinds.ts";
import { measureRecall } from "../../../shared/images/recall.ts";
import type { AnyJobKind, Task } from "../../../shared/jobs/kinds.ts";
import { expireKeys } from "../../../shared/jobs/maintenance.ts";
import { addJob } from "../../../shared/jobs/queue.ts";
import { openTestApp, type TestApp } from "../../helpers/app.ts";

let house: TestApp;
beforeAll(async () => {
  house = await openTestApp();
  await house.deps.objects.ensureBucket();
});
afterAll(() => house.close());
beforeEach(async () => {
  await house.sql`delete from parlance.jobs`;
  await house.sql`delete from parlance.images`;
});

/** Ticks that have the CPU for one slice each, until the job ends; answers its summary and how many it took. */
async function runSliceBySlice(
  task: Task,
  payload: object = {},
): Promise<{ result: Record<string, unknown>; ticks: number }> {
  const { kind } = task;
  const id = await addJob(house.sql, kind, { payload, ownerId: null });
  for (let ticks = 1; ticks <= 100; ticks++) {
    const options = { cpuMs: kind.cpuMs ?? 100, jobsMax: 1 };
    const counts = await tick(house.deps, { tasks: [task], houseSchedules: [] }, options);
    if (counts.done === 1) {
      const [job] = await house.sql`select result, attempts from parlance.jobs where id = ${id}`;
      expect(job?.attempts).toBe(1);
      return { result: job?.result, ticks };
    }
    expect(counts).toMatchObject({ failed: 0, requeued: 1 });
  }
  throw new Error(`${kind.name} did not end`);
}

function taskOf(kind: AnyJobKind, tasks: readonly Task[]): Task {
  const task = tasks.find((one) => one.kind.name === kind.name);
  if (!task) throw new Error(`no task ${kind.name}`);
  return task;
}

async function addPictures(spaceId: number, count: number, dimensions: number): Promise<void> {
  await house.sql`
    with added as (
      insert into parlance.images (id, owner_id, name, state, media_type, size_bytes, width, height, variants)
      select id, ${house.alice.id}, id::text, 'ready', 'image/jpeg', 1, 2, 1, '{original}'
      from (select gen_random_uuid() as id from generate_series(1, ${count})) as ids
      returning id
    )
    insert into parlance.image_vectors (space_id, image_id, owner_id, embedding)
    select ${spaceId}, id, ${house.alice.id}, ${house.sql.unsafe(randomVector(dimensions))} from added
  `;
}

/** A direction of its own for each `id`. */
const randomVector = (dimensions: number) => `(
  select extensions.l2_normalize(array_agg(random() - 0.5 + length(id::text) * 0 order by d)::real[]::extensions.vector)
  from generate_series(1, ${dimensions}) as d
)`;

test("what expired goes over many ticks, and all of it is counted", async () => {
  await house.sql`
    insert into parlance.idempotency_keys (owner, route, key, body_hash, locked_until, created_at)
    select 'user:a', 'POST /', key::text, 'hash', now(), now() - interval '2 days'
    from generate_series(1, 3500) as key
  `;
  await house.sql`
    insert into parlance.rate_buckets (subject, route_class, tokens, updated_at)
    select 'user:' || number, 'read', 1, now() - interval '2 days'
    from generate_series(1, 1500) as number
  `;
  const { result, ticks } = await runSliceBySlice(taskOf(expireKeys, createJobTasks(house.deps)));
  expect(result).toEqual({ rowsRemoved: 5000 });
  expect(ticks).toBe(7);
});

test("objects that no row names go over many ticks, and what comes before is done once", async () => {
  const paths = Array.from({ length: 7 }, () => `house/${createId()}/original`);
  for (const path of paths)
    await house.deps.objects.put(path, new Uint8Array([0xff, 0xd8, 0xff]), "image/jpeg");
  const id = createId();
  await house.sql`
    insert into parlance.images (id, owner_id, name, state, created_at)
    values (${id}, ${house.alice.id}, 'late.jpg', 'uploading', now() - interval '3 hours')
  `;
  const sweep = taskOf(sweepImages, createImageTasks(house.deps, { batchMax: 2, objectSeconds: 0 }));
  const { result, ticks } = await runSliceBySlice(sweep);
  expect(result).toMatchObject({ uploadsExpired: 1, ingestsAdded: 0, objectsRemoved: 7 });
  expect(ticks).toBe(6);
  expect(await house.sql`select from storage.objects where name like 'house/%'`).toHaveLength(0);
});

test("a recall is measured over many ticks, each search once", async () => {
  await addPictures(1, 60, 128);
  await house.sql`
    insert into parlance.searches (id, space_id, owner_id, asker, scope, query, filters, filter_class, path, embedding)
    select gen_random_uuid(), 1, ${house.alice.id}, 'user', 'own', 'x', '{}', 'none', 'exact', ${house.sql.unsafe(randomVector(128))}
    from generate_series(1, 9) as id
  `;
  const recall = createRecallTask(house.deps, { searchesMax: 6 });
  const { result, ticks } = await runSliceBySlice(recall);
  expect(result).toEqual({ measured: 6, skipped: 0 });
  expect(ticks).toBe(7);
  expect(await house.sql`select searches, recall_sum from parlance.recall_measures`).toEqual([
    { searches: 6, recallSum: 6 },
  ]);
});

test("spaces are calibrated over many ticks: by words, by pictures, one space after another", async () => {
  const [space] = await house.sql<{ id: number }[]>`
    select parlance.create_embedding_space('test', 'test-model', 'digest', 64) as id
  `;
  const spaceId = space?.id ?? 0;
  await addPictures(spaceId, 100, 64);
  await house.sql`
    insert into parlance.query_vectors (space_id, query, embedding)
    select ${spaceId}, id::text, ${house.sql.unsafe(randomVector(64))}
    from generate_series(1, 60) as id
  `;
  await house.sql`update parlance.embedding_spaces set calibration = null`;
  const calibrate = taskOf(calibrateSpace, createEdgeTasks(house.deps));
  const { result, ticks } = await runSliceBySlice(calibrate);
  expect(result).toEqual({ calibrated: 2, waiting: 0 });
  expect(ticks).toBe(4);
  const [kept] = await house.sql`select calibration from parlance.embedding_spaces where id = ${spaceId}`;
  expect(kept?.calibration).toMatchObject({ queries: 60, pictures: 100, byPicture: { pictures: 100 } });
}, 60_000);

test("a cursor that another version left is not understood: the job begins anew", async () => {
  const task = taskOf(measureRecall, createEdgeTasks(house.deps));
  const id = await addJob(house.sql, measureRecall, { payload: {}, ownerId: null });
  await house.sql`update parlance.jobs set cursor = '{"page": 7}' where id = ${id}`;
  expect(await tick(house.deps, { tasks: [task], houseSchedules: [] })).toMatchObject({ done: 1 });
});
