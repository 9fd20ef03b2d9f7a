import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { preparePixels } from "../../../gpu-sidecar/image/prepare.ts";
import { rowOf } from "../../../gpu-sidecar/math/vectors.ts";
import { createPictureEmbedder } from "../../../gpu-sidecar/models/batcher.ts";
import { type ModelCatalog, openCatalog } from "../../../gpu-sidecar/models/catalog.ts";
import { makeModel } from "../../../gpu-sidecar/models/clip/make.ts";
import { addModel, nameModel } from "../../../gpu-sidecar/models/files/install.ts";
import type { EmbedOptions, Inference } from "../../../gpu-sidecar/models/inference.ts";
import { createInference } from "../../../gpu-sidecar/models/inference.ts";
import { drawJpegs } from "../library.ts";

/** A model whose vector is the first number of the picture; it answers when it is told to. */
function createHeld() {
  const held: { readonly first: number; answer(): void }[] = [];
  const inference = {
    embedImages: (_model: string, pixels: Float32Array, _count: number, { signal }: EmbedOptions = {}) =>
      new Promise<Float32Array>((resolve, reject) => {
        const first = pixels[0] ?? Number.NaN;
        held.push({ first, answer: () => resolve(Float32Array.of(first)) });
        signal?.addEventListener("abort", () => reject(signal.reason));
      }),
  };
  return { held, inference };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("pictures that are embedded at once", () => {
  test("are handed to the model as far as there is room, in order, and each gets its own vector", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 16 }),
        async (count, aheadMax) => {
          const { held, inference } = createHeld();
          const embedder = createPictureEmbedder(inference, { aheadMax });
          const vectors = Array.from({ length: count }, (_, index) =>
            embedder.embed("any", Float32Array.of(index)),
          );
          for (let answered = 0; answered < count; answered += 1) {
            await turn();
            expect(held.length).toBe(Math.min(count, answered + aheadMax));
            held[answered]?.answer();
          }
          expect(held.map(({ first }) => first)).toEqual(Array.from({ length: count }, (_, index) => index));
          expect((await Promise.all(vectors)).map(([first]) => first)).toEqual(
            held.map(({ first }) => first),
          );
        },
      ),
      { numRuns: 30 },
    );
  });

  test("leave when their caller gives up, before or after it is their turn, and make room", async () => {
    const { held, inference } = createHeld();
    const embedder = createPictureEmbedder(inference, { aheadMax: 1 });
    const controller = new AbortController();
    const started = embedder.embed("any", Float32Array.of(1), controller.signal);
    const waiting = embedder.embed("any", Float32Array.of(2), controller.signal);
    const staying = embedder.embed("any", Float32Array.of(3));
    controller.abort("no longer wanted");
    await expect(started).rejects.toBe("no longer wanted");
    await expect(waiting).rejects.toBe("no longer wanted");
    await turn();
    expect(held.map(({ first }) => first)).toEqual([1, 3]);
    held[1]?.answer();
    expect(await staying).toEqual(Float32Array.of(3));
  });

  test("fail with the model, and the next ones have their turn", async () => {
    const failing = { embedImages: () => Promise.reject(new Error("the device is gone")) };
    const embedder = createPictureEmbedder(failing, { aheadMax: 1 });
    const asked = [1, 2, 3].map((value) => embedder.embed("none", Float32Array.of(value)));
    for (const one of await Promise.allSettled(asked)) {
      expect(one).toMatchObject({ reason: { message: "the device is gone" } });
    }
  });
});

describe("a vector does not depend on who travels along", () => {
  let folder: string;
  let catalog: ModelCatalog;
  let inference: Inference;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "parlance-batches-"));
    const modelsFolder = join(folder, "models");
    await makeModel(join(folder, "hub"), { isTiny: true, variants: ["fp32", "int8"] });
    for (const variant of ["fp32", "int8"] as const) {
      await addModel(join(folder, "hub"), { modelsFolder, name: nameModel("tiny", variant), variant });
    }
    catalog = await openCatalog(modelsFolder);
    inference = createInference({ catalog, modelsFolder, threads: 2 });
  });
  afterAll(async () => {
    await inference.close();
    await rm(folder, { recursive: true, force: true });
  });

  test.each(["palette", "tiny", "tiny-int8"])("a picture, alone and in any batch of %s", async (key) => {
    const { image, dimensions } = catalog.get(key);
    const pixels = await Promise.all((await drawJpegs(12)).map((jpeg) => preparePixels(jpeg, image)));
    const alone: Float32Array[] = [];
    for (const one of pixels) {
      alone.push(await inference.embedImages(key, one.slice(), 1, { isUrgent: true }));
    }
    const someone = fc.integer({ min: 0, max: pixels.length - 1 });
    await fc.assert(
      fc.asyncProperty(fc.array(someone, { minLength: 1, maxLength: 40 }), async (batch) => {
        const together = Float32Array.from(batch.flatMap((index) => [...(pixels[index] ?? [])]));
        const rows = await inference.embedImages(key, together, batch.length);
        for (const [row, index] of batch.entries()) {
          expectSame(rowOf(rows, row, dimensions), alone[index] ?? new Float32Array());
        }
      }),
      { numRuns: 8 },
    );
  });

  const texts = [
    "red",
    "a",
    "two dogs on a beach in the evening",
    "häuser 🏠",
    "x ".repeat(90),
    "the sea",
    "",
  ];
  test.each(["palette", "tiny", "tiny-int8"])("a text, alone and among any others, of %s", async (key) => {
    const { dimensions } = catalog.get(key);
    const alone: Float32Array[] = [];
    for (const text of texts) alone.push((await inference.embedTexts(key, [text])).vectors);
    const someone = fc.integer({ min: 0, max: texts.length - 1 });
    await fc.assert(
      fc.asyncProperty(fc.array(someone, { minLength: 1, maxLength: 40 }), async (batch) => {
        const { vectors } = await inference.embedTexts(
          key,
          batch.map((index) => texts[index] ?? ""),
        );
        for (const [row, index] of batch.entries()) {
          expectSame(rowOf(vectors, row, dimensions), alone[index] ?? new Float32Array());
        }
      }),
      { numRuns: 10 },
    );
  });
});

function expectSame(left: Float32Array, right: Float32Array): void {
  expect(left).toHaveLength(right.length);
  const difference = left.reduce(
    (most, value, at) => Math.max(most, Math.abs(value - (right[at] ?? Number.NaN))),
    0,
  );
  expect(difference).toBeLessThan(1e-5);
}
