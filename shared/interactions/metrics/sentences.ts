import type { TextMetric } from "./metric.ts";

export const sentences: TextMetric = {
  name: "sentences",
  of: "text",
  numbers: { input: 5, output: 6 },
  unit: "sentences",
  meaning:
    "Ended by a full stop, an exclamation or question mark, or an empty line; abbreviations count as ends.",
  version: 1,
  measure: (text) => text.sentenceCount,
};
