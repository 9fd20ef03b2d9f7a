/** Jobs that a runner claimed and has not begun: they wait for a slot, and are handed back or lost like others. */
import type { Sql } from "postgres";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createId } from "../../../shared/ids.ts";
import { defineTask, type TaskContext } from "../../../shared/jobs/kinds.ts";
import { cancelJob, rescueJobs } from "../../../shared/jobs/queue.ts";
import { type Runner, type RunnerOptions, startRunner } from "../../../shared/jobs/runner.ts";
import { until } from "../../helpers/until.ts";
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

const running: { runner: Runner; sql: Sql }[] = [];
beforeEach(() => jobs.clear());
afterEach(async () => {
  for (const { runner, sql } of running.splice(0)) {
    await runner.stop();
    await sql.end();
  }
});

const kinds = new Map([[paint.name, paint]]);
const never = new Promise<never>(() => {});

type Run = (payload: PaintPayload, context: TaskContext) => Promise<PaintOutcome>;

/** One slot and five more claimed jobs, unless told otherwise. */
function start(run: Run, options: Partial<RunnerOptions> = {}, kind = paint) {
  const sql = jobs.database.connect({ role: "parlance_sidecar", max: 2 });
  const begun: string[] = [];
  const ended: { id: string; ending: string }[] = [];
  const runner = startRunner({
    sql,
    workerId: createId(),
    tasks: [
      defineTask(kind, (payload, context) => {
        begun.push(context.job.id);
        return run(payload, context);
      }),
    ],
    kinds,
    slots: { interactive: 1, bulk: 1 },
    prefetch: 5,
    pollMs: 20,
    drainMs: 0,
    onEnded: (job, ending) => ended.push({ id: job.id, ending }),
    ...options,
  });
  running.push({ runner, sql });
  return { runner, begun, ended };
}

async function countStates(): Promise<Record<string, number>> {
  const rows = await jobs.sql<{ state: string; count: number }[]>`
    select state, count(*) from parlance.jobs group by state
  `;
  return Object.fromEntries(rows.map((row) => [row.state, row.count]));
}
const isHolding = (runningCount: number) => async () => (await countStates()).running === runningCount;

function cancel(id: string): Promise<unknown> {
  return jobs.sql.begin((transaction) =>
    cancelJob(transaction, kinds, { id, kind: paint.name, ownerId: null, subjectId: null }),
  );
}

describe("a runner that claims ahead", () => {
  test("holds no more than its slots and what it may hold beyond them, and begins no more than its slots", async () => {
    await jobs.addMany(20);
    const { runner, begun } = start(() => never);
    await until("it holds what it may", isHolding(6));
    expect(await countStates()).toEqual({ running: 6, queued: 14 });
    expect(begun).toHaveLength(1);
    expect(runner.running).toBe(1);
  });

  test("works off what it holds in the order of the claims", async () => {
    const ids = await jobs.addMany(20);
    const { begun, ended } = start(async ({ colour }) => ({ colour }));
    await until("all have ended", () => ended.length === 20);
    expect(begun).toEqual(ids);
    for (const id of ids) expect(await jobs.landings(id)).toEqual(["red"]);
  });

  test("hands back untried what it has not begun when it is stopped", async () => {
    await jobs.addMany(10);
    const gate = createSignal();
    const { runner, begun, ended } = start(
      async ({ colour }) => {
        await gate.promise;
        return { colour };
      },
      { drainMs: 60_000 },
    );
    await until("it holds what it may", isHolding(6));
    const stopping = runner.stop();
    await until("the others are back", isHolding(1));
    gate.resolve();
    await stopping;
    expect(ended).toEqual([{ id: begun[0], ending: "done" }]);
    expect(await countStates()).toEqual({ done: 1, queued: 9 });
    const [row] = await jobs.sql`select max(attempts) as most from parlance.jobs where state = 'queued'`;
    expect(row?.most).toBe(0);
  });

  test("keeps the leases of what it holds", async () => {
    await jobs.addMany(4);
    start(() => never, { leaseSeconds: 2 });
    await until("it holds all", isHolding(4));
    const leases = async () => {
      const [row] = await jobs.sql<{ soonest: string }[]>`
        select min(lease_expires_at)::text as soonest from parlance.jobs where state = 'running'
      `;
      return row?.soonest ?? "";
    };
    for (let beats = 0; beats < 4; beats++) {
      const before = await leases();
      await until("all leases are prolonged", async () => (await leases()) > before);
    }
    expect(await countStates()).toEqual({ running: 4 });
  });

  test("does not begin what it lost while it held it", async () => {
    const ids = await jobs.addMany(4);
    const gate = createSignal();
    const { begun, ended } = start(
      async ({ colour }) => {
        await gate.promise;
        return { colour };
      },
      { leaseSeconds: 2 },
    );
    await until("it holds all", isHolding(4));
    const lost = ids.slice(2);
    await jobs.sql.begin(async (transaction) => {
      await transaction`
        update parlance.jobs set lease_expires_at = now() - interval '1 second' where id = any (${lost}::uuid[])
      `;
      await transaction`select parlance.expire_jobs(10)`;
      await transaction`update parlance.jobs set run_after = now() + interval '1 hour' where state = 'queued'`;
    });
    const beat = async () => {
      const [row] = await jobs.sql<{ lease: string }[]>`
        select lease_expires_at::text as lease from parlance.jobs where id = ${ids[0] ?? ""}
      `;
      return row?.lease ?? "";
    };
    // The second beat from now began after the loss.
    for (let beats = 0; beats < 2; beats++) {
      const before = await beat();
      await until("a heartbeat has passed", async () => (await beat()) > before);
    }
    gate.resolve();
    await until("what is left has ended", () => ended.length === 2);
    expect(begun).toEqual(ids.slice(0, 2));
    expect(await countStates()).toEqual({ done: 2, queued: 2 });
  });

  test.each([
    ["by a notification", {}],
    ["by the heartbeat, where there is no LISTEN", { listens: false, leaseSeconds: 2 }],
  ])("gives back what is cancelled before it began: it learns of it %s", async (_how, options) => {
    const ids = await jobs.addMany(3);
    const { runner, begun } = start(() => never, options);
    if (!("listens" in options)) await until("it hears", () => runner.hears);
    await until("it holds all", isHolding(3));
    const [, held = ""] = ids;
    await cancel(held);
    await until("it is cancelled", async () => (await jobs.find(held)).state === "cancelled");
    expect(begun).toEqual(ids.slice(0, 1));
    expect(await jobs.landings(held)).toEqual(["cancelled"]);
    expect((await jobs.find(held)).attempts).toBe(0);
  });

  test("lands what was cancelled when it is stopped before it could hear of it", async () => {
    const ids = await jobs.addMany(3);
    const { runner } = start(() => never, { listens: false, leaseSeconds: 3600 });
    await until("it holds all", isHolding(3));
    const [, held = ""] = ids;
    await cancel(held);
    await runner.stop();
    expect((await jobs.find(held)).state).toBe("cancelled");
    expect(await jobs.landings(held)).toEqual(["cancelled"]);
    expect(await countStates()).toEqual({ cancelled: 1, queued: 2 });
  });

  test("that dies leaves what it held to others, one attempt fewer", async () => {
    await jobs.addMany(3);
    const dead = await jobs.claim(3, { leaseSeconds: 0 });
    expect(await rescueJobs(jobs.sidecar, kinds)).toBe(3);
    for (const job of dead) await jobs.makeDue(job.id);
    const { ended } = start(async ({ colour }) => ({ colour }));
    await until("all have ended", () => ended.length === 3);
    for (const job of dead) expect((await jobs.find(job.id)).attempts).toBe(2);
  });
});

describe("a slot", () => {
  test("is free as soon as the run is over, while its ending is still written", async () => {
    const [writing, gate] = [createSignal(), createSignal()];
    const slow = paintKind({
      async land() {
        writing.resolve();
        await gate.promise;
      },
    });
    const { begun, ended, runner } = start(async ({ colour }) => ({ colour }), { prefetch: 1 }, slow);
    await jobs.addMany(2, {}, slow);
    await writing.promise;
    await until("the next one has begun", () => begun.length === 2);
    expect(ended).toEqual([]);
    expect(runner.running).toBe(2);
    gate.resolve();
    await until("both have ended", () => ended.length === 2);
    expect(await countStates()).toEqual({ done: 2 });
  });
});
