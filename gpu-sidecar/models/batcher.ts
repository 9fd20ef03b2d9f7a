import { joinPixels } from "../image/pixels.ts";
import type { Inference } from "./inference.ts";

/** One picture in, one vector out; pictures that meet travel together. */
export interface PictureEmbedder {
  /** `pixels` is handed over: the caller does not read it afterwards. */
  embed(model: string, pixels: Float32Array): Promise<Float32Array>;
}

export interface BatcherOptions {
  /** Default 16. */
  readonly batchMax?: number;
  /** How long the first of a batch waits for others. Default 8. */
  readonly waitMs?: number;
}

interface Passenger {
  readonly pixels: Float32Array;
  readonly resolve: (vector: Float32Array) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Gathers pictures of several jobs into one run of the model, which costs little more than a run of one. The vector of
 * a picture does not depend on who travels with it.
 */
export function createPictureEmbedder(
  inference: Pick<Inference, "embedImages">,
  options: BatcherOptions = {},
): PictureEmbedder {
  const embedders = new Map<string, (pixels: Float32Array) => Promise<Float32Array>>();
  return {
    embed(model, pixels) {
      const embed = embedders.get(model) ?? createModelEmbedder(inference, model, options);
      embedders.set(model, embed);
      return embed(pixels);
    },
  };
}

function createModelEmbedder(
  inference: Pick<Inference, "embedImages">,
  model: string,
  { batchMax = 16, waitMs = 8 }: BatcherOptions,
): (pixels: Float32Array) => Promise<Float32Array> {
  let waiting: Passenger[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;

  const depart = () => {
    clearTimeout(timer);
    timer = undefined;
    const batch = waiting;
    waiting = [];
    if (batch.length > 0) void embedBatch(inference, model, batch);
  };

  return (pixels) =>
    new Promise((resolve, reject) => {
      waiting.push({ pixels, resolve, reject });
      if (waiting.length >= batchMax) depart();
      else timer ??= setTimeout(depart, waitMs);
    });
}

async function embedBatch(
  inference: Pick<Inference, "embedImages">,
  model: string,
  batch: readonly Passenger[],
): Promise<void> {
  try {
    const pixels = joinPixels(batch.map((passenger) => passenger.pixels));
    const rows = await inference.embedImages(model, pixels, batch.length);
    const dimensions = rows.length / batch.length;
    batch.forEach(({ resolve }, row) => {
      resolve(rows.slice(row * dimensions, (row + 1) * dimensions));
    });
  } catch (error) {
    for (const { reject } of batch) reject(error);
  }
}
