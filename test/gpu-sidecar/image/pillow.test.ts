import { readFile } from "node:fs/promises";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { preparePicture, preparePixels } from "../../../gpu-sidecar/image/prepare.ts";
import { type Raster, toRaster } from "../../../gpu-sidecar/image/raster.ts";
import type { ImageInput } from "../../../gpu-sidecar/models/card.ts";

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
