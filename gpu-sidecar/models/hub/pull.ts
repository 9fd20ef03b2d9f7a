import { mkdir, readFile, rm, stat, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../../../shared/errors.ts";
import { installStaged } from "../files/install.ts";
import { findLayout, type Variant } from "../files/layout.ts";
import { FileName, type ModelLock, readLock } from "../files/lock.ts";
import { refuse } from "../files/refuse.ts";
import type { HubClient, HubFile } from "./client.ts";
import { downloadFile } from "./download.ts";
import { describeBytes, type PullProgress } from "./progress.ts";
import { holdPullLock } from "./pull-lock.ts";
import { retrying } from "./retry.ts";

/**
 * Fetches a model from a hub. The branch is pinned to the commit that it means now; files arrive one by one in
 * MODELS_DIR/.pulling-<key> and stay there when a pull breaks off, so that the next one goes on. When all are there
 * they are checked as a local folder is, locked, and moved to their place.
 */
export interface PullOptions {
  readonly hub: HubClient;
  readonly repository: string;
  /** A branch, a tag or a commit. Default `main`. */
  readonly revision?: string | undefined;
  readonly variant: Variant;
  /** The key under which it is installed. */
  readonly name: string;
  readonly modelsFolder: string;
  readonly progress: PullProgress;
  /** See `DownloadOptions`. */
  readonly pauseMs?: number;
  readonly triesMax?: number;
  /** Of all files. Default 20 GB. */
  readonly bytesMax?: number;
  /** Default: what the file system says. */
  readonly bytesFree?: number;
}

const bytesMaxDefault = 20e9;
/** Left over on the disk for everyone else. */
const reserveBytes = 200e6;

export async function pullModel(options: PullOptions): Promise<ModelLock> {
  const { modelsFolder, name } = options;
  await mkdir(modelsFolder, { recursive: true });
  const release = await holdPullLock(join(modelsFolder, `.pulling-${name}.lock`));
  try {
    return await pull(options);
  } finally {
    await release();
  }
}

async function pull(options: PullOptions): Promise<ModelLock> {
  const { hub, repository, revision = "main", name, variant, modelsFolder, progress } = options;
  const retries = {
    pauseMs: options.pauseMs ?? 1_000,
    triesMax: options.triesMax ?? 6,
    onRetry: (reason: string, pauseMs: number) => progress.retry(reason, pauseMs),
  };
  const askings = { ...retries, triesMax: Math.min(3, retries.triesMax) };
  const commit = await retrying(() => hub.findCommit(repository, revision), askings);
  const source = { kind: "hub", endpoint: hub.endpoint, repository, revision: commit } as const;
  const there = await readLock(join(modelsFolder, name), name).catch(() => undefined);
  if (there && isSame(there.source, source)) return there;
  const files = planFiles(await retrying(() => hub.listFiles(repository, commit), askings), options);
  const staging = join(modelsFolder, `.pulling-${name}`);
  await openStaging(staging, { repository, commit, variant });
  await checkSpace(staging, files, options);
  for (const file of files) {
    const target = join(staging, file.path);
    if ((await sizeOf(target)) === file.sizeBytes) continue;
    await downloadFile({
      ...retries,
      hub,
      repository,
      commit,
      file,
      target,
      onProgress: (bytes) => progress.file(file.path, bytes, file.sizeBytes),
    });
  }
  progress.note("All files are there. Trying the model.");
  const hashes = new Map(files.flatMap(({ path, sha256 }) => (sha256 === undefined ? [] : [[path, sha256]])));
  const lock = await installStaged(staging, { modelsFolder, name, variant, source, hashes });
  await rm(staging, { recursive: true, force: true });
  await rm(planPath(staging), { force: true });
  return lock;
}

function isSame(one: ModelLock["source"], other: ModelLock["source"]): boolean {
  return (
    one.kind === "hub" &&
    other.kind === "hub" &&
    one.repository === other.repository &&
    one.revision === other.revision
  );
}

/** The files of the variant, and weights that lie beside its graphs. */
export function planFiles(
  files: readonly HubFile[],
  { variant, bytesMax = bytesMaxDefault }: Pick<PullOptions, "variant" | "bytesMax">,
): HubFile[] {
  const named = new Map(files.map((file) => [file.path, file]));
  const { settings, vision, text, weights } = findLayout([...named.keys()], variant);
  const plan = [...settings, vision, text, ...weights].flatMap((path) => named.get(path) ?? []);
  const strange = plan.find(({ path }) => !FileName.safeParse(path).success);
  if (strange)
    throw refuse(`The hub lists ${JSON.stringify(strange.path)}, which is no name for a file here.`);
  const bytes = plan.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  if (bytes > bytesMax)
    throw refuse(`The model has ${describeBytes(bytes)}; at most ${describeBytes(bytesMax)} are fetched.`);
  return plan;
}

const planPath = (staging: string) => `${staging}.json`;

/** What a broken pull left behind is of use only for the same commit and variant. */
async function openStaging(
  folder: string,
  plan: { repository: string; commit: string; variant: Variant },
): Promise<void> {
  const wanted = JSON.stringify(plan);
  const found = await readFile(planPath(folder), "utf8").catch(() => undefined);
  if (found !== wanted) await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await writeFile(planPath(folder), wanted);
}

async function checkSpace(
  staging: string,
  files: readonly HubFile[],
  { progress, bytesFree }: PullOptions,
): Promise<void> {
  const inAll = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const found = new Map<string, number>();
  for (const { path } of files) {
    const target = join(staging, path);
    found.set(path, (await sizeOf(target)) || (await sizeOf(`${target}.part`)));
  }
  const there = [...found.values()].reduce((sum, bytes) => sum + bytes, 0);
  const { bavail, bsize } = await statfs(staging);
  const free = bytesFree ?? bavail * bsize;
  if (inAll - there + reserveBytes > free)
    throw new AppError(
      "unavailable",
      `The model needs another ${describeBytes(inAll - there)}, and the disk of ${staging} has ${describeBytes(free)} free.`,
    );
  progress.start(inAll, found);
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}
