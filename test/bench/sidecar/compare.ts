import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { preparePixels } from "../../../gpu-sidecar/image/prepare.ts";
import { innerProduct } from "../../../gpu-sidecar/math/vectors.ts";
import { createPictureEmbedder } from "../../../gpu-sidecar/models/batcher.ts";
import { createInference, type Inference } from "../../../gpu-sidecar/models/inference.ts";
import { median, round } from "./measure.ts";
import { type BenchModel, cacheFolder } from "./model.ts";

/** Installed into a folder of the bench, never into the house. */
const packageVersion = "4.3.1";

export interface ComparisonRow {
  what: string;
  files: number;
  oursPerSecond: number | string;
  theirsPerSecond: number | string;
  timesAsFast: number | string;
  /** Of our vector with theirs, of the last file. */
  cosine: number | string;
}

export interface ComparisonOptions {
  readonly model: BenchModel;
  readonly threads: number;
  readonly rounds: number;
}

export interface FileSet {
  readonly what: string;
  readonly pictures: readonly Uint8Array[];
}

/** Files into vectors, in turns: ours with everything overlapped, theirs as their documentation shows it. */
export async function compareWithTransformers(
  sets: readonly FileSet[],
  options: ComparisonOptions,
): Promise<ComparisonRow[]> {
  const theirs = await startTheirs(options.model).catch((error: unknown) => String(error));
  if (typeof theirs === "string") return sets.map(({ what }) => toNothing(what, theirs));
  const { model, threads } = options;
  const inference = createInference({ ...model, threads, preload: [model.key] });
  const folder = await mkdtemp(join(tmpdir(), "parlance-bench-files-"));
  try {
    await inference.ready();
    const rows: ComparisonRow[] = [];
    for (const set of sets) rows.push(await compare(set, folder, { inference, theirs, options }));
    return rows;
  } finally {
    theirs.stop();
    await inference.close();
    await rm(folder, { recursive: true, force: true });
  }
}

interface Sides {
  readonly inference: Inference;
  readonly theirs: Theirs;
  readonly options: ComparisonOptions;
}

async function compare(
  { what, pictures }: FileSet,
  folder: string,
  { inference, theirs, options }: Sides,
): Promise<ComparisonRow> {
  const files = await Promise.all(
    pictures.map(async (picture, index) => {
      const file = join(folder, `${what.replaceAll(" ", "-")}-${index}.jpg`);
      await writeFile(file, picture);
      return file;
    }),
  );
  const ours = () => embedFiles(inference, options.model, files);
  // Each side once unmeasured.
  const last = await ours();
  const { last: theirLast } = await theirs.embed(files);
  const rounds: { ours: number; theirs: number }[] = [];
  for (let round = 0; round < options.rounds; round++) {
    const { tookMs } = await ours();
    rounds.push({ ours: tookMs, theirs: (await theirs.embed(files)).tookMs });
  }
  const perSecond = (side: "ours" | "theirs") =>
    round(median(rounds.map((one) => (files.length / one[side]) * 1000)), 1);
  return {
    what,
    files: files.length,
    oursPerSecond: perSecond("ours"),
    theirsPerSecond: perSecond("theirs"),
    timesAsFast: round(median(rounds.map((one) => one.theirs / one.ours))),
    cosine: round(innerProduct(last.last, theirLast), 5),
  };
}

async function embedFiles(inference: Inference, { key, catalog }: BenchModel, files: readonly string[]) {
  const { image } = catalog.get(key);
  const embedder = createPictureEmbedder(inference);
  const startMs = performance.now();
  const left = files.entries();
  let last: Float32Array = new Float32Array();
  const readers = Array.from({ length: 16 }, async () => {
    for (const [index, file] of left) {
      const bytes = new Uint8Array(await Bun.file(file).arrayBuffer());
      const vector = await embedder.embed(key, await preparePixels(bytes, image));
      if (index === files.length - 1) last = vector;
    }
  });
  await Promise.all(readers);
  return { tookMs: performance.now() - startMs, last };
}

interface Theirs {
  embed(files: readonly string[]): Promise<{ tookMs: number; last: number[] }>;
  stop(): void;
}

async function startTheirs({ folder }: BenchModel): Promise<Theirs> {
  const home = await installTheirs();
  const script = join(home, "child.mjs");
  await copyFile(join(import.meta.dirname, "transformers-child.mjs"), script);
  const child = Bun.spawn([process.execPath, script, dirname(folder), basename(folder)], {
    cwd: home,
    stdio: ["pipe", "pipe", "ignore"],
  });
  const lines = readLines(child.stdout);
  const next = async () => {
    const late = setTimeout(() => child.kill("SIGKILL"), 300_000);
    const { value } = await lines.next();
    clearTimeout(late);
    if (value === undefined) throw new Error("it ended");
    return value;
  };
  await next();
  return {
    async embed(files) {
      child.stdin.write(`${JSON.stringify(files)}\n`);
      await child.stdin.flush();
      return JSON.parse(await next());
    },
    stop: () => child.kill(),
  };
}

async function* readLines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, undefined> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  return undefined;
}

async function installTheirs(): Promise<string> {
  const home = join(cacheFolder, `transformers-${packageVersion}`);
  const manifest = { private: true, dependencies: { "@huggingface/transformers": packageVersion } };
  await mkdir(home, { recursive: true });
  await writeFile(join(home, "package.json"), JSON.stringify(manifest));
  const install = Bun.spawn([process.execPath, "install", "--ignore-scripts"], {
    cwd: home,
    stdio: ["ignore", "ignore", "ignore"],
    timeout: 300_000,
  });
  if ((await install.exited) !== 0) throw new Error("@huggingface/transformers cannot be installed here");
  return home;
}

function toNothing(what: string, reason: string): ComparisonRow {
  const none = `not run: ${reason}`;
  return { what, files: 0, oursPerSecond: "", theirsPerSecond: none, timesAsFast: "", cosine: "" };
}
