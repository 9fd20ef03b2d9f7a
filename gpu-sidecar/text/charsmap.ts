import { AppError } from "../../shared/errors.ts";

/**
 * SentencePiece's table of replacements (`precompiled_charsmap`): a double-array trie (Aoe 1989, as darts-clone lays
 * it out) over UTF-8, whose values point into a block of texts that end with NUL. It is applied as the Rust library
 * `spm_precompiled` does: a short cluster of letters as a whole where the table has it, else letter by letter.
 */
export type Charsmap = (text: string) => string;

const clusterBytesMax = 6;

export function readCharsmap(base64: string): Charsmap {
  if (base64 === "") return (text) => text;
  const { units, texts } = parse(Buffer.from(base64, "base64"));
  const encoder = new TextEncoder();
  const find = (piece: string): string | undefined => {
    const start = findValue(units, encoder.encode(piece));
    return start === undefined ? undefined : readText(texts, start);
  };
  const clusters = new Intl.Segmenter("en", { granularity: "grapheme" });
  return (text) => {
    let result = "";
    for (const { segment } of clusters.segment(text)) {
      const whole = encoder.encode(segment).length < clusterBytesMax ? find(segment) : undefined;
      if (whole !== undefined) result += whole;
      else for (const letter of segment) result += find(letter) ?? letter;
    }
    return result;
  };
}

function parse(bytes: Buffer): { units: Uint32Array; texts: Uint8Array } {
  const length = bytes.length >= 4 ? bytes.readUInt32LE(0) : 0;
  if (length === 0 || length % 4 !== 0 || 4 + length > bytes.length)
    throw new AppError("invalid_request", "tokenizer.json: precompiled_charsmap is damaged.");
  const units = new Uint32Array(length / 4);
  for (let i = 0; i < units.length; i++) units[i] = bytes.readUInt32LE(4 + 4 * i);
  return { units, texts: bytes.subarray(4 + length) };
}

/** The value of the shortest key that `key` begins with: the first one of a search for common prefixes. */
function findValue(units: Uint32Array, key: Uint8Array): number | undefined {
  let unit = units[0] ?? 0;
  let position = offsetOf(unit);
  for (const byte of key) {
    if (byte === 0) return undefined;
    position = (position ^ byte) >>> 0;
    unit = units[position] ?? 0;
    // A leaf's label has the top bit set, so that no byte equals it.
    if ((unit & 0x8000_00ff) >>> 0 !== byte) return undefined;
    position = (position ^ offsetOf(unit)) >>> 0;
    if ((unit >>> 8) & 1) return (units[position] ?? 0) & 0x7fff_ffff;
  }
  return undefined;
}

function offsetOf(unit: number): number {
  return ((unit >>> 10) << ((unit & 0x200) >>> 6)) >>> 0;
}

/** No letter stands for more; the longest that Unicode has stands for 33. */
const textBytesMax = 256;

function readText(texts: Uint8Array, start: number): string {
  const text = texts.subarray(start, start + textBytesMax + 1);
  const end = text.indexOf(0);
  if (end < 0 && text.length > textBytesMax)
    throw new AppError("invalid_request", "tokenizer.json: precompiled_charsmap is damaged.");
  return new TextDecoder().decode(end < 0 ? text : text.subarray(0, end));
}
