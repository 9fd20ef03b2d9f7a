import type { PairMetric } from "./metric.ts";

export const wordOverlap: PairMetric = {
  name: "word-overlap",
  of: "pair",
  number: 25,
  unit: "share",
  meaning:
    "Of the different words of the output those that are in the input: near 1 it repeats what it was asked.",
  version: 1,
  measure: ({ input, output }) => {
    const said = new Set(output.words);
    if (said.size === 0 || input.words.length === 0) return undefined;
    const asked = new Set(input.words);
    let both = 0;
    for (const word of said) if (asked.has(word)) both += 1;
    return both / said.size;
  },
};
