import type { Sql } from "postgres";
import { deleteOldMessages } from "./store.ts";

/** As long as the original keeps messages for replay. */
const keepHours = 72;
const batchSize = 1_000;
/** An hour's pruning ends here; what is left waits for the next. */
const batchesMax = 100;
const intervalMs = 3_600_000;

/** Removes old messages in short statements, so that nobody waits long behind one; answers how many. */
export async function pruneMessages(sql: Sql): Promise<number> {
  let removed = 0;
  for (let batch = 0; batch < batchesMax; batch += 1) {
    const count = await deleteOldMessages(sql, keepHours, batchSize);
    removed += count;
    if (count < batchSize) break;
  }
  return removed;
}

/** Now and every hour. */
export function startPruning(sql: Sql, reportError: (error: unknown) => void): { stop(): Promise<void> } {
  let running = pruneOnce();
  const timer = setInterval(() => {
    running = running.then(pruneOnce);
  }, intervalMs);
  return {
    stop: () => {
      clearInterval(timer);
      return running;
    },
  };

  async function pruneOnce(): Promise<void> {
    try {
      await pruneMessages(sql);
    } catch (error) {
      reportError(error);
    }
  }
}
