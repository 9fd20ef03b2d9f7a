import {
  type BytePairVocabulary,
  buildClipTokenizer,
  byteLetters,
} from "../../../gpu-sidecar/models/clip/bpe.ts";
import { buildSiglipTokenizer } from "../../../gpu-sidecar/models/clip/unigram.ts";
import { readTokenizerDefinition } from "../../../gpu-sidecar/text/definition.ts";
import { createHubTokenizer, type HubTokenizer } from "../../../gpu-sidecar/text/hub-tokenizer.ts";

/** Both kinds of tokenizers written down a second time, plainly, to hold the fast ones against. */
export const clipSize = 1_200;
export const clipDefinition = buildClipTokenizer(clipSize, 7);
export const siglipDefinition = buildSiglipTokenizer(900, 7);

export function openTokenizer(definition: object, tokensMax: number): HubTokenizer {
  return createHubTokenizer(readTokenizerDefinition(structuredClone(definition)), tokensMax);
}

interface BytePairDefinition {
  readonly model: BytePairVocabulary;
}

/** CLIP's definition: normalise, cut into words, merge the pair that comes first in the list until none is left. */
export function tokenizeLikeClip(text: string): number[] {
  const { vocab, merges } = (clipDefinition as BytePairDefinition).model;
  const ranks = new Map(merges.map((merge, rank) => [merge, rank]));
  const letters = byteLetters();
  const ids: number[] = [];
  for (const part of text.toWellFormed().split(/(<\|startoftext\|>|<\|endoftext\|>)/)) {
    if (/^<\|(start|end)oftext\|>$/.test(part)) {
      ids.push(vocab[part] ?? Number.NaN);
      continue;
    }
    for (const word of splitWords(part)) {
      const bytes = [...new TextEncoder().encode(word)].map((byte) => letters.get(byte) ?? "");
      bytes.push(`${bytes.pop()}</w>`);
      for (const token of mergePairs(bytes, ranks)) ids.push(vocab[token] ?? Number.NaN);
    }
  }
  return ids;
}

const wordPattern =
  /<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\p{White_Space}\p{L}\p{N}]+/gu;

function splitWords(text: string): string[] {
  const plain = text.normalize("NFC").replace(/\p{White_Space}+/gu, " ");
  const small = Array.from(plain, (letter) => letter.toLowerCase()).join("");
  return (small.match(wordPattern) ?? []).flatMap((word) => word.match(innerPattern) ?? []);
}

/** The splitting into bytes has GPT-2's pattern of its own; it takes apart what looks like a special token. */
const innerPattern = /'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}+|[^\p{White_Space}\p{L}\p{N}]+/gu;

function mergePairs(letters: readonly string[], ranks: ReadonlyMap<string, number>): string[] {
  let word = [...letters];
  for (;;) {
    let best: string | undefined;
    for (let i = 0; i + 1 < word.length; i++) {
      const pair = `${word[i]} ${word[i + 1]}`;
      const rank = ranks.get(pair);
      if (rank !== undefined && rank < (ranks.get(best ?? "") ?? Number.POSITIVE_INFINITY)) best = pair;
    }
    if (best === undefined) return word;
    const merged: string[] = [];
    for (let i = 0; i < word.length; i++) {
      if (`${word[i]} ${word[i + 1]}` === best) {
        merged.push(`${word[i]}${word[i + 1]}`);
        i++;
      } else merged.push(word[i] ?? "");
    }
    word = merged;
  }
}

interface UnigramDefinition {
  readonly model: { readonly vocab: readonly [string, number][] };
}

export const pieces: readonly [string, number][] = (siglipDefinition as UnigramDefinition).model.vocab;

/** SigLIP's normalisation, with "▁" where a word begins. */
export function normaliseLikeSiglip(text: string): string {
  const small = Array.from(text.toWellFormed(), (letter) => letter.toLowerCase()).join("");
  const bare = small.replace(/[!"#$%&'()*+,\-./:;<=>?@[\\\]^_`{|}~]/g, "").replace(/\p{White_Space}+/gu, " ");
  const stripped = bare.replace(/^ | $/g, "");
  const marked = stripped.replaceAll(" ", "▁");
  return marked === "" || marked.startsWith("▁") ? marked : `▁${marked}`;
}

/** The score of the best way to lay `text` out of pieces; what no piece has costs 10 more than the worst. */
export function bestScore(text: string): number {
  const letters = [...text];
  const scores = new Map(pieces);
  const unknown = Math.min(...scores.values()) - 10;
  const best = [0, ...letters.map(() => Number.NEGATIVE_INFINITY)];
  for (let start = 0; start < letters.length; start++) {
    for (let end = start + 1; end <= Math.min(letters.length, start + 16); end++) {
      const score =
        scores.get(letters.slice(start, end).join("")) ?? (end === start + 1 ? unknown : undefined);
      if (score !== undefined) best[end] = Math.max(best[end] ?? 0, (best[start] ?? 0) + score);
    }
  }
  return best.at(-1) ?? 0;
}
