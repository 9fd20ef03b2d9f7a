import type { SupabaseClient } from "@supabase/supabase-js";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { openTarget, type Target, type TestUser } from "./target.ts";

/** Storage as supabase-js knows it: nothing here can tell the stand-in from a project. See target.ts. */
let target: Target;
let ada: TestUser;
let bob: TestUser;
let bucket: string;
const buckets: string[] = [];

type BucketOptions = Parameters<SupabaseClient["storage"]["createBucket"]>[1];

beforeAll(async () => {
  target = await openTarget();
  ada = await target.signUp();
  bob = await target.signUp();
  bucket = await makeBucket();
});

afterAll(async () => {
  for (const id of buckets) await dropBucket(id);
  await target?.close();
});

async function makeBucket(options?: BucketOptions): Promise<string> {
  const id = `suite-${crypto.randomUUID()}`;
  expectNoError(await target.secret.storage.createBucket(id, options));
  buckets.push(id);
  return id;
}

/** A project empties a bucket some time after it said so. */
async function dropBucket(id: string): Promise<void> {
  await target.secret.storage.emptyBucket(id);
  await vi.waitUntil(
    async () => {
      const { error } = await target.secret.storage.deleteBucket(id);
      return !error || error.message === "Bucket not found";
    },
    { timeout: 30_000, interval: 200 },
  );
}

/** The data of an answer that must have come without an error. */
function expectNoError<T>(answer: { data: T; error: unknown }): NonNullable<T> {
  expect(answer.error).toBeNull();
  if (answer.data === null || answer.data === undefined)
    throw new Error("There is neither data nor an error.");
  return answer.data;
}

/** The code that is meant: storage-api sends nearly every error as HTTP 400. */
function expectRefused(answer: { data: unknown; error: unknown }, statusCode: string): void {
  expect(answer.error).toMatchObject({ name: "StorageApiError", statusCode });
  expect(answer.data).toBeNull();
}

function objects(client: SupabaseClient, id = bucket) {
  return client.storage.from(id);
}

/** A name in the user's own folder that nothing has yet. */
function nameFor(user: TestUser, extension = "txt"): string {
  return `${user.id}/${crypto.randomUUID()}.${extension}`;
}

async function put(user: TestUser, content = "hello", id = bucket): Promise<string> {
  const name = nameFor(user);
  expectNoError(await objects(user.client, id).upload(name, content, { contentType: "text/plain" }));
  return name;
}

async function read(client: SupabaseClient, name: string, id = bucket): Promise<string> {
  return expectNoError(await objects(client, id).download(name)).text();
}

describe("buckets", () => {
  test("the secret key makes, finds, lists, changes and removes one", async () => {
    const { storage } = target.secret;
    const id = await makeBucket({ public: false, fileSizeLimit: "1MB", allowedMimeTypes: ["image/*"] });
    const made = { id, name: id, public: false, file_size_limit: 1_000_000, allowed_mime_types: ["image/*"] };
    expect(expectNoError(await storage.getBucket(id))).toMatchObject(made);
    expect(expectNoError(await storage.listBuckets({ search: id }))).toMatchObject([made]);
    const changed = await storage.updateBucket(id, { public: true, fileSizeLimit: 2000 });
    expect(expectNoError(changed)).toEqual({ message: "Successfully updated" });
    expect(expectNoError(await storage.getBucket(id))).toMatchObject({
      public: true,
      file_size_limit: 2000,
      allowed_mime_types: ["image/*"],
    });
    expectNoError(
      await storage.updateBucket(id, { public: true, fileSizeLimit: null, allowedMimeTypes: null }),
    );
    expect(expectNoError(await storage.getBucket(id))).toMatchObject({
      file_size_limit: null,
      allowed_mime_types: null,
    });
    expect(expectNoError(await storage.deleteBucket(id))).toEqual({ message: "Successfully deleted" });
    expectRefused(await storage.getBucket(id), "404");
  });

  test("a list is cut to its page", async () => {
    const ids = [await makeBucket(), await makeBucket()].sort();
    const page = { search: "suite-", sortColumn: "name", sortOrder: "asc" } as const;
    const all = expectNoError(await target.secret.storage.listBuckets(page)).map(({ id }) => id);
    expect(all).toEqual(expect.arrayContaining(ids));
    const first = expectNoError(await target.secret.storage.listBuckets({ ...page, limit: 1 }));
    expect(first.map(({ id }) => id)).toEqual(all.slice(0, 1));
    const second = expectNoError(await target.secret.storage.listBuckets({ ...page, limit: 1, offset: 1 }));
    expect(second.map(({ id }) => id)).toEqual(all.slice(1, 2));
  });

  test("one that exists is not made again", async () => {
    expectRefused(await target.secret.storage.createBucket(bucket), "409");
  });

  test("one that is not there is neither changed, emptied nor removed", async () => {
    const id = `suite-${crypto.randomUUID()}`;
    expectRefused(await target.secret.storage.updateBucket(id, { public: true }), "404");
    expectRefused(await target.secret.storage.emptyBucket(id), "404");
    expectRefused(await target.secret.storage.deleteBucket(id), "404");
  });

  test.each(["", "a/b", "ä", "x".repeat(101), "a#b"])("the name %j is refused", async (name) => {
    const { data, error } = await target.secret.storage.createBucket(name);
    expect(data).toBeNull();
    expect(error).not.toBeNull();
  });

  test("visitors and users neither make, see, change, empty nor remove one", async () => {
    for (const { storage } of [target.visitor, ada.client]) {
      expectRefused(await storage.createBucket(`suite-${crypto.randomUUID()}`), "403");
      expect(expectNoError(await storage.listBuckets())).toEqual([]);
      expectRefused(await storage.getBucket(bucket), "404");
      expectRefused(await storage.updateBucket(bucket, { public: true }), "404");
      expectRefused(await storage.emptyBucket(bucket), "404");
      expect((await storage.deleteBucket(bucket)).error).not.toBeNull();
    }
    expect(expectNoError(await target.secret.storage.getBucket(bucket))).toMatchObject({ public: false });
  });

  test("one that holds something is removed only after it was emptied", async () => {
    const id = await makeBucket();
    const name = await put(ada, "in the way", id);
    expectRefused(await target.secret.storage.deleteBucket(id), "409");
    await dropBucket(id);
    expectRefused(await target.secret.storage.getBucket(id), "404");
    expect((await objects(ada.client, id).download(name)).data).toBeNull();
  });
});

describe("uploads", () => {
  const text = "Grüße, ✓ and \0 and \r\n--";
  const bytes = new TextEncoder().encode(text);
  const form = () => {
    const data = new FormData();
    data.append("file", new Blob([bytes], { type: "text/plain" }), "x.txt");
    return data;
  };
  const bodies: [string, () => Parameters<ReturnType<typeof objects>["upload"]>[1]][] = [
    ["a text", () => text],
    ["a Uint8Array", () => bytes],
    ["an ArrayBuffer", () => bytes.buffer],
    ["a Buffer", () => Buffer.from(bytes)],
    ["a Blob", () => new Blob([bytes], { type: "text/plain" })],
    ["a File", () => new File([bytes], 'ü".txt', { type: "text/plain" })],
    ["a form", form],
    ["a stream", () => new Blob([bytes]).stream()],
  ];

  test.each(bodies)("%s comes back as it was sent", async (_kind, body) => {
    const name = nameFor(ada);
    const options = { contentType: "text/plain", duplex: "half" };
    const sent = expectNoError(await objects(ada.client).upload(name, body(), options));
    expect(sent).toEqual({ id: expect.any(String), path: name, fullPath: `${bucket}/${name}` });
    const got = expectNoError(await objects(ada.client).download(name));
    expect(new Uint8Array(await got.arrayBuffer())).toEqual(bytes);
    expect(got.type).toMatch(/^text\/plain/);
  });

  test("nothing at all is an object too", async () => {
    const name = nameFor(ada);
    expectNoError(await objects(ada.client).upload(name, new Blob([], { type: "text/plain" })));
    expect(await read(ada.client, name)).toBe("");
    expect(expectNoError(await objects(ada.client).info(name)).size).toBe(0);
  });

  test.each([
    ["a raw body", "hello"],
    ["a Blob", new Blob(["hello"], { type: "text/css" })],
  ])("%s brings its type, its time in caches and its metadata", async (_kind, body) => {
    const name = nameFor(ada, "css");
    const metadata = { origin: "camera ü", rating: 3 };
    const options = { contentType: "text/css", cacheControl: "77", metadata };
    const { id } = expectNoError(await objects(ada.client).upload(name, body, options));
    const info = expectNoError(await objects(ada.client).info(name));
    expect(info).toMatchObject({ id, name, bucketId: bucket, size: 5, cacheControl: "max-age=77", metadata });
    expect(info.contentType).toMatch(/^text\/css/);
    expect(info.etag).toMatch(/^"[0-9a-f]+"$/);
  });

  test("a name that is taken is refused, and replaced by an upsert or an update", async () => {
    const name = await put(ada, "first");
    const before = expectNoError(await objects(ada.client).info(name));
    expectRefused(await objects(ada.client).upload(name, "second"), "409");
    expect(await read(ada.client, name)).toBe("first");
    const upserted = expectNoError(await objects(ada.client).upload(name, "third", { upsert: true }));
    expect(upserted.id).toBe(before.id);
    expect(await read(ada.client, name)).toBe("third");
    expectNoError(await objects(ada.client).update(name, new Blob(["fourth"])));
    expect(await read(ada.client, name)).toBe("fourth");
    const after = expectNoError(await objects(ada.client).info(name));
    expect(after.version).not.toBe(before.version);
    expect(after.etag).not.toBe(before.etag);
  });

  test.each(["with space.txt", "ünïcödé 象.txt", "a/b/c/d.txt", "(1)+@$&=;,!'*.txt", "🙂.png"])(
    "the name %s is kept",
    async (ending) => {
      const name = `${ada.id}/${crypto.randomUUID()}/${ending}`;
      expectNoError(await objects(ada.client).upload(name, "x"));
      expect(await read(ada.client, name)).toBe("x");
      const listed = expectNoError(await objects(ada.client).list(name.slice(0, name.lastIndexOf("/"))));
      expect(listed.map((entry) => entry.name)).toEqual([name.slice(name.lastIndexOf("/") + 1)]);
    },
  );

  test("a bucket that is not there takes nothing", async () => {
    expectRefused(await objects(target.secret, `suite-${crypto.randomUUID()}`).upload("a.txt", "x"), "404");
  });

  test("a bucket's limits hold for a raw body and for a form", async () => {
    const id = await makeBucket({
      public: false,
      fileSizeLimit: 10,
      allowedMimeTypes: ["text/plain", "image/*"],
    });
    for (const wrap of [(content: string) => content, (content: string) => new Blob([content])]) {
      const store = objects(ada.client, id);
      const large = await store.upload(nameFor(ada), wrap("x".repeat(11)), { contentType: "text/plain" });
      expect(large.data).toBeNull();
      expect(large.error).not.toBeNull();
    }
    const store = objects(ada.client, id);
    expectRefused(await store.upload(nameFor(ada), "x".repeat(11), { contentType: "text/plain" }), "413");
    expectNoError(await store.upload(nameFor(ada), "x".repeat(10), { contentType: "text/plain" }));
    expectNoError(await store.upload(nameFor(ada), "x", { contentType: "image/webp" }));
    expectRefused(await store.upload(nameFor(ada), "x", { contentType: "application/pdf" }), "415");
    const pdf = new Blob(["x"], { type: "application/pdf" });
    expectRefused(await store.upload(nameFor(ada), pdf), "415");
    expect(expectNoError(await store.list(ada.id))).toHaveLength(2);
  });

  test("nobody but the owner of a folder and the secret key places anything in it", async () => {
    const name = nameFor(ada);
    for (const client of [target.visitor, bob.client]) {
      expectRefused(await objects(client).upload(name, "x"), "403");
      expectRefused(await objects(client).upload(name, new Blob(["x"])), "403");
      expectRefused(await objects(client).update(name, "x"), "403");
    }
    expect((await objects(ada.client).exists(name)).data).toBe(false);
    expectNoError(await objects(target.secret).upload(name, "by the secret key"));
    expect(await read(ada.client, name)).toBe("by the secret key");
    expectRefused(await objects(bob.client).upload(name, "x", { upsert: true }), "403");
    expect(await read(ada.client, name)).toBe("by the secret key");
  });
});

describe("downloads", () => {
  test("a private object is there for its owner and the secret key, and for nobody else", async () => {
    const name = await put(ada, "secret diary");
    expect(await read(ada.client, name)).toBe("secret diary");
    expect(await read(target.secret, name)).toBe("secret diary");
    for (const client of [target.visitor, bob.client]) {
      expectRefused(await objects(client).download(name), "404");
      expectRefused(await objects(client).info(name), "404");
      expect((await objects(client).exists(name)).data).toBe(false);
    }
  });

  test("what is not there is not found", async () => {
    expectRefused(await objects(ada.client).download(nameFor(ada)), "404");
    expectRefused(await objects(ada.client).info(nameFor(ada)), "404");
    expect((await objects(ada.client).exists(nameFor(ada))).data).toBe(false);
    expect((await objects(ada.client).exists(await put(ada))).data).toBe(true);
  });

  test("a large object arrives whole, as a stream too", async () => {
    const name = nameFor(ada, "bin");
    const bytes = crypto.getRandomValues(new Uint8Array(64 * 1024));
    const blob = new Blob(Array.from({ length: 80 }, () => bytes));
    expectNoError(await objects(ada.client).upload(name, blob));
    const stream = expectNoError(await objects(ada.client).download(name).asStream());
    const received = new Uint8Array(await new Response(stream).arrayBuffer());
    expect(received.byteLength).toBe(blob.size);
    expect(Buffer.compare(received, new Uint8Array(await blob.arrayBuffer()))).toBe(0);
  });

  test("a public bucket is read by everyone at its public address, a private one by nobody", async () => {
    const id = await makeBucket({ public: true });
    const name = await put(ada, "for all", id);
    const open = await fetch(objects(target.visitor, id).getPublicUrl(name).data.publicUrl);
    expect([open.status, await open.text()]).toEqual([200, "for all"]);
    expect(await read(bob.client, name, id)).toBe("for all");
    const hidden = await put(ada, "not for all");
    const closed = await fetch(objects(target.visitor).getPublicUrl(hidden).data.publicUrl);
    expect(closed.status).toBe(400);
    expect(await closed.json()).toMatchObject({ statusCode: "404" });
  });

  test("a public bucket lets nobody list or write without a policy", async () => {
    const id = await makeBucket({ public: true });
    const name = await put(ada, "for all", id);
    expect(expectNoError(await objects(bob.client, id).list(ada.id))).toEqual([]);
    expect(expectNoError(await objects(bob.client, id).remove([name]))).toEqual([]);
    expectRefused(await objects(target.visitor, id).upload("a.txt", "x"), "403");
    expect(await read(bob.client, name, id)).toBe("for all");
  });

  test("a browser keeps a copy as long as the uploader said, and asks whether it is still fresh", async () => {
    const id = await makeBucket({ public: true });
    const name = nameFor(ada);
    expectNoError(await objects(ada.client, id).upload(name, "hello", { cacheControl: "123" }));
    const { publicUrl } = objects(target.visitor, id).getPublicUrl(name).data;
    const first = await fetch(publicUrl);
    expect(first.headers.get("cache-control")).toContain("max-age=123");
    const etag = first.headers.get("etag") ?? "";
    await first.text();
    const again = await fetch(publicUrl, { headers: { "if-none-match": etag } });
    expect([again.status, await again.text()]).toEqual([304, ""]);
    const part = await fetch(publicUrl, { headers: { range: "bytes=1-3" } });
    expect([part.status, await part.text()]).toEqual([206, "ell"]);
    expect(part.headers.get("content-range")).toBe("bytes 1-3/5");
    const saved = await fetch(
      objects(target.visitor, id).getPublicUrl(name, { download: "hi.txt" }).data.publicUrl,
    );
    expect(await saved.text()).toBe("hello");
    expect(saved.headers.get("content-disposition")).toMatch(/^attachment;.*hi\.txt/);
  });
});

describe("lists", () => {
  let id: string;
  let root: string;
  const names = ["a.txt", "b.txt", "C.txt", "sub/one.txt", "sub/deep/two.txt", "su_x.txt"];

  beforeAll(async () => {
    id = await makeBucket();
    root = `${ada.id}/lists`;
    for (const name of names) expectNoError(await objects(ada.client, id).upload(`${root}/${name}`, name));
    await put(bob, "not to be seen", id);
  });

  const list = async (path: string, options = {}) =>
    expectNoError(await objects(ada.client, id).list(path, options)).map((entry) => entry.name);

  test("a folder shows its files and its folders, a folder being a name and nothing else", async () => {
    const entries = expectNoError(await objects(ada.client, id).list(root));
    expect(entries.map((entry) => entry.name).sort()).toEqual(["C.txt", "a.txt", "b.txt", "su_x.txt", "sub"]);
    const folder = entries.find((entry) => entry.name === "sub");
    expect(folder).toMatchObject({ id: null, metadata: null, created_at: null, updated_at: null });
    const file = entries.find((entry) => entry.name === "a.txt");
    expect(file).toMatchObject({
      id: expect.any(String),
      metadata: { size: 5, mimetype: expect.any(String) },
    });
    expect(Date.parse(file?.created_at ?? "")).toBeGreaterThan(0);
    expect(await list(`${root}/sub`)).toEqual(expect.arrayContaining(["deep", "one.txt"]));
    expect(await list(`${root}/sub/`)).toHaveLength(2);
    expect(await list(`${root}/nothing`)).toEqual([]);
  });

  test("the order, the page and the beginning of the names are asked for", async () => {
    const files = (found: string[]) => found.filter((name) => ["a.txt", "b.txt"].includes(name));
    const sorted = (column: string, order: string) => list(root, { sortBy: { column, order } });
    expect(files(await sorted("name", "asc"))).toEqual(["a.txt", "b.txt"]);
    expect(files(await sorted("name", "desc"))).toEqual(["b.txt", "a.txt"]);
    expect(files(await sorted("created_at", "asc"))).toEqual(["a.txt", "b.txt"]);
    expect(files(await sorted("created_at", "desc"))).toEqual(["b.txt", "a.txt"]);
    const all = await list(root);
    expect(await list(root, { limit: 2 })).toEqual(all.slice(0, 2));
    expect(await list(root, { limit: 2, offset: 2 })).toEqual(all.slice(2, 4));
    expect(await list(root, { search: "su" })).toEqual(expect.arrayContaining(["sub", "su_x.txt"]));
    expect(await list(root, { search: "b" })).toEqual(["b.txt"]);
  });

  test("nobody sees what is not theirs, not even as a folder", async () => {
    expect(await list("")).toEqual([ada.id]);
    expect(expectNoError(await objects(bob.client, id).list())).toMatchObject([{ name: bob.id, id: null }]);
    expect(expectNoError(await objects(target.visitor, id).list())).toEqual([]);
    expect(expectNoError(await objects(target.secret, id).list())).toHaveLength(2);
  });

  test("the second kind of list goes on from a cursor until nothing is left", async () => {
    const walk = async (options: object) => {
      const found: string[] = [];
      let cursor: string | undefined;
      for (let page = 0; page < 20; page++) {
        const request = { prefix: `${root}/`, limit: 2, ...options, ...(cursor && { cursor }) };
        const result = expectNoError(await objects(ada.client, id).listV2(request));
        found.push(...result.folders.map(({ name }) => name), ...result.objects.map(({ name }) => name));
        expect(result.folders.length + result.objects.length).toBeLessThanOrEqual(2);
        if (!result.hasNext) return found.map((name) => name.slice(root.length + 1));
        cursor = result.nextCursor;
      }
      throw new Error("The list has no end.");
    };
    expect((await walk({})).sort()).toEqual([...names].sort());
    expect(await walk({ sortBy: { column: "created_at", order: "asc" } })).toEqual(names);
    expect(await walk({ sortBy: { column: "created_at", order: "desc" } })).toEqual([...names].reverse());
    expect((await walk({ with_delimiter: true })).sort()).toEqual([
      "C.txt",
      "a.txt",
      "b.txt",
      "su_x.txt",
      "sub/",
    ]);
    const flat = expectNoError(await objects(bob.client, id).listV2({ prefix: root }));
    expect(flat).toMatchObject({ hasNext: false, folders: [], objects: [] });
  });
});

describe("removing", () => {
  test("owners remove their own, and are told what went", async () => {
    const names = [await put(ada), await put(ada)];
    const missing = nameFor(ada);
    const removed = expectNoError(await objects(ada.client).remove([...names, missing]));
    expect(removed.map(({ name }) => name).sort()).toEqual([...names].sort());
    for (const name of names) expectRefused(await objects(ada.client).download(name), "404");
  });

  test("what belongs to another stays, without a word", async () => {
    const name = await put(ada, "stays");
    const mine = await put(bob);
    expect(expectNoError(await objects(target.visitor).remove([name]))).toEqual([]);
    expect(expectNoError(await objects(bob.client).remove([name, mine]))).toMatchObject([{ name: mine }]);
    expect(await read(ada.client, name)).toBe("stays");
    expect(expectNoError(await objects(target.secret).remove([name]))).toMatchObject([{ name }]);
  });

  test("a name is free again after its object went", async () => {
    const name = await put(ada, "one");
    expectNoError(await objects(ada.client).remove([name]));
    expectNoError(await objects(ada.client).upload(name, "two"));
    expect(await read(ada.client, name)).toBe("two");
  });
});

describe("moving and copying", () => {
  test("an object moves to another name, and into another bucket", async () => {
    const [from, to] = [await put(ada, "moved"), nameFor(ada)];
    const moved = expectNoError(await objects(ada.client).move(from, to));
    expect(moved.message).toBe("Successfully moved");
    expectRefused(await objects(ada.client).download(from), "404");
    expect(await read(ada.client, to)).toBe("moved");
    const id = await makeBucket();
    expectNoError(await objects(ada.client).move(to, to, { destinationBucket: id }));
    expect((await objects(ada.client).exists(to)).data).toBe(false);
    expect(await read(ada.client, to, id)).toBe("moved");
  });

  test("an object is copied with what was said of it, or with other words", async () => {
    const from = nameFor(ada);
    const said = { contentType: "text/css", cacheControl: "5", metadata: { colour: "red" } };
    expectNoError(await objects(ada.client).upload(from, "copied", said));
    const to = nameFor(ada);
    expect(expectNoError(await objects(ada.client).copy(from, to))).toEqual({ path: `${bucket}/${to}` });
    expect(await read(ada.client, to)).toBe("copied");
    expect(expectNoError(await objects(ada.client).info(to))).toMatchObject({
      contentType: "text/css",
      cacheControl: "max-age=5",
      metadata: { colour: "red" },
    });
    const other = nameFor(ada);
    const metadata = { cacheControl: "max-age=9", mimetype: "text/plain" };
    expectNoError(await objects(ada.client).copy(from, other, { copyMetadata: false, metadata }));
    expect(expectNoError(await objects(ada.client).info(other))).toMatchObject({
      contentType: "text/plain",
      cacheControl: "max-age=9",
    });
    expectNoError(await objects(ada.client).remove([from]));
    expect(await read(ada.client, to)).toBe("copied");
  });

  test("neither goes where the caller may not write, or takes what the caller may not see", async () => {
    const name = await put(ada, "mine");
    const foreign = nameFor(bob);
    for (const act of ["move", "copy"] as const) {
      expectRefused(await objects(ada.client)[act](name, foreign), "403");
      expectRefused(await objects(bob.client)[act](name, nameFor(bob)), "404");
      expectRefused(await objects(target.visitor)[act](name, "a.txt"), "404");
      expectRefused(await objects(ada.client)[act](nameFor(ada), nameFor(ada)), "404");
    }
    expect(await read(ada.client, name)).toBe("mine");
    expect((await objects(bob.client).exists(foreign)).data).toBe(false);
  });

  test("neither takes the place of another object", async () => {
    const [from, to] = [await put(ada, "from"), await put(ada, "to")];
    expectRefused(await objects(ada.client).move(from, to), "409");
    expectRefused(await objects(ada.client).copy(from, to), "409");
    expect(await read(ada.client, from)).toBe("from");
    expect(await read(ada.client, to)).toBe("to");
  });
});

describe("signed URLs", () => {
  test("whoever may read an object can let others read it", async () => {
    const name = `${ada.id}/${crypto.randomUUID()}/with ü.txt`;
    expectNoError(await objects(ada.client).upload(name, "shared", { contentType: "text/plain" }));
    const { signedUrl } = expectNoError(await objects(ada.client).createSignedUrl(name, 60));
    const answer = await fetch(signedUrl);
    expect([answer.status, await answer.text()]).toEqual([200, "shared"]);
    const saving = await objects(ada.client).createSignedUrl(name, 60, { download: "saved.txt" });
    const saved = await fetch(expectNoError(saving).signedUrl);
    expect(await saved.text()).toBe("shared");
    expect(saved.headers.get("content-disposition")).toMatch(/^attachment;.*saved\.txt/);
  });

  test("many are signed at once, each for itself", async () => {
    const [name, foreign] = [await put(ada, "one"), await put(bob)];
    const signed = expectNoError(await objects(ada.client).createSignedUrls([name, foreign, "nothing"], 60));
    expect(signed.map(({ path }) => path)).toEqual([name, foreign, "nothing"]);
    expect(signed.map(({ error }) => error === null)).toEqual([true, false, false]);
    expect(signed.slice(1).map(({ signedUrl }) => signedUrl)).toEqual([null, null]);
    expect(await (await fetch(signed[0]?.signedUrl ?? "")).text()).toBe("one");
  });

  test("nobody signs what they may not read", async () => {
    const name = await put(ada);
    for (const client of [target.visitor, bob.client]) {
      expectRefused(await objects(client).createSignedUrl(name, 60), "404");
    }
    expectRefused(await objects(ada.client).createSignedUrl(nameFor(ada), 60), "404");
  });

  test("a URL opens nothing but its own object", async () => {
    const [mine, other] = [await put(ada), await put(ada)];
    const { signedUrl } = expectNoError(await objects(ada.client).createSignedUrl(mine, 60));
    const stolen = await fetch(signedUrl.replace(mine, other));
    expect(stolen.status).toBe(400);
    const bare = await fetch(signedUrl.slice(0, signedUrl.indexOf("?")));
    expect(bare.status).toBe(400);
  });

  test.each([
    ["a raw body", () => "uploaded"],
    ["a Blob", () => new Blob(["uploaded"], { type: "text/plain" })],
  ])("whoever may write can let others upload %s", async (_kind, body) => {
    const name = nameFor(ada);
    const signed = expectNoError(await objects(ada.client).createSignedUploadUrl(name));
    expect(signed.path).toBe(name);
    const sent = await objects(target.visitor).uploadToSignedUrl(name, signed.token, body());
    expect(expectNoError(sent)).toEqual({ path: name, fullPath: `${bucket}/${name}` });
    expect(await read(ada.client, name)).toBe("uploaded");
    const removed = expectNoError(await objects(target.secret).remove([name]));
    expect(removed).toMatchObject([{ name, owner_id: ada.id }]);
  });

  test("an upload URL replaces an object only when it was signed for that", async () => {
    const name = await put(ada, "before");
    expectRefused(await objects(ada.client).createSignedUploadUrl(name), "409");
    const fresh = nameFor(ada);
    const once = expectNoError(await objects(ada.client).createSignedUploadUrl(fresh));
    const upload = (token: string, path: string, content: string) =>
      objects(target.visitor).uploadToSignedUrl(path, token, content, { upsert: true });
    expectNoError(await upload(once.token, fresh, "first"));
    expectRefused(await upload(once.token, fresh, "second"), "409");
    expect(await read(ada.client, fresh)).toBe("first");
    const upsert = expectNoError(await objects(ada.client).createSignedUploadUrl(name, { upsert: true }));
    expectNoError(await upload(upsert.token, name, "after"));
    expect(await read(ada.client, name)).toBe("after");
  });

  test("an upload URL is given to nobody who may not write, and serves no other name", async () => {
    const name = nameFor(ada);
    for (const client of [target.visitor, bob.client]) {
      expectRefused(await objects(client).createSignedUploadUrl(name), "403");
    }
    const { token } = expectNoError(await objects(ada.client).createSignedUploadUrl(name));
    expectRefused(await objects(target.visitor).uploadToSignedUrl(nameFor(ada), token, "x"), "400");
    expectRefused(await objects(target.visitor).uploadToSignedUrl(name, `${token}x`, "x"), "400");
    expect((await objects(ada.client).exists(name)).data).toBe(false);
  });
});
