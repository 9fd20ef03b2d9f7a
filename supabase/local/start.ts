/**
 * `bun run start [FOLDER …]`: starts everything, takes pictures in, shows that search works, and stays up.
 */
import { accessSync, appendFileSync, constants, existsSync, mkdirSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { createLog, describeError, type Log } from "../../shared/log.ts";
import type { LocalConfig } from "./config.ts";
import { readAllSettings } from "./environment.ts";
import { drawNeededSamples, fillLibrary } from "./intake.ts";
import { Library } from "./library.ts";
import { type Stack, startStack } from "./stack.ts";

const startedAtMs = Date.now() - performance.now();

async function main(): Promise<void> {
  const config = readAllSettings();
  const folders = process.argv.slice(2).map((folder) => resolve(folder));
  for (const folder of folders) await checkFolder(folder);
  prepareDataDir(config.dataDir);
  const logPath = join(config.dataDir, "parlance.log");
  const log = createLog((line) => appendFileSync(logPath, `${line}\n`, { mode: 0o600 }), config.logLevel);
  try {
    await run(config, { folders, logPath, log });
  } catch (error) {
    log.error("start", { error: describeError(error) });
    throw error;
  }
}

async function checkFolder(folder: string): Promise<void> {
  const found = await stat(folder).catch(() => undefined);
  if (!found?.isDirectory()) throw new Error(`${folder} is not a folder. Usage: bun run start [FOLDER …]`);
}

/** What is kept there is its owner's alone, whatever the umask says. */
function prepareDataDir(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    accessSync(dataDir, constants.W_OK | constants.X_OK);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${reason}. Set DATA_DIR to a folder that can be written.`, { cause: error });
  }
}

/** Until a signal ends the process. */
async function run(
  config: LocalConfig,
  { folders, logPath, log }: { folders: readonly string[]; logPath: string; log: Log },
): Promise<void> {
  let starting: Promise<Stack> | undefined;
  const stopping = stopOnSignal(() => starting, log);
  printStart(config);
  const drawing = drawNeededSamples(config);
  drawing.catch(() => {});
  starting = startStack(config, log);
  const stack = await starting;
  if (stopping.signal.aborted) await stopping.ended;
  try {
    const library = new Library(stack.publicUrl, stack.keys.secretKey);
    const intake = { dataDir: config.dataDir, samples: await drawing, folders, signal: stopping.signal };
    if (!config.withSidecar) {
      printReady(stack, logPath);
      console.log("SIDECAR=false: pictures wait until a sidecar is started.");
    }
    await fillLibrary(library, intake);
    if (config.withSidecar) printReady(stack, logPath);
  } catch (error) {
    // What is under way when a signal stops the house fails with it.
    if (stopping.signal.aborted) await stopping.ended;
    await stack.stop();
    throw error;
  }
  await stopping.ended;
}

function printStart({ databaseUrl, dataDir }: LocalConfig): void {
  const mode = databaseUrl ? "over your Postgres" : "embedded mode";
  console.log(`\nParlance starts: ${mode}, data in ${dataDir}`);
  const isFirst = !databaseUrl && !existsSync(join(dataDir, "database"));
  if (isFirst) console.log("This is its first start: it takes some ten seconds.");
}

function printReady(stack: Stack, logPath: string): void {
  // What making the database took is large, and garbage by now.
  Bun.gc(true);
  const seconds = ((Date.now() - startedAtMs) / 1000).toFixed(1);
  const memory = Math.round(process.memoryUsage().rss / 2 ** 20);
  const api = `${stack.publicUrl}/functions/v1/api`;
  const { publishableKey, secretKey } = stack.keys;
  console.log(`
Ready after ${seconds} s, ${memory} MiB of memory

  API               ${api}
  its contract      ${api}/openapi.json
  Supabase URL      ${stack.publicUrl}
  publishable key   ${publishableKey}
  secret key        ${secretKey}
  log               ${logPath}

Try:
  curl -H 'apikey: ${publishableKey}' '${api}/images/search?q=autumn+colours'
  curl -H 'apikey: ${secretKey}' -F file=@picture.jpg '${api}/images'

  import { createClient } from "@supabase/supabase-js";
  const supabase = createClient("${stack.publicUrl}", "${publishableKey}");
  await supabase.auth.signUp({ email: "you@example.com", password: "a long password" });
  const { data } = await supabase.functions.invoke("api/images/search?q=warm&scope=public", { method: "GET" });

Ctrl-C stops everything.`);
}

/** One Ctrl-C reaches this process twice: from the terminal, and again from `bun run`. */
const sameSignalMs = 1_000;

/** Ends the process: on the first signal in order, on a later one at once. */
function stopOnSignal(
  getStarting: () => Promise<Stack> | undefined,
  log: Log,
): { readonly signal: AbortSignal; readonly ended: Promise<never> } {
  const ended = Promise.withResolvers<never>();
  const heard = new AbortController();
  let heardAtMs: number | undefined;
  const stop = async () => {
    console.log("\nStopping …");
    // A start that fails has stopped itself.
    const stack = await getStarting()?.catch(() => undefined);
    await stack?.stop();
    console.log("Stopped. Your data is kept.");
    process.exit(0);
  };
  const hear = () => {
    if (heardAtMs !== undefined) {
      if (performance.now() - heardAtMs > sameSignalMs) process.exit(1);
      return;
    }
    heardAtMs = performance.now();
    heard.abort();
    stop().catch((error: unknown) => {
      log.error("stop", { error: describeError(error) });
      process.exit(1);
    });
  };
  process.on("SIGINT", hear);
  process.on("SIGTERM", hear);
  return { signal: heard.signal, ended: ended.promise };
}

try {
  await main();
} catch (error) {
  console.error(`\nParlance could not start: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}
