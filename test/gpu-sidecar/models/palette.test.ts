import { readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InferenceSession } from "onnxruntime-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { innerProduct, vectorLength } from "../../../gpu-sidecar/math/vectors.ts";
import { writePalette } from "../../../gpu-sidecar/models/palette/build.ts";
import {
  type BlockName,
  blocks,
  dimensions,
  nothingIndex,
} from "../../../gpu-sidecar/models/palette/layout.ts";
import { createId } from "../../../shared/ids.ts";
import { Palette } from "../../helpers/palette.ts";
import {
  blend,
  drawPictures,
  fromHue,
  paint,
  type Rgb,
  type Shader,
  seededRandom,
} from "../../helpers/pictures.ts";

let palette: Palette;

beforeAll(async () => {
  palette = await Palette.open();
});

afterAll(() => palette.close());

async function embedShader(shader: Shader): Promise<Float32Array> {
  const [vector] = await palette.embed([paint("test", shader)]);
  if (!vector) throw new Error("one picture gives one vector");
  return vector;
}

const grey = (value: number): Rgb => [value, value, value];
const white = grey(255);
const black = grey(0);
const seeded = seededRandom(5);
const noise = Array.from({ length: 60 * 45 }, () => seeded());
const noiseAt = (x: number, y: number) => noise[Math.floor(y * 45) * 60 + Math.floor(x * 60)] ?? 0;
const stripesAlong = (angle: number): Shader => {
  const [across, down] = [Math.sin(angle), Math.cos(angle)];
  return (x, y) => (Math.floor((x * across + y * down + 2) * 14) % 2 === 0 ? white : [40, 60, 90]);
};

describe("a vector", () => {
  test("has 128 numbers, length 1, and nothing in the place of the unknown", async () => {
    const vectors = await palette.embed(drawPictures(21, 3));
    for (const vector of vectors) {
      expect(vector).toHaveLength(128);
      expect(Math.abs(vectorLength(vector) - 1)).toBeLessThan(1e-5);
      expect(vector[nothingIndex]).toBe(0);
    }
  });

  test("is the same alone and in any batch", async () => {
    const random = seededRandom(9);
    const pixels = Array.from({ length: 7 }, () => Float32Array.from({ length: 3 * 128 * 128 }, random));
    const alone = (await Promise.all(pixels.map((one) => palette.embedPixels([one])))).flat();
    for (const size of [2, 3, 7]) {
      const together = await palette.embedPixels(pixels.slice(0, size));
      together.forEach((vector, row) => {
        vector.forEach((value, index) => {
          expect(Math.abs(value - (alone[row]?.[index] ?? Number.NaN))).toBeLessThan(1e-5);
        });
      });
    }
  });

  test("keeps each block at its energy, so that no property pushes another aside", async () => {
    for (const vector of await palette.embed(drawPictures(14, 4))) {
      for (const { offset, length, energy } of Object.values(blocks)) {
        expect(vectorLength(vector.subarray(offset, offset + length)) ** 2).toBeCloseTo(energy, 4);
      }
    }
  });

  test("of a plain grey is what one reckons by hand", async () => {
    const vector = await embedShader(() => grey(119));
    const read = (name: BlockName) => (vector[blocks[name].offset] ?? 0) / Math.sqrt(blocks[name].energy);
    // sRGB 119 is L* 50.03; no spread, no chroma.
    expect(read("brightness")).toBeCloseTo(Math.tanh((1.2 * (50.03 - 50)) / 34), 3);
    expect(read("contrast")).toBeCloseTo(Math.tanh((1.2 * (0 - 20)) / 15), 3);
    expect(read("saturation")).toBeCloseTo(Math.tanh((1.2 * (0 - 24)) / 20), 2);
    expect(read("warmth")).toBeCloseTo(Math.tanh((1.2 * (0 - 2)) / 20), 2);
    const greyIndex = blocks.basic.offset + 10;
    expect((vector[greyIndex] ?? 0) ** 2).toBeCloseTo(blocks.basic.energy, 2);
  });

  test("of black and of white is finite and far from each other", async () => {
    const [dark, light] = [await embedShader(() => black), await embedShader(() => white)];
    expect([...dark, ...light].every(Number.isFinite)).toBe(true);
    expect(innerProduct(dark, light)).toBeLessThan(0.35);
  });
});

describe("a word ranks the picture that shows it above one that does not", () => {
  const sky: Shader = (_, y) => blend([40, 110, 220], [150, 200, 250], y);
  const embers: Shader = (x, y) => blend([230, 90, 20], [250, 190, 60], noiseAt(x, y));
  const bushes: Shader = (x, y) => fromHue(0.3 + 0.05 * noiseAt(x, y), 0.9, 0.2 + 0.6 * noiseAt(y, x));
  const pastel: Shader = (x, y) => fromHue(Math.floor(x * 6) / 6, 0.2, 0.95 - 0.02 * y);
  const dusty: Shader = (x) => fromHue(Math.floor(x * 6) / 6, 0.2, 0.55);
  const vivid: Shader = (x) => fromHue(Math.floor(x * 6) / 6, 1, 0.95);
  const fog: Shader = (x, y) => grey(205 + 18 * y + 4 * noiseAt(x, y));
  const inkblots: Shader = (x, y) => (Math.hypot(x - 0.5, y - 0.4) % 0.3 < 0.15 ? black : white);
  const speckles: Shader = (x, y) => grey(60 + 150 * noiseAt(x, y));
  const evenGrey: Shader = (_, y) => grey(120 + 20 * y);
  const nightWithLamps: Shader = (x, y) => (noiseAt(x, y) > 0.985 ? [255, 210, 120] : [8, 10, 28]);
  const paleGreenAndWhite: Shader = (x, y) => (noiseAt(x, y) > 0.5 ? [200, 235, 195] : [250, 252, 248]);
  const darkGreen: Shader = (x, y) => fromHue(0.36, 0.8, 0.15 + 0.15 * noiseAt(x, y));
  const sunset: Shader = (_, y) =>
    y < 0.5 ? blend([120, 40, 90], [250, 140, 40], y * 2) : blend([255, 180, 70], [60, 20, 40], y * 2 - 1);
  const horizontal = stripesAlong(0);
  const vertical = stripesAlong(Math.PI / 2);
  const diagonal = stripesAlong(Math.PI / 4);

  test.each([
    ["dark", nightWithLamps, fog],
    ["night", nightWithLamps, sky],
    ["bright", fog, nightWithLamps],
    ["light", pastel, darkGreen],
    ["high contrast", inkblots, fog],
    ["low contrast", fog, inkblots],
    ["flat", evenGrey, inkblots],
    ["foggy", fog, bushes],
    ["warm", embers, sky],
    ["cold", sky, embers],
    ["vivid", vivid, pastel],
    ["muted", dusty, vivid],
    ["pastel", pastel, vivid],
    ["colourful", vivid, evenGrey],
    ["busy", speckles, evenGrey],
    ["calm", evenGrey, speckles],
    ["smooth", sky, bushes],
    ["horizontal lines", horizontal, vertical],
    ["vertical lines", vertical, horizontal],
    ["diagonal lines", diagonal, vertical],
    ["diagonal", diagonal, horizontal],
    ["stripes", vertical, speckles],
    ["horizontal stripes", horizontal, diagonal],
    ["black and white", inkblots, vivid],
    ["b&w", inkblots, embers],
    ["monochrome", speckles, sunset],
    ["sunset colours", sunset, sky],
    ["forest", bushes, embers],
    ["pale green and white", paleGreenAndWhite, darkGreen],
    ["dark green", darkGreen, paleGreenAndWhite],
    ["blue sky", sky, sunset],
    ["fire", embers, fog],
    ["greenish", bushes, sky],
    ["lights in the dark", nightWithLamps, evenGrey],
  ])("%s", async (text, shows, doesNot) => {
    const [yes, no] = [
      await palette.score(text, await embedShader(shows)),
      await palette.score(text, await embedShader(doesNot)),
    ];
    expect(yes).toBeGreaterThan(no + 0.08);
    expect(yes).toBeGreaterThan(0.1);
  });

  test("and what has nothing to do with a word scores near 0 or below", async () => {
    expect(await palette.score("red", await embedShader(sky))).toBeCloseTo(0, 2);
    expect(await palette.score("green", await embedShader(embers))).toBeLessThan(0.05);
    expect(await palette.score("dark", await embedShader(fog))).toBeLessThan(0);
    expect(await palette.score("calm", await embedShader(speckles))).toBeLessThan(0);
  });

  test("and a picture all of one colour is found by its name above 0.5", async () => {
    for (const [name, colour] of [
      ["red", [229, 0, 0]],
      ["blue", [3, 67, 223]],
      ["teal", [2, 147, 134]],
      ["navy", [20, 32, 92]],
    ] as const) {
      expect(await palette.score(name, await embedShader(() => colour)), name).toBeGreaterThan(0.5);
    }
  });
});

describe("words", () => {
  async function closeness(left: string, right: string): Promise<number> {
    const { vectors } = await palette.embedTexts([left, right]);
    const [one, other] = vectors;
    if (!one || !other) throw new Error("two texts give two vectors");
    return innerProduct(one, other);
  }

  test.each([
    ["grey", "gray"],
    ["crimson", "cherry red"],
    ["colourful", "colorful"],
    ["reds", "red"],
    ["bluish", "blue"],
    ["Pale-Green", "pale green"],
    ["dusk", "sunset colours"],
    ["snowy", "winter"],
    ["b&w", "black and white"],
  ])("%s means %s", async (left, right) => {
    expect(await closeness(left, right)).toBeGreaterThan(0.999);
  });

  test.each([
    ["teal", "turquoise", "maroon"],
    ["crimson", "maroon", "navy"],
    ["dark green", "forest", "pale green"],
    ["warm", "orange", "blue"],
    ["night", "dark", "bright"],
    ["lavender", "light purple", "yellow"],
    ["beige", "tan", "indigo"],
    ["calm", "smooth", "busy"],
  ])("%s is nearer to %s than to %s", async (word, near, far) => {
    expect(await closeness(word, near)).toBeGreaterThan((await closeness(word, far)) + 0.1);
  });

  test("that it does not know add nothing", async () => {
    expect(await closeness("red", "my grandmother's red zeppelin, 1937")).toBeGreaterThan(0.9999);
  });

  test("alone that it does not know are counted as none and score exactly 0 with every picture", async () => {
    const { vectors, knownWords } = await palette.embedTexts([
      "",
      "zeppelin",
      "¿qué?",
      "the picture of a",
      "red zeppelin",
    ]);
    expect(knownWords).toEqual([0, 0, 0, 0, 1]);
    const pictures = await palette.embed(drawPictures(7, 6));
    for (const vector of vectors.slice(0, 4)) {
      expect(vectorLength(vector)).toBeCloseTo(1, 5);
      for (const picture of pictures) expect(innerProduct(vector, picture)).toBe(0);
    }
  });

  test("of every text give length 1, alone as in a batch of other lengths", async () => {
    const texts = [
      "red",
      "dark blue sea and pale yellow sand under a bright sky",
      "",
      "black white",
      "dark bright",
    ];
    const { vectors } = await palette.embedTexts(texts);
    for (const [row, text] of texts.entries()) {
      const alone = (await palette.embedTexts([text])).vectors[0] ?? new Float32Array(dimensions);
      expect(Math.abs(vectorLength(alone) - 1)).toBeLessThan(1e-5);
      alone.forEach((value, index) => {
        expect(Math.abs(value - (vectors[row]?.[index] ?? Number.NaN))).toBeLessThan(1e-5);
      });
    }
  });
});

test("the script writes two ONNX files that any runtime can open, and the vocabulary", async () => {
  const folder = join(tmpdir(), `palette-${createId()}`);
  try {
    const paths = await writePalette(folder);
    expect(paths.map((path) => path.slice(folder.length + 1))).toEqual([
      "vision.onnx",
      "text.onnx",
      "vocabulary.json",
    ]);
    const vision = await InferenceSession.create(join(folder, "vision.onnx"));
    expect([vision.inputNames, vision.outputNames]).toEqual([["pixel_values"], ["image_embeds"]]);
    const text = await InferenceSession.create(join(folder, "text.onnx"));
    expect([text.inputNames, text.outputNames]).toEqual([["input_ids", "attention_mask"], ["text_embeds"]]);
    const { phrases } = JSON.parse(await readFile(join(folder, "vocabulary.json"), "utf8"));
    expect(phrases["pale green"]).toBeGreaterThan(0);
    await vision.release();
    await text.release();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
