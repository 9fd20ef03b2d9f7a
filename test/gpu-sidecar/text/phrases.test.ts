import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { baseForm, createPhraseTokenizer } from "../../../gpu-sidecar/text/phrases.ts";

const phrases = new Map([
  ["red", 1],
  ["green", 2],
  ["pale green", 3],
  ["white", 4],
  ["black and white", 5],
  ["snow", 6],
  ["stripe", 7],
  ["purple", 8],
  ["sky", 9],
  ["fog", 10],
]);
const tokenize = createPhraseTokenizer({ phrases, fillers: new Set(["the", "very", "of"]) });

describe("a text becomes phrases", () => {
  test.each([
    ["pale green and white", [3, 4], 3],
    ["black and white", [5], 3],
    ["BLACK & White!", [5], 3],
    ["black-and-white stripes", [5, 7], 4],
    ["white and black", [4], 1],
    ["pale, green", [2], 1],
    ["pale very green", [3], 2],
    ["reds, reddish greens", [1, 1, 2], 3],
    ["a snowy, foggy sky's", [6, 10, 9], 3],
    ["skies striped purplish", [9, 7, 8], 3],
    ["rêd  GREEN", [1, 2], 2],
    ["the of", [], 0],
    ["", [], 0],
    ["zeppelin 🎈 ¿?", [], 0],
  ])("%s", (text, ids, knownWords) => {
    expect(tokenize(text)).toEqual({ ids, knownWords });
  });

  test("and no text at all can make it fail or loop", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
        const { ids, knownWords } = tokenize(text);
        expect(knownWords).toBeGreaterThanOrEqual(ids.length);
        for (const id of ids) expect([...phrases.values()]).toContain(id);
      }),
    );
  });
});

test("an ending is taken off only where a known word remains", () => {
  const known = new Set(["blue", "grey", "ice", "bus"]);
  expect(
    ["bluish", "bluest", "greys", "icy", "buses", "ish", "as", "blues"].map((word) => baseForm(word, known)),
  ).toEqual(["blue", "blue", "grey", "ice", "bus", "ish", "as", "blue"]);
});
