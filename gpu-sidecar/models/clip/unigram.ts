import { SeededRandom } from "./random.ts";
import { commonWords } from "./words.ts";

/**
 * A tokenizer.json as SigLIP has it: lower case, no punctuation, single spaces, then the most likely way to lay the
 * text out of pieces (SentencePiece's unigram model). A space is written "▁" and belongs to the word behind it.
 */
export function buildSiglipTokenizer(size: number, seed: number): object {
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: ["<pad>", "</s>", "<unk>"].map((content, id) => ({ id, content, ...flags })),
    normalizer: {
      type: "Sequence",
      normalizers: [
        { type: "Lowercase" },
        { type: "Replace", pattern: { Regex: punctuation }, content: "" },
        { type: "Replace", pattern: { Regex: "\\s+" }, content: " " },
        { type: "Strip", strip_left: true, strip_right: true },
      ],
    },
    pre_tokenizer: { type: "Metaspace", replacement: "▁", prepend_scheme: "always", split: true },
    post_processor: {
      type: "TemplateProcessing",
      single: [{ Sequence: { id: "A", type_id: 0 } }, { SpecialToken: { id: "</s>", type_id: 0 } }],
      pair: [
        { Sequence: { id: "A", type_id: 0 } },
        { SpecialToken: { id: "</s>", type_id: 0 } },
        { Sequence: { id: "B", type_id: 0 } },
        { SpecialToken: { id: "</s>", type_id: 0 } },
      ],
      special_tokens: { "</s>": { id: "</s>", ids: [1], tokens: ["</s>"] } },
    },
    decoder: { type: "Metaspace", replacement: "▁", prepend_scheme: "always", split: true },
    model: { type: "Unigram", unk_id: 2, byte_fallback: false, vocab: buildPieces(size, seed) },
  };
}

const punctuation = "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~]";
const letters = "abcdefghijklmnopqrstuvwxyz0123456789äöüéèàñçøå";

/** Each piece with the logarithm of its share, common ones first. */
function buildPieces(size: number, seed: number): [string, number][] {
  const pieces = new Map<string, number>([
    ["<pad>", 0],
    ["</s>", 0],
    ["<unk>", 0],
    ["▁", -3],
  ]);
  const add = (piece: string) => {
    if (!pieces.has(piece) && pieces.size < size) pieces.set(piece, -4 - Math.log(pieces.size));
  };
  for (const word of commonWords) add(`▁${word}`);
  for (const letter of letters) pieces.set(letter, -12);
  const random = new SeededRandom(seed);
  while (pieces.size < size) {
    const length = 2 + random.below(5);
    const piece = Array.from({ length }, () => letters[random.below(letters.length)]).join("");
    add(random.below(2) === 0 ? `▁${piece}` : piece);
  }
  return [...pieces];
}
