/** What a search answers beyond the order of vectors: words with them, without what it must not be, folded, judged, kept. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { findQueryVector } from "../../../edge/images/query-vectors.ts";
import { anonymousCaller, type Caller, transactAs } from "../../../shared/callers.ts";
import { type SearchHit, SearchPage } from "../../../shared/images/contract.ts";
import type { TestApp, Who } from "../../helpers/app.ts";
import { openRig, type Rig, refusal, vectorAt } from "./rig.ts";

let rig: Rig;

beforeAll(async () => {
  rig = await openRig({ SEARCH_WAIT_MS: "10000", RATE_LIMIT_SEARCH: "10000" });
});

beforeEach(async () => {
  await rig.stopSidecar();
  for (const table of ["images", "query_vectors", "jobs", "searches"])
    await rig.sql.unsafe(`delete from parlance.${table}`);
  await rig.sql`update parlance.embedding_spaces set calibration = null`;
  await rig.startSidecar();
});

afterAll(() => rig.close());

async function ask(who: Who, path: string, { call }: TestApp = rig): Promise<SearchPage> {
  const answer = await call(who, "GET", path);
  expect(answer.status, answer.text).toBe(200);
  return SearchPage.parse(answer.body);
}

const namesOf = (page: SearchPage) => page.items.map((hit) => hit.name);

async function walk(who: Who, path: string): Promise<SearchHit[]> {
  const items: SearchHit[] = [];
  for (let cursor = "", pages = 0; pages < 100; pages++) {
    const page = await ask(who, `${path}${cursor}`);
    items.push(...page.items);
    if (page.nextCursor === null) return items;
    cursor = `&cursor=${page.nextCursor}`;
  }
  throw new Error("the search has no end");
}

describe("words and vectors together", () => {
  test("a picture whose words answer comes before one that is as near, and each says why it is there", async () => {
    await rig.addReady({ name: "a", degrees: 12 });
    await rig.addReady({ name: "b", degrees: 12, title: "10 degrees" });
    await rig.addReady({ name: "c", degrees: 150, keywords: ["10", "degrees"] });
    await rig.addReady({ name: "d", degrees: 120 });
    await rig.addReady({ name: "e", degrees: 170 });
    const page = await ask(rig.alice, "/images/search?q=10%20degrees");
    expect(page).toMatchObject({ method: "fused", space: "palette", reason: null });
    expect(page.items.map(({ name, matchedWords }) => [name, matchedWords])).toEqual([
      ["b", true],
      ["a", false],
      ["c", true],
      ["d", false],
      ["e", false],
    ]);
    const scores = page.items.map((hit) => hit.score);
    expect(scores).toEqual(scores.toSorted((one, other) => other - one));
    const c = page.items.find((hit) => hit.name === "c");
    expect(c?.similarity).toBeCloseTo(Math.cos((140 / 180) * Math.PI), 5);
  });

  test("a walk through the window and beyond meets each once, by scores that only fall", async () => {
    for (let index = 0; index < 260; index++) {
      const worded = index % 9 === 0 ? { title: "seven degrees" } : {};
      await rig.addReady({
        degrees: index % 180,
        name: `${index} ${index % 9 === 0 ? "7 degrees" : ""}`,
        ...worded,
      });
    }
    const hits = await walk(rig.alice, "/images/search?q=7%20degrees&limit=23");
    expect(hits).toHaveLength(260);
    expect(new Set(hits.map((hit) => hit.id)).size).toBe(260);
    const scores = hits.map((hit) => hit.score);
    expect(scores).toEqual(scores.toSorted((one, other) => other - one));
    const worded = hits.flatMap((hit, index) => (hit.matchedWords ? [index] : []));
    expect(worded).toHaveLength(29);
    // All that words find is in the window: the hundred nearest and these.
    expect(worded.at(-1)).toBeLessThan(100 + 29);
  });

  test("what answers only by a word that it lacks is no answer of the words", async () => {
    await rig.addReady({ title: "a boat" });
    await rig.stopSidecar();
    expect((await ask(rig.alice, "/images/search?q=-red")).items).toEqual([]);
    expect((await ask(rig.alice, "/images/search?q=boat%20-red")).items).toHaveLength(1);
    expect((await ask(rig.alice, "/images/search?q=boat%20-boat")).items).toEqual([]);
  });
});

describe("a cursor", () => {
  test.each([
    "q=6%20degrees",
    "q=5%20degrees&minus=90%20degrees",
    "q=5%20degrees&orientation=square",
    "q=5%20degrees&fold=similar",
    "q=5%20degrees&matchesOnly=true",
    "q=5%20degrees&scope=public",
  ])("does not go on with another question: %s", async (question) => {
    for (const degrees of [1, 2, 3]) await rig.addReady({ degrees });
    const { nextCursor } = await ask(rig.alice, "/images/search?q=5%20degrees&limit=1");
    const answer = await rig.call(rig.alice, "GET", `/images/search?${question}&cursor=${nextCursor}`);
    expect(refusal(answer)).toEqual([400, "invalid_cursor"]);
    expect(answer.body.detail).toMatch(/start without it/);
  });

  test("goes on with the same question, whatever the size of the page", async () => {
    for (const degrees of [1, 2, 3]) await rig.addReady({ degrees });
    const { nextCursor } = await ask(rig.alice, "/images/search?q=5%20degrees&limit=1");
    const rest = await ask(rig.alice, `/images/search?q=%205%20%20DEGREES&limit=50&cursor=${nextCursor}`);
    expect(rest.items).toHaveLength(2);
  });
});

describe("what it must not be", () => {
  test("is led away from, and what is nearer to it than to the question is left out", async () => {
    for (const degrees of [0, 30, 330, 60, 90]) await rig.addReady({ degrees, name: `at ${degrees}` });
    expect(namesOf(await ask(rig.alice, "/images/search?q=0%20degrees"))[0]).toBe("at 0");
    const page = await ask(rig.alice, "/images/search?q=0%20degrees&minus=90%20degrees");
    expect(namesOf(page)).toEqual(["at 330", "at 0", "at 30"]);
    const similarities = page.items.map((hit) => hit.similarity ?? 0);
    [30, 0, 30].forEach((degrees, index) => {
      expect(similarities[index]).toBeCloseTo(Math.cos((degrees / 180) * Math.PI), 5);
    });
  });

  test("leaves out what its words answer, however near, with vectors and without", async () => {
    await rig.addReady({ name: "one", title: "degrees" });
    await rig.addReady({ name: "two", title: "degrees", keywords: ["Dogs"] });
    const path = "/images/search?q=0%20degrees&minus=dog";
    const page = await ask(rig.alice, path);
    expect(namesOf(page)).toEqual(["one"]);
    expect(page.reason).toMatch(/Of `minus` only the words count.*knows none/);
    expect(namesOf(await ask(rig.alice, "/images/search?q=0%20degrees"))).toHaveLength(2);
    await rig.stopSidecar();
    await rig.sql`delete from parlance.query_vectors`;
    const keywords = await ask(rig.alice, "/images/search?q=degrees&minus=dog");
    expect([keywords.method, namesOf(keywords)]).toEqual(["keywords", ["one"]]);
  });

  test("refines what is like a picture, and its pages fit together", async () => {
    const id = await rig.addReady({ degrees: 0, name: "self" });
    for (const degrees of [10, 20, 340, 350, 80]) await rig.addReady({ degrees, name: `at ${degrees}` });
    const hits = await walk(rig.alice, `/images/${id}/similar?minus=90%20degrees&limit=2`);
    expect(hits.map((hit) => hit.name)).toEqual(["at 340", "at 350", "at 10", "at 20"]);
  });

  test("alone is no question", async () => {
    const answer = await rig.call(rig.alice, "GET", "/images/search?minus=dog");
    expect(refusal(answer)).toEqual([400, "invalid_request"]);
  });

  test("that is all of the question leaves nothing", async () => {
    await rig.addReady({ degrees: 3 });
    expect((await ask(rig.alice, "/images/search?q=3%20degrees&minus=3%20degrees")).items).toEqual([]);
  });
});

describe("folding", () => {
  const look = (index: number) => index.toString(16).padStart(2, "0").repeat(8);

  async function addCopies(count: number): Promise<void> {
    for (let index = 0; index < count; index++) {
      const id = await rig.addReady({ degrees: index, isPublic: true });
      await rig.sql`
        update parlance.images set perceptual_hash = ('x' || ${look(Math.floor(index / 4) * 37)})::bit(64) where id = ${id}
      `;
      await rig.sql`
        insert into parlance.image_origins (image_id, owner_id, sha256)
        values (${id}, ${rig.alice.id}, ${String(Math.floor(index / 2)).padStart(64, "0")})
      `;
    }
  }

  test("shows each file once to its owner, and what looks the same once to strangers; no page is short", async () => {
    await addCopies(24);
    const path = "/images/search?q=0%20degrees&fold=duplicates&limit=5&scope=public";
    const own = await walk(rig.alice, path);
    expect(own.map((hit) => hit.duplicates.length)).toEqual(new Array(12).fill(1));
    const strange = await walk("nobody", path);
    expect(strange.map((hit) => hit.duplicates.length)).toEqual(new Array(6).fill(3));
    for (const hits of [own, strange]) {
      const shown = hits.flatMap((hit) => [hit.id, ...hit.duplicates]);
      expect(shown).toHaveLength(24);
      expect(new Set(shown).size).toBe(24);
    }
    expect((await ask("nobody", path)).items).toHaveLength(5);
  });

  test("folds words' hits as well, and nothing unless it is asked", async () => {
    await addCopies(8);
    await rig.sql`update parlance.images set title = 'tulip'`;
    await rig.stopSidecar();
    expect((await ask(rig.alice, "/images/search?q=tulip&fold=duplicates")).items).toHaveLength(4);
    const plain = await ask(rig.alice, "/images/search?q=tulip");
    expect(plain.items.map((hit) => hit.duplicates)).toEqual(new Array(8).fill([]));
  });
});

describe("a calibrated space", () => {
  /** Matches from 0.5 on, however many pictures are searched. */
  const always = (z: number) => ({ levels: [{ pictures: 1, z }], slope: 0 });
  const calibration = {
    mean: 0,
    deviation: 0.1,
    ofQuery: always(1000),
    ofSpace: always(5),
    falsePositiveRate: 0.03,
    falsePositiveInterval: [0.01, 0.05],
    matchedRate: 0.2,
    threshold: 0.5,
    queries: 50,
    pairs: 1000,
    pictures: 100,
    measuredAt: "2026-01-01T00:00:00Z",
  };

  beforeEach(async () => {
    await rig.sql`update parlance.embedding_spaces set calibration = ${rig.sql.json(calibration)} where is_current`;
  });

  test("says when nothing matches, and shows the nearest all the same", async () => {
    for (const degrees of [100, 110]) await rig.addReady({ degrees });
    const page = await ask(rig.alice, "/images/search?q=0%20degrees");
    expect(page).toMatchObject({
      nothingMatches: true,
      calibration: { threshold: 0.5, falsePositiveRate: 0.03 },
    });
    expect(page.items.map((hit) => hit.isMatch)).toEqual([false, false]);
    const matches = await ask(rig.alice, "/images/search?q=0%20degrees&matchesOnly=true");
    expect(matches).toMatchObject({ nothingMatches: true, items: [], nextCursor: null });
  });

  test("says it too of words that the model does not know and no name or keyword has", async () => {
    await rig.addReady({ degrees: 0, name: "zebra.jpg" });
    expect(await ask(rig.alice, "/images/search?q=dog")).toMatchObject({
      method: "keywords",
      nothingMatches: true,
      items: [],
    });
    expect(await ask(rig.alice, "/images/search?q=zebra")).toMatchObject({
      nothingMatches: false,
      items: [{ isMatch: true }],
    });
    await rig.stopSidecar();
    try {
      // Nobody could look: that is not the same as nothing.
      expect(await ask(rig.alice, "/images/search?q=cat")).toMatchObject({
        nothingMatches: false,
        items: [],
      });
    } finally {
      await rig.startSidecar();
    }
  });

  test("tells which hits match, on later pages too", async () => {
    for (const degrees of [0, 10, 80, 100]) await rig.addReady({ degrees });
    const first = await ask(rig.alice, "/images/search?q=0%20degrees&limit=2");
    expect(first.nothingMatches).toBe(false);
    const second = await ask(rig.alice, `/images/search?q=0%20degrees&limit=2&cursor=${first.nextCursor}`);
    expect(second.nothingMatches).toBe(false);
    expect([...first.items, ...second.items].map((hit) => hit.isMatch)).toEqual([true, true, false, false]);
    const hits = await walk(rig.alice, "/images/search?q=0%20degrees&matchesOnly=true&limit=1");
    expect(hits).toHaveLength(2);
  });

  test("counts a word that answers as a match, however far the vector", async () => {
    await rig.addReady({ degrees: 170, name: "0 degrees" });
    const page = await ask(rig.alice, "/images/search?q=0%20degrees&matchesOnly=true");
    expect(page.nothingMatches).toBe(false);
    expect(page.items.map((hit) => [hit.isMatch, hit.matchedWords])).toEqual([[true, true]]);
  });

  test("that is none knows nothing, and leaves nothing out", async () => {
    await rig.sql`update parlance.embedding_spaces set calibration = '{"threshold": 2}'`;
    await rig.addReady({ degrees: 100 });
    const page = await ask(rig.alice, "/images/search?q=0%20degrees&matchesOnly=true");
    expect(page).toMatchObject({ nothingMatches: false, calibration: null });
    expect(page.items.map((hit) => hit.isMatch)).toEqual([null]);
  });
});

describe("the log of searches", () => {
  const listLog = () => rig.sql<Record<string, unknown>[]>`
    select asker, owner_id, scope, query, minus, image_id, filters, filter_class, path,
      extensions.vector_dims(embedding) as dimensions
    from parlance.searches order by id
  `;

  test("keeps what was asked by a vector, by whom and how it was found, once for all its pages", async () => {
    const id = await rig.addReady({ isPublic: true });
    for (const degrees of [1, 2]) await rig.addReady({ degrees, isPublic: true });
    await walk(rig.alice, "/images/search?q=1%20degrees&minus=90%20degrees&colour=red&limit=1");
    await walk("nobody", `/images/${id}/similar?limit=1`);
    await ask(rig.admin, "/images/search?q=2%20degrees&scope=all");
    await ask("secret", "/images/search?q=zeppelin");
    const empty = {
      minus: null,
      imageId: null,
      filters: {},
      filterClass: "none",
      path: "exact",
      dimensions: 128,
    };
    expect(await listLog()).toEqual([
      {
        ...empty,
        asker: "user",
        ownerId: rig.alice.id,
        scope: "own",
        query: "1 degrees",
        minus: "90 degrees",
        imageId: null,
        filters: { colours: ["red"] },
        filterClass: expect.stringMatching(/narrow|broad/),
      },
      { ...empty, asker: "anon", ownerId: null, scope: "public", query: null, imageId: id },
      { ...empty, asker: "admin", ownerId: rig.admin.id, scope: "all", query: "2 degrees", imageId: null },
    ]);
  });

  test("keeps at most 120 an hour of one user, and of all strangers together", async () => {
    const log = (caller: Caller) =>
      transactAs(rig.sql, caller, async (transaction) => {
        await transaction`
          select parlance.log_search(
            gen_random_uuid(), 1::smallint, 'public', 'a', null, null, '{}', 'none', 'exact',
            ${JSON.stringify(vectorAt(0))}::text::extensions.vector
          )
          from generate_series(1, 70)
        `;
      });
    const user = (id: string): Caller => ({
      role: "authenticated",
      claims: { role: "authenticated", sub: id },
    });
    for (let round = 0; round < 2; round++)
      for (const caller of [anonymousCaller, user(rig.alice.id), user(rig.bob.id)]) await log(caller);
    // Claims of a user under the role of a stranger are a stranger's.
    await log({ role: "anon", claims: { sub: rig.admin.id, app_metadata: { role: "admin" } } });
    // A user that there is not leaves nothing, and no error.
    await log(user(crypto.randomUUID()));
    const counts =
      await rig.sql`select count(*)::integer as kept from parlance.searches group by asker, owner_id`;
    expect(counts.map((row) => row.kept)).toEqual([120, 120, 120]);
  });

  test("takes neither a space that is gone nor a vector of another size", async () => {
    for (const [space, vector] of [
      [999, vectorAt(0)],
      [1, [1, 0]],
    ] as const) {
      await transactAs(rig.sql, anonymousCaller, async (transaction) => {
        await transaction`
          select parlance.log_search(
            gen_random_uuid(), ${space}::smallint, 'public', 'a', null, null, '{}', 'none', 'exact',
            ${JSON.stringify(vector)}::text::extensions.vector
          )
        `;
      });
    }
    expect(await listLog()).toEqual([]);
  });

  test("keeps nothing where its share is 0", async () => {
    await rig.addReady();
    const silent = rig.withSettings({ SEARCH_LOG_SHARE: "0" });
    expect((await ask(rig.alice, "/images/search?q=1%20degrees", silent)).items).toHaveLength(1);
    expect(await listLog()).toEqual([]);
  });

  test("can be read by nobody who searches", async () => {
    const caller: Caller = { role: "authenticated", claims: { role: "authenticated", sub: rig.alice.id } };
    for (const one of [caller, anonymousCaller]) {
      await expect(
        transactAs(rig.sql, one, (transaction) => transaction`select from parlance.searches`),
      ).rejects.toThrow(/permission denied/);
    }
  });
});

test("words that wait while another space becomes current are asked again in that one", async () => {
  await rig.stopSidecar();
  const [made] = await rig.sql<{ id: number }[]>`
    select parlance.create_embedding_space('second', 'palette', 'built-in', 128) as id
  `;
  const second = made?.id ?? 0;
  try {
    // A worker that is there but has not begun: the words wait in the first space.
    await rig.sql`
      insert into parlance.workers (id, runner, device, provider, kinds, models)
      values (gen_random_uuid(), 'sidecar', 'test', 'test', '{images.embed-query}', '{palette}')
    `;
    const waiting = findQueryVector(rig.deps, "44 degrees");
    await expect
      .poll(async () => (await rig.sql`select from parlance.jobs where payload ->> 'spaceId' = '1'`).length)
      .toBe(1);
    await rig.sql`select parlance.switch_embedding_space(${second}::smallint)`;
    await expect
      .poll(
        async () =>
          (await rig.sql`select from parlance.jobs where payload ->> 'spaceId' = ${String(second)}`).length,
      )
      .toBe(1);
    await rig.startSidecar();
    expect(await waiting).toMatchObject({ space: { id: second, name: "second" } });
    const states =
      await rig.sql`select payload ->> 'spaceId' as space, state from parlance.jobs order by created_at`;
    expect(states.map((row) => row.state)).toEqual(["cancelled", "done"]);
  } finally {
    await rig.sql`select parlance.switch_embedding_space(1::smallint)`;
    await rig.sql`select parlance.drop_embedding_space(${second}::smallint)`;
    await rig.sql`delete from parlance.workers`;
  }
});
