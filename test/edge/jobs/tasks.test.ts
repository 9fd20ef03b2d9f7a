import { afterAll, beforeAll, expect, test } from "vitest";
import { createJobTasks } from "../../../edge/jobs/tasks.ts";
import { expireKeys, pruneHistory } from "../../../shared/jobs/maintenance.ts";
import { openTestApp, type TestApp } from "../../helpers/app.ts";
import { addEndedJobs } from "../../helpers/ended-jobs.ts";
import { taskContext } from "../../helpers/task-context.ts";

let house: TestApp;
beforeAll(async () => {
  house = await openTestApp();
});
afterAll(() => house.close());

async function run(name: string, signal = new AbortController().signal): Promise<unknown> {
  const task = createJobTasks(house.deps).find(({ kind }) => kind.name === name);
  if (!task) throw new Error(`no task ${name}`);
  return task.run({}, taskContext({ signal }));
}

function addEnded(count: number, daysAgo: number): Promise<void> {
  return addEndedJobs(house.sql, { kind: "test.sweep-floor", count, minutesAgo: daysAgo * 24 * 60 });
}

async function countOf(table: string): Promise<number> {
  const [row] = await house.sql<{ count: number }[]>`select count(*) as count from ${house.sql(table)}`;
  return row?.count ?? -1;
}

test("ended jobs go after 30 days and events after 7, however many there are", async () => {
  await addEnded(2_500, 31);
  await addEnded(2, 8);
  await addEnded(1, 6);
  await run(pruneHistory.name);
  expect(await countOf("parlance.jobs")).toBe(3);
  expect(await countOf("parlance.job_events")).toBe(2);
  expect(await run(pruneHistory.name)).toEqual({ rowsRemoved: 0 });
});

test("a task that is told to stop stops between two batches", async () => {
  await addEnded(10, 31);
  expect(await run(pruneHistory.name, AbortSignal.abort("shutdown"))).toEqual({ rowsRemoved: 0 });
});

test("what was searched by a picture goes when its hour is over", async () => {
  await house.sql`
    insert into parlance.picture_queries (id, asker, space_id, sha256, expires_at)
    select gen_random_uuid(), 'guest', 1, repeat('0', 64), now() + make_interval(mins => minutes)
    from generate_series(-1, 1, 2) as minutes
  `;
  expect(await run(expireKeys.name)).toEqual({ rowsRemoved: 1 });
  expect(await countOf("parlance.picture_queries")).toBe(1);
});

test("keys go after 24 hours, idle rate buckets after a day, query vectors and searches after 30 days", async () => {
  await house.sql`
    insert into parlance.idempotency_keys (owner, route, key, body_hash, locked_until, created_at)
    select 'user:a', 'POST /', key::text, 'hash', now(), now() - make_interval(hours => key)
    from generate_series(22, 26) as key
  `;
  await house.sql`
    insert into parlance.rate_buckets (subject, route_class, tokens, updated_at)
    select 'user:' || hours, 'read', 1, now() - make_interval(hours => hours)
    from generate_series(22, 26) as hours
  `;
  await house.sql`
    insert into parlance.query_vectors (space_id, query, created_at)
    select 1, days::text, now() - make_interval(days => days)
    from generate_series(28, 32) as days
  `;
  await house.sql`
    insert into parlance.searches (id, space_id, asker, scope, path, embedding, created_at)
    select gen_random_uuid(), 1, 'anon', 'public', 'exact', '[1,0]', now() - make_interval(days => days)
    from generate_series(28, 32) as days
  `;
  expect(await run(expireKeys.name)).toEqual({ rowsRemoved: 12 });
  expect(await countOf("parlance.searches")).toBe(2);
  const left = await house.sql<{ key: string }[]>`select key from parlance.idempotency_keys order by key`;
  expect(left.map(({ key }) => key)).toEqual(["22", "23"]);
  expect(await countOf("parlance.rate_buckets")).toBe(2);
  expect(await countOf("parlance.query_vectors")).toBe(2);
});
