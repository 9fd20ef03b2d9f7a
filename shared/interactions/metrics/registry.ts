/** Every metric. A new one is a file beside this one and a line here. */
import { cost, latency, tokensPerSecond } from "./call-figures.ts";
import { characters } from "./characters.ts";
import { codeShare } from "./code-share.ts";
import { lexicalVariety } from "./lexical-variety.ts";
import type { CallFigures, Metric } from "./metric.ts";
import { personalData } from "./personal-data.ts";
import { promptInjection } from "./prompt-injection.ts";
import { readingEase } from "./reading-ease.ts";
import { refusal } from "./refusal.ts";
import { repetition } from "./repetition.ts";
import { sentences } from "./sentences.ts";
import { MeasuredText } from "./text.ts";
import { urls } from "./urls.ts";
import { validJson } from "./valid-json.ts";
import { wordOverlap } from "./word-overlap.ts";
import { words } from "./words.ts";

export const metrics: readonly Metric[] = [
  characters,
  words,
  sentences,
  readingEase,
  lexicalVariety,
  repetition,
  codeShare,
  validJson,
  urls,
  personalData,
  refusal,
  promptInjection,
  wordOverlap,
  latency,
  tokensPerSecond,
  cost,
];

export interface NewMeasurement extends CallFigures {
  readonly input: string;
  readonly output: string;
}

/** All that can be measured, by `element.metric`: `input.characters`, `output.words`, `pair.latency`. Values are finite. */
export function measureInteraction({ input, output, ...figures }: NewMeasurement): Record<string, number> {
  const pair = { ...figures, input: new MeasuredText(input), output: new MeasuredText(output) };
  const values: Record<string, number> = {};
  const keep = (name: string, value: number | undefined) => {
    if (value !== undefined && Number.isFinite(value)) values[name] = value;
  };
  for (const metric of metrics) {
    if (metric.of === "pair") keep(`pair.${metric.name}`, metric.measure(pair));
    else {
      keep(`input.${metric.name}`, metric.measure(pair.input));
      keep(`output.${metric.name}`, metric.measure(pair.output));
    }
  }
  return values;
}
