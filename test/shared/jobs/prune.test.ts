import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { complete, type JobsDatabase, openJobsDatabase } from "./setup.ts";

let jobs: JobsDatabase;
beforeAll(async () => {
  jobs = await openJobsDatabase();
});
afterAll(() => jobs[Symbol.asyncDispose]());
beforeEach(() => jobs.clear());

async function addDone(): Promise<string> {
  const job = await jobs.claimNew();
  await complete(jobs.sidecar, job);
  return job.id;
}

/** Prunes what ended, and events that happened, before so many seconds from now. */
async function prune(endedSeconds: number, eventsSeconds: number, rowsMax: number): Promise<number> {
  const [row] = await jobs.sql<{ gone: number }[]>`
    select parlance.prune_jobs(
      clock_timestamp() + make_interval(secs => ${endedSeconds}),
      clock_timestamp() + make_interval(secs => ${eventsSeconds}),
      ${rowsMax}
    ) as gone
  `;
  return row?.gone ?? -1;
}
const future = 3600;
const past = -3600;

async function count(table: "jobs" | "job_events"): Promise<number> {
  const [row] = await jobs.sql<{ count: number }[]>`select count(*) from ${jobs.sql(`parlance.${table}`)}`;
  return row?.count ?? -1;
}

describe("pruning", () => {
  test("removes ended jobs that are old enough, with their events, and no open ones", async () => {
    await addDone();
    const running = await jobs.claimNew();
    const queued = await jobs.add();
    expect(await prune(past, past, 100)).toBe(0);
    expect(await prune(future, past, 100)).toBe(1);
    expect(await count("jobs")).toBe(2);
    expect((await jobs.find(running.id)).state).toBe("running");
    expect((await jobs.find(queued)).state).toBe("queued");
  });

  test("removes no more than it is asked to", async () => {
    for (let index = 0; index < 5; index++) await addDone();
    expect(await prune(future, past, 2)).toBe(2);
    expect(await count("jobs")).toBe(3);
    const before = await count("job_events");
    expect(await prune(past, future, 4)).toBe(4);
    expect(await count("job_events")).toBe(before - 4);
  });

  test("marks on the job up to where its events are gone", async () => {
    const id = await addDone();
    expect(await count("job_events")).toBe(3);
    expect(await prune(past, future, 2)).toBe(2);
    expect(await jobs.find(id)).toMatchObject({ eventsPrunedTo: 2, eventSequence: 3, state: "done" });
    expect((await jobs.events(id)).map((event) => event.sequence)).toEqual([3]);
    await prune(past, future, 100);
    expect((await jobs.find(id)).eventsPrunedTo).toBe(3);
  });

  test("takes the events of a running job too, and its sequence goes on", async () => {
    const job = await jobs.claimNew();
    await prune(past, future, 100);
    await complete(jobs.sidecar, job);
    expect((await jobs.events(job.id)).map((event) => event.sequence)).toEqual([3]);
    expect(await jobs.find(job.id)).toMatchObject({ eventsPrunedTo: 2, state: "done" });
  });
});
