import { join } from "node:path";
import { InferenceSession } from "onnxruntime-node";
import { innerProduct, rowOf } from "../../math/vectors.ts";
import type { DualEncoderFiles, ModelCard } from "../card.ts";
import { openDualEncoder } from "../session.ts";
import type { Family, ModelLayout, Variant } from "./layout.ts";
import { cardOf, type ModelLock } from "./lock.ts";
import { refuse } from "./refuse.ts";

/** What each type of model must give out. CLIP's pooled output is not yet in the common space. */
const outputs: Readonly<Record<Family, { vision: string; text: string }>> = {
  clip: { vision: "image_embeds", text: "text_embeds" },
  siglip: { vision: "pooler_output", text: "pooler_output" },
};

/** Opens both graphs; answers the length of the vectors. Refuses halves that do not belong together. */
export async function probeGraphs(
  folder: string,
  { vision, text }: Pick<ModelLayout, "vision" | "text">,
  family: Family,
): Promise<number> {
  const image = await readDimensions(
    join(folder, vision),
    [outputs[family].vision, "image_embeds"],
    ["pixel_values"],
  );
  const language = await readDimensions(
    join(folder, text),
    [outputs[family].text, "text_embeds"],
    ["input_ids", "attention_mask"],
  );
  if (image !== language)
    throw refuse(
      `${vision} makes vectors of ${image} numbers and ${text} of ${language}: they do not belong together.`,
    );
  return image;
}

async function readDimensions(
  path: string,
  names: readonly string[],
  inputs: readonly string[],
): Promise<number> {
  const session = await InferenceSession.create(path, {
    executionProviders: ["cpu"],
    graphOptimizationLevel: "disabled",
    logSeverityLevel: 3,
  }).catch((cause: unknown) => {
    throw refuse(
      `${path} cannot be opened: ${cause instanceof Error ? cause.message : String(cause)}`,
      cause,
    );
  });
  try {
    const unknown = session.inputNames.filter((name) => !inputs.includes(name));
    if (unknown.length > 0) throw refuse(`${path} asks for ${unknown.join(", ")}, which is not understood.`);
    const name = names.find((one) => session.outputNames.includes(one));
    const output = session.outputMetadata.find((one) => one.name === name);
    if (!output)
      throw refuse(`${path} gives out ${session.outputNames.join(", ")}, and not ${names.join(" or ")}.`);
    const length = output.isTensor ? output.shape.at(-1) : undefined;
    if (typeof length === "number" && length > 0) return length;
    throw refuse(`${path} does not say how long its vectors are.`);
  } finally {
    await session.release();
  }
}

/** What may lie between a row alone and the same row in a batch. 16 bits round by more than that. */
export const batchTolerances: Readonly<Record<Variant, number>> = { fp32: 1e-5, fp16: 1e-3, int8: 1e-5 };

/**
 * Embeds two pictures and three texts, alone and together. Refuses a model whose vectors depend on their company or are
 * the same for everything.
 */
export async function probeVectors(lock: ModelLock, load: () => Promise<DualEncoderFiles>): Promise<void> {
  const card = cardOf(lock);
  const model = await openDualEncoder({ card, load }, { device: "cpu", threads: 1 });
  try {
    const pictures = [0, 1].map((seed) => drawPicture(card, seed));
    const alone = await Promise.all(pictures.map((pixels) => model.embedImages(pixels, 1)));
    const both = new Float32Array(pictures.flatMap((pixels) => [...pixels]));
    compare(lock, "pictures", alone, await model.embedImages(both, 2));
    const texts = ["a", "a photo of a red house by the sea", "two dogs"];
    const single = await Promise.all(texts.map(async (text) => (await model.embedTexts([text])).vectors));
    compare(lock, "texts", single, (await model.embedTexts(texts)).vectors);
  } finally {
    await model.release();
  }
}

function drawPicture({ image: { size, mean, deviation } }: ModelCard, seed: number): Float32Array {
  const area = size * size;
  return Float32Array.from({ length: 3 * area }, (_, index) => {
    const channel = Math.floor(index / area);
    const place = (index % area) / area;
    const level = 0.5 + 0.5 * Math.sin((3 + 4 * seed) * place * Math.PI + channel);
    return (level - (mean[channel] ?? 0)) / (deviation[channel] ?? 1);
  });
}

function compare(
  { name, dimensions, variant }: ModelLock,
  what: string,
  alone: readonly Float32Array[],
  all: Float32Array,
): void {
  alone.forEach((vector, row) => {
    const together = rowOf(all, row, dimensions);
    const apart = vector.reduce((most, value, i) => Math.max(most, Math.abs(value - (together[i] ?? 0))), 0);
    if (!(apart <= batchTolerances[variant]))
      throw refuse(
        `${name}: a vector of ${what} depends on what it travels with (by ${apart.toExponential(1)}).`,
      );
  });
  const [first, second] = alone;
  if (first && second && innerProduct(first, second) > 1 - 1e-6)
    throw refuse(`${name}: different ${what} have the same vector.`);
}
