/** graphile-worker, as its documentation shows it: unbatched with its defaults, batched as its own performance test has it. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Contender, type ContenderOptions, range, type Work } from "./contender.ts";
import { openPool, type Pool } from "./pg-pool.ts";

/** What is used of the package, which is not in the lockfile. */
interface Package {
  Logger: new (make: () => () => void) => object;
  runMigrations(options: object): Promise<void>;
  makeWorkerUtils(options: object): Promise<Utils>;
  runTaskList(options: object, tasks: object, pool: Pool): { gracefulShutdown(): Promise<void> };
}

interface Utils {
  addJob(identifier: string, payload: object): Promise<unknown>;
  addJobs(jobs: readonly object[]): Promise<unknown>;
  release(): Promise<void>;
}

const identifier = "bench";

export async function openGraphileWorker({ url, home }: ContenderOptions): Promise<Contender> {
  // It tells every success otherwise; its performance test sets this too.
  process.env.NO_LOG_SUCCESS = "1";
  const entry = join(home, "node_modules/graphile-worker/dist/index.js");
  const worker = (await import(pathToFileURL(entry).href)) as Package;
  const logger = new worker.Logger(() => () => {});
  const pool = await openPool(home, url, 20);
  let opened: Promise<Utils> | undefined;
  const utils = () => {
    opened ??= worker.makeWorkerUtils({ pgPool: pool, logger });
    return opened;
  };
  return {
    install: () => worker.runMigrations({ pgPool: pool, logger }),
    addOne: async (_mode, index) => (await utils()).addJob(identifier, { index }),
    addMany: async (_mode, first, count) =>
      (await utils()).addJobs(range(first, count).map((index) => ({ identifier, payload: { index } }))),
    start: (work) => start(worker, logger, work, { url, home }),
    async hasOpen() {
      const { rows } = await pool.query("select exists (select from graphile_worker._private_jobs) as found");
      return rows[0]?.found === true;
    },
    /** It removes what ended well; what failed stays. */
    async countEnded(_mode, added) {
      const { rows } = await pool.query(
        "select count(*)::integer as left from graphile_worker._private_jobs",
      );
      return added - Number(rows[0]?.left);
    },
    settle: async () => void (await pool.query("vacuum analyze")),
    clear: async () => void (await pool.query("truncate graphile_worker._private_jobs")),
    async close() {
      await (await opened)?.release();
      await pool.end();
    },
  };
}

async function start(worker: Package, logger: object, work: Work, options: ContenderOptions) {
  const { mode, handlers, shape, handle } = work;
  const connections = shape.connections ?? 10;
  const pool = await openPool(options.home, options.url, connections);
  const batching = {
    localQueue: { size: shape.localQueue ?? 500 },
    completeJobBatchDelay: 0,
    failJobBatchDelay: 0,
  };
  const preset = {
    worker: {
      concurrentJobs: handlers,
      maxPoolSize: connections,
      logger,
      ...(mode === "batched" ? batching : {}),
    },
  };
  const tasks = { [identifier]: ({ index }: { index: number }) => handle(index) };
  const running = worker.runTaskList({ preset, noHandleSignals: true }, tasks, pool);
  return async () => {
    await running.gracefulShutdown();
    await pool.end();
  };
}
