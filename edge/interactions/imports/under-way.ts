/** An import under way: what its steps are given, and where they save how far they are. */
import type { TransactionSql } from "postgres";
import { z } from "zod";
import { becomeCaller, serviceCaller } from "../../../shared/callers.ts";
import type { ImportFindings } from "../../../shared/interactions/imports.ts";
import type { TaskContext } from "../../../shared/jobs/kinds.ts";
import type { Deps } from "../../deps.ts";
import { RowTime } from "../../http/cursors.ts";
import type { PartLimits } from "./parts.ts";
import type { ImportRow } from "./store.ts";

export type ImportDeps = Pick<Deps, "sql" | "files" | "log" | "now">;

export interface ImportLimits extends PartLimits {
  /** Between two checkpoints. */
  readonly rowsMax: number;
}

export const ImportCursor = z.discriminatedUnion("phase", [
  z.object({
    phase: z.literal("rows"),
    /** Where the part under way begins, and whether within a record that is too long. */
    offset: z.int().min(0),
    isSkipping: z.boolean(),
    /** Rows of the file before it. */
    rowsBefore: z.int().min(0),
    /** Rows of it that are written. */
    rowsDone: z.int().min(0),
    /** Rows so far that opened a quote and never closed it. */
    broken: z.int().min(0),
  }),
  /** What was logged until then is this import's business. */
  z.object({ phase: z.literal("fold"), until: RowTime }),
  z.object({
    phase: z.literal("judge"),
    rows: z.int().min(0),
    after: z.object({ occurredAt: z.string(), id: z.uuid() }).optional(),
  }),
  z.object({ phase: z.literal("end") }),
]);
export type ImportCursor = z.infer<typeof ImportCursor>;
export type CursorOf<Phase extends ImportCursor["phase"]> = Extract<ImportCursor, { phase: Phase }>;

/** An import under way, for its steps. */
export interface ImportRun {
  readonly deps: ImportDeps;
  readonly context: TaskContext;
  readonly row: ImportRow & { readonly findings: ImportFindings; readonly sizeBytes: number };
  readonly limits: Partial<ImportLimits>;
}

/** Writes as the service role, in a transaction of a checkpoint. */
export function asService(write: (transaction: TransactionSql) => Promise<void>) {
  return async (transaction: TransactionSql): Promise<void> => {
    await becomeCaller(transaction, serviceCaller);
    await write(transaction);
  };
}
