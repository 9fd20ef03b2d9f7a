import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { violatedConstraint } from "../../../shared/database.ts";
import type { JobState } from "../../../shared/jobs/contract.ts";
import {
  type ClaimedJob,
  cancelJob,
  failJob,
  heartbeatJobs,
  reportProgress,
  rescueJobs,
} from "../../../shared/jobs/queue.ts";
import { complete, type JobsDatabase, openJobsDatabase, paint, paintKind, release } from "./setup.ts";

let jobs: JobsDatabase;
beforeAll(async () => {
  jobs = await openJobsDatabase();
});
afterAll(() => jobs[Symbol.asyncDispose]());
beforeEach(() => jobs.clear());

const kinds = new Map([[paint.name, paint]]);
const failure = { code: "upstream_failed", message: "The storage did not answer.", retryable: true };

function cancel(id: string): Promise<JobState | undefined> {
  return jobs.sql.begin((transaction) =>
    cancelJob(transaction, kinds, { id, kind: paint.name, ownerId: null, subjectId: null }),
  ) as Promise<JobState | undefined>;
}

/** A job in each state from which something can happen. */
const starts = {
  queued: async () => ({ id: await jobs.add() }) as ClaimedJob,
  running: () => jobs.claimNew(),
  "running, its lease over": () => jobs.claimNew({}, paint, 0),
  "running its last try": () => jobs.claimNew({}, paintKind({ attemptsMax: 1 })),
  "running its last try, its lease over": () => jobs.claimNew({}, paintKind({ attemptsMax: 1 }), 0),
  "running, to be cancelled": async () => {
    const job = await jobs.claimNew();
    await cancel(job.id);
    return job;
  },
  "running, to be cancelled, its lease over": async () => {
    const job = await jobs.claimNew({}, paint, 0);
    await cancel(job.id);
    return job;
  },
  done: async () => {
    const job = await jobs.claimNew();
    await complete(jobs.sidecar, job);
    return job;
  },
  failed: async () => {
    const job = await jobs.claimNew();
    await failJob(jobs.sidecar, job, { ...failure, retryable: false });
    return job;
  },
  cancelled: async () => {
    const id = await jobs.add();
    await cancel(id);
    return { id } as ClaimedJob;
  },
};

const acts = {
  "is claimed": () => jobs.claim(),
  "is cancelled": (job: ClaimedJob) => cancel(job.id),
  completes: (job: ClaimedJob) => complete(jobs.sidecar, job, { colour: "red" }),
  "fails and may be tried again": (job: ClaimedJob) => failJob(jobs.sidecar, job, failure),
  "fails for good": (job: ClaimedJob) => failJob(jobs.sidecar, job, { ...failure, retryable: false }),
  "is handed back": (job: ClaimedJob) => release(jobs.sidecar, job),
  "is rescued": () => rescueJobs(jobs.sidecar, kinds),
};

type Start = keyof typeof starts;
type Act = keyof typeof acts;
interface Case {
  start: Start;
  act: Act;
  state: JobState;
  attempts: number;
  errorCode?: string;
  landings?: string[];
}

const cases: Case[] = [
  { start: "queued", act: "is claimed", state: "running", attempts: 1 },
  { start: "queued", act: "is cancelled", state: "cancelled", attempts: 0, landings: ["cancelled"] },
  { start: "queued", act: "is rescued", state: "queued", attempts: 0 },
  { start: "running", act: "is claimed", state: "running", attempts: 1 },
  { start: "running", act: "completes", state: "done", attempts: 1 },
  {
    start: "running",
    act: "fails and may be tried again",
    state: "queued",
    attempts: 1,
    errorCode: "upstream_failed",
  },
  { start: "running", act: "fails for good", state: "failed", attempts: 1, errorCode: "upstream_failed" },
  { start: "running", act: "is handed back", state: "queued", attempts: 0 },
  { start: "running", act: "is cancelled", state: "running", attempts: 1 },
  { start: "running", act: "is rescued", state: "running", attempts: 1 },
  {
    start: "running, its lease over",
    act: "is rescued",
    state: "queued",
    attempts: 1,
    errorCode: "lease_expired",
  },
  { start: "running, its lease over", act: "completes", state: "done", attempts: 1 },
  {
    start: "running its last try",
    act: "fails and may be tried again",
    state: "failed",
    attempts: 1,
    errorCode: "upstream_failed",
  },
  { start: "running its last try", act: "is handed back", state: "queued", attempts: 0 },
  {
    start: "running its last try, its lease over",
    act: "is rescued",
    state: "failed",
    attempts: 1,
    errorCode: "lease_expired",
    landings: ["lease_expired"],
  },
  { start: "running, to be cancelled", act: "fails and may be tried again", state: "cancelled", attempts: 1 },
  { start: "running, to be cancelled", act: "fails for good", state: "cancelled", attempts: 1 },
  { start: "running, to be cancelled", act: "is handed back", state: "cancelled", attempts: 0 },
  { start: "running, to be cancelled", act: "is cancelled", state: "running", attempts: 1 },
  // Cancelling is a wish: work that was done before its worker heard of it is done.
  { start: "running, to be cancelled", act: "completes", state: "done", attempts: 1 },
  {
    start: "running, to be cancelled, its lease over",
    act: "is rescued",
    state: "cancelled",
    attempts: 1,
    landings: ["cancelled"],
  },
];

describe("a job", () => {
  test.each(cases)("that is $start and $act is then $state", async ({ start, act, ...then }) => {
    const job = await starts[start]();
    await acts[act](job);
    const row = await jobs.find(job.id);
    expect(row).toMatchObject({
      state: then.state,
      attempts: then.attempts,
      errorCode: then.errorCode ?? null,
    });
    expect(row.claim === null).toBe(then.state !== "running");
    expect(row.finishedAt === null).toBe(then.state === "queued" || then.state === "running");
    expect(await jobs.landings(job.id)).toEqual(then.landings ?? []);
  });

  const ended = (["done", "failed", "cancelled"] as const).flatMap((start) =>
    (Object.keys(acts) as Act[]).map((act) => ({ start, act })),
  );
  test.each(ended)("that is $start stays so when it $act", async ({ start, act }) => {
    const job = await starts[start]();
    const before = await jobs.find(job.id);
    const held = { ...job, claim: job.claim ?? 1 };
    await acts[act](held);
    expect(await jobs.find(job.id)).toEqual({ ...before, waitSeconds: expect.any(Number) });
    expect(await jobs.landings(job.id)).toEqual(start === "cancelled" ? ["cancelled"] : []);
  });

  test("keeps the cause of its last failed try until it is done", async () => {
    const first = await jobs.claimNew();
    await failJob(jobs.sidecar, first, failure);
    expect(await jobs.find(first.id)).toMatchObject({ errorMessage: "The storage did not answer." });
    await jobs.makeDue(first.id);
    const [second] = await jobs.claim();
    await complete(jobs.sidecar, second as ClaimedJob, { colour: "red" });
    expect(await jobs.find(first.id)).toMatchObject({
      errorCode: null,
      attempts: 2,
      result: { colour: "red" },
    });
  });

  test("that does not exist cannot be cancelled", async () => {
    expect(await cancel("00000000-0000-7000-8000-000000000000")).toBeUndefined();
  });

  test("that is asked twice to end is told of it once", async () => {
    const job = await jobs.claimNew();
    await cancel(job.id);
    await cancel(job.id);
    expect((await jobs.events(job.id)).map((event) => event.event)).toEqual([
      "job.queued",
      "job.started",
      "job.cancelling",
    ]);
  });
});

describe("the database refuses", () => {
  const forbidden: [string, Start, string, string][] = [
    [
      "an ended job that runs again",
      "done",
      "state = 'queued', finished_at = null, result = null",
      "ended_stays_ended",
    ],
    ["another result of an ended job", "done", `result = '{"colour": "blue"}'`, "ended_stays_ended"],
    ["another cause of a failed job", "failed", "error_code = 'other'", "ended_stays_ended"],
    ["progress of an ended job", "done", "progress_message = 'more'", "ended_stays_ended"],
    ["the wish to cancel an ended job", "failed", "cancel_requested_at = now()", "ended_stays_ended"],
    ["a running job without a claim", "running", "claim = null", "running_has_a_claim"],
    ["a running job without a lease", "running", "lease_expires_at = null", "running_has_a_claim"],
    ["a queued job with a worker", "queued", "claimed_by = gen_random_uuid()", "only_running_has_a_claim"],
    ["an end without a time", "queued", "state = 'cancelled', event_sequence = 2", "ended_has_a_finish"],
    ["a time of the end of what runs", "running", "finished_at = now()", "ended_has_a_finish"],
    [
      "a failure without a cause",
      "queued",
      "state = 'failed', finished_at = now(), event_sequence = 2",
      "failed_has_a_cause",
    ],
    ["a result of what is not done", "queued", "result = '{}'", "only_done_has_a_result"],
    [
      "more progress than its total",
      "running",
      "progress_done = 5, progress_total = 4",
      "progress_is_within_its_total",
    ],
    ["progress below zero", "running", "progress_done = -1", "progress_is_within_its_total"],
    ["more attempts than are allowed", "queued", "attempts = 4", "attempts_are_within_their_limit"],
    ["no attempt at all", "queued", "attempts_max = 0", "attempts_are_within_their_limit"],
    ["a name without a feature", "queued", "kind = 'paint'", "kind_is_feature_dot_verb_noun"],
    ["a payload that is a list", "queued", "payload = '[]'", "payload_is_a_small_object"],
  ];
  test.each(forbidden)("%s", async (_what, start, change, constraint) => {
    const job = await starts[start]();
    const before = await jobs.find(job.id);
    const error = await jobs.sql
      .unsafe(`update parlance.jobs set ${change} where id = '${job.id}'`)
      .catch((thrown) => thrown);
    expect(violatedConstraint(error)).toBe(constraint);
    expect(await jobs.find(job.id)).toEqual({ ...before, waitSeconds: expect.any(Number) });
  });
});

describe("a worker that lost its claim", () => {
  /** Claims a job, loses it, and lets another worker claim it. */
  async function loseClaim(): Promise<{ lost: ClaimedJob; held: ClaimedJob }> {
    const lost = await jobs.claimNew({}, paint, 0);
    await rescueJobs(jobs.sidecar, kinds);
    await jobs.makeDue(lost.id);
    const [held] = await jobs.claim();
    return { lost, held: held as ClaimedJob };
  }

  const attempts: [string, (job: ClaimedJob) => Promise<unknown>, unknown][] = [
    ["report progress", (job) => reportProgress(jobs.sidecar, job, { done: 1, total: 2 }), false],
    ["complete", (job) => complete(jobs.sidecar, job, { colour: "blue" }), false],
    ["fail", (job) => failJob(jobs.sidecar, job, { ...failure, retryable: false }), undefined],
    ["hand it back", (job) => release(jobs.sidecar, job), undefined],
    ["prolong its lease", (job) => heartbeatJobs(jobs.sidecar, [job], 3600), []],
  ];
  test.each(attempts)("cannot %s", async (_what, attempt, answer) => {
    const { lost, held } = await loseClaim();
    expect(held.claim).toBeGreaterThan(lost.claim);
    const before = await jobs.find(lost.id);
    expect(await attempt(lost)).toEqual(answer);
    expect(await jobs.find(lost.id)).toEqual({ ...before, waitSeconds: expect.any(Number) });
  });

  test("cannot do any of it while nobody else holds the job either", async () => {
    const lost = await jobs.claimNew({}, paint, 0);
    await rescueJobs(jobs.sidecar, kinds);
    const before = await jobs.find(lost.id);
    for (const [, attempt, answer] of attempts) expect(await attempt(lost)).toEqual(answer);
    expect(await jobs.find(lost.id)).toEqual({ ...before, waitSeconds: expect.any(Number) });
  });
});
