import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type SearchHit, SearchPage } from "../../../shared/images/contract.ts";
import { embedQuery } from "../../../shared/images/kinds.ts";
import { defineTask } from "../../../shared/jobs/kinds.ts";
import type { TestApp, Who } from "../../helpers/app.ts";
import { createModelTasks, openRig, type Rig, refusal } from "./rig.ts";

let rig: Rig;
/** The same house with less patience. */
let hasty: TestApp;

beforeAll(async () => {
  rig = await openRig({ SEARCH_WAIT_MS: "10000", RATE_LIMIT_SEARCH: "10000" });
  hasty = rig.withSettings({ SEARCH_WAIT_MS: "200" });
});

beforeEach(async () => {
  await rig.stopSidecar();
  await rig.sql`delete from parlance.images`;
  await rig.sql`delete from parlance.query_vectors`;
  await rig.sql`delete from parlance.jobs`;
});

afterAll(() => rig.close());

async function search(who: Who, q: string, rest = "", { call }: TestApp = rig): Promise<SearchPage> {
  const answer = await call(who, "GET", `/images/search?q=${encodeURIComponent(q)}${rest}`);
  expect(answer.status, answer.text).toBe(200);
  return SearchPage.parse(answer.body);
}

/** Walks a search to its end. */
async function walk(who: Who, path: string, from = ""): Promise<SearchHit[]> {
  const items: SearchHit[] = [];
  let cursor = from;
  for (let pages = 0; pages < 60; pages++) {
    const answer = await rig.call(who, "GET", `${path}${cursor}`);
    expect(answer.status, answer.text).toBe(200);
    const page = SearchPage.parse(answer.body);
    items.push(...page.items);
    if (page.nextCursor === null) return items;
    cursor = `&cursor=${encodeURIComponent(page.nextCursor)}`;
  }
  throw new Error("the search has no end");
}

const listQueryJobs = () =>
  rig.sql<{ state: string; ownerId: string | null }[]>`
    select state, owner_id from parlance.jobs where kind = 'images.embed-query' order by created_at
  `;

test("pictures come in the order of their nearness, with their scores", async () => {
  for (const degrees of [90, 0, 180, 30]) await rig.addReady({ name: `at ${degrees}`, degrees });
  await rig.startSidecar();
  const page = await search(rig.alice, "10 degrees");
  expect(page).toMatchObject({ method: "vectors", space: "palette", reason: null, nextCursor: null });
  expect(page.items.map((hit) => hit.name)).toEqual(["at 0", "at 30", "at 90", "at 180"]);
  for (const hit of page.items) {
    const between = Math.abs(Number(hit.name.slice(3)) - 10);
    expect(hit.score).toBeCloseTo(Math.cos((between / 180) * Math.PI), 5);
  }
});

test("a query is embedded once, whoever asks it and however it is written", async () => {
  await rig.addReady({ degrees: 20 });
  await rig.startSidecar();
  await search(rig.alice, "20 degrees");
  await rig.stopSidecar();
  for (const who of [rig.bob, rig.alice, "nobody"] as const) {
    expect((await search(who, "  20   DEGREES ")).method).toBe("vectors");
  }
  expect(await listQueryJobs()).toEqual([{ state: "done", ownerId: null }]);
});

test("ten who ask the same at once share a job", async () => {
  await rig.startSidecar();
  const pages = await Promise.all(Array.from({ length: 10 }, () => search(rig.alice, "33 degrees")));
  expect(new Set(pages.map((page) => page.method))).toEqual(new Set(["vectors"]));
  expect(await listQueryJobs()).toEqual([{ state: "done", ownerId: null }]);
});

test("with no sidecar the words are searched at once, and the page says so", async () => {
  const id = await rig.addReady({ name: "DSC_001.jpg", title: "Windmills at dusk" });
  await rig.addReady({ name: "boat.jpg", keywords: ["sea"] });
  const page = await search(rig.alice, "windmill");
  expect(page).toMatchObject({ method: "keywords", space: null });
  expect(page.reason).toMatch(/No sidecar/);
  expect(page.items.map((hit) => hit.id)).toEqual([id]);
  expect(page.items[0]?.score).toBeGreaterThan(0);
  expect(page.items[0]?.score).toBeLessThan(1);
  expect(await listQueryJobs()).toEqual([]);
});

test("a sidecar that was last seen a minute ago counts for nothing, nor one on its way out", async () => {
  await rig.startSidecar();
  await rig.sql`update parlance.workers set last_seen_at = now() - interval '1 minute'`;
  expect((await search(rig.alice, "1 degrees")).method).toBe("keywords");
  await rig.sql`update parlance.workers set last_seen_at = now(), state = 'draining'`;
  expect((await search(rig.alice, "1 degrees")).method).toBe("keywords");
});

test("words that the model does not know are searched as words, and the page says so", async () => {
  await rig.addReady({ title: "Zeppelin" });
  await rig.startSidecar();
  const page = await search(rig.alice, "zeppelin");
  expect(page.method).toBe("keywords");
  expect(page.reason).toMatch(/knows none/);
  expect(page.items).toHaveLength(1);
});

test("nobody waits longer than they may: the words are searched, and the job is cancelled", async () => {
  await rig.addReady({ title: "Forty-five degrees" });
  const stopped = Promise.withResolvers<unknown>();
  const asleep = defineTask(embedQuery, async (_payload, { signal }) => {
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    stopped.resolve(signal.reason);
    throw new Error("stopped");
  });
  await rig.startSidecar([asleep]);
  const page = await search(rig.alice, "degrees", "", hasty);
  expect(page.method).toBe("keywords");
  expect(page.reason).toMatch(/in time/);
  expect(page.items).toHaveLength(1);
  const [job] = await rig.sql`select cancel_requested_at is not null as is_cancelled from parlance.jobs`;
  expect(job).toEqual({ isCancelled: true });
});

test("a job that nobody claimed is cancelled by whoever gives up", async () => {
  await rig.sql`
    insert into parlance.workers (id, runner, device, provider, kinds, models)
    values (gen_random_uuid(), 'sidecar', 'test', 'test', '{images.embed-query}', '{palette}')
  `;
  expect((await search(rig.alice, "degrees", "", hasty)).reason).toMatch(/in time/);
  expect(await listQueryJobs()).toEqual([{ state: "cancelled", ownerId: null }]);
  await rig.sql`delete from parlance.workers`;
});

test("words that could not be embedded are searched as words", async () => {
  await rig.addReady({ title: "Broken" });
  const broken = defineTask(embedQuery, () => Promise.reject(new TypeError("no such layer")));
  await rig.startSidecar([broken]);
  const page = await search(rig.alice, "broken");
  expect(page.method).toBe("keywords");
  expect(page.items).toHaveLength(1);
});

test("a name is found by its beginning, whatever its letters mean to SQL", async () => {
  await rig.addReady({ name: "100%_real.jpg" });
  await rig.addReady({ name: "100 things.jpg" });
  const names = async (q: string) => (await search(rig.alice, q)).items.map((hit) => hit.name);
  expect(await names("100%_r")).toEqual(["100%_real.jpg"]);
  expect((await names("100")).toSorted()).toEqual(["100 things.jpg", "100%_real.jpg"]);
  expect(await names("%")).toEqual([]);
  const [exact] = (await search(rig.alice, "100 things.jpg")).items;
  expect(exact?.score).toBe(1);
});

test.each([
  "' or 1=1 --",
  "red'); drop table parlance.images; --",
  "a & | ! b:* <-> (c",
  '"unbalanced',
  "\\x00\\",
  "%_%",
  "-",
  "-red",
  "the",
  "red\0blue",
  "ﷺ",
  "😀😀",
])("the query %j is only words, to both ways of searching", async (query) => {
  await rig.addReady({ ownerId: rig.bob.id, title: "red blue" });
  expect((await search(rig.alice, query)).items).toEqual([]);
  await rig.startSidecar();
  expect((await search(rig.alice, query)).items).toEqual([]);
});

test.each(["%ED%A0%80%20red", "%", "%zz", "%F0%9F"])(
  "the broken letters %s are no error of ours",
  async (q) => {
    const answer = await rig.call(rig.alice, "GET", `/images/search?q=${q}`);
    expect([200, 400]).toContain(answer.status);
  },
);

test.each([
  ["q=", "query.q"],
  ["q=%20%09%0a", "query.q"],
  ["q=%00", "query.q"],
  [`q=${"a".repeat(101)}`, "query.q"],
  [`q=${encodeURIComponent("ﷺ".repeat(6))}`, "query.q"],
  ["", "query.q"],
  ["q=a&q=b", "query.q"],
  ["q=a&limit=0", "query.limit"],
  ["q=a&limit=101", "query.limit"],
  ["q=a&limit=ten", "query.limit"],
  ["q=a&scope=everything", "query.scope"],
])("the search refuses ?%s by the name of its field", async (query, field) => {
  const answer = await rig.call(rig.alice, "GET", `/images/search?${query}`);
  expect(refusal(answer)).toEqual([400, "invalid_request"]);
  expect(answer.body.errors.map((error: { field: string }) => error.field)).toContain(field);
});

test("a hundred letters between spaces may be asked", async () => {
  expect((await search(rig.alice, `  ${"a".repeat(100)}  `)).items).toEqual([]);
});

test("a walk over 250 hits meets each once, best first, though many have one score", async () => {
  for (let index = 0; index < 250; index++) await rig.addReady({ degrees: index % 5 });
  await rig.startSidecar();
  const hits = await walk(rig.alice, "/images/search?q=2%20degrees&limit=31");
  expect(hits).toHaveLength(250);
  expect(new Set(hits.map((hit) => hit.id)).size).toBe(250);
  for (const [index, hit] of hits.entries()) {
    const before = hits[index - 1];
    if (!before) continue;
    expect(before.score).toBeGreaterThanOrEqual(hit.score);
    if (before.score === hit.score) expect(before.id < hit.id).toBe(true);
  }
});

test("a walk over 250 keyword hits meets each once, and goes on by keywords when a sidecar comes", async () => {
  for (let index = 0; index < 250; index++)
    await rig.addReady({ title: "tulip ".repeat(1 + (index % 5)).trim() });
  const first = await search(rig.alice, "tulip", "&limit=40");
  await rig.startSidecar();
  const rest = await walk(rig.alice, "/images/search?q=tulip&limit=40", `&cursor=${first.nextCursor}`);
  expect(new Set([...first.items, ...rest].map((hit) => hit.id)).size).toBe(250);
});

test("a search goes no deeper than 1,000 hits", async () => {
  await rig.sql`
    with added as (
      insert into parlance.images
        (id, owner_id, name, state, media_type, size_bytes, width, height, variants)
      select gen_random_uuid(), ${rig.alice.id}, 'deep ' || n, 'ready', 'image/jpeg', 1, 1, 1, '{original}'
      from generate_series(1, 1100) as n
      returning id
    )
    insert into parlance.image_vectors (space_id, image_id, owner_id, embedding)
    select 1, id, ${rig.alice.id}, ('[1' || repeat(',0', 127) || ']')::extensions.vector
    from added
  `;
  await rig.startSidecar();
  expect(await walk(rig.alice, "/images/search?q=0%20degrees&limit=99")).toHaveLength(1000);
  await rig.stopSidecar();
  expect(await walk(rig.alice, "/images/search?q=deep&limit=99")).toHaveLength(1000);
});

test("a search by vectors that cannot go on says so instead of mixing two orders", async () => {
  for (const degrees of [1, 2, 3]) await rig.addReady({ degrees, title: "degrees" });
  await rig.startSidecar();
  const first = await search(rig.alice, "1 degrees", "&limit=1");
  await rig.stopSidecar();
  await rig.sql`delete from parlance.query_vectors`;
  const next = await rig.call(rig.alice, "GET", `/images/search?q=1%20degrees&cursor=${first.nextCursor}`);
  expect(refusal(next)).toEqual([503, "unavailable"]);
  expect(next.headers.get("retry-after")).toBe("5");
});

test.each(["x", "AAAA", "%27%20or%20true", btoa('{"way":"vectors","score":"NaN","id":"x","depth":1}')])(
  "the search refuses the cursor %s",
  async (cursor) => {
    const answer = await rig.call(rig.alice, "GET", `/images/search?q=a&cursor=${cursor}`);
    expect(refusal(answer)).toEqual([400, "invalid_cursor"]);
  },
);

test("only pictures that are ready are found", async () => {
  const id = await rig.addReady({ title: "half done" });
  await rig.sql`update parlance.images set state = 'processing' where id = ${id}`;
  expect((await search(rig.alice, "half done")).items).toEqual([]);
  await rig.startSidecar();
  expect((await search(rig.alice, "0 degrees")).items).toEqual([]);
});

test.each(["keywords", "fused"] as const)(
  "everyone finds what they may see and no more, by %s",
  async (method) => {
    await rig.addReady({ name: "5 degrees, alice's" });
    await rig.addReady({ name: "5 degrees, bob's", ownerId: rig.bob.id });
    await rig.addReady({ name: "5 degrees, bob's public", ownerId: rig.bob.id, isPublic: true });
    await rig.addReady({ name: "5 degrees, the house's", ownerId: null });
    if (method === "fused") await rig.startSidecar();
    const names = async (who: Who, rest = "") => {
      const page = await search(who, "5 degrees", rest);
      // The words are in their names: by vectors means by both.
      if (page.items.length > 0) expect(page.method).toBe(method);
      return page.items.map((hit) => hit.name.slice(11)).toSorted();
    };
    expect(await names(rig.alice)).toEqual(["alice's"]);
    expect(await names(rig.alice, "&scope=public")).toEqual(["bob's public"]);
    expect(await names("nobody")).toEqual(["bob's public"]);
    expect(await names("publishable")).toEqual(["bob's public"]);
    expect(await names("secret")).toEqual(["the house's"]);
    expect(await names(rig.admin)).toEqual([]);
    for (const who of [rig.admin, "secret"] as const) {
      expect(await names(who, "&scope=all")).toEqual(["alice's", "bob's", "bob's public", "the house's"]);
    }
    const refused = await rig.call(rig.alice, "GET", "/images/search?q=a&scope=all");
    expect(refusal(refused)).toEqual([403, "forbidden"]);
  },
);

test("pictures like one of them come without itself, page by page", async () => {
  const id = await rig.addReady({ degrees: 10, name: "self" });
  for (const degrees of [11, 50, 9, 170]) await rig.addReady({ degrees, name: `at ${degrees}` });
  await rig.addReady({ degrees: 10, ownerId: rig.bob.id, name: "bob's twin" });
  const hits = await walk(rig.alice, `/images/${id}/similar?limit=2`);
  expect(hits.map((hit) => hit.name).slice(2)).toEqual(["at 50", "at 170"]);
  expect(
    hits
      .map((hit) => hit.name)
      .slice(0, 2)
      .toSorted(),
  ).toEqual(["at 11", "at 9"]);
});

test("a picture that is not ready has nothing like it yet", async () => {
  const { body } = await rig.upload(rig.alice);
  const answer = await rig.call(rig.alice, "GET", `/images/${body.image.id}/similar`);
  expect(refusal(answer)).toEqual([409, "conflict"]);
});

test("a cursor of a search by words does not fit a search by likeness", async () => {
  const id = await rig.addReady({ title: "one degrees" });
  await rig.addReady({ title: "two degrees" });
  const { nextCursor } = await search(rig.alice, "degrees", "&limit=1");
  const answer = await rig.call(rig.alice, "GET", `/images/${id}/similar?cursor=${nextCursor}`);
  expect(refusal(answer)).toEqual([400, "invalid_cursor"]);
});

test("a picture goes the whole way: sent, taken in by a sidecar, found by its words", async () => {
  await rig.startSidecar(createModelTasks(rig));
  const sent = await rig.upload(rig.alice, { fields: [["name", "60 degrees"]] });
  expect(await rig.untilEnded(rig.alice, sent.body.image.id)).toMatchObject({
    state: "ready",
    width: 4,
    height: 3,
  });
  const page = await search(rig.alice, "60 degrees");
  expect(page.method).toBe("fused");
  expect(page.items[0]?.similarity).toBeCloseTo(1, 5);
  expect((await fetch(page.items[0]?.links?.thumbnail ?? "")).status).toBe(200);
});
