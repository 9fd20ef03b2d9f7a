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
  /** A record that is longer is cut at its next newline, whatever its quotes say: one that is not closed would swallow the file. */
  readonly recordBytesMax: number;
}

const quote = 0x22;
const newline = 0x0a;

type State = "field start" | "plain" | "quoted" | "after a quote";

export interface Cut {
  /** Where the last whole record of the part ends; 0 where there is none. */
  readonly end: number;
  /** Where records end that were cut at a newline although a quote was open, in this part. */
  readonly broken: readonly number[];
}

/**
 * Looks for the last end of a record in a part that begins with a record. What is left after it belongs to the next part; where the
 * part is the file's last, all of it is the last record.
 */
export function cutRecords(part: Uint8Array, { delimiter, unit, recordBytesMax }: RecordOptions): Cut {
  const step = unit === "8" ? 1 : 2;
  const [low, high] = unit === "16be" ? [1, 0] : [0, 1];
  const separator = delimiter.charCodeAt(0);
  const broken: number[] = [];
  let state: State = "field start";
  let start = 0;
  let firstNewline = -1;
  let at = 0;
  while (at + step <= part.length) {
    const isWide = step === 2 && part[at + high] !== 0;
    const code = isWide ? -1 : part[at + low];
    at += step;
    if (code === newline && firstNewline < 0) firstNewline = at;
    if (state === "quoted") {
      if (code === quote) state = "after a quote";
      else if (at - start > recordBytesMax && firstNewline > 0) {
        // Begins again behind the first newline that the open quote took in.
        broken.push(firstNewline);
        at = start = firstNewline;
        firstNewline = -1;
        state = "field start";
      }
    } else if (code === newline) {
      start = at;
      firstNewline = -1;
      state = "field start";
    } else if (code === separator) state = "field start";
    else if (code === quote && state !== "plain") state = "quoted";
    else state = "plain";
  }
  return { end: start, broken };
}
