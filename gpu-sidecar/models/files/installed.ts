import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../../../shared/errors.ts";
import { createHubTokenizer } from "../../text/hub-tokenizer.ts";
import type { CatalogEntry, DualEncoderFiles } from "../card.ts";
import { checkGraph, checkInside } from "./folder.ts";
import { cardOf, lockName, type ModelLock, modelKeyPattern, readLock } from "./lock.ts";
import { readTokenizer } from "./model-settings.ts";
import { refuse } from "./refuse.ts";

/** The models that lie in MODELS_DIR, by their locks. No weights are read until one is loaded. */
export interface Installed {
  readonly name: string;
  /** Or why it cannot be used. */
  readonly lock: ModelLock | AppError;
}

const modelsMax = 1_000;

/** The models in `folder` by their locks; a folder that is not there has none. */
export async function listInstalled(folder: string): Promise<Installed[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const names = entries
    .filter((entry) => entry.isDirectory() && modelKeyPattern.test(entry.name))
    .map((entry) => entry.name)
    .sort();
  const found: Installed[] = [];
  for (const name of names.slice(0, modelsMax)) {
    if (!(await exists(join(folder, name, lockName)))) continue;
    found.push({ name, lock: await readLock(join(folder, name), name).catch(toRefusal) });
  }
  return found;
}

function toRefusal(error: unknown): AppError {
  return error instanceof AppError ? error : refuse(String(error), error);
}

export function entryOf(folder: string, lock: ModelLock): CatalogEntry {
  return { card: cardOf(lock), load: () => loadFrom(join(folder, lock.name), lock) };
}

/** Looks again that files have the locked sizes and graphs read nothing else; `verify` hashes them too. */
export async function loadFrom(folder: string, lock: ModelLock): Promise<DualEncoderFiles> {
  for (const { name, sizeBytes } of lock.files) {
    const found = await checkInside(folder, name);
    if (found.sizeBytes !== sizeBytes)
      throw refuse(`${join(folder, name)} has ${found.sizeBytes} bytes and was locked with ${sizeBytes}.`);
  }
  const locked = new Set(lock.files.map(({ name }) => name));
  for (const graph of [lock.vision, lock.language]) {
    const { weights } = await checkGraph(folder, graph);
    const foreign = [graph, ...weights].filter((name) => !locked.has(name));
    if (foreign.length > 0) throw refuse(`${folder}: ${foreign.join(", ")} is not in ${lockName}.`);
  }
  const { tokenize } = createHubTokenizer(await readTokenizer(folder), lock.text.tokensMax);
  return {
    vision: join(folder, lock.vision),
    text: join(folder, lock.language),
    tokenize,
    runsAlone: lock.runsAlone,
  };
}

export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
