/** When a process that died is started again. No clock, no process: the supervisor acts on it. */

/** What is remembered of a slot between its lives. */
export interface Deaths {
  /** The newest ones. */
  readonly atMs: readonly number[];
  /** Deaths since it was last well. */
  readonly inRow: number;
  /** Until it is well again. */
  readonly isLooping: boolean;
}

export const noDeaths: Deaths = { atMs: [], inRow: 0, isLooping: false };

/** A process that works for so long is well, and its deaths are forgotten. */
export const wellMs = 60_000;

const firstMs = 1_000;
const restartMsMax = 60_000;
const loopDeaths = 5;
const loopMs = 120_000;

/** `random` in [0, 1) spreads the restarts of many slots that died of one cause: between half the wait and all of it. */
export function planRestart(
  deaths: Deaths,
  { nowMs, random }: { nowMs: number; random: number },
): { deaths: Deaths; restartMs: number } {
  const atMs = [...deaths.atMs, nowMs].filter((at) => nowMs - at <= loopMs).slice(-loopDeaths);
  const inRow = deaths.inRow + 1;
  const isLooping = deaths.isLooping || atMs.length >= loopDeaths;
  const wholeMs = isLooping ? restartMsMax : Math.min(restartMsMax, firstMs * 2 ** (inRow - 1));
  return { deaths: { atMs, inRow, isLooping }, restartMs: Math.round(wholeMs * (0.5 + random / 2)) };
}
