import type { Sql } from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pruneJobs, removeOldQueryVectors } from "../../edge/jobs/store.ts";
import { anonymousCaller, type Caller, transactAs } from "../../shared/callers.ts";
import { createId } from "../../shared/ids.ts";
import type { JobLane } from "../../shared/jobs/contract.ts";
import type { LocalDatabase } from "../../supabase/local/database.ts";
import { openTestDatabase } from "../helpers/database.ts";
import { addEndedJobs } from "../helpers/ended-jobs.ts";

/** What each role could do if it were handed a line of SQL: the last wall, behind every check of the API. */
let database: LocalDatabase;
let owner: Sql;
let sidecar: Sql;
const alice = createId();
const bob = createId();
const [picture, published] = [createId(), createId()];

beforeAll(async () => {
  database = await openTestDatabase();
  owner = database.connect({ max: 2 });
  sidecar = database.connect({ role: "parlance_sidecar", max: 1 });
  for (const id of [alice, bob])
    await owner`insert into auth.users (id, email) values (${id}, ${`${id}@example.com`})`;
  for (const [id, isPublic] of [
    [picture, false],
    [published, true],
  ] as const) {
    await owner`
      insert into parlance.images
        (id, owner_id, name, state, is_public, media_type, size_bytes, width, height, variants)
      values (${id}, ${alice}, ${id}, 'ready', ${isPublic}, 'image/jpeg', 1, 1, 1, '{original}')
    `;
    await owner`
      insert into parlance.image_vectors (space_id, image_id, owner_id, is_public, embedding)
      values (1, ${id}, ${alice}, ${isPublic}, (select array_agg(case when i = 1 then 1 else 0 end) from generate_series(1, 128) as i)::extensions.vector)
    `;
    await owner`
      insert into parlance.image_origins (image_id, owner_id, sha256) values (${id}, ${alice}, ${"0".repeat(64)})
    `;
  }
  const job = {
    id: createId(),
    kind: "test.grant-nothing",
    lane: "bulk",
    payload: {},
    attempts_max: 1,
    owner_id: alice,
  };
  await owner`select parlance.add_jobs(${owner.json([job])})`;
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
const attempt = (caller: Caller, statement: string) =>
  transactAs(owner, caller, (transaction) => transaction.unsafe(statement));

describe("another user's SQL", () => {
  test.each([
    ["their pictures", "select id from parlance.images where not is_public"],
    ["where they were taken", "select image_id from parlance.image_origins"],
    ["their vectors", "select image_id from parlance.image_vectors where not is_public"],
    ["their vectors by the partition", "select image_id from parlance.image_vectors_1 where not is_public"],
    ["their jobs", "select id from parlance.jobs"],
    ["their jobs by the view", "select id from parlance.job_views"],
    ["what happened to them", "select job_id from parlance.job_events"],
    ["the workers", "select id from parlance.workers"],
    ["the objects", "select name from storage.objects"],
    ["their messages", "select id from realtime.messages"],
    ["a change of a name", "update parlance.images set name = 'mine' returning id"],
    ["a removal", "delete from parlance.images returning id"],
  ])("gets nothing of %s", async (_what, statement) => {
    expect(await attempt(as(bob), statement)).toEqual([]);
    expect(
      await attempt(as(bob, { user_metadata: { role: "admin" }, app_metadata: "admin" }), statement),
    ).toEqual([]);
    expect(await attempt(as(bob, { app_metadata: ["admin"], role: "service_role" }), statement)).toEqual([]);
  });

  test.each([
    [
      "a picture of another",
      `insert into parlance.images (id, owner_id, name) values (gen_random_uuid(), '${alice}', 'x')`,
    ],
    ["a picture of the house", "insert into parlance.images (id, name) values (gen_random_uuid(), 'x')"],
    ["what is public", "update parlance.images set is_public = true"],
    ["the state", "update parlance.images set state = 'ready'"],
    ["the owner", `update parlance.images set owner_id = '${bob}'`],
    ["a vector", "delete from parlance.image_vectors"],
    ["an origin", "update parlance.image_origins set sha256 = sha256"],
    ["a job", "update parlance.jobs set state = 'done'"],
    ["a job by the view", "update parlance.job_views set state = 'done'"],
    ["a job by the function", "select parlance.add_jobs('[]')"],
    ["the end of a job", "select parlance.cancel_job(gen_random_uuid())"],
    ["the users", "select email from auth.users"],
    ["the tokens", "select hash from auth.refresh_tokens"],
    ["the words of others", "select query from parlance.query_vectors"],
    ["the keys of others", "select key from parlance.idempotency_keys"],
    ["the limits", "delete from parlance.rate_buckets"],
    [
      "an object",
      "insert into storage.objects (bucket_id, name) select id, 'x' from storage.buckets union select 'images', 'x'",
    ],
    [
      "a message",
      `insert into realtime.messages (topic, extension, private) values ('user:${alice}', 'broadcast', true)`,
    ],
    ["rows by the trigger", "select parlance.follow_image()"],
    ["a space", "select parlance.add_embedding_space(9::smallint, 'x', 'x', 3)"],
    ["tables", "create table parlance.mine ()"],
    ["files", "select pg_read_file('PG_VERSION')"],
  ])("is refused %s", async (_what, statement) => {
    for (const caller of [as(bob), anonymousCaller]) {
      await expect(attempt(caller, statement)).rejects.toMatchObject({ code: "42501" });
    }
  });

  test("sends no message in another's name", async () => {
    await attempt(as(bob), `select realtime.send('{}', 'job.done', 'user:${alice}', true)`);
    expect(await owner`select id from realtime.messages where event = 'job.done'`).toEqual([]);
  });

  test("sees what is public, and of that no origin", async () => {
    for (const caller of [as(bob), anonymousCaller]) {
      expect(await attempt(caller, "select id from parlance.images")).toEqual([{ id: published }]);
      expect(await attempt(caller, "select image_id from parlance.image_vectors")).toEqual([
        { imageId: published },
      ]);
    }
    expect(await attempt(as(bob), "select image_id from parlance.image_origins")).toEqual([]);
  });
});

describe("a sidecar's SQL", () => {
  test.each([
    ["make a picture public", "update parlance.images set is_public = true"],
    ["give a picture to another", `update parlance.images set owner_id = '${bob}'`],
    ["rename one", "update parlance.images set name = 'x'"],
    ["date one", "update parlance.images set created_at = now()"],
    ["remove one", "delete from parlance.images"],
    ["add one", "insert into parlance.images (id, name) values (gen_random_uuid(), 'x')"],
    ["remove a vector", "delete from parlance.image_vectors"],
    ["remove a vector from the partition", "delete from parlance.image_vectors_1"],
    ["remove an origin", "delete from parlance.image_origins"],
    ["empty a table", "truncate parlance.image_vectors"],
    ["change a space", "update parlance.embedding_spaces set is_current = false"],
    ["end a job unasked", "select parlance.cancel_job(gen_random_uuid())"],
    ["forget jobs", "select parlance.prune_jobs(now(), now(), 1)"],
    ["read the jobs", "select payload from parlance.jobs"],
    ["read messages", "select payload from realtime.messages"],
    ["speak", "select realtime.send('{}', 'a', 'b', true)"],
    ["become an admin", "set role supabase_auth_admin"],
  ])("does not %s", async (_what, statement) => {
    await expect(sidecar.unsafe(statement)).rejects.toMatchObject({ code: "42501" });
  });

  test("writes what it finds out", async () => {
    const written = await sidecar`
      update parlance.images set width = 2, camera = 'x' where id = ${picture} returning owner_id, is_public
    `;
    expect(written).toEqual([{ ownerId: alice, isPublic: false }]);
  });
});

describe("searches of strangers", () => {
  test("leave no jobs for longer than an hour, and no events of them; everyone else's stay", async () => {
    const add = (lane: JobLane, ownerId: string | null, minutesAgo: number) =>
      addEndedJobs(owner, { kind: "test.prune-nothing", lane, ownerId, minutesAgo });
    await add("interactive", null, 61);
    await add("interactive", null, 59);
    await add("interactive", alice, 61);
    await add("bulk", null, 61);
    await pruneJobs(owner, { jobsKept: 30, eventsKept: 7 }, 100);
    const left = await owner`
      select jobs.lane, jobs.owner_id, count(job_events)::integer as events
      from parlance.jobs
      left join parlance.job_events on job_events.job_id = jobs.id
      where jobs.kind = 'test.prune-nothing'
      group by jobs.id
      order by jobs.lane, jobs.owner_id
    `;
    expect(left).toEqual([
      { lane: "interactive", ownerId: alice, events: 2 },
      { lane: "interactive", ownerId: null, events: 2 },
      { lane: "bulk", ownerId: null, events: 2 },
    ]);
  });

  test("leave no more vectors than are kept, the newest", async () => {
    await owner`
      insert into parlance.query_vectors (space_id, query, created_at)
      select 1, minutes::text, now() - make_interval(mins => minutes) from generate_series(1, 20) as minutes
    `;
    expect(await removeOldQueryVectors(owner, 100, 5)).toBe(15);
    const left = await owner<
      { query: string }[]
    >`select query from parlance.query_vectors order by created_at desc`;
    expect(left.map(({ query }) => query)).toEqual(["1", "2", "3", "4", "5"]);
    expect(await removeOldQueryVectors(owner, 100, 5)).toBe(0);
  });
});
