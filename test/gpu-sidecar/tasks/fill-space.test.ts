import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createPictureEmbedder, type PictureEmbedder } from "../../../gpu-sidecar/models/batcher.ts";
import { builtInCatalog } from "../../../gpu-sidecar/models/catalog.ts";
import type { Inference } from "../../../gpu-sidecar/models/inference.ts";
import { createSpaceDirectory } from "../../../gpu-sidecar/spaces.ts";
import type { PictureStore } from "../../../gpu-sidecar/storage.ts";
import { createFillSpaceTask } from "../../../gpu-sidecar/tasks/fill-space.ts";
import { AppError } from "../../../shared/errors.ts";
import { createId } from "../../../shared/ids.ts";
import { imagePath } from "../../../shared/images/contract.ts";
import { landImage } from "../../../shared/images/landing.ts";
import { addFill, fillSpace } from "../../../shared/images/space-kinds.ts";
import { type Ended, executeJob } from "../../../shared/jobs/executor.ts";
import { type ClaimedJob, cancelJob, claimJobs, rescueJobs } from "../../../shared/jobs/queue.ts";
import { jobKinds } from "../../../shared/kinds.ts";
import { until } from "../../helpers/until.ts";
import { drawJpeg, type Library, openInference, openLibrary } from "../library.ts";
import {
  addSpace,
  differenceOf,
  embedAlone,
  listVectors,
  type StoredPicture,
  storePicture,
  storePictures,
} from "../stored-pictures.ts";

let library: Library;
let inference: Inference;
let spaceId: number;
beforeAll(async () => {
  library = await openLibrary();
  inference = openInference();
});
afterAll(async () => {
  await inference.close();
  await library.close();
});

beforeEach(async () => {
  const { sql } = library.house;
  await sql`delete from parlance.images`;
  await sql`delete from parlance.jobs`;
  if (spaceId) await sql`select parlance.drop_embedding_space(${spaceId}::smallint)`;
  spaceId = await addSpace(library);
});

interface FillRun {
  readonly store?: PictureStore;
  readonly embedder?: PictureEmbedder;
  readonly batchMax?: number;
}

/** Adds a fill, claims it as a sidecar does, and runs it to its end. */
async function fill(run: FillRun | ((job: ClaimedJob, stop: Stop) => FillRun) = {}): Promise<Ended> {
  const { house } = library;
  await addFill(house.sql, { id: spaceId, model: "palette" });
  await house.sql`update parlance.jobs set run_after = now() where state = 'queued'`;
  const sql = house.database.connect({ role: "parlance_sidecar", max: 1 });
  try {
    const [job] = await claimJobs(sql, {
      workerId: createId(),
      kinds: [fillSpace],
      models: ["palette"],
      lane: "bulk",
      jobsMax: 1,
      leaseSeconds: 30,
    });
    if (!job) throw new Error("there was nothing to claim");
    const stop = Promise.withResolvers<Stop>();
    const chosen = typeof run === "function" ? run(job, async (reason) => (await stop.promise)(reason)) : run;
    const task = createFillSpaceTask({
      sql,
      store: library.store,
      spaces: createSpaceDirectory(sql, builtInCatalog),
      embedder: createPictureEmbedder(inference),
      pixelsMax: 2_000_000,
      ...chosen,
    });
    const execution = executeJob(sql, task, job);
    stop.resolve(async (reason) => execution.stop(reason));
    return await execution.ended;
  } finally {
    await sql.end({ timeout: 1 });
  }
}

type Stop = (reason: "cancelled" | "lost" | "shutdown") => Promise<void>;

/** Storage where something happens before the first copy is handed over. */
function storeAfter(happens: () => Promise<unknown>): PictureStore {
  let happened: Promise<unknown> | undefined;
  return {
    ...library.store,
    async get(path, signal) {
      happened ??= happens();
      await happened;
      return library.store.get(path, signal);
    },
  };
}

interface FillJob {
  readonly id: string;
  readonly state: string;
  readonly progressDone: number;
  readonly progressTotal: number | null;
  readonly result: Record<string, unknown> | null;
  readonly errorCode: string | null;
}

const listFills = () =>
  library.house.sql<FillJob[]>`
    select id, state, progress_done, progress_total, result, error_code
    from parlance.jobs
    where kind = ${fillSpace.name}
    order by created_at, id
  `;

const idsOf = (pictures: readonly { id: string }[]) => pictures.map(({ id }) => id).sort();
const filledIds = async () => (await listVectors(library, spaceId)).map(({ imageId }) => imageId);

async function removeRow({ id }: StoredPicture): Promise<void> {
  await library.house.sql`delete from parlance.images where id = ${id}`;
}

describe("a fill", () => {
  test("gives every picture that lacks one the vector that it has alone, whosever it is", async () => {
    const { alice, bob, sql } = library.house;
    const hers = await storePictures(library, 40, { seed: 3 });
    const others = [
      ...(await storePictures(library, 3, { seed: 4, ownerId: bob.id })),
      ...(await storePictures(library, 2, { seed: 5, ownerId: null })),
    ];
    await sql`update parlance.images set is_public = true where id = ${others[0]?.id ?? ""}`;
    expect(await fill({ batchMax: 7 })).toEqual({ ending: "done" });
    const pictures = new Map([...hers, ...others].map((picture) => [picture.id, picture]));
    const vectors = await listVectors(library, spaceId);
    expect(vectors.map(({ imageId }) => imageId)).toEqual(idsOf([...pictures.values()]));
    for (const { imageId, ownerId, isPublic, embedding } of vectors) {
      const picture = pictures.get(imageId);
      expect({ ownerId, isPublic }).toEqual({
        ownerId: picture?.ownerId,
        isPublic: imageId === others[0]?.id,
      });
      const alone = await embedAlone(inference, picture?.jpeg ?? new Uint8Array());
      expect(differenceOf(embedding, alone)).toBeLessThan(1e-5);
    }
    expect(vectors.filter(({ ownerId }) => ownerId === alice.id)).toHaveLength(40);
    const [job, ...more] = await listFills();
    expect(more).toEqual([]);
    expect(job).toMatchObject({ state: "done", progressDone: 45, progressTotal: 45 });
    expect(job?.result).toEqual({ spaceId, added: 45, coloured: 0, failed: 0, failures: [] });
  });

  test("of a space that lacks nothing does nothing", async () => {
    await storePictures(library, 2);
    await fill();
    const before = await listVectors(library, spaceId);
    await fill();
    expect(await listVectors(library, spaceId)).toEqual(before);
    expect((await listFills())[1]).toMatchObject({ state: "done", result: { added: 0, failed: 0 } });
  });

  test("names the colours of pictures from before there were any, with a vector or without", async () => {
    const { sql } = library.house;
    const [filled] = await storePictures(library, 1, { seed: 1 });
    await fill();
    await sql`update parlance.images set colours = null`;
    await storePictures(library, 2, { seed: 2, colours: null });
    await fill();
    expect(await filledIds()).toHaveLength(3);
    expect((await listFills())[1]?.result).toMatchObject({ added: 2, coloured: 3 });
    const rows = await sql<
      { id: string; colours: string[] }[]
    >`select id, colours from parlance.images order by id`;
    expect(rows.map(({ id }) => id)).toContain(filled?.id);
    for (const { colours } of rows) expect(colours.length).toBeGreaterThan(0);
  });

  test("reads a larger copy where a smaller one is missing or broken", async () => {
    const jpeg = await drawJpeg();
    const display = await storePicture(library, jpeg, { variants: ["display"] });
    const original = await storePicture(library, jpeg, { variants: ["original"] });
    const path = imagePath(original, "thumbnail");
    await library.house.deps.objects.put(path, jpeg.slice(0, 500), "image/jpeg");
    await fill();
    expect(await filledIds()).toEqual(idsOf([display, original]));
  });

  test("goes on past pictures that cannot be read, names them, and is not followed by another for them", async () => {
    const jpeg = await drawJpeg();
    const good = await storePictures(library, 3);
    const missing = await storePicture(library, jpeg, { variants: [] });
    const broken = await storePicture(library, jpeg, { bytes: jpeg.slice(0, 700) });
    expect(await fill({ batchMax: 2 })).toEqual({ ending: "done" });
    expect(await filledIds()).toEqual(idsOf(good));
    const [job, ...more] = await listFills();
    expect(more).toEqual([]);
    expect(job).toMatchObject({ progressDone: 5, progressTotal: 5, result: { added: 3, failed: 2 } });
    expect(job?.result?.failures).toEqual(
      expect.arrayContaining([
        { imageId: missing.id, code: "image_object_missing" },
        { imageId: broken.id, code: "image_object_missing" },
      ]),
    );
    await library.house.deps.objects.put(imagePath(broken, "display"), jpeg, "image/jpeg");
    await fill();
    expect(await filledIds()).toEqual(idsOf([...good, broken]));
  });

  test("takes no vector that is none", async () => {
    const [bad, ...good] = await storePictures(library, 4);
    const embedder = createPictureEmbedder(inference);
    const alone = await embedAlone(inference, bad?.jpeg ?? new Uint8Array());
    const overflowing: PictureEmbedder = {
      async embed(model, pixels, signal) {
        const vector = await embedder.embed(model, pixels, signal);
        return differenceOf(vector, alone) < 1e-5 ? vector.fill(Number.NaN) : vector;
      },
    };
    expect(await fill({ embedder: overflowing })).toEqual({ ending: "done" });
    expect(await filledIds()).toEqual(idsOf(good));
    expect((await listFills())[0]?.result?.failures).toEqual([{ imageId: bad?.id, code: "unexpected" }]);
  });
});

describe("while a fill runs", () => {
  test("a picture that is deleted is left out quietly", async () => {
    const [gone, ...kept] = await storePictures(library, 5);
    if (!gone) throw new Error("nothing was stored");
    const store = storeAfter(async () => {
      await removeRow(gone);
      await library.house.deps.objects.remove([imagePath(gone, "thumbnail")]);
    });
    expect(await fill({ store })).toEqual({ ending: "done" });
    expect(await filledIds()).toEqual(idsOf(kept));
    expect((await listFills())[0]?.result).toMatchObject({ added: 4, failed: 0 });
  });

  test("a picture that changes hands or becomes public gets a vector that has too", async () => {
    const { sql, bob } = library.house;
    const [given, published, same] = await storePictures(library, 3);
    const store: PictureStore = storeAfter(async () => {
      await sql`update parlance.images set is_public = true where id = ${published?.id ?? ""}`;
      await sql`update parlance.images set owner_id = ${bob.id} where id = ${given?.id ?? ""}`;
    });
    await fill({ store });
    const rows = await listVectors(library, spaceId);
    const told = new Map(rows.map(({ imageId, ownerId, isPublic }) => [imageId, { ownerId, isPublic }]));
    expect(told.get(given?.id ?? "")).toEqual({ ownerId: bob.id, isPublic: false });
    expect(told.get(published?.id ?? "")).toEqual({ ownerId: published?.ownerId, isPublic: true });
    expect(told.get(same?.id ?? "")).toEqual({ ownerId: same?.ownerId, isPublic: false });
  });

  test("a picture that becomes ready behind it is found by its next pass", async () => {
    const pictures = await storePictures(library, 3);
    const late = pictures[0];
    const { sql } = library.house;
    await sql`update parlance.images set state = 'processing' where id = ${late?.id ?? ""}`;
    const store = storeAfter(
      () => sql`update parlance.images set state = 'ready' where id = ${late?.id ?? ""}`,
    );
    await fill({ store });
    expect(await filledIds()).toEqual(idsOf(pictures));
    expect((await listFills())[0]).toMatchObject({ progressDone: 3, progressTotal: 3 });
  });

  test("a claim that is lost writes nothing more", async () => {
    await storePictures(library, 6);
    const { sql } = library.house;
    const store = storeAfter(async () => {
      await sql`update parlance.jobs set lease_expires_at = now() - interval '1 second' where state = 'running'`;
      // A rescue passes over a row that is being written, as by progress, until it looks again.
      await until("it is lost", async () => (await rescueJobs(sql, jobKinds)) === 1);
    });
    expect((await fill({ store, batchMax: 2 })).ending).toBe("lost");
    expect(await filledIds()).toEqual([]);
    expect((await listFills())[0]).toMatchObject({ state: "queued", progressDone: 0 });
  });

  test("a cancellation ends it within a batch, and the space is no longer kept complete", async () => {
    await storePictures(library, 12);
    const { sql } = library.house;
    const ended = await fill((job, stop) => ({
      batchMax: 4,
      store: storeAfter(async () => {
        await sql.begin((transaction) =>
          cancelJob(transaction, jobKinds, { ...job, ownerId: null, subjectId: null }),
        );
        await stop("cancelled");
      }),
    }));
    expect(ended).toEqual({ ending: "cancelled" });
    expect(await filledIds()).toEqual([]);
    const [space] = await sql`select is_maintained from parlance.embedding_spaces where id = ${spaceId}`;
    expect(space).toEqual({ isMaintained: false });
    expect(await listFills()).toHaveLength(1);
  });

  test("storage that goes away ends the try, not what was done; the next try goes on there", async () => {
    const pictures = await storePictures(library, 12);
    let read = 0;
    const store: PictureStore = {
      ...library.store,
      async get(path, signal) {
        read += 1;
        if (read > 8) throw new AppError("upstream_failed", "Storage is away.", { retryable: true });
        return library.store.get(path, signal);
      },
    };
    const ended = await fill({ store });
    expect(ended).toMatchObject({ ending: "queued", error: { code: "upstream_failed" } });
    const written = (await filledIds()).length;
    expect(written).toBeGreaterThan(0);
    expect(written).toBeLessThan(12);
    expect(await fill()).toEqual({ ending: "done" });
    expect(await filledIds()).toEqual(idsOf(pictures));
    const [job, ...more] = await listFills();
    expect(more).toEqual([]);
    expect(job).toMatchObject({ progressDone: 12, progressTotal: 12, result: { added: 12 - written } });
  });

  test("a space that is dropped ends it for good", async () => {
    await storePictures(library, 3);
    const { sql } = library.house;
    const dropped = spaceId;
    const store = storeAfter(() => sql`select parlance.drop_embedding_space(${dropped}::smallint)`);
    expect(await fill({ store })).toMatchObject({ ending: "failed", error: { code: "conflict" } });
    expect(await listVectors(library, dropped)).toEqual([]);
  });
});

describe("between a fill and a picture that lands", () => {
  /** A picture as its ingest lands it, without a vector: whoever has the model fills it in. */
  async function addProcessing(): Promise<string> {
    const { sql, alice } = library.house;
    const id = createId();
    await library.house.deps.objects.put(
      imagePath({ id, ownerId: alice.id }, "thumbnail"),
      await drawJpeg(),
      "image/jpeg",
    );
    await sql`
      insert into parlance.images (id, owner_id, name, state) values (${id}, ${alice.id}, ${id}, 'processing')
    `;
    return id;
  }

  const outcome = {
    mediaType: "image/jpeg",
    sizeBytes: 10,
    width: 240,
    height: 180,
    sha256: "0".repeat(64),
    perceptualHash: "f00000000000000f",
    variants: ["original", "display", "thumbnail"],
    takenAt: null,
    camera: null,
    exif: {},
    place: null,
    colours: ["red"],
    vector: null,
  } as const;

  const land = (
    sql: Parameters<typeof landImage>[0],
    id: string,
    vector: Parameters<typeof landImage>[2]["vector"] = null,
  ) => landImage(sql, { id: createId(), ownerId: null, subjectId: id }, { ...outcome, vector });

  test("the picture asks for a fill of each space that is kept complete and lacks it", async () => {
    const { sql } = library.house;
    const id = await addProcessing();
    await sql.begin((transaction) => land(transaction, id));
    const jobs = await sql`select payload, model from parlance.jobs order by payload`;
    expect(jobs).toEqual([
      { payload: { spaceId: 1 }, model: "palette" },
      { payload: { spaceId }, model: "palette" },
    ]);
  });

  // Two transactions at once: PGlite has one.
  test.runIf(process.env.TEST_DATABASE_URL)(
    "one that commits after the fill has looked for the last time is left to another fill",
    async () => {
      const { sql } = library.house;
      await storePictures(library, 1);
      const id = await addProcessing();
      const landed = Promise.withResolvers<void>();
      const commit = Promise.withResolvers<void>();
      let landing: Promise<unknown> = Promise.resolve();
      const store = storeAfter(async () => {
        landing = sql.begin(async (transaction) => {
          await land(transaction, id, { spaceId: 1, embedding: [1, ...new Array<number>(127).fill(0)] });
          landed.resolve();
          await commit.promise;
        });
        await landed.promise;
      });
      expect(await fill({ store })).toEqual({ ending: "done" });
      commit.resolve();
      await landing;
      expect(await filledIds()).not.toContain(id);
      expect((await listFills()).map(({ state }) => state)).toEqual(["done", "queued"]);
      await fill();
      expect(await filledIds()).toContain(id);
    },
  );
});
