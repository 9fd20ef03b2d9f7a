import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { ModelCard } from "../card.ts";
import { families, variants } from "./layout.ts";
import { refuse } from "./refuse.ts";

/**
 * `model.lock.json`: what lies in a model's folder, to the byte, and all that must be known of the model without
 * reading its weights. Written once, when the model is installed.
 */
export const lockName = "model.lock.json";

export const modelKeyPattern = /^[a-z0-9][a-z0-9.-]{0,63}$/;

/** Forward slashes, no way out of the folder. */
export const FileName = z
  .string()
  .max(200)
  .regex(/^[A-Za-z0-9_][A-Za-z0-9._-]*(\/[A-Za-z0-9_][A-Za-z0-9._-]*){0,4}$/);
const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const Triple = z.tuple([z.number(), z.number(), z.number()]).readonly();

export const LockedFile = z.strictObject({
  name: FileName,
  sizeBytes: z.number().int().min(0),
  sha256: Sha256,
});
export type LockedFile = z.infer<typeof LockedFile>;

const Source = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("folder"), folder: z.string() }),
  z.strictObject({
    kind: z.literal("hub"),
    endpoint: z.string(),
    repository: z.string(),
    /** A commit, never a branch. */
    revision: z.string().regex(/^[0-9a-f]{40}$/),
  }),
]);
export type ModelSource = z.infer<typeof Source>;

export const ModelLock = z.strictObject({
  format: z.literal(1),
  name: z.string().regex(modelKeyPattern),
  family: z.enum(families),
  variant: z.enum(variants),
  source: Source,
  digest: Sha256,
  dimensions: z.number().int().min(1).max(4096),
  image: z.strictObject({
    size: z.number().int().min(1).max(2048),
    resize: z.enum(["squash", "cover"]),
    edge: z.number().int().min(1).max(2048),
    kernel: z.enum(["nearest", "linear", "cubic", "lanczos3"]),
    scale: z.number().positive(),
    mean: Triple,
    deviation: Triple,
  }),
  text: z.strictObject({
    tokensMax: z.number().int().min(1).max(8192),
    padding: z.enum(["longest", "tokensMax"]),
    padId: z.number().int().min(0),
  }),
  vision: FileName,
  language: FileName,
  /** Halves whose rows run alone: see `DualEncoderFiles.runsAlone`. */
  runsAlone: z.strictObject({ vision: z.boolean(), text: z.boolean() }),
  files: z.array(LockedFile).min(1).max(64),
  settings: z.array(z.strictObject({ name: z.string(), value: z.string(), from: z.string() })).max(64),
});
export type ModelLock = z.infer<typeof ModelLock>;

/** One hash for all files: equal content under equal names, equal digest. */
export function digestFiles(files: readonly LockedFile[]): string {
  const lines = files.map(({ name, sha256 }) => `${sha256}  ${name}\n`).sort();
  return createHash("sha256").update(lines.join("")).digest("hex");
}

export function cardOf({ name, digest, dimensions, image, text }: ModelLock): ModelCard {
  return { name, digest, dimensions, image, text };
}

/** The lock in a model's folder; refuses one that is damaged or that belongs to another folder. */
export async function readLock(folder: string, name: string): Promise<ModelLock> {
  const path = join(folder, lockName);
  const content = await readFile(path, "utf8").catch((cause: unknown) => {
    throw refuse(`${path} cannot be read.`, cause);
  });
  const lock = parseLock(content, path);
  if (lock.name !== name) throw refuse(`${path} is of ${lock.name}: a model's folder bears its name.`);
  if (lock.digest !== digestFiles(lock.files))
    throw refuse(`${path} contradicts itself: its digest is another.`);
  return lock;
}

function parseLock(content: string, path: string): ModelLock {
  try {
    return ModelLock.parse(JSON.parse(content));
  } catch (cause) {
    const issue = cause instanceof z.ZodError ? cause.issues[0] : undefined;
    const detail = issue ? `${issue.path.join(".")}: ${issue.message}` : "it is not JSON";
    throw refuse(`${path} is not understood (${detail}). Install the model again.`, cause);
  }
}
