/** The third step of an import: its rows are judged. What one chunk made fire is written while the next one is judged. */
import { serviceCaller, transactAs } from "../../../shared/callers.ts";
import { listRules } from "../rules/rule-store.ts";
import { raiseImportAlerts } from "./alert-store.ts";
import { isOfRows, type JudgedChunk, judgeNext } from "./judging.ts";
import { asService, type CursorOf, type ImportRun } from "./under-way.ts";

/** As many firings may come of a chunk as it has rows, for each rule. */
const rowsAtOnce = 2_000;

type JudgeCursor = CursorOf<"judge">;

export async function judgeAll(run: ImportRun, from: JudgeCursor): Promise<void> {
  const { deps, context, row } = run;
  const { id: importId, ownerId } = row;
  const rules = await transactAs(deps.sql, serviceCaller, async (transaction) =>
    (await listRules(transaction, ownerId, { enabledOnly: true })).filter(isOfRows),
  );
  if (rules.length === 0) return;
  let raising: Promise<void> = Promise.resolve();
  for (let cursor = from; ; ) {
    context.signal.throwIfAborted();
    const { after, rows } = cursor;
    const judged = await transactAs(deps.sql, serviceCaller, (transaction) =>
      judgeNext(transaction, { importId, rules }, { after, rowsMax: rowsAtOnce }),
    );
    await raising;
    if (!judged.last) return;
    cursor = { phase: "judge", rows: rows + judged.rows, after: judged.last };
    raising = raise(run, judged, cursor);
    // Met before the next one is written.
    raising.catch(() => {});
  }
}

async function raise(
  { context, row }: ImportRun,
  { firings }: JudgedChunk,
  cursor: JudgeCursor,
): Promise<void> {
  const { id: importId, ownerId, sizeBytes } = row;
  await context.checkpoint(
    cursor,
    asService((transaction) => raiseImportAlerts(transaction, { importId, ownerId, firings })),
  );
  context.reportProgress(sizeBytes, sizeBytes, `${cursor.rows} rows are judged.`);
}
