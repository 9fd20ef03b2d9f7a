import { createClient } from "@supabase/supabase-js";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { AcceptedImage, StartedUpload } from "../../../shared/images/contract.ts";
import type { Who } from "../../helpers/app.ts";
import { jpeg, openRig, type Rig, refusal } from "./rig.ts";

let rig: Rig;

beforeAll(async () => {
  rig = await openRig({ UPLOAD_BYTES_MAX: "2048" });
});

beforeEach(async () => {
  rig.storage = "ok";
  await rig.sql`delete from parlance.images`;
});

afterAll(() => rig.close());

const listRows = () =>
  rig.sql<{ name: string; state: string; errorCode: string | null; ownerId: string | null }[]>`
    select name, state, error_code, owner_id from parlance.images order by created_at, id
  `;

const listJobs = () =>
  rig.sql<{ id: string; subjectId: string; ownerId: string | null; state: string }[]>`
    select id, subject_id, owner_id, state from parlance.jobs where kind = 'images.ingest-image' and state = 'queued'
  `;

/** Announces a picture, and sends these bytes to its signed URL. */
async function startAndSend(who: Who, bytes: Uint8Array<ArrayBuffer>, sizeBytes = bytes.length) {
  const announced = { name: `${crypto.randomUUID()}.jpg`, mediaType: "image/jpeg", sizeBytes };
  const { body } = await rig.sendJson(who, "POST", "/images", announced);
  const sent = await fetch(body.upload.url, {
    method: "PUT",
    body: bytes,
    headers: { "content-type": "image/jpeg" },
  });
  expect(sent.status).toBe(200);
  return StartedUpload.parse(body);
}

test("a file is kept as it came, and its job waits", async () => {
  const answer = await rig.upload(rig.alice, {
    bytes: jpeg("beach"),
    fileName: "beach.jpg",
    fields: [
      ["title", "At the sea"],
      ["keywords", "sand, sea"],
      ["keywords", "sun"],
    ],
  });
  expect(answer.status, answer.text).toBe(202);
  const { image, job } = AcceptedImage.parse(answer.body);
  expect(answer.headers.get("location")).toBe(`images/${image.id}`);
  expect(image).toMatchObject({
    name: "beach.jpg",
    title: "At the sea",
    keywords: ["sand", "sea", "sun"],
    state: "processing",
    ownerId: rig.alice.id,
    mediaType: "image/jpeg",
    sizeBytes: jpeg("beach").length,
    links: null,
  });
  expect(await rig.listObjects()).toContain(`${rig.alice.id}/${image.id}/original`);
  expect(await rig.deps.objects.readStart(`${rig.alice.id}/${image.id}/original`, 100)).toEqual(
    jpeg("beach"),
  );
  expect((await listJobs()).filter((row) => row.id === job.id)).toEqual([
    { id: job.id, subjectId: image.id, ownerId: rig.alice.id, state: "queued" },
  ]);
});

/** What a crash leaves before the answer is kept, when the two minutes are over for which its key was locked. */
async function forgetAnswers(): Promise<void> {
  await rig.sql`
    update parlance.idempotency_keys
    set status = null, headers = null, body = null, locked_until = clock_timestamp()
  `;
}

test("a file whose answer was lost in a crash is sent again with its key and answered with the same job", async () => {
  const upload = { fileName: "lost.jpg", key: "lost" };
  const first = await rig.upload(rig.alice, upload);
  await forgetAnswers();
  const second = await rig.upload(rig.alice, upload);
  expect([second.status, second.body]).toEqual([202, first.body]);
  expect((await listRows()).map((row) => row.name)).toEqual(["lost.jpg"]);
});

test("a file whose upload broke off in a crash is sent again with its key and goes on with its row", async () => {
  const upload = {
    fileName: "broken.jpg",
    key: "broken",
    fields: [["name", "broken"]] as [string, string][],
  };
  const first = await rig.upload(rig.alice, upload);
  await rig.sql`delete from parlance.jobs where id = ${first.body.job.id}`;
  await rig.sql`update parlance.images set state = 'uploading', media_type = null`;
  await forgetAnswers();
  const second = await rig.upload(rig.alice, upload);
  expect(second.status, second.text).toBe(202);
  expect(second.body.image).toMatchObject({ id: first.body.image.id, state: "processing" });
  expect((await listRows()).map((row) => [row.name, row.state])).toEqual([["broken", "processing"]]);
  expect((await listJobs()).map((job) => job.id)).toContain(second.body.job.id);
});

test("a key belongs to its user: the same file of another is another picture", async () => {
  const upload = { fileName: "both.jpg", key: "both" };
  const [one, other] = [await rig.upload(rig.alice, upload), await rig.upload(rig.bob, upload)];
  expect([one.status, other.status]).toEqual([202, 202]);
  expect(one.body.image.id).not.toBe(other.body.image.id);
});

test("an upload by URL that is announced again with its key goes on with its row until it is completed", async () => {
  const announced = { name: "announced.jpg", mediaType: "image/jpeg", sizeBytes: jpeg().length };
  const announce = () =>
    rig.call(rig.alice, "POST", "/images", {
      body: JSON.stringify(announced),
      headers: { "content-type": "application/json", "idempotency-key": "announced" },
    });
  const first = await announce();
  await forgetAnswers();
  const second = await announce();
  expect([second.status, second.body.image]).toEqual([201, first.body.image]);
  await fetch(second.body.upload.url, {
    method: "PUT",
    body: jpeg(),
    headers: { "content-type": "image/jpeg" },
  });
  await rig.call(rig.alice, "POST", `/images/${first.body.image.id}/completion`);
  await forgetAnswers();
  expect(refusal(await announce())).toEqual([409, "conflict"]);
});

test("what the secret key adds is the house's", async () => {
  const answer = await rig.upload("secret");
  expect(answer.status, answer.text).toBe(202);
  expect(answer.body.image.ownerId).toBeNull();
  expect(await rig.listObjects()).toContain(`house/${answer.body.image.id}/original`);
});

test("a picture with a signed upload is accepted by its completion, and again by the same job", async () => {
  const { image, upload } = await startAndSend(rig.alice, jpeg("signed"));
  expect(image.state).toBe("uploading");
  expect(new URL(upload.url).hostname).toBe("localhost");
  expect(Date.parse(upload.expiresAt) - Date.now()).toBeGreaterThan(7_100_000);
  const first = await rig.call(rig.alice, "POST", `/images/${image.id}/completion`);
  expect(first.status, first.text).toBe(202);
  expect(first.body.image).toMatchObject({ state: "processing", mediaType: "image/jpeg" });
  const [second, third] = await Promise.all([
    rig.call(rig.alice, "POST", `/images/${image.id}/completion`),
    rig.call(rig.admin, "POST", `/images/${image.id}/completion`),
  ]);
  expect([second.status, third.status]).toEqual([202, 202]);
  expect([second.body.job.id, third.body.job.id]).toEqual([first.body.job.id, first.body.job.id]);
});

test("two completions at once add one job", async () => {
  const { image } = await startAndSend(rig.alice, jpeg("twice"));
  const answers = await Promise.all(
    [1, 2, 3].map(() => rig.call(rig.alice, "POST", `/images/${image.id}/completion`)),
  );
  expect(answers.map((answer) => answer.status)).toEqual([202, 202, 202]);
  expect(new Set(answers.map((answer) => answer.body.job.id)).size).toBe(1);
});

test("supabase-js sends a picture with the token", async () => {
  const { body } = await rig.sendJson(rig.bob, "POST", "/images", {
    name: "by token.jpg",
    mediaType: "image/jpeg",
    sizeBytes: jpeg().length,
  });
  const client = createClient(new URL(body.upload.url).origin, rig.keys.publishableKey);
  const file = new Blob([jpeg()], { type: "image/jpeg" });
  const { error } = await client.storage
    .from("images")
    .uploadToSignedUrl(body.upload.path, body.upload.token, file);
  expect(error).toBeNull();
  const again = await client.storage
    .from("images")
    .uploadToSignedUrl(body.upload.path, body.upload.token, file);
  expect(again.error?.message).toMatch(/exists/);
  expect((await rig.call(rig.bob, "POST", `/images/${body.image.id}/completion`)).status).toBe(202);
});

test("a completion before the bytes is a conflict, and may come again", async () => {
  const { body } = await rig.sendJson(rig.alice, "POST", "/images", {
    name: "early.jpg",
    mediaType: "image/jpeg",
    sizeBytes: jpeg().length,
  });
  const early = await rig.call(rig.alice, "POST", `/images/${body.image.id}/completion`);
  expect(refusal(early)).toEqual([409, "conflict"]);
  await fetch(body.upload.url, { method: "PUT", body: jpeg(), headers: { "content-type": "image/jpeg" } });
  expect((await rig.call(rig.alice, "POST", `/images/${body.image.id}/completion`)).status).toBe(202);
});

test.each([
  [
    "is no picture",
    new TextEncoder().encode("just words, many of them"),
    undefined,
    415,
    "unsupported_media_type",
  ],
  ["is shorter than announced", jpeg("short"), 1000, 400, "invalid_request"],
] as const)(
  "what was sent and %s fails for good and is removed",
  async (_what, bytes, sizeBytes, ...expected) => {
    const { image, upload } = await startAndSend(rig.alice, bytes as Uint8Array<ArrayBuffer>, sizeBytes);
    const refused = await rig.call(rig.alice, "POST", `/images/${image.id}/completion`);
    expect(refusal(refused)).toEqual(expected);
    expect(await listRows()).toMatchObject([{ state: "failed", errorCode: expected[1] }]);
    expect(await rig.listObjects()).not.toContain(upload.path);
    const again = await rig.call(rig.alice, "POST", `/images/${image.id}/completion`);
    expect(refusal(again)).toEqual([409, "conflict"]);
  },
);

test("more bytes than the limit do not come in by a signed URL either", async () => {
  const { body } = await rig.sendJson(rig.alice, "POST", "/images", {
    name: "swollen.jpg",
    mediaType: "image/jpeg",
    sizeBytes: 10,
  });
  const sent = await fetch(body.upload.url, {
    method: "PUT",
    body: new Uint8Array(5000),
    headers: { "content-type": "image/jpeg" },
  });
  expect(sent.ok).toBe(false);
});

test("a page cannot be put where a picture is awaited", async () => {
  const { body } = await rig.sendJson(rig.alice, "POST", "/images", {
    name: "page.jpg",
    mediaType: "image/jpeg",
    sizeBytes: 10,
  });
  const sent = await fetch(body.upload.url, {
    method: "PUT",
    body: "<script>alert(1)</script>",
    headers: { "content-type": "text/html" },
  });
  expect(sent.ok).toBe(false);
});

const text = (value: string) => new TextEncoder().encode(value);
const cases: [string, Parameters<Rig["upload"]>[1], number, string][] = [
  ["of no bytes", { bytes: new Uint8Array(0) }, 400, "invalid_request"],
  ["of too many bytes", { bytes: jpeg("x".repeat(2048)) }, 413, "payload_too_large"],
  ["of words named .jpg", { bytes: text("hello"), fileName: "a.jpg" }, 415, "unsupported_media_type"],
  ["that is a drawing", { bytes: text("<svg/>"), type: "image/svg+xml" }, 415, "unsupported_media_type"],
  ["named with a path", { fields: [["name", "../../etc/passwd"]] }, 400, "invalid_request"],
  ["named with a backslash", { fields: [["name", "a\\b.jpg"]] }, 400, "invalid_request"],
  ["named ..", { fields: [["name", ".."]] }, 400, "invalid_request"],
  ["named with a header", { fields: [["name", "a\r\nSet-Cookie: b=c"]] }, 400, "invalid_request"],
  ["named with a NUL", { fields: [["name", "a\0b"]] }, 400, "invalid_request"],
  ["with too long a name", { fields: [["name", "a".repeat(201)]] }, 400, "invalid_request"],
  ["with too long a title", { fields: [["title", "a".repeat(301)]] }, 400, "invalid_request"],
  ["with a NUL in its title", { fields: [["title", "a\0b"]] }, 400, "invalid_request"],
  ["with 51 keywords", { fields: [["keywords", "a,".repeat(51)]] }, 400, "invalid_request"],
  ["with too long a keyword", { fields: [["keywords", "a".repeat(65)]] }, 400, "invalid_request"],
];

test.each(cases)("a file %s is refused at once and leaves nothing", async (_what, upload, status, code) => {
  const before = await rig.listObjects();
  expect(refusal(await rig.upload(rig.alice, upload))).toEqual([status, code]);
  expect(await listRows()).toEqual([]);
  expect(await rig.listObjects()).toEqual(before);
});

test.each([
  [{}, "body.name"],
  [{ name: "a/b", mediaType: "image/jpeg", sizeBytes: 1 }, "body.name"],
  [{ name: "a", mediaType: "image/jpeg", sizeBytes: 0 }, "body.sizeBytes"],
  [{ name: "a", mediaType: "image/jpeg", sizeBytes: 1.5 }, "body.sizeBytes"],
  [{ name: "a", mediaType: "image/jpeg", sizeBytes: 1, keywords: ["a\u0001"] }, "body.keywords.0"],
  [{ name: "a", mediaType: "image/jpeg", sizeBytes: 1, title: "" }, "body.title"],
])("the announcement %j is refused by the name of its field", async (body, field) => {
  const answer = await rig.sendJson(rig.alice, "POST", "/images", body);
  expect(refusal(answer)).toEqual([400, "invalid_request"]);
  expect(answer.body.errors.map((error: { field: string }) => error.field)).toContain(field);
});

test("an announcement of too many bytes is refused at once", async () => {
  const announced = { name: "a", mediaType: "image/jpeg", sizeBytes: 2049 };
  const answer = await rig.sendJson(rig.alice, "POST", "/images", announced);
  expect(refusal(answer)).toEqual([413, "payload_too_large"]);
});

test.each([
  ["no body", {}, [415, "unsupported_media_type"]],
  ["words", { body: "hello", headers: { "content-type": "text/plain" } }, [415, "unsupported_media_type"]],
  [
    "a broken form",
    { body: "hello", headers: { "content-type": "multipart/form-data; boundary=x" } },
    [400, "invalid_request"],
  ],
  ["broken JSON", { body: "{", headers: { "content-type": "application/json" } }, [400, "invalid_request"]],
])("%s instead of a picture is refused", async (_what, init, expected) => {
  expect(refusal(await rig.call(rig.alice, "POST", "/images", init))).toEqual(expected);
});

test("a form without a file, and one with a text for it, are refused by the name of the field", async () => {
  for (const file of [undefined, "words"]) {
    const form = new FormData();
    form.set("name", "a.jpg");
    if (file) form.set("file", file);
    const answer = await rig.call(rig.alice, "POST", "/images", { body: form });
    expect(refusal(answer)).toEqual([400, "invalid_request"]);
    expect(answer.body.errors).toMatchObject([{ field: "body.file" }]);
  }
});

test.each(["publishable", "nobody"] as const)("%s may add nothing", async (who) => {
  expect(refusal(await rig.upload(who))).toEqual([401, "unauthenticated"]);
  const announced = { name: "a", mediaType: "image/jpeg", sizeBytes: 1 };
  expect(refusal(await rig.sendJson(who, "POST", "/images", announced))).toEqual([401, "unauthenticated"]);
});

test("a user who was deleted adds nothing, whatever their token says", async () => {
  const token = await rig.signToken({ sub: crypto.randomUUID() });
  expect(refusal(await rig.upload({ id: "", token }))).toEqual([401, "unauthenticated"]);
});

test("a name that was given is taken once per owner, however it is composed", async () => {
  const given = (name: string) => ({ fields: [["name", name]] as [string, string][] });
  expect((await rig.upload(rig.alice, given("caf\u00e9.jpg"))).status).toBe(202);
  expect(refusal(await rig.upload(rig.alice, given("cafe\u0301.jpg")))).toEqual([409, "name_taken"]);
  expect((await rig.upload(rig.bob, given("caf\u00e9.jpg"))).status).toBe(202);
  expect((await rig.upload("secret", given("caf\u00e9.jpg"))).status).toBe(202);
  expect(refusal(await rig.upload("secret", given("caf\u00e9.jpg")))).toEqual([409, "name_taken"]);
});

test("of two uploads of one name at once, one is refused", async () => {
  const upload = { fields: [["name", "race.jpg"]] as [string, string][] };
  const answers = await Promise.all([rig.upload(rig.alice, upload), rig.upload(rig.alice, upload)]);
  expect(answers.map((answer) => answer.status).toSorted()).toEqual([202, 409]);
  expect(await listRows()).toHaveLength(1);
});

test("a file's own name gives way to one that is there, also at once", async () => {
  await rig.upload(rig.alice, { fileName: "sea.jpg" });
  const answers = await Promise.all([1, 2, 3].map(() => rig.upload(rig.alice, { fileName: "sea.jpg" })));
  expect(answers.map((answer) => answer.body.image.name).toSorted()).toEqual([
    "sea (2).jpg",
    "sea (3).jpg",
    "sea (4).jpg",
  ]);
});

test("a file's own name loses what no name may hold", async () => {
  const answer = await rig.upload(rig.alice, { fileName: "../../etc/cron.d/evil\tone.jpg" });
  expect(answer.status, answer.text).toBe(202);
  expect(answer.body.image.name).toBe("evilone.jpg");
});

test.each(["down", "silent"] as const)(
  "with storage %s nothing is left, and the name is free",
  async (state) => {
    rig.storage = state;
    const upload = { fields: [["name", "unlucky.jpg"]] as [string, string][] };
    expect(refusal(await rig.upload(rig.alice, upload))).toEqual([502, "upstream_failed"]);
    const announced = { name: "unlucky.jpg", mediaType: "image/jpeg", sizeBytes: 1 };
    expect(refusal(await rig.sendJson(rig.alice, "POST", "/images", announced))).toEqual([
      502,
      "upstream_failed",
    ]);
    expect(await listRows()).toEqual([]);
    rig.storage = "ok";
    expect((await rig.upload(rig.alice, upload)).status).toBe(202);
  },
);

test("a completion that storage cannot judge changes nothing, and may come again", async () => {
  const { image } = await startAndSend(rig.alice, jpeg("later"));
  rig.storage = "down";
  const refused = await rig.call(rig.alice, "POST", `/images/${image.id}/completion`);
  expect(refusal(refused)).toEqual([502, "upstream_failed"]);
  expect(await listRows()).toMatchObject([{ state: "uploading" }]);
  rig.storage = "ok";
  expect((await rig.call(rig.alice, "POST", `/images/${image.id}/completion`)).status).toBe(202);
});
