import type { PairMetric } from "./metric.ts";

export const latency: PairMetric = {
  name: "latency",
  of: "pair",
  number: 26,
  unit: "ms",
  meaning: "From the call to the end of its answer, as the caller measured it.",
  version: 1,
  measure: ({ latencyMs }) => latencyMs ?? undefined,
};

export const tokensPerSecond: PairMetric = {
  name: "tokens-per-second",
  of: "pair",
  number: 27,
  unit: "tokens/s",
  meaning: "Tokens of the output for each second of latency; needs both to be told.",
  version: 1,
  measure: ({ outputTokens, latencyMs }) =>
    outputTokens === null || latencyMs === null || latencyMs <= 0
      ? undefined
      : (outputTokens * 1000) / latencyMs,
};

export const cost: PairMetric = {
  name: "cost",
  of: "pair",
  number: 28,
  unit: "USD",
  meaning: "As the caller told it.",
  version: 1,
  measure: ({ costUsd }) => costUsd ?? undefined,
};
