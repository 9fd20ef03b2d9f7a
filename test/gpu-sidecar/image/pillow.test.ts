import { readFile } from "node:fs/promises";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { normalisePixels } from "../../../gpu-sidecar/image/finish.ts";
import { preparePicture, preparePixels } from "../../../gpu-sidecar/image/prepare.ts";
import { type Raster, toRaster } from "../../../gpu-sidecar/image/raster.ts";
import { innerProduct } from "../../../gpu-sidecar/math/vectors.ts";
import type { CatalogEntry, ImageInput } from "../../../gpu-sidecar/models/card.ts";
import { palette } from "../../../gpu-sidecar/models/catalog.ts";
import type { ModelPlan } from "../../../gpu-sidecar/models/clip/plan.ts";
import { planModel } from "../../../gpu-sidecar/models/clip/plan.ts";
import { buildTextTower, buildVisionTower } from "../../../gpu-sidecar/models/clip/towers.ts";
import { type DualEncoder, openDualEncoder } from "../../../gpu-sidecar/models/session.ts";

/** What `test/fixtures/pictures/make.py` drew, and what Pillow made of it. */
const folder = new URL("../../fixtures/pictures/", import.meta.url);
const Original = z.object({
  file: z.string(),
  width: z.int(),
  height: z.int(),
  references: z.record(z.string(), z.string()),
});
const originals = z
  .array(Original)
  .parse(JSON.parse(await readFile(new URL("references.json", folder), "utf8")));

/** Numbers from 0 to 255, so that a difference is told in levels. */
const levels = { scale: 1, mean: [0, 0, 0], deviation: [1, 1, 1] } as const;
const inputs: Readonly<Record<string, ImageInput>> = {
  "cover-96": { size: 96, resize: "cover", edge: 96, kernel: "cubic", ...levels },
  "cover-224": { size: 224, resize: "cover", edge: 224, kernel: "cubic", ...levels },
  "cover-256": { size: 224, resize: "cover", edge: 256, kernel: "cubic", ...levels },
  "squash-128": { size: 128, resize: "squash", edge: 128, kernel: "linear", ...levels },
  "squash-256": { size: 256, resize: "squash", edge: 256, kernel: "linear", ...levels },
};

function read(file: string): Promise<Uint8Array> {
  return readFile(new URL(file, folder));
}

interface Difference {
  readonly mean: number;
  readonly max: number;
}

function differ(planes: Float32Array, { data, width, height }: Raster): Difference {
  const count = width * height;
  expect(planes).toHaveLength(3 * count);
  let sum = 0;
  let max = 0;
  for (let i = 0; i < count; i++) {
    for (let channel = 0; channel < 3; channel++) {
      const difference = Math.abs((planes[channel * count + i] ?? 0) - (data[3 * i + channel] ?? 0));
      sum += difference;
      max = Math.max(max, difference);
    }
  }
  return { mean: sum / (3 * count), max };
}

const cases = originals.flatMap(({ file, references }) =>
  Object.entries(references).map(([crop, reference]) => ({ file, crop, reference })),
);

describe("a picture is what Pillow makes of it", () => {
  test.each(cases)("$file, $crop", async ({ file, crop, reference }) => {
    const input = inputs[crop];
    if (!input) throw new Error(`no input is called ${crop}`);
    const expected = await toRaster(sharp(await read(reference)));
    const bytes = await read(file);
    const alone = differ(await preparePixels(bytes, input), expected);
    const { pixels } = await preparePicture(bytes, input);
    const looked = differ(pixels ?? new Float32Array(), expected);
    for (const { mean, max } of [alone, looked]) {
      expect.soft(mean).toBeLessThanOrEqual(1);
      expect.soft(max).toBeLessThanOrEqual(8);
    }
  });
});

/** The scale of the published models, so that the graphs are fed as they are in use. */
const clipScale = {
  scale: 1 / 255,
  mean: [0.48145466, 0.4578275, 0.40821073],
  deviation: [0.26862954, 0.26130258, 0.27577711],
} as const;

/** A vision transformer of two layers with random weights, for pictures of this size. */
function randomModel(crop: string, input: ImageInput): CatalogEntry {
  const tiny = planModel(crop.startsWith("cover") ? "clip" : "siglip", true);
  const plan: ModelPlan = { ...tiny, vision: { ...tiny.vision, size: input.size, patch: 16 } };
  const text = { tokensMax: 77, padding: "longest", padId: 0 } as const;
  const options = { variant: "fp32", seed: 3 } as const;
  return {
    card: { name: crop, digest: "none", dimensions: plan.dimensions, image: input, text },
    load: async () => ({
      vision: buildVisionTower(plan, options),
      text: buildTextTower(plan, options),
      tokenize: () => ({ ids: [1], knownWords: 1 }),
    }),
  };
}

const models = new Map<string, DualEncoder>();
beforeAll(async () => {
  for (const [crop, input] of Object.entries(inputs)) {
    const entry = crop === "squash-128" ? palette : randomModel(crop, { ...input, ...clipScale });
    models.set(crop, await openDualEncoder(entry, { device: "cpu", threads: 1 }));
  }
});
afterAll(async () => {
  for (const model of models.values()) await model.release();
});

function modelOf(crop: string): DualEncoder {
  const model = models.get(crop);
  if (!model) throw new Error(`no model reads ${crop}`);
  return model;
}

/** Vectors are of unit length, so that the inner product is the cosine. */
async function cosineOf(model: DualEncoder, left: Float32Array, right: Float32Array): Promise<number> {
  return innerProduct(await model.embedImages(left, 1), await model.embedImages(right, 1));
}

describe("a vector is the one of Pillow's picture", () => {
  test.each(cases)("$file, $crop", async ({ file, crop, reference }) => {
    const model = modelOf(crop);
    const { image } = model.card;
    const expected = normalisePixels(await toRaster(sharp(await read(reference))), image);
    const bytes = await read(file);
    const { pixels } = await preparePicture(bytes, image);
    for (const found of [await preparePixels(bytes, image), pixels ?? new Float32Array()])
      expect(await cosineOf(model, found, expected)).toBeGreaterThanOrEqual(0.9999);
  });
});

describe("the vector of a thumbnail", () => {
  /**
   * At most 512 pixels long and a JPEG of quality 80, it costs more than all else: 0.997 to 0.9995 with random weights of
   * full size, where two pictures are 0.5 to 0.94 alike. A panorama of 3:1 leaves 171 pixels on the short edge, which
   * are enlarged; that costs no more than the JPEG does.
   */
  test.each(cases.filter(({ file }) => !file.startsWith("odd")))(
    "of $file, $crop, is near that of the original",
    async ({ file, crop }) => {
      const model = modelOf(crop);
      const { pixels, thumbnail } = await preparePicture(await read(file), model.card.image);
      const again = await preparePixels(thumbnail, model.card.image);
      expect(await cosineOf(model, again, pixels ?? new Float32Array())).toBeGreaterThan(0.99);
    },
  );
});
