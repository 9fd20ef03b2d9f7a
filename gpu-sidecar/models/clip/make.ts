/**
 * Makes a dual encoder of the right shape with random weights, laid out as on the hub. It finds nothing; it is there to
 * test and to measure with.
 *
 *   bun gpu-sidecar/models/clip/make.ts FOLDER [--tiny] [--siglip] [--variant fp32|fp16|int8] [--seed N]
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Family, type Variant, variantSuffixes, variants } from "../files/layout.ts";
import { buildConfigs } from "./configs.ts";
import { planModel } from "./plan.ts";
import { buildTextTower, buildVisionTower } from "./towers.ts";

export interface MakeOptions {
  readonly family?: Family;
  readonly isTiny?: boolean;
  /** Default `fp32` alone. All are the same weights, written with more or fewer bits. */
  readonly variants?: readonly Variant[];
  readonly seed?: number;
}

/** Answers the paths it wrote. Equal options write equal bytes. */
export async function makeModel(folder: string, options: MakeOptions = {}): Promise<string[]> {
  const { family = "clip", isTiny = false, seed = 1 } = options;
  const plan = planModel(family, isTiny);
  await mkdir(join(folder, "onnx"), { recursive: true });
  const written: string[] = [];
  const write = async (name: string, content: Uint8Array | string) => {
    await writeFile(join(folder, name), content);
    written.push(join(folder, name));
  };
  for (const [name, content] of Object.entries(buildConfigs(plan, seed))) {
    await write(name, `${JSON.stringify(content, null, 2)}\n`);
  }
  for (const variant of options.variants ?? ["fp32"]) {
    const [suffix] = variantSuffixes[variant];
    await write(`onnx/vision_model${suffix}.onnx`, buildVisionTower(plan, { variant, seed }));
    await write(`onnx/text_model${suffix}.onnx`, buildTextTower(plan, { variant, seed }));
  }
  return written;
}

const usage =
  "Usage: bun gpu-sidecar/models/clip/make.ts FOLDER [--tiny] [--siglip] [--variant fp32|fp16|int8] [--seed N]";

export function parseMakeArguments(words: readonly string[]): MakeOptions & { folder: string } {
  const rest = [...words];
  let folder: string | undefined;
  let options: MakeOptions = {};
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === "--tiny") options = { ...options, isTiny: true };
    else if (word === "--siglip") options = { ...options, family: "siglip" };
    else if (word === "--variant") options = { ...options, variants: [parseVariant(rest.shift())] };
    else if (word === "--seed") options = { ...options, seed: parseSeed(rest.shift()) };
    else if (folder === undefined && !word.startsWith("-")) folder = word;
    else throw new Error(usage);
  }
  if (folder === undefined) throw new Error(usage);
  return { folder, ...options };
}

function parseVariant(word: string | undefined): Variant {
  const found = variants.find((variant) => variant === word);
  if (!found) throw new Error(usage);
  return found;
}

function parseSeed(word: string | undefined): number {
  if (word === undefined || !/^\d{1,9}$/.test(word)) throw new Error(usage);
  return Number(word);
}

if (import.meta.main) {
  const { folder, ...options } = parseMakeArguments(process.argv.slice(2));
  for (const path of await makeModel(folder, options)) console.log(path);
}
