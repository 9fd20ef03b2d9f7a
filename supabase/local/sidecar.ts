import { closeSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Environment } from "../../shared/config.ts";
import { ingestImage } from "../../shared/images/kinds.ts";
import type { Log } from "../../shared/log.ts";
import type { LocalConfig } from "./config.ts";
import type { LocalDatabase } from "./database.ts";
import { loginUrl } from "./logins.ts";
import { runInProcess } from "./sidecar-in-process.ts";

export interface SidecarOptions {
  readonly database: LocalDatabase;
  readonly config: LocalConfig;
  readonly environment: Environment;
  readonly log: Log;
}

/**
 * The stack's own sidecar: in this process over PGlite, which one process alone can open; else a process of its
 * own, as everywhere. Answers what stops it.
 */
export function runSidecar(options: SidecarOptions): Promise<() => Promise<void>> {
  return options.database.kind === "pglite" ? runInProcess(options) : runBeside(options);
}

const restartMsMax = 30_000;

/**
 * A child that ends by itself is started again, after a second at first and half a minute at most. It has a process
 * group of its own, so that Ctrl-C reaches it once, through us.
 */
async function runBeside({
  database,
  config,
  environment,
  log,
}: SidecarOptions): Promise<() => Promise<void>> {
  let stopping = false;
  let restartMs = 1_000;
  let timer: ReturnType<typeof setTimeout> | undefined;
  // It decodes what strangers send, so it is given the login of its own role and not that of the superuser.
  const { DATABASE_URL: _url, SUPABASE_DB_URL: _databaseUrl, ...env } = environment;
  const logPath = join(config.dataDir, "sidecar.log");
  const logFile = openSync(logPath, "a", 0o600);
  const script = fileURLToPath(new URL("../../gpu-sidecar/main.ts", import.meta.url));
  const start = () => {
    const startedAtMs = Date.now();
    return Bun.spawn([process.execPath, script, "--held"], {
      env: { ...env, SIDECAR_DB_URL: loginUrl(config.databaseUrl ?? "", "parlance_sidecar") },
      // Its input ends with this process, and then so does the sidecar.
      stdio: ["pipe", "ignore", logFile],
      detached: true,
      onExit: (_child, code, signal) => {
        if (stopping) return;
        log.error("sidecar.ended", { code, signal });
        restartMs = Date.now() - startedAtMs > 60_000 ? 1_000 : Math.min(restartMsMax, restartMs * 2);
        timer = setTimeout(() => {
          current = start();
        }, restartMs);
      },
    });
  };
  let current = start();
  const stop = async () => {
    stopping = true;
    clearTimeout(timer);
    current.kill("SIGTERM");
    await current.exited;
    closeSync(logFile);
  };
  try {
    const first = current;
    if (await waitUntilSeen(database, () => first.exitCode === null)) return stop;
    throw new Error(`The sidecar did not start: ${await findReason(logPath)}. More is in ${logPath}.`);
  } catch (error) {
    await stop();
    throw error;
  }
}

const startMsMax = 60_000;

/** The child is there when the database knows it; false where it ended, or took too long. */
async function waitUntilSeen(database: LocalDatabase, isRunning: () => boolean): Promise<boolean> {
  const sql = database.connect({ max: 1 });
  try {
    for (const deadline = Date.now() + startMsMax; Date.now() < deadline && isRunning(); ) {
      const [row] = await sql<{ alive: boolean }[]>`
        select parlance.worker_is_alive(${ingestImage.name}) as alive
      `;
      if (row?.alive) return true;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return false;
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/** The last error that a sidecar wrote, or its last line. */
async function findReason(logPath: string): Promise<string> {
  const lines = (await readFile(logPath, "utf8")).trimEnd().split("\n").slice(-20);
  const message = lines.map(findMessage).findLast((found) => found !== undefined);
  return (message ?? lines.at(-1)?.trim())?.replace(/\.$/, "") || "it said nothing";
}

/** The message of the error that a line of the log tells of. */
function findMessage(line: string): string | undefined {
  try {
    return (JSON.parse(line) as { error?: { message: string } }).error?.message;
  } catch {
    return undefined;
  }
}
