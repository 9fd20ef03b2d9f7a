import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createPictureEmbedder } from "../../../gpu-sidecar/models/batcher.ts";
import { builtInCatalog } from "../../../gpu-sidecar/models/catalog.ts";
import type { Inference } from "../../../gpu-sidecar/models/inference.ts";
import { createSpaceDirectory } from "../../../gpu-sidecar/spaces.ts";
import { createPictureStore, type PictureStore } from "../../../gpu-sidecar/storage.ts";
import { createIngestTask } from "../../../gpu-sidecar/tasks/ingest-image.ts";
import { createId } from "../../../shared/ids.ts";
import { imagePath } from "../../../shared/images/contract.ts";
import type { IngestOutcome } from "../../../shared/images/outcomes.ts";
import { taskContext } from "../../helpers/task-context.ts";
import { drawJpeg, type Library, openInference, openLibrary, palette } from "../library.ts";

let library: Library;
let inference: Inference;
beforeAll(async () => {
  library = await openLibrary();
  inference = openInference();
});
afterAll(async () => {
  await inference.close();
  await library.close();
});

interface RunOptions {
  readonly signal?: AbortSignal;
  readonly store?: PictureStore;
  readonly pixelsMax?: number;
}

/** Runs the task on an image; answers its outcome and the steps that it told. */
async function ingest(imageId: string, options: RunOptions = {}) {
  const { signal = new AbortController().signal, store = library.store, pixelsMax = 100_000_000 } = options;
  const embedder = createPictureEmbedder(inference);
  const sql = library.house.database.connect({ role: "parlance_sidecar", max: 1 });
  const task = createIngestTask({
    sql,
    store,
    spaces: createSpaceDirectory(sql, builtInCatalog),
    embedder,
    pixelsMax,
  });
  const steps: string[] = [];
  const reportProgress = (done: number, total: number, message = "") =>
    void steps.push(`${done}/${total} ${message}`);
  const job = { id: createId(), ownerId: null, subjectId: imageId };
  try {
    const context = taskContext({ job, signal, reportProgress });
    const outcome = (await task.run({ imageId }, context)) as IngestOutcome;
    return { outcome, steps };
  } finally {
    await sql.end();
  }
}

async function ingestBytes(bytes: Uint8Array | undefined, options: RunOptions = {}) {
  const { imageId } = await library.send(bytes);
  return { imageId, ...(await ingest(imageId, options)) };
}

function refusalOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => "nothing was refused",
    (error) => error,
  );
}

/** 2000 by 1500 pixels with a place and a camera in its EXIF. */
async function drawPhotograph(): Promise<Uint8Array> {
  return sharp({ create: { width: 3000, height: 1500, channels: 3, background: "#c02040" } })
    .withExif({
      IFD0: { Make: "Parlance", Model: "Pinhole 1" },
      IFD3: {
        GPSLatitudeRef: "N",
        GPSLatitude: "48/1 12/1 30/1",
        GPSLongitudeRef: "E",
        GPSLongitude: "16/1 22/1 0/1",
      },
    })
    .jpeg()
    .toBuffer();
}

describe("looking at a picture", () => {
  test("finds out everything about it and tells each step", async () => {
    const bytes = await drawPhotograph();
    const { outcome, steps, imageId } = await ingestBytes(bytes);
    expect(steps).toEqual(["1/4 decoding", "2/4 embedding", "3/4 storing", "4/4 stored"]);
    expect(outcome).toMatchObject({
      mediaType: "image/jpeg",
      sizeBytes: bytes.length,
      width: 3000,
      height: 1500,
      camera: "Parlance Pinhole 1",
      place: { latitude: 48.2083333, longitude: 16.3666667, altitudeMetres: null },
      variants: ["original", "display", "thumbnail"],
      vector: { spaceId: 1 },
    });
    expect(outcome.sha256).toBe(new Bun.CryptoHasher("sha256").update(bytes).digest("hex"));
    expect(outcome.perceptualHash).toMatch(/^[0-9a-f]{16}$/);
    expect(Object.keys(outcome.exif).filter((name) => name.startsWith("GPS"))).toEqual([]);
    expect(outcome.vector?.embedding).toHaveLength(palette.dimensions);
    expect(Math.hypot(...(outcome.vector?.embedding ?? []))).toBeCloseTo(1, 5);
    expect(await library.listObjects(imageId)).toEqual({
      original: "image/jpeg",
      display: "image/jpeg",
      thumbnail: "image/jpeg",
    });
  });

  test("leaves derivatives that tell nothing of the place", async () => {
    const { imageId } = await ingestBytes(await drawPhotograph());
    const image = { id: imageId, ownerId: library.house.alice.id };
    for (const [variant, edge] of [["display", 2048] as const, ["thumbnail", 512] as const]) {
      const bytes = await library.store.get(imagePath(image, variant), new AbortController().signal);
      const { exif, icc, xmp, width, height } = await sharp(bytes).metadata();
      expect({ exif, icc, xmp, width, height }).toEqual({ width: edge, height: edge / 2 });
    }
  });

  test("twice finds the same and leaves the same objects", async () => {
    const { imageId, outcome } = await ingestBytes(await drawJpeg());
    const objects = await library.listObjects(imageId);
    expect((await ingest(imageId)).outcome).toEqual(outcome);
    expect(await library.listObjects(imageId)).toEqual(objects);
  });

  test("stops between two steps when it is told to, and stores nothing", async () => {
    const { imageId } = await library.send(await drawJpeg());
    const controller = new AbortController();
    const store: PictureStore = {
      ...library.store,
      get: async (path, signal) => {
        const bytes = await library.store.get(path, signal);
        controller.abort("cancelled");
        return bytes;
      },
    };
    await expect(ingest(imageId, { signal: controller.signal, store })).rejects.toBe("cancelled");
    expect(await library.listObjects(imageId)).toEqual({ original: "image/jpeg" });
  });
});

describe("a picture is refused for good", () => {
  test.each([
    ["that is cut off", async () => (await drawJpeg()).slice(0, 2000), "image_undecodable"],
    ["that is a text", async () => new TextEncoder().encode("not a picture at all"), "image_undecodable"],
    ["that is only a head", async () => (await drawJpeg()).slice(0, 20), "image_undecodable"],
    [
      "that has more pixels than may be",
      () =>
        sharp({ create: { width: 1500, height: 1000, channels: 3, background: "white" } })
          .png()
          .toBuffer(),
      "image_too_many_pixels",
    ],
  ])("%s", async (_what, draw, code) => {
    const { imageId } = await library.send(await draw());
    const error = await refusalOf(ingest(imageId, { pixelsMax: 1_000_000 }));
    expect(error).toMatchObject({ code, retryable: false, message: expect.stringMatching(/[a-z]{3}.*\.$/) });
    expect(await library.listObjects(imageId)).toEqual({ original: "image/jpeg" });
  });

  test("whose bytes were never sent", async () => {
    const { imageId } = await library.send(undefined);
    expect(await refusalOf(ingest(imageId))).toMatchObject({
      code: "image_object_missing",
      retryable: false,
    });
  });

  test("that is larger than may be, without reading it to its end", async () => {
    const { imageId } = await library.send(await drawJpeg());
    const store = createPictureStore({ ...library.house.config, sizeBytesMax: 1000 });
    expect(await refusalOf(ingest(imageId, { store }))).toMatchObject({
      code: "payload_too_large",
      retryable: false,
    });
  });

  test("whose row is gone", async () => {
    expect(await refusalOf(ingest(createId()))).toMatchObject({ code: "not_found", retryable: false });
  });

  test("that is no longer waiting", async () => {
    const { imageId } = await library.send(await drawJpeg());
    await library.house.sql`
      update parlance.images
      set state = 'failed', error_code = 'cancelled', error_message = 'x'
      where id = ${imageId}
    `;
    expect(await refusalOf(ingest(imageId))).toMatchObject({ code: "conflict", retryable: false });
  });
});

describe("storage that is in trouble", () => {
  const away = "http://127.0.0.1:1";
  test.each([
    ["is away", () => away],
    ["answers nonsense", () => serve(() => new Response("<html>", { status: 500 }))],
    ["refuses the key", () => serve(() => Response.json({ message: "Invalid JWT" }, { status: 403 }))],
    [
      "has no bucket",
      () =>
        serve(() =>
          Response.json(
            { statusCode: "404", error: "Bucket not found", message: "Bucket not found" },
            { status: 400 },
          ),
        ),
    ],
    ["takes too long", () => serve(() => new Promise<Response>(() => {}))],
  ])("and %s may be better later", async (_what, findUrl) => {
    const { imageId } = await library.send(undefined);
    const store = createPictureStore({
      ...library.house.config,
      supabaseUrl: findUrl(),
      sizeBytesMax: 1000,
      timeoutMs: 200,
    });
    expect(await refusalOf(ingest(imageId, { store }))).toMatchObject({
      code: "upstream_failed",
      retryable: true,
    });
  });

  const servers: { stop(force: boolean): Promise<void> }[] = [];
  afterAll(() => Promise.all(servers.map((server) => server.stop(true))));
  function serve(answer: () => Response | Promise<Response>): string {
    const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: answer });
    servers.push(server);
    return `http://127.0.0.1:${server.port}`;
  }
});
