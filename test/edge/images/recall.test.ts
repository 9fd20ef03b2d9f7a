import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createRecallTask, lowerBound, type RecallLimits, recallOf } from "../../../edge/images/recall.ts";
import { createId } from "../../../shared/ids.ts";
import { measureRecall, RecallReport } from "../../../shared/images/recall.ts";
import { executeJob } from "../../../shared/jobs/executor.ts";
import { addJob, claimJobs } from "../../../shared/jobs/queue.ts";
import { openTestApp, type TestApp } from "../../helpers/app.ts";

let house: TestApp;

beforeAll(async () => {
  house = await openTestApp();
  await addPictures(house.alice.id, 1500, 1);
  await addPictures(house.bob.id, 20, 2);
  await house.sql`analyze parlance.image_vectors_1`;
});

beforeEach(async () => {
  await house.sql`delete from parlance.searches`;
  await house.sql`delete from parlance.recall_measures`;
  await house.sql`delete from parlance.jobs`;
});

afterAll(() => house.close());

/** Vectors without any neighbourhood: the hardest for an index. */
async function addPictures(ownerId: string, count: number, seed: number): Promise<void> {
  await house.sql`select setseed(${seed / 10})`;
  await house.sql`
    with rows as (
      select gen_random_uuid() as id from generate_series(1, ${count})
    ), added as (
      insert into parlance.images
        (id, owner_id, name, state, media_type, size_bytes, width, height, variants)
      select id, ${ownerId}, id::text, 'ready', 'image/jpeg', 1, 2, 1, '{original}' from rows
      returning id
    )
    insert into parlance.image_vectors (space_id, image_id, owner_id, embedding)
    select 1, id, ${ownerId}, extensions.l2_normalize(numbers::extensions.vector)
    from added
    cross join lateral (
      select array_agg(random() - 0.5 + length(id::text) * 0 order by d)::real[] as numbers
      from generate_series(1, 128) as d
    ) as vectors
  `;
}

interface Logged {
  asker?: "anon" | "user" | "admin" | "service";
  ownerId?: string | null;
  scope?: "own" | "public" | "all";
  path?: "exact" | "index";
  filterClass?: string;
  filters?: Record<string, unknown>;
  hoursAgo?: number;
}

async function logSearches(count: number, logged: Logged = {}): Promise<void> {
  const { asker = "user", ownerId = house.alice.id, scope = "own", path = "index" } = logged;
  for (let index = 0; index < count; index++) {
    const numbers = Array.from({ length: 128 }, (_, d) => Math.sin((d + 1) * (index + 1) * 1.7));
    const length = Math.hypot(...numbers);
    const embedding = JSON.stringify(numbers.map((value) => value / length));
    await house.sql`
      insert into parlance.searches
        (id, space_id, owner_id, asker, scope, query, filters, filter_class, path, embedding, created_at)
      values (
        ${createId()}, 1, ${ownerId}, ${asker}, ${scope}, 'x', ${house.sql.json((logged.filters ?? {}) as never)},
        ${logged.filterClass ?? "none"}, ${path}, ${embedding}::text::extensions.vector,
        now() - make_interval(hours => ${logged.hoursAgo ?? 0}::integer)
      )
    `;
  }
}

/** Runs the job as the runner would, to its end; answers its summary. */
async function measure(limits: RecallLimits = {}): Promise<{ measured: number; skipped: number }> {
  await addJob(house.sql, measureRecall, { payload: {}, ownerId: null });
  const [job] = await claimJobs(house.sql, {
    workerId: createId(),
    kinds: [measureRecall],
    lane: "bulk",
    jobsMax: 1,
    leaseSeconds: 60,
  });
  if (!job) throw new Error("nothing was claimed");
  const { ending, error } = await executeJob(house.sql, createRecallTask(house.deps, limits), job).ended;
  if (ending !== "done") throw error;
  const [row] = await house.sql<{ result: { measured: number; skipped: number } }[]>`
    select result from parlance.jobs where id = ${job.id}
  `;
  return row?.result ?? { measured: -1, skipped: -1 };
}

async function report(): Promise<RecallReport> {
  const answer = await house.call("secret", "GET", "/images/recall");
  expect(answer.status).toBe(200);
  return RecallReport.parse(answer.body);
}

describe("the meter", () => {
  test("says nothing until it has measured", async () => {
    expect(await measure()).toEqual({ measured: 0, skipped: 0 });
    expect(await report()).toEqual({ k: 10, items: [] });
  });

  test("finds that comparing everything finds everything", async () => {
    await logSearches(5);
    expect(await measure()).toEqual({ measured: 5, skipped: 0 });
    const { items } = await report();
    expect(items).toMatchObject([
      { space: "palette", filterClass: "none", path: "exact", lastDay: { recall: 1, worst: 1, searches: 5 } },
    ]);
    expect(items[0]?.lastDay?.lowerBound).toBeCloseTo(lowerBound(1, 5), 10);
  });

  test("sees an index that answers badly, and that it is good again", async () => {
    // Among all pictures: an owner's would be found by their owner, without the index.
    await logSearches(20, { asker: "service", ownerId: null, scope: "all" });
    const rebuild = async (options: string) => {
      await house.sql`drop index parlance.image_vectors_1_nearest`;
      await house.sql.unsafe(
        `create index image_vectors_1_nearest on parlance.image_vectors_1
         using hnsw ((embedding::extensions.vector(128)) extensions.vector_ip_ops) ${options}`,
      );
    };
    await rebuild("with (m = 2, ef_construction = 4)");
    await measure({ exactRowsMax: 10 });
    const bad = (await report()).items.find(({ path }) => path === "index")?.lastDay;
    expect(bad?.searches).toBeGreaterThan(0);
    expect(bad?.recall).toBeLessThan(0.95);
    expect(bad?.worst).toBeLessThan(bad?.recall ?? 0);
    expect(bad?.lowerBound).toBeLessThan(bad?.recall ?? 0);

    expect(bad?.lowerBound).toBeCloseTo(lowerBound(bad?.recall ?? 0, bad?.searches ?? 0), 10);

    await house.sql`delete from parlance.recall_measures`;
    await rebuild("with (m = 32, ef_construction = 200)");
    await measure({ exactRowsMax: 10 });
    const good = (await report()).items.find(({ path }) => path === "index")?.lastDay;
    expect(good?.recall).toBeGreaterThan(0.97);
  });

  test("asks again as whoever asked, and sees what they see", async () => {
    await logSearches(2, { ownerId: house.bob.id });
    await logSearches(2, { asker: "anon", ownerId: null, scope: "public" });
    await logSearches(2, { asker: "admin", ownerId: house.admin.id, scope: "all" });
    await logSearches(2, { asker: "service", ownerId: null, scope: "own" });
    // Whoever asks for everything without being an admin sees their own only.
    await logSearches(2, { scope: "all", ownerId: house.bob.id });
    expect(await measure()).toEqual({ measured: 10, skipped: 0 });
    expect((await report()).items.every(({ lastWeek }) => lastWeek.recall === 1)).toBe(true);
  });

  test("tells classes of filters apart, and draws from each in turn", async () => {
    await logSearches(30);
    await logSearches(2, { filterClass: "narrow", filters: { orientation: "portrait" } });
    await logSearches(2, { filterClass: "broad", filters: { orientation: "landscape" } });
    expect(await measure({ searchesMax: 9 })).toEqual({ measured: 9, skipped: 0 });
    const classes = (await report()).items.map((item) => [item.filterClass, item.lastDay?.searches]);
    expect(classes).toEqual([
      ["broad", 2],
      ["narrow", 2],
      ["none", 5],
    ]);
  });

  test("looks at each search once, and at none that is older than a day", async () => {
    await logSearches(3, { hoursAgo: 25 });
    await logSearches(3);
    expect(await measure()).toMatchObject({ measured: 3 });
    expect(await measure()).toMatchObject({ measured: 0 });
  });

  test("forgets the searches of a user who is gone", async () => {
    const id = crypto.randomUUID();
    await house.sql`insert into auth.users (id, email) values (${id}, 'gone@example.com')`;
    await logSearches(2, { ownerId: id });
    await house.sql`delete from auth.users where id = ${id}`;
    expect(await measure()).toEqual({ measured: 0, skipped: 0 });
  });

  test("begins no search when its time is over, and says how many it left out", async () => {
    await logSearches(4);
    expect(await measure({ budgetMs: -1 })).toEqual({ measured: 0, skipped: 4 });
  });

  // PGlite has no clock that would interrupt a statement; only the budget of the whole run holds there.
  const withClock = Boolean(process.env.TEST_DATABASE_URL);
  test.runIf(withClock)("leaves a space alone in which comparing takes too long", async () => {
    await logSearches(4);
    // Each row that is looked at takes longer than a statement may.
    await house.sql`
      create policy "every row is slow" on parlance.image_vectors
      as restrictive for select to authenticated
      using ((select count(*) from generate_series(1, 30000 + 0 * length(image_id::text))) > 0)
    `;
    try {
      expect(await measure({ statementMs: 50, exactRowsMax: 10 })).toEqual({ measured: 0, skipped: 4 });
    } finally {
      await house.sql`drop policy "every row is slow" on parlance.image_vectors`;
    }
    expect((await report()).items).toEqual([]);
  });

  test("is for admins and the secret key", async () => {
    for (const [who, status] of [
      [house.alice, 403],
      ["nobody", 401],
      ["publishable", 401],
      [house.admin, 200],
    ] as const) {
      expect((await house.call(who, "GET", "/images/recall")).status).toBe(status);
    }
  });
});

describe("recall of one search", () => {
  const scores = (...all: number[]) => all.map((score) => ({ score }));
  test.each([
    ["all found", scores(0.9, 0.8), scores(0.9, 0.8), 1],
    ["one of two missed", scores(0.9, 0.7), scores(0.9, 0.8), 0.5],
    ["another of equal score is as good", scores(0.9, 0.8, 0.8), scores(0.9, 0.8 + 5e-7), 1],
    ["too few answered", scores(0.9), scores(0.9, 0.8), 0.5],
    ["nothing to be found", scores(), scores(), 1],
    ["more than asked for helps nobody", scores(0.1, 0.9, 0.8), scores(0.9, 0.8), 0.5],
  ])("%s", (_name, served, exact, recall) => {
    expect(recallOf(served, exact)).toBeCloseTo(recall, 10);
  });
});

test("the lower bound is below the share, and nearer the more was measured", () => {
  for (const share of [0, 0.3, 0.97, 1]) {
    const bounds = [1, 10, 100, 1000, 1e6].map((trials) => lowerBound(share, trials));
    expect(bounds).toEqual([...bounds].sort((a, b) => a - b));
    for (const bound of bounds) {
      expect(bound).toBeGreaterThanOrEqual(0);
      expect(bound).toBeLessThanOrEqual(share);
    }
  }
  // Wilson's interval of 9 out of 10, as tables give it.
  expect(lowerBound(0.9, 10)).toBeCloseTo(0.5958, 3);
});
