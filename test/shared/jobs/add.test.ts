import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { transactAs } from "../../../shared/callers.ts";
import { violatedConstraint } from "../../../shared/database.ts";
import { createId } from "../../../shared/ids.ts";
import { addJob } from "../../../shared/jobs/queue.ts";
import { complete, type JobsDatabase, openJobsDatabase, paint, paintKind } from "./setup.ts";

let jobs: JobsDatabase;
beforeAll(async () => {
  jobs = await openJobsDatabase();
});
afterAll(() => jobs[Symbol.asyncDispose]());
beforeEach(() => jobs.clear());

async function countJobs(): Promise<number> {
  const [row] = await jobs.sql<{ count: number }[]>`select count(*) from parlance.jobs`;
  return row?.count ?? -1;
}

const red = { payload: { colour: "red" }, ownerId: null };

describe("adding a job", () => {
  test("keeps what it was given and waits in the queue", async () => {
    const ownerId = await jobs.addUser();
    const subjectId = createId();
    const id = await jobs.add({ ownerId, subjectId });
    expect(await jobs.find(id)).toMatchObject({
      kind: "test.paint-wall",
      lane: "bulk",
      ownerId,
      subjectId,
      payload: { colour: "red" },
      state: "queued",
      attempts: 0,
      attemptsMax: 3,
      eventSequence: 1,
    });
  });

  test("in a transaction that rolls back leaves nothing", async () => {
    const adding = jobs.sql.begin(async (transaction) => {
      await addJob(transaction, paint, red);
      throw new Error("second thoughts");
    });
    await expect(adding).rejects.toThrow("second thoughts");
    expect(await countJobs()).toBe(0);
    const [events] = await jobs.sql`select count(*) from parlance.job_events`;
    expect(events?.count).toBe(0);
  });

  test("with a delay makes it wait", async () => {
    const id = await jobs.add({ delaySeconds: 60 });
    expect((await jobs.find(id)).waitSeconds).toBeGreaterThan(55);
    expect(await jobs.claim()).toEqual([]);
    await jobs.makeDue(id);
    expect(await jobs.claim()).toHaveLength(1);
  });

  test("refuses a payload that the kind does not know, before the database sees it", async () => {
    await expect(addJob(jobs.sql, paint, { ...red, payload: { colour: 7 } as never })).rejects.toThrow();
    expect(await countJobs()).toBe(0);
  });

  test.each([
    [
      "a payload above 64 kB",
      { payload: { colour: "x".repeat(65_536) } },
      paint,
      "payload_is_a_small_object",
    ],
    ["a unique key of 201 characters", { uniqueKey: "k".repeat(201) }, paint, "unique_key_is_short"],
    ["an owner that does not exist", { ownerId: createId() }, paint, "jobs_owner_id_fkey"],
    ["a kind without a verb", {}, paintKind({ name: "test.Paint" }), "kind_is_feature_dot_verb_noun"],
    ["a hundred and one attempts", {}, paintKind({ attemptsMax: 101 }), "attempts_are_within_their_limit"],
  ])("is refused with %s", async (_what, job, kind, constraint) => {
    const error = await jobs.add(job, kind).catch((thrown) => thrown);
    expect(violatedConstraint(error)).toBe(constraint);
  });

  test("goes with its owner", async () => {
    const ownerId = await jobs.addUser();
    await jobs.add({ ownerId });
    await jobs.admin`delete from auth.users where id = ${ownerId}`;
    expect(await countJobs()).toBe(0);
  });
});

describe("a unique key", () => {
  test("answers the open job instead of adding a second one", async () => {
    const first = await jobs.add({ uniqueKey: "wall 1" });
    expect(await jobs.add({ uniqueKey: "wall 1" })).toBe(first);
    expect(await jobs.add({ uniqueKey: "wall 2" })).not.toBe(first);
    expect(await jobs.add({ uniqueKey: "wall 1" }, paintKind({ name: "test.paint-door" }))).not.toBe(first);
    expect(await countJobs()).toBe(3);
  });

  test("still holds while the job runs, and no longer once it has ended", async () => {
    const running = await jobs.claimNew({ uniqueKey: "wall" });
    expect(await jobs.add({ uniqueKey: "wall" })).toBe(running.id);
    await complete(jobs.sidecar, running);
    expect(await jobs.add({ uniqueKey: "wall" })).not.toBe(running.id);
  });

  test("lets one of twenty win who add at once", async () => {
    const ids = await Promise.all(
      Array.from({ length: 20 }, () =>
        transactAs(jobs.sql, { role: "service_role", claims: { role: "service_role" } }, (transaction) =>
          addJob(transaction, paint, { ...red, uniqueKey: "wall" }),
        ),
      ),
    );
    expect(new Set(ids).size).toBe(1);
    expect(await countJobs()).toBe(1);
  });

  test("holds while jobs end between the adders", async () => {
    const ends = async () => {
      for (let round = 0; round < 30; round++) {
        for (const job of await jobs.claim()) await complete(jobs.sidecar, job);
      }
    };
    const adds = async () => {
      for (let round = 0; round < 30; round++) await jobs.add({ uniqueKey: "wall" });
    };
    await Promise.all([ends(), adds(), adds(), adds()]);
    const [open] = await jobs.sql`select count(*) from parlance.jobs where state in ('queued', 'running')`;
    expect(open?.count).toBeLessThanOrEqual(1);
  });
});
