/** The two ways to the nearest pictures, over 3,000 of alice's, 3,000 of bob's (every tenth public) and 50 of carol's. */
import type { Sql } from "postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Hit, matchedQuery, nearestQuery, type SearchPath } from "../../../edge/images/nearest-query.ts";
import { findNearest, type VectorSearch } from "../../../edge/images/search.ts";
import { anonymousCaller, type Caller, serviceCaller, transactAs } from "../../../shared/callers.ts";
import type { LocalDatabase } from "../../../supabase/local/database.ts";
import { openTestDatabase } from "../../helpers/database.ts";

const space = { id: 1, name: "palette", dimensions: 128 };
const [alice, bob, carol] = ["a", "b", "c"].map(
  (letter) => `${letter.repeat(8)}-0000-4000-8000-000000000000`,
) as [string, string, string];
const asUser = (id: string): Caller => ({
  role: "authenticated",
  claims: { role: "authenticated", sub: id },
});
const own = (ownerId: string) => ({ kind: "own", ownerId }) as const;

let database: LocalDatabase;
let sql: Sql;
let query: string;

beforeAll(async () => {
  database = await openTestDatabase();
  sql = database.connect({ max: 2 });
  await sql`insert into auth.users (id) values (${alice}), (${bob}), (${carol})`;
  // Vectors on a surface: like those of a model, their neighbourhoods have few dimensions.
  await sql`select setseed(0.42)`;
  await sql`
    with rows as (
      select n, gen_random_uuid() as id, random() as a, random() as b,
        (case when n <= 3000 then ${alice} when n <= 6000 then ${bob} else ${carol} end)::uuid as owner_id
      from generate_series(1, 6050) as n
    ), added as (
      insert into parlance.images
        (id, owner_id, name, is_public, state, media_type, size_bytes, width, height, variants, colours)
      select id, owner_id, n::text, n > 3000 and n % 10 = 0, 'ready', 'image/jpeg', 1, 1, 1, '{original}',
        case when n % 10 = 1 then '{red}'::text[] when n % 100 = 2 then '{blue}'::text[] end
      from rows
      returning id, is_public
    )
    insert into parlance.image_vectors (space_id, image_id, owner_id, is_public, embedding)
    select 1, rows.id, rows.owner_id, added.is_public, extensions.l2_normalize(numbers::extensions.vector)
    from rows
    join added using (id)
    cross join lateral (
      select array_agg(sin(d * rows.a * 0.2) + cos(d * rows.b * 0.2) order by d)::real[] as numbers
      from generate_series(1, 128) as d
    ) as vectors
  `;
  await sql`analyze parlance.image_vectors`;
  await sql`analyze parlance.images`;
  const [row] = await sql<{ embedding: string }[]>`
    select extensions.l2_normalize(array_agg(sin(d * 0.1) + cos(d * 0.14) order by d)::real[]::extensions.vector)::text
      as embedding
    from generate_series(1, 128) as d
  `;
  query = row?.embedding ?? "";
});

afterAll(async () => {
  await sql.end();
  await database.close();
});

const exactly = { exactRowsMax: 100_000 };
const byIndex = { exactRowsMax: 0 };

async function nearest(
  caller: Caller,
  search: Partial<VectorSearch> & Pick<VectorSearch, "scope">,
): Promise<Hit[]> {
  const whole = { space, embedding: query, after: undefined, limit: 25, ...search };
  return [...(await transactAs(sql, caller, (transaction) => findNearest(transaction, whole))).hits];
}

async function planOf(
  caller: Caller,
  search: Pick<VectorSearch, "scope" | "after" | "filters">,
  path: SearchPath,
) {
  return transactAs(sql, caller, async (transaction) => {
    const whole = { space, embedding: query, limit: 25, ...search };
    const rows = await transaction<Record<string, string>[]>`
      explain (costs off) ${nearestQuery(transaction, whole, path)}
    `;
    return rows.map((row) => Object.values(row)[0]).join("\n");
  });
}

async function ownersOf(hits: Hit[]): Promise<Set<string>> {
  const rows = await sql<{ ownerId: string; isPublic: boolean }[]>`
    select owner_id, is_public from parlance.image_vectors where image_id = any (${hits.map((hit) => hit.id)}::uuid[])
  `;
  return new Set(rows.map((row) => row.ownerId));
}

test("the index finds what comparing every row finds", async () => {
  const scope = own(alice);
  const [exact, indexed] = [
    await nearest(asUser(alice), { scope, limit: 50, ...exactly }),
    await nearest(asUser(alice), { scope, limit: 50 }),
  ];
  const found = new Set(exact.map((hit) => hit.id));
  expect(indexed.filter((hit) => found.has(hit.id)).length).toBeGreaterThanOrEqual(48);
  expect(indexed[0]).toEqual(exact[0]);
  for (const hit of indexed.filter(({ id }) => found.has(id))) {
    expect(hit.score).toBe(exact.find(({ id }) => id === hit.id)?.score);
  }
});

test("3,000 rows are searched by the index, in the order of score and id, and on from a cursor", async () => {
  const after = { score: 0.9, id: "00000000-0000-7000-8000-000000000000" };
  for (const search of [
    { scope: { kind: "all" } as const, after: undefined },
    { scope: { kind: "all" } as const, after },
  ]) {
    const plan = await planOf(serviceCaller, search, "index");
    expect(plan).toContain("image_vectors_1_nearest");
    expect(plan).toContain("Incremental Sort");
  }
});

test("every row is compared where that is asked, whatever the index promises", async () => {
  const plan = await planOf(asUser(carol), { scope: own(carol), after: undefined }, "exact");
  expect(plan).not.toContain("image_vectors_1_nearest");
  expect(plan).toContain("image_vectors_1_by_owner");
});

test("what passes the filters is asked of each candidate of the index, and is no join", async () => {
  const filters = { colours: ["red" as const], orientation: "square" as const, camera: "x" };
  const plan = await planOf(asUser(alice), { scope: own(alice), after: undefined, filters }, "index");
  expect(plan).toContain("image_vectors_1_nearest");
  expect(plan).toMatch(/SubPlan.*Index Scan using images_pkey/s);
  expect(plan).not.toMatch(/Join|Nested Loop/);
});

test("what few pictures pass is looked up by their ids, and no index of nearness is walked", async () => {
  const plan = await transactAs(sql, asUser(alice), async (transaction) => {
    const search = { space, embedding: query, limit: 25, scope: own(alice), after: undefined };
    const filters = { camera: "x" };
    const rows = await transaction<Record<string, string>[]>`
      explain (costs off) ${matchedQuery(transaction, { ...search, filters }, { rowsMax: 5000, isSure: false })}
    `;
    return rows.map((row) => Object.values(row)[0]).join("\n");
  });
  expect(plan).toContain("Function Scan on match_images");
  expect(plan).toContain("image_vectors_1_pkey");
  expect(plan).not.toContain("image_vectors_1_nearest");
});

test.each([
  ["comparing every row", exactly],
  ["the index", byIndex],
])("%s shows nobody what they may not see, whatever the scope says", async (_way, how) => {
  const everything = { scope: { kind: "all" } as const, limit: 100, ...how };
  expect(await ownersOf(await nearest(asUser(carol), { scope: own(carol), ...how }))).toEqual(
    new Set([carol]),
  );
  expect(await nearest(asUser(carol), { scope: own(alice), ...how })).toEqual([]);
  const seen = await nearest(asUser(carol), everything);
  expect(await ownersOf(seen)).not.toContain(alice);
  const [hidden] = await sql<{ hidden: number }[]>`
    select count(*)::integer as hidden
    from parlance.images
    where id = any (${seen.map((hit) => hit.id)}::uuid[]) and owner_id <> ${carol} and not is_public
  `;
  expect(hidden?.hidden).toBe(0);
  expect(await ownersOf(await nearest(anonymousCaller, everything))).toEqual(new Set([bob, carol]));
});

test.each([
  ["comparing every row", exactly],
  ["the index", byIndex],
])("by %s, 50 rows among 6,050 are all found, best first and each once, page by page", async (_way, how) => {
  const scope = own(carol);
  const seen: Hit[] = [];
  for (let after: Hit | undefined; ; after = seen.at(-1)) {
    const page = await nearest(asUser(carol), { scope, limit: 7, after, ...how });
    seen.push(...page);
    if (page.length < 7) break;
  }
  expect(seen).toHaveLength(50);
  expect(new Set(seen.map((hit) => hit.id)).size).toBe(50);
  expect(seen.map((hit) => hit.score)).toEqual(seen.map((hit) => hit.score).toSorted((a, b) => b - a));
});

test("a walk by the index to the depth of a thousand meets nothing twice and stays in order", async () => {
  const seen: Hit[] = [];
  for (let page = 0; page < 10; page++) {
    seen.push(
      ...(await nearest(asUser(alice), { scope: own(alice), limit: 100, after: seen.at(-1), ...byIndex })),
    );
  }
  expect(new Set(seen.map((hit) => hit.id)).size).toBe(seen.length);
  expect(seen.map((hit) => hit.score)).toEqual(seen.map((hit) => hit.score).toSorted((a, b) => b - a));
  const exact = await nearest(asUser(alice), { scope: own(alice), limit: 1000, ...exactly });
  const found = new Set(exact.map((hit) => hit.id));
  expect(seen.filter((hit) => found.has(hit.id)).length).toBeGreaterThan(950);
});

test("a picture that looks for its like leaves itself out, by either way", async () => {
  const [self] = await nearest(asUser(alice), { scope: own(alice), limit: 1, ...exactly });
  if (!self) throw new Error("alice has pictures");
  for (const how of [exactly, byIndex]) {
    const hits = await nearest(asUser(alice), { scope: own(alice), exceptIds: [self.id], ...how });
    expect(hits.map((hit) => hit.id)).not.toContain(self.id);
    expect(hits).toHaveLength(25);
  }
});

test.each([
  ["a tenth", "red", 300],
  ["a hundredth", "blue", 30],
])("a filter that keeps %s of the pictures starves no page, by either way", async (_share, colour, count) => {
  const filters = { colours: [colour as "red" | "blue"] };
  const scope = own(alice);
  const whole = { scope, filters, limit: count + 10 };
  const exact = await nearest(asUser(alice), { ...whole, ...exactly });
  expect(exact).toHaveLength(count);
  // More than there are: the walk ends short, and what it missed is found by comparing.
  expect(await nearest(asUser(alice), { ...whole, exactRowsMax: -1 })).toEqual(exact);
  const ten = await nearest(asUser(alice), { scope, filters, limit: 10, exactRowsMax: -1 });
  expect(ten).toHaveLength(10);
  const best = new Set(exact.slice(0, 10).map((hit) => hit.id));
  expect(ten.filter((hit) => best.has(hit.id)).length).toBeGreaterThanOrEqual(9);
});

test("settings of the index end with the transaction", async () => {
  await nearest(asUser(alice), { scope: own(alice) });
  const [row] = await sql`select current_setting('hnsw.iterative_scan', true) as scan`;
  expect(row?.scan).not.toBe("strict_order");
});

test.each([1.5, Number.NaN, -1, 2 ** 60])("a space with the id %d is a mistake of ours", async (id) => {
  await expect(nearest(asUser(alice), { scope: own(alice), space: { ...space, id } })).rejects.toThrow(
    RangeError,
  );
});
