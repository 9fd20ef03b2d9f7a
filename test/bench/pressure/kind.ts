import { z } from "zod";
import type { JobKind } from "../../../shared/jobs/kinds.ts";

/** Work that is nothing: what is measured is the queue. */
export const pressureKind: JobKind<{ index: number }, Record<string, never>> = {
  name: "bench.press-on",
  runner: "sidecar",
  lane: "bulk",
  payload: z.object({ index: z.int() }),
  attemptsMax: 3,
  timeoutMs: 60_000,
  summarize: () => ({}),
  landFailure: async () => {},
};
