/** Rows as CSV (RFC 4180) that a spreadsheet shows and does not run. */

/** With these at its beginning a spreadsheet takes a field for a formula (OWASP, "CSV injection"). */
const formulaPattern = /^[\s\u00a0\ufeff]*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/;
const numberPattern = /^-?\d{1,17}(?:\.\d{1,17})?(?:e[+-]?\d{1,3})?$/i;

export type Field = string | number | boolean | null | undefined;

/** A text that would be run is written with an apostrophe before it; numbers stay numbers. Nothing is an empty field. */
export function formatField(value: Field): string {
  if (value === null || value === undefined) return "";
  const text = String(value);
  const isFormula = typeof value === "string" && formulaPattern.test(text) && !numberPattern.test(text);
  const safe = isFormula ? `'${text}` : text;
  return /[",;\t\r\n']|^\s|\s$/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function formatRow(fields: readonly Field[]): string {
  return `${fields.map(formatField).join(",")}\r\n`;
}
