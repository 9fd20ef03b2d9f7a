/** What the built-in calibration makes of the built-in model's scores, on the samples of a first start. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { preparePixels } from "../../../gpu-sidecar/image/prepare.ts";
import { palette as builtIn } from "../../../gpu-sidecar/models/catalog.ts";
import { cohortByCentre, isMatch } from "../../../shared/images/calibration.ts";
import { paletteCalibration } from "../../../shared/images/palette-calibration.ts";
import { drawSamples } from "../../../supabase/local/samples/draw.ts";
import { Palette } from "../../helpers/palette.ts";

let palette: Palette;
let samples: { name: string; vector: Float32Array }[];

beforeAll(async () => {
  palette = await Palette.open();
  const drawn = await drawSamples();
  const pixels = await Promise.all(drawn.map(({ bytes }) => preparePixels(bytes, builtIn.card.image)));
  const vectors = await palette.embedPixels(pixels);
  samples = drawn.map(({ name }, index) => ({ name, vector: vectors[index] ?? new Float32Array(128) }));
});

afterAll(() => palette.close());

/** The names of what matches, among all samples or without some. */
async function listMatches(query: string, without: readonly string[] = []): Promise<string[]> {
  const searched = samples.filter(({ name }) => !without.some((part) => name.includes(part)));
  const [asked] = (await palette.embedTexts([query])).vectors;
  const cohort = cohortByCentre(paletteCalibration, [...(asked ?? [])]);
  const scores = await palette.scores(
    query,
    searched.map(({ vector }) => vector),
  );
  return searched
    .filter((_, index) => isMatch(paletteCalibration, scores[index] ?? 0, searched.length, cohort))
    .map(({ name }) => name);
}

test.each([
  ["red", "sunset"],
  ["green", "forest"],
  ["purple", "lavender"],
  ["orange", "autumn"],
  ["black", "city"],
  ["white", "blossom"],
  ["snow", "snow"],
  ["forest", "forest"],
  ["fire", "campfire"],
  ["zebra stripes", "zebra"],
  ["fog", "fog"],
])("%s matches what shows it: %s", async (query, name) => {
  const found = await listMatches(query);
  expect(found.some((match) => match.includes(name))).toBe(true);
  expect(found.length).toBeLessThanOrEqual(6);
});

test.each([
  ["pink", []],
  ["purple", ["lavender"]],
  ["green", ["forest", "blossom", "reef"]],
  ["red", ["sunset", "autumn", "campfire"]],
  ["white", ["blossom", "fog", "snow", "zebra"]],
  ["zebra stripes", ["zebra"]],
])("%s matches nothing in a library without it", async (query, without) => {
  expect(await listMatches(query, without)).toEqual([]);
});
