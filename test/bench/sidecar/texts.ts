import { preparePixels } from "../../../gpu-sidecar/image/prepare.ts";
import { createPictureEmbedder } from "../../../gpu-sidecar/models/batcher.ts";
import { createInference } from "../../../gpu-sidecar/models/inference.ts";
import { percentile, round } from "./measure.ts";
import type { BenchModel } from "./model.ts";

export interface TextRow {
  while: string;
  texts: number;
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
}

const words = ["red", "a dog on a beach", "two people in front of a house in the evening", "snow", "old car"];

/** How long one short text takes, alone and while pictures keep the device busy. */
export async function measureTexts(
  model: BenchModel,
  pictures: readonly Uint8Array[],
  options: { readonly threads: number; readonly texts: number },
): Promise<TextRow[]> {
  const { key, catalog, modelsFolder } = model;
  const inference = createInference({ catalog, modelsFolder, threads: options.threads, preload: [key] });
  try {
    await inference.ready();
    const embedder = createPictureEmbedder(inference);
    const { image } = catalog.get(key);
    let isBusy = true;
    const embedForEver = async (start: number) => {
      for (let index = start; isBusy; index++) {
        const picture = pictures[index % pictures.length] ?? new Uint8Array();
        await embedder.embed(key, await preparePixels(picture, image));
      }
    };
    const ask = async (index: number) => {
      const startMs = performance.now();
      await inference.embedTexts(key, [`${words[index % words.length]} ${index}`]);
      return performance.now() - startMs;
    };
    const rows = [describe("nothing else runs", await askAll(ask, options.texts))];
    const bulk = Array.from({ length: 16 }, (_, index) => embedForEver(index));
    // The size of the batches is learned first.
    await askAll(ask, Math.ceil(options.texts / 4));
    rows.push(describe("pictures keep the device busy", await askAll(ask, options.texts)));
    isBusy = false;
    await Promise.all(bulk);
    return rows;
  } finally {
    await inference.close();
  }
}

/** One after the other, at moments that have nothing to do with the runs. */
async function askAll(ask: (index: number) => Promise<number>, count: number): Promise<number[]> {
  const tookMs: number[] = [];
  for (let index = 0; index < count; index++) {
    tookMs.push(await ask(index));
    await Bun.sleep(7 + ((index * 31) % 53));
  }
  return tookMs;
}

function describe(during: string, tookMs: readonly number[]): TextRow {
  const at = (part: number) => round(percentile(tookMs, part), 1);
  return { while: during, texts: tookMs.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
}
