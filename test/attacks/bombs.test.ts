import { deflateSync } from "node:zlib";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodePicture } from "../../gpu-sidecar/image/decode.ts";
import { readExif } from "../../gpu-sidecar/image/exif.ts";
import { PixelBudget } from "../../gpu-sidecar/image/pixel-budget.ts";
import { drawJpeg, openRig, type Rig } from "./rig.ts";

let rig: Rig;
beforeAll(async () => {
  rig = await openRig({ PIXELS_MAX: "1000000" });
});
afterAll(() => rig?.close());

/** How a file is answered, and if it is taken in, how its job ends. */
async function fateOf(file: Uint8Array): Promise<string> {
  const answer = await rig.upload(rig.alice, file);
  if (answer.status !== 202) return `${answer.status} ${answer.body.code}`;
  const job = await rig.follow(rig.alice, answer.body.job.id);
  return job.error ? `${job.state} ${job.error.code}` : job.state;
}

const text = (words: string) => new TextEncoder().encode(words);
const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><image href="file:///etc/passwd"/></svg>`;

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(Bun.hash.crc32(body));
  return Buffer.concat([length, body, check]);
}

/** A PNG that says how large it is and holds next to nothing. */
function claimPng(width: number, height: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width);
  header.writeUInt32BE(height, 4);
  header.set([1, 0, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]);
  const data = chunk("IDAT", deflateSync(new Uint8Array(100)));
  return Buffer.concat([signature, chunk("IHDR", header), data, chunk("IEND", new Uint8Array())]);
}

/** A TIFF with so many bands of one pixel after another; the strip is far too short for them. */
function claimTiff(width: number, height: number, bands: number): Buffer {
  const entries = [
    [256, 4, width],
    [257, 4, height],
    [258, 3, 8],
    [259, 3, 1],
    [262, 3, 1],
    [273, 4, 8],
    [277, 3, bands],
    [278, 4, height],
    [279, 4, 100],
  ] as const;
  const file = Buffer.alloc(8 + 100 + 2 + 12 * entries.length + 4);
  file.write("II*\0", "latin1");
  file.writeUInt32LE(108, 4);
  file.writeUInt16LE(entries.length, 108);
  for (const [index, [tag, type, value]] of entries.entries()) {
    const at = 110 + 12 * index;
    file.writeUInt16LE(tag, at);
    file.writeUInt16LE(type, at + 2);
    file.writeUInt32LE(1, at + 4);
    file.writeUInt32LE(value, at + 8);
  }
  return file;
}

describe("what is sent as a picture", () => {
  test.each<[string, () => Uint8Array | Promise<Uint8Array>, RegExp]>([
    ["an SVG", () => text(svg), /^415 /],
    ["an SVG behind the letters of a GIF", () => text(`GIF89a${svg}`), /^failed image_undecodable$/],
    ["an SVG behind the letters of a TIFF", () => text(`II*\0${svg}`), /^failed image_undecodable$/],
    ["an SVG behind a byte order mark", () => text(`\ufeff${svg}`), /^415 /],
    ["a packed SVG", () => Bun.gzipSync(svg), /^415 /],
    ["a page", () => text("<html><script>alert(1)</script>"), /^415 /],
    ["a PDF", () => text("%PDF-1.7\n"), /^415 /],
    ["PostScript", () => text("%!PS-Adobe-3.0\n"), /^415 /],
    ["a script of ImageMagick", () => text("push graphic-context\n"), /^415 /],
    ["a picture of libvips itself", () => Uint8Array.of(0xb6, 0xa6, 0xf2, 0x08, 0, 0, 0, 0), /^415 /],
    ["the beginning of a JPEG", () => Uint8Array.of(0xff, 0xd8, 0xff), /^failed image_undecodable$/],
    ["a box without brands", () => text("\0\0\0\u0010ftypavif\0\0\0\0"), /^failed image_undecodable$/],
    [
      "900 million pixels in a hundred bytes",
      () => claimPng(30_000, 30_000),
      /^failed image_too_many_pixels$/,
    ],
    [
      "a line of two thousand million",
      () => claimPng(2_000_000_000, 1),
      /^failed image_(undecodable|too_many_pixels)$/,
    ],
    ["no pixels", () => claimPng(0, 0), /^failed image_undecodable$/],
    ["sixty thousand bands", () => claimTiff(900, 900, 60_000), /^failed image_undecodable$/],
    ["pixels that are not there", () => claimTiff(900, 900, 3), /^failed image_undecodable$/],
  ])("%s reaches no other decoder, and fails for good", async (_what, draw, fate) => {
    expect(await fateOf(await draw())).toMatch(fate);
  });

  test("may have a page behind it: it is shown as a picture, and what is made of it has none", async () => {
    const page = text("<script>alert(1)</script>");
    const answer = await rig.upload(rig.alice, Buffer.concat([await drawJpeg(), page]));
    expect((await rig.follow(rig.alice, answer.body.job.id)).state).toBe("done");
    const { body } = await rig.call(rig.alice, "GET", `/images/${answer.body.image.id}`);
    for (const link of [body.links.original, body.links.display, body.links.thumbnail]) {
      const shown = await fetch(link);
      expect(shown.headers.get("content-type")).toBe("image/jpeg");
      expect(shown.headers.get("x-content-type-options")).toBe("nosniff");
      if (link !== body.links.original) expect(await shown.text()).not.toContain("<script>");
    }
  });
});

/** EXIF in which each of the tags points to the same text. */
function writeExif(tags: readonly number[], value: Uint8Array): Buffer {
  const at = 8 + 2 + 12 * tags.length + 4;
  const block = Buffer.alloc(at + value.length);
  block.write("II*\0", "latin1");
  block.writeUInt32LE(8, 4);
  block.writeUInt16LE(tags.length, 8);
  for (const [index, tag] of tags.entries()) {
    const entry = 10 + 12 * index;
    block.writeUInt16LE(tag, entry);
    block.writeUInt16LE(2, entry + 2);
    block.writeUInt32LE(value.length, entry + 4);
    block.writeUInt32LE(at, entry + 8);
  }
  block.set(value, at);
  return Buffer.concat([Buffer.from("Exif\0\0"), block]);
}

function withExif(jpeg: Buffer, exif: Buffer): Buffer {
  const head = Buffer.from([0xff, 0xe1, 0, 0]);
  head.writeUInt16BE(exif.length + 2, 2);
  return Buffer.concat([jpeg.subarray(0, 2), head, exif, jpeg.subarray(2)]);
}

describe("EXIF that says one thing a hundred times", () => {
  // Names from the specification of DNG, which any picture may bear.
  const tags = Array.from({ length: 140 }, (_, index) => 0xc612 + index);

  test.each([
    ["quotes", Buffer.from(`${'"'.repeat(490)}\0`)],
    ["backslashes", Buffer.from(`${"\\".repeat(490)}\0`)],
    ["letters of three bytes", Buffer.from(`${"€".repeat(400)}\0`)],
  ])("in %s does not keep the picture from being taken in", async (_what, value) => {
    const exif = writeExif(tags, value);
    const file = withExif(await drawJpeg(), exif);
    expect(await fateOf(file)).toBe("done");
    expect(Buffer.byteLength(JSON.stringify(readExif(exif).tags))).toBeLessThan(40_000);
  });
});

describe("pictures that are decoded at the same time", () => {
  /** Starts `sizes` and lets them end one by one; answers the most pixels that ran side by side, and their order. */
  async function watch(budget: PixelBudget, sizes: readonly number[]) {
    const started: number[] = [];
    const ends: (() => void)[] = [];
    let running = 0;
    let most = 0;
    const all = sizes.map((pixels, index) =>
      budget.run(pixels, async () => {
        started.push(index);
        running += pixels;
        most = Math.max(most, running);
        await new Promise<void>((resolve) => ends.push(resolve));
        running -= pixels;
        if (index % 3 === 0) throw new Error("damaged");
      }),
    );
    const settled = Promise.allSettled(all);
    for (let ended = 0; ended < sizes.length; ended++) {
      await new Promise((resolve) => setTimeout(resolve));
      ends.shift()?.();
    }
    await settled;
    return { most, started };
  }

  test("have no more pixels together than one may have, and come in their order", async () => {
    const sizes = [60, 60, 30, 10, 100, 1, 99, 500, 40, 40, 40];
    const { most, started } = await watch(
      new PixelBudget(100),
      sizes.map((size) => Math.min(size, 100)),
    );
    expect(most).toBeLessThanOrEqual(100);
    expect(started).toEqual(sizes.map((_, index) => index));
  });

  test("wait for each other where they are large, also one above the whole budget", async () => {
    const budget = new PixelBudget(1000);
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    const holding = budget.run(5000, () => held);
    let isDecoded = false;
    const decoding = decodePicture(await drawJpeg(), { budget }).then(() => {
      isDecoded = true;
    });
    await decodePicture(await drawJpeg());
    expect(isDecoded).toBe(false);
    release();
    await Promise.all([holding, decoding]);
    expect(isDecoded).toBe(true);
  });

  test("of as many pixels as there may be are taken in, however many come at once", async () => {
    const file = await sharp({ create: { width: 1000, height: 1000, channels: 3, background: "#123456" } })
      .webp({ lossless: true, effort: 0 })
      .toBuffer();
    const fates = await Promise.all(Array.from({ length: 6 }, () => fateOf(file)));
    expect(fates).toEqual(fates.map(() => "done"));
  });
});
