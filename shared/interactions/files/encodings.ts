/** How the bytes of a text file are to be read: told by its first bytes, else guessed from its beginning. */

export type Encoding = "utf-8" | "utf-16le" | "utf-16be" | "windows-1252";

export interface FoundEncoding {
  readonly encoding: Encoding;
  /** Bytes at the beginning that say which it is, and are no text. */
  readonly markBytes: number;
}

/** How much of a file is enough to tell. */
export const beginningBytes = 65_536;

const marks: readonly (readonly [Encoding, readonly number[]])[] = [
  ["utf-8", [0xef, 0xbb, 0xbf]],
  ["utf-16le", [0xff, 0xfe]],
  ["utf-16be", [0xfe, 0xff]],
];

/** Of the first bytes of a file, as many as there are up to `beginningBytes`. */
export function findEncoding(beginning: Uint8Array): FoundEncoding {
  for (const [encoding, mark] of marks) {
    if (mark.every((byte, index) => beginning[index] === byte)) return { encoding, markBytes: mark.length };
  }
  const encoding = findUnmarkedUtf16(beginning) ?? (isUtf8(beginning) ? "utf-8" : "windows-1252");
  return { encoding, markBytes: 0 };
}

/** Western text in UTF-16 has a zero in almost every second byte, and no other text has. */
function findUnmarkedUtf16(bytes: Uint8Array): Encoding | undefined {
  const zeros = [0, 0];
  for (const [index, byte] of bytes.entries()) if (byte === 0) zeros[index % 2] = (zeros[index % 2] ?? 0) + 1;
  const [even = 0, odd = 0] = zeros;
  const many = bytes.length * 0.2;
  if (odd > many && even < many / 10) return "utf-16le";
  return even > many && odd < many / 10 ? "utf-16be" : undefined;
}

/** The last character may be cut off. */
function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}

/**
 * The text of whole records. A file that began as UTF-8 may hold lines that are something else, as where two exports were put
 * together: those are read as Windows-1252, in which every byte means something.
 */
export function decodeText(bytes: Uint8Array, encoding: Encoding): string {
  if (encoding !== "utf-8") return new TextDecoder(encoding, { ignoreBOM: true }).decode(bytes);
  return decodeUtf8(bytes) ?? decodeLines(bytes);
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function decodeLines(bytes: Uint8Array): string {
  let text = "";
  for (let start = 0; start < bytes.length; ) {
    const newline = bytes.indexOf(0x0a, start);
    const end = newline < 0 ? bytes.length : newline + 1;
    const line = bytes.subarray(start, end);
    text += decodeUtf8(line) ?? new TextDecoder("windows-1252").decode(line);
    start = end;
  }
  return text;
}
