import { SeededRandom } from "./random.ts";
import { commonWords } from "./words.ts";

/**
 * A tokenizer.json as CLIP has it: text in NFC and lower case, cut into words, each word's bytes as letters with
 * `</w>` behind the last one, and pairs merged in the order of a list. The list makes the common words whole and is
 * then filled with pairs by chance, so that it has the size of a trained one.
 */
export interface BytePairVocabulary {
  readonly vocab: Record<string, number>;
  readonly merges: readonly string[];
}

const start = "<|startoftext|>";
const end = "<|endoftext|>";
const wordEnd = "</w>";

export function buildClipTokenizer(size: number, seed: number): object {
  const { vocab, merges } = buildBytePairs(size - 2, seed);
  const specials = [start, end].map((content, index) => ({ id: size - 2 + index, content }));
  const special = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: specials.map((token) => ({ ...token, ...special })),
    normalizer: {
      type: "Sequence",
      normalizers: [
        { type: "NFC" },
        { type: "Replace", pattern: { Regex: "\\s+" }, content: " " },
        { type: "Lowercase" },
      ],
    },
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        { type: "Split", pattern: { Regex: wordPattern }, behavior: "Removed", invert: true },
        { type: "ByteLevel", add_prefix_space: false, trim_offsets: true },
      ],
    },
    post_processor: {
      type: "RobertaProcessing",
      sep: [end, size - 1],
      cls: [start, size - 2],
      trim_offsets: false,
      add_prefix_space: false,
    },
    decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: end,
      continuing_subword_prefix: "",
      end_of_word_suffix: wordEnd,
      fuse_unk: false,
      vocab: { ...vocab, [start]: size - 2, [end]: size - 1 },
      merges,
    },
  };
}

const wordPattern =
  "<\\|startoftext\\|>|<\\|endoftext\\|>|'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+";

export function buildBytePairs(size: number, seed: number): BytePairVocabulary {
  const letters = [...byteLetters().values()];
  const tokens = [...letters, ...letters.map((letter) => letter + wordEnd)];
  if (size < tokens.length) throw new RangeError(`a vocabulary of ${size} has no room for all bytes`);
  const known = new Set(tokens);
  const merges: string[] = [];
  const merge = (left: string, right: string) => {
    if (known.size >= size || known.has(left + right)) return;
    known.add(left + right);
    tokens.push(left + right);
    merges.push(`${left} ${right}`);
  };
  for (const word of commonWords) mergeWord(word, merge);
  const random = new SeededRandom(seed);
  const pick = () => tokens[random.below(tokens.length)] ?? "";
  while (known.size < size) {
    const [left, right] = [pick(), pick()];
    if (!left.endsWith(wordEnd) && left.length + right.length < 24) merge(left, right);
  }
  return { vocab: Object.fromEntries(tokens.map((token, id) => [token, id])), merges };
}

function mergeWord(word: string, merge: (left: string, right: string) => void): void {
  let left = word[0] ?? "";
  for (let i = 1; i < word.length; i++) {
    const right = (word[i] ?? "") + (i === word.length - 1 ? wordEnd : "");
    merge(left, right);
    left += right;
  }
}

/** Every byte as a letter that can be seen: GPT-2's table, in the order in which its vocabulary has them. */
export function byteLetters(): Map<number, string> {
  const isSeen = (byte: number) => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  const bytes = Array.from({ length: 256 }, (_, byte) => byte);
  const hidden = bytes.filter((byte) => !isSeen(byte));
  return new Map([
    ...bytes.filter(isSeen).map((byte) => [byte, String.fromCharCode(byte)] as const),
    ...hidden.map((byte, index) => [byte, String.fromCharCode(256 + index)] as const),
  ]);
}
