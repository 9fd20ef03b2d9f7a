import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import { dirname, isAbsolute, join, relative, sep } from "node:path";
import { inspectGraph } from "../onnx/inspect.ts";
import type { LockedFile } from "./lock.ts";
import { refuse } from "./refuse.ts";

/** What there is in a model's folder. It may come from anywhere, so nothing in it may lead out of it. */
const entriesMax = 5_000;
const depthMax = 3;

/** Names of all files, from the folder, with forward slashes. */
export async function listFiles(folder: string): Promise<string[]> {
  const names: string[] = [];
  const visit = async (path: string, depth: number): Promise<void> => {
    const entries = await readdir(join(folder, path), { withFileTypes: true }).catch((cause: unknown) => {
      throw refuse(`${join(folder, path)} is no folder that can be read.`, cause);
    });
    for (const entry of entries) {
      const name = path === "" ? entry.name : `${path}/${entry.name}`;
      if (names.length >= entriesMax) throw refuse(`${folder} has more than ${entriesMax} files.`);
      if (entry.isDirectory() && !entry.name.startsWith(".")) {
        if (depth < depthMax) await visit(name, depth + 1);
      } else if (entry.isFile() || entry.isSymbolicLink()) names.push(name);
    }
  };
  await visit("", 0);
  return names.sort();
}

/** Refuses a file that is none, or that lies elsewhere behind a link. */
export async function checkInside(folder: string, name: string): Promise<{ sizeBytes: number }> {
  const path = join(folder, name);
  const [home, real] = await Promise.all([realpath(folder), realpath(path)]).catch((cause: unknown) => {
    throw refuse(`${path} is missing.`, cause);
  });
  const way = relative(home, real);
  if (way === "" || way === ".." || way.startsWith(`..${sep}`) || isAbsolute(way))
    throw refuse(`${path} leads out of its folder (a link). Copy the folder with its content first: cp -rL.`);
  const found = await stat(real);
  if (!found.isFile()) throw refuse(`${path} is no file.`);
  return { sizeBytes: found.size };
}

/** The domains of onnxruntime itself; any other would need code that comes with the model. */
const domains = new Set(["", "ai.onnx", "ai.onnx.ml", "com.microsoft"]);
/** Operators of these domains that name a file or a program to run. */
const forbidden = new Set(["EPContext", "PythonOp", "PythonOpGrad", "ATen", "ExternalOp"]);

export interface GraphFile {
  /** Files with its weights, named from the model's folder. */
  readonly weights: readonly string[];
  /** The range of what is quantised is found as it runs, over all rows of the run together. */
  readonly quantisesAsItRuns: boolean;
}

/** Refuses a graph that reads files outside of the model's folder, or that needs operators of its own. */
export async function checkGraph(folder: string, name: string): Promise<GraphFile> {
  const { operators, externalFiles } = await inspectGraph(join(folder, name));
  const weights = [...externalFiles].map((location) => nameWeights(name, location));
  for (const file of weights) await checkInside(folder, file);
  for (const operator of operators) {
    const [domain = "", kind] = operator.includes(":") ? operator.split(":") : ["", operator];
    if (kind !== undefined && forbidden.has(kind))
      throw refuse(`${name} uses ${kind}, which may reach outside of it.`);
    if (!domains.has(domain))
      throw refuse(`${name} needs ${kind} of ${domain}, which onnxruntime does not have.`);
  }
  const quantisesAsItRuns = [...operators].some((operator) => operator.includes("DynamicQuantize"));
  return { weights, quantisesAsItRuns };
}

function nameWeights(graph: string, location: string): string {
  const isPlain = /^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(location);
  if (!isPlain) throw refuse(`${graph} reads "${location}", which is not a file beside it.`);
  const folder = dirname(graph);
  return folder === "." ? location : `${folder}/${location}`;
}

export async function hashFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 }))
    hash.update(chunk as Uint8Array);
  return hash.digest("hex");
}

export async function describeFile(folder: string, name: string): Promise<LockedFile> {
  const { sizeBytes } = await checkInside(folder, name);
  return { name, sizeBytes, sha256: await hashFile(join(folder, name)) };
}
