import sharp from "sharp";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { builtInCatalog } from "../../../gpu-sidecar/models/catalog.ts";
import type { PictureStore } from "../../../gpu-sidecar/storage.ts";
import { runWorker, type Worker, type WorkerOptions } from "../../../gpu-sidecar/worker.ts";
import { embedQuery } from "../../../shared/images/kinds.ts";
import { addJob, cancelJob } from "../../../shared/jobs/queue.ts";
import { jobKinds } from "../../../shared/kinds.ts";
import { createLog } from "../../../shared/log.ts";
import { until } from "../../helpers/until.ts";
import { drawJpeg, drawJpegs, type Library, openInference, openLibrary } from "../library.ts";

let library: Library;
beforeAll(async () => {
  library = await openLibrary();
});
afterAll(() => library.close());

const running: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of running.splice(0)) await stop();
});

async function start(options: Partial<WorkerOptions> = {}, role = "parlance_sidecar") {
  const lines: Record<string, unknown>[] = [];
  const sql = library.house.database.connect({ role, max: 1 });
  const inference = openInference();
  running.push(async () => {
    await inference.close();
    await sql.end({ timeout: 1 });
  });
  const worker = await runWorker({
    sql,
    inference,
    store: library.store,
    catalog: builtInCatalog,
    device: "cpu",
    log: createLog((line) => lines.push(JSON.parse(line))),
    slots: { interactive: 4, bulk: 4 },
    pixelsMax: 2_000_000,
    drainMs: 0,
    ...options,
  });
  running.unshift(() => worker.stop());
  return { worker, sql, inference, lines };
}

interface WorkerRow {
  readonly id: string;
  readonly state: string;
  readonly kinds: string[];
  readonly models: string[];
  readonly device: string;
  readonly provider: string;
  readonly memoryBytes: number;
  readonly versions: Record<string, string>;
  readonly lastSeenAt: string;
}

async function findWorker({ id }: Pick<Worker, "id">): Promise<WorkerRow | undefined> {
  const [row] = await library.house.sql<WorkerRow[]>`select * from parlance.workers where id = ${id}`;
  return row;
}

async function stateOf(imageId: string): Promise<string | undefined> {
  return (await library.find(imageId))?.state;
}

describe("a worker", () => {
  test("makes a picture ready: derivatives, measures and one vector of unit length", async () => {
    await start();
    const { imageId, jobId } = await library.send(await drawJpeg());
    await until("the picture is ready", async () => (await stateOf(imageId)) === "ready");
    expect(await library.find(imageId)).toMatchObject({
      mediaType: "image/jpeg",
      width: 240,
      height: 180,
      variants: ["original", "display", "thumbnail"],
      errorCode: null,
    });
    expect(Object.keys(await library.listObjects(imageId))).toEqual(["original", "display", "thumbnail"]);
    expect(await library.vectorLengths(imageId)).toEqual([expect.closeTo(1, 5)]);
    expect(await library.stateOfJob(jobId)).toBe("done");
  });

  test("works off a pile, each picture once", async () => {
    const sent = await Promise.all((await drawJpegs(24)).map((jpeg) => library.send(jpeg)));
    await start();
    await until("all are ready", async () => {
      const states = await Promise.all(sent.map(({ imageId }) => stateOf(imageId)));
      return states.every((state) => state === "ready");
    });
    for (const { imageId } of sent) expect(await library.vectorLengths(imageId)).toHaveLength(1);
  });

  test("says why a picture failed, in the picture and in the job", async () => {
    const jpeg = await drawJpeg();
    const white = { width: 2000, height: 1500, channels: 3 as const, background: "white" };
    const bomb = await sharp({ create: white }).png().toBuffer();
    const cases: [Uint8Array | undefined, string][] = [
      [jpeg.slice(0, jpeg.length / 2), "image_undecodable"],
      [bomb, "image_too_many_pixels"],
      [new TextEncoder().encode("I am a text named .jpg"), "image_undecodable"],
      [undefined, "image_object_missing"],
    ];
    await start();
    for (const [bytes, code] of cases) {
      const { imageId, jobId } = await library.send(bytes);
      await until("it has failed", async () => (await stateOf(imageId)) === "failed");
      expect(await library.find(imageId)).toMatchObject({ errorCode: code, variants: [] });
      expect(await library.vectorLengths(imageId)).toEqual([]);
      const { body } = await library.house.call(library.house.alice, "GET", `/jobs/${jobId}`);
      expect(body).toMatchObject({ state: "failed", attempts: 1, error: { code } });
    }
  });

  test("leaves no row of a picture that is deleted while it is worked on", async () => {
    const decoding = Promise.withResolvers<void>();
    const deleted = Promise.withResolvers<void>();
    const store: PictureStore = {
      ...library.store,
      put: async (path, bytes, mediaType) => {
        decoding.resolve();
        await deleted.promise;
        await library.store.put(path, bytes, mediaType);
      },
    };
    const { worker } = await start({ store });
    const { imageId, jobId } = await library.send(await drawJpeg());
    await decoding.promise;
    await library.house.sql`delete from parlance.images where id = ${imageId}`;
    deleted.resolve();
    await until("the job has ended", () => worker.running === 0);
    expect(await library.find(imageId)).toBeUndefined();
    expect(await library.vectorLengths(imageId)).toEqual([]);
    const [origin] = await library.house.sql`select from parlance.image_origins where image_id = ${imageId}`;
    expect(origin).toBeUndefined();
    expect(await library.stateOfJob(jobId)).toBe("done");
  });

  test("stops working on a picture whose job is cancelled", async () => {
    const fetching = Promise.withResolvers<AbortSignal>();
    const store: PictureStore = {
      ...library.store,
      get: (_path, signal) => {
        fetching.resolve(signal);
        return new Promise(() => {});
      },
    };
    await start({ store });
    const { imageId, jobId } = await library.send(await drawJpeg());
    const signal = await fetching.promise;
    const job = { id: jobId, kind: "images.ingest-image", ownerId: null, subjectId: imageId };
    await library.house.sql.begin((transaction) => cancelJob(transaction, jobKinds, job));
    await until("the picture has failed", async () => (await stateOf(imageId)) === "failed");
    expect(signal.aborted).toBe(true);
    expect(await library.find(imageId)).toMatchObject({ errorCode: "cancelled" });
    expect(await library.stateOfJob(jobId)).toBe("cancelled");
  });

  test("answers a query while every bulk slot is taken", async () => {
    const store: PictureStore = { ...library.store, get: () => new Promise(() => {}) };
    const { worker } = await start({ store });
    const sent = await Promise.all([1, 2, 3, 4, 5].map(() => library.send(undefined)));
    await until("bulk is full", () => worker.running === 4);
    const { sql } = library.house;
    for (const [query, isKnown] of [
      ["deep blue", true],
      ["qwertz", false],
    ] as const) {
      const payload = { spaceId: 1, query };
      await addJob(sql, embedQuery, { payload, ownerId: null, uniqueKey: query });
      await until("the query has its vector", async () => {
        const [row] = await sql<{ isKnown: boolean }[]>`
          select embedding is not null as is_known from parlance.query_vectors where query = ${query}
        `;
        return row?.isKnown === isKnown;
      });
    }
    await worker.stop();
    for (const { imageId, jobId } of sent) {
      expect(await stateOf(imageId)).toBe("processing");
      await library.remove(imageId, jobId);
    }
  });
});

describe("a worker is seen", () => {
  test("while it lives, with what it is and what it can do", async () => {
    const { worker } = await start({ reportMs: 5 });
    const first = await findWorker(worker);
    expect(first).toMatchObject({
      state: "running",
      device: "cpu",
      provider: "cpu",
      kinds: expect.arrayContaining(["images.ingest-image", "images.embed-query"]),
      models: ["palette"],
    });
    expect(Object.keys(first?.versions ?? {}).sort()).toEqual([
      "bun",
      "libvips",
      "onnxruntime",
      "parlance",
      "sharp",
    ]);
    expect(first?.memoryBytes).toBeGreaterThan(2 ** 20);
    await until("it reports again", async () => (await findWorker(worker))?.lastSeenAt !== first?.lastSeenAt);
    const [alive] = await library.house.sql`select parlance.worker_is_alive('images.embed-query') as alive`;
    expect(alive?.alive).toBe(true);
  });

  test("no more once it has stopped", async () => {
    const { worker } = await start();
    await worker.stop();
    await worker.stop();
    expect(await findWorker(worker)).toBeUndefined();
    const [alive] = await library.house.sql`select parlance.worker_is_alive('images.embed-query') as alive`;
    expect(alive?.alive).toBe(false);
  });

  test("as draining while it waits for what runs, so that nobody waits for it", async () => {
    const gate = Promise.withResolvers<void>();
    const store: PictureStore = {
      ...library.store,
      get: async (path, signal) => {
        await gate.promise;
        return library.store.get(path, signal);
      },
    };
    const { worker } = await start({ store, drainMs: 60_000 });
    const { imageId } = await library.send(await drawJpeg());
    await until("it runs", () => worker.running === 1);
    const stopping = worker.stop();
    await until("it drains", async () => (await findWorker(worker))?.state === "draining");
    const [alive] = await library.house.sql`select parlance.worker_is_alive('images.embed-query') as alive`;
    expect(alive?.alive).toBe(false);
    gate.resolve();
    await stopping;
    expect(await stateOf(imageId)).toBe("ready");
    expect(await findWorker(worker)).toBeUndefined();
  });
});

describe("a worker that cannot go on", () => {
  test("does not start where the database refuses it", async () => {
    await expect(start({}, "authenticator")).rejects.toMatchObject({ code: "42501" });
  });

  test("says so when the database stays silent", async () => {
    const { worker, sql, lines } = await start({ reportMs: 5, databasePatienceMs: 50 });
    await sql.end({ timeout: 0 });
    expect(await worker.broken).toMatchObject({ code: "unavailable" });
    expect(lines.map((line) => line.event)).toContain("worker.unseen");
    await worker.stop();
  });

  test("says so when its models are broken for good", async () => {
    const { worker, inference } = await start({ reportMs: 5 });
    const reason = { code: "unavailable", message: "The inference thread died again and again." };
    Object.defineProperty(inference, "broken", { value: () => reason });
    expect(await worker.broken).toBe(reason);
  });

  test("logs neither keys nor pictures", async () => {
    const { worker, lines } = await start();
    const { imageId } = await library.send(new TextEncoder().encode("my secret diary"));
    await until("it has failed", async () => (await stateOf(imageId)) === "failed");
    await worker.stop();
    const text = JSON.stringify(lines);
    expect(text).toContain("image_undecodable");
    expect(text).not.toContain("diary");
    expect(text).not.toContain(library.house.keys.secretKey);
  });
});
