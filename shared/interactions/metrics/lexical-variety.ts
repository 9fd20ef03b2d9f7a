import type { TextMetric } from "./metric.ts";

const window = 50;

export const lexicalVariety: TextMetric = {
  name: "lexical-variety",
  of: "text",
  numbers: { input: 9, output: 10 },
  unit: "share",
  meaning:
    "Different words among 50 in a row, on average (MATTR, Covington and McFall 2010): unlike a plain share it does not fall with the length. Of texts of ten words and more.",
  version: 1,
  measure: ({ words }) => {
    if (words.length < 10) return undefined;
    const size = Math.min(window, words.length);
    const counts = new Map<string, number>();
    let sum = 0;
    for (const [index, word] of words.entries()) {
      counts.set(word, (counts.get(word) ?? 0) + 1);
      const leaving = words[index - size];
      if (leaving !== undefined) {
        const left = (counts.get(leaving) ?? 0) - 1;
        if (left === 0) counts.delete(leaving);
        else counts.set(leaving, left);
      }
      if (index >= size - 1) sum += counts.size / size;
    }
    return sum / (words.length - size + 1);
  },
};
