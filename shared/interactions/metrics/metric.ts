import type { MeasuredText } from "./text.ts";

/** What metrics are told of an interaction beside its texts. */
export interface CallFigures {
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  readonly latencyMs: number | null;
  readonly costUsd: number | null;
}

export interface MeasuredPair extends CallFigures {
  readonly input: MeasuredText;
  readonly output: MeasuredText;
}

interface MetricFacts {
  /** kebab-case; with its element before it (`output.characters`) it is the name of a value. */
  readonly name: string;
  /** `share` is from 0 to 1, `flag` is 0 or 1. */
  readonly unit:
    | "characters"
    | "words"
    | "sentences"
    | "tokens"
    | "points"
    | "share"
    | "flag"
    | "count"
    | "ms"
    | "tokens/s"
    | "USD";
  /** What it says, and what it does not. */
  readonly meaning: string;
  /** Grows when the same text would be measured otherwise: then it is given other numbers too, and old rows are measured again. */
  readonly version: number;
}

/** Of the input and of the output alike. Undefined where there is nothing to measure. */
export interface TextMetric extends MetricFacts {
  readonly of: "text";
  /**
   * Where its values stand in a row's list, from 1. Each belongs to one metric and one version for ever: rows and statistics that were
   * written under it say what it meant then.
   */
  readonly numbers: { readonly input: number; readonly output: number };
  readonly measure: (text: MeasuredText) => number | undefined;
}

/** Of the two together. */
export interface PairMetric extends MetricFacts {
  readonly of: "pair";
  /** As the numbers of a text metric. */
  readonly number: number;
  readonly measure: (pair: MeasuredPair) => number | undefined;
}

export type Metric = TextMetric | PairMetric;
