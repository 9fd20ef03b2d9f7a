/** Which column of a file becomes which field. */
import { type ImportField, type ImportOptions, importFields } from "../../../shared/interactions/imports.ts";

/** `Input`, `session_id` and `Session ID` are how people write `input` and `sessionId`. */
export function normalizeName(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");
}

export interface FoundColumns {
  readonly places: Partial<Record<ImportField, number>>;
  readonly mapping: Partial<Record<ImportField, string>>;
  /** What was asked for and is not there. */
  readonly missing: readonly { readonly field: ImportField; readonly column: string | undefined }[];
}

const required: readonly ImportField[] = ["input", "output"];

/** A column that is named in the options counts before one that bears the field's name; of several alike the first. */
export function findColumns(columns: readonly string[], mapping: ImportOptions["mapping"]): FoundColumns {
  const places: Partial<Record<ImportField, number>> = {};
  const names: Partial<Record<ImportField, string>> = {};
  const missing: { field: ImportField; column: string | undefined }[] = [];
  for (const field of importFields) {
    const wanted = mapping[field];
    const place = findPlace(columns, wanted ?? field);
    if (place >= 0) {
      places[field] = place;
      names[field] = columns[place] ?? "";
    } else if (wanted !== undefined || required.includes(field)) missing.push({ field, column: wanted });
  }
  return { places, mapping: names, missing };
}

function findPlace(columns: readonly string[], wanted: string): number {
  const exact = columns.findIndex((column) => column.trim() === wanted.trim());
  if (exact >= 0) return exact;
  const normal = normalizeName(wanted);
  return normal === "" ? -1 : columns.findIndex((column) => normalizeName(column) === normal);
}

const columnsTold = 30;

/** For who has to name them otherwise. */
export function describeMissing(columns: readonly string[], { missing }: FoundColumns): string {
  const wanted = missing.map(({ field, column }) =>
    column === undefined ? `no column \`${field}\`` : `no column "${shorten(column)}" for \`${field}\``,
  );
  const named = columns.slice(0, columnsTold).map((column) => `"${shorten(column)}"`);
  const more = columns.length > columnsTold ? `, and ${columns.length - columnsTold} more` : "";
  const example = missing.find(({ column }) => column === undefined)?.field ?? missing[0]?.field;
  return (
    `The file has ${wanted.join(" and ")}. Its columns are: ${named.join(", ")}${more}. ` +
    `Say in \`options\` which column is which, such as {"mapping": {"${example}": ${JSON.stringify(shorten(columns[0] ?? ""))}}}.`
  );
}

const shorten = (text: string) => (text.length > 60 ? `${text.slice(0, 60)}…` : text);
