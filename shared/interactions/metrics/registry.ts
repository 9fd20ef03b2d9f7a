/** Every metric. A new one is a file beside this one and a line here. */
import { cost, latency, tokensPerSecond } from "./call-figures.ts";
import { characters } from "./characters.ts";
import { codeShare } from "./code-share.ts";
import { languageMatch } from "./language-match.ts";
import { lexicalVariety } from "./lexical-variety.ts";
import type { CallFigures, Metric } from "./metric.ts";
import { modelTokens } from "./model-tokens.ts";
import { personalData } from "./personal-data.ts";
import { promptInjection } from "./prompt-injection.ts";
import { readingEase } from "./reading-ease.ts";
import { refusal } from "./refusal.ts";
import { repetition } from "./repetition.ts";
import { sentences } from "./sentences.ts";
import { sentiment } from "./sentiment.ts";
import { MeasuredText } from "./text.ts";
import { urls } from "./urls.ts";
import { validJson } from "./valid-json.ts";
import { wordOverlap } from "./word-overlap.ts";
import { words } from "./words.ts";

export const metrics: readonly Metric[] = [
  characters,
  words,
  sentences,
  modelTokens,
  readingEase,
  lexicalVariety,
  repetition,
  codeShare,
  validJson,
  urls,
  personalData,
  refusal,
  promptInjection,
  sentiment,
  languageMatch,
  wordOverlap,
  latency,
  tokensPerSecond,
  cost,
];

/** `input.characters`, `output.words`, `pair.latency` by the number under which a row keeps the value. */
export const metricNames: ReadonlyMap<number, string> = new Map(
  metrics
    .flatMap((metric): [number, string][] =>
      metric.of === "pair"
        ? [[metric.number, `pair.${metric.name}`]]
        : [
            [metric.numbers.input, `input.${metric.name}`],
            [metric.numbers.output, `output.${metric.name}`],
          ],
    )
    .sort(([one], [other]) => one - other),
);

const numbersByName: ReadonlyMap<string, number> = new Map(
  [...metricNames].map(([number, name]) => [name, number]),
);

export const findMetricNumber = (name: string): number | undefined => numbersByName.get(name);

/** The largest number: a row that was measured at a smaller one lacks what came since. */
export const metricEdition = Math.max(...metricNames.keys());

export interface NewMeasurement extends CallFigures {
  readonly input: string;
  readonly output: string;
}

export interface MeasuredInteraction {
  /** The value of number n at n - 1; null where there was nothing to measure or nothing was asked. Finite. */
  readonly values: (number | null)[];
  /** ISO 639-1; null where it is not known. */
  readonly inputLanguage: string | null;
  readonly outputLanguage: string | null;
  /** In lower case, in their order: for who needs them too, such as text search. */
  readonly words: { readonly input: readonly string[]; readonly output: readonly string[] };
}

/** Measures what has a number above `sinceEdition`: everything, unless the row was measured before. */
export function measureInteraction(
  { input, output, ...figures }: NewMeasurement,
  sinceEdition = 0,
): MeasuredInteraction {
  const pair = {
    ...figures,
    input: new MeasuredText(input, figures.inputTokens),
    output: new MeasuredText(output, figures.outputTokens),
  };
  const values = new Array<number | null>(metricEdition).fill(null);
  const keep = (number: number, measure: () => number | undefined) => {
    if (number <= sinceEdition) return;
    const value = measure();
    if (value !== undefined && Number.isFinite(value)) values[number - 1] = value;
  };
  for (const metric of metrics) {
    if (metric.of === "pair") keep(metric.number, () => metric.measure(pair));
    else {
      keep(metric.numbers.input, () => metric.measure(pair.input));
      keep(metric.numbers.output, () => metric.measure(pair.output));
    }
  }
  return {
    values,
    inputLanguage: pair.input.language ?? null,
    outputLanguage: pair.output.language ?? null,
    words: { input: pair.input.words, output: pair.output.words },
  };
}

/** A row's values by `element.metric`, for those who read them. What is null or has no name any more is left out. */
export function nameValues(values: readonly (number | null)[]): Record<string, number> {
  const named: Record<string, number> = {};
  for (const [number, name] of metricNames) {
    const value = values[number - 1];
    if (value !== null && value !== undefined) named[name] = value;
  }
  return named;
}
