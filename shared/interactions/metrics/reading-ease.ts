import type { TextMetric } from "./metric.ts";

/** Rows of vowels, without an e that is not spoken: right for about nine of ten English words. */
function countSyllables(word: string): number {
  const spoken = word.replace(/(?:[^laeiouy]es|[^laeiouy]ed|[^laeiouy]e)$/, "").replace(/^y/, "");
  return Math.max(1, spoken.match(/[aeiouyàâäéèêëîïôöùûü]+/g)?.length ?? 0);
}

export const readingEase: TextMetric = {
  name: "reading-ease",
  of: "text",
  numbers: { input: 7, output: 8 },
  unit: "points",
  meaning:
    "Flesch 1948, made for English: about 100 is very easy, 0 very hard, and it may go beyond both. Of texts of ten Latin words and more.",
  version: 1,
  measure: (text) => {
    const latin = text.words.filter((word) => /^\p{Script=Latin}/u.test(word));
    if (latin.length < 10 || latin.length < text.words.length / 2) return undefined;
    const syllables = latin.reduce((sum, word) => sum + countSyllables(word), 0);
    return 206.835 - (1.015 * latin.length) / text.sentenceCount - (84.6 * syllables) / latin.length;
  },
};
