import { gzipSync } from "node:zlib";
import type { SupabaseClient } from "@supabase/supabase-js";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { openBody } from "../../../../supabase/local/storage/body.ts";
import { sendAndLeave, sendRaw } from "./sockets.ts";
import { openStandIn, type StandIn } from "./stand-in.ts";
import { connect } from "./target.ts";

const limitBytes = 1_000_000;
let standIn: StandIn;
let storage: SupabaseClient["storage"];
let base: string;

beforeAll(async () => {
  standIn = await openStandIn({ fileSizeLimitBytes: limitBytes, bodyIdleMs: 300 });
  storage = connect(standIn.url, standIn.keys.secretKey).storage;
  base = `${standIn.url}/storage/v1`;
  await storage.createBucket("open", { public: true });
  await storage.createBucket("small", { public: false, fileSizeLimit: 100_000 });
});

afterAll(async () => {
  expect(standIn?.errors).toEqual([]);
  await standIn?.close();
});

const credentials = () => ({ apikey: standIn.keys.secretKey });

/** A body without a length, and how many of its bytes were taken. */
function endlessBody() {
  const taken = { bytes: 0 };
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      taken.bytes += 65_536;
      if (taken.bytes > 64 * limitBytes) controller.close();
      else controller.enqueue(new Uint8Array(65_536));
    },
  });
  return { taken, stream };
}

describe("too large a body", () => {
  test.each([
    ["small", "the bucket's limit"],
    ["open", "the limit of the server"],
  ])("is refused as soon as it passes that of %s: %s", async (bucket) => {
    const before = await standIn.listFiles();
    const { taken, stream } = endlessBody();
    const answer = await fetch(`${base}/object/${bucket}/endless.bin`, {
      method: "POST",
      headers: credentials(),
      body: stream,
    });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toEqual({
      statusCode: "413",
      code: "EntityTooLarge",
      error: "Payload too large",
      message: "The object exceeded the maximum allowed size",
    });
    expect(taken.bytes).toBeLessThan(32 * limitBytes);
    expect(await standIn.listFiles()).toEqual(before);
    expect((await storage.from(bucket).exists("endless.bin")).data).toBe(false);
  });

  test("is not even read where the policies refuse it", async () => {
    const { taken, stream } = endlessBody();
    const answer = await fetch(`${base}/object/open/endless.bin`, {
      method: "POST",
      headers: { apikey: standIn.keys.publishableKey },
      body: stream,
    });
    expect(await answer.json()).toMatchObject({ statusCode: "403" });
    expect(taken.bytes).toBeLessThan(32 * limitBytes);
  });

  test("is refused inside a form too, and by a signed URL", async () => {
    const blob = new Blob([new Uint8Array(100_001)]);
    expect((await storage.from("small").upload("a.bin", blob)).error).toMatchObject({ statusCode: "413" });
    const { data } = await storage.from("small").createSignedUploadUrl("b.bin");
    const signed = await storage.from("small").uploadToSignedUrl("b.bin", data?.token ?? "", blob);
    expect(signed.error).toMatchObject({ statusCode: "413" });
    expect((await storage.from("small").list()).data).toEqual([]);
  });

  test("does not come in by a copy or a move either", async () => {
    await storage.from("open").upload("large.bin", new Blob([new Uint8Array(100_001)]));
    const to = { destinationBucket: "small" };
    expect((await storage.from("open").copy("large.bin", "x", to)).error).toMatchObject({
      statusCode: "413",
    });
    expect((await storage.from("open").move("large.bin", "x", to)).error).toMatchObject({
      statusCode: "413",
    });
    expect((await storage.from("small").list()).data).toEqual([]);
  });

  test("is no reason for a bucket to promise more than the server takes", async () => {
    const { error } = await storage.createBucket("huge", { public: false, fileSizeLimit: limitBytes + 1 });
    expect(error).toMatchObject({ statusCode: "413" });
  });
});

describe("a body that does not arrive whole", () => {
  const post = (path: string, headers: string) => `
    POST /storage/v1/object/open/${path} HTTP/1.1
    apikey: ${standIn.keys.secretKey}
    ${headers}
  `;

  test.each([
    ["shorter than its length", "Content-Length: 1000", "x".repeat(400)],
    ["without its last chunk", "Transfer-Encoding: chunked", `190\r\n${"x".repeat(400)}\r\n`],
    [
      "a form in pieces",
      "Content-Type: multipart/form-data; boundary=b\nContent-Length: 1000",
      '--b\r\nContent-Disposition: form-data; name=""; filename="x"\r\n\r\nhello',
    ],
  ])("%s leaves nothing behind", async (_what, headers, body) => {
    const name = `${crypto.randomUUID()}.txt`;
    const [before, { answered }] = [await standIn.listFiles(), standIn];
    await sendAndLeave(standIn.url, post(name, headers), body);
    await vi.waitUntil(() => standIn.answered > answered, { timeout: 30_000 });
    expect(await standIn.listFiles()).toEqual(before);
    expect((await storage.from("open").exists(name)).data).toBe(false);
  });

  test("one that is shorter than it was said to be is refused, even where the server let it through", async () => {
    const request = new Request(base, { method: "POST", body: "hello", headers: { "content-length": "9" } });
    await expect(Array.fromAsync(openBody(request).chunks)).rejects.toThrow("ended before all of it");
  });

  test("one that stops arriving is given up", async () => {
    const before = await standIn.listFiles();
    const { promise: never } = Promise.withResolvers<void>();
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new Uint8Array(10)),
      pull: () => never,
    });
    const answer = await fetch(`${base}/object/open/stalled.bin`, {
      method: "POST",
      headers: credentials(),
      body,
    });
    expect(await answer.json()).toMatchObject({ statusCode: "408", code: "RequestTimeout" });
    expect(await standIn.listFiles()).toEqual(before);
  });

  test("a form without its end is refused", async () => {
    const body = '--b\r\nContent-Disposition: form-data; name=""; filename="x"\r\n\r\nhello';
    const answer = await fetch(`${base}/object/open/cut.txt`, {
      method: "POST",
      headers: { ...credentials(), "content-type": "multipart/form-data; boundary=b" },
      body,
    });
    expect(await answer.json()).toMatchObject({ statusCode: "400", code: "IncompleteBody" });
  });

  test("a form without a file is refused", async () => {
    const form = new FormData();
    form.append("note", "no file");
    const { error } = await storage.from("open").upload("none.txt", form);
    expect(error).toMatchObject({ statusCode: "400", message: "No content provided" });
  });
});

describe("what a download says of itself", () => {
  async function put(name: string, content: Uint8Array | string, options = {}): Promise<string> {
    await storage.from("open").upload(name, content, { upsert: true, ...options });
    return `${base}/object/public/open/${name}`;
  }

  test.each([
    ["bytes=0-4", 206, "01234", "bytes 0-4/10"],
    ["bytes=7-", 206, "789", "bytes 7-9/10"],
    ["bytes=-2", 206, "89", "bytes 8-9/10"],
    ["bytes=3-3", 206, "3", "bytes 3-3/10"],
    ["bytes=0-1,3-4", 200, "0123456789", null],
    ["rows=1-2", 200, "0123456789", null],
  ])("the range %s: %i", async (range, status, text, contentRange) => {
    const url = await put("digits.txt", "0123456789");
    const answer = await fetch(url, { headers: { range } });
    expect([answer.status, await answer.text()]).toEqual([status, text]);
    expect(answer.headers.get("content-range")).toBe(contentRange);
    expect(answer.headers.get("content-length")).toBe(String(text.length));
    expect(answer.headers.get("accept-ranges")).toBe("bytes");
  });

  test("a range beyond the end is refused with 416", async () => {
    const url = await put("digits.txt", "0123456789");
    const answer = await fetch(url, { headers: { range: "bytes=10-" } });
    expect(answer.status).toBe(416);
    expect(await answer.json()).toMatchObject({ statusCode: "416", code: "InvalidRange" });
  });

  test("a range of what has changed since is answered with the whole", async () => {
    const url = await put("digits.txt", "0123456789");
    const etag = (await fetch(url)).headers.get("etag") ?? "";
    const ask = (condition: string) =>
      fetch(url, { headers: { range: "bytes=0-1", "if-range": condition } }).then((answer) => answer.text());
    expect(await ask(etag)).toBe("01");
    expect(await ask('"other"')).toBe("0123456789");
  });

  test.each([
    [(etag: string) => ({ "if-none-match": etag }), 304],
    [(etag: string) => ({ "if-none-match": `"x", W/${etag}` }), 304],
    [() => ({ "if-none-match": "*" }), 304],
    [() => ({ "if-none-match": '"x"' }), 200],
    [() => ({ "if-none-match": '"x"', "if-modified-since": new Date(2100, 1).toUTCString() }), 200],
    [() => ({ "if-modified-since": new Date(2100, 1).toUTCString() }), 304],
    [() => ({ "if-modified-since": new Date(2000, 1).toUTCString() }), 200],
    [() => ({ "if-modified-since": "nonsense" }), 200],
  ])("a copy is fresh or not, case %#", async (condition, status) => {
    const url = await put("digits.txt", "0123456789");
    const etag = (await fetch(url)).headers.get("etag") ?? "";
    const answer = await fetch(url, { headers: condition(etag) });
    expect(answer.status).toBe(status);
    expect(answer.headers.get("etag")).toBe(etag);
    expect(await answer.text()).toBe(status === 304 ? "" : "0123456789");
  });

  test("a look without the bytes says as much as the download", async () => {
    const url = await put("digits.txt", "0123456789", { contentType: "text/x-digits" });
    const seen = await fetch(url, { method: "HEAD" });
    expect(seen.status).toBe(200);
    expect(seen.headers.get("content-length")).toBe("10");
    expect(seen.headers.get("content-type")).toBe("text/x-digits");
    expect((await fetch(`${base}/object/open/nothing`, { method: "HEAD" })).status).toBe(400);
  });

  test.each([
    ["text/html", "text/plain", null],
    ["application/xhtml+xml", "text/plain", "default-src 'none'; sandbox"],
    ["image/svg+xml", "image/svg+xml", "default-src 'none'; sandbox"],
    ["image/png", "image/png", null],
  ])("an upload of type %s runs nothing in a browser", async (type, sent, policy) => {
    const answer = await fetch(await put("page", "<script>alert(1)</script>", { contentType: type }));
    expect(answer.headers.get("content-type")).toContain(sent);
    expect(answer.headers.get("content-security-policy")).toBe(policy);
    expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
  });

  test("bytes that were encoded before are sent as such", async () => {
    const packed = new Uint8Array(gzipSync("packed ".repeat(100)));
    const options = { contentType: "text/plain", contentEncoding: "gzip" };
    expect(await (await fetch(await put("packed.txt", packed, options))).text()).toBe("packed ".repeat(100));
    const blob = new Blob([packed], { type: "text/plain" });
    await storage.from("open").upload("packed2.txt", blob, options);
    expect((await storage.from("open").info("packed2.txt")).data?.contentEncoding).toBe("gzip");
    expect(await (await fetch(`${base}/object/public/open/packed2.txt`)).text()).toBe("packed ".repeat(100));
  });

  test("nothing that was uploaded or asked breaks out of its header", async () => {
    const url = await put("digits.txt", "0123456789");
    const name = 'x"; y\r\nset-cookie: a=b; 象.txt';
    const answer = await fetch(`${url}?download=${encodeURIComponent(name)}`);
    expect(answer.headers.get("set-cookie")).toBeNull();
    const disposition = answer.headers.get("content-disposition") ?? "";
    expect(disposition).toMatch(/^attachment; filename="[\w%.-]+"; filename\*=UTF-8''[\w%.-]+$/);
    expect(decodeURIComponent(disposition.slice(disposition.lastIndexOf("'") + 1))).toBe(name);
    const evil = "a/b\r\nset-cookie: a=b";
    const overrides = { copyMetadata: false, metadata: { mimetype: evil } };
    expect((await storage.from("open").copy("digits.txt", "c", overrides)).error).toMatchObject({
      statusCode: "400",
    });
    const blob = await storage
      .from("open")
      .upload("d", new Blob(["x"]), { cacheControl: "1\r\nset-cookie: a=b" });
    expect(blob.error).toMatchObject({ statusCode: "400" });
    await standIn.admin`
      update storage.objects
      set metadata = metadata || ${JSON.stringify({ mimetype: evil, cacheControl: evil, eTag: evil })}::text::jsonb
      where name = 'digits.txt'
    `;
    const written = await fetch(url);
    expect(written.headers.get("set-cookie")).toBeNull();
    expect([written.status, written.headers.get("content-type")]).toEqual([200, "application/octet-stream"]);
  });
});

describe("a browser of another origin", () => {
  test("is let in, with whatever headers it asks for", async () => {
    const answer = await fetch(`${base}/object/open/a.txt`, {
      method: "OPTIONS",
      headers: {
        origin: "http://app.test",
        "access-control-request-method": "PUT",
        "access-control-request-headers": "apikey,authorization,x-upsert,x-metadata",
      },
    });
    expect(answer.status).toBe(204);
    expect(answer.headers.get("access-control-allow-origin")).toBe("*");
    expect(answer.headers.get("access-control-allow-methods")).toContain("PUT");
    expect(answer.headers.get("access-control-allow-headers")).toContain("x-metadata");
  });

  test("reads refusals, and they are not kept", async () => {
    const answer = await fetch(`${base}/object/public/open/nothing`, {
      headers: { origin: "http://app.test" },
    });
    expect(answer.headers.get("access-control-allow-origin")).toBe("*");
    expect(answer.headers.get("cache-control")).toBe("no-store");
  });
});

describe("a request that makes no sense", () => {
  test.each([
    ["/object/list/open", "not json"],
    ["/object/list/open", "[]"],
    ["/object/list/open", '{"prefix":1}'],
    ["/object/list/open", '{"prefix":"","limit":0}'],
    ["/object/list/open", '{"prefix":"","limit":100000}'],
    ["/object/list/open", '{"prefix":"","sortBy":{"column":"version"}}'],
    ["/object/list/open", '{"prefix":"a\\u0000b"}'],
    ["/object/list-v2/open", '{"cursor":"nonsense"}'],
    ["/object/sign/open/a", "{}"],
    ["/object/sign/open", '{"expiresIn":1,"paths":[]}'],
    ["/object/move", '{"bucketId":"open"}'],
    ["/object/copy", "null"],
    ["/bucket", "{}"],
    ["/bucket", '{"name":"x","file_size_limit":"much"}'],
  ])("%s with %s is refused with 400", async (path, body) => {
    const answer = await fetch(`${base}${path}`, { method: "POST", headers: credentials(), body });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({
      statusCode: expect.stringMatching(/^4/),
      message: expect.any(String),
    });
  });

  test("a path that is not there is not found, and an unknown method neither", async () => {
    expect((await fetch(`${base}/nothing`)).status).toBe(404);
    expect((await fetch(`${base}/object/open/a`, { method: "PATCH" })).status).toBe(404);
    expect(await sendRaw(standIn.url, "GET /storage/v1/object/open/ HTTP/1.1\nConnection: close")).toMatch(
      / 404 /,
    );
  });
});
