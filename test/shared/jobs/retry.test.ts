/** A failed job gets another life under its id. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { cancelJob, failJob, retryJob } from "../../../shared/jobs/queue.ts";
import { complete, type JobsDatabase, openJobsDatabase, type PaintKind, paint, paintKind } from "./setup.ts";

let jobs: JobsDatabase;
beforeAll(async () => {
  jobs = await openJobsDatabase();
});
afterAll(() => jobs[Symbol.asyncDispose]());
beforeEach(() => jobs.clear());

const failure = { code: "upstream_failed", message: "no answer", retryable: false };

async function addFailed(kind: PaintKind = paint, job: { uniqueKey?: string; ownerId?: string } = {}) {
  const claimed = await jobs.claimNew(job, kind);
  await failJob(jobs.sidecar, claimed, failure);
  return claimed;
}

function retry(id: string, kind: PaintKind = paint): Promise<boolean> {
  const job = { id, kind: kind.name, ownerId: null, subjectId: null };
  return jobs.sql.begin((transaction) =>
    retryJob(transaction, new Map([[kind.name, kind]]), job),
  ) as Promise<boolean>;
}

describe("a failed job that is retried", () => {
  test("is queued under its id with all its attempts, told, and runs again", async () => {
    const { id } = await addFailed();
    expect(await retry(id)).toBe(true);
    expect(await jobs.find(id)).toMatchObject({
      state: "queued",
      attempts: 0,
      finishedAt: null,
      cancelRequestedAt: null,
    });
    expect((await jobs.events(id)).map((event) => event.event)).toEqual([
      "job.queued",
      "job.started",
      "job.failed",
      "job.retried",
    ]);
    const [again] = await jobs.claim();
    expect(again).toMatchObject({ id, attempts: 1 });
    if (again) await complete(jobs.sidecar, again, { colour: "red" });
    expect(await jobs.find(id)).toMatchObject({ state: "done", errorCode: null, result: { colour: "red" } });
    expect((await jobs.events(id)).map((event) => event.sequence)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test("is claimed under a newer number: what is left of its first life is fenced", async () => {
    const first = await addFailed();
    await retry(first.id);
    const [again] = await jobs.claim();
    expect(again?.claim).toBeGreaterThan(first.claim);
    expect(await complete(jobs.sidecar, first)).toBe(false);
    expect(await failJob(jobs.sidecar, first, failure)).toBeUndefined();
    expect((await jobs.find(first.id)).state).toBe("running");
  });

  test("takes its failure back in the same transaction, or stays failed", async () => {
    const kind = paintKind({
      landRetry: async (transaction, job) => {
        await transaction`insert into public.landings values (${job.id}, 'taken back')`;
      },
    });
    const { id } = await addFailed(kind);
    expect(await retry(id, kind)).toBe(true);
    expect(await jobs.landings(id)).toEqual(["taken back"]);

    const refusing = paintKind({
      landRetry: async (transaction, job) => {
        await transaction`insert into public.landings values (${job.id}, 'refused')`;
      },
    });
    const other = await addFailed(refusing);
    await expect(retry(other.id, refusing)).rejects.toThrow();
    expect((await jobs.find(other.id)).state).toBe("failed");
    expect(await jobs.events(other.id)).toHaveLength(3);
  });

  test("has its deadline anew", async () => {
    const kind = paintKind({ deadlineMs: 60_000 });
    const job = await jobs.claimNew({}, kind);
    await jobs.sql`
      update parlance.jobs
      set created_at = created_at - interval '1 hour', deadline_at = deadline_at - interval '30 minutes'
      where id = ${job.id}
    `;
    await failJob(jobs.sidecar, job, failure);
    const { id } = job;
    await retry(id, kind);
    const [row] = await jobs.sql`
      select extract(epoch from deadline_at - clock_timestamp())::float8 as seconds from parlance.jobs where id = ${id}
    `;
    expect(row?.seconds).toBeGreaterThan(30);
    expect(row?.seconds).toBeLessThanOrEqual(60);
    expect(await jobs.claim(1, { kinds: [kind] })).toHaveLength(1);
  });

  test("goes on where its last checkpoint was", async () => {
    const job = await jobs.claimNew();
    await jobs.sidecar`select parlance.save_job_cursor(${job.id}, ${job.claim}, '7', 1)`;
    await failJob(jobs.sidecar, job, failure);
    await retry(job.id);
    expect((await jobs.claim())[0]).toMatchObject({ id: job.id, cursor: 7 });
  });

  test("may fail, and be retried, again and again", async () => {
    const { id } = await addFailed();
    for (let life = 2; life <= 4; life++) {
      expect(await retry(id)).toBe(true);
      const [claimed] = await jobs.claim();
      if (claimed) await failJob(jobs.sidecar, claimed, failure);
      expect((await jobs.find(id)).state).toBe("failed");
    }
    expect((await jobs.events(id)).filter((event) => event.event === "job.failed")).toHaveLength(4);
  });

  test("wakes workers and waits for nothing", async () => {
    const heard: string[] = [];
    const { unlisten } = await jobs.sql.listen("parlance_jobs", (text) => heard.push(text));
    const { id } = await addFailed();
    const before = heard.length;
    await retry(id);
    await expect.poll(() => heard.length, { timeout: 10_000 }).toBeGreaterThan(before);
    expect((await jobs.find(id)).waitSeconds).toBeLessThanOrEqual(0);
    await unlisten();
  });
});

describe("a retry", () => {
  test("is refused while another job of the unique key is open, and then not", async () => {
    const { id } = await addFailed(paint, { uniqueKey: "wall" });
    const open = await jobs.claimNew({ uniqueKey: "wall" });
    expect(open.id).not.toBe(id);
    await expect(retry(id)).rejects.toMatchObject({ code: "conflict" });
    expect((await jobs.find(id)).state).toBe("failed");
    await complete(jobs.sidecar, open);
    expect(await retry(id)).toBe(true);
    expect(await jobs.add({ uniqueKey: "wall" })).toBe(id);
  });

  test("of what has not failed changes nothing", async () => {
    const queued = await jobs.add();
    const running = await jobs.claimNew({}, paintKind({ name: "test.run-on" }));
    const done = await jobs.claimNew({}, paintKind({ name: "test.be-done" }));
    await complete(jobs.sidecar, done);
    const cancelled = await jobs.add();
    await jobs.sql.begin((transaction) =>
      cancelJob(transaction, new Map(), { id: cancelled, kind: paint.name, ownerId: null, subjectId: null }),
    );
    for (const id of [queued, running.id, done.id, cancelled]) {
      const before = await jobs.find(id);
      expect(await retry(id)).toBe(false);
      expect(await jobs.find(id)).toEqual({ ...before, waitSeconds: expect.any(Number) });
    }
    expect(await retry("00000000-0000-7000-8000-000000000000")).toBe(false);
  });

  test("asked for by ten at once is one", async () => {
    const { id } = await addFailed();
    const clients = Array.from({ length: 10 }, () => jobs.database.connect({ max: 1 }));
    const job = { id, kind: paint.name, ownerId: null, subjectId: null };
    const answers = await Promise.all(
      clients.map((sql) => sql.begin((transaction) => retryJob(transaction, new Map(), job))),
    );
    await Promise.all(clients.map((sql) => sql.end()));
    expect(answers.filter(Boolean)).toHaveLength(1);
    expect((await jobs.events(id)).filter((event) => event.event === "job.retried")).toHaveLength(1);
  });
});
