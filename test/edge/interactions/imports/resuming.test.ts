import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { createImportTask } from "../../../../edge/interactions/imports/run.ts";
import { createId } from "../../../../shared/ids.ts";
import { importFile } from "../../../../shared/interactions/import-kinds.ts";
import { executeJob } from "../../../../shared/jobs/executor.ts";
import type { Task, TaskContext } from "../../../../shared/jobs/kinds.ts";
import { type ClaimedJob, claimJobs, rescueJobs } from "../../../../shared/jobs/queue.ts";
import { jobKinds } from "../../../../shared/kinds.ts";
import { type Random, seededRandom } from "../../../helpers/pictures.ts";
import { type ImportRig, openImportRig } from "./rig.ts";

let rig: ImportRig;

beforeAll(async () => {
  rig = await openImportRig();
});

afterEach(async () => {
  await rig.sql`delete from parlance.interactions`;
  await rig.sql`delete from parlance.interaction_batches`;
  await rig.sql`delete from parlance.interaction_groups`;
  await rig.sql`delete from parlance.interaction_imports`;
});

afterAll(() => rig.close());

const small = { partBytes: 1500, rowsMax: 17 };

async function claim(): Promise<ClaimedJob> {
  const options = {
    workerId: createId(),
    kinds: [importFile],
    lane: "bulk",
    jobsMax: 1,
    leaseSeconds: 60,
  } as const;
  const [job] = await claimJobs(rig.deps.sql, options);
  if (!job) throw new Error("there is nothing to claim");
  return job;
}

/** As if its worker had been silent for too long, and the wait for the next try were over; it has all of its tries again. */
async function loseLease(id: string): Promise<void> {
  // A row that something holds at the moment, such as a last word on progress, is passed over.
  await vi.waitFor(async () => {
    await rig.sql`
      update parlance.jobs
      set lease_expires_at = now() - interval '1 second'
      where id = ${id} and state = 'running'
    `;
    await rescueJobs(rig.sql, jobKinds);
    const [job] = await rig.sql`select state from parlance.jobs where id = ${id}`;
    expect(job?.state).not.toBe("running");
  }, 30_000);
  await rig.sql`
    update parlance.jobs
    set run_after = now(), attempts = 0
    where id = ${id} and state = 'queued'
  `;
}

type Point = "before" | "within" | "after";

/** A worker that is gone at its nth checkpoint: before it, before its commit, or before it hears of it. */
function killAt(task: Task, count: number, point: Point): { task: Task; died: Promise<void> } {
  const died = Promise.withResolvers<void>();
  const dead = new Promise<never>(() => {});
  let checkpoints = 0;
  const run = (payload: unknown, context: TaskContext) => {
    const checkpoint: TaskContext["checkpoint"] = async (cursor, write) => {
      checkpoints += 1;
      const isLast = checkpoints === count;
      if (isLast && point === "before") return die();
      await context
        .checkpoint(cursor, async (transaction) => {
          await write?.(transaction);
          if (isLast && point === "within") throw new Error("killed");
        })
        .catch((error: unknown) => {
          if (!isLast || point !== "within") throw error;
        });
      if (isLast) return die();
    };
    const die = () => {
      died.resolve();
      return dead;
    };
    return task.run(payload, { ...context, checkpoint });
  };
  return { task: { kind: task.kind, run }, died: died.promise };
}

/** Every third row is bad, some are alike, and all of them happened within two days. */
function makeFile(count: number): { text: string; good: string[]; bad: number[] } {
  const good: string[] = [];
  const bad: number[] = [];
  const lines = Array.from({ length: count }, (_, index) => {
    if (index % 3 === 2) {
      bad.push(index + 1);
      return index % 2 === 0 ? `bad ${index}` : `"bad ${index}",x,,y`;
    }
    const input = index % 10 === 0 ? "again and again" : `row ${index}\n${"word ".repeat(index % 40)}`;
    good.push(input);
    return `"${input}",out,${new Date(Date.UTC(2026, 8, 1) + (index % 48) * 3_600_000).toISOString()}`;
  });
  return { text: `Input,Output,occurredAt\n${lines.join("\n")}\n`, good: good.sort(), bad };
}

/** All of it once: in the log, in the statistics, among the refusals and in the alerts. */
async function checkOnce(id: string, file: ReturnType<typeof makeFile>): Promise<void> {
  const made = await rig.show(id);
  expect(made).toMatchObject({
    state: "done",
    rowsLanded: file.good.length,
    rowsRefused: file.bad.length,
    rowsKnown: 0,
    bytesDone: file.text.length,
  });
  expect((await rig.rows()).map(({ input }) => input).sort()).toEqual(file.good);
  expect((await rig.refusals(id)).map(({ rowNumber }) => rowNumber)).toEqual(file.bad);
  const [counted] = await rig.sql`
    select
      (select sum(count)::int from parlance.interaction_hours where metric = 1) as measured,
      (select sum(rows)::int from parlance.interaction_batches) as batched,
      (select count(*)::int from parlance.interaction_batches where folded_at is null) as pending
  `;
  expect(counted).toEqual({ measured: file.good.length, batched: file.good.length, pending: 0 });
  const long = file.good.filter((input) => input.length > 100).length;
  const [alert] = await rig.sql`
    select alerts.count, (select count(*)::int from parlance.alert_firings where alert_id = alerts.id) as fired
    from parlance.interaction_alerts as alerts
    where import_id = ${id} and rule_name = 'input longer than 100 characters'
  `;
  expect(alert).toEqual({ count: long, fired: long });
}

test("killed twenty times, at any checkpoint and on either side of its commit, every row lands once", {
  timeout: 240_000,
}, async () => {
  const random: Random = seededRandom(7);
  const file = makeFile(600);
  const { body } = await rig.send(file.text);
  const task = createImportTask(rig.deps, small);
  let kills = 0;
  while (kills < 20) {
    const job = await claim();
    const point = (["before", "within", "after"] as const)[Math.floor(random() * 3)] ?? "after";
    const { task: mortal, died } = killAt(task, 1 + Math.floor(random() * 4), point);
    const { ended } = executeJob(rig.deps.sql, mortal, job);
    const isOver = await Promise.race([died.then(() => false), ended.then(() => true)]);
    expect(isOver).toBe(false);
    kills += 1;
    await loseLease(job.id);
  }
  await rig.work(task);
  await checkOnce(body.id, file);
});

test("it is killed in each of its steps, and goes on there", { timeout: 240_000 }, async () => {
  const file = makeFile(200);
  const { body } = await rig.send(file.text);
  const task = createImportTask(rig.deps, small);
  const phases = new Set<string>();
  for (let kills = 0; kills < 200; kills++) {
    const job = await claim();
    const cursor = job.cursor as { phase?: string } | null;
    phases.add(cursor?.phase ?? "none");
    const { task: mortal, died } = killAt(task, 1, "after");
    const { ended } = executeJob(rig.deps.sql, mortal, job);
    const isOver = await Promise.race([died.then(() => false), ended.then(() => true)]);
    if (isOver) break;
    await loseLease(job.id);
  }
  expect([...phases].sort()).toEqual(["end", "fold", "judge", "none", "rows"]);
  await checkOnce(body.id, file);
});

test("a worker that was taken for dead writes nothing more", async () => {
  const file = makeFile(100);
  const { body } = await rig.send(file.text);
  const task = createImportTask(rig.deps, small);
  const gate = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  const slow: Task = {
    kind: task.kind,
    run: (payload, context) => {
      let checkpoints = 0;
      const checkpoint: TaskContext["checkpoint"] = async (cursor, write) => {
        checkpoints += 1;
        if (checkpoints === 2) {
          reached.resolve();
          await gate.promise;
        }
        return context.checkpoint(cursor, write);
      };
      return task.run(payload, { ...context, checkpoint });
    },
  };
  const stale = executeJob(rig.deps.sql, slow, await claim());
  await reached.promise;
  await loseLease(body.id);
  await rig.work(task);
  gate.resolve();
  expect((await stale.ended).ending).toBe("lost");
  await checkOnce(body.id, file);
});

test("storage that fails for a while loses and doubles nothing", async () => {
  const file = makeFile(200);
  const { body } = await rig.send(file.text);
  let reads = 0;
  const files = {
    ...rig.deps.files,
    readRange: (path: string, from: number, to: number) => {
      reads += 1;
      if (reads % 3 === 0) return Promise.reject(new Error("storage is away"));
      return rig.deps.files.readRange(path, from, to);
    },
  };
  const task = createImportTask({ ...rig.deps, files }, small);
  for (let tries = 0; tries < 100; tries++) {
    await rig.sql`update parlance.jobs set run_after = now() where id = ${body.id} and state = 'queued'`;
    await rig.work(task);
    if ((await rig.show(body.id)).state === "done") break;
  }
  expect(reads).toBeGreaterThan(5);
  await checkOnce(body.id, file);
});

describe("files that come again", () => {
  const text = "Input,Output\na,b\na,b\nc,d\n";

  test("add nothing by default, and rows of one file that are alike all land", async () => {
    expect(await rig.take(text)).toMatchObject({ rowsLanded: 3, rowsKnown: 0 });
    expect(await rig.take(text)).toMatchObject({ state: "done", rowsLanded: 0, rowsKnown: 3 });
    expect(await rig.take("Output;Input\nb;a\nf;e\n")).toMatchObject({ rowsLanded: 1, rowsKnown: 1 });
    expect((await rig.rows()).map(({ input }) => input)).toEqual(["a", "a", "c", "e"]);
  });

  test("are kept when that is asked for", async () => {
    await rig.take(text);
    expect(await rig.take(text, { options: { duplicates: "keep" } })).toMatchObject({
      rowsLanded: 3,
      rowsKnown: 0,
    });
    expect((await rig.rows()).length).toBe(6);
  });

  test("are known by their owner alone", async () => {
    await rig.take(text);
    expect(await rig.take(text, { as: rig.bob })).toMatchObject({ rowsLanded: 3, rowsKnown: 0 });
  });

  test("two at once, of the same rows, land each row once; of other rows, all", async () => {
    const rows = (name: string) => Array.from({ length: 150 }, (_, index) => `${name} ${index},x\n`).join("");
    const sent = await Promise.all(
      ["one", "one", "two"].map((name) => rig.send(`Input,Output\n${rows(name)}`)),
    );
    const task = createImportTask(rig.deps, small);
    await Promise.all([rig.work(task), rig.work(task), rig.work(task)]);
    await vi.waitFor(async () => {
      for (const { body } of sent) expect(await rig.show(body.id)).toMatchObject({ state: "done" });
    }, 60_000);
    const inputs = (await rig.rows()).map(({ input }) => input);
    expect(inputs.length).toBe(300);
    expect(new Set(inputs).size).toBe(300);
    const made = await Promise.all(sent.map(({ body }) => rig.show(body.id)));
    expect(made.map(({ rowsLanded, rowsKnown }) => rowsLanded + rowsKnown)).toEqual([150, 150, 150]);
  });
});

test("an import that is cancelled keeps what landed, says so, and leaves no file behind", async () => {
  const file = makeFile(300);
  const { body } = await rig.send(file.text);
  const task = createImportTask(rig.deps, small);
  const { task: mortal, died } = killAt(task, 3, "after");
  const job = await claim();
  const execution = executeJob(rig.deps.sql, mortal, job);
  await died;
  const asked = await rig.call(rig.alice, "POST", `/jobs/${body.jobId}/cancellation`);
  expect(asked.status).toBe(202);
  execution.stop("cancelled");
  expect((await execution.ended).ending).toBe("cancelled");
  const made = await rig.show(body.id);
  expect(made).toMatchObject({ state: "cancelled", error: { code: "cancelled" } });
  expect(made.rowsLanded).toBeGreaterThan(0);
  expect((await rig.rows()).length).toBe(made.rowsLanded);
});

test("an import that failed says why, and goes on where it stopped when it is tried again", async () => {
  const file = makeFile(200);
  const { body } = await rig.send(file.text);
  let isAway = true;
  const files = {
    ...rig.deps.files,
    readRange: async (path: string, from: number, to: number) =>
      isAway && from > 3000 ? undefined : rig.deps.files.readRange(path, from, to),
  };
  const task = createImportTask({ ...rig.deps, files }, small);
  await rig.work(task);
  const failed = await rig.show(body.id);
  expect(failed).toMatchObject({
    state: "failed",
    error: { code: "gone", message: expect.stringMatching(/send it again/) },
  });
  expect(failed.rowsLanded).toBeGreaterThan(0);
  isAway = false;
  expect((await rig.call(rig.alice, "POST", `/jobs/${body.jobId}/retry`)).status).toBe(202);
  expect(await rig.show(body.id)).toMatchObject({ state: "queued", error: null });
  await rig.work(task);
  await checkOnce(body.id, file);
});

test("an import whose place cannot be read fails, and lands no row twice", async () => {
  const file = makeFile(200);
  const { body } = await rig.send(file.text);
  const task = createImportTask(rig.deps, small);
  const { task: mortal, died } = killAt(task, 3, "after");
  executeJob(rig.deps.sql, mortal, await claim());
  await died;
  await loseLease(body.id);
  const { length } = await rig.rows();
  expect(length).toBeGreaterThan(0);
  await rig.sql`update parlance.jobs set cursor = '{"phase": "rows"}' where id = ${body.id}`;
  await rig.work(task);
  expect(await rig.show(body.id)).toMatchObject({
    state: "failed",
    rowsLanded: length,
    error: { code: "gone", message: expect.stringMatching(/send the file again/) },
  });
  expect((await rig.rows()).length).toBe(length);
});

test("a file in which too many quotes stay open fails with advice, and keeps what landed before", async () => {
  const text = `Input,Output\ngood,1\n${'"open,x\nplain,y\n'.repeat(1)}${'x","""\n'.repeat(3000)}`;
  const made = await rig.take(text, undefined, { partBytes: 4000, recordBytesMax: 3000 });
  expect(made).toMatchObject({
    state: "failed",
    error: { code: "invalid_request", message: expect.stringMatching(/delimiter/) },
  });
  expect(made.rowsLanded).toBeGreaterThanOrEqual(1);
});

test("rows that are deleted while they are judged fire nothing, and the others do", async () => {
  const file = makeFile(100);
  const { body } = await rig.send(file.text);
  const task = createImportTask(rig.deps, small);
  let deleted = 0;
  await rig.work({
    kind: task.kind,
    run: (payload, context) => {
      const checkpoint: TaskContext["checkpoint"] = async (cursor, write) => {
        const { phase, rows } = cursor as { phase: string; rows?: number };
        if (phase === "judge" && rows !== 0) {
          const gone = await rig.sql`
            delete from parlance.interactions
            where id in (select id from parlance.interactions where length(input) > 100 order by id limit 3)
            returning id
          `;
          deleted += gone.length;
        }
        return context.checkpoint(cursor, write);
      };
      return task.run(payload, { ...context, checkpoint });
    },
  });
  expect(deleted).toBe(3);
  expect(await rig.show(body.id)).toMatchObject({ state: "done", error: null });
  const [fired] = await rig.sql`
    select count(*)::int
    from parlance.alert_firings as firings
    join parlance.interaction_alerts as alerts on alerts.id = firings.alert_id
    where import_id = ${body.id} and rule_name = 'input longer than 100 characters'
  `;
  expect(fired?.count).toBe(file.good.filter((input) => input.length > 100).length - deleted);
});

test("progress is told in bytes and rows", async () => {
  const file = makeFile(300);
  const { body } = await rig.send(file.text);
  const told: [number, number, string | undefined][] = [];
  const task = createImportTask(rig.deps, small);
  await rig.work({
    kind: task.kind,
    run: (payload, context) => {
      const reportProgress: TaskContext["reportProgress"] = (done, total, message) => {
        told.push([done, total, message]);
        context.reportProgress(done, total, message);
      };
      return task.run(payload, { ...context, reportProgress });
    },
  });
  expect(told[0]?.[2]).toMatch(/^\d+ rows are in the log\.$/);
  expect(told.map(([done]) => done)).toEqual(told.map(([done]) => done).sort((one, other) => one - other));
  expect(told.at(-1)).toEqual([file.text.length, file.text.length, `${file.good.length} rows are judged.`]);
  const job = await rig.call(rig.alice, "GET", `/jobs/${body.jobId}`);
  expect(job.body.progress ?? job.body.progressDone).toBeDefined();
});
