/**
 * The whole of Parlance in one process: database, the stand-ins for Supabase's services, the edge app and a
 * sidecar. Started in the order of need, stopped in the reverse; over a Postgres server the sidecar is a process
 * of its own, as in production.
 */
import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Sql } from "postgres";
import { createApp } from "../../edge/app.ts";
import { readEdgeConfig } from "../../edge/config.ts";
import { createDeps } from "../../edge/create-deps.ts";
import type { Surroundings } from "../../edge/deps.ts";
import { runEdgeJobs } from "../../edge/tasks.ts";
import { version } from "../../package.json" with { type: "json" };
import { importBytesMax } from "../../shared/interactions/imports.ts";
import { describeError, type Log } from "../../shared/log.ts";
import { createAuth } from "./auth/routes.ts";
import { type LocalConfig, statusPath } from "./config.ts";
import { type LocalDatabase, openPglite, openPostgres } from "./database.ts";
import { createEnvironment } from "./environment.ts";
import { type LocalKeys, loadKeys } from "./keys.ts";
import { loginUrl } from "./logins.ts";
import { applyMigrations } from "./migrations.ts";
import { lockFolder } from "./pglite/folder-lock.ts";
import { createRealtime } from "./realtime/server.ts";
import { clientAddressHeader, type Services, startServer } from "./server.ts";
import { runSidecar } from "./sidecar.ts";
import { installStandIns } from "./stand-ins.ts";
import type { Status } from "./status.ts";
import { sweepFiles } from "./storage/files.ts";
import { createStorage } from "./storage/routes.ts";

export interface Stack {
  readonly publicUrl: string;
  readonly keys: LocalKeys;
  readonly database: LocalDatabase;
  /** True when this start made the database. */
  readonly isNew: boolean;
  stop(): Promise<void>;
}

export async function startStack(config: LocalConfig, log: Log): Promise<Stack> {
  const closers: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (const close of closers.splice(0).reverse()) {
      await close().catch((error: unknown) => log.warn("stop", { error: describeError(error) }));
    }
  };
  try {
    return await startParts(config, log, closers, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startParts(
  config: LocalConfig,
  log: Log,
  closers: (() => Promise<unknown>)[],
  stop: () => Promise<void>,
): Promise<Stack> {
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  const folder = join(config.dataDir, "database");
  // PGlite holds its folder itself; over a server only the rest of the data folder is there to be held.
  if (config.databaseUrl) closers.push(await lockFolder(folder));
  const database = config.databaseUrl
    ? await openPostgres(config.databaseUrl)
    : await openPglite({ dataDir: folder });
  closers.push(() => database.close());
  await installStandIns(database);
  const isNew = (await applyMigrations(database)).length > 0;
  const keys = await loadKeys(config.dataDir);

  const reportError = (error: unknown) => log.error("stand-in", { error: describeError(error) });
  const services = Promise.withResolvers<Services>();
  services.promise.catch(() => {});
  const { port, host } = config;
  const server = startServer({ port, host, services: services.promise, reportError });
  closers.push(() => server.stop());
  const supabaseUrl = `http://${hostInUrl(config.host)}:${server.port}`;
  const publicUrl = config.publicUrl ?? supabaseUrl;

  const connect = (role?: string, max?: number): Sql => {
    const sql = database.connect({ ...(role ? { role } : {}), ...(max ? { max } : {}) });
    closers.push(() => sql.end({ timeout: 5 }));
    return sql;
  };
  const environment = createEnvironment(config, { keys, supabaseUrl, publicUrl });
  const edgeConfig = readEdgeConfig(environment);
  if (edgeConfig.tracing) {
    const { startTracing } = await import("../../shared/tracing-export.ts");
    const tracing = startTracing({ ...edgeConfig.tracing, service: "parlance", version });
    closers.push(() => tracing.stop());
  }
  const sql = connect();
  const deps = createDeps(edgeConfig, { sql, log, ...createSurroundings(config, closers) });
  closers.push(() => deps.calls.settle());
  const issuer = `${publicUrl}/auth/v1`;
  const realtime = await createRealtime({
    sql: connect("supabase_realtime_admin"),
    keys,
    issuer,
    reportError,
  });
  closers.push(() => realtime.close());
  const files = join(config.dataDir, "objects");
  const storageSql = connect("supabase_storage_admin");
  const storage = { folder: files, fileSizeLimitBytes: importBytesMax, reportError };
  const app = createApp(deps);
  services.resolve({
    auth: createAuth({ sql: connect("supabase_auth_admin"), keys, issuer, findAddress, reportError }).fetch,
    storage: createStorage({ ...storage, sql: storageSql, keys, issuer }).fetch,
    realtime,
    functions: (request) => app.fetch(request),
  });
  // Files that a crash left without a row; nobody waits for it.
  sweepFiles(storageSql, files).catch(reportError);
  await deps.objects.ensureBucket();
  await deps.files.ensureBucket();
  if (config.withSidecar) closers.push(await runSidecar({ database, config, environment, log }));
  if (config.withEdgeRunner) {
    const options = { versions: { bun: Bun.version }, memoryBytes: () => process.memoryUsage.rss() };
    const runner = runEdgeJobs(deps, options);
    closers.push(() => runner.stop());
  }
  closers.push(await writeStatus(config, publicUrl, keys));
  return { publicUrl, keys, database, isNew, stop };
}

function findAddress(request: Request): string | undefined {
  return request.headers.get(clientAddressHeader) ?? undefined;
}

/** Where this machine reaches a server that listens on `host`. */
function hostInUrl(host: string): string {
  if (["0.0.0.0", "::"].includes(host)) return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}

/** What an edge runtime gives a function: here the stack waits for what outlasts a request before it ends. */
function createSurroundings(
  { databaseUrl, withEdgeRunner }: LocalConfig,
  closers: (() => Promise<unknown>)[],
): Surroundings {
  const ending = new AbortController();
  const afterwards = new Set<Promise<unknown>>();
  closers.push(async () => {
    ending.abort();
    await Promise.allSettled(afterwards);
  });
  const keepAlive = (work: Promise<unknown>) => {
    const kept = work.finally(() => afterwards.delete(kept));
    afterwards.add(kept);
  };
  return {
    ending: ending.signal,
    ...(withEdgeRunner ? {} : { keepAlive }),
    // Over PGlite the database and the models use it too.
    ...(databaseUrl ? { cpuUsedMs } : {}),
  };
}

function cpuUsedMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Leaves URLs and keys for `bun run status`; the file holds the secret key and is its owner's alone. */
async function writeStatus(
  config: LocalConfig,
  publicUrl: string,
  keys: LocalKeys,
): Promise<() => Promise<void>> {
  const status: Status = {
    API_URL: publicUrl,
    FUNCTIONS_URL: `${publicUrl}/functions/v1`,
    PUBLISHABLE_KEY: keys.publishableKey,
    SECRET_KEY: keys.secretKey,
    ...(config.databaseUrl
      ? { DB_URL: config.databaseUrl, SIDECAR_DB_URL: loginUrl(config.databaseUrl, "parlance_sidecar") }
      : {}),
  };
  const path = statusPath(config.dataDir);
  await writeFile(path, `${JSON.stringify(status, null, 2)}\n`, { mode: 0o600 });
  await chmod(path, 0o600);
  return () => rm(path, { force: true });
}
