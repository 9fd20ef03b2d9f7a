import type { Sql } from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { anonymousCaller, type Caller, serviceCaller, transactAs } from "../../../shared/callers.ts";
import { databaseErrorCode } from "../../../shared/database.ts";
import { type JobsDatabase, openJobsDatabase } from "./setup.ts";

let jobs: JobsDatabase;
beforeAll(async () => {
  jobs = await openJobsDatabase();
});
afterAll(() => jobs[Symbol.asyncDispose]());

const id = "'01900000-0000-7000-8000-000000000000'::uuid";

/** Every function of the queue, called so that it would change nothing. */
const calls = {
  add_jobs: "parlance.add_jobs('[]')",
  claim_jobs: `parlance.claim_jobs(${id}, '{}', 'bulk', 0, 1)`,
  heartbeat_jobs: "parlance.heartbeat_jobs('{}', '{}', 1)",
  report_progress: `parlance.report_progress(${id}, 0, 0, 0)`,
  save_job_cursor: `parlance.save_job_cursor(${id}, 0, '{}', 1)`,
  complete_jobs: "parlance.complete_jobs('[]')",
  fail_job: `parlance.fail_job(${id}, 0, 'x', 'x', true)`,
  end_tries: "parlance.end_tries('{}', 'x', 'x', true)",
  release_jobs: "parlance.release_jobs('{}', '{}')",
  expire_jobs: "parlance.expire_jobs(0)",
  retry_job: `parlance.retry_job(${id})`,
  refuse_too_many: "parlance.refuse_too_many('x', null, 0, null)",
  list_job_events: `parlance.list_job_events(${id}, 0, 1)`,
  job_event_data: `parlance.job_event_data(null::parlance.jobs, 1, 'x', now(), null)`,
  job_event_detail: "parlance.job_event_detail(0, 0, 'x')",
  job_end_event: "parlance.job_end_event('done')",
  report_worker: `parlance.report_worker(${id}, 'sidecar', 'cpu', 'cpu', '{}', '{}', '{}', 0, '{}', 'lost')`,
  remove_worker: `parlance.remove_worker(${id})`,
  cancel_job: `parlance.cancel_job(${id})`,
  prune_jobs: "parlance.prune_jobs(now(), now(), 0)",
  count_ended_jobs: "parlance.count_ended_jobs(0)",
  add_job_lives: "parlance.add_job_lives('{}')",
  job_is_counted: `parlance.job_is_counted(null::parlance.job_counting, '0', ${id})`,
  job_life: "parlance.job_life(null::parlance.jobs)",
  worker_is_alive: "parlance.worker_is_alive('x')",
  worker_can: "parlance.worker_can('x', 'x')",
  open_jobs: "parlance.open_jobs('{}')",
  job_outlook: `parlance.job_outlook(${id}, '{}')`,
} as const;
type Call = keyof typeof calls;

/** Parts of the others: nobody calls them by themselves. */
const parts: readonly Call[] = [
  "end_tries",
  "refuse_too_many",
  "job_event_detail",
  "job_end_event",
  "add_job_lives",
  "job_is_counted",
  "job_life",
];
/** They read under the caller's own rights. */
const readers: readonly Call[] = ["list_job_events", "job_event_data"];
const names = Object.keys(calls) as Call[];

/** Undefined when it ran or was refused for its arguments; 42501 when the caller may not. */
async function codeOf(sql: Sql, statement: string, caller?: Caller): Promise<string | undefined> {
  const running = caller
    ? transactAs(sql, caller, (transaction) => transaction.unsafe(statement))
    : sql.unsafe(statement);
  return running.then(
    () => undefined,
    (error) => databaseErrorCode(error),
  );
}
const denied = "42501";

test("the list of calls is the list of the queue's functions", async () => {
  const rows = await jobs.sql<{ name: string }[]>`
    select proname::text as name
    from pg_proc
    where pronamespace = 'parlance'::regnamespace
      and pg_get_function_arguments(oid) <> ''
      and (proname ~ 'job|worker|progress|tries|too_many')
  `;
  expect(rows.map((row) => row.name).sort()).toEqual([...names].sort());
});

describe("a user", () => {
  const callers: [string, Caller][] = [
    ["nobody", anonymousCaller],
    ["a user", { role: "authenticated", claims: { sub: "01900000-0000-7000-8000-000000000001" } }],
    ["an admin", { role: "authenticated", claims: { app_metadata: { role: "admin" } } }],
  ];
  test.each(callers)(
    "who is %s can call no function of the queue that changes anything",
    async (_who, caller) => {
      for (const name of names) {
        const mayRead = readers.includes(name) && caller.role === "authenticated";
        const code = await codeOf(jobs.sql, `select ${calls[name]}`, caller);
        expect([name, code]).toEqual([name, mayRead ? undefined : denied]);
      }
    },
  );

  test("sees their own jobs and events through the view, and nobody else's; anonymous ones see none", async () => {
    const [mine, theirs] = [await jobs.addUser(), await jobs.addUser()];
    const seen = await jobs.add({ ownerId: mine });
    await jobs.add({ ownerId: theirs });
    await jobs.add({ ownerId: null });
    const caller: Caller = { role: "authenticated", claims: { sub: mine } };
    const rows = await transactAs(jobs.sql, caller, (sql) => sql`select id from parlance.job_views`);
    expect(rows.map((row) => row.id)).toEqual([seen]);
    const events = await transactAs(jobs.sql, caller, (sql) => sql`select job_id from parlance.job_events`);
    expect(events.map((row) => row.jobId)).toEqual([seen]);
    expect(await codeOf(jobs.sql, "select * from parlance.job_views", anonymousCaller)).toBe(denied);
    await jobs.clear();
  });

  test.each([
    ["change", "update parlance.jobs set state = 'done'"],
    ["delete", "delete from parlance.jobs"],
    ["change an event of", "update parlance.job_events set event = 'x'"],
    [
      "invent an event of",
      `insert into parlance.job_events (job_id, sequence, event) values (${id}, 1, 'x')`,
    ],
  ])("cannot %s a job by hand", async (_what, statement) => {
    const caller: Caller = { role: "authenticated", claims: { app_metadata: { role: "admin" } } };
    expect(await codeOf(jobs.sql, statement, caller)).toBe(denied);
    expect(await codeOf(jobs.sql, statement, serviceCaller)).toBe(denied);
  });
});

describe("the sidecar's role", () => {
  const kept: Call[] = [
    ...parts,
    ...readers,
    "cancel_job",
    "retry_job",
    "prune_jobs",
    "count_ended_jobs",
    "worker_is_alive",
    "worker_can",
    "open_jobs",
    "job_outlook",
  ];
  test("can call what a worker needs and nothing else of the queue", async () => {
    for (const name of names) {
      const code = await codeOf(jobs.sidecar, `select ${calls[name]}`);
      expect([name, code === denied]).toEqual([name, kept.includes(name)]);
    }
  });

  test.each([
    "select * from parlance.jobs",
    "select * from parlance.job_views",
    "select * from parlance.job_events",
    "select * from parlance.workers",
    "update parlance.jobs set state = 'done'",
    "insert into parlance.workers (id, runner, device, provider, kinds) values (gen_random_uuid(), 'x', 'x', 'x', '{}')",
    "select nextval('parlance.job_claims')",
    "insert into parlance.images (id, name) values (gen_random_uuid(), 'x')",
    "delete from parlance.images",
    "update parlance.embedding_spaces set is_current = false",
    "select * from parlance.rate_buckets",
    "select * from parlance.idempotency_keys",
    "select * from auth.users",
    "select * from storage.objects",
    "select * from realtime.messages",
    "set role authenticated",
    "set role service_role",
    "create table parlance.mine (id integer)",
  ])("is refused: %s", async (statement) => {
    expect(await codeOf(jobs.sidecar, statement)).toBe(denied);
  });
});

test("the service role can call every function of the queue, but not their parts", async () => {
  for (const name of names) {
    const code = await codeOf(jobs.sql, `select ${calls[name]}`, serviceCaller);
    expect([name, code === denied]).toEqual([name, parts.includes(name)]);
  }
});
