import type { TextMetric } from "./metric.ts";

/** Where models begin to refuse, with straight apostrophes. English only. */
const phrases = [
  "i can't help with",
  "i cannot help with",
  "i can't assist",
  "i cannot assist",
  "i'm unable to",
  "i am unable to",
  "i'm not able to",
  "i am not able to",
  "i can't provide",
  "i cannot provide",
  "i can't comply",
  "i cannot comply",
  "i can't fulfill",
  "i cannot fulfill",
  "i can't do that",
  "i won't be able to",
  "i must decline",
  "i have to decline",
  "as an ai language model",
  "as a language model",
  "i'm sorry, but i can",
  "i am sorry, but i can",
  "i'm really sorry, but i can",
  "sorry, i can't",
  "it would be inappropriate",
  "against my guidelines",
  "violates my guidelines",
  "goes against my programming",
];

/** Each phrase has one of them: most texts have none, and are done with it. */
const hints = [
  "i can",
  "sorry",
  "able to",
  "decline",
  "language model",
  "inappropriate",
  "my guidelines",
  "my programming",
];

/** A refusal is said at once; a phrase far down is more likely quoted. */
const lookedAt = 400;

export const refusal: TextMetric = {
  name: "refusal",
  of: "text",
  numbers: { input: 21, output: 22 },
  unit: "flag",
  meaning:
    "Whether one of some 30 English phrases in which models refuse stands in the first 400 characters.",
  version: 1,
  measure: ({ lower, isAscii }) => {
    const head = lower.slice(0, lookedAt);
    const beginning = isAscii ? head : head.replaceAll("’", "'");
    if (!hints.some((hint) => beginning.includes(hint))) return 0;
    return phrases.some((phrase) => beginning.includes(phrase)) ? 1 : 0;
  },
};
