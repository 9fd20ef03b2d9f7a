import sharp, { type Sharp } from "sharp";
import { describe, expect, test } from "vitest";
import { type DecodeOptions, decodePicture } from "../../../gpu-sidecar/image/decode.ts";
import { normalisePixels } from "../../../gpu-sidecar/image/finish.ts";
import { toModelPixels } from "../../../gpu-sidecar/image/pixels.ts";
import type { Raster } from "../../../gpu-sidecar/image/raster.ts";
import { drawPictures, encodePicture } from "../../helpers/pictures.ts";

const red = { r: 220, g: 20, b: 30 };

/** 60 by 40, the left half red, the right half white. */
function halves(channels: 3 | 4 = 3): Sharp {
  const base = sharp({
    create: { width: 60, height: 40, channels, background: { r: 255, g: 255, b: 255, alpha: 1 } },
  });
  return base.composite([
    { input: { create: { width: 30, height: 40, channels: 3, background: red } }, left: 0, top: 0 },
  ]);
}

function pixelAt({ data, width }: Raster, x: number, y: number): number[] {
  return [...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)];
}

function expectNear(pixel: readonly number[], expected: readonly number[], within: number): void {
  pixel.forEach((value, index) => {
    expect(
      Math.abs(value - (expected[index] ?? Number.NaN)),
      `${pixel} is not ${expected}`,
    ).toBeLessThanOrEqual(within);
  });
}

async function codeOf(bytes: Uint8Array, options: DecodeOptions = {}): Promise<string> {
  const failure = await decodePicture(bytes, options).then(
    () => ({ code: "none" }),
    (error: { code: string }) => error,
  );
  return failure.code;
}

describe("a picture is decoded", () => {
  test.each(["jpeg", "png", "webp", "avif", "gif", "tiff"] as const)("from %s", async (format) => {
    const picture = await decodePicture(await halves().toFormat(format).toBuffer());
    expect(picture).toMatchObject({ mediaType: `image/${format}`, width: 60, height: 40 });
    expectNear(pixelAt(picture.raster, 8, 20), [220, 20, 30], 12);
    expectNear(pixelAt(picture.raster, 50, 20), [255, 255, 255], 6);
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8])("upright, with EXIF orientation %i", async (orientation) => {
    const upright = await halves().removeAlpha().raw().toBuffer();
    // The file holds the picture turned the other way, as a camera writes it.
    const turn = { 1: 0, 2: 0, 3: 180, 4: 180, 5: 270, 6: 270, 7: 90, 8: 90 }[orientation] ?? 0;
    const isMirrored = [2, 4, 5, 7].includes(orientation);
    const mirrored = sharp(upright, { raw: { width: 60, height: 40, channels: 3 } }).flop(isMirrored);
    const turned = sharp(await mirrored.png().toBuffer()).rotate(turn);
    const file = await turned.withMetadata({ orientation }).jpeg({ quality: 95 }).toBuffer();
    const { width, height, raster } = await decodePicture(file);
    expect([width, height, raster.width, raster.height]).toEqual([60, 40, 60, 40]);
    expectNear(pixelAt(raster, 8, 20), [220, 20, 30], 16);
    expectNear(pixelAt(raster, 50, 20), [255, 255, 255], 16);
  });

  test("with its ICC profile turned into sRGB", async () => {
    const wide = await halves().withIccProfile("p3").png().toBuffer();
    const raw = await sharp(wide, { ignoreIcc: true }).raw().toBuffer();
    // In Display P3 the same red needs other numbers.
    expect(Math.abs((raw[0] ?? 0) - red.r)).toBeGreaterThan(8);
    expectNear(pixelAt((await decodePicture(wide)).raster, 8, 20), [220, 20, 30], 3);
  });

  test("with transparency laid on white", async () => {
    const clear = sharp({ create: { width: 8, height: 8, channels: 4, background: { ...red, alpha: 0 } } });
    expectNear(pixelAt((await decodePicture(await clear.png().toBuffer())).raster, 4, 4), [255, 255, 255], 0);
    const half = sharp({
      create: { width: 8, height: 8, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0.5 } },
    });
    expectNear(
      pixelAt((await decodePicture(await half.webp({ lossless: true }).toBuffer())).raster, 4, 4),
      [127, 127, 127],
      2,
    );
  });

  test("from grey, from CMYK and from 16 bits to three bytes a pixel", async () => {
    const grey = await decodePicture(await halves().greyscale().jpeg().toBuffer());
    const [first, second] = pixelAt(grey.raster, 50, 20);
    expect(first).toBe(second);
    const printed = await decodePicture(
      await halves().toColourspace("cmyk").jpeg({ quality: 95 }).toBuffer(),
    );
    expect(printed.raster.data).toHaveLength(60 * 40 * 3);
    expect(pixelAt(printed.raster, 8, 20)[0]).toBeGreaterThan(150);
    const deep = await decodePicture(await halves().toColourspace("rgb16").png().toBuffer());
    expectNear(pixelAt(deep.raster, 8, 20), [220, 20, 30], 1);
    const deepAndWide = await halves().toColourspace("rgb16").withIccProfile("p3").png().toBuffer();
    expect(await sharp(deepAndWide).metadata()).toMatchObject({ depth: "ushort", hasProfile: true });
    expectNear(pixelAt((await decodePicture(deepAndWide)).raster, 8, 20), [220, 20, 30], 3);
  });

  test("from the first frame of an animation", async () => {
    const frames = await sharp([await halves().png().toBuffer(), await halves().negate().png().toBuffer()], {
      join: { animated: true },
    })
      .gif()
      .toBuffer();
    expect((await sharp(frames).metadata()).pages).toBe(2);
    const picture = await decodePicture(frames);
    expect([picture.width, picture.height]).toEqual([60, 40]);
    expectNear(pixelAt(picture.raster, 8, 20), [220, 20, 30], 12);
  });

  test("smaller than it is where it is long, and never larger", async () => {
    const picture = await decodePicture(await halves().png().toBuffer(), { edgeMax: 30 });
    expect([picture.width, picture.height, picture.raster.width, picture.raster.height]).toEqual([
      60, 40, 30, 20,
    ]);
    const small = await decodePicture(await halves().png().toBuffer(), { edgeMax: 4000 });
    expect(small.raster.width).toBe(60);
  });
});

describe("what cannot be shown is refused", () => {
  test("nothing, text, and text with the first bytes of a picture", async () => {
    expect(await codeOf(new Uint8Array(0))).toBe("image_undecodable");
    expect(await codeOf(Buffer.from("<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>"))).toBe(
      "image_undecodable",
    );
    expect(await codeOf(Buffer.from("a text named photo.jpg"))).toBe("image_undecodable");
    expect(
      await codeOf(Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.from("not a jpeg")])),
    ).toBe("image_undecodable");
  });

  test.each(["jpeg", "png", "webp", "gif", "tiff", "avif"] as const)(
    "a %s that ends too early",
    async (format) => {
      const [picture] = drawPictures(6, 8).slice(5);
      if (!picture) throw new Error("six pictures were drawn");
      const whole = await sharp(await encodePicture(picture))
        .toFormat(format)
        .toBuffer();
      expect(await codeOf(whole)).toBe("none");
      for (const share of [0.3, 0.6, 0.9]) {
        expect(await codeOf(whole.subarray(0, Math.floor(whole.length * share))), `${share}`).toBe(
          "image_undecodable",
        );
      }
    },
  );

  test("more pixels than are allowed, before they are decoded", async () => {
    const black = { width: 12_000, height: 10_000, channels: 3, background: "#000000" } as const;
    const bomb = await sharp({ create: black, limitInputPixels: false })
      .toColourspace("b-w")
      .png()
      .toBuffer();
    expect(bomb.length).toBeLessThan(1_000_000);
    expect(await codeOf(bomb)).toBe("image_too_many_pixels");
    expect(await codeOf(await halves().png().toBuffer(), { pixelsMax: 2399 })).toBe("image_too_many_pixels");
    expect(await codeOf(await halves().png().toBuffer(), { pixelsMax: 2400 })).toBe("none");
  });

  test("HEIC, with a word on what to send, where there is no decoder for it", async () => {
    const box = Buffer.from("\0\0\0\x18ftypheic\0\0\0\0mif1heic\0\0\0\x08mdat", "latin1");
    await expect(decodePicture(box)).rejects.toMatchObject({
      code: "image_undecodable",
      message: expect.stringContaining("HEIC"),
    });
  });
});

describe("the numbers that a model reads", () => {
  const raster: Raster = { data: Uint8Array.of(0, 51, 102, 255, 204, 153), width: 2, height: 1 };

  test("are planes of red, green and blue, scaled as the card says", () => {
    const plain = normalisePixels(raster, { scale: 1 / 255, mean: [0, 0, 0], deviation: [1, 1, 1] });
    expect([...plain]).toEqual([0, 1, 51 / 255, 204 / 255, 102 / 255, 153 / 255].map(Math.fround));
    const scaled = normalisePixels(raster, { scale: 1 / 255, mean: [0.5, 0, 0], deviation: [0.5, 1, 2] });
    expect([...scaled]).toEqual([-1, 1, 51 / 255, 204 / 255, 102 / 510, 153 / 510].map(Math.fround));
  });

  test("show the whole picture when it is squashed, its middle when it is cut", async () => {
    const { raster: wide } = await decodePicture(
      await sharp(await halves().png().toBuffer())
        .resize(80, 20, { fit: "fill" })
        .png()
        .toBuffer(),
    );
    const input = {
      size: 20,
      edge: 20,
      kernel: "linear",
      scale: 1 / 255,
      mean: [0, 0, 0],
      deviation: [1, 1, 1],
    } as const;
    const squashed = await toModelPixels(wide, { ...input, resize: "squash" });
    expect(squashed).toHaveLength(3 * 400);
    const greens = (pixels: Float32Array) =>
      pixels.subarray(400, 800).filter((value) => value < 0.2).length / 400;
    expect(greens(squashed)).toBeCloseTo(0.5, 1);
    const cut = await toModelPixels(wide, { ...input, resize: "cover" });
    expect(greens(cut)).toBeCloseTo(0.5, 1);
    const { raster: right } = await decodePicture(
      await sharp({ create: { width: 80, height: 20, channels: 3, background: "#ffffff" } })
        .composite([
          { input: { create: { width: 20, height: 20, channels: 3, background: red } }, left: 0, top: 0 },
        ])
        .png()
        .toBuffer(),
    );
    expect(greens(await toModelPixels(right, { ...input, resize: "cover" }))).toBe(0);
    expect(greens(await toModelPixels(right, { ...input, resize: "squash" }))).toBeCloseTo(0.25, 1);
  });
});
