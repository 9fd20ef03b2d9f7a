/** When a process should give back the memory of its models: only its end does that for sure. No I/O. */

export interface HeldModel {
  readonly name: string;
  readonly usedAtMs: number;
}

export interface IdlenessOptions {
  readonly nowMs: number;
  /** 0: nothing is ever unused for too long. */
  readonly idleMs: number;
  /** Models that some space needs. */
  readonly needed: readonly string[];
}

/** Why the process should make way for a fresh one; undefined where all that it holds is in use. */
export function findIdleness(held: readonly HeldModel[], options: IdlenessOptions): string | undefined {
  const { nowMs, idleMs, needed } = options;
  if (idleMs === 0) return undefined;
  for (const { name, usedAtMs } of held) {
    const unusedMs = nowMs - usedAtMs;
    if (unusedMs > idleMs) return `${name} was not used for ${Math.round(unusedMs / 1000)} s`;
    // A search may still be under way in a space that was dropped just now.
    if (!needed.includes(name) && unusedMs > goneMs) return `no space needs ${name} any more`;
  }
  return undefined;
}

const goneMs = 60_000;
