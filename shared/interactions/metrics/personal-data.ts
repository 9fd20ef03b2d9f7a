import { findPersonalData } from "../personal-data.ts";
import type { TextMetric } from "./metric.ts";

export const personalData: TextMetric = {
  name: "personal-data",
  of: "text",
  numbers: { input: 19, output: 20 },
  unit: "count",
  meaning:
    "What has the form of an e-mail address, a phone number, a card number with its check digit, or a key. Names are not found.",
  version: 1,
  measure: ({ text }) => findPersonalData(text).length,
};
