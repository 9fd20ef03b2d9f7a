import type { Sql } from "postgres";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import type { Deps } from "../../../edge/deps.ts";
import { createCpuBudget } from "../../../edge/jobs/cpu-budget.ts";
import { type TickOptions, tick } from "../../../edge/jobs/ticks.ts";
import { defineTask, type JobKind, type Task, type TaskContext } from "../../../shared/jobs/kinds.ts";
import { addJobs, cancelJob, rescueJobs } from "../../../shared/jobs/queue.ts";
import { jobKinds } from "../../../shared/kinds.ts";
import { openTestApp, type TestApp } from "../../helpers/app.ts";
import { until } from "../../helpers/until.ts";

let house: TestApp;
beforeAll(async () => {
  house = await openTestApp();
  await house.sql`create table steps_taken (job_id uuid, step integer, primary key (job_id, step))`;
});
afterAll(() => house.close());
beforeEach(() => house.sql`delete from parlance.jobs`);

const nothing = { added: 0, rescued: 0, done: 0, failed: 0, requeued: 0 };

function makeKind(changes: Partial<JobKind<object, null>> = {}): JobKind<object, null> {
  return {
    name: "test.sweep-floor",
    runner: "edge",
    lane: "bulk",
    payload: z.object({}),
    attemptsMax: 2,
    timeoutMs: 60_000,
    summarize: () => ({}),
    landFailure: async () => {},
    ...changes,
  };
}

function makeTask(
  work: (context: TaskContext) => unknown,
  changes: Partial<JobKind<object, null>> = {},
): Task {
  return defineTask(makeKind(changes), async (_, context) => {
    await work(context);
    return null;
  });
}

function run(tasks: readonly Task[], options: TickOptions = {}, replaced: Partial<Deps> = {}) {
  return tick({ ...house.deps, ...replaced }, { tasks, houseSchedules: [] }, options);
}

function add({ kind }: Task, count = 1): Promise<string[]> {
  return addJobs(
    house.sql,
    kind,
    Array.from({ length: count }, () => ({ payload: {}, ownerId: null })),
  );
}

async function stateOf(id: string | undefined) {
  const [job] = await house.sql`
    select state, attempts, lease_losses, extract(epoch from lease_expires_at - now())::float8 as lease_seconds
    from parlance.jobs
    where id = ${id ?? null}
  `;
  return job;
}

/** A database that answers no claim any more once that is asked for. */
function breakableClaims(sql: Sql) {
  let isBroken = false;
  const claims = {
    refused: 0,
    break: () => {
      isBroken = true;
    },
    sql: new Proxy(sql, {
      apply(target, self, parts) {
        if (!isBroken || !JSON.stringify(parts[0]).includes("parlance.claim_jobs")) {
          return Reflect.apply(target as never, self, parts);
        }
        claims.refused += 1;
        return Promise.reject(new Error("the claim was refused"));
      },
    }),
  };
  return claims;
}

/** A task of so many steps, each with an effect that could not be written twice. */
function makeStepTask(stepsMax: number, onStep: (step: number, jobId: string) => unknown = () => {}): Task {
  return makeTask(async ({ job, cursor, checkpoint, reportProgress }) => {
    const from = cursor === undefined ? 0 : z.int().parse(cursor);
    for (let step = from + 1; step <= stepsMax; step++) {
      await checkpoint(step, async (transaction) => {
        await transaction`insert into steps_taken (job_id, step) values (${job.id}, ${step})`;
      });
      reportProgress(step, stepsMax);
      await onStep(step, job.id);
    }
  });
}

async function stepsOf(id: string | undefined): Promise<number[]> {
  const rows = await house.sql<{ step: number }[]>`
    select step from steps_taken where job_id = ${id ?? null} order by step
  `;
  return rows.map(({ step }) => step);
}

const countTo = (most: number) => Array.from({ length: most }, (_, index) => index + 1);

describe("a long job", () => {
  test("of 1,000 steps goes on in tick after tick: each step once, no attempt used up, progress never back", async () => {
    const task = makeStepTask(1000);
    const [id] = await add(task);
    let ticks = 0;
    for (; (await stateOf(id))?.state === "queued"; ticks++) {
      expect(await run([task], { cpuMs: 1200 })).toMatchObject({ failed: 0 });
      expect((await stateOf(id))?.attempts).toBeLessThanOrEqual(1);
    }
    expect(await stateOf(id)).toMatchObject({ state: "done", attempts: 1, leaseLosses: 0 });
    expect(await stepsOf(id)).toEqual(countTo(1000));
    // Twelve slices of 100 ms fit.
    expect(ticks).toBe(84);
    const told = await house.sql<{ done: number }[]>`
      select (detail -> 'progress' ->> 'done')::integer as done
      from parlance.job_events
      where job_id = ${id ?? null} and detail -> 'progress' is not null
      order by sequence
    `;
    const progress = told.map(({ done }) => done);
    expect(progress.length).toBeGreaterThan(84);
    expect(progress).toEqual(progress.toSorted((a, b) => a - b));
  }, 120_000);

  test("whose claims are lost again and again still takes each step once", async () => {
    const task = makeStepTask(120, async (step, id) => {
      if (step % 10 !== 0) return;
      await house.sql`update parlance.jobs set lease_expires_at = now() - interval '1 second' where id = ${id}`;
      // A row that is being told its progress is passed over.
      await until("it is taken back", async () => (await rescueJobs(house.sql, jobKinds)) === 1);
      await house.sql`update parlance.jobs set run_after = now() where id = ${id}`;
    });
    const [id] = await add(task);
    for (let ticks = 0; (await stateOf(id))?.state === "queued" && ticks < 100; ticks++) await run([task]);
    const job = await stateOf(id);
    expect(job).toMatchObject({ state: "done" });
    expect(job?.leaseLosses).toBeGreaterThan(5);
    expect(await stepsOf(id)).toEqual(countTo(120));
  }, 60_000);

  test("leaves room for others of its lane", async () => {
    const long = makeStepTask(1000);
    const short = makeTask(() => {}, { name: "test.wipe-table" });
    await add(long);
    await add(short, 3);
    expect(await run([long, short])).toMatchObject({ done: 3, failed: 0 });
  });
});

describe("the CPU of a tick", () => {
  test("is what kinds say where the runtime does not tell", () => {
    const budget = createCpuBudget(1000);
    const [dear, cheap] = [{ cpuMs: 600 }, {}];
    expect([budget.fits(dear), budget.fits({ cpuMs: 1001 })]).toEqual([true, false]);
    budget.begin(dear);
    expect([budget.fits(dear), budget.fits(cheap), budget.fits({ cpuMs: 400 })]).toEqual([false, true, true]);
    expect(budget.goOn(dear)).toBe(false);
    budget.end(dear);
    expect(budget.fits(cheap)).toBe(false);
  });

  test("is what was used where the runtime tells, beside what is under way", () => {
    let usedMs = 5000;
    const budget = createCpuBudget(1000, () => usedMs);
    budget.begin({});
    expect([budget.fits({ cpuMs: 900 }), budget.fits({ cpuMs: 901 })]).toEqual([true, false]);
    usedMs += 300;
    expect(budget.goOn({})).toBe(true);
    expect(budget.fits({ cpuMs: 601 })).toBe(false);
    usedMs += 601;
    expect(budget.goOn({})).toBe(false);
    budget.end({});
    expect([budget.fits({ cpuMs: 99 }), budget.fits({})]).toEqual([true, false]);
  });

  test("is spent on no more runs than fit", async () => {
    const task = makeTask(() => {}, { cpuMs: 400 });
    await add(task, 6);
    expect(await run([task])).toEqual({ ...nothing, done: 3 });
    expect(await run([task], { cpuMs: 800 })).toEqual({ ...nothing, done: 2 });
  });

  test("is measured: runs that take more than their kind says end a tick sooner, others later", async () => {
    let usedMs = 0;
    const takes = { ms: 800 };
    const task = makeTask(() => {
      usedMs += takes.ms;
    });
    const cpuUsedMs = () => usedMs;
    await add(task, 30);
    expect(await run([task], {}, { cpuUsedMs })).toEqual({ ...nothing, done: 2 });
    takes.ms = 1;
    expect(await run([task], {}, { cpuUsedMs })).toEqual({ ...nothing, done: 28 });
  });

  test("is not enough for a kind that needs more: its jobs wait, untried, and hold up no others", async () => {
    const dear = makeTask(() => {}, { cpuMs: 2000 });
    const cheap = makeTask(() => {}, { name: "test.wipe-table" });
    const [id] = await add(dear);
    await add(cheap);
    expect(await run([dear, cheap])).toEqual({ ...nothing, done: 1 });
    expect(await stateOf(id)).toMatchObject({ state: "queued", attempts: 0 });
    expect(await run([dear, cheap], { cpuMs: 2500 })).toEqual({ ...nothing, done: 1 });
  });

  test("is enough for every kind that the edge runs", () => {
    const edgeKinds = [...jobKinds.values()].filter(({ runner }) => runner === "edge");
    expect(edgeKinds.length).toBeGreaterThan(0);
    for (const { cpuMs = 100 } of edgeKinds) expect(cpuMs).toBeLessThanOrEqual(1000);
  });
});

describe("what runs in a tick", () => {
  test("runs beside a few others, never more than four", async () => {
    let [running, most] = [0, 0];
    const task = makeTask(async () => {
      running += 1;
      most = Math.max(most, running);
      await until("four run", () => most === 4);
      running -= 1;
    });
    await add(task, 9);
    expect(await run([task])).toEqual({ ...nothing, done: 9 });
    expect(most).toBe(4);
  });

  test("is never more than four when some end together", async () => {
    const ending = new AbortController();
    const gates = Array.from({ length: 4 }, () => Promise.withResolvers<void>());
    let [begun, held] = [0, 0];
    const task = makeTask(async () => {
      const gate = gates[Math.floor(begun++ / 4)];
      if (begun % 4 === 0) gate?.resolve();
      if (gate) return gate.promise;
      held += 1;
      // A fifth has time to begin beside the last four.
      if (held === 4) setTimeout(() => ending.abort(), 300);
      await new Promise(() => {});
    });
    await add(task, 30);
    const counts = await run([task], { cpuMs: 10_000 }, { ending: ending.signal });
    expect(counts).toEqual({ ...nothing, done: 16, requeued: 4 });
  });

  test("ends before a tick fails that can claim no more", async () => {
    const claims = breakableClaims(house.sql);
    const order: string[] = [];
    const short = makeTask(() =>
      until("the long one runs", () => order.includes("long begins")).then(claims.break),
    );
    const long = makeTask(
      async () => {
        order.push("long begins");
        await until("a claim was refused", () => claims.refused > 0);
        await stateOf(undefined);
        order.push("long ends");
      },
      { name: "test.wipe-table" },
    );
    await add(short);
    const [id] = await add(long);
    const ticking = run([short, long], {}, { sql: claims.sql }).finally(() => order.push("tick ends"));
    await expect(ticking).rejects.toThrow("refused");
    expect(order).toEqual(["long begins", "long ends", "tick ends"]);
    expect(await stateOf(id)).toMatchObject({ state: "done" });
    expect(claims.refused).toBe(1);
  });

  test("ends though a claim beside it is refused meanwhile: the tick tells it, and nothing goes unheard", async () => {
    const claims = breakableClaims(house.sql);
    const unheard: unknown[] = [];
    const hear = (error: unknown) => unheard.push(error);
    process.on("unhandledRejection", hear);
    const task = makeTask(async () => {
      claims.break();
      await until("a claim was refused", () => claims.refused > 0);
      await stateOf(undefined);
    });
    const [id] = await add(task);
    await expect(run([task], {}, { sql: claims.sql })).rejects.toThrow("refused");
    process.off("unhandledRejection", hear);
    expect(unheard).toEqual([]);
    expect(await stateOf(id)).toMatchObject({ state: "done" });
  });

  test("is interactive first, and every fourth time bulk", async () => {
    const order: string[] = [];
    const query = makeTask(() => order.push("query"), { name: "test.ask-query", lane: "interactive" });
    const sweep = makeTask(() => order.push("sweep"));
    await add(sweep, 2);
    await add(query, 7);
    await run([query, sweep]);
    const round = ["query", "query", "query", "sweep"];
    expect(order).toEqual([...round, ...round, "query"]);
  });

  test("is handed back at once when the process is about to end, and nothing more is begun", async () => {
    const ending = new AbortController();
    const reasons: unknown[] = [];
    const task = makeTask(async ({ signal }) => {
      signal.addEventListener("abort", () => reasons.push(signal.reason));
      ending.abort();
      await new Promise(() => {});
    });
    const ids = await add(task, 3);
    expect(await run([task], {}, { ending: ending.signal })).toEqual({ ...nothing, requeued: 1 });
    expect(reasons).toEqual(["shutdown"]);
    for (const id of ids) expect(await stateOf(id)).toMatchObject({ state: "queued", attempts: 0 });
    expect(await run([task], {}, { ending: ending.signal })).toEqual(nothing);
  });

  test("is never begun when its claim comes too late, and is handed back", async () => {
    const ending = new AbortController();
    let begun = 0;
    const task = makeTask(() => {
      begun += 1;
    });
    const [id] = await add(task);
    const sql = new Proxy(house.sql, {
      apply(target, self, parts) {
        const query = Reflect.apply(target as never, self, parts) as Promise<unknown>;
        if (!JSON.stringify(parts[0]).includes("parlance.claim_jobs")) return query;
        return query.then((rows) => {
          ending.abort();
          return rows;
        });
      },
    });
    expect(await run([task], {}, { sql, ending: ending.signal })).toEqual({ ...nothing, requeued: 1 });
    expect(begun).toBe(0);
    expect(await stateOf(id)).toMatchObject({ state: "queued", attempts: 0 });
  });

  test("keeps a lease that covers it, and hears that it is cancelled", async () => {
    let reason: unknown;
    const task = makeTask(async ({ signal }) => {
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      reason = signal.reason;
    });
    const [id = ""] = await add(task);
    const ticking = run([task]);
    await until("it runs", async () => (await stateOf(id))?.state === "running");
    expect((await stateOf(id))?.leaseSeconds).toBeGreaterThan(15);
    await house.sql`update parlance.jobs set lease_expires_at = now() + interval '10 seconds' where id = ${id}`;
    await until("its lease is prolonged", async () => (await stateOf(id))?.leaseSeconds > 15);
    const job = { id, kind: task.kind.name, ownerId: null, subjectId: null };
    await house.sql.begin((transaction) => cancelJob(transaction, jobKinds, job));
    expect(await ticking).toEqual({ ...nothing, failed: 1 });
    expect([reason, (await stateOf(id))?.state]).toEqual(["cancelled", "cancelled"]);
  }, 60_000);

  test("is of no harm to a tick when the database cannot be told of its end", async () => {
    const task = makeTask(() => {}, {
      land: () => Promise.reject(Object.assign(new Error("the server restarts"), { code: "57P01" })),
    });
    const other = makeTask(() => {}, { name: "test.wipe-table" });
    const [id] = await add(task);
    await add(other);
    expect(await run([task, other])).toMatchObject({ done: 1 });
    expect((await stateOf(id))?.state).toBe("running");
  }, 60_000);
});
