import { createSupabaseStorage, pictureBucket } from "../../../edge/storage/supabase.ts";
import { createId } from "../../../shared/ids.ts";
import { ImageVariant, imagePath } from "../../../shared/images/contract.ts";
import { embedQuery, ingestImage } from "../../../shared/images/kinds.ts";
import type { IngestOutcome } from "../../../shared/images/outcomes.ts";
import { defineTask, type Task } from "../../../shared/jobs/kinds.ts";
import { startRunner } from "../../../shared/jobs/runner.ts";
import { jobKinds } from "../../../shared/kinds.ts";
import { openTestApp, type TestAnswer, type TestApp, type Who } from "../../helpers/app.ts";

/** The whole app with real storage behind real supabase-js, and a runner with a model of its own when asked for. */
export interface Rig extends TestApp {
  /** What storage does with requests; `ok` unless a test changes it. */
  storage: "ok" | "down" | "silent";
  /** How many requests storage was sent. */
  storageCalls: number;
  /** Sends a file as a form. */
  upload(who: Who, upload?: Upload): Promise<TestAnswer>;
  sendJson(who: Who, method: string, path: string, body: unknown): Promise<TestAnswer>;
  /** Adds a ready picture with a vector at this angle, by SQL alone. */
  addReady(image?: ReadyImage): Promise<string>;
  /** The paths of all objects, in order. */
  listObjects(): Promise<string[]>;
  /** Starts the runner; `close` stops it. */
  startSidecar(tasks?: Task[]): Promise<void>;
  stopSidecar(): Promise<void>;
  /** Waits until a picture is `ready` or `failed`. */
  untilEnded(who: Who, id: string): Promise<Record<string, unknown>>;
}

export interface Upload {
  bytes?: Uint8Array<ArrayBuffer>;
  fileName?: string;
  type?: string;
  fields?: [string, string][];
  /** Its Idempotency-Key. */
  key?: string;
}

export interface ReadyImage {
  id?: string;
  ownerId?: string | null;
  name?: string;
  title?: string;
  keywords?: string[];
  isPublic?: boolean;
  degrees?: number;
  createdAt?: string;
}

/** Starts like a jpeg; nothing at the edge looks further. */
export const jpeg = (content = "picture"): Uint8Array<ArrayBuffer> =>
  new Uint8Array([0xff, 0xd8, 0xff, 0xe0, ...new TextEncoder().encode(content)]);

/** A unit vector of 128 numbers: this angle in the plane of the first two. */
export function vectorAt(degrees: number): number[] {
  const radians = (degrees / 180) * Math.PI;
  return [Math.cos(radians), Math.sin(radians), ...new Array<number>(126).fill(0)];
}

export async function openRig(environment: Record<string, string> = {}): Promise<Rig> {
  /** The way to storage, which a test may block. */
  const send = (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    rig.storageCalls++;
    if (rig.storage === "down") return Promise.resolve(Response.json({ message: "down" }, { status: 500 }));
    if (rig.storage === "silent") return untilAborted(init?.signal);
    return fetch(input, init);
  };
  const testApp = await openTestApp({
    environment,
    objects: ({ supabaseUrl, secretKey, uploadBytesMax }) => {
      const options = {
        supabaseUrl,
        publicUrl: supabaseUrl.replace("127.0.0.1", "localhost"),
        secretKey,
        bucket: pictureBucket(uploadBytesMax),
        fetch: send as typeof fetch,
      };
      const store = createSupabaseStorage(options);
      // Only a storage that never answers is given little time: a busy machine may take long to answer.
      const hasty = createSupabaseStorage({ ...options, timeoutMs: 500, uploadTimeoutMs: 500 });
      return new Proxy(store, {
        get: (_store, method) => Reflect.get(rig.storage === "silent" ? hasty : store, method),
      });
    },
  });
  const { sql } = testApp;
  let stopRunner = async () => {};

  const rig: Rig = {
    ...testApp,
    storage: "ok",
    storageCalls: 0,

    upload(who, upload = {}) {
      const {
        bytes = jpeg(),
        fileName = `${createId()}.jpg`,
        type = "image/jpeg",
        fields = [],
        key,
      } = upload;
      const form = new FormData();
      form.set("file", new File([bytes], fileName, { type }));
      for (const [field, value] of fields) form.append(field, value);
      const headers: Record<string, string> = key ? { "idempotency-key": key } : {};
      return testApp.call(who, "POST", "/images", { body: form, headers });
    },

    sendJson: (who, method, path, body) =>
      testApp.call(who, method, path, {
        body: JSON.stringify(body),
        headers: { "content-type": "application/json" },
      }),

    async addReady(image = {}) {
      const { id = createId(), ownerId = testApp.alice.id, isPublic = false, degrees = 0 } = image;
      await sql`
        insert into parlance.images
          (id, owner_id, name, title, keywords, is_public, state, media_type, size_bytes, width, height,
          variants, created_at)
        values (
          ${id}, ${ownerId}, ${image.name ?? id}, ${image.title ?? null}, ${image.keywords ?? []}::text[], ${isPublic},
          'ready', 'image/jpeg', 3, 1, 1, '{original,display,thumbnail}',
          ${image.createdAt ?? new Date().toISOString()}
        )
      `;
      await sql`
        insert into parlance.image_vectors (space_id, image_id, owner_id, is_public, embedding)
        values (1, ${id}, ${ownerId}, ${isPublic}, ${JSON.stringify(vectorAt(degrees))}::text::extensions.vector)
      `;
      return id;
    },

    async listObjects() {
      const rows = await sql<{ name: string }[]>`select name from storage.objects order by name collate "C"`;
      return rows.map((row) => row.name);
    },

    async startSidecar(tasks = createModelTasks(rig)) {
      const workerId = createId();
      const kinds = tasks.map((task) => task.kind.name);
      await sql`
        select parlance.report_worker(
          ${workerId}, 'sidecar', 'test', 'test', ${kinds}::text[], '{palette}'::text[], '{palette}'::text[], 0, '{}'::jsonb, 'running'
        )
      `;
      const runner = startRunner({
        sql,
        workerId,
        tasks,
        kinds: jobKinds,
        models: () => ["palette"],
        slots: { interactive: 2, bulk: 2 },
        drainMs: 500,
        pollMs: 20,
      });
      stopRunner = async () => {
        stopRunner = async () => {};
        await runner.stop();
        await sql`select parlance.remove_worker(${workerId})`;
      };
    },

    stopSidecar: () => stopRunner(),

    async untilEnded(who, id) {
      for (let round = 0; round < 400; round++) {
        const { body } = await testApp.call(who, "GET", `/images/${id}`);
        if (body.state === "ready" || body.state === "failed") return body;
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
      throw new Error(`the picture ${id} did not end`);
    },

    async close() {
      await stopRunner();
      await testApp.close();
    },
  };
  await testApp.deps.objects.ensureBucket();
  rig.storageCalls = 0;
  return rig;
}

function untilAborted(signal: AbortSignal | null | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

/** A model that reads degrees: of a query, or of the name of a picture. It knows no other words. */
export function createModelTasks(rig: Pick<Rig, "sql" | "deps">): Task[] {
  const embed = defineTask(embedQuery, async ({ spaceId, query }) => {
    const degrees = /(\d+) degrees/.exec(query)?.[1];
    return { spaceId, query, embedding: degrees === undefined ? null : vectorAt(Number(degrees)) };
  });
  const ingest = defineTask(ingestImage, async ({ imageId }): Promise<IngestOutcome> => {
    const [image] = await rig.sql<{ id: string; ownerId: string | null; name: string }[]>`
      select id, owner_id, name from parlance.images where id = ${imageId}
    `;
    if (!image) throw new Error("the picture is gone");
    for (const variant of ["display", "thumbnail"] as const) {
      await rig.deps.objects.put(imagePath(image, variant), jpeg(variant), "image/jpeg");
    }
    return {
      mediaType: "image/jpeg",
      sizeBytes: 11,
      width: 4,
      height: 3,
      sha256: "0".repeat(64),
      perceptualHash: "f00000000000000f",
      variants: ImageVariant.options,
      takenAt: "2020-02-02T02:02:02.123456Z",
      camera: "Test 1",
      exif: { iso: 100 },
      place: { latitude: 52.5, longitude: 13.4, altitudeMetres: 34 },
      colours: ["red"],
      vector: { spaceId: 1, embedding: vectorAt(Number(/(\d+) degrees/.exec(image.name)?.[1] ?? 0)) },
    };
  });
  return [embed, ingest];
}

/** The status and code of a refusal, to compare in one line. */
export function refusal(answer: TestAnswer): [number, string] {
  return [answer.status, answer.body.code];
}
