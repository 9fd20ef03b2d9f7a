import type { Sql } from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { anonymousCaller, type Caller, serviceCaller, transactAs } from "../../shared/callers.ts";
import { createId } from "../../shared/ids.ts";
import type { LocalDatabase } from "../../supabase/local/database.ts";
import { openTestDatabase } from "../helpers/database.ts";

/** The functions that run with the owner's rights, called by whoever may call them, with the worst that fits in. */
let database: LocalDatabase;
let owner: Sql;
let sidecar: Sql;
const [alice, bob, admin] = [createId(), createId(), createId()];
const [hidden, published] = [createId(), createId()];

beforeAll(async () => {
  database = await openTestDatabase();
  owner = database.connect({ max: 2 });
  sidecar = database.connect({ role: "parlance_sidecar", max: 1 });
  for (const id of [alice, bob, admin])
    await owner`insert into auth.users (id, email) values (${id}, ${`${id}@example.com`})`;
  for (const [id, name, isPublic] of [
    [hidden, "hidden harbour", false],
    [published, "published pier", true],
  ] as const) {
    await owner`
      insert into parlance.images
        (id, owner_id, name, keywords, camera, colours, state, is_public, media_type, size_bytes, width, height, variants)
      values
        (${id}, ${alice}, ${name}, '{sea}', 'Box 1', '{blue}', 'ready', ${isPublic}, 'image/jpeg', 1, 2, 1, '{original}')
    `;
    await owner`
      insert into parlance.image_origins (image_id, owner_id, sha256, latitude, longitude)
      values (${id}, ${alice}, ${"0".repeat(64)}, 1, 2)
    `;
  }
});
afterAll(async () => {
  await owner.end({ timeout: 1 });
  await sidecar.end({ timeout: 1 });
  await database.close();
});

const as = (id: string, claims: object = {}): Caller => ({
  role: "authenticated",
  claims: { sub: id, role: "authenticated", ...claims },
});
const asAdmin = as(admin, { app_metadata: { role: "admin" } });

/** SQLSTATE. */
async function refusalOf(work: PromiseLike<unknown>): Promise<string> {
  return Promise.resolve(work).then(
    () => "it was done",
    (error) => String(error.code),
  );
}

interface Asked {
  scope?: string | null;
  owner?: string | null;
  filters?: object | null;
  rowsMax?: number | null;
}

function match(caller: Caller, { scope = "all", owner: of = null, filters = {}, rowsMax = 100 }: Asked) {
  return transactAs(owner, caller, async (sql) => {
    const json = filters === null ? null : sql.json(filters as never);
    const [row] = await sql<{ ids: string[] | null; estimate: number }[]>`
      select ids, estimate
      from parlance.match_images(${scope}, ${of}::uuid, ${json}::jsonb, ${rowsMax}::integer, true)
    `;
    return row?.ids ?? [];
  });
}

function matchWords(caller: Caller, query: string, { scope = "all", owner: of = null, filters = {} }: Asked) {
  return transactAs(owner, caller, async (sql) => {
    const rows = await sql<{ id: string }[]>`
      select id
      from parlance.match_words(
        ${query}, null, ${scope}, ${of}::uuid, ${sql.json(filters as never)}, null, null, 100
      )
    `;
    return rows.map(({ id }) => id);
  });
}

const nasty = [
  "'",
  "''; drop table parlance.images; --",
  "\\",
  "\\'",
  "E'\\\\'",
  "%",
  "%L %1$s %I %%",
  "$1",
  "$query$",
  "{}",
  "{a,b}",
  '{"a",NULL}',
  "NULL",
  '"',
  "a,b",
  "\u2028",
  "\u00a0",
  "' or true or '",
  "now",
  "infinity",
];

describe("every function with the owner's rights", () => {
  test("finds names where the owner would, and last of all among what a session made for itself", async () => {
    const strays = await owner`
      select procedures.oid::regprocedure::text as name
      from pg_proc as procedures
      where procedures.pronamespace = 'parlance'::regnamespace
        and (procedures.prosecdef or array_to_string(procedures.proconfig, ' ') like 'search_path=%')
        and not coalesce(procedures.proconfig, '{}') @> array['search_path=pg_catalog, pg_temp']
    `;
    expect(strays).toEqual([]);
  });

  // What SQL itself has a word for, such as integer, is never looked up.
  test.each(["text", "uuid", "jsonb", "timestamptz"])(
    "runs no code of a sidecar's own type %s",
    async (type) => {
      // A connection of its own: what was called before would know its types already.
      const fresh = database.connect({ role: "parlance_sidecar", max: 1 });
      const told: string[] = [];
      const enough = new Error("rolled back: what is temporary would stay for the session");
      const work = fresh.begin(async (sql) => {
        await sql`create temporary table seen (who pg_catalog.text) on commit drop`;
        await sql`grant all on pg_temp.seen to public`;
        await sql.unsafe(`
          create function pg_temp.tell() returns pg_catalog.bool language plpgsql as $$
          begin insert into pg_temp.seen values (current_user); return true; end $$
        `);
        await sql.unsafe(`create domain pg_temp.${type} as pg_catalog.${type} check (pg_temp.tell())`);
        const id = createId();
        await sql`select parlance.report_supervisor(${createId()}, 'h', 'none', '', '', '[]', '[]')`;
        const job = {
          id,
          kind: "test.do-nothing",
          lane: "bulk",
          payload: {},
          attempts_max: 2,
          unique_key: id,
        };
        await sql`select parlance.add_jobs(${sql.json([{ ...job, on_open: "debounce", delay_seconds: 0 }])})`;
        const claimed = await sql<{ id: string; claim: string }[]>`
          select id, claim from parlance.claim_jobs(${createId()}, '{test.do-nothing}', 'bulk', 1, 10)
        `;
        for (const job of claimed) {
          await sql`select parlance.report_progress(${job.id}, ${job.claim}, 1, 2, 'x')`;
          await sql`select parlance.fail_job(${job.id}, ${job.claim}, 'unexpected', 'x', true)`;
        }
        await sql`select parlance.expire_jobs(10)`;
        const seen = await sql<{ who: string }[]>`select distinct who from pg_temp.seen`;
        told.push(...seen.map(({ who }) => who));
        throw enough;
      });
      await expect(work).rejects.toBe(enough);
      await fresh.end({ timeout: 1 });
      expect(told.filter((who) => who !== "parlance_sidecar")).toEqual([]);
    },
  );
});

describe("what passes filters", () => {
  test("is only what the caller sees, whoever's pictures are asked for", async () => {
    for (const asked of [
      {},
      { scope: "own", owner: alice },
      { scope: "own" },
      { scope: "public" },
      { filters: { keywords: ["SEA"] } },
      { filters: { camera: "box 1" } },
      { filters: { colours: ["blue"], orientation: "landscape" } },
      { filters: null },
    ]) {
      for (const caller of [
        as(bob),
        as(bob, { app_metadata: "admin", user_metadata: { role: "admin" } }),
        as(bob, { app_metadata: [{ role: "admin" }], role: "service_role" }),
        anonymousCaller,
        { role: "anon", claims: { sub: alice, role: "authenticated" } } as Caller,
        { role: "anon", claims: asAdmin.claims } as Caller,
      ])
        expect(await match(caller, asked), JSON.stringify(asked)).not.toContain(hidden);
      expect(await match(asAdmin, asked)).toEqual(
        expect.arrayContaining(asked.scope === "public" || (asked.scope && !asked.owner) ? [] : [hidden]),
      );
    }
    expect(await match(as(alice), {})).toEqual(expect.arrayContaining([hidden, published]));
    expect(await match(serviceCaller, {})).toEqual(expect.arrayContaining([hidden, published]));
  });

  test("a place is known to its owner and admins, of public pictures too", async () => {
    const asked = { filters: { hasPlace: true } };
    expect(await match(as(bob), asked)).toEqual([]);
    expect(await match(anonymousCaller, asked)).toEqual([]);
    expect(await match({ role: "anon", claims: { sub: alice } }, asked)).toEqual([]);
    expect(await match(as(alice), asked)).toHaveLength(2);
    expect(await match(as(bob), { filters: { hasPlace: false } })).toEqual([published]);
    for (const caller of [as(bob), anonymousCaller]) {
      const [row] = await transactAs(
        owner,
        caller,
        (sql) => sql`select parlance.has_place(${published}) or parlance.has_place(${hidden}) as known`,
      );
      expect(row).toEqual({ known: false });
    }
  });

  test.each(nasty)("%j is a value wherever it stands, and never SQL", async (value) => {
    for (const filters of [
      { camera: value },
      { keywords: [value] },
      { keywords: ["sea", value] },
      { orientation: value },
      { colours: [value] },
    ])
      expect(await match(as(bob), { filters }), JSON.stringify(filters)).toEqual([]);
    const found = [
      ...(await matchWords(as(bob), value, {})),
      ...(await matchWords(anonymousCaller, value, { filters: { camera: value } })),
    ];
    expect(found).not.toContain(hidden);
    for (const field of ["takenAfter", "addedBefore"])
      expect(await match(as(bob), { filters: { [field]: value } }).catch(({ code }) => code)).not.toContain(
        hidden,
      );
  });

  test.each([
    ["a scope that there is not", { scope: "own or true" }, "22023"],
    ["no scope", { scope: null }, "22023"],
    ["a list of filters", { filters: [] }, "22023"],
    ["more filters than are read", { filters: { camera: "x".repeat(9000) } }, "22023"],
    ["a keyword that is no list", { filters: { keywords: "sea" } }, "22023"],
  ] as const)("%s is refused", async (_what, asked, code) => {
    await expect(match(as(bob), asked as Asked)).rejects.toMatchObject({ code });
  });

  test("no more is counted than a search compares, however much is asked for", async () => {
    expect(await match(as(bob), { rowsMax: -1 })).toEqual([]);
    expect(await match(as(bob), { rowsMax: 2 ** 31 - 1 })).toEqual([published]);
    expect(await match(as(bob), { rowsMax: null })).toEqual([]);
  });

  test("what fails tells of no row", async () => {
    for (const filters of [{ takenAfter: "x" }, { keywords: "x" }, { hasPlace: "x" }]) {
      const error = await match(as(bob), { filters }).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(Error);
      expect(String(error)).not.toMatch(/harbour|Box 1/);
    }
  });
});

describe("words", () => {
  test("find only what the caller sees", async () => {
    for (const asked of [{}, { scope: "own", owner: alice }, { scope: "public" }])
      for (const query of ["harbour", "hidden", "sea", "h", "-nothing", "sea or harbour", '"hidden harbour"'])
        for (const caller of [as(bob), anonymousCaller])
          expect(await matchWords(caller, query, asked), query).not.toContain(hidden);
    expect(await matchWords(as(alice), "harbour", {})).toEqual([hidden]);
  });

  test("wildcards are letters", async () => {
    expect(await matchWords(as(alice), "%", {})).toEqual([]);
    expect(await matchWords(as(alice), "h_dden", {})).toEqual([]);
    expect(await matchWords(as(alice), "\\hidden", {})).not.toContain(published);
  });
});

describe("the log of searches", () => {
  const log = (caller: Caller, space = 1, dimensions = 128) =>
    transactAs(owner, caller, async (sql) => {
      const embedding = JSON.stringify(Array.from({ length: dimensions }, () => 0.1));
      await sql`
        select parlance.log_search(
          ${createId()}::uuid, ${space}::smallint, 'own', 'words', null, null, '{}', 'none', 'exact',
          ${embedding}::text::extensions.vector
        )
      `;
    });
  const count = async () => {
    const [row] = await owner<{ rows: number }[]>`select count(*) as rows from parlance.searches`;
    return row?.rows ?? 0;
  };

  test("bears who asked by what was proven, and not by what is claimed", async () => {
    await owner`delete from parlance.searches`;
    await log(as(bob));
    await log({ role: "anon", claims: { ...asAdmin.claims } });
    await log({ role: "service_role", claims: { sub: alice, role: "service_role" } });
    expect(await owner`select asker, owner_id from parlance.searches order by asker`).toEqual([
      { asker: "anon", ownerId: null },
      { asker: "service", ownerId: null },
      { asker: "user", ownerId: bob },
    ]);
  });

  test("takes nothing for a space that is not there or of another length, and no more than its share of one", async () => {
    await owner`delete from parlance.searches`;
    await log(as(bob), 999);
    await log(as(bob), 1, 3);
    expect(await count()).toBe(0);
    for (let i = 0; i < 125; i++) await log(as(bob));
    expect(await count()).toBe(120);
    await log(as(alice));
    expect(await count()).toBe(121);
  });

  test("is read by nobody who is not of the house", async () => {
    for (const caller of [as(bob), asAdmin, anonymousCaller])
      await expect(
        transactAs(owner, caller, (sql) => sql`select query from parlance.searches`),
      ).rejects.toMatchObject({ code: "42501" });
  });
});

describe("a sidecar's password", () => {
  test.each([
    ["who searched", "select owner_id from parlance.searches"],
    ["what people filtered by", "select filters from parlance.searches"],
    ["the vectors of searches", "select embedding from parlance.searches"],
    ["whose picture is searched by", "select owner_id from parlance.picture_queries"],
    ["what picture is searched by", "select sha256 from parlance.picture_queries"],
    ["recall", "select recall_sum from parlance.recall_measures"],
    ["the workers", "select id from parlance.workers"],
    ["the graphics cards of others", "select host from parlance.gpu_devices"],
    ["pictures by their words", "select parlance.match_words('a', null, 'all', null, '{}', null, null, 1)"],
    ["pictures by filters", "select parlance.match_images('all', null, '{}', 1, true)"],
    ["places", "select parlance.has_place(gen_random_uuid())"],
    ["a search in the log", "delete from parlance.searches"],
    ["a query of its own", "insert into parlance.picture_queries (id) values (gen_random_uuid())"],
    ["another's end of a query", "update parlance.picture_queries set expires_at = 'infinity'"],
    ["another's query", "delete from parlance.picture_queries"],
    ["a space", "select parlance.create_embedding_space('x', 'x', 'x', 3)"],
    ["a space by the inner function", "select parlance.add_embedding_space(9::smallint, 'x', 'x', 3)"],
    ["a switch", "select parlance.switch_embedding_space(1::smallint)"],
    ["a drop", "select parlance.drop_embedding_space(1::smallint)"],
    ["a calibration", "update parlance.embedding_spaces set calibration = '{}'"],
    ["policies", "select parlance.protect_vectors('parlance.images')"],
    ["tables", "create table parlance.mine ()"],
    ["tables elsewhere", "create table public.mine ()"],
    ["functions", "create function parlance.is_admin(text) returns boolean language sql as 'select true'"],
    ["roles", "set role service_role"],
    ["more roles", "set role parlance_owner"],
    ["files", "select pg_read_file('PG_VERSION')"],
    ["programs", "copy (select 1) to program 'true'"],
  ])("does not give %s", async (_what, statement) => {
    expect(await refusalOf(sidecar.unsafe(statement))).toMatch(/^(42501|42704|22023)$/);
  });

  test("stops no upkeep of a space but by a fill that was cancelled", async () => {
    const id = createId();
    const job = {
      id,
      kind: "images.fill-space",
      lane: "bulk",
      payload: {},
      attempts_max: 1,
      unique_key: "1",
    };
    await owner`select parlance.add_jobs(${owner.json([job])})`;
    await sidecar`select parlance.stop_maintaining(${id})`;
    await owner`select parlance.cancel_job(${id})`;
    await sidecar`select parlance.stop_maintaining(${id})`;
    const [space] = await owner`select is_maintained, is_current from parlance.embedding_spaces where id = 1`;
    expect(space).toEqual({ isMaintained: true, isCurrent: true });
  });

  test.each([
    ["more cards than a machine holds", Array.from({ length: 257 }, (_, i) => ({ uuid: String(i) }))],
    ["a share above all", [{ uuid: "a", index: 0, name: "x", gpu_percent: 101 }]],
    ["a number that is none", [{ uuid: "a", index: 0, name: "x", gpu_percent: "NaN" }]],
    ["a number without end", [{ uuid: "a", index: 0, name: "x", memory_percent: "Infinity" }]],
    ["a name without end", [{ uuid: "a", index: 0, name: "x".repeat(1000) }]],
    ["a card without a name", [{ uuid: "a", index: 0 }]],
  ])("reports %s in vain", async (_what, gpus) => {
    const reported = sidecar`
      select parlance.report_supervisor(${createId()}, 'h', 'none', '', '', '[]', ${sidecar.json(gpus as never)})
    `;
    expect(await refusalOf(reported)).toMatch(/^2[23]/);
  });
});
