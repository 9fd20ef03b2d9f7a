/** What lost two workers runs beside no other such job, so that one that kills its workers takes nobody along. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createId } from "../../../shared/ids.ts";
import { type ClaimedJob, rescueJobs } from "../../../shared/jobs/queue.ts";
import { ask, complete, type JobsDatabase, openJobsDatabase, paint } from "./setup.ts";

let jobs: JobsDatabase;
beforeAll(async () => {
  jobs = await openJobsDatabase();
});
afterAll(() => jobs[Symbol.asyncDispose]());
beforeEach(() => jobs.clear());

const kinds = new Map([paint, ask].map((kind) => [kind.name, kind]));

/** Everything that runs loses its worker, and is due again. */
async function killWorkers(claimedBy?: string): Promise<void> {
  await jobs.sql`
    update parlance.jobs
    set lease_expires_at = now() - interval '1 second'
    where state = 'running' and ${claimedBy ? jobs.sql`claimed_by = ${claimedBy}` : jobs.sql`true`}
  `;
  while ((await rescueJobs(jobs.sidecar, kinds)) > 0);
  await jobs.sql`update parlance.jobs set run_after = now() where state = 'queued'`;
}

/** As many jobs that lost two workers together. */
async function addSuspects(count: number): Promise<void> {
  await jobs.addMany(count);
  for (const _death of [1, 2]) {
    expect(await jobs.claim(count)).toHaveLength(count);
    await killWorkers();
  }
}

const isSuspect = async ({ id }: ClaimedJob) => (await jobs.find(id)).leaseLosses > 1;

describe("jobs that lost two workers", () => {
  test("are held by a worker one at a time, and by others meanwhile", async () => {
    await addSuspects(3);
    const workerId = createId();
    const [first, ...others] = await jobs.claim(5, { workerId });
    expect(others).toEqual([]);
    expect(await jobs.claim(5, { workerId })).toEqual([]);
    const [second] = await jobs.claim(5);
    expect(second?.id).not.toBe(first?.id);
    await complete(jobs.sidecar, first as ClaimedJob);
    expect(await jobs.claim(5, { workerId })).toHaveLength(1);
  });

  test("do not stand in the way of the rest", async () => {
    await addSuspects(4);
    await jobs.addMany(6);
    const workerId = createId();
    const claimed = [...(await jobs.claim(5, { workerId })), ...(await jobs.claim(5, { workerId }))];
    const suspects = await Promise.all(claimed.map(isSuspect));
    expect(claimed).toHaveLength(7);
    expect(suspects.filter(Boolean)).toHaveLength(1);
  });

  test("are one in both lanes together", async () => {
    await Promise.all([jobs.add(), jobs.add({}, ask)]);
    for (const _death of [1, 2]) {
      expect(await jobs.claim(2)).toHaveLength(2);
      await killWorkers();
    }
    const workerId = createId();
    expect(await jobs.claim(5, { workerId })).toMatchObject([{ lane: "interactive" }]);
    expect(await jobs.claim(5)).toMatchObject([{ lane: "bulk" }]);
  });

  test("that this worker may not run are not waited for", async () => {
    await jobs.addMany(1, { model: "clip" });
    for (const _death of [1, 2]) {
      expect(await jobs.claim(1, { models: ["clip"] })).toHaveLength(1);
      await killWorkers();
    }
    await addSuspects(1);
    expect(await jobs.claim(5)).toHaveLength(1);
  });
});

test("one that kills each of its workers ends as a dead letter, what ran beside it is done", async () => {
  const poison = await jobs.add({ payload: { colour: "poison" } });
  const innocent = await jobs.addMany(8, { payload: { colour: "red" } });
  const workerIds = [createId(), createId()];
  for (let round = 0; round < 20; round++) {
    for (const workerId of workerIds) {
      // Long work: what was claimed with the poison is not done when the worker dies.
      const claimed = await jobs.claim(9, { workerId });
      if (claimed.some(({ id }) => id === poison)) await killWorkers(workerId);
      else for (const job of claimed) await complete(jobs.sidecar, job);
    }
  }
  expect(await jobs.find(poison)).toMatchObject({ state: "failed", errorCode: "lease_expired", attempts: 3 });
  for (const id of innocent) expect((await jobs.find(id)).state).toBe("done");
});

describe("a job that lost two workers and runs", () => {
  test("is no hindrance once its lease is over", async () => {
    await addSuspects(2);
    const workerId = createId();
    const [first] = await jobs.claim(5, { workerId });
    await jobs.sql`update parlance.jobs set lease_expires_at = now() - interval '1 second' where id = ${first?.id ?? ""}`;
    expect(await jobs.claim(5, { workerId })).toHaveLength(1);
  });

  test("keeps no other waiting for more than ten minutes", async () => {
    await addSuspects(2);
    const workerId = createId();
    expect(await jobs.claim(5, { workerId })).toHaveLength(1);
    await jobs.sql`update parlance.jobs set run_after = now() - interval '9 minutes' where state = 'queued'`;
    expect(await jobs.claim(5, { workerId })).toEqual([]);
    await jobs.sql`update parlance.jobs set run_after = now() - interval '11 minutes' where state = 'queued'`;
    expect(await jobs.claim(5, { workerId })).toHaveLength(1);
  });

  test("is one of its worker, though two of its runners ask at once", async () => {
    for (let round = 0; round < 8; round++) {
      await jobs.clear();
      await Promise.all([jobs.add(), jobs.add({}, ask)]);
      for (const _death of [1, 2]) {
        expect(await jobs.claim(2)).toHaveLength(2);
        await killWorkers();
      }
      const workerId = createId();
      const claimed = await Promise.all([
        jobs.claim(2, { workerId, kinds: [paint] }),
        jobs.claim(2, { workerId, kinds: [ask] }),
      ]);
      expect(claimed.flat().length).toBeLessThanOrEqual(1);
    }
  });
});
