/**
 * What a picture is, by its first bytes. The name of a file and the type that a browser gives it prove nothing.
 */
import { z } from "zod";

export const ImageMediaType = z.enum([
  "image/jpeg",
  "image/png",
  "image/webp",
  "image/avif",
  "image/gif",
  "image/tiff",
  "image/heic",
]);
export type ImageMediaType = z.infer<typeof ImageMediaType>;

/** As many first bytes decide; fewer may leave it open. */
export const sniffBytesMax = 512;

/** The type that the content shows, or undefined for what is not one of our pictures. */
export function sniffMediaType(bytes: Uint8Array): ImageMediaType | undefined {
  const start = bytes.subarray(0, sniffBytesMax);
  const found = signatures.find(({ parts }) => parts.every(([offset, part]) => holds(start, offset, part)));
  return found?.mediaType ?? sniffContainer(start);
}

type Part = readonly [offset: number, bytes: readonly number[]];

const ascii = (text: string) => Array.from(text, (letter) => letter.charCodeAt(0));

const signatures: readonly { mediaType: ImageMediaType; parts: readonly Part[] }[] = [
  { mediaType: "image/jpeg", parts: [[0, [0xff, 0xd8, 0xff]]] },
  { mediaType: "image/png", parts: [[0, [0x89, ...ascii("PNG"), 0x0d, 0x0a, 0x1a, 0x0a]]] },
  { mediaType: "image/gif", parts: [[0, ascii("GIF87a")]] },
  { mediaType: "image/gif", parts: [[0, ascii("GIF89a")]] },
  {
    mediaType: "image/webp",
    parts: [
      [0, ascii("RIFF")],
      [8, ascii("WEBP")],
    ],
  },
  // Both byte orders; 43 instead of 42 is BigTIFF.
  { mediaType: "image/tiff", parts: [[0, [...ascii("II"), 42, 0]]] },
  { mediaType: "image/tiff", parts: [[0, [...ascii("MM"), 0, 42]]] },
  { mediaType: "image/tiff", parts: [[0, [...ascii("II"), 43, 0]]] },
  { mediaType: "image/tiff", parts: [[0, [...ascii("MM"), 0, 43]]] },
];

function holds(bytes: Uint8Array, offset: number, part: readonly number[]): boolean {
  return part.every((byte, index) => bytes[offset + index] === byte);
}

const brands: readonly { mediaType: ImageMediaType; names: ReadonlySet<string> }[] = [
  { mediaType: "image/avif", names: new Set(["avif", "avis"]) },
  { mediaType: "image/heic", names: new Set(["heic", "heix", "heim", "heis", "hevc", "hevx"]) },
];

/** AVIF and HEIC are both HEIF (ISO/IEC 14496-12): a box `ftyp` with a major brand and the compatible ones. */
function sniffContainer(bytes: Uint8Array): ImageMediaType | undefined {
  if (bytes.length < 16 || !holds(bytes, 4, ascii("ftyp"))) return undefined;
  const boxBytes = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  const end = Math.min(boxBytes, bytes.length);
  const found: string[] = [];
  // The four bytes after the major brand are a version number.
  for (let offset = 8; offset + 4 <= end; offset += offset === 8 ? 8 : 4) {
    found.push(String.fromCharCode(...bytes.subarray(offset, offset + 4)));
  }
  return brands.find(({ names }) => found.some((brand) => names.has(brand)))?.mediaType;
}
