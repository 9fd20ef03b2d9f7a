import { createHash } from "node:crypto";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { decodePicture } from "../../../gpu-sidecar/image/decode.ts";
import { finish } from "../../../gpu-sidecar/image/finish.ts";
import { frameOf } from "../../../gpu-sidecar/image/frame.ts";
import { hashPicture } from "../../../gpu-sidecar/image/hash.ts";
import { PixelBudget } from "../../../gpu-sidecar/image/pixel-budget.ts";
import { preparePicture, preparePixels } from "../../../gpu-sidecar/image/prepare.ts";
import type { ImageInput } from "../../../gpu-sidecar/models/card.ts";
import { palette } from "../../../gpu-sidecar/models/catalog.ts";
import { drawSamples } from "../../../supabase/local/samples/draw.ts";
import { drawPictures, encodePicture } from "../../helpers/pictures.ts";

/** In how many of their 64 bits two hashes differ. */
function hashDistance(left: string, right: string): number {
  const differing = (BigInt(`0x${left}`) ^ BigInt(`0x${right}`)).toString(2);
  return differing.replaceAll("0", "").length;
}

const { image: input } = palette.card;
const cover: ImageInput = {
  size: 64,
  resize: "cover",
  edge: 64,
  kernel: "cubic",
  scale: 1,
  mean: [0, 0, 0],
  deviation: [1, 1, 1],
};

/** 1200 by 800, with EXIF and a place. */
const samples = drawSamples();
async function sunset(): Promise<Uint8Array> {
  const found = (await samples).find(({ name }) => name.startsWith("sunset"));
  if (!found) throw new Error("the sunset is missing");
  return found.bytes;
}

describe("one look at a picture", () => {
  test("gives its size, hashes, derivatives and the model's numbers", async () => {
    const bytes = await sunset();
    const picture = await preparePicture(bytes, input);
    expect(picture).toMatchObject({
      mediaType: "image/jpeg",
      width: 1200,
      height: 800,
      sizeBytes: bytes.length,
    });
    expect(picture.sha256).toBe(createHash("sha256").update(bytes).digest("hex"));
    expect(picture.perceptualHash).toMatch(/^[0-9a-f]{16}$/);
    expect(picture.pixels).toHaveLength(3 * 128 * 128);
    expect(await sharp(picture.display).metadata()).toMatchObject({
      format: "jpeg",
      width: 1200,
      height: 800,
    });
    expect(await sharp(picture.thumbnail).metadata()).toMatchObject({
      format: "jpeg",
      width: 512,
      height: 341,
    });
  });

  test("leaves no metadata in the derivatives, least of all the place", async () => {
    const bytes = await sunset();
    expect((await sharp(bytes).metadata()).exif).toBeDefined();
    const { display, thumbnail, exif } = await preparePicture(bytes, input);
    expect(exif.place).not.toBeNull();
    for (const derivative of [display, thumbnail]) {
      const metadata = await sharp(derivative).metadata();
      expect([metadata.exif, metadata.icc, metadata.xmp, metadata.iptc, metadata.orientation]).toEqual(
        Array(5).fill(undefined),
      );
      expect(Buffer.from(derivative).includes("Exif")).toBe(false);
    }
  });

  test("makes JPEG of what browsers do not show", async () => {
    const tiff = await sharp(await sunset())
      .tiff()
      .toBuffer();
    const picture = await preparePicture(tiff, input);
    expect(picture.mediaType).toBe("image/tiff");
    expect(await sharp(picture.display).metadata()).toMatchObject({ format: "jpeg", width: 1200 });
  });

  test("makes no derivative longer than 2048 or longer than the picture", async () => {
    const broad = await sharp({ create: { width: 5000, height: 100, channels: 3, background: "#336699" } })
      .png()
      .toBuffer();
    const { display, thumbnail, width } = await preparePicture(broad, input);
    expect(width).toBe(5000);
    expect(await sharp(display).metadata()).toMatchObject({ width: 2048, height: 41 });
    expect(await sharp(thumbnail).metadata()).toMatchObject({ width: 512, height: 10 });
    const tiny = await preparePicture(
      await sharp({ create: { width: 1, height: 1, channels: 3, background: "#fff" } })
        .png()
        .toBuffer(),
      input,
    );
    expect(await sharp(tiny.display).metadata()).toMatchObject({ width: 1, height: 1 });
  });

  test("sees nearly the same in the original and in its thumbnail", async () => {
    const { pixels, thumbnail } = await preparePicture(await sunset(), input);
    const again = await preparePixels(thumbnail, input);
    expect(pixels).toHaveLength(again.length);
    const sum = again.reduce((all, value, index) => all + Math.abs(value - (pixels?.[index] ?? 0)), 0);
    expect(sum / again.length).toBeLessThan(0.02);
  });
});

describe("a picture is looked at as if it were alone", () => {
  test("and gives the same bytes beside others", async () => {
    const budget = new PixelBudget(100_000_000);
    const files = [...(await samples).map(({ bytes }) => bytes)];
    const drawn = await Promise.all(drawPictures(7, 4).map((picture) => encodePicture(picture, "webp")));
    const lookAt = async (bytes: Uint8Array) => {
      const { pixels, display, thumbnail, perceptualHash, colours } = await preparePicture(bytes, cover, {
        budget,
      });
      return { pixels, display, thumbnail, perceptualHash, colours };
    };
    const together = await Promise.all([...files, ...drawn].map(lookAt));
    for (const [index, bytes] of [...files, ...drawn].entries())
      expect(await lookAt(bytes)).toEqual(together[index]);
  }, 60_000);
});

describe("a JPEG that is decoded smaller", () => {
  /** Bars with hard edges over the whole width, so that the smallest shift shows. */
  async function drawBars(width: number, height: number): Promise<Uint8Array> {
    const data = new Uint8Array(width * height);
    for (let i = 0; i < data.length; i++)
      data[i] = ((i % width) / 37 + Math.floor(i / width) / 53) % 2 < 1 ? 20 : 235;
    return sharp(data, { raw: { width, height, channels: 1 } })
      .jpeg({ quality: 90 })
      .toBuffer();
  }

  test.each([
    [2400, 1600],
    [2407, 1607],
    [4007, 2671],
    [2671, 4007],
  ])("is not shifted: %i by %i", async (width, height) => {
    const bytes = await drawBars(width, height);
    const { raster } = await decodePicture(bytes, { edgeMax: 10_000 });
    const expected = finish({
      cut: { raster, left: 0, top: 0 },
      frame: frameOf(raster, cover),
      input: cover,
    });
    const found = await preparePixels(bytes, cover);
    const differences = found.map((value, index) => Math.abs(value - (expected[index] ?? 0)));
    expect(Math.max(...differences.slice(0, 64 * 64))).toBeLessThanOrEqual(8);
  });
});

describe("the perceptual hash", () => {
  const hashOf = async (bytes: Uint8Array) =>
    hashPicture((await decodePicture(bytes, { edgeMax: 512 })).raster);

  test("hardly changes with size, quality and format", async () => {
    for (const { bytes, name } of await samples) {
      const original = await hashOf(bytes);
      const others = [
        sharp(bytes).resize(500).jpeg({ quality: 60 }),
        sharp(bytes).resize(901).webp({ quality: 70, effort: 0 }),
        sharp(bytes).jpeg({ quality: 30 }),
        sharp(bytes).resize(300).modulate({ brightness: 1.04 }).png(),
      ];
      for (const [index, other] of others.entries()) {
        const distance = hashDistance(original, await hashOf(await other.toBuffer()));
        expect(distance, `${name} ${index}`).toBeLessThanOrEqual(6);
      }
    }
  });

  test("is far apart for different pictures", async () => {
    const drawn = await Promise.all(drawPictures(21, 12).map((picture) => encodePicture(picture)));
    const all = [...(await samples).map(({ bytes }) => bytes), ...drawn];
    const hashes = await Promise.all(all.map(hashOf));
    hashes.forEach((left, index) => {
      for (const right of hashes.slice(index + 1)) expect(hashDistance(left, right)).toBeGreaterThan(6);
    });
  });
});
