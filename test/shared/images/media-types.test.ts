import fc from "fast-check";
import { expect, test } from "vitest";
import { sniffMediaType } from "../../../shared/images/media-types.ts";

const text = (value: string) => [...new TextEncoder().encode(value)];
const box = (...brands: string[]) => [
  0,
  0,
  0,
  12 + 4 * brands.length,
  ...text("ftyp"),
  ...text(brands[0] ?? ""),
  0,
  0,
  0,
  0,
  ...brands.slice(1).flatMap(text),
];

const cases: [name: string, bytes: number[], mediaType: string | undefined][] = [
  ["a jpeg", [0xff, 0xd8, 0xff, 0xe0], "image/jpeg"],
  ["a png", [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a], "image/png"],
  ["an old gif", text("GIF87a"), "image/gif"],
  ["a gif", text("GIF89a"), "image/gif"],
  ["a webp", [...text("RIFF"), 1, 2, 3, 4, ...text("WEBP")], "image/webp"],
  ["another RIFF file", [...text("RIFF"), 1, 2, 3, 4, ...text("WAVE")], undefined],
  ["a little-endian tiff", [...text("II"), 42, 0], "image/tiff"],
  ["a big-endian tiff", [...text("MM"), 0, 42], "image/tiff"],
  ["an avif by its major brand", box("avif", "mif1"), "image/avif"],
  ["an avif by a compatible brand", box("mif1", "miaf", "avif"), "image/avif"],
  ["a heic by its major brand", box("heic", "mif1"), "image/heic"],
  ["a heic by a compatible brand", box("mif1", "heic"), "image/heic"],
  ["a film", box("isom", "mp41"), undefined],
  ["a brand beyond the end of its box", [...box("isom", "mp41"), ...text("avif")], undefined],
  ["a text", text("hello, I am a picture"), undefined],
  ["a page", text("<svg xmlns='http://www.w3.org/2000/svg'/>"), undefined],
  ["half a signature", [0xff, 0xd8], undefined],
  ["nothing", [], undefined],
];

test.each(cases)("knows %s by its first bytes", (_name, bytes, mediaType) => {
  expect(sniffMediaType(new Uint8Array(bytes))).toBe(mediaType);
});

test("never throws, whatever the bytes", () => {
  const starts = fc.constantFrom(...cases.map(([, bytes]) => bytes));
  fc.assert(
    fc.property(starts, fc.uint8Array({ maxLength: 40 }), (start, rest) => {
      sniffMediaType(new Uint8Array([...start, ...rest]));
    }),
  );
});

test("looks at a view of a larger buffer alone", () => {
  const buffer = new Uint8Array([...text("xx"), ...box("mif1", "heic")]);
  expect(sniffMediaType(buffer.subarray(2))).toBe("image/heic");
});
