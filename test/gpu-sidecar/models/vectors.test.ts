import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { innerProduct, rowOf, vectorLength } from "../../../gpu-sidecar/math/vectors.ts";
import { openCatalog } from "../../../gpu-sidecar/models/catalog.ts";
import { type Family, families, type Variant, variants } from "../../../gpu-sidecar/models/files/layout.ts";
import { batchTolerances } from "../../../gpu-sidecar/models/files/probe.ts";
import { type DualEncoder, openDualEncoder } from "../../../gpu-sidecar/models/session.ts";
import { add, makeTiny, removeFolders } from "./made.ts";

const size = 3 * 64 * 64;
const models = new Map<string, DualEncoder>();

beforeAll(async () => {
  for (const family of families) {
    const folder = await makeTiny({ family, variants });
    for (const variant of variants) {
      const { lock, modelsFolder } = await add(folder, { variant });
      const catalog = await openCatalog(modelsFolder);
      const model = await openDualEncoder(catalog.entry(lock.name), { device: "cpu", threads: 1 });
      models.set(`${family} ${variant}`, model);
    }
  }
});

afterAll(async () => {
  for (const model of models.values()) await model.release();
  await removeFolders();
});

function get(family: Family, variant: Variant): DualEncoder {
  const model = models.get(`${family} ${variant}`);
  if (!model) throw new Error(`${family} ${variant} was not opened`);
  return model;
}

function drawPictures(count: number, seed: number): Float32Array {
  return Float32Array.from(
    { length: count * size },
    (_, i) => 2 * Math.sin(i * (0.01 + 0.37 * seed) + (i % 97) * seed),
  );
}

function largestDifference(one: Float32Array, other: Float32Array): number {
  return one.reduce((most, value, i) => Math.max(most, Math.abs(value - (other[i] ?? Number.NaN))), 0);
}

const kinds = families.flatMap((family) => variants.map((variant) => [family, variant] as const));

describe.each(kinds)("%s in %s", (family, variant) => {
  const tolerance = batchTolerances[variant];

  test("a picture has the same vector alone and in any batch", async () => {
    const model = get(family, variant);
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 9 }),
        fc.double({ min: 0.1, max: 3, noNaN: true }),
        async (count, seed) => {
          const pixels = drawPictures(count, seed);
          const rows = await model.embedImages(pixels.slice(), count);
          for (let row = 0; row < count; row++) {
            const alone = await model.embedImages(pixels.slice(row * size, (row + 1) * size), 1);
            const together = rowOf(rows, row, 32);
            expect(largestDifference(alone, together)).toBeLessThanOrEqual(tolerance);
            expect(vectorLength(together)).toBeCloseTo(1, 6);
          }
        },
      ),
      { numRuns: 12 },
    );
  });

  test("a text has the same vector alone and filled up beside longer ones", async () => {
    const model = get(family, variant);
    const texts = ["a", "", "a photo of a dog", "two cats and a bird in the snow ".repeat(9), "🦄", "red"];
    const alone: Float32Array[] = [];
    for (const text of texts) alone.push((await model.embedTexts([text])).vectors);
    for (const order of [texts, texts.toReversed(), texts.slice(0, 3), [...texts, ...texts]]) {
      const { vectors } = await model.embedTexts(order);
      order.forEach((text, row) => {
        const single = alone[texts.indexOf(text)] ?? new Float32Array(0);
        expect(largestDifference(single, rowOf(vectors, row, 32))).toBeLessThanOrEqual(tolerance);
      });
    }
  });

  test("different texts and pictures have different vectors", async () => {
    const model = get(family, variant);
    const { vectors, knownWords } = await model.embedTexts(["a dog", "a red house by the sea"]);
    expect(innerProduct(rowOf(vectors, 0, 32), rowOf(vectors, 1, 32))).toBeLessThan(0.999);
    expect(knownWords.every((count) => count >= 1)).toBe(true);
    const rows = await model.embedImages(drawPictures(2, 1.3), 2);
    expect(innerProduct(rowOf(rows, 0, 32), rowOf(rows, 1, 32))).toBeLessThan(0.9999);
  });

  test("fewer bits turn a vector only a little", async () => {
    const pixels = drawPictures(1, 0.7);
    const exact = await get(family, "fp32").embedImages(pixels.slice(), 1);
    const near = await get(family, variant).embedImages(pixels.slice(), 1);
    expect(innerProduct(exact, near)).toBeGreaterThan(variant === "int8" ? 0.99 : 0.9999);
    const text = "a photo of a dog";
    const [one, other] = [
      await get(family, "fp32").embedTexts([text]),
      await get(family, variant).embedTexts([text]),
    ];
    expect(innerProduct(one.vectors, other.vectors)).toBeGreaterThan(variant === "int8" ? 0.99 : 0.9999);
  });
});

test("only 16 bits may be off by more than 1e-5", () => {
  expect(batchTolerances).toEqual({ fp32: 1e-5, fp16: 1e-3, int8: 1e-5 });
});

test("pixels of another size are refused", async () => {
  const model = get("clip", "fp32");
  await expect(model.embedImages(new Float32Array(size - 3), 1)).rejects.toMatchObject({
    code: "invalid_request",
  });
  await expect(model.embedImages(new Float32Array(0), 0)).rejects.toMatchObject({ code: "invalid_request" });
});

test("what is no number never becomes a vector", async () => {
  const pixels = new Float32Array(size).fill(Number.NaN);
  await expect(get("clip", "fp32").embedImages(pixels, 1)).rejects.toThrow("answered with what is no number");
});
