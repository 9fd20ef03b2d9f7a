import type { ClaimedJob } from "./queue.ts";

/** One look into a lane: from where, and what it found. */
export interface Look {
  readonly afterTurn: number;
  end(claimed: readonly Pick<ClaimedJob, "turn">[]): void;
}

export interface TurnMemory {
  begin(): Look;
}

/** What is added by then is committed, as a rule; what is not is found by a look from the beginning. */
const settleMs = 2_000;
const fullLookMs = 1_000;
/** A look from the beginning may take this share of the time. */
const fullLookShare = 0.05;

/**
 * Remembers how far a lane is. Turns only grow: a job that is added after one was claimed takes a later turn. So looks
 * begin at what was claimed a while ago, and step over the dead rows that an old snapshot keeps from being removed. Every
 * second one looks from the beginning, for jobs that were committed late; less often when that takes long.
 */
export function createTurnMemory(nowMs: () => number = () => performance.now()): TurnMemory {
  let settled = 0;
  let newest = 0;
  let newestAtMs = nowMs();
  let nextFullAtMs = 0;

  function remember(turn: number, atMs: number): void {
    if (atMs - newestAtMs < settleMs) return;
    settled = newest;
    newest = Math.max(newest, turn);
    newestAtMs = atMs;
  }

  return {
    begin() {
      const beganAtMs = nowMs();
      const isFull = beganAtMs >= nextFullAtMs;
      return {
        afterTurn: isFull ? 0 : settled,
        end(claimed) {
          const endedAtMs = nowMs();
          if (isFull)
            nextFullAtMs = endedAtMs + Math.max(fullLookMs, (endedAtMs - beganAtMs) / fullLookShare);
          const last = claimed.at(-1);
          if (last) remember(last.turn, endedAtMs);
        },
      };
    },
  };
}
