import { refuse } from "./refuse.ts";

/** CLIP projects both halves into a common space; SigLIP gives the pooled output of each. */
export const families = ["clip", "siglip"] as const;
export type Family = (typeof families)[number];

/**
 * How many bits the weights have. fp16 is half as large and meant for graphics cards; its rounding lets a batch move a
 * vector by up to 1e-3. int8 is smaller still, faster on a processor, and a little off; its rows run one at a time.
 */
export const variants = ["fp32", "fp16", "int8"] as const;
export type Variant = (typeof variants)[number];

/** What stands behind the name of a graph's file, as the hub's exports are called. */
export const variantSuffixes: Readonly<Record<Variant, readonly string[]>> = {
  fp32: [""],
  fp16: ["_fp16"],
  int8: ["_quantized", "_int8"],
};

/** The names under which a model's files lie in a folder or in a repository. */
export interface ModelLayout {
  readonly vision: string;
  readonly text: string;
  /** Settings and tokenizer. */
  readonly settings: readonly string[];
  /** Weights that lie beside a graph because they are too large for one file. */
  readonly weights: readonly string[];
}

const needed = [
  "config.json",
  "preprocessor_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
] as const;
const useful = ["special_tokens_map.json"] as const;

/** Finds the files of one variant among `names`; says what is missing and what there is instead. */
export function findLayout(names: readonly string[], variant: Variant): ModelLayout {
  const there = new Set(names);
  const missing = needed.filter((name) => !there.has(name));
  if (missing.length > 0) throw refuse(`The model lacks ${missing.join(", ")}.`);
  const vision = findGraph(names, "vision_model", variant);
  const text = findGraph(names, "text_model", variant);
  const beside = (graph: string) =>
    names.filter((name) => name.startsWith(`${graph}_data`) || name.startsWith(`${graph}.data`));
  return {
    vision,
    text,
    settings: [...needed, ...useful.filter((name) => there.has(name))],
    weights: [...beside(vision), ...beside(text)],
  };
}

function findGraph(names: readonly string[], tower: string, variant: Variant): string {
  const wanted = variantSuffixes[variant].flatMap((suffix) =>
    ["onnx/", ""].map((folder) => `${folder}${tower}${suffix}.onnx`),
  );
  const found = wanted.find((name) => names.includes(name));
  if (found !== undefined) return found;
  const others = names.filter((name) => name.includes(tower) && name.endsWith(".onnx"));
  const instead = others.length > 0 ? ` There is: ${others.slice(0, 20).join(", ")}.` : "";
  throw refuse(`The model has no ${wanted[0]} for the variant ${variant}.${instead}`);
}
