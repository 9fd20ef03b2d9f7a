import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { type EdgeRunner, type EdgeRunnerOptions, startEdgeRunner } from "../../../edge/jobs/edge-runner.ts";
import { houseSchedules, runEdgeJobs } from "../../../edge/tasks.ts";
import { defineTask, type JobKind, type TaskContext } from "../../../shared/jobs/kinds.ts";
import { addJob } from "../../../shared/jobs/queue.ts";
import { openTestApp, type TestApp } from "../../helpers/app.ts";
import { until } from "../../helpers/until.ts";

let house: TestApp;
let runner: EdgeRunner | undefined;
beforeAll(async () => {
  house = await openTestApp();
  await house.deps.objects.ensureBucket();
});
afterAll(() => house.close());
beforeEach(async () => {
  await house.sql`delete from parlance.jobs`;
  await house.sql`delete from parlance.job_schedules`;
});
afterEach(() => runner?.stop());

const kind: JobKind<object, null> = {
  name: "test.sweep-floor",
  runner: "edge",
  lane: "bulk",
  payload: z.object({}),
  attemptsMax: 2,
  timeoutMs: 60_000,
  summarize: () => ({}),
  landFailure: async () => {},
};

function start(work: (context: TaskContext) => Promise<void>, options: EdgeRunnerOptions = {}): EdgeRunner {
  const task = defineTask(kind, async (_, context) => {
    await work(context);
    return null;
  });
  runner = startEdgeRunner(house.deps, { tasks: [task], houseSchedules: [] }, options);
  return runner;
}

const add = () => addJob(house.sql, kind, { payload: {}, ownerId: null });

async function stateOf(id: string): Promise<string | undefined> {
  const [job] = await house.sql<{ state: string }[]>`select state from parlance.jobs where id = ${id}`;
  return job?.state;
}

async function isAlive(name = kind.name): Promise<boolean> {
  const [row] = await house.sql<{ alive: boolean }[]>`select parlance.worker_is_alive(${name}) as alive`;
  return row?.alive ?? false;
}

test("a job that is added runs without any tick", async () => {
  start(async () => {});
  await until("it lives", isAlive);
  const id = await add();
  await until("the job is done", async () => (await stateOf(id)) === "done");
});

test("it is seen while it lives: that its kinds are run, and by what", async () => {
  expect(await isAlive()).toBe(false);
  const started = start(async () => {}, { versions: { bun: "1" }, memoryBytes: () => 7 });
  await until("it is seen", isAlive);
  expect(
    await house.sql`select id, runner, device, kinds, versions, memory_bytes from parlance.workers`,
  ).toEqual([
    {
      id: started.id,
      runner: "edge",
      device: "none",
      kinds: [kind.name],
      versions: { bun: "1" },
      memoryBytes: 7,
    },
  ]);
  await started.stop();
  expect(await house.sql`select from parlance.workers`).toHaveLength(0);
});

test("it goes on being seen", async () => {
  start(async () => {}, { everyMs: 20 });
  await until("it is seen", isAlive);
  await house.sql`update parlance.workers set last_seen_at = now() - interval '1 hour'`;
  await until("it is seen again", isAlive);
});

test("what runs at its end may finish; what does not is handed back, and nothing more is begun", async () => {
  let begun = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  const started = start(
    async () => {
      begun += 1;
      if (begun === 1) await promise;
      else await new Promise(() => {});
    },
    { drainMs: 500 },
  );
  const first = await add();
  await until("the first runs", () => begun === 1);
  const second = await add();
  await until("the second runs", () => begun === 2);
  const stopping = started.stop();
  const third = await add();
  resolve();
  await stopping;
  expect([await stateOf(first), await stateOf(second), await stateOf(third)]).toEqual([
    "done",
    "queued",
    "queued",
  ]);
  expect(begun).toBe(2);
  const [job] = await house.sql`select attempts from parlance.jobs where id = ${second}`;
  expect(job?.attempts).toBe(0);
});

test("it is the clock of schedules, those of the house included", async () => {
  await house.sql`
    insert into parlance.job_schedules (name, kind, cron, next_at, due_at)
    values ('expire', 'house.expire-keys', '* * * * *', now(), now())
  `;
  runner = runEdgeJobs(house.deps, { everyMs: 50 });
  await until("each of the house has a schedule", async () => {
    const [row] = await house.sql<{ count: number }[]>`select count(*) from parlance.job_schedules`;
    return row?.count === houseSchedules.length + 1;
  });
  await until("the due one has run", async () => {
    const jobs =
      await house.sql`select from parlance.jobs where kind = 'house.expire-keys' and state = 'done'`;
    return jobs.length > 0;
  });
});

test("a database that refuses is told of now and then, and is no end", async () => {
  const quiet = house.withSettings({});
  const sql = new Proxy(quiet.sql, {
    apply(target, self, parts) {
      if (JSON.stringify(parts[0]).includes("report_worker")) return Promise.reject(new Error("not now"));
      return Reflect.apply(target as never, self, parts);
    },
  });
  runner = startEdgeRunner({ ...quiet.deps, sql }, { tasks: [], houseSchedules: [] }, { everyMs: 5 });
  await until("it has tried", () => quiet.logLines.length > 0);
  await runner.stop();
  expect(quiet.logLines.map(({ event, doing }) => [event, doing])).toEqual([
    ["edge-runner.trouble", "report"],
  ]);
});
