/**
 * Where the records of a CSV file end, in bytes: the file is read in parts, each cut after its last whole record, so that reading can
 * go on from any such place in another process. RFC 4180: a field in quotes may hold newlines, and a quote as two.
 *
 *                    quote           delimiter     newline           other
 *   field start      quoted          field start   end of record     plain
 *   plain            plain           field start   end of record     plain
 *   quoted           after a quote   quoted        quoted            quoted
 *   after a quote    quoted          field start   end of record     plain
 */
export interface RecordOptions {
  /** One character of ASCII. */
  readonly delimiter: string;
  /** As the units of the file's encoding lie in bytes. */
  readonly unit: "8" | "16le" | "16be";
  /**
   * A record that is longer is cut at its first newline, whatever its quotes say: one that is not closed would swallow the file. One
   * that has no newline by then ends at its next. So where records end does not depend on how much of the file is in sight.
   */
  readonly recordBytesMax: number;
  /** What ends a record; with `\n`, a `\r` before it does no harm. Default `\n`. */
  readonly newline?: "\n" | "\r";
  /** The file ends where the part does: what is left is a record, and a quote that is open stays so. Default false. */
  readonly isLast?: boolean;
}

const quote = 0x22;

/** Each costs looking at a whole `recordBytesMax` again: after so many the part is cut. */
export const brokenMax = 8;

const [fieldStart, plain, quoted, afterQuote] = [0, 1, 2, 3];

export interface Cut {
  /** Where the last whole record of the part ends; 0 where there is none. */
  readonly end: number;
  /** Where records end that were cut at a newline within quotes, in this part. */
  readonly broken: readonly number[];
}

/**
 * Looks for the last end of a record in a part that begins with a record. What is left after it belongs to the next part; where the
 * part is the file's last, all of it is the last record. After `brokenMax` broken records it looks no further.
 */
export function cutRecords(part: Uint8Array, options: RecordOptions): Cut {
  const { unit, recordBytesMax, isLast = false } = options;
  const step = unit === "8" ? 1 : 2;
  const [low, high] = unit === "16be" ? [1, 0] : [0, 1];
  const separator = options.delimiter.charCodeAt(0);
  const newline = (options.newline ?? "\n").charCodeAt(0);
  const whole = part.length - (part.length % step);
  const broken: number[] = [];
  let state = fieldStart;
  let start = 0;
  let firstNewline = -1;
  let at = 0;
  for (;;) {
    while (at < whole) {
      const code = step === 2 && part[at + high] !== 0 ? -1 : part[at + low];
      at += step;
      if (state === quoted) {
        if (code === quote) state = afterQuote;
        else if (code === newline && firstNewline < 0) firstNewline = at;
      } else if (code === newline) {
        start = at;
        firstNewline = -1;
        state = fieldStart;
      } else if (code === separator) state = fieldStart;
      else if (code === quote && state !== plain) state = quoted;
      else state = plain;
      if (firstNewline > 0 && at - start > recordBytesMax) break;
    }
    const isTooLong = firstNewline > 0 && at - start > recordBytesMax;
    if (!isTooLong && !(state === quoted && isLast)) break;
    // Begins again behind the first newline that the open quote took in.
    const end = firstNewline > 0 ? firstNewline : part.length;
    broken.push(end);
    at = start = end;
    firstNewline = -1;
    state = fieldStart;
    if (broken.length >= brokenMax) return { end, broken };
  }
  return { end: isLast ? part.length : start, broken };
}
