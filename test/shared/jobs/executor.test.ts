import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { AppError } from "../../../shared/errors.ts";
import { executeJob } from "../../../shared/jobs/executor.ts";
import { defineTask, type TaskContext } from "../../../shared/jobs/kinds.ts";
import { type ClaimedJob, reportProgress, rescueJobs } from "../../../shared/jobs/queue.ts";
import {
  createSignal,
  type JobsDatabase,
  openJobsDatabase,
  type PaintOutcome,
  type PaintPayload,
  paint,
  paintKind,
} from "./setup.ts";

let jobs: JobsDatabase;
beforeAll(async () => {
  jobs = await openJobsDatabase();
});
afterAll(() => jobs[Symbol.asyncDispose]());
beforeEach(() => jobs.clear());

type Run = (payload: PaintPayload, context: TaskContext) => Promise<PaintOutcome>;

const untilStopped: Run = (_payload, { signal }) =>
  new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

/** Adds, claims and runs one job, and says what came of it. */
async function runJob(
  run: Run,
  kind = paint,
  job: { payload?: PaintPayload } = {},
  changes: Partial<ClaimedJob> = {},
) {
  const claimed = await jobs.claimNew(job, kind);
  const execution = executeJob(jobs.sidecar, defineTask(kind, run), { ...claimed, ...changes });
  return { claimed, execution };
}

async function outcomeOf(run: Run, kind = paint) {
  const { claimed, execution } = await runJob(run, kind);
  const { ending, error } = await execution.ended;
  return { ending, error, row: await jobs.find(claimed.id), landings: await jobs.landings(claimed.id) };
}

async function cancel(id: string): Promise<void> {
  await jobs.sql`select parlance.cancel_job(${id})`;
}

describe("work that succeeds", () => {
  test("lands its outcome and keeps a summary", async () => {
    const { ending, row, landings } = await outcomeOf(async ({ colour }) => ({ colour: `dark ${colour}` }));
    expect(ending).toBe("done");
    expect(row).toMatchObject({ state: "done", result: { colour: "dark red" }, errorCode: null });
    expect(landings).toEqual(["dark red"]);
  });

  test("lands nothing when its claim was lost meanwhile", async () => {
    const held = createSignal();
    const { claimed, execution } = await runJob(async () => {
      await held.promise;
      return { colour: "blue" };
    });
    await jobs.sql`update parlance.jobs set lease_expires_at = now() - interval '1 second' where id = ${claimed.id}`;
    await rescueJobs(jobs.sidecar, new Map([[paint.name, paint]]));
    held.resolve();
    expect((await execution.ended).ending).toBe("lost");
    expect(await jobs.find(claimed.id)).toMatchObject({ state: "queued", attempts: 1 });
    expect(await jobs.landings(claimed.id)).toEqual([]);
  });

  test("is not done when its landing is refused: a constraint would refuse it again", async () => {
    const { ending, error, row, landings } = await outcomeOf(async () => ({ colour: "refused" }));
    expect(ending).toBe("failed");
    expect(error).toMatchObject({ code: "unexpected", retryable: false });
    expect(row).toMatchObject({ state: "failed", result: null, errorCode: "unexpected" });
    expect(landings).toEqual(["unexpected"]);
  });

  test("is tried again when its landing throws for another reason", async () => {
    const kind = paintKind({
      land: async (transaction, job) => {
        await transaction`insert into public.landings values (${job.id}, 'half')`;
        throw new Error("out of paint");
      },
    });
    const { ending, row, landings } = await outcomeOf(async () => ({ colour: "red" }), kind);
    expect(ending).toBe("queued");
    expect(row).toMatchObject({ state: "queued", attempts: 1, result: null });
    expect(landings).toEqual([]);
  });

  test("is landed once more when another transaction was in the way", async () => {
    let tries = 0;
    const kind = paintKind({
      land: async (transaction, job, { colour }) => {
        tries += 1;
        if (tries < 3) throw Object.assign(new Error("deadlock detected"), { code: "40P01" });
        await paint.land?.(transaction, job, { colour });
      },
    });
    const { ending, row, landings } = await outcomeOf(async () => ({ colour: "red" }), kind);
    expect(ending).toBe("done");
    expect(row).toMatchObject({ state: "done", attempts: 1 });
    expect(landings).toEqual(["red"]);
  });

  test("with a summary above 64 kB fails instead of ending twice", async () => {
    const kind = paintKind({ summarize: () => ({ text: "x".repeat(70_000) }) });
    const { row, landings } = await outcomeOf(async () => ({ colour: "red" }), kind);
    expect(row).toMatchObject({ state: "failed", result: null });
    expect(landings).toEqual(["unexpected"]);
  });
});

describe("work that throws", () => {
  test("an error that may pass goes back to the queue and waits, with its cause kept", async () => {
    const { ending, row, landings } = await outcomeOf(async () => {
      throw new AppError("upstream_failed", "The storage did not answer.", { retryable: true });
    });
    expect(ending).toBe("queued");
    expect(row).toMatchObject({ state: "queued", errorCode: "upstream_failed", attempts: 1 });
    expect(row.waitSeconds).toBeGreaterThan(1);
    expect(landings).toEqual([]);
  });

  test("an error that will not pass fails at once and lands the failure", async () => {
    const { ending, row, landings } = await outcomeOf(async () => {
      throw new AppError("image_undecodable", "This picture is cut off.");
    });
    expect(ending).toBe("failed");
    expect(row).toMatchObject({ state: "failed", errorMessage: "This picture is cut off.", attempts: 1 });
    expect(landings).toEqual(["image_undecodable"]);
  });

  test("what nobody foresaw may pass, and its text is told to no one", async () => {
    const { ending, error, row } = await outcomeOf(() => Promise.reject(new Error("secret path /etc")));
    expect(ending).toBe("queued");
    expect(row.errorCode).toBe("unexpected");
    expect(row.errorMessage).not.toContain("secret");
    expect(error?.cause).toMatchObject({ message: "secret path /etc" });
  });

  test("on its last try fails even when it might pass", async () => {
    const { ending, landings } = await outcomeOf(
      async () => {
        throw new AppError("upstream_failed", "no", { retryable: true });
      },
      paintKind({ attemptsMax: 1 }),
    );
    expect(ending).toBe("failed");
    expect(landings).toEqual(["upstream_failed"]);
  });

  test("is not even started with a payload that does not fit, and not tried again", async () => {
    const id = await jobs.add();
    await jobs.sql`update parlance.jobs set payload = '{"colour": 7}' where id = ${id}`;
    const [claimed] = await jobs.claim();
    let started = false;
    const task = defineTask(paint, async () => {
      started = true;
      return { colour: "red" };
    });
    expect((await executeJob(jobs.sidecar, task, claimed as ClaimedJob).ended).ending).toBe("failed");
    expect(started).toBe(false);
    expect(await jobs.find(id)).toMatchObject({ errorCode: "invalid_request" });
  });
});

describe("work that is stopped", () => {
  test("by its timeout is tried again as deadline_exceeded", async () => {
    const { ending, row } = await outcomeOf(untilStopped, paintKind({ timeoutMs: 20 }));
    expect(ending).toBe("queued");
    expect(row).toMatchObject({ errorCode: "deadline_exceeded", attempts: 1 });
  });

  test("by its timeout is told so when its deadline is later", async () => {
    const kind = paintKind({ timeoutMs: 20, deadlineMs: 60_000 });
    expect((await outcomeOf(untilStopped, kind)).error?.message).toMatch(/^The work took longer than/);
  });

  test("by its deadline is told so, not that it took long", async () => {
    const { execution } = await runJob(untilStopped, paint, {}, { deadlineSeconds: 0.02 });
    const { error } = await execution.ended;
    expect(error?.code).toBe("deadline_exceeded");
    expect(error?.message).toBe("Its time was over before the work was done.");
  });

  test("by its timeout ends even when it does not listen", async () => {
    const { ending } = await outcomeOf(
      () => new Promise(() => {}),
      paintKind({ timeoutMs: 20, attemptsMax: 1 }),
    );
    expect(ending).toBe("failed");
  });

  test("by a cancellation is cancelled, and that is landed", async () => {
    const { claimed, execution } = await runJob(untilStopped);
    await cancel(claimed.id);
    execution.stop("cancelled");
    expect((await execution.ended).ending).toBe("cancelled");
    expect(await jobs.find(claimed.id)).toMatchObject({ state: "cancelled", errorCode: null });
    expect(await jobs.landings(claimed.id)).toEqual(["cancelled"]);
  });

  test("by a shutdown goes back untried", async () => {
    const { claimed, execution } = await runJob(untilStopped);
    execution.stop("shutdown");
    expect((await execution.ended).ending).toBe("released");
    const row = await jobs.find(claimed.id);
    expect(row).toMatchObject({ state: "queued", attempts: 0, errorCode: null });
    expect(row.waitSeconds).toBeLessThanOrEqual(0);
    expect(await jobs.landings(claimed.id)).toEqual([]);
  });

  test("by a shutdown while it is to be cancelled is cancelled", async () => {
    const { claimed, execution } = await runJob(untilStopped);
    await cancel(claimed.id);
    execution.stop("shutdown");
    expect((await execution.ended).ending).toBe("cancelled");
    expect(await jobs.landings(claimed.id)).toEqual(["cancelled"]);
  });

  test("because its claim is lost writes nothing", async () => {
    const { claimed, execution } = await runJob(untilStopped);
    const before = await jobs.find(claimed.id);
    execution.stop("lost");
    expect((await execution.ended).ending).toBe("lost");
    expect(await jobs.find(claimed.id)).toEqual({ ...before, waitSeconds: expect.any(Number) });
  });

  test("twice keeps the first reason", async () => {
    const { execution } = await runJob(untilStopped);
    execution.stop("shutdown");
    execution.stop("timeout");
    expect((await execution.ended).ending).toBe("released");
  });

  test("after it succeeded is done all the same", async () => {
    const { claimed, execution } = await runJob(async () => ({ colour: "red" }));
    await execution.ended;
    execution.stop("cancelled");
    expect((await jobs.find(claimed.id)).state).toBe("done");
  });
});

describe("progress", () => {
  async function progressOf(id: string) {
    return (await jobs.events(id))
      .filter((event) => event.event === "job.progressed")
      .map((event) => event.progress);
  }

  test("is coalesced: of a thousand reports a few are told, each further than the last", async () => {
    const { claimed, execution } = await runJob(async (_payload, context) => {
      for (let done = 0; done <= 1000; done++) {
        context.reportProgress(done, 1000, `stroke ${done}`);
        if (done % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      }
      return { colour: "red" };
    });
    await execution.ended;
    const told = await progressOf(claimed.id);
    expect(told.length).toBeGreaterThan(0);
    expect(told.length).toBeLessThan(20);
    const done = told.map((progress) => progress.done);
    expect(done).toEqual([...done].sort((left, right) => left - right));
  });

  test("is whole when the work is done", async () => {
    const { row } = await outcomeOf(async (_payload, context) => {
      context.reportProgress(1, 4);
      await new Promise((resolve) => setTimeout(resolve, 5));
      return { colour: "red" };
    });
    expect(row.progressDone).toBe(row.progressTotal ?? 0);
  });

  test("never goes back within a claim and starts anew with the next", async () => {
    const job = await jobs.claimNew();
    await reportProgress(jobs.sidecar, job, { done: 3, total: 4 });
    await reportProgress(jobs.sidecar, job, { done: 1, total: 4 });
    await reportProgress(jobs.sidecar, job, { done: 2, total: 3 });
    expect(await jobs.find(job.id)).toMatchObject({ progressDone: 3, progressTotal: 4 });
    await jobs.sql`update parlance.jobs set lease_expires_at = now() - interval '1 second'`;
    await rescueJobs(jobs.sidecar, new Map());
    await jobs.makeDue(job.id);
    await jobs.claim();
    expect(await jobs.find(job.id)).toMatchObject({ progressDone: 0, progressTotal: null });
  });

  test("is told at once the first time and at its end, and in between not more often than every 200 ms", async () => {
    const job = await jobs.claimNew();
    for (const done of [1, 2, 3, 4, 4]) await reportProgress(jobs.sidecar, job, { done, total: 4 });
    expect((await progressOf(job.id)).map((progress) => progress.done)).toEqual([1, 4]);
    expect((await jobs.find(job.id)).progressDone).toBe(4);
  });

  test("that cannot be told does not fail the work", async () => {
    const { ending } = await outcomeOf(async (_payload, context) => {
      context.reportProgress(Number.NaN, 4);
      await new Promise((resolve) => setTimeout(resolve, 5));
      return { colour: "red" };
    });
    expect(ending).toBe("done");
  });
});
