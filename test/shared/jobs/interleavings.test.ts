/**
 * Many workers do random things to the same jobs at the same time. Whatever the order was: the events of each job are
 * 1, 2, 3 … without holes, they walk along the edges of the state machine, and what ended landed exactly once.
 * A failing run names its seed; JOBS_SEED repeats it.
 */
import type { Sql, TransactionSql } from "postgres";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createId } from "../../../shared/ids.ts";
import type { JobEvent } from "../../../shared/jobs/contract.ts";
import {
  addJob,
  type ClaimedJob,
  cancelJob,
  claimJobs,
  failJob,
  heartbeatJobs,
  reportProgress,
  rescueJobs,
  retryJob,
} from "../../../shared/jobs/queue.ts";
import { complete, type JobsDatabase, openJobsDatabase, paint, paintKind, release } from "./setup.ts";

let jobs: JobsDatabase;
beforeAll(async () => {
  jobs = await openJobsDatabase();
});
afterAll(() => jobs[Symbol.asyncDispose]());
beforeEach(() => jobs.clear());

const firstSeed = Number(process.env.JOBS_SEED ?? Math.floor(Math.random() * 1e9));
const runs = process.env.JOBS_SEED ? 1 : 8;
const actors = 6;
const actionsEach = 60;
const retried = paintKind({
  landRetry: async (transaction, job) => {
    await transaction`delete from public.landings where job_id = ${job.id}`;
  },
});
const kinds = new Map([[paint.name, retried]]);

/** Mulberry32: small, and the same everywhere. */
function createRandom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** One worker with a memory: it also acts on claims that it lost long ago. */
async function act(sql: Sql, random: (below: number) => number): Promise<void> {
  const workerId = createId();
  const held: ClaimedJob[] = [];
  for (let action = 0; action < actionsEach; action++) {
    const job = held[random(Math.max(1, held.length))];
    switch (random(10)) {
      case 0:
      case 1:
        await addJob(sql, paint, {
          payload: { colour: "red" },
          ownerId: null,
          ...(random(2) ? { uniqueKey: `wall ${random(5)}` } : {}),
        });
        break;
      case 2:
      case 3: {
        // A third of the leases is over at once.
        const leaseSeconds = random(3) ? 30 : 0;
        const options = { workerId, kinds: [paint], lane: "bulk" as const, leaseSeconds };
        held.push(...(await claimJobs(sql, { ...options, jobsMax: 1 + random(3) })));
        break;
      }
      case 4:
        if (job) await reportProgress(sql, job, { done: random(5), total: 4 + random(2) });
        break;
      case 5:
        if (job) await completeAndLand(sql, job);
        break;
      case 6:
        if (job) await fail(sql, job, random(2) === 0);
        break;
      case 7:
        if (job && random(2)) await releaseAndLand(sql, job);
        else if (held.length > 0) await heartbeatJobs(sql, held, 30);
        break;
      case 8:
        if (random(3)) await cancelOne(sql, random);
        else await retryOne(sql, random);
        break;
      default:
        await rescueJobs(sql, kinds, 1 + random(5));
        await sql`update parlance.jobs set run_after = now() where state = 'queued' and run_after > now()`;
    }
  }
}

async function completeAndLand(sql: Sql, job: ClaimedJob): Promise<void> {
  await sql.begin(async (transaction) => {
    if (await complete(transaction, job)) await paint.land?.(transaction, job, { colour: "red" });
  });
}

async function fail(sql: Sql, job: ClaimedJob, retryable: boolean): Promise<void> {
  await sql.begin(async (transaction) => {
    const state = await failJob(transaction, job, { code: "unexpected", message: "x", retryable });
    if (state === "failed" || state === "cancelled") await landFailure(transaction, job);
  });
}

async function releaseAndLand(sql: Sql, job: ClaimedJob): Promise<void> {
  await sql.begin(async (transaction) => {
    if ((await release(transaction, job)) === "cancelled") await landFailure(transaction, job);
  });
}

function landFailure(transaction: TransactionSql, job: ClaimedJob): Promise<void> {
  return paint.landFailure(transaction, job, { code: "unexpected", message: "x" });
}

async function cancelOne(sql: Sql, random: (below: number) => number): Promise<void> {
  const [job] = await sql<{ id: string }[]>`
    select id from parlance.jobs order by id offset ${random(20)} limit 1
  `;
  if (!job) return;
  const wanted = { id: job.id, kind: paint.name, ownerId: null, subjectId: null };
  await sql.begin((transaction) => cancelJob(transaction, kinds, wanted));
}

async function retryOne(sql: Sql, random: (below: number) => number): Promise<void> {
  const [job] = await sql<{ id: string }[]>`
    select id from parlance.jobs where state = 'failed' order by id offset ${random(4)} limit 1
  `;
  if (!job) return;
  const wanted = { id: job.id, kind: paint.name, ownerId: null, subjectId: null };
  const retrying = sql.begin((transaction) => retryJob(transaction, kinds, wanted));
  // Another job of its unique key may be open.
  await retrying.catch((error) => expect(error).toMatchObject({ code: "conflict" }));
}

const nextEvents: Record<string, readonly string[]> = {
  "": ["job.queued"],
  "job.queued": ["job.started", "job.cancelled"],
  "job.requeued": ["job.started", "job.cancelled"],
  "job.started": [
    "job.progressed",
    "job.cancelling",
    "job.done",
    "job.failed",
    "job.cancelled",
    "job.requeued",
  ],
  "job.progressed": [
    "job.progressed",
    "job.cancelling",
    "job.done",
    "job.failed",
    "job.cancelled",
    "job.requeued",
  ],
  "job.cancelling": ["job.progressed", "job.done", "job.cancelled"],
  "job.done": [],
  "job.failed": ["job.retried"],
  "job.retried": ["job.started", "job.cancelled"],
  "job.cancelled": [],
};

interface Checked {
  readonly id: string;
  readonly state: string;
  readonly eventSequence: number;
  readonly landed: number;
  readonly attempts: number;
  readonly attemptsMax: number;
  readonly events: JobEvent[];
}

function complaintsOf(job: Checked): string[] {
  const complaints: string[] = [];
  const complain = (what: string) => complaints.push(`${job.id}: ${what}`);
  job.events.forEach((event, index) => {
    if (event.sequence !== index + 1) complain(`event ${index + 1} has the number ${event.sequence}`);
    const before = job.events[index - 1]?.event ?? "";
    const life = job.events.slice(0, index);
    const wasCancelling =
      life.findLastIndex((one) => one.event === "job.cancelling") >
      life.findLastIndex((one) => one.event === "job.retried");
    const allowed = wasCancelling ? ["job.progressed", "job.done", "job.cancelled"] : nextEvents[before];
    if (!allowed?.includes(event.event)) complain(`${event.event} after ${before}`);
  });
  if (job.events.length !== job.eventSequence)
    complain(`${job.events.length} events, not ${job.eventSequence}`);
  if (job.events.at(-1)?.state !== job.state) complain(`the last event says ${job.events.at(-1)?.state}`);
  const ended = ["done", "failed", "cancelled"].includes(job.state);
  if (job.landed !== (ended ? 1 : 0)) complain(`${job.state} landed ${job.landed} times`);
  if (job.attempts > job.attemptsMax) complain(`${job.attempts} attempts`);
  return complaints;
}

test.each(Array.from({ length: runs }, (_, index) => firstSeed + index))(
  "events have no holes and what ended landed once, whatever the order (seed %i)",
  async (seed) => {
    const clients = Array.from({ length: actors }, () => jobs.database.connect({ max: 1 }));
    await Promise.all(clients.map((sql, index) => act(sql, createRandom(seed * 31 + index))));
    await Promise.all(clients.map((sql) => sql.end()));
    const rows = await jobs.sql<Checked[]>`
      select
        id, state, event_sequence, attempts, attempts_max,
        (select count(*) from public.landings where job_id = jobs.id) as landed,
        (select jsonb_agg(data) from parlance.list_job_events(jobs.id, 0, 1000) as data) as events
      from parlance.jobs
    `;
    expect(rows.length).toBeGreaterThan(10);
    expect(rows.flatMap(complaintsOf)).toEqual([]);
  },
);
