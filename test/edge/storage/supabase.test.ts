import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { ObjectStore } from "../../../edge/storage/objects.ts";
import {
  createSupabaseStorage,
  fileBucket,
  pictureBucket,
  withOrigin,
} from "../../../edge/storage/supabase.ts";
import { openStandIn, type StandIn } from "../../supabase/local/storage/stand-in.ts";

let standIn: StandIn;
let objects: ObjectStore;

beforeAll(async () => {
  standIn = await openStandIn();
  objects = connect();
  await objects.ensureBucket();
});

afterEach(() => objects.ensureBucket());

afterAll(() => standIn.close());

function connect(options: Partial<Parameters<typeof createSupabaseStorage>[0]> = {}): ObjectStore {
  return createSupabaseStorage({
    supabaseUrl: standIn.url,
    publicUrl: standIn.url.replace("127.0.0.1", "localhost"),
    secretKey: standIn.keys.secretKey,
    bucket: pictureBucket(1_000_000),
    timeoutMs: 2000,
    ...options,
  });
}

function watch(): { methods: string[]; watching: typeof fetch } {
  const methods: string[] = [];
  const watching = ((input: RequestInfo | URL, init?: RequestInit) => {
    methods.push(init?.method ?? "GET");
    return fetch(input, init);
  }) as typeof fetch;
  return { methods, watching };
}

const bytes = (text: string) => new TextEncoder().encode(text);

test("what was put is found, read from its start, and replaced", async () => {
  await objects.put("house/a/original", bytes("0123456789"), "image/png");
  expect(await objects.find("house/a/original")).toEqual({ sizeBytes: 10, mediaType: "image/png" });
  expect(await objects.readStart("house/a/original", 4)).toEqual(bytes("0123"));
  expect(await objects.readStart("house/a/original", 400)).toEqual(bytes("0123456789"));
  await objects.put("house/a/original", new Blob(["abc"], { type: "text/plain" }), "image/jpeg");
  expect(await objects.find("house/a/original")).toEqual({ sizeBytes: 3, mediaType: "image/jpeg" });
});

test("the start of a large object is read without the rest of it", async () => {
  await objects.put("house/large/original", new Uint8Array(900_000).fill(7), "image/png");
  expect(await objects.readStart("house/large/original", 512)).toEqual(new Uint8Array(512).fill(7));
});

test.each([
  [0, 10, "0123456789"],
  [0, 4, "0123"],
  [3, 7, "3456"],
  [8, 400, "89"],
  [9, 10, "9"],
  [10, 20, ""],
  [4000, 5000, ""],
  [5, 5, ""],
])("of ten bytes those from %i to before %i are %j", async (from, to, expected) => {
  await objects.put("house/ranged/original", bytes("0123456789"), "image/png");
  expect(await objects.readRange("house/ranged/original", from, to)).toEqual(bytes(expected));
});

test("a part from the middle of a large object comes without the rest, and calls beside it are whole", async () => {
  const content = Uint8Array.from({ length: 900_000 }, (_, index) => index % 251);
  await objects.put("house/large/original", content, "image/png");
  const [part, start] = await Promise.all([
    objects.readRange("house/large/original", 400_000, 500_000),
    objects.readStart("house/large/original", 10),
  ]);
  expect(part).toEqual(content.slice(400_000, 500_000));
  expect(start).toEqual(content.slice(0, 10));
});

test("a server that knows no ranges is not believed", async () => {
  const ignoring = ((input: RequestInfo | URL, init: RequestInit = {}) => {
    const headers = new Headers(init.headers);
    headers.delete("range");
    return fetch(input, { ...init, headers });
  }) as typeof fetch;
  await objects.put("house/whole/original", bytes("0123456789"), "image/png");
  const store = connect({ fetch: ignoring });
  expect(await store.readRange("house/whole/original", 0, 4)).toEqual(bytes("0123"));
  await expect(store.readRange("house/whole/original", 4, 8)).rejects.toMatchObject({
    code: "upstream_failed",
  });
});

test("files of any type have a bucket of their own, with the limit of the project where ours is beyond it", async () => {
  const { methods, watching } = watch();
  const files = connect({ bucket: fileBucket, fetch: watching });
  await files.ensureBucket();
  expect(methods.splice(0)).toEqual(["GET", "POST", "POST"]);
  await files.ensureBucket();
  expect(methods.splice(0)).toEqual(["GET"]);
  const { url } = await files.createUpload("house/sheet");
  const sent = await fetch(url, { method: "PUT", body: "a,b", headers: { "content-type": "text/csv" } });
  expect(sent.status).toBe(200);
  expect(await files.readRange("house/sheet", 1, 3)).toEqual(bytes(",b"));
  expect(await objects.find("house/sheet")).toBeUndefined();
  const [bucket] = await standIn.admin`
    select public, file_size_limit, allowed_mime_types
    from storage.buckets where id = 'imports'
  `;
  // The stand-in allows 50 MiB unless told otherwise.
  expect(Object.values(bucket ?? {})).toEqual([false, null, null]);
});

test("what is not there is not found, and removing it is no error", async () => {
  expect(await objects.find("house/none/original")).toBeUndefined();
  expect(await objects.readStart("house/none/original", 4)).toBeUndefined();
  expect(await objects.readRange("house/none/original", 2, 4)).toBeUndefined();
  await objects.remove(["house/none/original"]);
  await objects.remove([]);
});

test("links work on the public address, and a path without an object has none", async () => {
  await objects.put("house/b/thumbnail", bytes("seen"), "image/jpeg");
  const links = await objects.sign(["house/b/thumbnail", "house/none/thumbnail"], 60);
  expect([...links.keys()]).toEqual(["house/b/thumbnail"]);
  const link = links.get("house/b/thumbnail") ?? "";
  expect(new URL(link).hostname).toBe("localhost");
  expect(await (await fetch(link)).text()).toBe("seen");
  expect(await objects.sign([], 60)).toEqual(new Map());
});

test("a removed object has no link and is gone", async () => {
  await objects.put("house/c/original", bytes("gone"), "image/jpeg");
  await objects.remove(["house/c/original"]);
  expect(await objects.find("house/c/original")).toBeUndefined();
  expect((await objects.sign(["house/c/original"], 60)).size).toBe(0);
});

test("a signed upload takes one object on the public address, once", async () => {
  const upload = await connect({ now: () => new Date("2026-01-01T00:00:00Z") }).createUpload(
    "house/d/original",
  );
  expect(upload).toMatchObject({ path: "house/d/original", expiresAt: "2026-01-01T02:00:00.000Z" });
  expect(new URL(upload.url).hostname).toBe("localhost");
  const send = () =>
    fetch(upload.url, { method: "PUT", body: "sent", headers: { "content-type": "image/jpeg" } });
  expect((await send()).status).toBe(200);
  expect((await send()).ok).toBe(false);
  expect(await objects.find("house/d/original")).toEqual({ sizeBytes: 4, mediaType: "image/jpeg" });
});

test.each([
  ["too many bytes", new Uint8Array(1_000_001), "image/jpeg"],
  ["a page", bytes("<html>"), "text/html"],
  ["a drawing with scripts", bytes("<svg/>"), "image/svg+xml"],
])("a signed upload refuses %s", async (_what, body, type) => {
  const { url } = await objects.createUpload(`house/${crypto.randomUUID()}/original`);
  expect((await fetch(url, { method: "PUT", body, headers: { "content-type": type } })).ok).toBe(false);
});

const readBucket = async () => {
  const [bucket] = await standIn.admin`
    select public, file_size_limit::int as size_bytes_max, cardinality(allowed_mime_types) as types
    from storage.buckets where id = 'images'
  `;
  return bucket;
};

test("the bucket is made when it is missing, by several at once", async () => {
  await standIn.admin.begin(async (transaction) => {
    await transaction`select set_config('storage.allow_delete_query', 'true', true)`;
    await transaction`delete from storage.objects`;
    await transaction`delete from storage.buckets`;
  });
  await Promise.all([1, 2, 3, 4].map(() => objects.ensureBucket()));
  expect(Object.values((await readBucket()) ?? {})).toEqual([false, 1_000_000, 10]);
});

test("a bucket that someone made public is private again, and follows the limit", async () => {
  await standIn.admin`update storage.buckets set public = true, allowed_mime_types = null where id = 'images'`;
  await objects.ensureBucket();
  expect(Object.values((await readBucket()) ?? {})).toEqual([false, 1_000_000, 10]);
  await connect({ bucket: pictureBucket(5000) }).ensureBucket();
  expect(Object.values((await readBucket()) ?? {})).toEqual([false, 5000, 10]);
});

test("a bucket that is as it should be is only looked at", async () => {
  const { methods, watching } = watch();
  await connect({ fetch: watching }).ensureBucket();
  expect(methods).toEqual(["GET"]);
});

const calls: [string, (store: ObjectStore) => Promise<unknown>][] = [
  ["put", (store) => store.put("house/e/original", bytes("x"), "image/jpeg")],
  ["remove", (store) => store.remove(["house/e/original"])],
  ["sign", (store) => store.sign(["house/e/original"], 60)],
  ["createUpload", (store) => store.createUpload("house/e/original")],
  ["find", (store) => store.find("house/e/original")],
  ["readStart", (store) => store.readStart("house/e/original", 4)],
  ["readRange", (store) => store.readRange("house/e/original", 2, 4)],
  ["ensureBucket", (store) => store.ensureBucket()],
];

const failures: [string, typeof fetch][] = [
  [
    "answers 500",
    (async () => Response.json({ message: "broken" }, { status: 500 })) as unknown as typeof fetch,
  ],
  ["answers with a page", (async () => new Response("<html>", { status: 502 })) as unknown as typeof fetch],
  ["refuses the connection", (() => Promise.reject(new TypeError("refused"))) as unknown as typeof fetch],
  [
    "is silent",
    ((_input: unknown, init?: RequestInit) =>
      new Promise((_, reject) => {
        init?.signal?.addEventListener("abort", () => reject(init.signal?.reason), { once: true });
      })) as unknown as typeof fetch,
  ],
];

test.each(failures)(
  "when storage %s, every call fails in time and may be tried again",
  async (_what, send) => {
    const store = connect({ fetch: send, timeoutMs: 50, uploadTimeoutMs: 50 });
    for (const [name, call] of calls) {
      await expect(call(store), name).rejects.toMatchObject({ code: "upstream_failed", retryable: true });
    }
  },
);

test("a key that storage does not know fails every call", async () => {
  const store = connect({ secretKey: "sb_secret_of_another_project_000000" });
  for (const [name, call] of calls) {
    await expect(call(store), name).rejects.toMatchObject({ code: "upstream_failed" });
  }
});

test("a body that stops arriving does not hold the caller", async () => {
  const stalling = Bun.serve({
    port: 0,
    fetch: () => new Response(new ReadableStream({ start: (controller) => controller.enqueue(bytes("ab")) })),
  });
  try {
    const supabaseUrl = `http://127.0.0.1:${stalling.port}`;
    const store = connect({ supabaseUrl, timeoutMs: 100, uploadTimeoutMs: 100 });
    for (const [name, call] of calls) {
      await expect(call(store), name).rejects.toMatchObject({ code: "upstream_failed" });
    }
  } finally {
    await stalling.stop(true);
  }
});

test("more than a thousand paths are a mistake of ours", async () => {
  const paths = Array.from({ length: 1001 }, (_, index) => `house/${index}/original`);
  await expect(objects.remove(paths)).rejects.toThrow(RangeError);
  await expect(objects.sign(paths, 60)).rejects.toThrow(RangeError);
});

test.each([
  [
    "http://kong:8000/storage/v1/a?token=b",
    "http://kong:8000",
    "https://x.supabase.co",
    "https://x.supabase.co/storage/v1/a?token=b",
  ],
  ["http://kong:8000/a", "http://kong:8000/", "https://x/", "https://x/a"],
  ["http://kong:80001/a", "http://kong:8000", "https://x", "http://kong:80001/a"],
  ["https://cdn.test/a", "http://kong:8000", "https://x", "https://cdn.test/a"],
])("the link %s made at %s is written for %s", (url, inner, outer, expected) => {
  expect(withOrigin(url, inner, outer)).toBe(expected);
});
