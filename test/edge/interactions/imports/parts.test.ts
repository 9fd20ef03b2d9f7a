import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { inspectStart, lookBytes } from "../../../../edge/interactions/imports/beginning.ts";
import { parseCsv } from "../../../../edge/interactions/imports/csv.ts";
import { type Part, type PartLimits, readParts } from "../../../../edge/interactions/imports/parts.ts";
import type { FileRow } from "../../../../edge/interactions/imports/rows.ts";
import { cutRecords } from "../../../../shared/interactions/files/records.ts";
import { type ImportFindings, ImportOptions } from "../../../../shared/interactions/imports.ts";

type Encoding = ImportFindings["encoding"];

/** The 27 places where Windows-1252 is not Latin-1. */
const western = new Map(
  Array.from({ length: 32 }, (_, index) => [
    new TextDecoder("windows-1252").decode(Uint8Array.of(0x80 + index)),
    0x80 + index,
  ]),
);

function encode(text: string, encoding: Encoding): Uint8Array {
  if (encoding === "utf-8") return new TextEncoder().encode(text);
  if (encoding === "windows-1252") {
    return Uint8Array.from(text, (character) => western.get(character) ?? character.charCodeAt(0));
  }
  const bytes = new Uint8Array(text.length * 2);
  const view = new DataView(bytes.buffer);
  for (let index = 0; index < text.length; index++) {
    view.setUint16(index * 2, text.charCodeAt(index), encoding === "utf-16le");
  }
  return bytes;
}

const limits: PartLimits = { partBytes: 1 << 16, recordBytesMax: 1 << 20 };

const fileOf = (bytes: Uint8Array) => ({
  readRange: async (_path: string, from: number, to: number) => bytes.slice(from, to),
});

async function listParts(
  bytes: Uint8Array,
  findings: ImportFindings,
  changes: Partial<PartLimits> = {},
  place = { offset: findings.dataOffset, isSkipping: false },
): Promise<Part[]> {
  const file = { path: "x", sizeBytes: bytes.length, findings };
  const parts: Part[] = [];
  for await (const part of readParts(fileOf(bytes), file, place, { ...limits, ...changes })) parts.push(part);
  return parts;
}

function inspect(
  bytes: Uint8Array,
  options: Record<string, unknown> = {},
  fileName = "a.csv",
): ImportFindings {
  return inspectStart({
    bytes: bytes.slice(0, lookBytes),
    sizeBytes: bytes.length,
    fileName,
    options: ImportOptions.parse(options),
  });
}

const rowsOf = (parts: readonly Part[]): FileRow[] => parts.flatMap(({ rows }) => rows);

const quoteField = (text: string, delimiter: string) =>
  /["\n\r]/.test(text) || text.includes(delimiter) || text === "" ? `"${text.replaceAll('"', '""')}"` : text;

/** Characters that every encoding has. */
const character = fc.constantFrom("a", "b", " ", '"', ",", ";", "\t", "|", "\n", "\r\n", "é", "ü", "€", "’");
const field = fc.string({ unit: character, maxLength: 8 });
const wide = fc.string({
  unit: fc.oneof(character, fc.constantFrom("日", "😀", "Ċ", "∢", "\u2028")),
  maxLength: 8,
});

describe("rows that were written are read", () => {
  const form = fc.record({
    encoding: fc.constantFrom<Encoding>("utf-8", "utf-16le", "utf-16be", "windows-1252"),
    delimiter: fc.constantFrom<"," | ";" | "\t" | "|">(",", ";", "\t", "|"),
    newline: fc.constantFrom("\n", "\r\n", "\r"),
    hasMark: fc.boolean(),
    endsWithNewline: fc.boolean(),
    partBytes: fc.integer({ min: 1, max: 60 }),
  });

  test("in every encoding, with every delimiter and newline, however they are cut into parts", async () => {
    await fc.assert(
      fc.asyncProperty(
        form,
        fc.array(fc.tuple(wide, field), { minLength: 1, maxLength: 8 }),
        async ({ encoding, delimiter, newline, hasMark, endsWithNewline, partBytes }, pairs) => {
          const rows = encoding === "windows-1252" ? pairs.map(([, other]) => [other, other]) : pairs;
          const records = [["Input", "Output"], ...rows].map((fields) =>
            fields.map((one) => quoteField(one as string, delimiter)).join(delimiter),
          );
          const mark = hasMark && encoding !== "windows-1252" ? "\ufeff" : "";
          const text = mark + records.join(newline) + (endsWithNewline ? newline : "");
          const bytes = encode(text, encoding);
          const findings = inspect(bytes, { encoding, delimiter });
          const found = rowsOf(await listParts(bytes, findings, { partBytes, recordBytesMax: 1000 }));
          expect(found).toEqual(rows.map((fields) => ({ fields })));
        },
      ),
      { numRuns: 600 },
    );
  });

  test("when nothing is said of the file", async () => {
    await fc.assert(
      fc.asyncProperty(
        form,
        fc.array(fc.tuple(field, field), { minLength: 1, maxLength: 8 }),
        async ({ encoding, delimiter, newline, hasMark, partBytes }, rows) => {
          fc.pre(delimiter !== "|");
          const mark = hasMark && encoding !== "windows-1252" ? "\ufeff" : "";
          const records = [["Input", "Output", "app"], ...rows.map((row) => [...row, "café €"])].map(
            (fields) => fields.map((one) => quoteField(one, delimiter)).join(delimiter),
          );
          const bytes = encode(mark + records.join(newline), encoding);
          const findings = inspect(bytes);
          expect(findings).toMatchObject({ encoding, delimiter, newline: newline === "\r" ? "\r" : "\n" });
          const found = rowsOf(await listParts(bytes, findings, { partBytes }));
          expect(found).toEqual(rows.map((row) => ({ fields: [...row, "café €"] })));
        },
      ),
      { numRuns: 400 },
    );
  });
});

describe("a file of anything", () => {
  const findings: ImportFindings = {
    ...inspect(encode("Input,Output\na,b\n", "utf-8")),
    dataOffset: 0,
  };
  const garbage = fc.string({
    unit: fc.constantFrom('"', '"', ",", "\n", "\n", "\r", "a", "é", "\0", " "),
    maxLength: 120,
  });

  test("is cut where csv-parse ends its records", () => {
    fc.assert(
      fc.property(garbage, fc.constantFrom<"\n" | "\r">("\n", "\r"), (text, newline) => {
        const bytes = encode(text, "utf-8");
        const options = { delimiter: ",", unit: "8", recordBytesMax: 10_000, newline } as const;
        const { end } = cutRecords(bytes, options);
        const whole = new TextDecoder().decode(bytes.subarray(0, end));
        const rest = new TextDecoder().decode(bytes.subarray(end));
        // What is left can only end what it began: a quote that closes it begins anew.
        const apart = [...parseCsv(whole, { delimiter: ",", newline }), ["|"]];
        const together = parseCsv(`${whole}|`, { delimiter: ",", newline });
        expect(together).toEqual(apart);
        expect(rest.includes(newline) && !rest.includes('"')).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });

  test("has the same rows in any parts, and from any part on", async () => {
    await fc.assert(
      fc.asyncProperty(
        garbage,
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 8, max: 60 }),
        fc.constantFrom<Encoding>("utf-8", "utf-16le", "utf-16be"),
        fc.nat(),
        async (text, partBytes, otherBytes, recordBytesMax, encoding, stop) => {
          const bytes = encode(text, encoding);
          const form = { ...findings, encoding };
          const one = await listParts(bytes, form, { partBytes, recordBytesMax });
          const whole = rowsOf(one);
          const shape = (rows: readonly FileRow[]) =>
            rows.map((row) => ("fields" in row ? row.fields : "refused"));
          // What is longer than a record may be is refused or read, by how much of it is in sight; it is one row in either case.
          const count = (rows: readonly FileRow[]) => rows.length;
          const other = rowsOf(await listParts(bytes, form, { partBytes: otherBytes, recordBytesMax }));
          expect(count(other)).toBe(count(whole));
          const begun = stop % (one.length + 1);
          const place = one[begun]?.from;
          if (!place) return;
          const before = rowsOf(one.slice(0, begun));
          const after = rowsOf(
            await listParts(bytes, form, { partBytes: otherBytes, recordBytesMax }, place),
          );
          expect(before.length + after.length).toBe(whole.length);
          if (recordBytesMax > bytes.length) expect(shape([...before, ...after])).toEqual(shape(whole));
        },
      ),
      {
        numRuns: 2000,
        // A quote that is closed, and opened again beyond the limit.
        examples: [
          ['"\n" ,"', 3, 1, 8, "utf-16le", 0],
          ['"\né\0é', 1, 2, 8, "utf-16be", 0],
          ['"\n""""', 1, 3, 8, "utf-16le", 0],
        ],
      },
    );
  });

  test("is read to its end", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 300 }),
        fc.integer({ min: 1, max: 64 }),
        async (bytes, partBytes) => {
          for (const encoding of ["utf-8", "utf-16le", "utf-16be", "windows-1252"] as const) {
            for (const format of ["csv", "jsonl"] as const) {
              const parts = await listParts(
                bytes,
                { ...findings, encoding, format },
                { partBytes, recordBytesMax: 100 },
              );
              expect(parts.at(-1)?.to.offset ?? 0).toBe(bytes.length);
              for (const [index, { from }] of parts.entries()) {
                expect(from).toEqual(parts[index - 1]?.to ?? { offset: 0, isSkipping: false });
              }
            }
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("what is too much", () => {
  const header = "Input,Output\n";
  const form = inspect(encode(`${header}a,b\n`, "utf-8"));

  test.each([
    ["a line without end", `${"x".repeat(500_000)}\n`],
    ["a quoted field without end", `"${"x".repeat(500_000)}",y\n`],
  ])("%s is refused, and reading goes on behind it", async (_what, line) => {
    const bytes = encode(`${header}good,1\n${line}good,2\n`, "utf-8");
    const rows = rowsOf(await listParts(bytes, form, { partBytes: 1000, recordBytesMax: 10_000 }));
    expect(rows).toEqual([
      { fields: ["good", "1"] },
      { refusal: expect.stringContaining("longer than"), text: expect.any(String) },
      { fields: ["good", "2"] },
    ]);
  });

  test("a quote that is never closed costs its line", async () => {
    const lines = Array.from({ length: 2000 }, (_, index) => `row ${index},x\n`);
    const bytes = encode(`${header}"open,1\n${lines.join("")}`, "utf-8");
    for (const partBytes of [500, 100_000]) {
      const parts = await listParts(bytes, form, { partBytes, recordBytesMax: 1000 });
      const rows = rowsOf(parts);
      expect(rows.length).toBe(2001);
      expect(rows[0]).toEqual({ refusal: "It opens a quote that is never closed.", text: '"open,1' });
      expect(rows[2000]).toEqual({ fields: ["row 1999", "x"] });
      expect(parts.reduce((sum, { broken }) => sum + broken, 0)).toBe(1);
    }
  });

  test("a quote that is open at the end of the file costs its line", async () => {
    const rows = rowsOf(await listParts(encode(`${header}a,1\n"open,2\nb,3\nc,4`, "utf-8"), form));
    expect(rows).toEqual([
      { fields: ["a", "1"] },
      { refusal: "It opens a quote that is never closed.", text: '"open,2' },
      { fields: ["b", "3"] },
      { fields: ["c", "4"] },
    ]);
  });

  test("lines that each open a quote which runs to the limit are told from a slip", async () => {
    const bytes = encode(header + 'x","""\n'.repeat(3000), "utf-8");
    const parts = await listParts(bytes, form, { partBytes: 1000, recordBytesMax: 5000 });
    expect(Math.max(...parts.map(({ broken }) => broken))).toBeLessThanOrEqual(8);
  });

  test("a million fields are one row", async () => {
    const bytes = encode(`${header}${",".repeat(1_000_000)}\ngood,1\n`, "utf-8");
    const rows = rowsOf(await listParts(bytes, form, { partBytes: 1 << 20, recordBytesMax: 2 << 20 }));
    expect(rows.length).toBe(2);
    expect(rows[1]).toEqual({ fields: ["good", "1"] });
  });
});

test("a file that is gone, or is shorter than it was, is told", async () => {
  const findings = inspect(encode("Input,Output\na,b\n", "utf-8"));
  const read = async (
    readRange: (path: string, from: number, to: number) => Promise<Uint8Array | undefined>,
  ) => {
    const file = { path: "x", sizeBytes: 5000, findings };
    for await (const _part of readParts({ readRange }, file, { offset: 13, isSkipping: false }, limits));
  };
  await expect(read(async () => undefined)).rejects.toMatchObject({ code: "gone" });
  await expect(read(async (_path, from) => new Uint8Array(from < 100 ? 100 : 0))).rejects.toMatchObject({
    code: "gone",
  });
});

test("in UTF-8 a line that is none is read as Windows-1252, and the others as they are", async () => {
  const bytes = Uint8Array.from([
    ...encode("Input,Output\nété,日本\n", "utf-8"),
    ...encode("été,x\n", "windows-1252"),
    ...encode("für,😀\n", "utf-8"),
  ]);
  const findings = inspect(bytes, { encoding: "utf-8" });
  expect(rowsOf(await listParts(bytes, findings))).toEqual([
    { fields: ["été", "日本"] },
    { fields: ["été", "x"] },
    { fields: ["für", "😀"] },
  ]);
});
