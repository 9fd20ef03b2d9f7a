/** Jobs of the room that no request adds. */
import { z } from "zod";
import type { JobKind } from "../jobs/kinds.ts";

export interface WatchOutcome {
  /** Interactions that entered the statistics. */
  readonly rowsFolded: number;
  /** Rules of rates and of what is missing. */
  readonly rulesJudged: number;
  readonly alertsResolved: number;
  /** People were told of, late or again. */
  readonly alertsTold: number;
  /** What went wrong and is tried again in a minute; the log says what. */
  readonly troubles: number;
}

/** Each minute: folds what waits, judges rates and what is missing, and does what time does to alerts. */
export const watchInteractions: JobKind<Record<string, never>, WatchOutcome> = {
  name: "interactions.watch",
  runner: "edge",
  lane: "bulk",
  payload: z.object({}),
  attemptsMax: 3,
  timeoutMs: 5 * 60_000,
  cpuMs: 300,
  summarize: (outcome) => ({ ...outcome }),
  landFailure: async () => {},
};
