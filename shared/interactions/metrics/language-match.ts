import type { PairMetric } from "./metric.ts";

export const languageMatch: PairMetric = {
  name: "language-match",
  of: "pair",
  number: 33,
  unit: "flag",
  meaning:
    "Whether input and output are in the same language, where both are clear; a question to translate is answered in another one rightly.",
  version: 1,
  measure: ({ input, output }) => {
    if (input.language === undefined || output.language === undefined) return undefined;
    return input.language === output.language ? 1 : 0;
  },
};
