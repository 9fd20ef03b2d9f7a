/** The second step of an import: what landed enters the statistics. */
import { foldAll } from "../statistics/folding.ts";
import type { CursorOf, ImportRun } from "./under-way.ts";

export function foldImport({ deps, context, row }: ImportRun, cursor: CursorOf<"fold">): Promise<void> {
  const { sizeBytes, ownerId } = row;
  return foldAll(deps.sql, {
    ownerId,
    until: cursor.until,
    signal: context.signal,
    pause: async (rows) => {
      await context.checkpoint(cursor);
      context.reportProgress(sizeBytes, sizeBytes, `${rows} rows are in the statistics.`);
    },
  });
}
