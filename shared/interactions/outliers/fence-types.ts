/** What outlier methods are asked and what they answer. */
import { z } from "zod";

export const OutlierMethod = z.enum(["z-score", "mad", "iqr", "ewma", "seasonal"]);
export type OutlierMethod = z.infer<typeof OutlierMethod>;

export interface FenceOptions {
  readonly method: OutlierMethod;
  /** How many spreads from the centre, or from the quartiles, the fences stand. */
  readonly sensitivity: number;
  /** Fewer values than this are no history. */
  readonly countMin: number;
  /** The hour that is judged, in hours since 1970 UTC. */
  readonly nowHour: number;
}

export interface Fences {
  /** How many values of the history they rest on. */
  readonly count: number;
  readonly centre: number;
  /** From where each fence is measured: the centre, or the quartile on its side. */
  readonly lowFrom: number;
  readonly highFrom: number;
  /** In `log`, natural logarithms of factors. */
  readonly scale: "linear" | "log";
  readonly spread: number;
  readonly low: number;
  readonly high: number;
}
