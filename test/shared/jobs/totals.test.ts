/** Totals of ended jobs: each life of a job once, whoever counts, however transactions end, and whatever is removed. */
import type { TransactionSql } from "postgres";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createId } from "../../../shared/ids.ts";
import { addJobs, cancelJob, claimJobs, completeJobs, failJob } from "../../../shared/jobs/queue.ts";
import { complete, type JobsDatabase, openJobsDatabase, paint } from "./setup.ts";

let jobs: JobsDatabase;
beforeAll(async () => {
  jobs = await openJobsDatabase();
});
afterAll(() => jobs[Symbol.asyncDispose]());
beforeEach(async () => {
  await jobs.sql`delete from parlance.jobs`;
  await count(1000);
  await jobs.sql`truncate parlance.job_totals, parlance.job_time_totals`;
});

async function count(jobsMax: number): Promise<number> {
  const [row] = await jobs.sql<{ jobs: number }[]>`select parlance.count_ended_jobs(${jobsMax}) as jobs`;
  return row?.jobs ?? -1;
}

async function totals(): Promise<Record<string, number>> {
  const rows = await jobs.sql<{ state: string; jobs: number }[]>`
    select state, sum(jobs)::integer as jobs from parlance.job_totals group by state
  `;
  return Object.fromEntries(rows.map(({ state, jobs: number }) => [state, number]));
}

/** How many jobs had waited, and had run, up to each bound; buckets without any are left out. */
async function times(measure: "wait" | "run"): Promise<Record<string, number>> {
  const rows = await jobs.sql<{ bound: number | null; jobs: number }[]>`
    select (parlance.job_time_bounds())[bucket + 1] as bound, jobs::integer
    from parlance.job_time_totals
    where measure = ${measure}
  `;
  return Object.fromEntries(rows.map(({ bound, jobs: number }) => [bound ?? "more", number]));
}

async function prune(): Promise<number> {
  const [row] = await jobs.sql<{ rows: number }[]>`
    select parlance.prune_jobs(clock_timestamp() + interval '1 hour', clock_timestamp(), 40) as rows
  `;
  return row?.rows ?? 0;
}

async function endAs(state: "done" | "failed", job = {}): Promise<string> {
  const claimed = await jobs.claimNew(job);
  if (state === "done") await complete(jobs.sidecar, claimed);
  else await failJob(jobs.sidecar, claimed, { code: "unexpected", message: "no", retryable: false });
  return claimed.id;
}

describe("counting", () => {
  test("counts what ended, once, and nothing that is open", async () => {
    await endAs("done");
    await endAs("failed");
    await jobs.add();
    expect([await count(100), await count(100)]).toEqual([2, 0]);
    expect(await totals()).toEqual({ done: 1, failed: 1 });
  });

  test("is done in bounded batches, also of jobs that one transaction ended", async () => {
    await addJobs(
      jobs.sql,
      paint,
      Array.from({ length: 10 }, () => ({ payload: { colour: "red" }, ownerId: null })),
    );
    const held = await jobs.claim(10);
    await completeJobs(
      jobs.sidecar,
      held.map(({ id, claim }) => ({ id, claim, result: {} })),
    );
    await endAs("done");
    const counted: number[] = [];
    for (let round = 0; round < 4; round++) counted.push(await count(4));
    expect(counted).toEqual([4, 4, 3, 0]);
    expect(await totals()).toEqual({ done: 11 });
  });

  test("counts each life of a job that failed and was retried, whether it was counted before the retry or not", async () => {
    for (const isCountedBefore of [true, false]) {
      const id = await endAs("failed");
      if (isCountedBefore) await count(100);
      await jobs.sql`select parlance.retry_job(${id})`;
      await jobs.makeDue(id);
      const [again] = await jobs.claim(1);
      await complete(jobs.sidecar, { id, claim: again?.claim ?? 0 });
    }
    await count(100);
    expect(await totals()).toEqual({ failed: 2, done: 2 });
  });

  test("counts jobs that go with their owner before anyone counted them", async () => {
    const ownerId = await jobs.addUser();
    await endAs("done", { ownerId });
    await endAs("done");
    await jobs.add({ ownerId });
    await jobs.admin`delete from auth.users where id = ${ownerId}`;
    expect(await totals()).toEqual({ done: 1 });
    expect(await count(100)).toBe(1);
    expect(await totals()).toEqual({ done: 2 });
  });

  test("goes on where rows were restored into a cluster that counts its transactions anew", async () => {
    await jobs.sql`update parlance.job_counting set counted = '9000000000:9000000000:', counting = null`;
    await count(100);
    await endAs("done");
    expect(await count(100)).toBe(1);
  });

  test("is refused to users and sidecars", async () => {
    await expect(jobs.sidecar`select parlance.count_ended_jobs(1)`).rejects.toMatchObject({ code: "42501" });
  });
});

describe("times", () => {
  /** A job that ended after these seconds. */
  async function endAfter(seconds: { delayed: number; waited: number; ran: number }): Promise<string> {
    const job = await jobs.claimNew();
    await jobs.sql`
      update parlance.jobs
      set created_at = at.ends - make_interval(secs => ${seconds.delayed + seconds.waited + seconds.ran}),
        run_after = at.ends - make_interval(secs => ${seconds.waited + seconds.ran}),
        started_at = at.ends - make_interval(secs => ${seconds.ran})
      from (select clock_timestamp() as ends) as at
      where id = ${job.id}
    `;
    await complete(jobs.sidecar, job);
    return job.id;
  }

  test("of the wait begin when the job was due, those of the run when it was claimed", async () => {
    await endAfter({ delayed: 5000, waited: 7, ran: 100 });
    await endAfter({ delayed: 0, waited: 4000, ran: 0 });
    await count(100);
    expect(await times("wait")).toEqual({ 10: 1, more: 1 });
    // The second ended some milliseconds after it was said to begin.
    expect((await times("run"))["150"]).toBe(1);
    expect(Object.values(await times("run"))).toEqual([1, 1]);
  });

  test("equal to a bound are within it", async () => {
    await jobs.sql`
      select parlance.add_job_lives(array(
        select row('test.paint-wall', 'bulk', 'done', 0, bound + shift, bound + shift)::parlance.job_life
        from unnest(parlance.job_time_bounds()) as bound, unnest('{0,0.000001}'::double precision[]) as shift
      ))
    `;
    const [row] = await jobs.sql<{ bounds: number[] }[]>`select parlance.job_time_bounds() as bounds`;
    const [first, ...others] = row?.bounds ?? [];
    expect(await times("wait")).toEqual({
      [String(first)]: 1,
      ...Object.fromEntries(others.map((bound) => [bound, 2])),
      more: 1,
    });
  });

  test("of a retried job are those of each life", async () => {
    const job = await jobs.claimNew();
    await jobs.sql`
      update parlance.jobs
      set created_at = now() - interval '1000 seconds', run_after = now() - interval '1000 seconds',
        started_at = now() - interval '500 seconds'
      where id = ${job.id}
    `;
    await failJob(jobs.sidecar, job, { code: "unexpected", message: "no", retryable: false });
    await jobs.sql`select parlance.retry_job(${job.id})`;
    expect(await jobs.find(job.id)).toMatchObject({ startedAt: null, leaseLosses: 0, state: "queued" });
    const [again] = await jobs.claim(1);
    await complete(jobs.sidecar, { id: job.id, claim: again?.claim ?? 0 });
    await count(100);
    expect((await times("wait"))["600"]).toBe(1);
    expect((await times("run"))["600"]).toBe(1);
    expect(Object.values(await times("wait")).reduce((sum, number) => sum + number)).toBe(2);
  });

  test("of what was cancelled before anyone claimed it are none", async () => {
    const id = await jobs.add();
    await jobs.sql`select parlance.cancel_job(${id})`;
    await count(100);
    expect([await totals(), await times("wait"), await times("run")]).toEqual([{ cancelled: 1 }, {}, {}]);
  });
});

describe("histories", () => {
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  const draw = (max: number) => Math.floor(Math.random() * max);

  /** What each transaction ended, added up when it has committed. */
  interface Truth {
    done: number;
    failed: number;
    cancelled: number;
    ran: number;
  }

  /** One transaction that adds, claims, ends, cancels or retries some jobs, and takes its time to commit. */
  async function work(transaction: TransactionSql, ownerId: string): Promise<Truth> {
    const truth = { done: 0, failed: 0, cancelled: 0, ran: 0 };
    const news = Array.from({ length: draw(4) }, () => ({ payload: { colour: "red" }, ownerId }));
    if (news.length > 0) await addJobs(transaction, paint, news);
    const workerId = createId();
    const options = { workerId, kinds: [paint], lane: "bulk", jobsMax: 3, leaseSeconds: 60 } as const;
    const claimed = await claimJobs(transaction, options);
    await pause(draw(8));
    for (const job of claimed) {
      if (draw(3) > 0) {
        truth.done += (await completeJobs(transaction, [{ ...job, result: {} }])).size;
        truth.ran += 1;
      } else {
        await failJob(transaction, job, { code: "unexpected", message: "no", retryable: false });
        truth.failed += 1;
        truth.ran += 1;
      }
    }
    const [waiting] = await transaction<{ id: string; kind: string }[]>`
      select id, kind from parlance.jobs where state = 'queued' and random() < 0.3 limit 1 for update skip locked
    `;
    if (waiting) {
      await cancelJob(transaction, new Map(), { ...waiting, ownerId: null, subjectId: null });
      truth.cancelled += 1;
    }
    await transaction`
      select parlance.retry_job(id)
      from (select id from parlance.jobs where state = 'failed' and random() < 0.4 limit 1 for update skip locked) as failed
    `;
    await pause(draw(8));
    if (draw(6) === 0) throw new Error("rolled back");
    return truth;
  }

  test("of many writers, counters and pruners at once, with rollbacks and removed owners, add up", async () => {
    const truth: Truth = { done: 0, failed: 0, cancelled: 0, ran: 0 };
    const owners = await Promise.all(Array.from({ length: 5 }, () => jobs.addUser()));
    const keeper = await jobs.addUser();
    let isOver = false;
    const writers = Array.from({ length: 4 }, async () => {
      for (let round = 0; round < 25; round++) {
        const ownerId = (draw(2) === 0 ? owners[draw(owners.length)] : keeper) ?? keeper;
        try {
          const ended = await jobs.sql.begin((transaction) => work(transaction, ownerId));
          for (const key of ["done", "failed", "cancelled", "ran"] as const) truth[key] += ended[key];
        } catch (error) {
          // Its owner is gone, or a deadlock with the removal was broken: nothing of it happened.
          const { code, message } = error as { code?: string; message: string };
          if (message !== "rolled back" && code !== "23503" && code !== "40P01") throw error;
        }
      }
    });
    const repeat = async (run: () => Promise<unknown>) => {
      while (!isOver) {
        await run();
        await pause(draw(10));
      }
    };
    const others = [
      repeat(() => count(1 + draw(7))),
      repeat(() => count(1 + draw(7))),
      repeat(() => prune()),
    ];
    const removal = (async () => {
      for (const id of owners) {
        await pause(100);
        const remove = () => jobs.admin`delete from auth.users where id = ${id}`;
        await remove().catch(remove);
      }
    })();
    await Promise.all([...writers, removal]);
    isOver = true;
    await Promise.all(others);
    while ((await count(50)) > 0);
    const { ran, ...all } = truth;
    // A state that no job ended in has no row.
    const ended: Partial<typeof all> = Object.fromEntries(Object.entries(all).filter(([, jobs]) => jobs > 0));
    expect(ended.done).toBeGreaterThan(10);
    expect(ended.failed).toBeGreaterThan(3);
    expect(await totals()).toEqual(ended);
    const waits = Object.values(await times("wait")).reduce((sum, number) => sum + number, 0);
    expect(waits).toBeGreaterThanOrEqual(ran);
    while ((await prune()) > 0);
    expect(await totals()).toEqual(ended);
  }, 120_000);
});
