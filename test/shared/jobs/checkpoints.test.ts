/** Long work that goes on where it was: a cursor, what was written with it, and what is told meanwhile. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { AppError } from "../../../shared/errors.ts";
import { executeJob } from "../../../shared/jobs/executor.ts";
import { defineTask, type TaskContext } from "../../../shared/jobs/kinds.ts";
import { type ClaimedJob, failJob, reportProgress, rescueJobs } from "../../../shared/jobs/queue.ts";
import { until } from "../../helpers/until.ts";
import {
  type JobsDatabase,
  openJobsDatabase,
  type PaintOutcome,
  type PaintPayload,
  paint,
  release,
} from "./setup.ts";

let jobs: JobsDatabase;
beforeAll(async () => {
  jobs = await openJobsDatabase();
});
afterAll(() => jobs[Symbol.asyncDispose]());
beforeEach(() => jobs.clear());

const kinds = new Map([[paint.name, paint]]);

type Run = (payload: PaintPayload, context: TaskContext) => Promise<PaintOutcome>;
function execute(job: ClaimedJob, run: Run) {
  return executeJob(jobs.sidecar, defineTask(paint, run), job);
}

async function claim(leaseSeconds = 30): Promise<ClaimedJob> {
  await jobs.sql`update parlance.jobs set run_after = now() where state = 'queued'`;
  const [job] = await jobs.claim(1, { leaseSeconds });
  if (!job) throw new Error("nothing was claimed");
  return job;
}

/** Takes the job from its worker, as a rescue does. */
async function lose(id: string): Promise<void> {
  await jobs.sql`update parlance.jobs set lease_expires_at = now() - interval '1 second' where id = ${id}`;
  await rescueJobs(jobs.sidecar, kinds);
}

/** Paints strokes from the cursor on, each with a row of its own; answers what it began with. */
const strokes =
  (from: unknown[], to: number, then: (context: TaskContext) => Promise<unknown> = async () => {}): Run =>
  async ({ colour }, context) => {
    from.push(context.cursor);
    for (let stroke = ((context.cursor as number | undefined) ?? 0) + 1; stroke <= to; stroke++) {
      await context.checkpoint(stroke, async (transaction) => {
        await transaction`insert into public.landings values (${context.job.id}, ${`stroke ${stroke}`})`;
      });
    }
    await then(context);
    return { colour };
  };
const strokesTo = (to: number) => Array.from({ length: to }, (_, index) => `stroke ${index + 1}`);

async function failRetryably(): Promise<never> {
  throw new AppError("upstream_failed", "no answer", { retryable: true });
}

describe("a cursor", () => {
  test("is nothing in the first run and where the last one was in the next, after a failure", async () => {
    const id = await jobs.add();
    const from: unknown[] = [];
    expect((await execute(await claim(), strokes(from, 3, failRetryably)).ended).ending).toBe("queued");
    expect((await execute(await claim(), strokes(from, 5)).ended).ending).toBe("done");
    expect(from).toEqual([undefined, 3]);
    expect(await jobs.landings(id)).toEqual([...strokesTo(5), "red"]);
    expect(await jobs.find(id)).toMatchObject({ state: "done", cursor: null });
  });

  test("survives that its worker dies, and is fenced from what is left of it", async () => {
    const id = await jobs.add();
    const from: unknown[] = [];
    const refused = Promise.withResolvers<unknown>();
    const dead = execute(
      await claim(),
      strokes(from, 3, async (context) => {
        await lose(id);
        const writing = context.checkpoint(99, async (transaction) => {
          await transaction`insert into public.landings values (${id}, 'stale')`;
        });
        refused.resolve(await writing.catch((error) => error));
      }),
    );
    expect((await dead.ended).ending).toBe("lost");
    expect(await refused.promise).toMatchObject({ code: "conflict" });
    expect((await execute(await claim(), strokes(from, 4)).ended).ending).toBe("done");
    expect(from).toEqual([undefined, 3]);
    expect(await jobs.landings(id)).toEqual([...strokesTo(4), "red"]);
  });

  test("survives a release, and then the attempt is not counted", async () => {
    const id = await jobs.add();
    const from: unknown[] = [];
    const first = execute(
      await claim(),
      strokes(from, 2, () => new Promise(() => {})),
    );
    await until("two strokes are painted", async () => (await jobs.find(id)).cursor === 2);
    first.stop("shutdown");
    expect((await first.ended).ending).toBe("released");
    expect(await jobs.find(id)).toMatchObject({ state: "queued", cursor: 2, attempts: 0 });
    await execute(await claim(), strokes(from, 3)).ended;
    expect(from).toEqual([undefined, 2]);
    expect(await jobs.landings(id)).toEqual([...strokesTo(3), "red"]);
  });

  test("may be anything of JSON, and null begins anew", async () => {
    const id = await jobs.add();
    const cursors: unknown[] = [];
    for (const cursor of [{ after: "ü", list: [1, [2]] }, "text", false, 0, null, "end"]) {
      const job = await claim();
      const run = execute(job, async (_payload, context) => {
        cursors.push(context.cursor);
        await context.checkpoint(cursor);
        throw new AppError("upstream_failed", "no", { retryable: true });
      });
      await run.ended;
    }
    expect(cursors).toEqual([undefined, { after: "ü", list: [1, [2]] }, "text", false, 0, undefined]);
    expect((await jobs.find(id)).state).toBe("queued");
  });

  test("is not saved when what belongs to it is refused", async () => {
    const id = await jobs.add();
    const { ending } = await execute(await claim(), async ({ colour }, context) => {
      await context.checkpoint(1);
      await context.checkpoint(2, async (transaction) => {
        await transaction`insert into public.landings values (${id}, 'refused')`;
      });
      return { colour };
    }).ended;
    expect(ending).toBe("failed");
    expect(await jobs.find(id)).toMatchObject({ cursor: 1, state: "failed" });
    expect(await jobs.landings(id)).toEqual(["unexpected"]);
  });

  test("is saved once when the answer of its commit is lost", async () => {
    const id = await jobs.add();
    const job = await claim();
    let broken = 0;
    // The transaction commits, then the connection is gone before its client hears of it.
    const flaky = new Proxy(jobs.sidecar, {
      get(target, name) {
        if (name !== "begin") return Reflect.get(target, name);
        return async (work: Parameters<typeof target.begin>[0]) => {
          const answer = await target.begin(work as never);
          if (broken++ === 0) throw Object.assign(new Error("gone"), { code: "CONNECTION_CLOSED" });
          return answer;
        };
      },
    });
    const { ending } = await executeJob(flaky, defineTask(paint, strokes([], 3)), job).ended;
    expect(ending).toBe("done");
    expect(broken).toBeGreaterThan(3);
    expect(await jobs.landings(id)).toEqual([...strokesTo(3), "red"]);
  });
});

describe("attempts", () => {
  test("begin anew with every checkpoint: what wears a job out is failing at one place", async () => {
    const id = await jobs.add();
    const from: unknown[] = [];
    for (let round = 1; round <= 6; round++) {
      expect((await execute(await claim(), strokes(from, round, failRetryably)).ended).ending).toBe("queued");
      expect((await jobs.find(id)).attempts).toBe(1);
    }
    expect((await execute(await claim(), failRetryably).ended).ending).toBe("queued");
    expect((await execute(await claim(), failRetryably).ended).ending).toBe("failed");
    expect(await jobs.find(id)).toMatchObject({ attempts: 3, cursor: 6 });
  });
});

describe("progress and partial results", () => {
  const told = { done: 3, total: 9, message: "three of nine", partial: { colour: "reddish" } };

  async function tellThenFail(job: ClaimedJob): Promise<void> {
    await reportProgress(jobs.sidecar, job, told);
    await failJob(jobs.sidecar, job, { code: "upstream_failed", message: "no", retryable: true });
  }

  test("are kept over runs where there is a cursor", async () => {
    const id = await jobs.add();
    const job = await claim();
    await jobs.sidecar`select parlance.save_job_cursor(${id}, ${job.claim}, '3', 1)`;
    await tellThenFail(job);
    await claim();
    expect(await jobs.find(id)).toMatchObject({
      progressDone: 3,
      progressTotal: 9,
      partial: { colour: "reddish" },
    });
  });

  test("begin anew where there is none", async () => {
    const id = await jobs.add();
    await tellThenFail(await claim());
    expect((await jobs.find(id)).partial).toEqual({ colour: "reddish" });
    await claim();
    expect(await jobs.find(id)).toMatchObject({ progressDone: 0, progressTotal: null, partial: null });
  });

  test("are in the job and in its events; what is done has a result instead", async () => {
    const id = await jobs.add();
    const execution = execute(await claim(), async ({ colour }, context) => {
      context.reportProgress(1, 2, "half");
      context.reportPartial({ colour: "pale" });
      await until("it is told", async () => (await jobs.find(id)).partial !== null);
      expect(await jobs.find(id)).toMatchObject({
        progressDone: 1,
        progressTotal: 2,
        progressMessage: "half",
      });
      context.reportPartial({ colour: "darker" });
      await until("it is told", async () => (await jobs.find(id)).partial?.colour === "darker");
      expect(await jobs.find(id)).toMatchObject({ progressDone: 1, progressMessage: "half" });
      return { colour };
    });
    expect((await execution.ended).ending).toBe("done");
    expect(await jobs.find(id)).toMatchObject({ partial: null, result: { colour: "red" } });
    const events = await jobs.events(id);
    expect(events.map((event) => event.partial).filter((partial) => partial !== null)).toEqual([
      { colour: "pale" },
      { colour: "darker" },
    ]);
    expect(events.at(-1)).toMatchObject({ event: "job.done", partial: null });
  });

  test("stay with a job that failed, for whoever looks", async () => {
    const id = await jobs.add();
    const job = await claim();
    await reportProgress(jobs.sidecar, job, told);
    await failJob(jobs.sidecar, job, { code: "unexpected", message: "x", retryable: false });
    expect(await jobs.find(id)).toMatchObject({ state: "failed", partial: { colour: "reddish" } });
  });

  test("of a claim that is lost are not written", async () => {
    const id = await jobs.add();
    const job = await claim();
    await lose(id);
    expect(await reportProgress(jobs.sidecar, job, told)).toBe(false);
    expect((await jobs.find(id)).partial).toBeNull();
    expect(await release(jobs.sidecar, job)).toBeUndefined();
  });
});
