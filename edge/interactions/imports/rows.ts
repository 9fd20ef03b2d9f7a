/** The rows of a part of a file, each by itself: what is wrong with one says nothing of the others. */
import { decodeText } from "../../../shared/interactions/files/encodings.ts";
import type { ImportFindings } from "../../../shared/interactions/imports.ts";
import { parseCsv } from "./csv.ts";

export type FileRow =
  | { readonly fields: readonly string[] }
  | { readonly object: Readonly<Record<string, unknown>>; readonly text: string }
  | { readonly refusal: string; readonly text: string };

export type FileForm = Pick<ImportFindings, "format" | "encoding" | "delimiter" | "newline">;

/** `broken`: where records end that opened a quote and never closed it, in ascending order. */
export function readRows(bytes: Uint8Array, broken: readonly number[], form: FileForm): FileRow[] {
  if (form.format === "jsonl") return readLines(decodeText(bytes, form.encoding), form);
  const rows: FileRow[] = [];
  let from = 0;
  for (const end of broken) {
    rows.push(...readBroken(decodeText(bytes.subarray(from, end), form.encoding), form));
    from = end;
  }
  if (from < bytes.length) addRecords(rows, decodeText(bytes.subarray(from), form.encoding), form);
  return rows;
}

function addRecords(rows: FileRow[], text: string, { delimiter, newline }: FileForm): void {
  for (const fields of parseCsv(text, { delimiter: delimiter ?? ",", newline })) rows.push({ fields });
}

/** Or only after more than a record may have. */
const unclosed = "It opens a quote that is never closed.";

/** The last line opens the quote; before it are whole records. */
function readBroken(text: string, form: FileForm): FileRow[] {
  const rows: FileRow[] = [];
  const line = text.endsWith(form.newline) ? text.slice(0, -1) : text;
  const start = line.lastIndexOf(form.newline) + 1;
  addRecords(rows, line.slice(0, start), form);
  rows.push({ refusal: unclosed, text: line.slice(start) });
  return rows;
}

/** Lines without a character are none. */
function readLines(text: string, { newline }: FileForm): FileRow[] {
  return text.split(newline).flatMap((line) => (line.trim() === "" ? [] : [readLine(line)]));
}

function readLine(text: string): FileRow {
  try {
    const object: unknown = JSON.parse(text);
    if (typeof object === "object" && object !== null && !Array.isArray(object)) {
      return { object: object as Record<string, unknown>, text };
    }
    return { refusal: "It is not a JSON object.", text };
  } catch (error) {
    return { refusal: `It is not JSON: ${(error as Error).message.slice(0, 200)}`, text };
  }
}
