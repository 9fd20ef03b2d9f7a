import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { AppError } from "../../../shared/errors.ts";
import { describeFile } from "./folder.ts";
import { loadFrom } from "./installed.ts";
import type { ModelLock } from "./lock.ts";
import { readModelSettings } from "./model-settings.ts";
import { probeGraphs, probeVectors } from "./probe.ts";

/**
 * Everything again that was looked at when the model was installed: the hash of every file, the settings as this version
 * reads them, both graphs, and vectors alone and in a batch. Answers what is wrong; nothing, when all is well.
 */
export async function verifyModel(modelsFolder: string, lock: ModelLock): Promise<string[]> {
  const folder = join(modelsFolder, lock.name);
  const steps = [
    () => verifyFiles(folder, lock),
    () => verifySettings(folder, lock),
    () => verifyVectors(folder, lock),
  ];
  for (const step of steps) {
    const problems = await step().catch((error: unknown) => {
      if (error instanceof AppError) return [error.message];
      throw error;
    });
    // Settings of files that are not the locked ones, or graphs that are not, say nothing.
    if (problems.length > 0) return problems;
  }
  return [];
}

async function verifyFiles(folder: string, lock: ModelLock): Promise<string[]> {
  const problems: string[] = [];
  for (const locked of lock.files) {
    const found = await describeFile(folder, locked.name);
    if (found.sizeBytes !== locked.sizeBytes)
      problems.push(`${locked.name} has ${found.sizeBytes} bytes and was locked with ${locked.sizeBytes}.`);
    else if (found.sha256 !== locked.sha256) problems.push(`${locked.name} is not the file that was locked.`);
  }
  return problems;
}

async function verifySettings(folder: string, lock: ModelLock): Promise<string[]> {
  const settings = await readModelSettings(folder);
  const { family, image, text } = settings;
  const dimensions = await probeGraphs(folder, { vision: lock.vision, text: lock.language }, settings);
  const now = { family, image, text, dimensions };
  return (["family", "image", "text", "dimensions"] as const)
    .filter((key) => !isDeepStrictEqual(now[key], lock[key]))
    .map(
      (key) =>
        `${key} is read as ${JSON.stringify(now[key])} and was locked as ${JSON.stringify(lock[key])}.`,
    );
}

async function verifyVectors(folder: string, lock: ModelLock): Promise<string[]> {
  await probeVectors(lock, () => loadFrom(folder, lock));
  return [];
}
