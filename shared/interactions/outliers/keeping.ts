/** What live judging and back-tests have in common: which statistics a method looks at, and for how long its bounds are kept. */
import type { Fences, OutlierMethod } from "./fence-types.ts";

/** With fewer values a history is small: each one moves its bounds, so they are worked out for each. */
export const valuesOfSmallHistory = 1_000;
/** Bounds that rest on more hardly move meanwhile. */
export const fencesKeptMs = 5 * 60_000;

interface OfMethod {
  readonly method: OutlierMethod;
}

/** Methods that look at all values alike, by their quantiles. */
export const isOfQuantiles = ({ method }: OfMethod): boolean => method === "mad" || method === "iqr";

/** Methods that need no sketches of the hours. */
export const isOfMoments = ({ method }: OfMethod): boolean => method === "z-score" || method === "ewma";

const farthest = 1e300;

/** JSON knows no infinity, which a great sensitivity reaches. */
export function limitFences(fences: Fences | undefined): Fences | undefined {
  if (!fences) return undefined;
  const clamp = (bound: number) => Math.max(-farthest, Math.min(farthest, bound));
  return { ...fences, low: clamp(fences.low), high: clamp(fences.high) };
}
