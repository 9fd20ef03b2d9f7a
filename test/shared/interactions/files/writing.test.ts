import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatField, formatRow } from "../../../../shared/interactions/files/writing.ts";

test.each([
  ["plain", "plain"],
  [null, ""],
  [undefined, ""],
  [12.5, "12.5"],
  [-3, "-3"],
  [true, "true"],
  ["a,b", '"a,b"'],
  ['say "hi"', '"say ""hi"""'],
  ["two\nlines", '"two\nlines"'],
  [" space", '" space"'],
  ["-3", "-3"],
  ["-1.5e-7", "-1.5e-7"],
  ["=1+1", `"'=1+1"`],
  ["+cmd|' /C calc'!A0", `"'+cmd|' /C calc'!A0"`],
  ["-2+3", `"'-2+3"`],
  ["@SUM(A1)", `"'@SUM(A1)"`],
  ["  =1", `"'  =1"`],
  ["\t=1", `"'\t=1"`],
  ["＝1+1", `"'＝1+1"`],
  ["mail@example.com", "mail@example.com"],
  ["x;=1+1;y", `"x;'=1+1;y"`],
  ["x\n=1+1", `"x\n'=1+1"`],
  ["x\r\n @SUM(A1)", `"x\r\n '@SUM(A1)"`],
  ['x;"=1+1', `"x;""'=1+1"`],
  ["=1\n=2", `"'=1\n'=2"`],
  ["x;- HYPERLINK(A1)", `"x;'- HYPERLINK(A1)"`],
  ["x\n-2+cmd|' /C calc'!A0", `"x\n'-2+cmd|' /C calc'!A0"`],
  ["x\n+'[b.xls]S'!$A$1", `"x\n'+'[b.xls]S'!$A$1"`],
  ["list:\n- one (or two)!\n-5; +3", `"list:\n- one (or two)!\n-5; +3"`],
  ["a = b; c == d", '"a = b; c == d"'],
])("%j is written as %s", (value, written) => {
  expect(formatField(value)).toBe(written);
});

describe("a row", () => {
  test("holds its fields, and no spreadsheet finds a formula in it", () => {
    const field = fc.string({
      unit: fc.constantFrom("=", "+", "-", "@", '"', ",", ";", "\n", "\r", "\t", " ", "a", "1", "'"),
      maxLength: 8,
    });
    fc.assert(
      fc.property(fc.array(field, { minLength: 1, maxLength: 5 }), (fields) => {
        const read = readRow(formatRow(fields));
        const bare = (texts: readonly string[]) => texts.map((text) => text.replaceAll("'", ""));
        expect(bare(read)).toEqual(bare(fields));
        for (const one of read) {
          expect(/^\s*[=@]|^\s*[+-](?!\d+$)/.test(one)).toBe(false);
          for (const part of one.split(/[;\r\n]/).slice(1)) expect(/^[\s"]*[=@]/.test(part)).toBe(false);
        }
      }),
      { numRuns: 500 },
    );
  });

  /** The plainest reader of one row of RFC 4180. */
  function readRow(row: string): string[] {
    const body = `,${row.slice(0, -2)}`;
    return [...body.matchAll(/,(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) =>
      quoted === undefined ? (plain ?? "") : quoted.replaceAll('""', '"'),
    );
  }
});
