/**
 * The sidecar as a process of its own: `bun gpu-sidecar/main.ts`.
 *
 *   SIGTERM, SIGINT ── drains, exit 0        a second one ── exit 1 at once
 *   what it cannot mend (settings, login, models, a database gone for long) ── logged, exit 1
 */
import postgres, { type Sql } from "postgres";
import { SettingsError } from "../shared/config.ts";
import { databaseOptions } from "../shared/database.ts";
import { createLog, describeError, type Log } from "../shared/log.ts";
import { readSidecarConfig, type SidecarConfig } from "./config.ts";
import { openCatalog } from "./models/catalog.ts";
import { createInference } from "./models/inference.ts";
import { createPictureStore } from "./storage.ts";
import { runWorker, type Worker } from "./worker.ts";

/** A worker as the settings want it; the caller brings the database client and ends it after the worker. */
export async function startWorker(
  config: SidecarConfig,
  { sql, log }: { sql: Sql; log: Log },
): Promise<Worker> {
  const { device, modelsFolder, modelThreads } = config;
  const catalog = await openCatalog(modelsFolder);
  const inference = createInference({ catalog, modelsFolder, device, threads: modelThreads });
  try {
    return await runWorker({
      ...config,
      sql,
      log,
      catalog,
      inference,
      store: createPictureStore({ ...config, sizeBytesMax: config.uploadBytesMax }),
    });
  } catch (error) {
    await inference.close();
    throw error;
  }
}

/** What closing the models and telling the database may take beyond the drain. */
const closingMs = 30_000;

/** Runs until a signal or until it cannot go on; answers the exit code. */
async function run(config: SidecarConfig, log: Log): Promise<number> {
  const signalled = awaitSignal(config, log);
  const sql = postgres(config.databaseUrl, { ...databaseOptions, max: 1 });
  try {
    const worker = await Promise.race([startWorker(config, { sql, log }), signalled]);
    if (!worker) return 0;
    const broken = await Promise.race([signalled, worker.broken]);
    if (broken) log.error("worker.broken", { error: describeError(broken) });
    await worker.stop();
    return broken ? 1 : 0;
  } catch (error) {
    log.error("worker.failed", { error: describeError(error) });
    return 1;
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/** Resolves with the first signal; the second one, or a drain that takes too long, ends the process. */
function awaitSignal({ drainMs }: SidecarConfig, log: Log): Promise<undefined> {
  return new Promise((resolve) => {
    let signals = 0;
    const hear = (signal: NodeJS.Signals) => {
      signals += 1;
      log.info("worker.signal", { signal });
      if (signals > 1) process.exit(1);
      setTimeout(() => {
        log.error("worker.drain-took-too-long");
        process.exit(1);
      }, drainMs + closingMs).unref();
      resolve(undefined);
    };
    process.on("SIGTERM", hear);
    process.on("SIGINT", hear);
  });
}

function readConfig(): SidecarConfig {
  try {
    return readSidecarConfig();
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}

/** Settings from the environment, the log to stderr; ends the process. */
export async function runProcess(): Promise<never> {
  const config = readConfig();
  const log = createLog((line) => process.stderr.write(`${line}\n`), config.logLevel);
  const die = (event: string) => (error: unknown) => {
    log.error(event, { error: describeError(error) });
    process.exit(1);
  };
  process.on("unhandledRejection", die("worker.unhandled-rejection"));
  process.on("uncaughtException", die("worker.uncaught-exception"));
  process.exit(await run(config, log));
}

if (import.meta.main) await runProcess();
