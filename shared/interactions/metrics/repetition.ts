import { countDifferentRowsOfFour } from "./different-rows.ts";
import type { TextMetric } from "./metric.ts";

export const repetition: TextMetric = {
  name: "repetition",
  of: "text",
  numbers: { input: 11, output: 12 },
  unit: "share",
  meaning:
    "Of all rows of four words those that were there before (seq-rep-4, Welleck et al. 2020). Of texts of twelve words and more.",
  version: 1,
  measure: ({ wordRow }) =>
    wordRow.length < 12 ? undefined : 1 - countDifferentRowsOfFour(wordRow) / (wordRow.length - 3),
};
