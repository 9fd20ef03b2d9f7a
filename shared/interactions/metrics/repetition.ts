import type { TextMetric } from "./metric.ts";

const length = 4;

export const repetition: TextMetric = {
  name: "repetition",
  of: "text",
  numbers: { input: 11, output: 12 },
  unit: "share",
  meaning:
    "Of all rows of four words those that were there before (seq-rep-4, Welleck et al. 2020). Of texts of twelve words and more.",
  version: 1,
  measure: ({ words }) => {
    if (words.length < 12) return undefined;
    const seen = new Set<string>();
    const rows = words.length - length + 1;
    for (let index = 0; index < rows; index++) {
      seen.add(`${words[index]} ${words[index + 1]} ${words[index + 2]} ${words[index + 3]}`);
    }
    return 1 - seen.size / rows;
  },
};
