import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cutRecords, type RecordOptions } from "../../../../shared/interactions/files/records.ts";

const options: RecordOptions = { delimiter: ",", unit: "8", recordBytesMax: 1_000_000 };
const cut = (text: string, changes: Partial<RecordOptions> = {}) =>
  cutRecords(encode(text, changes.unit ?? "8"), { ...options, ...changes });

function encode(text: string, unit: RecordOptions["unit"]): Uint8Array {
  if (unit === "8") return new TextEncoder().encode(text);
  const bytes = new Uint8Array(text.length * 2);
  const view = new DataView(bytes.buffer);
  for (let index = 0; index < text.length; index++) {
    view.setUint16(index * 2, text.charCodeAt(index), unit === "16le");
  }
  return bytes;
}

describe("a part of a file", () => {
  test.each([
    ["", 0],
    ["a,b", 0],
    ["a,b\n", 4],
    ["a,b\nc,d", 4],
    ["a,b\r\nc,d\r\n", 10],
    ['"a\nb",c\nd', 8],
    ['"a ""\n"" b",c\nd', 14],
    ['"a\nb', 0],
    ['5" pipe,x\n"y"\nz', 14],
    ['"a" b\nc', 6],
    ["\n\n\n", 3],
  ])("%j is cut at %i", (text, end) => {
    expect(cut(text)).toEqual({ end, broken: [] });
  });

  test("is cut where its last whole record ends, wherever it stops, in every encoding", () => {
    const field = fc.string({
      unit: fc.constantFrom("a", '"', ",", ";", "\n", "\r", "é", "日", "😀", "Ċ", "∢"),
      maxLength: 6,
    });
    const record = fc.record({
      fields: fc.array(field, { minLength: 1, maxLength: 4 }),
      ending: fc.constantFrom("\n", "\r\n"),
    });
    const unit = fc.constantFrom<RecordOptions["unit"]>("8", "16le", "16be");
    const delimiter = fc.constantFrom(",", ";", "\t");
    fc.assert(
      fc.property(
        fc.array(record, { maxLength: 8 }),
        unit,
        delimiter,
        fc.nat(400),
        (records, unit, delimiter, stop) => {
          const texts = records.map(
            ({ fields, ending }) => fields.map((one) => quoteField(one, delimiter)).join(delimiter) + ending,
          );
          let length = 0;
          const ends = [0];
          for (const text of texts) {
            length += encode(text, unit).length;
            ends.push(length);
          }
          const part = encode(texts.join(""), unit).slice(0, stop);
          const expected = Math.max(...ends.filter((end) => end <= part.length));
          expect(cutRecords(part, { ...options, unit, delimiter })).toEqual({ end: expected, broken: [] });
        },
      ),
      { numRuns: 500 },
    );
  });

  /** As RFC 4180 wants it; a lone field that needs none is left without. */
  function quoteField(text: string, delimiter: string): string {
    return /["\n\r]/.test(text) || text.includes(delimiter) ? `"${text.replaceAll('"', '""')}"` : text;
  }
});

describe("a quote that is never closed", () => {
  test("takes in one line and no more", () => {
    const lines = Array.from({ length: 100 }, (_, index) => `row ${index},x\n`).join("");
    const text = `good,1\n"open,2\n${lines}`;
    const { end, broken } = cut(text, { recordBytesMax: 200 });
    expect(broken).toEqual([15]);
    expect(end).toBe(text.length);
  });

  test("is waited for while it may still be closed", () => {
    const text = `"${"line\n".repeat(30)}",x\nnext`;
    expect(cut(text, { recordBytesMax: 200 })).toEqual({ end: text.length - 4, broken: [] });
  });

  test("costs a line each time", () => {
    const block = `"open\n${"line\n".repeat(60)}`;
    const { end, broken } = cut(block.repeat(3), { recordBytesMax: 100 });
    expect(broken).toEqual([6, 6 + block.length, 6 + 2 * block.length]);
    expect(end).toBe(3 * block.length);
  });
});
