import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { preparePixels } from "../../../../gpu-sidecar/image/prepare.ts";
import { palette as builtIn } from "../../../../gpu-sidecar/models/catalog.ts";
import { ImageFields } from "../../../../shared/images/contract.ts";
import { sniffMediaType } from "../../../../shared/images/media-types.ts";
import { drawSamples, type Sample } from "../../../../supabase/local/samples/draw.ts";
import { Palette } from "../../../helpers/palette.ts";

let samples: Sample[];
let vectors: Float32Array[];
let palette: Palette;

beforeAll(async () => {
  samples = await drawSamples();
  palette = await Palette.open();
  const { image } = builtIn.card;
  vectors = await palette.embedPixels(
    await Promise.all(samples.map(({ bytes }) => preparePixels(bytes, image))),
  );
});

afterAll(() => palette.close());

describe("the sample pictures", () => {
  test("are a dozen that the library would take, of three types", async () => {
    expect(samples).toHaveLength(12);
    expect(new Set(samples.map(({ name }) => name)).size).toBe(12);
    expect(new Set(samples.map(({ mediaType }) => mediaType)).size).toBe(3);
    for (const { name, title, keywords, mediaType, bytes } of samples) {
      expect(ImageFields.parse({ name, title, keywords })).toEqual({ name, title, keywords });
      expect(sniffMediaType(bytes)).toBe(mediaType);
      expect(await sharp(bytes).metadata()).toMatchObject({ width: 1200, height: 800 });
    }
  });

  test("are the same every time", async () => {
    const again = await drawSamples();
    again.forEach(({ bytes }, index) => {
      expect(Buffer.from(bytes).equals(samples[index]?.bytes ?? new Uint8Array(0))).toBe(true);
    });
  });

  test.each([
    ["sunset colours", "sunset-over-the-sea.jpg"],
    ["dark night", "city-at-night.png"],
    ["pale green and white", "apple-blossom.webp"],
    ["black and white stripes", "zebra.png"],
    ["green forest", "forest-in-the-morning.jpg"],
    ["snow and blue sky", "snow-mountains.jpg"],
    ["desert sand", "desert-dunes.webp"],
    ["purple flowers", "lavender-field.jpg"],
    ["autumn", "autumn-leaves.jpg"],
    ["turquoise water", "coral-reef.webp"],
    ["fog", "lake-in-the-fog.jpg"],
    ["fire in the dark", "campfire.jpg"],
  ])("%s finds %s first", async (query, name) => {
    const scores = await palette.scores(query, vectors);
    expect(samples[scores.indexOf(Math.max(...scores))]?.name).toBe(name);
  });
});
