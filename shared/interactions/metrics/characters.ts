import type { TextMetric } from "./metric.ts";

export const characters: TextMetric = {
  name: "characters",
  of: "text",
  numbers: { input: 1, output: 2 },
  unit: "characters",
  meaning: "Unicode code points.",
  version: 1,
  measure: ({ text }) => {
    let count = text.length;
    // A pair of surrogates is one.
    for (let index = 1; index < text.length; index++) {
      const unit = text.charCodeAt(index);
      if (unit >= 0xdc00 && unit <= 0xdfff && (text.charCodeAt(index - 1) & 0xfc00) === 0xd800) count -= 1;
    }
    return count;
  },
};
