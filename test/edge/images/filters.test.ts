/** What the filters keep, over HTTP and in both ways of searching, and what the function behind them tells nobody. */
import fc from "fast-check";
import type { TransactionSql } from "postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findMatches } from "../../../edge/images/filters.ts";
import { findNearest } from "../../../edge/images/search.ts";
import { anonymousCaller, type Caller, serviceCaller, transactAs } from "../../../shared/callers.ts";
import { ImagePage, type SearchFilters, SearchPage } from "../../../shared/images/contract.ts";
import type { TestUser, Who } from "../../helpers/app.ts";
import { openRig, type Rig, refusal, vectorAt } from "./rig.ts";

let rig: Rig;

interface Facts {
  takenAt?: string;
  keywords?: string[];
  width?: number;
  height?: number;
  colours?: string[];
  camera?: string;
  place?: boolean;
}

beforeAll(async () => {
  rig = await openRig({ RATE_LIMIT_SEARCH: "10000" });
  await rig.startSidecar();
  await add("red square", {
    colours: ["red", "white"],
    keywords: ["Sea", "Boat"],
    takenAt: "2020-06-01T12:00:00Z",
  });
  await add("red wide", { colours: ["red"], width: 300, height: 200, camera: "Nikon D1", keywords: ["sea"] });
  await add("blue tall", { colours: ["blue"], width: 200, height: 300, camera: "nikon d1", place: true });
  await add("plain", { takenAt: "2021-01-01T00:00:00Z", place: true, camera: "O'Neill \\ 100%" });
  await rig.sql`update parlance.images set created_at = '2026-03-03T03:03:03Z' where name = 'plain'`;
  const [bobs] = [
    await rig.addReady({ ownerId: rig.bob.id, name: "bob's", isPublic: true, keywords: ["sea"] }),
  ];
  await addPlace(bobs, rig.bob.id);
});

afterAll(() => rig.close());

async function add(name: string, facts: Facts): Promise<void> {
  const id = await rig.addReady({ name, keywords: facts.keywords ?? [], degrees: 10 });
  await rig.sql`
    update parlance.images
    set taken_at = ${facts.takenAt ?? null}, width = ${facts.width ?? 100}, height = ${facts.height ?? 100},
      colours = ${facts.colours ?? null}::text[], camera = ${facts.camera ?? null}
    where id = ${id}
  `;
  if (facts.place) await addPlace(id, rig.alice.id);
}

async function addPlace(imageId: string, ownerId: string): Promise<void> {
  await rig.sql`
    insert into parlance.image_origins (image_id, owner_id, sha256, latitude, longitude)
    values (${imageId}, ${ownerId}, ${"a".repeat(64)}, 1, 2)
  `;
}

async function names(who: Who, path: string): Promise<string[]> {
  const answer = await rig.call(who, "GET", path);
  expect(answer.status, answer.text).toBe(200);
  const { items } = path.startsWith("/images?")
    ? ImagePage.parse(answer.body)
    : SearchPage.parse(answer.body);
  return items.map((image) => image.name).toSorted();
}

test.each([
  ["colour=red", ["red square", "red wide"]],
  ["colour=red&colour=white", ["red square"]],
  ["colour=red&colour=blue", []],
  ["keyword=SEA", ["red square", "red wide"]],
  ["keyword=sea&keyword=bOAT", ["red square"]],
  ["keyword=se", []],
  ["keyword=%27%7D%22%2C%20%5C", []],
  ["orientation=square", ["plain", "red square"]],
  ["orientation=landscape", ["red wide"]],
  ["orientation=portrait", ["blue tall"]],
  ["camera=NIKON%20d1", ["blue tall", "red wide"]],
  ["camera=nikon", []],
  [`camera=${encodeURIComponent("o'neill \\ 100%")}`, ["plain"]],
  ["takenAfter=2020-06-01T12:00:00Z", ["plain", "red square"]],
  ["takenAfter=2020-06-01T14:00:00.000001%2B02:00", ["plain"]],
  ["takenBefore=2021-01-01T00:00:00Z", ["red square"]],
  ["takenAfter=2020-01-01T00:00:00Z&takenBefore=2022-01-01T00:00:00Z", ["plain", "red square"]],
  ["addedBefore=2026-03-03T03:03:04Z", ["plain"]],
  ["addedAfter=2026-03-03T03:03:03Z&addedBefore=2026-03-03T03:03:04Z", ["plain"]],
  ["hasPlace=true", ["blue tall", "plain"]],
  ["hasPlace=false", ["red square", "red wide"]],
  ["hasPlace=true&orientation=square&takenAfter=2021-01-01T00:00:00Z", ["plain"]],
])("?%s keeps %j of alice's pictures, in searches and in the list", async (query, kept) => {
  expect(await names(rig.alice, `/images?${query}`)).toEqual(kept);
  expect(await names(rig.alice, `/images/search?q=10%20degrees&${query}`)).toEqual(kept);
});

test("keywords are searched among what the filters keep", async () => {
  await rig.sql`update parlance.workers set last_seen_at = last_seen_at - interval '1 hour'`;
  const found = await names(rig.alice, "/images/search?q=red&orientation=landscape");
  await rig.sql`update parlance.workers set last_seen_at = now()`;
  expect(found).toEqual(["red wide"]);
});

test("what is like a picture is filtered too", async () => {
  const [self] = await rig.sql<{ id: string }[]>`select id from parlance.images where name = 'plain'`;
  expect(await names(rig.alice, `/images/${self?.id}/similar?colour=red`)).toEqual([
    "red square",
    "red wide",
  ]);
});

test("a place is known to its owner, to admins and to the secret key, and to nobody else", async () => {
  for (const who of [rig.bob, rig.admin, "secret"] as const)
    expect(await names(who, "/images?scope=public&hasPlace=true")).toEqual(["bob's"]);
  for (const who of [rig.alice, "nobody", "publishable"] as const) {
    expect(await names(who, "/images?scope=public&hasPlace=true")).toEqual([]);
    expect(await names(who, "/images?scope=public&hasPlace=false")).toEqual(["bob's"]);
    expect(await names(who, "/images/search?q=10%20degrees&scope=public&hasPlace=true")).toEqual([]);
  }
});

test.each([
  ["takenAfter=yesterday", "query.takenAfter"],
  ["takenAfter=2020-01-01", "query.takenAfter"],
  ["takenAfter=0000-01-01T00:00:00Z", "query.takenAfter"],
  ["takenAfter=2020-01-01T00:00:00.1234567Z", "query.takenAfter"],
  ["takenAfter=2020-01-01T00:00:00Z&takenBefore=2020-01-01T00:00:00Z", "query.takenBefore"],
  ["addedAfter=2020-01-01T00:00:00Z&addedBefore=2020-01-01T00:30:00%2B01:00", "query.addedBefore"],
  ["orientation=round", "query.orientation"],
  ["colour=mauve", "query.colour.0"],
  ["colour=red&colour=mauve", "query.colour.1"],
  ["keyword=", "query.keyword.0"],
  [`keyword=${"a".repeat(65)}`, "query.keyword.0"],
  [Array.from({ length: 11 }, (_, n) => `keyword=k${n}`).join("&"), "query.keyword"],
  ["camera=a%00b", "query.camera"],
  ["hasPlace=maybe", "query.hasPlace"],
  ["matchesOnly=yes", "query.matchesOnly"],
  ["fold=everything", "query.fold"],
  ["minus=", "query.minus"],
  [`minus=${"a".repeat(101)}`, "query.minus"],
])("?%s is refused by the name of its field", async (query, field) => {
  const answer = await rig.call(rig.alice, "GET", `/images/search?q=a&${query}`);
  expect(refusal(answer)).toEqual([400, "invalid_request"]);
  expect(answer.body.errors.map((error: { field: string }) => error.field)).toContain(field);
});

const asUser = ({ id }: TestUser): Caller => ({
  role: "authenticated",
  claims: { role: "authenticated", sub: id },
});
const all = { kind: "all" } as const;
const ownOf = ({ id }: TestUser) => ({ kind: "own", ownerId: id }) as const;

async function matched(caller: Caller, scope: Parameters<typeof findMatches>[1]["scope"]): Promise<string[]> {
  const ids = await transactAs(rig.sql, caller, async (transaction) => {
    const asked = { scope, filters: {}, rowsMax: 1000, isSure: true };
    return (await findMatches(transaction, asked)).ids;
  });
  const rows = await rig.sql<{ name: string }[]>`
    select name from parlance.images where id = any (${[...(ids ?? [])]}::uuid[]) order by name
  `;
  return rows.map((row) => row.name);
}

const alices = ["blue tall", "plain", "red square", "red wide"];

test("the function that matches answers only what the caller may see, whatever the scope says", async () => {
  const admin: Caller = {
    role: "authenticated",
    claims: { role: "authenticated", sub: rig.admin.id, app_metadata: { role: "admin" } },
  };
  expect(await matched(asUser(rig.alice), ownOf(rig.alice))).toEqual(alices);
  expect(await matched(asUser(rig.alice), all)).toEqual([...alices, "bob's"].toSorted());
  expect(await matched(asUser(rig.bob), ownOf(rig.alice))).toEqual([]);
  expect(await matched(asUser(rig.alice), ownOf(rig.bob))).toEqual(["bob's"]);
  expect(await matched(asUser(rig.bob), { kind: "own", ownerId: null })).toEqual([]);
  for (const scope of [all, ownOf(rig.alice), { kind: "public" } as const]) {
    const seen = await matched(anonymousCaller, scope);
    expect(seen).toEqual(scope.kind === "own" ? [] : ["bob's"]);
  }
  // Claims without the role that proves them.
  const forged: Caller = {
    role: "anon",
    claims: { ...admin.claims, sub: rig.alice.id, role: "service_role" },
  };
  expect(await matched(forged, all)).toEqual(["bob's"]);
  expect(await matched(forged, ownOf(rig.alice))).toEqual([]);
  for (const caller of [admin, serviceCaller]) expect(await matched(caller, all)).toHaveLength(5);
});

test.each([
  ["another scope", `'everything', null, '{}', 10`],
  ["no scope", `null, null, '{}', 10`],
  ["filters that are a list", `'all', null, '[]', 10`],
  [
    "filters without end",
    `'all', null, jsonb_build_object('keywords', array_fill('a'::text, array[9000])), 10`,
  ],
  ["a time that is SQL", `'all', null, '{"takenAfter": "now()); drop table parlance.images; --"}', 10`],
])("the function that matches refuses %s", async (_what, values) => {
  const ask = transactAs(rig.sql, asUser(rig.alice), (transaction) =>
    transaction.unsafe(`select * from parlance.match_images(${values}, true)`),
  );
  await expect(ask).rejects.toThrow();
});

test("the parts of the function are for nobody", async () => {
  for (const call of ["search_condition('all', null, '{}')", "asker_id()", "sees_everything()"]) {
    for (const caller of [anonymousCaller, asUser(rig.alice), serviceCaller]) {
      const ask = transactAs(rig.sql, caller, (transaction) => transaction.unsafe(`select parlance.${call}`));
      await expect(ask).rejects.toThrow(/permission denied/);
    }
  }
});

const filtersOf = fc.record(
  {
    takenAfter: fc.constantFrom("2020-06-01T12:00:00Z", "2020-07-01T00:00:00+02:00"),
    takenBefore: fc.constantFrom("2020-12-31T00:00:00Z", "2021-06-01T00:00:00Z"),
    keywords: fc.subarray(["sea", "BOAT", "'"], { minLength: 1 }),
    orientation: fc.constantFrom("square", "landscape", "portrait"),
    colours: fc.subarray(["red", "white", "blue"], { minLength: 1 }),
    camera: fc.constantFrom("Nikon D1", "o'neill \\ 100%"),
    hasPlace: fc.boolean(),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<SearchFilters>;

test("what the indexes match is what each candidate is asked for, and what a walk of the vectors finds", async () => {
  const callers = [asUser(rig.alice), asUser(rig.bob), serviceCaller];
  await fc.assert(
    fc.asyncProperty(filtersOf, fc.constantFrom(...callers), async (filters, caller) => {
      const find = (options: { exactRowsMax?: number }) => (transaction: TransactionSql) =>
        findNearest(transaction, {
          space: { id: 1, dimensions: 128 },
          embedding: JSON.stringify(vectorAt(0)),
          scope: all,
          filters,
          after: undefined,
          limit: 3,
          ...options,
        });
      const few = await transactAs(rig.sql, caller, find({ exactRowsMax: 1000 }));
      // None is few: the walk, and after it the comparison of all.
      const many = await transactAs(rig.sql, caller, find({ exactRowsMax: -1 }));
      expect(many.hits).toEqual(few.hits);
    }),
    { numRuns: 60 },
  );
});
