/**
 * A file in parts of whole records, read ahead: the next block is on its way while one is worked on. Where records end depends on
 * the bytes alone, never on how they were cut into parts, so a later run that begins elsewhere sees the same rows.
 *
 *   block ─▶ what was left + block ─▶ whole records ─▶ rows        a record beyond the limit ─▶ refused, skipped to its newline
 *                 └────────── what is left ◀──┘
 */
import { AppError } from "../../../shared/errors.ts";
import { decodeText } from "../../../shared/interactions/files/encodings.ts";
import { type Cut, cutRecords } from "../../../shared/interactions/files/records.ts";
import type { ImportFindings } from "../../../shared/interactions/imports.ts";
import type { ObjectStore } from "../../storage/objects.ts";
import { toUnit } from "./beginning.ts";
import { type FileRow, readRows } from "./rows.ts";

/** Two texts of the greatest length in three bytes each, with room for quotes and other columns. */
export const recordBytesMax = 2 * 2 ** 20;
export const partBytes = 2 ** 20;

export interface PartLimits {
  readonly partBytes: number;
  readonly recordBytesMax: number;
}

export interface FileToRead {
  readonly path: string;
  readonly sizeBytes: number;
  readonly findings: ImportFindings;
}

/** Where reading goes on: at a record, or within one that is too long. */
export interface Place {
  readonly offset: number;
  readonly isSkipping: boolean;
}

export interface Part {
  readonly from: Place;
  /** Where the next part begins. */
  readonly to: Place;
  readonly rows: readonly FileRow[];
  /** How many of them opened a quote and never closed it. */
  readonly broken: number;
}

export async function* readParts(
  files: Pick<ObjectStore, "readRange">,
  file: FileToRead,
  from: Place,
  limits: PartLimits = { partBytes, recordBytesMax },
): AsyncGenerator<Part> {
  const blocks = readAhead(files, file, { from: from.offset, blockBytes: limits.partBytes });
  let place = from;
  let held: Uint8Array = new Uint8Array(0);
  let hasEnded = from.offset >= file.sizeBytes;
  const take = async () => {
    const { done, value } = await blocks.next();
    if (done) hasEnded = true;
    else held = join(held, value);
  };
  while (held.length > 0 || !hasEnded) {
    while (held.length < limits.partBytes && !hasEnded) await take();
    const { end, isSkipping, ...found } = cutPart(held, {
      file,
      limits,
      hasEnded,
      isSkipping: place.isSkipping,
    });
    if (end === 0 && held.length > 0) {
      await take();
      continue;
    }
    const to = { offset: place.offset + end, isSkipping };
    yield { from: place, to, ...found };
    held = held.subarray(end);
    place = to;
  }
}

interface CutOptions {
  readonly file: FileToRead;
  readonly limits: PartLimits;
  readonly hasEnded: boolean;
  readonly isSkipping: boolean;
}

interface FoundRows extends Pick<Part, "rows" | "broken"> {
  /** 0 where more is needed to go on. */
  readonly end: number;
  readonly isSkipping: boolean;
}

function cutPart(held: Uint8Array, options: CutOptions): FoundRows {
  const { findings } = options.file;
  if (options.isSkipping) {
    const end = findNewline(held, findings);
    const rest = options.hasEnded ? held.length : countWhole(held, findings);
    return { end: end ?? rest, isSkipping: end === undefined, rows: [], broken: 0 };
  }
  const { end, broken } = findEnd(held, options);
  if (end > 0) {
    return {
      end,
      isSkipping: false,
      rows: readRows(held.subarray(0, end), broken, findings),
      broken: broken.length,
    };
  }
  const whole = countWhole(held, findings);
  if (whole <= options.limits.recordBytesMax) return { end: 0, isSkipping: false, rows: [], broken: 0 };
  const mebibytes = Math.round(options.limits.recordBytesMax / 2 ** 20);
  const text = decodeText(held.subarray(0, 4_000), findings.encoding);
  const refusal = `It is longer than ${mebibytes} MiB.`;
  // What is there of it has no newline, or it would have been cut there.
  return { end: whole, isSkipping: true, rows: [{ refusal, text }], broken: 0 };
}

/** Half of a unit waits for its other half. */
function countWhole(held: Uint8Array, { encoding }: ImportFindings): number {
  return toUnit(encoding) === "8" ? held.length : held.length - (held.length % 2);
}

function findEnd(held: Uint8Array, { file: { findings }, limits, hasEnded }: CutOptions): Cut {
  if (findings.format === "jsonl") {
    return { end: hasEnded ? held.length : (findLastNewline(held, findings) ?? 0), broken: [] };
  }
  return cutRecords(held, {
    delimiter: findings.delimiter ?? ",",
    unit: toUnit(findings.encoding),
    newline: findings.newline,
    recordBytesMax: limits.recordBytesMax,
    isLast: hasEnded,
  });
}

type Lines = Pick<ImportFindings, "encoding" | "newline">;

function findNewline(bytes: Uint8Array, lines: Lines): number | undefined {
  const { step, low, code } = toLooking(lines);
  for (let at = bytes.indexOf(code); at >= 0; at = bytes.indexOf(code, at + 1)) {
    if (isUnit(bytes, at, { step, low })) return at - low + step;
  }
  return undefined;
}

function findLastNewline(bytes: Uint8Array, lines: Lines): number | undefined {
  const { step, low, code } = toLooking(lines);
  for (let at = bytes.lastIndexOf(code); at >= 0; at = at > 0 ? bytes.lastIndexOf(code, at - 1) : -1) {
    if (isUnit(bytes, at, { step, low })) return at - low + step;
  }
  return undefined;
}

function toLooking({ encoding, newline }: Lines) {
  const unit = toUnit(encoding);
  return { step: unit === "8" ? 1 : 2, low: unit === "16be" ? 1 : 0, code: newline.charCodeAt(0) };
}

function isUnit(bytes: Uint8Array, at: number, { step, low }: { step: number; low: number }): boolean {
  return step === 1 || (at % 2 === low && bytes[at + 1 - 2 * low] === 0);
}

/** One block is always on its way; a failure is met by whoever asks for it. */
async function* readAhead(
  files: Pick<ObjectStore, "readRange">,
  { path, sizeBytes }: FileToRead,
  { from, blockBytes }: { readonly from: number; readonly blockBytes: number },
): AsyncGenerator<Uint8Array> {
  const read = (offset: number) => {
    const block = files.readRange(path, offset, Math.min(offset + blockBytes, sizeBytes));
    block.catch(() => {});
    return block;
  };
  let next = from < sizeBytes ? read(from) : undefined;
  for (let offset = from; next; ) {
    const block = await next;
    if (!block) throw new AppError("gone", "The file is not there any more; send it again.");
    offset += block.length;
    if (block.length === 0)
      throw new AppError("gone", "The file ended before all of it was read; send it again.");
    next = offset < sizeBytes ? read(offset) : undefined;
    yield block;
  }
}

function join(one: Uint8Array, other: Uint8Array): Uint8Array {
  if (one.length === 0) return other;
  const whole = new Uint8Array(one.length + other.length);
  whole.set(one);
  whole.set(other, one.length);
  return whole;
}
