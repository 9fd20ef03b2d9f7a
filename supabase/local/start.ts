/**
 * `bun run start [FOLDER …]`: starts everything, takes pictures in, shows that search works, and stays up.
 */
import { appendFileSync, mkdirSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join, relative, resolve } from "node:path";
import { createLog, describeError, type Log } from "../../shared/log.ts";
import { type LocalConfig, readLocalConfig } from "./config.ts";
import { type IngestReport, ingest, Library, type Picture } from "./library.ts";
import { readMarker, writeMarker } from "./markers.ts";
import { createProgressBar } from "./progress.ts";
import { type Stack, startStack } from "./stack.ts";

const startedAtMs = Date.now() - performance.now();
const showcaseQueries = ["sunset colours", "dark night", "pale green and white"];
const pictureEndings = /\.(jpe?g|png|webp|avif|gif|tiff?|heic|heif)$/i;
const picturesMax = 10_000;

async function main(): Promise<void> {
  const config = readLocalConfig();
  const folders = process.argv.slice(2).map((folder) => resolve(folder));
  for (const folder of folders) await checkFolder(folder);
  // What is kept there is its owner's alone, whatever the umask says.
  mkdirSync(config.dataDir, { recursive: true, mode: 0o700 });
  const logPath = join(config.dataDir, "parlance.log");
  const log = createLog((line) => appendFileSync(logPath, `${line}\n`, { mode: 0o600 }));

  console.log(
    `\nParlance starts: ${config.databaseUrl ? "over your Postgres" : "embedded mode"}, data in ${config.dataDir}`,
  );
  const stack = await startStack(config, log);
  const ended = stopOnSignal(stack, log);
  const library = new Library(stack.publicUrl, stack.keys.secretKey);
  await fillLibrary(config, library, folders);
  printReady(stack, logPath);
  await ended;
}

async function checkFolder(folder: string): Promise<void> {
  const found = await stat(folder).catch(() => undefined);
  if (!found?.isDirectory()) throw new Error(`${folder} is not a folder. Usage: bun run start [FOLDER …]`);
}

/** The samples once, then the user's folders; what is there already is left alone. */
async function fillLibrary(config: LocalConfig, library: Library, folders: readonly string[]): Promise<void> {
  const needsSamples = config.withSamples && !(await readMarker(config.dataDir, "samples"));
  if (needsSamples) {
    const { drawSamples } = await import("./samples/draw.ts");
    const samples = (await drawSamples()).map(({ bytes, ...picture }) => ({
      ...picture,
      bytes: async () => bytes,
    }));
    const report = await takeIn(library, samples, "sample pictures");
    for (const { imageId } of report.added) await library.publish(imageId);
    await writeMarker(config.dataDir, "samples");
  }
  for (const folder of folders) await takeIn(library, await listPictures(folder), `pictures of ${folder}`);
  if (needsSamples || folders.length > 0) await showSearches(library);
}

async function takeIn(library: Library, pictures: readonly Picture[], what: string): Promise<IngestReport> {
  console.log(`\nMaking ${pictures.length} ${what} searchable`);
  const bar = createProgressBar(pictures.length);
  const report = await ingest(library, pictures, (done, message) => bar.update(done, message));
  bar.update(pictures.length, "done");
  bar.end();
  if (report.skipped > 0) console.log(`  ${report.skipped} were there already`);
  for (const { name, reason } of report.refused.slice(0, 20)) console.log(`  not taken: ${name}: ${reason}`);
  if (report.refused.length > 20) console.log(`  … and ${report.refused.length - 20} more`);
  return report;
}

/** Pictures below the folder by their endings, named by their path; hidden files are left alone. */
async function listPictures(folder: string): Promise<Picture[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() && pictureEndings.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter(
      (path) =>
        !relative(folder, path)
          .split(/[/\\]/)
          .some((part) => part.startsWith(".")),
    )
    .sort();
  if (paths.length > picturesMax) {
    console.log(`  ${folder} holds ${paths.length} pictures; the first ${picturesMax} are taken`);
  }
  return paths.slice(0, picturesMax).map((path) => ({
    // A name has no slashes; a very long path keeps its end.
    name: join(basename(folder), relative(folder, path)).split(/[/\\]/).join(" › ").slice(-200).trim(),
    mediaType: "application/octet-stream",
    bytes: () => readFile(path),
  }));
}

async function showSearches(library: Library): Promise<void> {
  for (const query of showcaseQueries) {
    const page = await library.search(query, 3);
    console.log(`\nSearch “${query}”${page.reason ? ` (${page.reason})` : ""}`);
    for (const hit of page.items)
      console.log(`  ${hit.score.toFixed(2).padStart(6)}  ${hit.title ?? hit.name}`);
  }
}

function printReady(stack: Stack, logPath: string): void {
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
  const { data } = await supabase.functions.invoke("api/images/search?q=warm", { method: "GET" });

Ctrl-C stops everything.`);
}

/** Ends on the first signal in order, on the second at once. */
function stopOnSignal(stack: Stack, log: Log): Promise<void> {
  return new Promise((resolve) => {
    let stopping = false;
    const stop = () => {
      if (stopping) process.exit(1);
      stopping = true;
      console.log("\nStopping …");
      stack.stop().then(
        () => {
          console.log("Stopped. Your data is kept.");
          resolve();
          process.exit(0);
        },
        (error: unknown) => {
          log.error("stop", { error: describeError(error) });
          process.exit(1);
        },
      );
    };
    process.on("SIGINT", stop);
    process.on("SIGTERM", stop);
  });
}

try {
  await main();
} catch (error) {
  console.error(`\nParlance could not start: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}
