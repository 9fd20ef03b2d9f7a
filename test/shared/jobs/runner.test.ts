import type { Sql } from "postgres";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { AppError } from "../../../shared/errors.ts";
import { createId } from "../../../shared/ids.ts";
import type { StopReason } from "../../../shared/jobs/executor.ts";
import { defineTask, type Task, type TaskContext } from "../../../shared/jobs/kinds.ts";
import { type Runner, type RunnerOptions, startRunner } from "../../../shared/jobs/runner.ts";
import { until } from "../../helpers/until.ts";
import {
  ask,
  complete,
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

const hourMs = 3_600_000;
const never = new Promise<never>(() => {});

type Run = (payload: PaintPayload, context: TaskContext) => Promise<PaintOutcome>;
const paintAtOnce: Run = async ({ colour }) => ({ colour });

/** Resolves with the reason once it is stopped. */
function untilAborted(signal: AbortSignal): Promise<StopReason> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(signal.reason)));
}

interface Ended {
  readonly id: string;
  readonly ending: string;
  readonly error: AppError | undefined;
}

/** A worker that polls once an hour unless told otherwise: what it does, it was woken for. */
function start(run: Run | Task[], options: Partial<RunnerOptions> = {}) {
  const sql = jobs.database.connect({ role: "parlance_sidecar", max: 1 });
  const ended: Ended[] = [];
  const troubles: string[] = [];
  const runner = startRunner({
    sql,
    workerId: createId(),
    tasks: Array.isArray(run) ? run : [defineTask(paint, run)],
    kinds: new Map([paint, ask].map((kind) => [kind.name, kind])),
    slots: { interactive: 2, bulk: 2 },
    pollMs: hourMs,
    drainMs: 0,
    onEnded: (job, ending, error) => ended.push({ id: job.id, ending, error }),
    onTrouble: (doing) => troubles.push(doing),
    ...options,
  });
  running.push({ runner, sql });
  return { runner, sql, ended, troubles };
}

describe("a runner", () => {
  test("is woken by the database when a job is added", async () => {
    const { runner, ended } = start(paintAtOnce);
    await until("it hears", () => runner.hears);
    const id = await jobs.add();
    await until("the job has ended", () => ended.length === 1);
    expect(ended[0]).toMatchObject({ id, ending: "done", error: undefined });
    expect(await jobs.landings(id)).toEqual(["red"]);
  });

  test("runs what waited before it started", async () => {
    const ids = [await jobs.add(), await jobs.add(), await jobs.add()];
    const { ended } = start(paintAtOnce);
    await until("all have ended", () => ended.length === 3);
    expect(ended.map((one) => one.id).sort()).toEqual(ids.sort());
  });

  test("polls where it may not listen", async () => {
    const { runner, ended } = start(paintAtOnce, { listens: false, pollMs: 5 });
    const id = await jobs.add();
    await until("the job has ended", () => ended.length === 1);
    expect(ended[0]?.id).toBe(id);
    expect(runner.hears).toBe(false);
  });

  test("polls by itself where notifications do not arrive", async () => {
    const sql = jobs.database.connect({ role: "parlance_sidecar", max: 1 });
    // As a pooler of transactions does: LISTEN succeeds, and nothing is ever delivered.
    const deaf = new Proxy(sql, {
      get: (target, name) =>
        name === "listen" ? async () => ({ unlisten: async () => {} }) : Reflect.get(target, name),
    });
    const ended: string[] = [];
    const runner = startRunner({
      sql: deaf,
      workerId: createId(),
      tasks: [defineTask(paint, paintAtOnce)],
      kinds: new Map(),
      slots: { interactive: 1, bulk: 1 },
      onEnded: (job) => ended.push(job.id),
    });
    running.push({ runner, sql });
    await jobs.add();
    await jobs.add();
    await until("both have ended", () => ended.length === 2);
    expect(runner.hears).toBe(false);
  });

  test("runs no more at once than it has room for", async () => {
    const gate = createSignal();
    let atOnce = 0;
    let most = 0;
    const { ended } = start(async ({ colour }) => {
      most = Math.max(most, ++atOnce);
      await gate.promise;
      atOnce -= 1;
      return { colour };
    });
    for (let index = 0; index < 7; index++) await jobs.add();
    await until("it is full", () => atOnce === 2);
    gate.resolve();
    await until("all have ended", () => ended.length === 7);
    expect(most).toBe(2);
  });

  test("lets interactive work pass while every bulk slot is taken", async () => {
    let busy = 0;
    const { ended } = start([
      defineTask(paint, () => {
        busy += 1;
        return never;
      }),
      defineTask(ask, paintAtOnce),
    ]);
    for (let index = 0; index < 5; index++) await jobs.add();
    await until("bulk is full", () => busy === 2);
    const question = await jobs.add({}, ask);
    await until("the question is answered", () => ended.some((one) => one.id === question));
    expect(ended).toEqual([expect.objectContaining({ id: question, ending: "done" })]);
  });

  test("tells why a job did not succeed", async () => {
    const { ended } = start(async () => {
      throw new AppError("image_undecodable", "cut off");
    });
    await jobs.add();
    await until("the job has ended", () => ended.length === 1);
    expect(ended[0]).toMatchObject({ ending: "failed", error: { code: "image_undecodable" } });
  });

  test("shares the queue with another: everything is done once", async () => {
    const [one, other] = [start(paintAtOnce), start(paintAtOnce)];
    const ids: string[] = [];
    for (let index = 0; index < 40; index++) ids.push(await jobs.add());
    await until("all have ended", () => one.ended.length + other.ended.length === 40);
    for (const id of ids) expect(await jobs.landings(id)).toEqual(["red"]);
  });
});

describe("a runner of a kind with limits", () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  const limited = paintKind({ runningPerOwnerMax: 1 });
  /** Someone whose jobs come before those of others. */
  async function addFirst(): Promise<string> {
    const ownerId = await jobs.addUser();
    await jobs.setShare(ownerId, { weight: 100 });
    return ownerId;
  }

  test("gives its free slots to others when those that come first are of one owner", async () => {
    const [first, other] = [await addFirst(), await jobs.addUser()];
    await jobs.addMany(4, { ownerId: first }, limited);
    await jobs.addMany(2, { ownerId: other }, limited);
    const owners: (string | null)[] = [];
    const run: Run = (_payload, { job }) => {
      owners.push(job.ownerId);
      return never;
    };
    // It looks once: the poll takes an hour, and nobody notifies.
    start([defineTask(limited, run)], { listens: false });
    await until("both slots are taken", () => owners.length === 2);
    expect(owners).toEqual([first, other]);
  });

  test("begins the next one as soon as the ending of the one before is written", async () => {
    const one = paintKind({ runningMax: 1 });
    await jobs.addMany(5, {}, one);
    // Its ending waits for its progress to be told; the claim that its free slot allows does not.
    const run: Run = async ({ colour }, { reportProgress }) => {
      reportProgress(1, 1);
      await new Promise((resolve) => setTimeout(resolve, 5));
      return { colour };
    };
    const { ended } = start([defineTask(one, run)], { listens: false });
    await until("all have ended", () => ended.length === 5);
  });

  test("finds what waited for its owner's limit behind what it claimed since", async () => {
    let nowMs = performance.now();
    vi.spyOn(performance, "now").mockImplementation(() => nowMs);
    const [first, other] = [await addFirst(), await jobs.addUser()];
    await jobs.addMany(2, { ownerId: first }, limited);
    const [held] = await jobs.claim(1, { kinds: [limited] });
    if (!held) throw new Error("nothing was claimed");
    const { runner, ended } = start([defineTask(limited, paintAtOnce)]);
    await until("it hears", () => runner.hears);
    const addAndWait = async () => {
      const id = await jobs.add({ ownerId: other }, limited);
      await until("it has ended", () => ended.some((one) => one.id === id));
    };
    for (let rounds = 0; rounds < 4; rounds++) {
      nowMs += 3_000;
      await addAndWait();
    }
    await complete(jobs.sql, held);
    await addAndWait();
    await until("what waited has ended", () => ended.length === 6);
  });
});

describe("a running job", () => {
  test("is stopped when it is cancelled", async () => {
    let reason: StopReason | undefined;
    const started = createSignal();
    const { ended, runner } = start(async (_payload, { signal }) => {
      started.resolve();
      reason = await untilAborted(signal);
      throw new Error("stopped");
    });
    await until("it hears", () => runner.hears);
    const id = await jobs.add();
    await started.promise;
    await jobs.sql`select parlance.cancel_job(${id})`;
    await until("it has ended", () => ended.length === 1);
    expect(reason).toBe("cancelled");
    expect(ended[0]).toMatchObject({ id, ending: "cancelled", error: undefined });
    expect(await jobs.landings(id)).toEqual(["cancelled"]);
  });

  test("hears of its cancellation by the heartbeat where there is no LISTEN", async () => {
    const started = createSignal();
    const { ended } = start(
      () => {
        started.resolve();
        return never;
      },
      { listens: false, pollMs: 5, leaseSeconds: 2 },
    );
    const id = await jobs.add();
    await started.promise;
    await jobs.sql`select parlance.cancel_job(${id})`;
    await until("it has ended", () => ended.length === 1);
    expect(ended[0]?.ending).toBe("cancelled");
  });

  test("keeps its lease as long as it runs", async () => {
    const gate = createSignal();
    const { ended } = start(
      async ({ colour }) => {
        await gate.promise;
        return { colour };
      },
      { leaseSeconds: 2 },
    );
    const id = await jobs.add();
    const leaseOf = async () => {
      const [row] = await jobs.sql<{ lease: string | null }[]>`
        select lease_expires_at::text as lease from parlance.jobs where id = ${id}
      `;
      return row?.lease ?? "";
    };
    await until("it runs", async () => (await leaseOf()) !== "");
    for (let beats = 0; beats < 5; beats++) {
      const before = await leaseOf();
      await until("the lease is prolonged", async () => (await leaseOf()) > before);
    }
    gate.resolve();
    await until("it has ended", () => ended.length === 1);
    expect(await jobs.find(id)).toMatchObject({ state: "done", attempts: 1 });
  });

  test("is stopped when its claim is lost, and nothing of it lands", async () => {
    let reason: StopReason | undefined;
    const started = createSignal();
    const { ended } = start(
      async (_payload, { signal }) => {
        started.resolve();
        reason = await untilAborted(signal);
        return { colour: "stale" };
      },
      { leaseSeconds: 2 },
    );
    const id = await jobs.add();
    await started.promise;
    await jobs.sql.begin(async (transaction) => {
      await transaction`update parlance.jobs set lease_expires_at = now() - interval '1 second' where id = ${id}`;
      await transaction`select parlance.expire_jobs(1)`;
    });
    await until("it has ended", () => ended.length === 1);
    expect(reason).toBe("lost");
    expect(ended[0]?.ending).toBe("lost");
    expect(await jobs.landings(id)).toEqual([]);
  });

  test("of a worker that died is taken over", async () => {
    const job = await jobs.claimNew({}, paint, 0);
    const { ended } = start(paintAtOnce, { leaseSeconds: 2, listens: false, pollMs: 20 });
    await until("it is back in the queue", async () => (await jobs.find(job.id)).state === "queued");
    await jobs.makeDue(job.id);
    await until("it has ended", () => ended.length === 1);
    expect(await jobs.find(job.id)).toMatchObject({ state: "done", attempts: 2 });
    expect(await jobs.landings(job.id)).toEqual(["red"]);
  });
});

describe("a runner that is stopped", () => {
  test("waits for what runs and claims nothing more", async () => {
    const gate = createSignal();
    const { runner, ended } = start(
      async ({ colour }) => {
        await gate.promise;
        return { colour };
      },
      { drainMs: hourMs, slots: { interactive: 1, bulk: 1 } },
    );
    const first = await jobs.add();
    await until("the first runs", () => runner.running === 1);
    const second = await jobs.add();
    const stopping = runner.stop();
    gate.resolve();
    await stopping;
    expect(ended).toEqual([expect.objectContaining({ id: first, ending: "done" })]);
    expect((await jobs.find(second)).state).toBe("queued");
    expect(runner.running).toBe(0);
  });

  test("hands back untried what does not end in time", async () => {
    const { runner, ended } = start(() => never);
    const id = await jobs.add();
    await until("it runs", () => runner.running === 1);
    await runner.stop();
    expect(ended).toEqual([expect.objectContaining({ id, ending: "released" })]);
    expect(await jobs.find(id)).toMatchObject({ state: "queued", attempts: 0 });
  });

  test("is stopped once, however often it is asked", async () => {
    const { runner } = start(() => never);
    await jobs.add();
    await until("it runs", () => runner.running === 1);
    await Promise.all([runner.stop(), runner.stop()]);
    await runner.stop();
    expect(runner.running).toBe(0);
  });
});

// Only a server has connections that can be cut.
describe.runIf(process.env.TEST_DATABASE_URL)("a runner whose connections are cut", () => {
  const cut = () => jobs.admin`
    select pg_terminate_backend(pid) from pg_stat_activity
    where usename = 'parlance_sidecar' and datname = current_database()
  `;

  test("listens again and finds what was added meanwhile", async () => {
    const { runner, ended } = start(paintAtOnce);
    await until("it hears", () => runner.hears);
    await cut();
    const id = await jobs.add();
    await until("the job has ended", () => ended.length === 1);
    expect(ended[0]?.id).toBe(id);
    await jobs.add();
    await until("the next one, too", () => ended.length === 2);
  });

  test("lands what it had done", async () => {
    const [started, gate] = [createSignal(), createSignal()];
    const { ended } = start(async ({ colour }) => {
      started.resolve();
      await gate.promise;
      return { colour };
    });
    const id = await jobs.add();
    await started.promise;
    await cut();
    gate.resolve();
    await until("the job has ended", () => ended.length === 1);
    expect(await jobs.find(id)).toMatchObject({ state: "done", attempts: 1 });
    expect(await jobs.landings(id)).toEqual(["red"]);
  });

  test("loses nothing under load, whenever they are cut", async () => {
    const workers = [start(paintAtOnce, { leaseSeconds: 0.5 }), start(paintAtOnce, { leaseSeconds: 0.5 })];
    const ids: string[] = [];
    for (let index = 0; index < 60; index++) {
      ids.push(await jobs.add());
      if (index % 10 === 9) await cut();
    }
    await until("all are done", async () => {
      await jobs.sql`update parlance.jobs set run_after = now() where state = 'queued' and run_after > now()`;
      // What was claimed by a connection that broke comes back by its lease; the hour of the poll is too long here.
      await jobs.sql`select pg_notify('parlance_jobs', '')`;
      const [left] = await jobs.sql<
        { count: number }[]
      >`select count(*) from parlance.jobs where state <> 'done'`;
      return left?.count === 0;
    });
    for (const id of ids) expect(await jobs.landings(id)).toEqual(["red"]);
    expect(workers.flatMap((worker) => worker.ended).filter((one) => one.ending === "failed")).toEqual([]);
  });
});
