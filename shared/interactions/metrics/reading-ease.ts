import type { TextMetric } from "./metric.ts";

/** Of the units up to 0xff: vowels, and before which of them an e at the end is spoken. */
const isVowel = Uint8Array.from({ length: 256 }, (_, unit) =>
  /[aeiouyàâäéèêëîïôöùûü]/.test(String.fromCharCode(unit)) ? 1 : 0,
);
const speaksLastE = Uint8Array.from({ length: 256 }, (_, unit) =>
  /[laeiouy]/.test(String.fromCharCode(unit)) ? 1 : 0,
);
const [d, e, s, y] = [0x64, 0x65, 0x73, 0x79];

/** Where what is spoken ends: without -es, -ed and -e, unless a vowel or an l stands before them. */
function findSpokenEnd(word: string): number {
  const { length } = word;
  const last = word.charCodeAt(length - 1);
  const cut = last === e ? 1 : (last === s || last === d) && word.charCodeAt(length - 2) === e ? 2 : 0;
  if (cut === 0 || length <= cut) return length;
  // What stands before them goes too, as it is no vowel.
  return speaksLastE[word.charCodeAt(length - cut - 1)] === 1 ? length : length - cut - 1;
}

/** Rows of vowels, without an e that is not spoken: right for about nine of ten English words. */
function countSyllables(word: string): number {
  const end = findSpokenEnd(word);
  let count = 0;
  let isInVowels = false;
  for (let index = word.charCodeAt(0) === y ? 1 : 0; index < end; index++) {
    const isOne = isVowel[word.charCodeAt(index)] === 1;
    if (isOne && !isInVowels) count += 1;
    isInVowels = isOne;
  }
  return Math.max(1, count);
}

const isLatin = (word: string): boolean => {
  const unit = word.charCodeAt(0);
  return unit < 0x80 ? unit >= 0x61 && unit <= 0x7a : /^\p{Script=Latin}/u.test(word);
};

export const readingEase: TextMetric = {
  name: "reading-ease",
  of: "text",
  numbers: { input: 7, output: 8 },
  unit: "points",
  meaning:
    "Flesch 1948, made for English: about 100 is very easy, 0 very hard, and it may go beyond both. Of texts of ten Latin words and more.",
  version: 1,
  measure: ({ words, sentenceCount }) => {
    let [latin, syllables] = [0, 0];
    for (let index = 0; index < words.length; index++) {
      const word = words[index] as string;
      if (!isLatin(word)) continue;
      latin += 1;
      syllables += countSyllables(word);
    }
    if (latin < 10 || latin < words.length / 2) return undefined;
    return 206.835 - (1.015 * latin) / sentenceCount - (84.6 * syllables) / latin;
  },
};
