import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createImageTasks, type SweepLimits } from "../../../edge/images/tasks.ts";
import { serviceCaller, transactAs } from "../../../shared/callers.ts";
import { createId } from "../../../shared/ids.ts";
import { sweepImages } from "../../../shared/images/kinds.ts";
import type { SweepOutcome } from "../../../shared/images/outcomes.ts";
import { addJob } from "../../../shared/jobs/queue.ts";
import { jpeg, openRig, type Rig, refusal } from "./rig.ts";

let rig: Rig;

beforeAll(async () => {
  rig = await openRig();
});

beforeEach(async () => {
  rig.storage = "ok";
  await rig.sql`delete from parlance.jobs`;
  await rig.sql`delete from parlance.images`;
  const paths = await rig.listObjects();
  await rig.deps.objects.remove(paths);
});

afterAll(() => rig.close());

/** Adds the job, runs it by a real runner to its end, and answers its summary or its error. */
async function sweep(limits: SweepLimits = {}): Promise<SweepOutcome | { code: string }> {
  await rig.startSidecar(createImageTasks(rig.deps, limits));
  const id = await transactAs(rig.sql, serviceCaller, (transaction) =>
    addJob(transaction, sweepImages, { payload: {}, ownerId: null }),
  );
  try {
    for (let round = 0; round < 400; round++) {
      const [job] = await rig.sql<
        { state: string; result: SweepOutcome; errorCode: string; attempts: number }[]
      >`
        select state, result, error_code, attempts from parlance.jobs where id = ${id}
      `;
      if (job?.state === "done") return job.result;
      if (job?.errorCode) return { code: job.errorCode };
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error("the sweep did not end");
  } finally {
    await rig.stopSidecar();
  }
}

const age = (seconds: number) => new Date(Date.now() - seconds * 1000).toISOString();
const hours = 3600;

async function putObject(path: string): Promise<string> {
  await rig.deps.objects.put(path, jpeg(), "image/jpeg");
  return path;
}

interface Row {
  state: "uploading" | "processing" | "ready" | "failed";
  mediaType?: string | null;
  variants?: string[];
  createdAt?: string;
  ownerId?: string | null;
}

async function addRow({ state, mediaType = "image/jpeg", variants = [], ...row }: Row): Promise<string> {
  const id = createId();
  const errorCode = state === "failed" ? "image_undecodable" : null;
  await rig.sql`
    insert into parlance.images
      (id, owner_id, name, state, media_type, size_bytes, width, height, variants, error_code, error_message, created_at)
    values (
      ${id}, ${row.ownerId === undefined ? rig.alice.id : row.ownerId}, ${id}, ${state}, ${mediaType}, 1, 1, 1,
      ${variants}::text[], ${errorCode}, ${errorCode}, ${row.createdAt ?? age(0)}
    )
  `;
  return id;
}

test("with nothing left behind there is nothing to do", async () => {
  expect(await sweep()).toEqual({ uploadsExpired: 0, ingestsAdded: 0, fillsAdded: 0, objectsRemoved: 0 });
});

test("spaces that are kept complete and lack something are filled, each once; others are left alone", async () => {
  const [added] = await rig.sql<{ id: number }[]>`
    select parlance.create_embedding_space('second', 'rare', 'x', 3) as id
  `;
  const id = added?.id ?? 0;
  const listFills = () => rig.sql`
    select payload, model from parlance.jobs where kind = 'images.fill-space' order by payload
  `;
  await rig.addReady();
  await rig.sql`update parlance.images set colours = '{red}'`;
  expect(await sweep()).toMatchObject({ fillsAdded: 0 });
  await rig.sql`update parlance.embedding_spaces set is_maintained = true`;
  expect(await sweep()).toMatchObject({ fillsAdded: 1 });
  expect(await listFills()).toEqual([{ payload: { spaceId: id }, model: "rare" }]);
  await rig.sql`update parlance.images set colours = null`;
  await sweep();
  expect(await listFills()).toEqual([
    { payload: { spaceId: 1 }, model: "palette" },
    { payload: { spaceId: id }, model: "rare" },
  ]);
  await rig.sql`select parlance.drop_embedding_space(${id}::smallint)`;
});

test("an upload that was not completed in two hours and ten minutes fails, a younger one does not", async () => {
  const late = await addRow({ state: "uploading", mediaType: null, createdAt: age(2 * hours + 601) });
  const young = await addRow({ state: "uploading", mediaType: null, createdAt: age(2 * hours + 500) });
  expect(await sweep()).toMatchObject({ uploadsExpired: 1 });
  const shown = async (id: string) => (await rig.call(rig.alice, "GET", `/images/${id}`)).body;
  expect(await shown(late)).toMatchObject({ state: "failed", error: { code: "upload_expired" } });
  expect(await shown(young)).toMatchObject({ state: "uploading" });
  const completed = await rig.call(rig.alice, "POST", `/images/${late}/completion`);
  expect(refusal(completed)).toEqual([410, "upload_expired"]);
});

test("the object of an upload that expired is removed with it, though it came", async () => {
  const { body } = await rig.sendJson(rig.alice, "POST", "/images", {
    name: "never completed.jpg",
    mediaType: "image/jpeg",
    sizeBytes: jpeg().length,
  });
  await fetch(body.upload.url, { method: "PUT", body: jpeg(), headers: { "content-type": "image/jpeg" } });
  expect(await rig.listObjects()).toEqual([body.upload.path]);
  await sweep({ objectSeconds: 0 });
  expect(await rig.listObjects()).toEqual([body.upload.path]);
  await rig.sql`update parlance.images set created_at = ${age(3 * hours)}`;
  expect(await sweep({ objectSeconds: 0 })).toMatchObject({ uploadsExpired: 1, objectsRemoved: 1 });
  expect(await rig.listObjects()).toEqual([]);
});

test("a picture in work without a job gets one, and no second one", async () => {
  const stranded = await addRow({ state: "processing" });
  const { body } = await rig.upload(rig.alice);
  expect(await sweep()).toMatchObject({ ingestsAdded: 1 });
  expect(await sweep()).toMatchObject({ ingestsAdded: 0 });
  const jobs = await rig.sql`
    select subject_id, owner_id, payload from parlance.jobs where kind = 'images.ingest-image' order by created_at desc
  `;
  expect(jobs).toEqual([
    { subjectId: stranded, ownerId: rig.alice.id, payload: { imageId: stranded } },
    { subjectId: body.image.id, ownerId: rig.alice.id, payload: { imageId: body.image.id } },
  ]);
});

const variants = ["original", "display", "thumbnail"];
const all = (keeps: string[]) => variants.filter((variant) => keeps.includes(variant));
const states: [string, Row, string[]][] = [
  ["awaits its bytes", { state: "uploading", mediaType: null }, ["original"]],
  ["is in work", { state: "processing" }, variants],
  ["is ready with all variants", { state: "ready", variants }, variants],
  [
    "is ready without a display",
    { state: "ready", variants: ["original", "thumbnail"] },
    ["original", "thumbnail"],
  ],
  ["failed in work", { state: "failed" }, ["original"]],
  ["failed before it was accepted", { state: "failed", mediaType: null }, []],
  ["is ready and the house's", { state: "ready", variants, ownerId: null }, variants],
];

test.each(states)("of a picture that %s, the sweep leaves what its row names", async (_what, row, kept) => {
  const id = await addRow(row);
  const folder = `${row.ownerId === null ? "house" : rig.alice.id}/${id}`;
  for (const variant of variants) await putObject(`${folder}/${variant}`);
  await sweep({ objectSeconds: 0 });
  expect(await rig.listObjects()).toEqual(
    all(kept)
      .map((variant) => `${folder}/${variant}`)
      .toSorted(),
  );
});

test("what no row names is removed, and nothing else", async () => {
  const id = await addRow({ state: "ready", variants });
  const named = await putObject(`${rig.alice.id}/${id}/original`);
  const leftovers = [
    `${rig.alice.id}/${createId()}/original`,
    `${rig.bob.id}/${id}/original`,
    `house/${id}/original`,
    `${rig.alice.id}/${id}/large`,
    `${rig.alice.id}/${id}/original/again`,
    `${rig.alice.id}/${id}`,
    "stray.jpg",
    "a_odd/na'me (1)",
  ];
  for (const path of leftovers) await putObject(path);
  expect(await sweep({ objectSeconds: 0 })).toMatchObject({ objectsRemoved: leftovers.length });
  expect(await rig.listObjects()).toEqual([named]);
});

test("an object that is younger than two hours is left alone: its work may still run", async () => {
  const young = await putObject(`${rig.alice.id}/${createId()}/original`);
  expect(await sweep()).toMatchObject({ objectsRemoved: 0 });
  expect(await rig.listObjects()).toEqual([young]);
});

test("objects of another bucket are no business of the sweep", async () => {
  await rig.sql`insert into storage.buckets (id, name) values ('other', 'other') on conflict do nothing`;
  await rig.sql`insert into storage.objects (bucket_id, name) values ('other', 'stray.jpg')`;
  expect(await sweep({ objectSeconds: 0 })).toMatchObject({ objectsRemoved: 0 });
  await rig.sql.begin(async (transaction) => {
    await transaction`select set_config('storage.allow_delete_query', 'true', true)`;
    await transaction`delete from storage.objects where bucket_id = 'other'`;
  });
});

test("more than one batch is removed in a run, and no more than the run may", async () => {
  for (let index = 0; index < 12; index++) await putObject(`house/${createId()}/original`);
  expect(await sweep({ objectSeconds: 0, batchMax: 2, batchesMax: 3 })).toMatchObject({ objectsRemoved: 6 });
  expect(await rig.listObjects()).toHaveLength(6);
  expect(await sweep({ objectSeconds: 0, batchMax: 5 })).toMatchObject({ objectsRemoved: 6 });
  expect(await rig.listObjects()).toEqual([]);
});

test("a sweep that cannot reach storage is tried again, and what it did in the database stays", async () => {
  await addRow({ state: "uploading", mediaType: null, createdAt: age(3 * hours) });
  const left = await putObject(`house/${createId()}/original`);
  rig.storage = "down";
  expect(await sweep({ objectSeconds: 0 })).toEqual({ code: "upstream_failed" });
  expect(await rig.sql`select state from parlance.images`).toEqual([{ state: "failed" }]);
  rig.storage = "ok";
  expect(await rig.listObjects()).toEqual([left]);
});

test("whatever a crash leaves in an upload, the next sweep after two hours leaves rows and objects in accord", async () => {
  // The row alone; the row and its object; the object alone; accepted, and the answer lost.
  const path = (id: string) => `${rig.alice.id}/${id}/original`;
  await addRow({ state: "uploading", mediaType: null, createdAt: age(3 * hours) });
  await putObject(path(await addRow({ state: "uploading", mediaType: null, createdAt: age(3 * hours) })));
  await putObject(path(createId()));
  const { body } = await rig.upload(rig.alice);
  expect(await sweep({ objectSeconds: 0 })).toEqual({
    uploadsExpired: 2,
    ingestsAdded: 0,
    fillsAdded: 0,
    objectsRemoved: 2,
  });
  expect(await rig.listObjects()).toEqual([path(body.image.id)]);
  const rows = await rig.sql`select state, error_code from parlance.images order by created_at`;
  expect(rows).toEqual([
    { state: "failed", errorCode: "upload_expired" },
    { state: "failed", errorCode: "upload_expired" },
    { state: "processing", errorCode: null },
  ]);
});
