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
    const [asked, said] = [input.wordNumbers, output.wordNumbers];
    if (said.size === 0 || asked.size === 0) return undefined;
    const [fewer, more] = asked.size < said.size ? [asked, said] : [said, asked];
    let both = 0;
    for (const word of fewer.keys()) if (more.has(word)) both += 1;
    return both / said.size;
  },
};
