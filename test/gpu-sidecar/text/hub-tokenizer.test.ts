import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  bestScore,
  clipDefinition,
  clipSize,
  normaliseLikeSiglip,
  openTokenizer,
  pieces,
  siglipDefinition,
  tokenizeLikeClip,
} from "./definitions.ts";

const nasty = [
  "",
  " ",
  "\t\n\r\v\f \u0085\u00a0\u2003\u3000",
  "A photo of a dog",
  "A PHOTO OF A DOG!!!",
  "it's they're we've I'm you'll he'd 's 't",
  "IT'S 'S",
  "12345 ١٢٣ ²³ ⅷ",
  "e\u0301 é ﬁ Å\u0301\u0323",
  "İstanbul ΟΔΟΣ ΟΔΟΣ. Straße ẞ ǅ",
  "日本語の写真 한국어 ไทย हिन्दी",
  "שלום עולם مرحبا \u202eabc\u202c",
  "👍🏽 👩‍👩‍👧‍👦 🇩🇪 🏳️‍🌈 ☺️",
  "a\u200db\u200cc\ufeffd\u00ade",
  "!\ufeff!\u0085!",
  "\0\u0001\u001f\u007f\u0080\u009f",
  "lone \ud800 and \udc00 and \udc00\ud800 end",
  "<|endoftext|>",
  "a<|endoftext|>b <|STARTOFTEXT|> <|startoftext|>",
  "</w> a</w> Ġa ▁a",
  "<html>&amp;&lt;b&gt;</html>",
  "__proto__ constructor toString hasOwnProperty",
  "...---...___***$$$###",
  "\ufffd\uffff\u{10ffff}\u{e0001}",
  "%s %d \\n \\u0041 $(x) `y`",
];

/** Every code unit, so also halves of letters. */
const anyText = fc.string({
  unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
});
const likelyText = fc.string({
  unit: fc.constantFrom(..."aeothdgpnsr ABÉé1'!?.,-\t\u00a0中👍", "the", "dog", " a ", "<|endoftext|>"),
  maxLength: 60,
});

describe("CLIP's tokenizer", () => {
  const plenty = openTokenizer(clipDefinition, 50_000);
  const [start, end] = [clipSize - 2, clipSize - 1];

  test.each(nasty)("cuts %j as its definition says", (text) => {
    expect(plenty.tokenize(text).ids).toEqual([start, ...tokenizeLikeClip(text), end]);
  });

  test("cuts any text as its definition says", () => {
    fc.assert(
      fc.property(fc.oneof(anyText, likelyText, fc.string({ unit: "grapheme" })), (text) => {
        expect(plenty.tokenize(text).ids).toEqual([start, ...tokenizeLikeClip(text), end]);
      }),
      { numRuns: 600 },
    );
  });

  test("cuts 10,000 letters without a space", () => {
    const text = "photograph".repeat(1_000);
    expect(plenty.tokenize(text).ids).toEqual([start, ...tokenizeLikeClip(text), end]);
  });

  test("keeps the end of a text last when it cuts it off, and never has more tokens than the model reads", () => {
    const short = openTokenizer(clipDefinition, 77);
    fc.assert(
      fc.property(fc.oneof(anyText, likelyText), fc.integer({ min: 1, max: 60 }), (text, times) => {
        const { ids } = short.tokenize(text.repeat(times));
        expect(ids.length).toBeLessThanOrEqual(77);
        expect([ids[0], ids.at(-1)]).toEqual([start, end]);
      }),
    );
    const { ids } = short.tokenize("dog ".repeat(1_000));
    expect(ids).toHaveLength(77);
    expect(ids.slice(0, -1)).toEqual(plenty.tokenize("dog ".repeat(1_000)).ids.slice(0, 76));
  });

  test("does not care how white space is written", () => {
    const written = "  a\u00a0photo \t of\u3000\u2028a\r\ndog ";
    expect(plenty.tokenize(written)).toEqual(plenty.tokenize("a photo of a dog"));
  });

  test.each([
    ["", 0],
    [" \u00a0\t", 0],
    ["<|endoftext|>", 0],
    ["<|startoftext|> <|endoftext|>", 0],
    ["!", 1],
    ["a dog", 2],
    ["\0", 1],
    ["<|endoftext|> dog", 1],
  ])("knows of %j this many tokens beside the special ones: %i", (text, known) => {
    expect(plenty.tokenize(text).knownWords).toBe(known);
  });

  test("knows something of any text that has a token of its own", () => {
    fc.assert(
      fc.property(fc.oneof(anyText, likelyText), (text) => {
        const own = tokenizeLikeClip(text).filter((id) => id < start);
        expect(plenty.tokenize(text).knownWords).toBe(own.length);
      }),
    );
  });

  test("refuses a text of more than 100,000 letters", () => {
    expect(() => plenty.tokenize("a".repeat(100_001))).toThrow("A text has at most 100,000 letters.");
  });
});

describe("SigLIP's tokenizer", () => {
  const plenty = openTokenizer(siglipDefinition, 50_000);
  const [end, unknown] = [1, 2];
  const unknownScore = Math.min(...pieces.map(([, score]) => score)) - 10;
  const known = new Set(pieces.flatMap(([piece]) => [...piece]));

  test.each(nasty)("lays %j out in the likeliest way", (text) => {
    const wanted = normaliseLikeSiglip(text);
    const { ids } = plenty.tokenize(text);
    expect(ids.at(-1)).toBe(end);
    const body = ids.slice(0, -1);
    // What is unknown in a row becomes one token, so it is laid out one letter at a time here.
    const spelled = body.map((id) => (id === unknown ? "?" : (pieces[id]?.[0] ?? ""))).join("");
    const expected = [...wanted].map((letter) => (known.has(letter) ? letter : "?")).join("");
    expect(spelled).toBe(expected.replace(/\?+/g, "?"));
  });

  test("finds the best score there is for any text of known letters", () => {
    const letters = [..."aeiotdghnrs ▁ABCé01-!"];
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...letters, "the", " dog", "photo"), maxLength: 80 }),
        (text) => {
          const wanted = normaliseLikeSiglip(text);
          const ids = plenty.tokenize(text).ids.slice(0, -1);
          const score = ids.reduce(
            (sum, id) => sum + (id === unknown ? unknownScore : (pieces[id]?.[1] ?? 0)),
            0,
          );
          expect(score).toBeCloseTo(bestScore(wanted), 9);
          expect(ids.map((id) => pieces[id]?.[0]).join("")).toBe(wanted);
        },
      ),
      { numRuns: 500 },
    );
  });

  test("makes small letters of large ones and leaves punctuation out", () => {
    expect(plenty.tokenize("A Photo, of: a (DOG)!")).toEqual(plenty.tokenize("a photo of a dog"));
  });

  test.each([
    ["", 0],
    ["  ", 0],
    ["?!...", 0],
    ["🦄", 0],
    ["🦄 🦄", 0],
    ["a dog", 2],
    ["a 🦄", 1],
  ])("knows of %j this many pieces: %i", (text, count) => {
    expect(plenty.tokenize(text).knownWords).toBe(count);
  });

  test("keeps the end of a text last when it cuts it off", () => {
    const { ids } = openTokenizer(siglipDefinition, 64).tokenize("dog ".repeat(500));
    expect(ids).toHaveLength(64);
    expect(ids.at(-1)).toBe(end);
  });

  test("lays out 10,000 letters without a space", () => {
    const { ids } = plenty.tokenize("dogs".repeat(2_500));
    expect(ids.map((id) => pieces[id]?.[0]).join("")).toBe(`▁${"dogs".repeat(2_500)}</s>`);
  });
});

test("a tokenizer without a splitter, with a small letter for a large one and bytes for what it does not have", () => {
  const bytes = Array.from(
    { length: 256 },
    (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`,
  );
  const tokens = ["<pad>", "<eos>", "<unk>", "▁", "a", "▁a", ...bytes];
  const special = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  // SigLIP 2 has Gemma's: spaces become a letter, so the splitter has nothing to split at.
  const gemma = openTokenizer(
    {
      version: "1.0",
      truncation: null,
      padding: null,
      added_tokens: ["<pad>", "<eos>", "<unk>"].map((content, id) => ({ id, content, ...special })),
      normalizer: { type: "Replace", pattern: { String: " " }, content: "▁" },
      pre_tokenizer: {
        type: "Split",
        pattern: { String: " " },
        behavior: "MergedWithPrevious",
        invert: false,
      },
      post_processor: {
        type: "TemplateProcessing",
        single: [{ Sequence: { id: "A", type_id: 0 } }, { SpecialToken: { id: "<eos>", type_id: 0 } }],
        pair: [],
        special_tokens: { "<eos>": { id: "<eos>", ids: [1], tokens: ["<eos>"] } },
      },
      decoder: null,
      model: {
        type: "BPE",
        dropout: null,
        unk_token: "<unk>",
        continuing_subword_prefix: null,
        end_of_word_suffix: null,
        fuse_unk: true,
        byte_fallback: true,
        ignore_merges: false,
        vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
        merges: [["▁", "a"]],
      },
    },
    64,
  );
  expect(gemma.tokenize("a a").ids).toEqual([4, 5, 1]);
  expect(gemma.tokenize("é").ids).toEqual([6 + 0xc3, 6 + 0xa9, 1]);
});
