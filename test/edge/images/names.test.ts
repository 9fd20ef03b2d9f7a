import fc from "fast-check";
import { expect, test } from "vitest";
import { listCandidates, nameFromFile } from "../../../edge/images/names.ts";
import { normalizeQuery } from "../../../edge/images/query-vectors.ts";
import { ImageName } from "../../../shared/images/contract.ts";

test.each([
  ["sunset.jpg", "sunset.jpg"],
  ["C:\\fakepath\\sunset.jpg", "sunset.jpg"],
  ["/tmp/a/sunset.jpg", "sunset.jpg"],
  ["../../etc/passwd", "passwd"],
  ["..", "picture"],
  ["", "picture"],
  ["a/", "picture"],
  ["  \t\r\n ", "picture"],
  ["a\r\nSet-Cookie: b=c.jpg", "aSet-Cookie: b=c.jpg"],
  ["nul\0.jpg", "nul.jpg"],
  ["cafe\u0301.jpg", "caf\u00e9.jpg"],
  [`${"a".repeat(300)}.jpeg`, `${"a".repeat(195)}.jpeg`],
  ["b".repeat(300), "b".repeat(200)],
])("the file name %j becomes %j", (fileName, name) => {
  expect(nameFromFile(fileName)).toBe(name);
});

test("every file name becomes a name that may be given", () => {
  const anything = fc.oneof(
    fc.string({ unit: "binary", maxLength: 400 }),
    fc.string({ unit: "grapheme", maxLength: 400 }),
  );
  fc.assert(
    fc.property(anything, (fileName) => {
      const name = nameFromFile(fileName);
      expect(ImageName.parse(name)).toBe(name);
    }),
  );
});

test("candidates are numbered before the ending, begin with the name itself, and are all different", () => {
  const candidates = listCandidates("sea.tar.gz", "0190a000-0000-7000-8000-0123456789ab");
  expect(candidates.slice(0, 3)).toEqual(["sea.tar.gz", "sea.tar (2).gz", "sea.tar (3).gz"]);
  expect(candidates.at(-1)).toBe("sea.tar (0123456789ab).gz");
  expect(new Set(candidates).size).toBe(101);
});

test("every candidate of every name may be given", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", minLength: 1, maxLength: 250 }), (fileName) => {
      for (const candidate of listCandidates(nameFromFile(fileName), crypto.randomUUID()).slice(-2)) {
        expect(ImageName.safeParse(candidate).success).toBe(true);
      }
    }),
  );
});

test.each([
  ["  Dark   Red ", "dark red"],
  ["ｆｕｌｌ　ｗｉｄｔｈ", "full width"],
  ["a\0b\r\nc", "a b c"],
  ["\0", ""],
  ["ÄÖ", "äö"],
])("the query %j is asked as %j", (text, query) => {
  expect(normalizeQuery(text)).toBe(query);
});

test("a query that was normalized stays as it is", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 120 }), (text) => {
      const query = normalizeQuery(text);
      expect(normalizeQuery(query)).toBe(query);
    }),
  );
});
