/** Jobs that bring files of interactions into the log, and that tidy up behind them. */
import { z } from "zod";
import type { JobKind } from "../jobs/kinds.ts";
import { landImport, landImportFailure, landImportRetry } from "./import-landing.ts";

export const ImportPayload = z.object({ importId: z.uuid() });
export type ImportPayload = z.infer<typeof ImportPayload>;

export interface ImportOutcome {
  readonly rowsLanded: number;
  readonly rowsRefused: number;
  readonly rowsKnown: number;
  readonly alerts: number;
}

/** Part by part, each landed at once under the claim: what is interrupted goes on where it stopped. */
export const importFile: JobKind<ImportPayload, ImportOutcome> = {
  name: "interactions.import-file",
  runner: "edge",
  lane: "bulk",
  payload: ImportPayload,
  // Storage or the database may be away for some minutes; a checkpoint begins the count anew.
  attemptsMax: 8,
  timeoutMs: 4 * 3600_000,
  // At most a thousand rows lie between two checkpoints.
  cpuMs: 400,
  queuedPerOwnerMax: 100,
  runningPerOwnerMax: 2,
  summarize: (outcome) => ({ ...outcome }),
  land: (transaction, job) => landImport(transaction, job),
  landFailure: landImportFailure,
  landRetry: landImportRetry,
};

export interface ImportSweepOutcome {
  readonly uploadsExpired: number;
  readonly filesRemoved: number;
}

/** Fails what was never sent, and removes files that no import needs. */
export const sweepImports: JobKind<Record<string, never>, ImportSweepOutcome> = {
  name: "interactions.sweep-imports",
  runner: "edge",
  lane: "bulk",
  payload: z.object({}),
  attemptsMax: 3,
  timeoutMs: 120_000,
  cpuMs: 50,
  summarize: (outcome) => ({ ...outcome }),
  landFailure: async () => {},
};
