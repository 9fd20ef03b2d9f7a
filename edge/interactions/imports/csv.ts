/** CSV as csv-parse reads it, at the same ends of records as `cutRecords` finds. */
import { parse } from "csv-parse/sync";

export interface CsvForm {
  readonly delimiter: string;
  readonly newline: "\n" | "\r";
}

/**
 * The fields of whole records. Lenient: a quote within a field is a character, and any number of fields is a record; lines
 * without a character are none.
 */
export function parseCsv(text: string, { delimiter, newline }: CsvForm): string[][] {
  return parse(text, {
    delimiter,
    record_delimiter: newline === "\r" ? ["\r"] : ["\r\n", "\n"],
    relax_quotes: true,
    relax_column_count: true,
    skip_empty_lines: true,
  });
}
