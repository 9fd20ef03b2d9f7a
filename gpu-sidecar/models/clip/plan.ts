import type { Family } from "../files/layout.ts";

/** The shapes of the models that are made here: those of the published ones, and tiny ones for tests. */
export interface TowerPlan {
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  /** Width of the layer between two of a block. */
  readonly inner: number;
}

export interface ModelPlan {
  readonly family: Family;
  readonly vision: TowerPlan & { readonly size: number; readonly patch: number };
  readonly text: TowerPlan & { readonly tokens: number; readonly vocabulary: number };
  /** Of the common space. */
  readonly dimensions: number;
}

const base = { width: 768, layers: 12, heads: 12, inner: 3072 } as const;
const small = { width: 32, layers: 2, heads: 2, inner: 64 } as const;

/** ViT-B/32 of CLIP, and ViT-B/16 of SigLIP. */
const full: Readonly<Record<Family, ModelPlan>> = {
  clip: {
    family: "clip",
    vision: { ...base, size: 224, patch: 32 },
    text: { width: 512, layers: 12, heads: 8, inner: 2048, tokens: 77, vocabulary: 49_408 },
    dimensions: 512,
  },
  siglip: {
    family: "siglip",
    vision: { ...base, size: 224, patch: 16 },
    text: { ...base, tokens: 64, vocabulary: 32_000 },
    dimensions: 768,
  },
};

const tiny: Readonly<Record<Family, ModelPlan>> = {
  clip: {
    family: "clip",
    vision: { ...small, size: 64, patch: 16 },
    text: { ...small, tokens: 77, vocabulary: 1_200 },
    dimensions: 32,
  },
  siglip: {
    family: "siglip",
    vision: { ...small, size: 64, patch: 16 },
    text: { ...small, tokens: 64, vocabulary: 1_200 },
    dimensions: 32,
  },
};

export function planModel(family: Family, isTiny: boolean): ModelPlan {
  return (isTiny ? tiny : full)[family];
}
