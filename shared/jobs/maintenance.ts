/** Jobs that keep the house small; the runner without models adds and runs them. */
import { z } from "zod";
import type { JobKind } from "./kinds.ts";

function defineMaintenance<Outcome extends Record<string, number>>(
  name: string,
): JobKind<Record<string, never>, Outcome> {
  return {
    name,
    runner: "edge",
    lane: "bulk",
    payload: z.object({}),
    attemptsMax: 3,
    timeoutMs: 60_000,
    cpuMs: 20,
    summarize: (outcome) => ({ ...outcome }),
    land: async () => {},
    landFailure: async () => {},
  };
}

/** Removes ended jobs after 30 days and events after 7. */
export const pruneHistory = defineMaintenance<{ rowsRemoved: number }>("jobs.prune-history");

/**
 * Removes idempotency keys after 24 hours, idle rate buckets after a day, query vectors and logged searches after 30
 * days, pictures searched by after an hour.
 */
export const expireKeys = defineMaintenance<{ rowsRemoved: number }>("house.expire-keys");
