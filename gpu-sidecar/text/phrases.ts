/**
 * Splits a text into phrases of a fixed vocabulary, longest first: "black and white" is one phrase, "pale green" is
 * another than "green". What the vocabulary does not have is passed over.
 */
export interface PhraseVocabulary {
  /** Phrases in lower case, words apart by one space, each with its token; 0 is kept for padding. */
  readonly phrases: ReadonlyMap<string, number>;
  /** Words that are passed over even between the words of a phrase. */
  readonly fillers: ReadonlySet<string>;
}

export interface PhraseTokens {
  readonly ids: readonly number[];
  /** How many words of the text the vocabulary has; 0 means that it knows nothing of what was asked. */
  readonly knownWords: number;
}

export type PhraseTokenizer = (text: string) => PhraseTokens;

export function createPhraseTokenizer(vocabulary: PhraseVocabulary): PhraseTokenizer {
  const words = new Set([...vocabulary.phrases.keys()].flatMap((phrase) => phrase.split(" ")));
  const wordsMax = Math.max(1, ...[...vocabulary.phrases.keys()].map((phrase) => phrase.split(" ").length));
  return (text) => {
    const ids: number[] = [];
    let knownWords = 0;
    for (const part of splitParts(text)) {
      const kept = part.map((word) => baseForm(word, words)).filter((word) => !vocabulary.fillers.has(word));
      for (const { id, length } of matchPhrases(kept, vocabulary.phrases, wordsMax)) {
        ids.push(id);
        knownWords += length;
      }
    }
    return { ids, knownWords };
  };
}

/** Punctuation ends a phrase; a hyphen does not. Accents and case do not count. */
export function splitParts(text: string): string[][] {
  const plain = text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replaceAll("&", " and ");
  const parts = plain.replace(/['’]s\b/g, "").split(/[^\p{L}\p{N}\s\-_']+/u);
  return parts.map((part) => part.match(/[\p{L}\p{N}]+/gu) ?? []).filter((words) => words.length > 0);
}

function matchPhrases(
  words: readonly string[],
  phrases: ReadonlyMap<string, number>,
  wordsMax: number,
): { id: number; length: number }[] {
  const found: { id: number; length: number }[] = [];
  let start = 0;
  while (start < words.length) {
    let length = Math.min(wordsMax, words.length - start);
    let id: number | undefined;
    for (; length > 0; length--) {
      id = phrases.get(words.slice(start, start + length).join(" "));
      if (id !== undefined) break;
    }
    if (id !== undefined) found.push({ id, length });
    start += Math.max(1, length);
  }
  return found;
}

/** The form of a word that the vocabulary has: itself, or without an English ending ("reds", "reddish", "snowy"). */
export function baseForm(word: string, known: ReadonlySet<string>): string {
  if (known.has(word)) return word;
  for (const ending of endings) {
    if (!word.endsWith(ending)) continue;
    const stem = word.slice(0, -ending.length);
    if (stem.length < 2) continue;
    const undoubled = /(.)\1$/.test(stem) ? stem.slice(0, -1) : stem;
    const found = [stem, `${stem}e`, undoubled, `${stem}y`].find(
      (form) => form.length > 2 && known.has(form),
    );
    if (found) return found;
  }
  return word;
}

const endings = [
  "ishly",
  "iest",
  "ish",
  "ies",
  "ier",
  "est",
  "ing",
  "ed",
  "er",
  "es",
  "ly",
  "s",
  "y",
] as const;
