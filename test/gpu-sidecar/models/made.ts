import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type MakeOptions, makeModel } from "../../../gpu-sidecar/models/clip/make.ts";
import { addModel } from "../../../gpu-sidecar/models/files/install.ts";
import type { Variant } from "../../../gpu-sidecar/models/files/layout.ts";
import type { ModelLock } from "../../../gpu-sidecar/models/files/lock.ts";

/** Folders that a test made; all are removed at its end. */
const made: string[] = [];

export async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "parlance-models-"));
  made.push(folder);
  return folder;
}

export async function removeFolders(): Promise<void> {
  for (const folder of made.splice(0)) await rm(folder, { recursive: true, force: true });
}

/** A tiny model with random weights, laid out as on the hub. */
export async function makeTiny(options: MakeOptions = {}): Promise<string> {
  const folder = await makeFolder();
  await makeModel(folder, { isTiny: true, ...options });
  return folder;
}

export async function add(folder: string, options: Partial<{ modelsFolder: string; variant: Variant }> = {}) {
  const { variant = "fp32", modelsFolder = await makeFolder() } = options;
  const name = `tiny${variant === "fp32" ? "" : `-${variant}`}`;
  const lock: ModelLock = await addModel(folder, { modelsFolder, name, variant });
  return { lock, modelsFolder };
}

/** Why a model cannot be added. */
export async function refusalOf(folder: string, variant: Variant = "fp32"): Promise<string> {
  const result = await add(folder, { variant }).catch((error: unknown) => error);
  return result instanceof Error ? result.message : "it was added";
}

type Json = Record<string, unknown>;

/** Changes one file of settings: undefined takes a key out, dots go deeper. */
export async function changeJson(folder: string, file: string, changes: Json): Promise<void> {
  const path = join(folder, file);
  const content = JSON.parse(await readFile(path, "utf8")) as Json;
  for (const [key, value] of Object.entries(changes)) setDeep(content, key.split("."), value);
  await writeFile(path, JSON.stringify(content));
}

function setDeep(content: Json, [key = "", ...rest]: readonly string[], value: unknown): void {
  if (rest.length > 0) setDeep(content[key] as Json, rest, value);
  else if (value === undefined) delete content[key];
  else content[key] = value;
}
