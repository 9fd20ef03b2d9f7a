import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { nameColours, shareOfColours } from "../../../gpu-sidecar/image/colours.ts";
import { decodePicture } from "../../../gpu-sidecar/image/decode.ts";
import type { Raster } from "../../../gpu-sidecar/image/raster.ts";
import { labFromSrgb } from "../../../gpu-sidecar/math/colour.ts";
import { basicColours } from "../../../gpu-sidecar/models/palette/layout.ts";
import { shareOfBasics, shareOfShades } from "../../../gpu-sidecar/models/palette/shades.ts";
import { ImageColour } from "../../../shared/images/contract.ts";
import { drawSamples } from "../../../supabase/local/samples/draw.ts";
import { drawPictures, fromHue, type Rgb, type Shader } from "../../helpers/pictures.ts";

/** Each by several shades that people call so. */
const painted: Readonly<Record<ImageColour, readonly string[]>> = {
  red: ["#e50000", "#c81020", "#b00818"],
  orange: ["#f97306", "#ff9a1f", "#e8700a"],
  yellow: ["#ffff14", "#fde910", "#f5e050"],
  green: ["#15b01a", "#0a7f2a", "#80d070"],
  blue: ["#0343df", "#4a90e8", "#102a90"],
  purple: ["#7e1e9c", "#8a2be2", "#5a1878"],
  pink: ["#ff81c0", "#ffb0c8", "#f868a8"],
  brown: ["#653700", "#8b5a2b", "#50300f"],
  black: ["#000000", "#0a0a0a"],
  white: ["#ffffff", "#fafafa"],
  grey: ["#808080", "#929591", "#6a6a6a"],
};

function draw(width: number, height: number, shader: Shader): Raster {
  const data = new Uint8Array(3 * width * height);
  for (let i = 0; i < width * height; i++) data.set(shader(i % width, Math.floor(i / width)), 3 * i);
  return { data, width, height };
}

function hex(colour: string): Rgb {
  const value = Number.parseInt(colour.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

const [red, blue, green, white] = ["#e50000", "#0343df", "#15b01a", "#ffffff"].map(hex) as [
  Rgb,
  Rgb,
  Rgb,
  Rgb,
];

describe("the colours of a picture", () => {
  test.each(Object.entries(painted))("%s is named alone where there is no other", (name, colours) => {
    for (const colour of colours) expect(nameColours(draw(40, 30, () => hex(colour)))).toEqual([name]);
  });

  test("are the eleven that the contract knows", () => {
    expect([...basicColours].sort()).toEqual([...ImageColour.options].sort());
  });

  test("are both named where each has a half, whichever way they lie", () => {
    const halves = [
      draw(64, 48, (x) => (x < 32 ? red : blue)),
      draw(64, 48, (_, y) => (y < 24 ? red : blue)),
      // Fine stripes and checks, on which every second or sixteenth pixel would see one colour only.
      draw(256, 256, (x) => (x % 2 === 0 ? red : blue)),
      draw(256, 256, (x) => (x % 16 < 8 ? red : blue)),
      draw(256, 256, (x, y) => ((x + y) % 2 === 0 ? red : blue)),
    ];
    for (const half of halves) expect(nameColours(half).sort()).toEqual(["blue", "red"]);
  });

  test("come the most first, and not at all below a tenth", () => {
    const three = draw(100, 20, (x) => (x < 55 ? blue : x < 88 ? green : red));
    expect(nameColours(three)).toEqual(["blue", "green", "red"]);
    expect(nameColours(draw(100, 20, (x) => (x < 91 ? blue : red)))).toEqual(["blue"]);
    expect(nameColours(draw(100, 20, (x) => (x < 89 ? blue : red)))).toEqual(["blue", "red"]);
  });

  test("hardly change with the size of the picture, its quality or its type", async () => {
    for (const { bytes, name } of (await drawSamples()).slice(0, 6)) {
      const shares = shareOfColours((await decodePicture(bytes, { edgeMax: 512 })).raster);
      const other = await sharp(bytes).resize(450).jpeg({ quality: 60 }).toBuffer();
      const again = shareOfColours((await decodePicture(other)).raster);
      shares.forEach((share, index) => {
        expect(Math.abs(share - (again[index] ?? 1)), `${name} ${basicColours[index]}`).toBeLessThan(0.1);
      });
    }
  });

  test("count what is transparent as white", async () => {
    const clear = {
      width: 40,
      height: 40,
      channels: 4,
      background: { r: 229, g: 0, b: 0, alpha: 0 },
    } as const;
    const half = sharp({ create: { width: 20, height: 40, channels: 3, background: "#e50000" } });
    const png = sharp({ create: clear }).composite([{ input: await half.png().toBuffer(), left: 0, top: 0 }]);
    const { raster } = await decodePicture(await png.png().toBuffer());
    expect(nameColours(raster).sort()).toEqual(["red", "white"]);
    expect(nameColours(draw(9, 9, () => white))).toEqual(["white"]);
  });

  test("of drawn scenes are those that anyone would name", async () => {
    const named: Record<string, ImageColour[]> = {};
    for (const { bytes, name } of await drawSamples()) {
      named[name.replace(/\..*/, "")] = nameColours((await decodePicture(bytes, { edgeMax: 512 })).raster);
    }
    expect(named["sunset-over-the-sea"]).toContain("orange");
    expect(named["forest-in-the-morning"]?.[0]).toBe("green");
    expect(named["snow-mountains"]).toEqual(expect.arrayContaining(["blue", "white"]));
    expect(named["city-at-night"]?.[0]).toBe("black");
    expect(named["lavender-field"]?.[0]).toBe("purple");
    expect(named.zebra).toEqual(expect.arrayContaining(["black", "white"]));
    expect(named.campfire?.[0]).toBe("black");
  });

  test("are shared out as the model's vision half shares them, and add up to one", () => {
    for (const picture of drawPictures(21, 3)) {
      const shares = shareOfColours({ data: picture.rgb, width: picture.width, height: picture.height });
      expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 5);
    }
    for (let i = 0; i < 200; i++) {
      const colour = fromHue(i / 200, (i % 7) / 6, 0.1 + (0.9 * (i % 11)) / 10).map(
        (value) => Math.floor(value / 8) * 8 + 4,
      );
      const pixel: Rgb = [colour[0] ?? 0, colour[1] ?? 0, colour[2] ?? 0];
      const expected = shareOfBasics(
        shareOfShades(labFromSrgb([pixel[0] / 255, pixel[1] / 255, pixel[2] / 255])),
      );
      const shares = shareOfColours(draw(2, 2, () => pixel));
      expected.forEach((share, index) => {
        expect(shares[index]).toBeCloseTo(share, 4);
      });
    }
  });
});
