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
  measure: ({ wordRow, wordNumbers }) => {
    if (wordRow.length < 10) return undefined;
    const size = Math.min(window, wordRow.length);
    const counts = new Int32Array(wordNumbers.size);
    let different = 0;
    let sum = 0;
    for (let index = 0; index < wordRow.length; index++) {
      const word = wordRow[index] as number;
      if ((counts[word] as number) === 0) different += 1;
      counts[word] = (counts[word] as number) + 1;
      if (index >= size) {
        const leaving = wordRow[index - size] as number;
        counts[leaving] = (counts[leaving] as number) - 1;
        if (counts[leaving] === 0) different -= 1;
      }
      if (index >= size - 1) sum += different;
    }
    return sum / size / (wordRow.length - size + 1);
  },
};
