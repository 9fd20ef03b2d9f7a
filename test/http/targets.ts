import { appendFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import type { Environment } from "../../shared/config.ts";
import { createLog } from "../../shared/log.ts";
import { readLocalConfig } from "../../supabase/local/config.ts";
import { loginUrl } from "../../supabase/local/logins.ts";
import { type Stack, startStack } from "../../supabase/local/stack.ts";
import type { HttpTarget } from "./suite.ts";

const root = join(import.meta.dirname, "..", "..");

/** A database of its own on the server that the URL names, and how to remove it. */
export async function createDatabase(serverUrl: string): Promise<{ url: string; drop(): Promise<void> }> {
  const name = `parlance_http_${crypto.randomUUID().replaceAll("-", "")}`;
  const admin = postgres(serverUrl, { max: 1, onnotice: () => {} });
  await admin.unsafe(`create database ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    async drop() {
      await admin.unsafe(`drop database ${name} with (force)`);
      await admin.end();
    },
  };
}

export interface OpenStack {
  readonly stack: Stack;
  /** Where it keeps what it keeps. */
  readonly folder: string;
  close(): Promise<void>;
}

/** Everything as `bun run start` starts it, in a folder of its own; settings replace the usual ones. */
export async function openStack(databaseUrl?: string, settings: Environment = {}): Promise<OpenStack> {
  const folder = await mkdtemp(join(tmpdir(), "parlance-http-"));
  const config = readLocalConfig({
    PORT: "0",
    DATA_DIR: folder,
    // The suite asks more in a few seconds than a person in minutes.
    RATE_LIMIT_WRITE: "10000",
    RATE_LIMIT_SEARCH: "10000",
    RATE_LIMIT_JOB: "100000",
    ...(databaseUrl ? { DATABASE_URL: databaseUrl } : {}),
    ...settings,
  });
  const log = createLog((line) => appendFileSync(join(folder, "parlance.log"), `${line}\n`));
  const stack = await startStack(config, log);
  return {
    stack,
    folder,
    async close() {
      await stack.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Everything as `bun run start` starts it; without a URL over PGlite. */
export async function startStackTarget(
  options: { databaseUrl?: string | undefined } = {},
): Promise<HttpTarget> {
  const database = options.databaseUrl ? await createDatabase(options.databaseUrl) : undefined;
  const { stack, close } = await openStack(database?.url);
  return {
    apiUrl: `${stack.publicUrl}/functions/v1/api`,
    supabaseUrl: stack.publicUrl,
    publishableKey: stack.keys.publishableKey,
    secretKey: stack.keys.secretKey,
    async stop() {
      await close();
      await database?.drop();
    },
  };
}

/** The edge app in Deno, given what a Supabase project gives a function; the rest of the house stands beside it. */
export async function startDenoTarget(options: { databaseUrl: string; deno: string }): Promise<HttpTarget> {
  const database = await createDatabase(options.databaseUrl);
  const { stack, close } = await openStack(database.url);
  const port = await findFreePort();
  const config = join(root, "supabase/functions/api/deno.json");
  const door = join(root, "test/http/serve-on-port.mjs");
  const child = Bun.spawn([options.deno, "run", "--no-lock", "--allow-all", "--config", config, door], {
    cwd: root,
    env: {
      ...process.env,
      DENO_TLS_CA_STORE: "system",
      TEST_PORT: String(port),
      SUPABASE_URL: stack.publicUrl,
      SUPABASE_DB_URL: loginUrl(database.url, "parlance_owner"),
      SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: stack.keys.publishableKey }),
      SUPABASE_SECRET_KEYS: JSON.stringify({ default: stack.keys.secretKey }),
      RATE_LIMIT_WRITE: "10000",
      RATE_LIMIT_SEARCH: "10000",
      RATE_LIMIT_JOB: "100000",
    },
    stdout: "ignore",
    stderr: "pipe",
  });
  const errors = new Response(child.stderr).text();
  const apiUrl = `http://127.0.0.1:${port}/api`;
  await waitUntilAlive(`${apiUrl}/health`, child.exited, errors);
  return {
    apiUrl,
    supabaseUrl: stack.publicUrl,
    publishableKey: stack.keys.publishableKey,
    secretKey: stack.keys.secretKey,
    async stop() {
      child.kill("SIGTERM");
      await child.exited;
      await close();
      await database.drop();
    },
  };
}

/** Deno may have to fetch its packages first, so it is given two minutes. */
async function waitUntilAlive(url: string, exited: Promise<number>, errors: Promise<string>): Promise<void> {
  let hasEnded = false;
  exited.then(() => {
    hasEnded = true;
  });
  const deadline = Date.now() + 120_000;
  while (Date.now() < deadline) {
    if (hasEnded) throw new Error(`The edge app ended on Deno:\n${await errors}`);
    const answer = await fetch(url, { signal: AbortSignal.timeout(1_000) }).catch(() => undefined);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("The edge app did not answer on Deno.");
}

function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}
