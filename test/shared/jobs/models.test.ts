/** A job that needs a model is left to the worker that has it in memory, for a while. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createId } from "../../../shared/ids.ts";
import { type JobsDatabase, openJobsDatabase } from "./setup.ts";

let jobs: JobsDatabase;
beforeAll(async () => {
  jobs = await openJobsDatabase();
});
afterAll(() => jobs[Symbol.asyncDispose]());
beforeEach(() => jobs.clear());

const models = ["palette", "clip"];

/** A worker that says that it lives; answers its id. */
async function report(loaded: string[], worker: { id?: string; state?: string; secondsAgo?: number } = {}) {
  const { id = createId(), state = "running", secondsAgo = 0 } = worker;
  await jobs.sidecar`
    select parlance.report_worker(
      ${id}, 'sidecar', 'cpu', 'cpu', '{test.paint-wall}', ${models}::text[], ${loaded}::text[], 0, '{}', ${state}
    )
  `;
  await jobs.sql`
    update parlance.workers set last_seen_at = now() - make_interval(secs => ${secondsAgo}) where id = ${id}
  `;
  return id;
}

const claimAs = (workerId: string, loaded: string[], patienceSeconds = 3600) =>
  jobs.claim(5, { workerId, models, loaded, patienceSeconds });

describe("a job that needs a model", () => {
  test("is claimed by no worker that does not offer it", async () => {
    const id = await jobs.add({ model: "clip" });
    expect(await jobs.claim(5)).toEqual([]);
    expect(await jobs.claim(5, { models: ["palette"] })).toEqual([]);
    expect((await jobs.claim(5, { models: ["clip"] })).map((job) => job.id)).toEqual([id]);
  });

  test("is left to a living worker that has it in memory", async () => {
    const [warm, cold] = [await report(["clip"]), await report([])];
    const id = await jobs.add({ model: "clip" });
    expect(await claimAs(cold, [])).toEqual([]);
    expect((await claimAs(warm, ["clip"])).map((job) => job.id)).toEqual([id]);
  });

  test("is taken by one that must load it when the patience is over", async () => {
    const cold = await report([]);
    await report(["clip"]);
    const id = await jobs.add({ model: "clip" });
    await jobs.sql`update parlance.jobs set run_after = now() - interval '3 seconds'`;
    expect(await claimAs(cold, [], 4)).toEqual([]);
    expect((await claimAs(cold, [], 2)).map((job) => job.id)).toEqual([id]);
  });

  test.each([
    ["is dead", { secondsAgo: 30 }],
    ["is on its way out", { state: "draining" }],
  ])("is not left to one that %s", async (_what, worker) => {
    await report(["clip"], worker);
    const cold = await report([]);
    const id = await jobs.add({ model: "clip" });
    expect((await claimAs(cold, [])).map((job) => job.id)).toEqual([id]);
  });

  test("is not left to the one that asks, by an older word of its own", async () => {
    const worker = await report(["clip"]);
    const id = await jobs.add({ model: "clip" });
    expect((await claimAs(worker, [])).map((job) => job.id)).toEqual([id]);
  });

  test("is taken at once where nobody has it in memory", async () => {
    const cold = await report(["palette"]);
    const id = await jobs.add({ model: "clip" });
    expect((await claimAs(cold, ["palette"])).map((job) => job.id)).toEqual([id]);
  });

  test("is taken at once by one of several that have it", async () => {
    const [one, other] = [await report(["clip"]), await report(["clip", "palette"])];
    await jobs.add({ model: "clip" });
    expect(await claimAs(one, ["clip"])).toHaveLength(1);
    await jobs.add({ model: "clip" });
    expect(await claimAs(other, ["clip", "palette"])).toHaveLength(1);
  });

  test("that is left to another holds up nothing behind it", async () => {
    await report(["clip"]);
    const cold = await report(["palette"]);
    await jobs.add({ model: "clip" });
    const [next, plain] = [await jobs.add({ model: "palette" }), await jobs.add()];
    expect((await claimAs(cold, ["palette"])).map((job) => job.id)).toEqual([next, plain]);
  });
});
