import { constants } from "node:fs";
import { copyFile, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { AppError } from "../../../shared/errors.ts";
import { checkGraph, checkInside, describeFile, listFiles } from "./folder.ts";
import { exists, loadFrom } from "./installed.ts";
import { findLayout, type ModelLayout, type Variant } from "./layout.ts";
import {
  digestFiles,
  lockName,
  type ModelLock,
  type ModelSource,
  modelKeyPattern,
  readLock,
} from "./lock.ts";
import { readModelSettings } from "./model-settings.ts";
import { probeGraphs, probeVectors } from "./probe.ts";
import { refuse } from "./refuse.ts";

/**
 * The folder of installed models: MODELS_DIR/<key>/ with the model's files and its lock. A model appears there whole,
 * by one rename; what is being installed lies in a folder that begins with a dot.
 */
export interface InstallOptions {
  readonly modelsFolder: string;
  readonly name: string;
  readonly variant: Variant;
  readonly source: ModelSource;
  /** What the files must hash to, where that is known from elsewhere: SHA-256 by name. */
  readonly hashes?: ReadonlyMap<string, string>;
}

/** `clip-vit-base-patch32` in fp32, `clip-vit-base-patch32-int8` in int8. */
export function nameModel(name: string, variant: Variant): string {
  const key = variant === "fp32" || name.endsWith(`-${variant}`) ? name : `${name}-${variant}`;
  if (!modelKeyPattern.test(key) || key === "palette")
    throw refuse(`"${key}" is no name for a model: small letters, digits, dots and dashes, at most 64.`);
  return key;
}

/** Copies a model out of a folder, checks it, opens it, locks it. */
export async function addModel(folder: string, options: Omit<InstallOptions, "source">): Promise<ModelLock> {
  const layout = findLayout(await listFiles(folder), options.variant);
  const names = await listNeeded(folder, layout);
  const staging = await openStaging(options);
  try {
    for (const name of names) await copyInto(folder, staging, name);
    return await installStaged(staging, { ...options, source: { kind: "folder", folder } });
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/** The files that a model consists of: its settings, its graphs, and the weights that these name. */
export async function listNeeded(folder: string, layout: ModelLayout): Promise<string[]> {
  const plain = [...layout.settings, layout.vision, layout.text];
  for (const name of plain) await checkInside(folder, name);
  const graphs = await Promise.all([layout.vision, layout.text].map((name) => checkGraph(folder, name)));
  return [...new Set([...plain, ...graphs.flatMap(({ weights }) => weights)])];
}

async function openStaging({ modelsFolder, name }: Omit<InstallOptions, "source">): Promise<string> {
  const staging = join(modelsFolder, `.adding-${name}-${process.pid}`);
  await rm(staging, { recursive: true, force: true });
  await mkdir(staging, { recursive: true });
  return staging;
}

async function copyInto(from: string, to: string, name: string): Promise<void> {
  await mkdir(dirname(join(to, name)), { recursive: true });
  // Shares the bytes where the file system can; a later change of one does not reach the other.
  await copyFile(join(from, name), join(to, name), constants.COPYFILE_FICLONE);
}

/** Checks and opens the files in `staging`, writes their lock, and moves them to their place. */
export async function installStaged(staging: string, options: InstallOptions): Promise<ModelLock> {
  const lock = await inspectModel(staging, options);
  const target = join(options.modelsFolder, options.name);
  const there = await readLock(target, options.name).catch(() => undefined);
  if (there?.digest === lock.digest) return there;
  await probeVectors(lock, () => loadFrom(staging, lock));
  await writeFile(join(staging, lockName), `${JSON.stringify(lock, null, 2)}\n`);
  if (await exists(target))
    throw new AppError(
      "conflict",
      `${target} is there already, with other content. Vectors of the two would not fit together: ` +
        "install it under another name, or remove that folder first.",
    );
  await rename(staging, target);
  return lock;
}

async function inspectModel(folder: string, options: InstallOptions): Promise<ModelLock> {
  const { name, variant, source } = options;
  const layout = findLayout(await listFiles(folder), variant);
  const names = await listNeeded(folder, layout);
  const settings = await readModelSettings(folder);
  const { family, image, text, read } = settings;
  const dimensions = await probeGraphs(folder, layout, settings);
  const files = [];
  for (const file of names.sort()) files.push(await describeFile(folder, file));
  const changed = files.find(({ name: file, sha256 }) => (options.hashes?.get(file) ?? sha256) !== sha256);
  if (changed) throw refuse(`${join(folder, changed.name)} is not what it was fetched as. Remove ${folder}.`);
  const [vision, language] = [await checkGraph(folder, layout.vision), await checkGraph(folder, layout.text)];
  return {
    format: 1,
    name,
    family,
    variant,
    source,
    digest: digestFiles(files),
    dimensions,
    image,
    text,
    vision: layout.vision,
    language: layout.text,
    runsAlone: { vision: vision.quantisesAsItRuns, text: language.quantisesAsItRuns },
    files,
    settings: [...read],
  };
}
