import type { TextMetric } from "./metric.ts";

export const words: TextMetric = {
  name: "words",
  of: "text",
  numbers: { input: 3, output: 4 },
  unit: "words",
  meaning: "Rows of letters and digits; by the dictionary of ICU in scripts that put no space between words.",
  version: 1,
  measure: (text) => text.words.length,
};
