import type { TextMetric } from "./metric.ts";

export const codeShare: TextMetric = {
  name: "code-share",
  of: "text",
  numbers: { input: 13, output: 14 },
  unit: "share",
  meaning: "Characters within Markdown's fences or backticks. A fence that is not closed goes to the end.",
  version: 1,
  measure: ({ text }) => {
    if (text.length === 0) return undefined;
    let code = 0;
    // Every second part of a text cut at its fences is code; in the others, what stands between backticks.
    for (const [index, part] of text.split(/^[ \t]{0,3}```/m).entries()) {
      if (index % 2 === 1) code += part.length;
      else for (const [inline] of part.matchAll(/`[^`\n]{1,500}`/g)) code += inline.length - 2;
    }
    return Math.min(1, code / text.length);
  },
};
