import type { TextMetric } from "./metric.ts";

export const urls: TextMetric = {
  name: "urls",
  of: "text",
  numbers: { input: 17, output: 18 },
  unit: "count",
  meaning: "Addresses that begin with http:// or https://.",
  version: 1,
  measure: ({ text }) => text.match(/\bhttps?:\/\/[^\s<>"')\]]{2,2000}/gi)?.length ?? 0,
};
