/**
 * What the first bytes of a file show: what can be judged by them is refused before a job is added.
 *
 *   other kinds of files ─▶ encoding ─▶ text? ─▶ CSV or JSON Lines ─▶ delimiter, header ─▶ which column is what
 */
import { AppError, type ErrorCode } from "../../../shared/errors.ts";
import { findDelimiter } from "../../../shared/interactions/files/delimiters.ts";
import { beginningBytes, type Encoding, findEncoding } from "../../../shared/interactions/files/encodings.ts";
import { cutRecords, type RecordOptions } from "../../../shared/interactions/files/records.ts";
import {
  ImportDelimiter,
  type ImportFindings,
  type ImportFormat,
  type ImportOptions,
} from "../../../shared/interactions/imports.ts";
import { mendText } from "../rows.ts";
import { describeMissing, findColumns, normalizeName } from "./columns.ts";
import { type CsvForm, parseCsv } from "./csv.ts";
import { findForeignType, looksBinary } from "./file-types.ts";

/** As many of a file's bytes are looked at. */
export const lookBytes = beginningBytes;
export const columnsMax = 1_000;
const columnsKept = 100;
const columnLengthKept = 200;

export interface FileStart {
  /** The first `lookBytes`, or all there are. */
  readonly bytes: Uint8Array;
  readonly sizeBytes: number;
  readonly fileName: string;
  readonly options: ImportOptions;
}

export function toUnit(encoding: Encoding): RecordOptions["unit"] {
  if (encoding === "utf-16le") return "16le";
  return encoding === "utf-16be" ? "16be" : "8";
}

/** Throws what a person can do something about. */
export function inspectStart(start: FileStart): ImportFindings {
  const { bytes, sizeBytes, options } = start;
  if (sizeBytes === 0) throw refuse("The file is empty.");
  const foreign = findForeignType(bytes);
  if (foreign) throw refuse(foreign, "unsupported_media_type");
  const { encoding, markBytes } = chooseEncoding(bytes, options);
  const text = decodeStart(bytes.subarray(markBytes), encoding);
  if (looksBinary(text))
    throw refuse("This is not a text file: CSV or JSON Lines is expected.", "unsupported_media_type");
  if (text.trim() === "" && sizeBytes <= bytes.length) throw refuse("The file is empty.");
  const newline = findNewline(text);
  const format = findFormat(text, start);
  const found = { bytes, text, encoding, markBytes, newline };
  return format === "jsonl" ? inspectJson(found, options) : inspectCsv(found, start);
}

function chooseEncoding(bytes: Uint8Array, { encoding }: ImportOptions) {
  const found = findEncoding(bytes);
  if (encoding === undefined || encoding === found.encoding) return found;
  return { encoding, markBytes: 0 };
}

/** The last character may be cut off. */
function decodeStart(bytes: Uint8Array, encoding: Encoding): string {
  return new TextDecoder(encoding, { ignoreBOM: true }).decode(bytes, { stream: true });
}

/** By the first one that is not within quotes. */
function findNewline(text: string): "\n" | "\r" {
  let isQuoted = false;
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (character === '"') isQuoted = !isQuoted;
    else if (!isQuoted && character === "\n") return "\n";
    else if (!isQuoted && character === "\r" && index + 1 < text.length)
      return text[index + 1] === "\n" ? "\n" : "\r";
  }
  return "\n";
}

function findFormat(text: string, { options, fileName }: FileStart): ImportFormat {
  if (options.format !== "auto") return options.format;
  if (/\.(jsonl|ndjson)$/i.test(fileName)) return "jsonl";
  if (/^\s*\[\s*[{[\]]/.test(text)) {
    throw refuse("This is one JSON array. Send JSON Lines: one object a line, without brackets around them.");
  }
  return /^\s*\{\s*"/.test(text) ? "jsonl" : "csv";
}

interface Found {
  readonly bytes: Uint8Array;
  readonly text: string;
  readonly encoding: Encoding;
  readonly markBytes: number;
  readonly newline: "\n" | "\r";
}

function inspectJson({ text, encoding, markBytes, newline }: Found, options: ImportOptions): ImportFindings {
  const [line = "", ...others] = text.trimStart().split(newline);
  const first = others.length > 0 ? parseObject(line) : undefined;
  const columns = Object.keys(first ?? {}).map(mendText);
  if (first) {
    const wanted = (["input", "output"] as const).map((field) =>
      normalizeName(options.mapping[field] ?? field),
    );
    const names = new Set(columns.map(normalizeName));
    if (!wanted.some((name) => names.has(name))) {
      throw refuse(describeMissing(columns, findColumns(columns, options.mapping)));
    }
  } else if (others.length > 0 && options.format === "auto")
    throw refuse("Its first line is not a JSON object.");
  const { mapping } = findColumns(columns, options.mapping);
  return {
    format: "jsonl",
    encoding,
    delimiter: null,
    newline,
    columns: keepSome(columns),
    columnsCount: columns.length,
    mapping: keepShort(mapping),
    places: {},
    dataOffset: markBytes,
  };
}

function parseObject(line: string): object | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function inspectCsv(found: Found, { options, sizeBytes }: FileStart): ImportFindings {
  const { bytes, text, encoding, newline } = found;
  // Excel writes and reads a first line that says which delimiter follows.
  const told = /^"?sep=(.)"?\r?\n/i.exec(text)?.[1];
  const named = ImportDelimiter.safeParse(told).data;
  const lines = newline === "\r" ? text.replaceAll("\r", "\n") : text;
  const delimiter = options.delimiter ?? named ?? findDelimiter(lines);
  const form: CsvForm = { delimiter, newline };
  const skipped = named === undefined ? 0 : 1;
  const header = readHeader(found, { form, skipped, isWhole: sizeBytes <= bytes.length });
  const columns = header.columns.map((column) => mendText(column.trim()));
  if (columns.length > columnsMax)
    throw refuse(`The header has ${columns.length} columns; ${columnsMax} are allowed.`);
  const matched = findColumns(columns, options.mapping);
  if (matched.missing.length > 0) throw refuse(describeMissing(columns, matched));
  return {
    format: "csv",
    encoding,
    delimiter,
    newline,
    columns: keepSome(columns),
    columnsCount: columns.length,
    mapping: keepShort(matched.mapping),
    places: matched.places,
    dataOffset: header.end,
  };
}

const keepSome = (columns: readonly string[]) => columns.slice(0, columnsKept).map(shorten);

const keepShort = (mapping: ImportFindings["mapping"]): ImportFindings["mapping"] =>
  Object.fromEntries(Object.entries(mapping).map(([field, name]) => [field, name && shorten(name)]));

/** The cut may leave half of a character. */
const shorten = (name: string) => mendText(name.slice(0, columnLengthKept));

interface HeaderOptions {
  readonly form: CsvForm;
  /** Records before the header. */
  readonly skipped: number;
  readonly isWhole: boolean;
}

/** Each costs a parser; as many newlines as are looked at would keep other requests waiting for seconds. */
const blanksMax = 100;

/** The first record that has fields, and where it ends. */
function readHeader(
  found: Found,
  { form, skipped, isWhole }: HeaderOptions,
): { columns: string[]; end: number } {
  const { bytes, encoding, markBytes } = found;
  let from = markBytes;
  for (let record = 0; from < bytes.length; record++) {
    const end = findRecordEnd(bytes, from, { ...form, encoding }) ?? (isWhole ? bytes.length : undefined);
    if (end === undefined) break;
    const [columns] = parseHeader(decodeStart(bytes.subarray(from, end), encoding), form);
    from = end;
    if (record >= skipped && columns && columns.some((column) => column.trim() !== ""))
      return { columns, end };
    if (record - skipped >= blanksMax)
      throw refuse(`More than ${blanksMax} blank lines come before the header, which names the columns.`);
  }
  if (isWhole) throw refuse("The file has no header: its first line names the columns.");
  throw refuse(`The first line is longer than ${lookBytes} bytes; it names the columns.`);
}

/** A quote that is never closed is all that csv-parse does not take. */
function parseHeader(text: string, form: CsvForm): string[][] {
  try {
    return parseCsv(text, form);
  } catch {
    throw refuse("The header opens a quote that it does not close.");
  }
}

const newlinesTried = 100;

function findRecordEnd(
  bytes: Uint8Array,
  from: number,
  { encoding, delimiter, newline }: CsvForm & { readonly encoding: Encoding },
): number | undefined {
  const unit = toUnit(encoding);
  const step = unit === "8" ? 1 : 2;
  const options = { unit, delimiter, newline, recordBytesMax: lookBytes };
  const low = unit === "16be" ? 1 : 0;
  const code = newline.charCodeAt(0);
  let tried = 0;
  for (let at = from; at + step <= bytes.length && tried < newlinesTried; at += step) {
    if (bytes[at + low] !== code || (step === 2 && bytes[at + 1 - low] !== 0)) continue;
    tried += 1;
    const end = at + step;
    if (cutRecords(bytes.subarray(from, end), options).end === end - from) return end;
  }
  return undefined;
}

function refuse(message: string, code: ErrorCode = "invalid_request"): AppError {
  const fields = [{ field: "body.file", message }];
  return new AppError(code, message, { fields });
}
