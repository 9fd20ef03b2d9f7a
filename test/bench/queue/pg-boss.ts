/** pg-boss: by `work` in batches with a result for each job, and by `fetch` and `complete` in loops. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Contender, type ContenderOptions, range, runLimited, type Work } from "./contender.ts";
import { openPool, type Pool } from "./pg-pool.ts";

interface Fetched {
  readonly id: string;
  readonly retryCount: number;
  readonly data: { readonly index: number };
}

/** What is used of the package, which is not in the lockfile. */
interface Boss {
  on(event: "error" | "warning", listener: (problem: unknown) => void): void;
  start(): Promise<unknown>;
  stop(options: object): Promise<void>;
  createQueue(name: string, options: object): Promise<void>;
  send(name: string, data: object): Promise<unknown>;
  insert(name: string, jobs: readonly object[]): Promise<unknown>;
  fetch(name: string, options: object): Promise<Fetched[]>;
  complete(name: string, jobs: Fetched | Fetched[]): Promise<unknown>;
  work(name: string, options: object, handler: (jobs: Fetched[]) => Promise<unknown>): Promise<string>;
}

type MakeBoss = (options: object) => Promise<Boss>;

const queue = "bench";

export async function openPgBoss({ url, home }: ContenderOptions): Promise<Contender> {
  const make = await importBoss(home, url);
  const pool = await openPool(home, url, 2);
  let opened: Promise<Boss> | undefined;
  // Only adds; what works is started for each measurement, with maintenance as it is by default.
  const adder = () => {
    opened ??= make({ supervise: false, schedule: false });
    return opened;
  };
  return {
    async install() {
      await (await adder()).createQueue(queue, { notify: true });
    },
    addOne: async (_mode, index) => (await adder()).send(queue, { index }),
    addMany: async (_mode, first, count) =>
      (await adder()).insert(
        queue,
        range(first, count).map((index) => ({ data: { index } })),
      ),
    start: (work) => start(make, work),
    async hasOpen() {
      const { rows } = await pool.query(
        "select exists (select from pgboss.job where name = $1 and state < 'completed') as found",
        [queue],
      );
      return rows[0]?.found === true;
    },
    countEnded: () => countEnded(pool),
    settle: async () => void (await pool.query("vacuum analyze")),
    clear: async () => void (await pool.query("truncate pgboss.job")),
    async close() {
      await (await opened)?.stop({ graceful: false });
      await pool.end();
    },
  };
}

async function importBoss(home: string, url: string): Promise<MakeBoss> {
  const entry = join(home, "node_modules/pg-boss/dist/index.js");
  const { PgBoss } = (await import(pathToFileURL(entry).href)) as { PgBoss: new (options: object) => Boss };
  return async (options) => {
    const boss = new PgBoss({ connectionString: url, max: 10, ...options });
    boss.on("error", (error) => console.error("pg-boss", error));
    await boss.start();
    return boss;
  };
}

async function countEnded(pool: Pool): Promise<number> {
  const { rows } = await pool.query(
    "select count(*)::integer as ended from pgboss.job where name = $1 and state = 'completed'",
    [queue],
  );
  return Number(rows[0]?.ended);
}

async function start(make: MakeBoss, work: Work) {
  const boss = await make({ useListenNotify: work.mode !== "polling" });
  if (work.mode === "fetch") return fetchInLoops(boss, work);
  const { handlers, shape, handle } = work;
  const workers = Math.max(1, Math.min(handlers, shape.localConcurrency ?? 1));
  const atOnce = Math.max(1, Math.floor(handlers / workers));
  const options = {
    localConcurrency: workers,
    batchSize: shape.batchSize ?? 1,
    // The least it allows.
    pollingIntervalSeconds: 0.5,
    burstWhenBatchFull: true,
    perJobResults: true,
  };
  await boss.work(queue, options, async (jobs) => {
    await runLimited(jobs, atOnce, ({ data }) => handle(data.index));
    return jobs.map(({ id }) => ({ id, status: "completed" }));
  });
  return () => boss.stop({ graceful: true, timeout: 10_000 });
}

/** As many loops as handlers, one job at a time, ended under the attempt that was fetched. */
async function fetchInLoops(boss: Boss, { handlers, handle }: Work) {
  let isStopped = false;
  const loop = async () => {
    while (!isStopped) {
      const jobs = await boss.fetch(queue, { batchSize: 1 });
      for (const job of jobs) {
        await handle(job.data.index);
        await boss.complete(queue, [job]);
      }
      if (jobs.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const running = Promise.all(Array.from({ length: handlers }, loop));
  return async () => {
    isStopped = true;
    await running;
    await boss.stop({ graceful: true, timeout: 10_000 });
  };
}
