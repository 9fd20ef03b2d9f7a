import type { TextMetric } from "./metric.ts";

const fencePattern = /^```(?:json)?[ \t]*\n([\s\S]*)\n```$/i;

export const validJson: TextMetric = {
  name: "valid-json",
  of: "text",
  numbers: { input: 15, output: 16 },
  unit: "flag",
  meaning:
    "Whether it can be read as JSON, of texts that begin as an object or a list, also within one fence; of others nothing.",
  version: 1,
  measure: ({ text }) => {
    const trimmed = text.trim();
    const body = (fencePattern.exec(trimmed)?.[1] ?? trimmed).trim();
    if (!/^[{[]/.test(body)) return undefined;
    try {
      JSON.parse(body);
      return 1;
    } catch {
      return 0;
    }
  },
};
