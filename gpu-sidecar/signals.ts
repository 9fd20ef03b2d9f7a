/** How a process hears that it should end. */
import type { Log } from "../shared/log.ts";

export interface EndOptions {
  readonly log: Log;
  /** Told at each signal, as an event of the log. */
  readonly event: string;
  /** Started with `--held`: the end of the input is the end of who started it, and asks for a drain too. */
  readonly isHeld: boolean;
  /** The same signal within this time is the same one: Ctrl-C comes from the terminal and again from `bun run`. */
  readonly sameSignalMs?: number;
  /** At the second signal. */
  readonly onSecond: () => void;
}

/** Resolves when the process is first told to end. */
export function awaitEnd({ log, event, isHeld, sameSignalMs = 0, onSecond }: EndOptions): Promise<void> {
  return new Promise((resolve) => {
    const heardAtMs = new Map<NodeJS.Signals, number>();
    const hear = (signal: NodeJS.Signals) => {
      const sinceMs = performance.now() - (heardAtMs.get(signal) ?? Number.NEGATIVE_INFINITY);
      if (sinceMs < sameSignalMs) return;
      log.info(event, { signal });
      if (heardAtMs.size > 0) onSecond();
      heardAtMs.set(signal, performance.now());
      resolve();
    };
    process.on("SIGTERM", hear);
    process.on("SIGINT", hear);
    if (isHeld) process.stdin.on("end", resolve).on("error", resolve).resume();
  });
}

/** Whether it was started with `--held`. */
export function isHeld(): boolean {
  return process.argv.includes("--held");
}
