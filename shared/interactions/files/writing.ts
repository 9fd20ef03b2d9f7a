/** Rows as CSV (RFC 4180) that a spreadsheet shows and does not run. */

/** With these at its beginning a spreadsheet takes a field for a formula (OWASP, "CSV injection"). */
const formulaPattern = /^[\s\u00a0\ufeff]*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/;
/**
 * Where lists are parted by semicolons, Excel takes each line and what follows each semicolon for a cell, whatever quotes stand
 * around it. Within a text, items of a list begin with a dash more often than formulas do: a sign counts where a function, a program
 * or another file is called behind it, without which a formula only counts.
 */
const innerFormulaPattern =
  /([;\r\n](?:[^\S\r\n]|")*)(?=[=@\uff1d\uff20]|[+\-\uff0b\uff0d][^;\r\n]*(?:\w\(|\||!\$?[a-z]))/gi;
const numberPattern = /^-?\d{1,17}(?:\.\d{1,17})?(?:e[+-]?\d{1,3})?$/i;

export type Field = string | number | boolean | null | undefined;

/**
 * A text that would be run is written with an apostrophe before it, and where a line or a part of it would be run, before that;
 * numbers stay numbers. Nothing is an empty field. Whoever reads the file back reads the apostrophes: JSON Lines have none.
 */
export function formatField(value: Field): string {
  if (value === null || value === undefined) return "";
  const safe = typeof value === "string" ? guardFormulas(value) : String(value);
  return /[",;\t\r\n']|^\s|\s$/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function guardFormulas(text: string): string {
  const guarded = text.replaceAll(innerFormulaPattern, "$1'");
  return formulaPattern.test(text) && !numberPattern.test(text) ? `'${guarded}` : guarded;
}

export function formatRow(fields: readonly Field[]): string {
  return `${fields.map(formatField).join(",")}\r\n`;
}
