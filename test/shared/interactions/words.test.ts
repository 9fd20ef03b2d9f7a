import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MeasuredText } from "../../../shared/interactions/metrics/text.ts";
import { findTerms, hashWords, holdsTerms, termsMax } from "../../../shared/interactions/words.ts";

const hashesOf = (text: string) => hashWords(new MeasuredText(text).words);
const holds = (text: string, query: string) => holdsTerms(text, findTerms(query));

describe("the words of a search", () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ["", []],
    ["!?… %", []],
    ["Refund REFUND refund", ["refund"]],
    ["gpt-4o can't", ["gpt-4o", "can't"]],
    ["can’t", ["can't"]],
    ["a_b -x- 'quoted'", ["a_b", "x", "quoted"]],
    ["漢字 GPT漢字です", ["漢字", "gpt", "漢字です"]],
    ["Straße ÉTÉ e\u0301te\u0301", ["straße", "été"]],
    ["x² 5½", ["x", "5"]],
    ["%_\\ .* [a", ["a"]],
    ["one\u0000two", ["one", "two"]],
  ];
  test.each(cases)("%j are %j", (query, terms) => {
    expect(findTerms(query)).toEqual(terms);
  });

  test("are ten at most", () => {
    expect(findTerms("a b c d e f g h i j k l")).toHaveLength(termsMax);
  });
});

describe("a text", () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ["My refund, please.", "refund", true],
    ["My refund, please.", "REFUND my", true],
    ["My refunds, please.", "refund", false],
    ["prerefund", "refund", false],
    ["refund", "refund invoice", false],
    ["Use gpt-4o here", "gpt-4o", true],
    ["Use gpt-4o here", "gpt", true],
    ["Use gpt-4 o here", "gpt-4o", false],
    ["4o before gpt", "gpt-4o", false],
    ["I can’t", "can't", true],
    ["caf\u00e9", "cafe\u0301", true],
    ["cafe\u0301", "caf\u00e9", true],
    ["cafe\u0301", "cafe", false],
    ["これは漢字です。", "漢字", true],
    ["これは漢字です。", "字漢", false],
    ["GPTは漢字", "gpt", true],
    ["ภาษาไทยง่าย", "ไทย", true],
    ["100% of it", "100", true],
    ["see example.com", "example", true],
    ["see example.com 漢", "example com", true],
    ["İSTANBUL", "İstanbul", true],
    ["ΟΔΟΣ", "οδος", true],
    ["𠮷野家", "𠮷", true],
    ["word😀word", "word", true],
    ["𝐀bold", "bold", false],
  ];
  test.each(cases)("%j holds %j: %s", (text, query, expected) => {
    expect(holds(text, query)).toBe(expected);
  });

  /** Pieces that meet each other in ways that words do. */
  const piece = fc.oneof(
    fc.constantFrom(
      "a",
      "ab",
      "ABC",
      "gpt",
      "4o",
      "-",
      "_",
      "'",
      "’",
      " ",
      ".",
      "é",
      "e\u0301",
      "漢",
      "字",
      "です",
      "カナ",
      "ไทย",
    ),
    fc.constantFrom(
      "ß",
      "İ",
      "Σ",
      "²",
      "½",
      "𠮷",
      "😀",
      "\u1112\u1161\u11ab",
      "한",
      "\u0301",
      "𝐀",
      "\n",
      "ー",
      "々",
      "ﬁ",
      "Å",
    ),
    fc.string({ unit: "grapheme", maxLength: 3 }),
    fc.string({ unit: "binary", maxLength: 2 }),
  );
  const anyText = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(""));

  test("that holds the terms has their hashes", () => {
    fc.assert(
      fc.property(anyText, anyText, fc.nat(), fc.nat(), (before, middle, from, length) => {
        const text = before + middle;
        const start = text.length === 0 ? 0 : from % text.length;
        const query = text.slice(start, start + 1 + (length % 12));
        for (const asked of [query, middle, before]) {
          if (!holds(text, asked)) continue;
          const hashes = new Set(hashesOf(text));
          expect(hashWords(findTerms(asked)).filter((hash) => !hashes.has(hash))).toEqual([]);
        }
      }),
      { numRuns: 5000 },
    );
  });

  test("of words and spaces holds each of its words, in any case", () => {
    const word = fc.stringMatching(/^[a-zäöüéñß0-9]{1,8}$/);
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 8 }), fc.nat(), (words, index) => {
        const chosen = words[index % words.length] ?? "";
        expect(holds(`“${words.join(", ")}”`, chosen)).toBe(true);
        expect(holds(words.join("\n"), chosen.normalize("NFD"))).toBe(true);
      }),
    );
  });

  test("in a script without spaces holds each part of itself", () => {
    const run = fc.string({
      unit: fc.constantFrom("漢", "字", "日", "本", "ひ", "カ", "ไ", "ท"),
      minLength: 1,
      maxLength: 10,
    });
    fc.assert(
      fc.property(run, run, run, (before, part, after) => {
        expect(holds(`${before}${part}${after}`, part)).toBe(true);
      }),
    );
  });
});

describe("hashes", () => {
  test("are distinct int4 in ascending order, whatever the order of the words", () => {
    const words = Array.from({ length: 5000 }, (_, index) => `word${index}`);
    const hashes = hashWords(words);
    expect(hashes).toEqual([...new Set(hashes)].sort((one, other) => one - other));
    expect(hashes).toHaveLength(words.length);
    expect(hashWords([...words, ...words].reverse())).toEqual(hashes);
    expect(hashes.every((hash) => Number.isInteger(hash) && Math.abs(hash) <= 2 ** 31)).toBe(true);
  });

  test("of a word are always the same", () => {
    expect(hashWords(["refund"])).toEqual([-1958771888]);
    expect(hashWords(["über"])).toEqual(hashWords(["u\u0308ber"]));
    expect(hashWords(["gpt-4o"])).toEqual(hashWords(["4o", "gpt"]));
    expect(hashWords(["漢字"])).toEqual(hashWords(["字", "漢"]));
  });
});
