import { join } from "node:path";
import { InferenceSession } from "onnxruntime-node";
import { AppError } from "../../../shared/errors.ts";
import { innerProduct, rowOf } from "../../math/vectors.ts";
import type { DualEncoderFiles, ModelCard } from "../card.ts";
import { type DualEncoder, openDualEncoder } from "../session.ts";
import { type TowerInput, toFeeds } from "../tower.ts";
import type { Family, ModelLayout, Variant } from "./layout.ts";
import { cardOf, type ModelLock } from "./lock.ts";
import type { ModelSettings } from "./model-settings.ts";
import { refuse } from "./refuse.ts";

/** What each type of model must give out. CLIP's pooled output is not yet in the common space. */
const outputs: Readonly<Record<Family, { vision: string; text: string }>> = {
  clip: { vision: "image_embeds", text: "text_embeds" },
  siglip: { vision: "pooler_output", text: "pooler_output" },
};

/** Opens both graphs; answers the length of the vectors. Refuses halves that do not belong together. */
export async function probeGraphs(
  folder: string,
  layout: Pick<ModelLayout, "vision" | "text">,
  { family, image, text }: ModelSettings,
): Promise<number> {
  const pixels = { data: new Float32Array(3 * image.size ** 2), row: [3, image.size, image.size] };
  const ids = { data: new BigInt64Array(text.tokensMax).fill(BigInt(text.padId)), row: [text.tokensMax] };
  const pictures = await readDimensions(
    join(folder, layout.vision),
    [outputs[family].vision, "image_embeds"],
    { pixel_values: pixels },
  );
  const texts = await readDimensions(join(folder, layout.text), [outputs[family].text, "text_embeds"], {
    input_ids: ids,
    attention_mask: { ...ids, data: new BigInt64Array(text.tokensMax).fill(1n) },
  });
  if (pictures !== texts)
    throw refuse(
      `${layout.vision} makes vectors of ${pictures} numbers and ${layout.text} of ${texts}: they do not belong together.`,
    );
  return pictures;
}

async function readDimensions(
  path: string,
  names: readonly string[],
  inputs: Readonly<Record<string, TowerInput>>,
): Promise<number> {
  const session = await openGraph(path);
  try {
    const unknown = session.inputNames.filter((name) => !Object.hasOwn(inputs, name));
    if (unknown.length > 0) throw refuse(`${path} asks for ${unknown.join(", ")}, which is not understood.`);
    const name = names.find((one) => session.outputNames.includes(one));
    if (name === undefined)
      throw refuse(`${path} gives out ${session.outputNames.join(", ")}, and not ${names.join(" or ")}.`);
    const answers = await session.run(toFeeds(session, inputs, 1), [name]).catch((cause: unknown) => {
      throw cannot("run", path, cause);
    });
    const shape = answers[name]?.dims ?? [];
    const [rows, length] = shape;
    if (shape.length === 2 && rows === 1 && length !== undefined && length > 0) return length;
    throw refuse(`${path} answers one row with [${shape}] and not with one vector.`);
  } finally {
    await session.release();
  }
}

function openGraph(path: string): Promise<InferenceSession> {
  const options = { executionProviders: ["cpu"], logSeverityLevel: 3 } as const;
  return InferenceSession.create(path, options).catch((cause: unknown) => {
    throw cannot("opened", path, cause);
  });
}

function cannot(what: "opened" | "run", path: string, cause: unknown): Error {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return refuse(`${path} cannot be ${what}: ${reason.slice(0, 500)}`, cause);
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
    await probeModel(model, lock);
  } catch (cause) {
    throw cause instanceof AppError ? cause : cannot("run", lock.name, cause);
  } finally {
    await model.release();
  }
}

async function probeModel(model: DualEncoder, lock: ModelLock): Promise<void> {
  const pictures = [0, 1].map((seed) => drawPicture(model.card, seed));
  const alone = await Promise.all(pictures.map((pixels) => model.embedImages(pixels, 1)));
  const both = new Float32Array(pictures.flatMap((pixels) => [...pixels]));
  compare(lock, "pictures", alone, await model.embedImages(both, 2));
  const texts = ["a", "a photo of a red house by the sea", "two dogs"];
  const single = await Promise.all(texts.map(async (text) => (await model.embedTexts([text])).vectors));
  compare(lock, "texts", single, (await model.embedTexts(texts)).vectors);
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
