/** The Postgres of the house: a server of its own that can be crashed, or a database on one that is shared. */
import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import postgres from "postgres";
import { isTransientDatabaseError } from "../../shared/database.ts";
import { findFreePort } from "./ports.ts";

export interface Server {
  /** A superuser's URL of a new database. */
  readonly url: string;
  /** What a crash of it is here. */
  readonly crashIs: "the server stopped at once" | "all connections ended";
  /** From now on a commit is written but not answered, until the server was started again; false where that cannot be. */
  leaveCommitsUnanswered(): Promise<boolean>;
  crash(): Promise<void>;
  /** Ends it in order: open transactions are rolled back, whoever is connected is told. */
  stop(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

/**
 * `script` starts and crashes servers (`start PORT`, `kill PORT`) whose data lies in `$POSTGRES17_DIR/data-PORT`;
 * `sharedUrl` is used where there is none.
 */
export async function openServer(script: string | undefined, sharedUrl: string): Promise<Server> {
  return script ? openOwnServer(script) : openSharedServer(sharedUrl);
}

async function openOwnServer(script: string): Promise<Server> {
  const port = String(await findFreePort());
  const serverUrl = (await run(script, "start", port)).trim().split("\n").at(-1) ?? "";
  const database = await createDatabase(serverUrl);
  const configure = async (change: string) => {
    await askAdmin(serverUrl, `alter system ${change}`);
    await askAdmin(serverUrl, "select pg_reload_conf()");
  };
  return {
    url: database.url,
    crashIs: "the server stopped at once",
    async leaveCommitsUnanswered() {
      // A commit is on disk before it waits for a standby, and this one never comes.
      await configure("set synchronous_standby_names = 'nobody'");
      return true;
    },
    crash: async () => void (await run(script, "kill", port)),
    stop: async () => void (await run(script, "stop", port)),
    async start() {
      await run(script, "start", port);
      await configure("reset synchronous_standby_names");
    },
    async close() {
      await run(script, "kill", port);
      await rm(join(findServersFolder(), `data-${port}`), { recursive: true, force: true });
    },
  };
}

/** Where the script keeps its servers. */
function findServersFolder(): string {
  const { POSTGRES17_DIR, XDG_CACHE_HOME } = process.env;
  return POSTGRES17_DIR ?? join(XDG_CACHE_HOME ?? join(homedir(), ".cache"), "postgres17");
}

async function openSharedServer(serverUrl: string): Promise<Server> {
  const database = await createDatabase(serverUrl);
  return {
    url: database.url,
    crashIs: "all connections ended",
    leaveCommitsUnanswered: async () => false,
    crash: () => database.endConnections(),
    stop: () => database.endConnections(),
    start: async () => {},
    close: () => database.drop(),
  };
}

async function createDatabase(serverUrl: string) {
  const name = `parlance_chaos_${crypto.randomUUID().replaceAll("-", "")}`;
  await askAdmin(serverUrl, `create database ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  const endConnections = `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`;
  return {
    url: url.href,
    drop: () => askAdmin(serverUrl, `drop database ${name} with (force)`),
    endConnections: () => askAdmin(serverUrl, endConnections),
  };
}

async function askAdmin(serverUrl: string, statement: string): Promise<void> {
  const admin = postgres(serverUrl, { max: 1, onnotice: () => {} });
  try {
    await admin.unsafe(statement);
  } finally {
    await admin.end({ timeout: 1 });
  }
}

async function run(script: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(script, args, { timeout: 120_000 });
  return stdout;
}

const patienceMs = 20_000;

/** A query of the test itself, asked again while the server is away. */
export async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (const deadline = Date.now() + patienceMs; ; ) {
    try {
      return await ask();
    } catch (error) {
      if (!isTransientDatabaseError(error) || Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
