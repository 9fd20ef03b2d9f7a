import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { preparePixels } from "../../../gpu-sidecar/image/prepare.ts";
import { createPictureEmbedder } from "../../../gpu-sidecar/models/batcher.ts";
import type { Inference } from "../../../gpu-sidecar/models/inference.ts";
import { drawJpegs, openInference, palette } from "../library.ts";

/** A model whose vector is the sum of the pixels, which remembers the sizes of its batches. */
function createSum() {
  const batches: number[] = [];
  return {
    batches,
    async embedImages(_model: string, pixels: Float32Array, count: number) {
      batches.push(count);
      const length = pixels.length / count;
      return Float32Array.from({ length: count }, (_, row) =>
        pixels.subarray(row * length, (row + 1) * length).reduce((sum, value) => sum + value, 0),
      );
    },
  };
}

describe("pictures that are embedded at once", () => {
  test("travel together, and each gets its own vector back", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 16 }),
        async (count, batchMax) => {
          const sum = createSum();
          const embedder = createPictureEmbedder(sum, "sum", { batchMax, waitMs: 0 });
          const vectors = await Promise.all(
            Array.from({ length: count }, (_, index) => embedder.embed(Float32Array.of(index, 1000, 0))),
          );
          expect(vectors.map((vector) => [...vector])).toEqual(
            Array.from({ length: count }, (_, index) => [index + 1000]),
          );
          expect(Math.max(...sum.batches)).toBeLessThanOrEqual(batchMax);
          expect(sum.batches).toHaveLength(Math.ceil(count / batchMax));
        },
      ),
      { numRuns: 50 },
    );
  });

  test("fail together", async () => {
    const failing = { embedImages: () => Promise.reject(new Error("the device is gone")) };
    const embedder = createPictureEmbedder(failing, "none", { waitMs: 0 });
    const asked = [1, 2, 3].map((value) => embedder.embed(Float32Array.of(value)));
    for (const one of asked) await expect(one).rejects.toThrow("the device is gone");
  });
});

describe("the real model", () => {
  let inference: Inference;
  beforeAll(() => {
    inference = openInference();
  });
  afterAll(() => inference.close());

  test("gives a picture alone the vector that it gives it in a batch", async () => {
    const pixels = await Promise.all((await drawJpegs(20)).map((jpeg) => preparePixels(jpeg, palette.image)));
    const embedder = createPictureEmbedder(inference, palette.name, { batchMax: 16, waitMs: 1 });
    const alone: Float32Array[] = [];
    for (const one of pixels) alone.push(await embedder.embed(one.slice()));
    const together = await Promise.all(pixels.map((one) => embedder.embed(one.slice())));
    for (const [index, vector] of together.entries()) {
      const difference = Math.max(...vector.map((value, at) => Math.abs(value - (alone[index]?.[at] ?? 9))));
      expect(difference).toBeLessThan(1e-5);
      expect(Math.hypot(...vector)).toBeCloseTo(1, 5);
    }
  });

  test("answers a text before the pictures that wait", async () => {
    const order: string[] = [];
    const [jpeg] = await drawJpegs(1);
    const pixels = await preparePixels(jpeg as Uint8Array, palette.image);
    const pictures = Array.from({ length: 6 }, async (_, index) => {
      await inference.embedImages(palette.name, pixels.slice(), 1);
      order.push(`picture ${index}`);
    });
    const text = inference.embedTexts(palette.name, ["red"]).then(() => order.push("text"));
    await Promise.all([...pictures, text]);
    expect(order.indexOf("text")).toBeLessThanOrEqual(1);
  });
});
