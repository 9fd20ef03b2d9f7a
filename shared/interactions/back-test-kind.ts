import { z } from "zod";
import type { JobKind } from "../jobs/kinds.ts";
import { landBackTest, landBackTestFailure, landBackTestRetry } from "./back-test-landing.ts";
import type { BackTestResult } from "./back-tests.ts";

export const BackTestPayload = z.object({ backTestId: z.uuid() });
export type BackTestPayload = z.infer<typeof BackTestPayload>;

/** Runs a rule over the rows that are there, a part at a time: what is interrupted goes on where it stopped. */
export const runBackTest: JobKind<BackTestPayload, BackTestResult> = {
  name: "interactions.run-back-test",
  runner: "edge",
  lane: "bulk",
  payload: BackTestPayload,
  // Each checkpoint begins the count anew.
  attemptsMax: 5,
  timeoutMs: 10 * 60_000,
  // Between two checkpoints lie 150 ms of judging and a page more, and what it takes to read the rows.
  cpuMs: 400,
  queuedPerOwnerMax: 20,
  runningPerOwnerMax: 1,
  summarize: ({ judged, fired, firedPerWeek, alerts }) => ({ judged, fired, firedPerWeek, alerts }),
  land: landBackTest,
  landFailure: landBackTestFailure,
  landRetry: landBackTestRetry,
};
