/** From adding to the end: waits, tries and what is between them. The database's clock alone counts. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { AppError } from "../../../shared/errors.ts";
import { executeJob } from "../../../shared/jobs/executor.ts";
import { defineTask, type TaskContext } from "../../../shared/jobs/kinds.ts";
import { type ClaimedJob, rescueJobs } from "../../../shared/jobs/queue.ts";
import {
  type JobsDatabase,
  openJobsDatabase,
  type PaintOutcome,
  type PaintPayload,
  paintKind,
} from "./setup.ts";

let jobs: JobsDatabase;
beforeAll(async () => {
  jobs = await openJobsDatabase();
});
afterAll(() => jobs[Symbol.asyncDispose]());
beforeEach(() => jobs.clear());
afterEach(() => {
  vi.restoreAllMocks();
});

const minuteMs = 60_000;
const kind = paintKind({ deadlineMs: minuteMs, timeoutMs: 10 * minuteMs });
const kinds = new Map([[kind.name, kind]]);
const claim = async () => (await jobs.claim(10, { kinds: [kind] }))[0];

/** Moves the deadline to so many seconds from now. */
async function setDeadline(id: string, seconds: number): Promise<void> {
  await jobs.sql`update parlance.jobs set deadline_at = clock_timestamp() + make_interval(secs => ${seconds}) where id = ${id}`;
}

type Run = (payload: PaintPayload, context: TaskContext) => Promise<PaintOutcome>;
/** Claims the next job and runs it; `held` changes what its worker knows of it. */
async function run(work: Run, held: Partial<ClaimedJob> = {}) {
  const job = await claim();
  if (!job) throw new Error("nothing was claimed");
  return executeJob(jobs.sidecar, defineTask(kind, work), { ...job, ...held }).ended;
}
const untilStopped: Run = (_payload, { signal }) =>
  new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

describe("a job with a deadline", () => {
  test("has it from when it was added; one without has none", async () => {
    const [limited, free] = [await jobs.add({}, kind), await jobs.add()];
    const [row] = await jobs.sql`
      select extract(epoch from deadline_at - created_at)::float8 as seconds from parlance.jobs where id = ${limited}
    `;
    expect(row?.seconds).toBe(60);
    expect((await jobs.find(free)).deadlineAt).toBeNull();
    const claimed = await jobs.claim(10);
    expect(claimed.find((job) => job.id === free)?.deadlineSeconds).toBeNull();
    expect(claimed.find((job) => job.id === limited)?.deadlineSeconds).toBeGreaterThan(0);
    expect(claimed.find((job) => job.id === limited)?.deadlineSeconds).toBeLessThanOrEqual(60);
  });

  test("that waited past it is not begun, fails and lands that", async () => {
    const id = await jobs.add({}, kind);
    await setDeadline(id, -1);
    expect(await claim()).toBeUndefined();
    expect(await rescueJobs(jobs.sidecar, kinds)).toBe(1);
    expect(await jobs.find(id)).toMatchObject({
      state: "failed",
      errorCode: "deadline_exceeded",
      attempts: 0,
    });
    expect(await jobs.landings(id)).toEqual(["deadline_exceeded"]);
    expect((await jobs.events(id)).at(-1)).toMatchObject({
      event: "job.failed",
      error: { code: "deadline_exceeded" },
    });
  });

  test("that waits for its time past it fails all the same", async () => {
    const id = await jobs.add({ delaySeconds: 3600 }, kind);
    await setDeadline(id, -1);
    expect(await rescueJobs(jobs.sidecar, kinds)).toBe(1);
    expect(await jobs.landings(id)).toEqual(["deadline_exceeded"]);
  });

  test("that passes while another's lease runs out: both are told, both land", async () => {
    const lastTry = paintKind({ attemptsMax: 1 });
    const silent = await jobs.claimNew({}, lastTry, 0);
    const late = await jobs.add({}, kind);
    await setDeadline(late, -1);
    await rescueJobs(jobs.sidecar, kinds);
    expect(await jobs.landings(silent.id)).toEqual(["lease_expired"]);
    expect(await jobs.landings(late)).toEqual(["deadline_exceeded"]);
  });

  test("that runs is stopped then, and is not tried again", async () => {
    const id = await jobs.add({}, kind);
    const { ending, error } = await run(
      async (payload, context) => {
        await setDeadline(id, 0);
        return untilStopped(payload, context);
      },
      { deadlineSeconds: 0.05 },
    );
    expect(ending).toBe("failed");
    expect(error?.code).toBe("deadline_exceeded");
    expect(await jobs.find(id)).toMatchObject({ state: "failed", attempts: 1 });
    expect(await jobs.landings(id)).toEqual(["deadline_exceeded"]);
  });

  test("is stopped after what the database says is left, whatever the worker's clock says", async () => {
    const realNow = Date.now;
    vi.spyOn(Date, "now").mockImplementation(() => realNow() - 24 * 3600_000);
    await jobs.add({}, kind);
    expect((await run(untilStopped, { deadlineSeconds: 0.05 })).error?.code).toBe("deadline_exceeded");
    vi.spyOn(Date, "now").mockImplementation(() => realNow() + 24 * 3600_000);
    await jobs.add({}, kind);
    expect((await run(async ({ colour }) => ({ colour }))).ending).toBe("done");
  });

  test("is stopped by its time when that is over first, and tried again", async () => {
    const quick = paintKind({ deadlineMs: minuteMs, timeoutMs: 20 });
    const job = await jobs.claimNew({}, quick);
    expect((await executeJob(jobs.sidecar, defineTask(quick, untilStopped), job).ended).ending).toBe(
      "queued",
    );
  });

  test("that was held for a while before it began has that much less", async () => {
    const id = await jobs.add({}, kind);
    const job = await claim();
    if (!job) throw new Error("nothing was claimed");
    const held = { ...job, claimedAtMs: job.claimedAtMs - 2 * minuteMs };
    const { ending } = await executeJob(jobs.sidecar, defineTask(kind, untilStopped), held).ended;
    // Its deadline by the database is not over: there is time for another try.
    expect(ending).toBe("queued");
    expect((await jobs.find(id)).errorCode).toBe("deadline_exceeded");
  });

  test.each([
    ["later than the wait before the next try", 60, "queued"],
    ["before the wait is over", 1, "failed"],
  ])("%s: a failed try leaves it so", async (_what, seconds, state) => {
    const id = await jobs.add({}, kind);
    const { ending } = await run(async () => {
      await setDeadline(id, seconds);
      throw new AppError("upstream_failed", "no", { retryable: true });
    });
    expect(ending).toBe(state);
    expect(await jobs.find(id)).toMatchObject({ state, errorCode: "upstream_failed" });
    expect(await jobs.landings(id)).toEqual(state === "failed" ? ["upstream_failed"] : []);
  });

  test("whose worker died too late for another try fails", async () => {
    const job = await jobs.claimNew({}, kind, 0);
    await setDeadline(job.id, 1);
    expect(await rescueJobs(jobs.sidecar, kinds)).toBe(1);
    expect(await jobs.find(job.id)).toMatchObject({ state: "failed", errorCode: "lease_expired" });
    expect(await jobs.landings(job.id)).toEqual(["lease_expired"]);
  });

  test("that is done after it is done: the work is not thrown away", async () => {
    const id = await jobs.add({}, kind);
    const { ending } = await run(async ({ colour }) => {
      await setDeadline(id, -1);
      return { colour };
    });
    expect(ending).toBe("done");
  });
});
