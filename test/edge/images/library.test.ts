import { createClient } from "@supabase/supabase-js";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type Image, ImageDetail, ImagePage } from "../../../shared/images/contract.ts";
import type { TestUser, Who } from "../../helpers/app.ts";
import { createModelTasks, jpeg, openRig, type Rig, refusal } from "./rig.ts";

let rig: Rig;

beforeAll(async () => {
  rig = await openRig();
});

beforeEach(async () => {
  rig.storage = "ok";
  await rig.sql`delete from parlance.images`;
});

afterAll(() => rig.close());

/** Walks a list to its end; answers every picture in the order it came. */
async function walk(who: Who, query: string): Promise<Image[]> {
  const items: Image[] = [];
  let cursor = "";
  for (let pages = 0; pages < 50; pages++) {
    const answer = await rig.call(who, "GET", `/images?${query}${cursor}`);
    expect(answer.status, answer.text).toBe(200);
    const page = ImagePage.parse(answer.body);
    items.push(...page.items);
    if (page.nextCursor === null) return items;
    cursor = `&cursor=${encodeURIComponent(page.nextCursor)}`;
  }
  throw new Error("the list has no end");
}

test("a walk over 250 pictures meets each once, newest first, though many share an instant", async () => {
  for (let index = 0; index < 250; index++) {
    const microseconds = String(1 + (index % 7)).padStart(6, "0");
    await rig.addReady({ createdAt: `2026-01-01T00:00:0${index % 3}.${microseconds}Z` });
  }
  const items = await walk(rig.alice, "limit=31");
  expect(new Set(items.map((image) => image.id)).size).toBe(250);
  const order = items.map((image) => `${image.createdAt} ${image.id}`);
  expect(order).toEqual(order.toSorted().toReversed());
});

test("own pictures are listed for a user, the house's for the secret key, public ones for everyone else", async () => {
  await rig.addReady({ name: "alice's" });
  await rig.addReady({ name: "bob's", ownerId: rig.bob.id, isPublic: true });
  await rig.addReady({ name: "the house's", ownerId: null });
  const names = async (who: Who, query = "") =>
    (await walk(who, query)).map((image) => image.name).toSorted();
  expect(await names(rig.alice)).toEqual(["alice's"]);
  expect(await names("secret")).toEqual(["the house's"]);
  for (const who of ["publishable", "nobody"] as const) expect(await names(who)).toEqual(["bob's"]);
  for (const who of [rig.alice, rig.admin, "secret"] as const) {
    expect(await names(who, "scope=public")).toEqual(["bob's"]);
  }
  for (const who of [rig.admin, "secret"] as const) {
    expect(await names(who, "scope=all")).toEqual(["alice's", "bob's", "the house's"]);
  }
  expect(refusal(await rig.call(rig.alice, "GET", "/images?scope=all"))).toEqual([403, "forbidden"]);
  for (const scope of ["all", "own"]) {
    const refused = await rig.call("publishable", "GET", `/images?scope=${scope}`);
    expect(refusal(refused)).toEqual([401, "unauthenticated"]);
  }
});

test("a picture that is public but not ready is not public yet", async () => {
  const id = await rig.addReady({ isPublic: true });
  await rig.sql`update parlance.images set state = 'processing' where id = ${id}`;
  expect(await walk("nobody", "")).toEqual([]);
  expect(await walk(rig.bob, "scope=public")).toEqual([]);
  expect(refusal(await rig.call("nobody", "GET", `/images/${id}`))).toEqual([404, "not_found"]);
});

test("a picture is asked for by its exact name, however that is composed", async () => {
  await rig.addReady({ name: "caf\u00e9.jpg" });
  await rig.addReady({ name: "caf\u00e9.jpg", ownerId: rig.bob.id });
  const ask = (name: string) => walk(rig.alice, `name=${encodeURIComponent(name)}`);
  expect(await ask("caf\u00e9.jpg")).toHaveLength(1);
  expect(await ask("cafe\u0301.jpg")).toHaveLength(1);
  for (const name of ["cafe.jpg", "caf%", "' or '1'='1", "caf\u00e9.jpg' --"])
    expect(await ask(name)).toEqual([]);
});

test.each([
  "limit=0",
  "limit=101",
  "limit=x",
  "limit=1.5",
  "scope=mine",
  "name=",
  "name=a%2Fb",
  "name=a%00b",
])("the list refuses %s", async (query) => {
  expect(refusal(await rig.call(rig.alice, "GET", `/images?${query}`))).toEqual([400, "invalid_request"]);
});

test.each(["x", "AAAA", "%27%20or%20true%20--", btoa('{"createdAt":"infinity","id":"x"}')])(
  "the list refuses the cursor %s",
  async (cursor) => {
    expect(refusal(await rig.call(rig.alice, "GET", `/images?cursor=${cursor}`))).toEqual([
      400,
      "invalid_cursor",
    ]);
  },
);

test("the links of a page are signed by one call, and a page comes without them while storage is down", async () => {
  await rig.startSidecar();
  const ids: string[] = [];
  for (const name of ["1 degrees", "2 degrees", "3 degrees"]) {
    const answer = await rig.upload(rig.alice, { fields: [["name", name]] });
    ids.push(answer.body.image.id);
  }
  for (const id of ids) await rig.untilEnded(rig.alice, id);
  await rig.stopSidecar();
  rig.storageCalls = 0;
  const items = await walk(rig.alice, "limit=100");
  expect(rig.storageCalls).toBe(1);
  for (const { links } of items) {
    expect(Object.keys(links ?? {}).toSorted()).toEqual(["expiresAt", "thumbnail"]);
    const thumbnail = await fetch(links?.thumbnail ?? "");
    expect(await thumbnail.text()).toContain("thumbnail");
  }
  const countFailures = () => rig.logLines.filter((line) => line.event === "images.links_failed").length;
  const failuresBefore = countFailures();
  for (const state of ["down", "silent"] as const) {
    rig.storage = state;
    expect((await walk(rig.alice, "limit=100")).map((image) => image.links)).toEqual([null, null, null]);
  }
  expect(countFailures() - failuresBefore).toBe(2);
});

test("the owner and admins see what the original tells, everyone else what is made of it", async () => {
  await rig.startSidecar();
  const { body } = await rig.upload(rig.alice, { fields: [["name", "7 degrees"]] });
  await rig.untilEnded(rig.alice, body.image.id);
  await rig.stopSidecar();
  await rig.sql`update parlance.images set is_public = true where id = ${body.image.id}`;
  const show = async (who: Who) =>
    ImageDetail.parse((await rig.call(who, "GET", `/images/${body.image.id}`)).body);
  for (const who of [rig.alice, rig.admin, "secret"] as const) {
    const image = await show(who);
    expect(image).toMatchObject({
      perceptualHash: "f00000000000000f",
      takenAt: "2020-02-02T02:02:02.123456Z",
      origin: { sha256: "0".repeat(64), exif: { iso: 100 }, place: { latitude: 52.5, altitudeMetres: 34 } },
    });
    expect((await fetch(image.links?.original ?? "")).status).toBe(200);
  }
  for (const who of [rig.bob, "publishable", "nobody"] as const) {
    const image = await show(who);
    expect(image.origin).toBeNull();
    expect(Object.keys(image.links ?? {}).toSorted()).toEqual(["display", "expiresAt", "thumbnail"]);
  }
});

test("name, title and keywords change, alone or together, and search hears of it", async () => {
  const id = await rig.addReady({ name: "old.jpg", title: "Old", keywords: ["old"] });
  const change = async (body: unknown) =>
    (await rig.sendJson(rig.alice, "PATCH", `/images/${id}`, body)).body;
  expect(await change({ name: "new.jpg" })).toMatchObject({
    name: "new.jpg",
    title: "Old",
    keywords: ["old"],
  });
  expect(await change({ title: null })).toMatchObject({ name: "new.jpg", title: null });
  expect(await change({ keywords: [], title: "Windmill" })).toMatchObject({
    title: "Windmill",
    keywords: [],
  });
  const found = await rig.call(rig.alice, "GET", "/images/search?q=windmills");
  expect(found.body.items.map((image: Image) => image.id)).toEqual([id]);
});

test("a change to a name that is taken, or to nothing we know, is refused", async () => {
  const id = await rig.addReady({ name: "mine.jpg" });
  await rig.addReady({ name: "taken.jpg" });
  const change = async (body: unknown) =>
    refusal(await rig.sendJson(rig.alice, "PATCH", `/images/${id}`, body));
  expect(await change({ name: "taken.jpg" })).toEqual([409, "name_taken"]);
  for (const body of [
    {},
    { name: "a/b" },
    { name: null },
    { state: "ready" },
    { isPublic: true },
    { title: "a\0" },
  ]) {
    expect(await change(body), JSON.stringify(body)).toEqual([400, "invalid_request"]);
  }
});

test("a deleted picture is gone with its vectors, its origin, its objects and its work", async () => {
  const { body } = await rig.upload(rig.alice);
  const path = `/images/${body.image.id}`;
  expect((await rig.call(rig.alice, "DELETE", path)).status).toBe(204);
  expect(refusal(await rig.call(rig.alice, "DELETE", path))).toEqual([404, "not_found"]);
  expect(refusal(await rig.call(rig.alice, "GET", path))).toEqual([404, "not_found"]);
  expect(await rig.listObjects()).not.toContain(`${rig.alice.id}/${body.image.id}/original`);
  const jobs = await rig.sql`select state from parlance.jobs where id = ${body.job.id}`;
  expect(jobs).toMatchObject([{ state: "cancelled" }]);

  const ready = await rig.addReady();
  await rig.sql`insert into parlance.image_origins (image_id, owner_id, sha256) values (${ready}, ${rig.alice.id}, ${"a".repeat(64)})`;
  expect((await rig.call(rig.alice, "DELETE", `/images/${ready}`)).status).toBe(204);
  const left = await rig.sql`
    select image_id from parlance.image_vectors where image_id = ${ready}
    union all
    select image_id from parlance.image_origins where image_id = ${ready}
  `;
  expect(left).toHaveLength(0);
});

test("a picture is deleted though storage is down; its objects are left to the sweep", async () => {
  const { body } = await rig.upload(rig.alice);
  rig.storage = "down";
  expect((await rig.call(rig.alice, "DELETE", `/images/${body.image.id}`)).status).toBe(204);
  rig.storage = "ok";
  expect(await rig.listObjects()).toContain(`${rig.alice.id}/${body.image.id}/original`);
  expect(rig.logLines.some((line) => line.event === "images.objects_left")).toBe(true);
});

test("a picture that is deleted while a sidecar works on it stays deleted", async () => {
  const gate = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  const [embed, ingest] = createModelTasks(rig);
  if (!embed || !ingest) throw new Error("the model has two tasks");
  const slow = {
    kind: ingest.kind,
    run: async (...input: Parameters<typeof ingest.run>) => {
      const outcome = ingest.run(...input);
      started.resolve();
      await gate.promise;
      return outcome;
    },
  };
  await rig.startSidecar([embed, slow]);
  const { body } = await rig.upload(rig.alice);
  await started.promise;
  expect((await rig.call(rig.alice, "DELETE", `/images/${body.image.id}`)).status).toBe(204);
  gate.resolve();
  await rig.stopSidecar();
  expect(await rig.sql`select id from parlance.images`).toHaveLength(0);
  expect(await rig.sql`select image_id from parlance.image_vectors`).toHaveLength(0);
});

test("admins publish a picture and take it back; its vector follows", async () => {
  const id = await rig.addReady({ name: "view.jpg" });
  const path = `/images/${id}/publication`;
  for (const publisher of [rig.admin, "secret"] as const) {
    const published = await rig.call(publisher, "PUT", path);
    expect(published.status, published.text).toBe(200);
    expect(ImageDetail.parse(published.body).isPublic).toBe(true);
    expect((await rig.call("nobody", "GET", `/images/${id}`)).status).toBe(200);
    const [vector] = await rig.sql`select is_public from parlance.image_vectors where image_id = ${id}`;
    expect(vector).toEqual({ isPublic: true });
    expect((await rig.call(publisher, "DELETE", path)).body.isPublic).toBe(false);
    expect(refusal(await rig.call("nobody", "GET", `/images/${id}`))).toEqual([404, "not_found"]);
  }
});

test("nobody but admins publishes, and nobody learns of what they cannot see", async () => {
  const id = await rig.addReady();
  const seen = await rig.addReady({ isPublic: true });
  for (const method of ["PUT", "DELETE"]) {
    const ask = async (who: Who, image: string) =>
      refusal(await rig.call(who, method, `/images/${image}/publication`));
    expect(await ask(rig.alice, id)).toEqual([403, "forbidden"]);
    expect(await ask(rig.bob, id)).toEqual([404, "not_found"]);
    expect(await ask(rig.bob, seen)).toEqual([403, "forbidden"]);
    expect(await ask("publishable", seen)).toEqual([401, "unauthenticated"]);
    expect(await ask(rig.admin, crypto.randomUUID())).toEqual([404, "not_found"]);
  }
});

test("what is public belongs to its owner still", async () => {
  const id = await rig.addReady({ isPublic: true });
  const path = `/images/${id}`;
  expect(refusal(await rig.call(rig.bob, "DELETE", path))).toEqual([403, "forbidden"]);
  expect(refusal(await rig.sendJson(rig.bob, "PATCH", path, { name: "mine" }))).toEqual([403, "forbidden"]);
  expect(refusal(await rig.call(rig.bob, "POST", `${path}/completion`))).toEqual([403, "forbidden"]);
  expect(refusal(await rig.call("publishable", "DELETE", path))).toEqual([401, "unauthenticated"]);
  expect((await rig.call(rig.bob, "GET", path)).status).toBe(200);
});

const ways: [string, string, unknown?][] = [
  ["GET", ""],
  ["PATCH", "", { name: "mine" }],
  ["DELETE", ""],
  ["POST", "/completion"],
  ["GET", "/similar"],
  ["PUT", "/publication"],
  ["DELETE", "/publication"],
];

test.each(ways)("another's picture is not there: %s /images/{id}%s", async (method, path, body) => {
  const picture = await rig.addReady();
  const waiting = (await rig.upload(rig.alice)).body.image.id;
  for (const id of [picture, waiting, crypto.randomUUID()]) {
    const answer = body
      ? await rig.sendJson(rig.bob, method, `/images/${id}${path}`, body)
      : await rig.call(rig.bob, method, `/images/${id}${path}`);
    expect(refusal(answer)).toEqual([404, "not_found"]);
    const asNobody = await rig.call("nobody", method, `/images/${id}${path}`, {
      ...(body ? { body: "{}" } : {}),
    });
    expect([401, 404]).toContain(asNobody.status);
  }
  expect(await rig.sql`select from parlance.images`).toHaveLength(2);
});

test("the objects of another's picture are not to be had from storage, by path, by link or by list", async () => {
  const { body } = await rig.upload(rig.alice);
  const path = `${rig.alice.id}/${body.image.id}/original`;
  const bucketOf = (who: TestUser | undefined) => {
    const headers = who ? { authorization: `Bearer ${who.token}` } : {};
    return createClient(rig.config.supabaseUrl, rig.keys.publishableKey, {
      global: { headers },
    }).storage.from("images");
  };
  expect((await bucketOf(rig.alice).download(path)).error).toBeNull();
  for (const who of [rig.bob, undefined]) {
    const bucket = bucketOf(who);
    expect((await bucket.download(path)).data).toBeNull();
    expect((await bucket.createSignedUrl(path, 60)).data).toBeNull();
    expect((await bucket.info(path)).data).toBeNull();
    expect((await bucket.list(`${rig.alice.id}/${body.image.id}`)).data ?? []).toEqual([]);
    expect((await fetch(`${rig.config.supabaseUrl}/storage/v1/object/public/images/${path}`)).ok).toBe(false);
  }
  for (const who of [rig.alice, rig.bob, undefined]) {
    const bucket = bucketOf(who);
    const file = new Blob([jpeg("forged")], { type: "image/jpeg" });
    expect((await bucket.upload(path, file, { upsert: true })).data).toBeNull();
    expect((await bucket.createSignedUploadUrl(`${rig.alice.id}/x/original`)).data).toBeNull();
    await bucket.remove([path]);
  }
  expect(await rig.deps.objects.readStart(path, 100)).toEqual(jpeg());
});

test.each(["not-a-uuid", "' or true --", "1", "%2e%2e"])("the id %j is refused or not there", async (id) => {
  const answer = await rig.call(rig.alice, "GET", `/images/${encodeURIComponent(id)}`);
  expect([400, 404]).toContain(answer.status);
});
