import type { Variant } from "../files/layout.ts";

/** A model that can be pulled by its name alone. */
export interface KnownModel {
  readonly name: string;
  /** On the hub, in the usual ONNX layout. */
  readonly repository: string;
  readonly about: string;
  readonly dimensions: number;
  /** Of the weights in fp32, as published; see `figuresSource`. */
  readonly figures: { readonly recall: number; readonly milliseconds: number; readonly memoryMiB: number };
}

/**
 * Where the figures are from. They are those of the original weights; an export, and above all int8, may differ.
 * Neither they nor the repositories were tried here: `bun run spaces compare` measures on one's own pictures.
 */
export const figuresSource =
  "Immich, docs/docs/features/searching.md at 01a09bb (github.com/immich-app/immich): Crossmodal-3600 in English, mean " +
  "of recall@1, @5 and @10; time of one run and memory on a Ryzen 7800X3D, fp32";

export const defaultModel = "clip-vit-base-patch32";

export const knownModels: readonly KnownModel[] = [
  {
    name: defaultModel,
    repository: "Xenova/clip-vit-base-patch32",
    about: "CLIP of OpenAI, English; small and fast",
    dimensions: 512,
    figures: { recall: 59.37, milliseconds: 2.26, memoryMiB: 1004 },
  },
  {
    name: "clip-vit-large-patch14",
    repository: "Xenova/clip-vit-large-patch14",
    about: "CLIP of OpenAI, English; slow for what it finds",
    dimensions: 768,
    figures: { recall: 60.12, milliseconds: 19.91, memoryMiB: 2212 },
  },
  {
    name: "siglip-base-patch16-224",
    repository: "Xenova/siglip-base-patch16-224",
    about: "SigLIP of Google, English",
    dimensions: 768,
    figures: { recall: 71.64, milliseconds: 5.77, memoryMiB: 1081 },
  },
  {
    name: "siglip2-base-patch32-256",
    repository: "onnx-community/siglip2-base-patch32-256-ONNX",
    about: "SigLIP 2 of Google, a hundred languages; the faster one",
    dimensions: 768,
    figures: { recall: 73.15, milliseconds: 3.31, memoryMiB: 3061 },
  },
  {
    name: "siglip2-base-patch16-224",
    repository: "onnx-community/siglip2-base-patch16-224-ONNX",
    about: "SigLIP 2 of Google, a hundred languages; finds most",
    dimensions: 768,
    figures: { recall: 75.19, milliseconds: 5.81, memoryMiB: 3038 },
  },
];

export interface Wanted {
  /** Without the variant. */
  readonly name: string;
  readonly repository: string;
}

/** `owner/name` is a repository; anything else is a name of ours. */
export function findWanted(word: string): Wanted | undefined {
  const known = knownModels.find(({ name, repository }) => name === word || repository === word);
  if (known) return { name: known.name, repository: known.repository };
  if (!/^[\w.-]{1,96}\/[\w.-]{1,96}$/.test(word) || word.includes("..")) return undefined;
  const name = (word.split("/")[1] ?? "")
    .toLowerCase()
    .replaceAll("_", "-")
    .replace(/-onnx$/, "");
  return { name, repository: word };
}

/** What a name of ours ends with says the variant: `clip-vit-base-patch32-int8`. */
export function splitVariant(word: string): { word: string; variant: Variant | undefined } {
  const found = /^(.+)-(fp16|int8)$/.exec(word);
  const name = found?.[1];
  if (name === undefined || !knownModels.some((model) => model.name === name))
    return { word, variant: undefined };
  return { word: name, variant: found?.[2] === "fp16" ? "fp16" : "int8" };
}
