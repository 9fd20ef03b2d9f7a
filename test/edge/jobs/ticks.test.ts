import type { Sql } from "postgres";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import type { Deps } from "../../../edge/deps.ts";
import { type TickOptions, tick } from "../../../edge/jobs/ticks.ts";
import { createSchedule, houseSchedules, runTick } from "../../../edge/tasks.ts";
import { AppError } from "../../../shared/errors.ts";
import { createId } from "../../../shared/ids.ts";
import { ingestImage } from "../../../shared/images/kinds.ts";
import { type AnyJobKind, defineTask, type JobKind, type TaskContext } from "../../../shared/jobs/kinds.ts";
import { addJob, claimJobs } from "../../../shared/jobs/queue.ts";
import { jobKinds } from "../../../shared/kinds.ts";
import { createLog } from "../../../shared/log.ts";
import { openTestApp, type TestApp } from "../../helpers/app.ts";

let house: TestApp;
beforeAll(async () => {
  house = await openTestApp();
  await house.deps.objects.ensureBucket();
});
afterAll(() => house.close());
beforeEach(async () => {
  await house.sql`delete from parlance.jobs`;
  await house.sql`delete from parlance.job_schedules`;
});

const nothing = { added: 0, rescued: 0, done: 0, failed: 0, requeued: 0 };

/** A kind of edge job that does what the test wants. */
function sweepFloor(
  work: (context: TaskContext) => Promise<void>,
  changes: Partial<JobKind<object, null>> = {},
) {
  const kind: JobKind<object, null> = {
    name: "test.sweep-floor",
    runner: "edge",
    lane: "bulk",
    payload: z.object({}),
    attemptsMax: 2,
    timeoutMs: 10_000,
    summarize: () => ({}),
    land: async () => {},
    landFailure: async () => {},
    ...changes,
  };
  const task = defineTask(kind, async (_, context) => {
    await work(context);
    return null;
  });
  const add = () => addJob(house.sql, kind, { payload: {}, ownerId: null });
  const run = (options: TickOptions = {}, replaced: Partial<Deps> = {}) =>
    tick({ ...house.deps, ...replaced }, { tasks: [task], houseSchedules: [] }, options);
  return { kind, task, add, run };
}

/** A log whose lines can be read. */
function listen() {
  const lines: Record<string, unknown>[] = [];
  return { log: createLog((line) => lines.push(JSON.parse(line))), lines };
}

/** A database that refuses what names this. */
function refuse(sql: Sql, name: string): Sql {
  return new Proxy(sql, {
    apply: (target, self, parts) =>
      JSON.stringify(parts[0]).includes(name)
        ? Promise.reject(new Error(`refused: ${name}`))
        : Reflect.apply(target as never, self, parts),
  });
}

async function stateOf(id: string) {
  const [job] = await house.sql`select state, attempts, error_code from parlance.jobs where id = ${id}`;
  return job;
}

/** What requests and people add; no schedule does. */
const added = ["interactions.delete", "interactions.import-file", "interactions.run-back-test"];

test("the house has a schedule for every kind that the edge runs and no request adds, and each has its task", () => {
  const schedule = createSchedule(house.deps);
  const names = (kinds: readonly { name: string }[]) => kinds.map(({ name }) => name).sort();
  const edgeKinds = [...jobKinds.values()].filter(({ runner }) => runner === "edge");
  expect(names(schedule.tasks.map(({ kind }) => kind))).toEqual(names(edgeKinds));
  const scheduled = schedule.houseSchedules.map(({ kind }) => kind);
  expect([...names(scheduled), ...added].sort()).toEqual(names(edgeKinds));
});

/** The house as it is so much later; its clock stands still, for some of its jobs are due every minute. */
const later = (ms = 0): Deps => {
  const at = new Date(Math.floor(Date.now() / 60_000) * 60_000 + 30_000 + ms);
  return { ...house.deps, now: () => at };
};
const enough = { cpuMs: 60_000 };

test("a tick adds the jobs of the house once an hour and runs them", async () => {
  const count = houseSchedules.length;
  const deps = later();
  expect(await runTick(deps, enough)).toEqual({ ...nothing, added: count, done: count });
  expect(await runTick(deps, enough)).toEqual(nothing);
  expect(await runTick(later(3_600_000), enough)).toMatchObject({ added: count });
});

test("every minute a tick watches over interactions, and runs nothing else", async () => {
  const deps = later();
  await runTick(deps, enough);
  await house.sql`delete from parlance.jobs`;
  await house.sql`update parlance.job_schedules set next_at = next_at + interval '1 day', due_at = due_at + interval '1 day'
    where cron <> '* * * * *'`;
  for (let minute = 1; minute <= 3; minute++) {
    const inMinutes = { ...deps, now: () => new Date(deps.now().getTime() + minute * 60_000) };
    expect(await runTick(inMinutes)).toEqual({ ...nothing, added: 1, done: 1 });
  }
  const jobs = await house.sql`select distinct kind from parlance.jobs`;
  expect(jobs).toEqual([{ kind: "interactions.watch" }]);
});

test("many ticks at once add and run each job once", async () => {
  const deps = later();
  await Promise.all(Array.from({ length: 5 }, () => runTick(deps, enough)));
  const jobs = await house.sql`select kind, state, attempts from parlance.jobs order by kind`;
  expect(jobs).toEqual(
    houseSchedules
      .map(({ kind: { name } }) => ({ kind: name, state: "done", attempts: 1 }))
      .sort((one, other) => (one.kind < other.kind ? -1 : 1)),
  );
});

test("a tick takes back what a dead worker held, also of kinds that it cannot run", async () => {
  const imageId = createId();
  await house.sql`
    insert into parlance.images (id, owner_id, name, state)
    values (${imageId}, ${house.alice.id}, 'a.jpg', 'processing')
  `;
  const id = await addJob(house.sql, ingestImage, {
    payload: { imageId },
    ownerId: house.alice.id,
    subjectId: imageId,
  });
  await house.sql`update parlance.jobs set attempts_max = 1`;
  const claim = { workerId: createId(), kinds: [ingestImage], lane: "bulk" as const, jobsMax: 1 };
  await claimJobs(house.sql, { ...claim, leaseSeconds: 60 });
  const { run } = sweepFloor(async () => {});
  expect(await run()).toEqual(nothing);
  await house.sql`update parlance.jobs set lease_expires_at = now() - interval '1 second'`;
  expect(await run()).toEqual({ ...nothing, rescued: 1 });
  expect(await stateOf(id)).toMatchObject({ state: "failed", errorCode: "lease_expired" });
  const [image] = await house.sql`select state, error_code from parlance.images where id = ${imageId}`;
  expect(image).toEqual({ state: "failed", errorCode: "lease_expired" });
});

describe("a tick runs what is due", () => {
  const refusal = () => Promise.reject(new Error("the landing is refused"));

  test("though a landing of what is taken back is refused, and tells of it", async () => {
    const { kind, add, run } = sweepFloor(async () => {}, { name: "house.expire-keys", attemptsMax: 1 });
    const landFailure = vi.spyOn(jobKinds.get(kind.name) as AnyJobKind, "landFailure");
    landFailure.mockImplementation(refusal);
    const refused = await add();
    const claim = { workerId: createId(), kinds: [kind], lane: "bulk" as const, jobsMax: 1 };
    await claimJobs(house.sql, { ...claim, leaseSeconds: 60 });
    await house.sql`update parlance.jobs set lease_expires_at = now() - interval '1 second'`;
    const due = await add();
    const { log, lines } = listen();
    expect(await run({}, { log })).toEqual({ ...nothing, done: 1 });
    expect([await stateOf(refused), await stateOf(due)]).toMatchObject([
      { state: "running" },
      { state: "done" },
    ]);
    expect(lines).toContainEqual(expect.objectContaining({ event: "tick.trouble", doing: "rescue" }));
    expect(JSON.stringify(lines)).toContain("the landing is refused");
    landFailure.mockRestore();
  });

  test("though its schedules cannot be read, and tells of it", async () => {
    const { add, run } = sweepFloor(async () => {});
    const id = await add();
    const { log, lines } = listen();
    const sql = refuse(house.sql, "parlance.job_schedules");
    expect(await run({}, { log, sql })).toEqual({ ...nothing, done: 1 });
    expect(await stateOf(id)).toMatchObject({ state: "done" });
    expect(lines).toContainEqual(expect.objectContaining({ event: "tick.trouble", doing: "schedules" }));
  });

  test("but fails when the queue itself cannot be asked", async () => {
    const { add, run } = sweepFloor(async () => {});
    await add();
    await expect(run({}, { sql: refuse(house.sql, "parlance.claim_jobs") })).rejects.toThrow("refused:");
  });
});

test("a tick runs no more jobs than it may", async () => {
  const { add, run } = sweepFloor(async () => {});
  for (let index = 0; index < 5; index++) await add();
  expect(await run({ jobsMax: 2 })).toEqual({ ...nothing, done: 2 });
  expect(await run({ jobsMax: 0 })).toEqual(nothing);
  expect(await run()).toEqual({ ...nothing, done: 3 });
});

test("what runs when the time is up is handed back untried", async () => {
  let reason: unknown;
  const { add, run } = sweepFloor(async ({ signal }) => {
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    reason = signal.reason;
  });
  const id = await add();
  expect(await run({ budgetMs: 200 })).toEqual({ ...nothing, requeued: 1 });
  expect(reason).toBe("shutdown");
  expect(await stateOf(id)).toEqual({ state: "queued", attempts: 0, errorCode: null });
});

test("what fails is tried again later, or failed with its reason", async () => {
  const mayPass = sweepFloor(() => Promise.reject(new Error("boom")));
  const first = await mayPass.add();
  expect(await mayPass.run()).toEqual({ ...nothing, requeued: 1 });
  expect(await stateOf(first)).toMatchObject({ state: "queued", attempts: 1, errorCode: "unexpected" });
  await house.sql`delete from parlance.jobs`;
  const never = sweepFloor(() => Promise.reject(new AppError("upstream_failed", "Storage is full.")));
  const second = await never.add();
  expect(await never.run()).toEqual({ ...nothing, failed: 1 });
  expect(await stateOf(second)).toMatchObject({ state: "failed", errorCode: "upstream_failed" });
});

test("POST /jobs/ticks is for the secret key and answers what was done", async () => {
  for (const who of [house.alice, house.admin]) {
    const refused = await house.call(who, "POST", "/jobs/ticks");
    expect([refused.status, refused.body.code]).toEqual([403, "forbidden"]);
  }
  const answer = await house.call("secret", "POST", "/jobs/ticks?budgetMs=10000&jobsMax=2");
  expect([answer.status, answer.body]).toEqual([200, { ...nothing, added: houseSchedules.length, done: 2 }]);
  const tooLong = await house.call("secret", "POST", "/jobs/ticks?budgetMs=600000");
  expect([tooLong.status, tooLong.body.code]).toEqual([400, "invalid_request"]);
});
