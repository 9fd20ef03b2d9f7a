/** Files that are no text, known by how they begin. */

interface FileType {
  readonly name: string;
  readonly advice: string;
  readonly marks: readonly (readonly number[])[];
}

const ascii = (text: string) => Array.from(text, (character) => character.charCodeAt(0));

const unpack = "Unpack it first.";
const save = "Save the sheet as CSV first.";
const convert = "Write its rows as CSV or JSON Lines first.";

const types: readonly FileType[] = [
  { name: "a gzip file", advice: unpack, marks: [[0x1f, 0x8b]] },
  {
    name: "a zip file or an Excel workbook (.xlsx)",
    advice: "Unpack it, or save the sheet as CSV first.",
    marks: [
      [0x50, 0x4b, 0x03, 0x04],
      [0x50, 0x4b, 0x05, 0x06],
    ],
  },
  {
    name: "an Excel workbook (.xls)",
    advice: save,
    marks: [[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]],
  },
  { name: "a bzip2 file", advice: unpack, marks: [[...ascii("BZh"), 0x39, 0x31, 0x41, 0x59]] },
  { name: "an xz file", advice: unpack, marks: [[0xfd, ...ascii("7zXZ"), 0x00]] },
  { name: "a Zstandard file", advice: unpack, marks: [[0x28, 0xb5, 0x2f, 0xfd]] },
  { name: "a 7z file", advice: unpack, marks: [[...ascii("7z"), 0xbc, 0xaf, 0x27, 0x1c]] },
  { name: "a Parquet file", advice: convert, marks: [ascii("PAR1")] },
  { name: "a SQLite database", advice: convert, marks: [[...ascii("SQLite format 3"), 0x00]] },
  { name: "a PDF", advice: convert, marks: [ascii("%PDF-")] },
  {
    name: "a picture",
    advice: convert,
    marks: [[0x89, ...ascii("PNG")], [0xff, 0xd8, 0xff], ascii("GIF8")],
  },
];

/** What it is and what to do, or undefined for what may be text. */
export function findForeignType(beginning: Uint8Array): string | undefined {
  const found = types.find(({ marks }) =>
    marks.some((mark) => mark.every((byte, index) => beginning[index] === byte)),
  );
  return found && `This is ${found.name}, not a text file. ${found.advice}`;
}

/** Text has tabs and newlines, and hardly ever another control character. */
export function looksBinary(text: string): boolean {
  let count = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 9 || (code > 13 && code < 32) || code === 0xfffd) count += 1;
  }
  return count > 4 && count > text.length * 0.02;
}
