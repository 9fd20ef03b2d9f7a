import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findDelimiter } from "../../../../shared/interactions/files/delimiters.ts";
import { decodeText, type Encoding, findEncoding } from "../../../../shared/interactions/files/encodings.ts";

const utf8 = (text: string) => [...new TextEncoder().encode(text)];
const utf16 = (text: string, isLittle: boolean) =>
  [...text].flatMap((character) => {
    const code = character.charCodeAt(0);
    return isLittle ? [code & 255, code >> 8] : [code >> 8, code & 255];
  });
const latin = (text: string) => [...text].map((character) => character.charCodeAt(0));

const sample = "Input;Output\r\nwie geht's?;schön\r\n";

describe("the encoding of a file", () => {
  test.each<[string, number[], Encoding, number]>([
    ["UTF-8 with a mark", [0xef, 0xbb, 0xbf, ...utf8(sample)], "utf-8", 3],
    ["UTF-8 without", utf8(sample), "utf-8", 0],
    ["UTF-8 cut within a character", utf8("schön").slice(0, 4), "utf-8", 0],
    ["UTF-16 with a mark, little end first", [0xff, 0xfe, ...utf16(sample, true)], "utf-16le", 2],
    ["UTF-16 with a mark, big end first", [0xfe, 0xff, ...utf16(sample, false)], "utf-16be", 2],
    ["UTF-16 without, little end first", utf16(sample, true), "utf-16le", 0],
    ["UTF-16 without, big end first", utf16(sample, false), "utf-16be", 0],
    ["Windows-1252", latin(sample), "windows-1252", 0],
    ["nothing", [], "utf-8", 0],
  ])("is found: %s", (_name, bytes, encoding, markBytes) => {
    const found = findEncoding(new Uint8Array(bytes));
    expect(found).toEqual({ encoding, markBytes });
    if (bytes.length > 10) {
      expect(decodeText(new Uint8Array(bytes.slice(markBytes)), encoding)).toBe(sample);
    }
  });

  test("of a later part may be another: every byte is read as something", () => {
    const bytes = new Uint8Array([...utf8("é "), 0xe9]);
    expect(decodeText(bytes, "utf-8")).toBe("Ã© é");
  });

  test("of text in UTF-8 is never taken for another", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 1, maxLength: 200 }), (text) => {
        const plain = text.replaceAll("\0", "").replace(/^\ufeff/, "");
        expect(
          decodeText(new Uint8Array(utf8(plain)), findEncoding(new Uint8Array(utf8(plain))).encoding),
        ).toBe(plain);
      }),
    );
  });
});

test.each([
  ["Input,Output\na,b\n", ","],
  ["Input;Output\na,b;c\n", ";"],
  ["Input\tOutput\na,b;c\td\n", "\t"],
  ['"In,put";Output\n"a;b";c\n', ";"],
  ["Input\nonly one column, with a comma\n", ","],
  ["", ","],
  ["id;Input;Output;note, long\n1;a;b;c, d\n", ";"],
])("the delimiter of %j is %j", (beginning, delimiter) => {
  expect(findDelimiter(beginning)).toBe(delimiter);
});
