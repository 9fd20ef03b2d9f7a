/**
 * Which shared libraries a library needs, read from the file itself: no tool need be installed, and nothing is loaded.
 * ELF of 64 bits, little endian, as on every machine that CUDA runs on (System V ABI, chapters 4 and 5).
 */
import { closeSync, openSync, readSync } from "node:fs";

const sectionDynamic = 6;
const tagNeeded = 1n;
const sectionsMax = 1_000;
const partBytesMax = 16 * 2 ** 20;

/** Undefined for a file that is no such library. */
export function readNeededLibraries(path: string): string[] | undefined {
  const file = openSync(path, "r");
  try {
    return findNeeded(file);
  } catch (error) {
    // Offsets that point nowhere.
    if (error instanceof RangeError) return undefined;
    throw error;
  } finally {
    closeSync(file);
  }
}

interface Section {
  readonly type: number;
  readonly offset: number;
  readonly size: number;
  /** The section that holds its texts. */
  readonly link: number;
}

function findNeeded(file: number): string[] | undefined {
  const header = readPart(file, 0, 64);
  const isElf64 = header.getUint32(0) === 0x7f454c46 && header.getUint8(4) === 2 && header.getUint8(5) === 1;
  if (!isElf64) return undefined;
  const sections = readSections(file, header);
  const dynamic = sections.find(({ type }) => type === sectionDynamic);
  const texts = dynamic && sections[dynamic.link];
  if (!dynamic || !texts) return [];
  const entries = readPart(file, dynamic.offset, dynamic.size);
  const strings = readPart(file, texts.offset, texts.size);
  const needed: string[] = [];
  for (let at = 0; at + 16 <= entries.byteLength; at += 16) {
    if (entries.getBigInt64(at, true) !== tagNeeded) continue;
    needed.push(readText(strings, Number(entries.getBigUint64(at + 8, true))));
  }
  return needed;
}

function readSections(file: number, header: DataView): Section[] {
  const offset = Number(header.getBigUint64(40, true));
  const size = header.getUint16(58, true);
  const count = Math.min(sectionsMax, header.getUint16(60, true));
  const table = readPart(file, offset, size * count);
  return Array.from({ length: count }, (_, index) => ({
    type: table.getUint32(index * size + 4, true),
    offset: Number(table.getBigUint64(index * size + 24, true)),
    size: Number(table.getBigUint64(index * size + 32, true)),
    link: table.getUint32(index * size + 40, true),
  }));
}

/** Reading beyond what is returned throws a RangeError, as does a part of impossible size. */
function readPart(file: number, offset: number, size: number): DataView {
  if (size > partBytesMax || !Number.isSafeInteger(offset)) throw new RangeError("no such part");
  const bytes = new Uint8Array(size);
  const read = readSync(file, bytes, 0, size, offset);
  return new DataView(bytes.buffer, 0, read);
}

function readText(strings: DataView, offset: number): string {
  const bytes = new Uint8Array(strings.buffer, 0, strings.byteLength).subarray(offset);
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(bytes.subarray(0, end < 0 ? bytes.length : end));
}

/** The CUDA that a library was built for, such as 13, by the libraries of CUDA that it needs. */
export function findCudaMajor(needed: readonly string[]): number | undefined {
  const majors = needed.flatMap((name) => {
    const match = /^lib(?:cudart|cublas|cublasLt)\.so\.(\d+)/.exec(name);
    return match ? [Number(match[1])] : [];
  });
  return majors[0];
}
