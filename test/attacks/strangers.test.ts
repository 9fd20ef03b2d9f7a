import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { drawJpeg, openRig, type Rig, type Who } from "./rig.ts";

let rig: Rig;
let picture: { id: string; path: string };
beforeAll(async () => {
  rig = await openRig();
  picture = await rig.addReady(rig.alice);
});
afterAll(() => rig?.close());

const strangers = (): [string, Who][] => [
  ["another user", rig.bob],
  ["an admin", rig.admin],
  ["the publishable key", "publishable"],
  ["nobody", "nobody"],
];

const objects = "/storage/v1/object";
const jpegType = { "content-type": "image/jpeg" };
const jsonType = { "content-type": "application/json" };

/** What Storage means: it answers 400 to most and says the status in the body. */
function meaningOf({ status, body }: { status: number; body: unknown }): number {
  return Number((body as { statusCode?: string } | undefined)?.statusCode ?? status);
}

async function originalOf(): Promise<Uint8Array> {
  const { body } = await rig.call(rig.alice, "GET", `/images/${picture.id}`);
  return new Uint8Array(await (await fetch(body.links.original)).arrayBuffer());
}

describe("Storage, asked straight, gives and takes nothing of another's picture", () => {
  const ways: [
    string,
    string,
    (path: string, own: string) => string,
    ((path: string, own: string) => unknown)?,
  ][] = [
    ["download", "GET", (path) => `${objects}/images/${path}`],
    ["authenticated download", "GET", (path) => `${objects}/authenticated/images/${path}`],
    ["public download", "GET", (path) => `${objects}/public/images/${path}`],
    ["look", "HEAD", (path) => `${objects}/images/${path}`],
    ["info", "GET", (path) => `${objects}/info/images/${path}`],
    ["public info", "GET", (path) => `${objects}/info/public/images/${path}`],
    ["a signed URL", "GET", (path) => `${objects}/sign/images/${path}?token=a.b.c`],
    ["a signature", "POST", (path) => `${objects}/sign/images/${path}`, () => ({ expiresIn: 60 })],
    ["a signature for an upload", "POST", (path) => `${objects}/upload/sign/images/${path}`, () => ({})],
    [
      "a signature for an upload of one's own",
      "POST",
      (_, own) => `${objects}/upload/sign/images/${own}`,
      () => ({}),
    ],
    ["upload", "POST", (path) => `${objects}/images/${path}`, () => "x"],
    ["update", "PUT", (path) => `${objects}/images/${path}`, () => "x"],
    ["an upload of one's own", "POST", (_, own) => `${objects}/images/${own}`, () => "x"],
    ["removal", "DELETE", (path) => `${objects}/images/${path}`],
    [
      "moving",
      "POST",
      () => `${objects}/move`,
      (path, own) => ({ bucketId: "images", sourceKey: path, destinationKey: own }),
    ],
    [
      "copying",
      "POST",
      () => `${objects}/copy`,
      (path, own) => ({ bucketId: "images", sourceKey: path, destinationKey: own }),
    ],
    ["opening the bucket", "PUT", () => "/storage/v1/bucket/images", () => ({ public: true })],
    ["emptying the bucket", "POST", () => "/storage/v1/bucket/images/empty", () => ({})],
    ["removing the bucket", "DELETE", () => "/storage/v1/bucket/images"],
    ["a bucket of one's own", "POST", () => "/storage/v1/bucket", () => ({ name: "mine", public: true })],
  ];

  test.each(ways)("%s", async (_what, method, toPath, toBody) => {
    const before = await originalOf();
    for (const [name, who] of strangers()) {
      const own = `${typeof who === "string" ? "house" : who.id}/mine/original`;
      const body = toBody?.(picture.path, own);
      const answer = await rig.call(who, method, toPath(picture.path, own), {
        ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
        headers: typeof body === "string" ? jpegType : jsonType,
      });
      expect([400, 401, 403, 404, 409], `${name}: ${answer.text}`).toContain(meaningOf(answer));
      expect(answer.text).not.toMatch(/select |policy ".*"|storage\.objects/);
    }
    expect(await originalOf()).toEqual(before);
  });

  test("lists and signatures of many", async () => {
    for (const [name, who] of strangers().slice(0, 3)) {
      for (const prefix of ["", rig.alice.id, `${rig.alice.id}/${picture.id}`]) {
        const listed = await rig.sendJson(who, "POST", `${objects}/list/images`, { prefix });
        expect(listed.body, name).toEqual([]);
        const paged = await rig.sendJson(who, "POST", `${objects}/list-v2/images`, { prefix });
        expect(paged.body, name).toMatchObject({ folders: [], objects: [] });
      }
      const signed = await rig.sendJson(who, "POST", `${objects}/sign/images`, {
        expiresIn: 60,
        paths: [picture.path],
      });
      expect(signed.body, name).toMatchObject([{ signedURL: null }]);
      const removed = await rig.sendJson(who, "DELETE", `${objects}/images`, { prefixes: [picture.path] });
      expect(removed.body, name).toEqual([]);
    }
    expect((await originalOf()).length).toBeGreaterThan(100);
  });

  test("its owner reads it, and changes it neither", async () => {
    expect((await rig.call(rig.alice, "GET", `${objects}/images/${picture.path}`)).status).toBe(200);
    const mine = `${rig.alice.id}/mine/original`;
    const moved = { bucketId: "images", sourceKey: picture.path, destinationKey: mine };
    const attempts = [
      await rig.call(rig.alice, "PUT", `${objects}/images/${picture.path}`, { body: "x", headers: jpegType }),
      await rig.call(rig.alice, "DELETE", `${objects}/images/${picture.path}`),
      await rig.sendJson(rig.alice, "POST", `${objects}/move`, moved),
      await rig.sendJson(rig.alice, "POST", `${objects}/copy`, moved),
    ];
    for (const answer of attempts) expect([403, 404]).toContain(meaningOf(answer));
  });
});

describe("a token for an upload", () => {
  async function announce(who: Who, sizeBytes: number) {
    const body = { name: crypto.randomUUID(), mediaType: "image/jpeg", sizeBytes };
    const answer = await rig.sendJson(who, "POST", "/images", body);
    if (answer.status !== 201) throw new Error(answer.text);
    return { id: answer.body.image.id as string, url: answer.body.upload.url as string };
  }

  const put = (url: string, body: Uint8Array, headers: Record<string, string> = {}) =>
    fetch(url, { method: "PUT", body: new Uint8Array(body), headers: { ...jpegType, ...headers } });

  test("writes once: what was accepted is not replaced, whatever the second sender asks for", async () => {
    const [first, second] = [await drawJpeg(), await drawJpeg()];
    const { id, url } = await announce(rig.alice, first.length);
    expect((await put(url, first)).status).toBe(200);
    const completed = await rig.call(rig.alice, "POST", `/images/${id}/completion`);
    expect((await rig.follow(rig.alice, completed.body.job.id)).state).toBe("done");
    for (const again of [url, `${url}&upsert=true`]) {
      expect((await put(again, second, { "x-upsert": "true" })).status).toBe(400);
    }
    const { body } = await rig.call(rig.alice, "GET", `/images/${id}`);
    expect(new Uint8Array(await (await fetch(body.links.original)).arrayBuffer())).toEqual(
      new Uint8Array(first),
    );
  });

  test("of many senders at once lets one win, and of many completions one job", async () => {
    const bytes = await drawJpeg();
    const { id, url } = await announce(rig.alice, bytes.length);
    const sent = await Promise.all(Array.from({ length: 8 }, () => put(url, bytes)));
    expect(sent.filter(({ status }) => status === 200)).toHaveLength(1);
    const completed = await Promise.all(
      Array.from({ length: 10 }, () => rig.call(rig.alice, "POST", `/images/${id}/completion`)),
    );
    expect(new Set(completed.map(({ status }) => status))).toEqual(new Set([202]));
    expect(new Set(completed.map(({ body }) => body.job.id)).size).toBe(1);
    const jobs = await rig.call(rig.alice, "GET", `/jobs?subjectId=${id}`);
    expect(jobs.body.items).toHaveLength(1);
  });

  test("serves no other path, no reading, and no second attempt at a picture that was refused", async () => {
    const bytes = await drawJpeg();
    const { id, url } = await announce(rig.bob, bytes.length);
    expect((await put(url.replace(rig.bob.id, rig.alice.id), bytes)).status).toBe(400);
    expect((await put(url.replace(id, picture.id), bytes)).status).toBe(400);
    expect((await put(url.replace("/original?", "/thumbnail?"), bytes)).status).toBe(400);
    expect((await fetch(url.replace("/upload/sign/", "/sign/"))).status).toBe(400);
    expect((await put(url, new Uint8Array(bytes.length))).status).toBe(200);
    expect((await rig.call(rig.bob, "POST", `/images/${id}/completion`)).status).toBe(415);
    await put(url, bytes);
    expect((await rig.call(rig.bob, "POST", `/images/${id}/completion`)).status).toBe(409);
    expect((await rig.call(rig.bob, "GET", `/images/${id}`)).body.state).toBe("failed");
  });

  test.each([["text/html"], ["image/svg+xml"], ["text/javascript"], ["application/xhtml+xml"]])(
    "takes nothing that calls itself %s",
    async (type) => {
      const { url } = await announce(rig.bob, 20);
      const page = new TextEncoder().encode("<script>alert(1)</script>");
      expect((await put(url, page, { "content-type": type })).status).toBe(400);
      const form = new FormData();
      form.set("", new File([page], "x", { type }));
      expect((await fetch(url, { method: "PUT", body: form })).status).toBe(400);
    },
  );

  test("lets a page be shown as nothing but bytes of a picture", async () => {
    const { url, id } = await announce(rig.bob, 25);
    expect((await put(url, new TextEncoder().encode("<script>alert(1)</script>"))).status).toBe(200);
    const seen = await rig.call(rig.bob, "GET", `${objects}/images/${rig.bob.id}/${id}/original`);
    expect(seen.headers.get("content-type")).toBe("image/jpeg");
    expect(seen.headers.get("x-content-type-options")).toBe("nosniff");
  });
});

test.each([
  "x.html",
  "a\r\nSet-Cookie: a=b",
  'a";filename="b.exe',
  "\u202egnp.exe",
  "é\u0000",
  "a".repeat(4000),
])("a link that is opened as %j brings no header but its name", async (name) => {
  const { body } = await rig.call(rig.alice, "GET", `/images/${picture.id}`);
  const answer = await fetch(`${body.links.original}&download=${encodeURIComponent(name)}`);
  expect(answer.status).toBe(200);
  expect(answer.headers.get("set-cookie")).toBeNull();
  expect(answer.headers.get("content-type")).toBe("image/jpeg");
  expect(answer.headers.get("content-disposition")).toMatch(
    /^attachment; filename="[^"]*"; filename\*=UTF-8''[^"; ]*$/,
  );
});

test("what a timer may is for the secret key alone", async () => {
  for (const [name, who] of strangers()) {
    expect([401, 403], name).toContain((await rig.call(who, "POST", "/jobs/ticks")).status);
  }
});
