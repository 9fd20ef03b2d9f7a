import fc from "fast-check";
import { expect, test } from "vitest";
import { openMultipart } from "../../../../supabase/local/storage/multipart.ts";

interface Form {
  readonly fields: readonly (readonly [string, string])[];
  readonly file: Uint8Array;
  /** What comes after the file. */
  readonly tail?: string;
}

const boundary = "----edge";
const contentType = `multipart/form-data; boundary=${boundary}`;

function write({ fields, file, tail = `\r\n--${boundary}--\r\n` }: Form): Uint8Array {
  const parts = fields.map(
    ([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  const head = `--${boundary}\r\nContent-Disposition: form-data; name=""; filename="blob"\r\nContent-Type: a/b\r\n\r\n`;
  return Buffer.concat([Buffer.from(parts.join("") + head), file, Buffer.from(tail)]);
}

/** The same bytes in pieces of these lengths, over and over. */
async function* cut(bytes: Uint8Array, lengths: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let start = 0, turn = 0; start < bytes.byteLength; turn++) {
    const end = start + (lengths[turn % lengths.length] ?? 1);
    yield bytes.subarray(start, end);
    start = end;
  }
}

async function readAll(chunks: AsyncIterable<Uint8Array>, type = contentType) {
  const { fields, file } = await openMultipart(chunks, type);
  const pieces: Uint8Array[] = [];
  for await (const piece of file?.chunks ?? []) pieces.push(Buffer.from(piece));
  return { fields: [...fields], mimeType: file?.mimeType, file: new Uint8Array(Buffer.concat(pieces)) };
}

// Bytes that look like the beginning of a boundary are what a reader gets wrong.
const tricky = fc
  .array(
    fc.oneof(
      fc.constantFrom("\r", "\n", "\r\n", "\r\n-", "\r\n--", "\r\n------edg", "--", "----edge", "\r\n\r\n"),
      fc.string({ unit: "binary", maxLength: 5 }),
    ),
    { maxLength: 30 },
  )
  .map((pieces) => pieces.join(""))
  .filter((text) => !text.includes(`--${boundary}`));

test("a form reads the same, however it is cut into pieces", async () => {
  const lengths = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(tricky, tricky, lengths, async (field, content, cuts) => {
      const file = new TextEncoder().encode(content);
      const form = write({ fields: [["metadata", field]], file });
      const found = await readAll(cut(form, cuts));
      const sent = Buffer.from(field).toString();
      expect(found).toEqual({ fields: [["metadata", sent]], mimeType: "a/b", file });
    }),
  );
});

test("a form that ends before its last boundary is refused, wherever it ends", async () => {
  const form = write({ fields: [["cacheControl", "3600"]], file: Buffer.from("hello") });
  const whole = form.byteLength - "--\r\n".length;
  for (let length = 0; length < whole; length++) {
    await expect(readAll(cut(form.subarray(0, length), [7]))).rejects.toThrow("without its last boundary");
  }
  expect((await readAll(cut(form.subarray(0, whole), [7]))).file).toEqual(
    new Uint8Array(Buffer.from("hello")),
  );
});

test("the first of two files is the file, and what stands behind it is not read", async () => {
  const second = `\r\n--${boundary}\r\nContent-Disposition: form-data; name="x"; filename="y"\r\n\r\nsecond`;
  const form = write({ fields: [], file: Buffer.from("first"), tail: second });
  expect(Buffer.from((await readAll(cut(form, [1000]))).file).toString()).toBe("first");
});

test("a form without a file has none", async () => {
  const text = `--${boundary}\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--${boundary}--\r\n`;
  const { fields, file } = await openMultipart(cut(Buffer.from(text), [9]), contentType);
  expect([...fields]).toEqual([["a", "1"]]);
  expect(file).toBeUndefined();
});

test.each([
  ["no boundary", "multipart/form-data", "x"],
  ["a part without a name", contentType, `--${boundary}\r\nContent-Type: a/b\r\n\r\nx\r\n--${boundary}--`],
  ["headers without end", contentType, `--${boundary}\r\nContent-Disposition: ${"x".repeat(40_000)}`],
  ["a preamble without end", contentType, "x".repeat(40_000)],
])("a form with %s is refused", async (_what, type, body) => {
  await expect(readAll(cut(Buffer.from(body), [5000]), type)).rejects.toThrow();
});

test("a form with too long a field, or too many, is refused before it is held", async () => {
  const long = write({ fields: [["metadata", "x".repeat(2 * 1024 * 1024)]], file: Buffer.from("") });
  await expect(readAll(cut(long, [65_536]))).rejects.toThrow("too long");
  const fields = Array.from({ length: 30 }, (_, index) => [`f${index}`, "1"] as const);
  await expect(readAll(cut(write({ fields, file: Buffer.from("") }), [500]))).rejects.toThrow(
    "at most 20 fields",
  );
});
