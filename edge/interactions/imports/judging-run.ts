/** The third step of an import: its rows are judged. */
import { serviceCaller, transactAs } from "../../../shared/callers.ts";
import { listRules } from "../rules/rule-store.ts";
import { raiseImportAlerts } from "./alert-store.ts";
import { isOfRows, judgeNext } from "./judging.ts";
import { asService, type CursorOf, type ImportRun } from "./under-way.ts";

const rowsAtOnce = 1_000;

export async function judgeAll({ deps, context, row }: ImportRun, from: CursorOf<"judge">): Promise<void> {
  const { id: importId, ownerId, sizeBytes } = row;
  const rules = await transactAs(deps.sql, serviceCaller, async (transaction) =>
    (await listRules(transaction, ownerId, { enabledOnly: true })).filter(isOfRows),
  );
  if (rules.length === 0) return;
  for (let cursor = from; ; ) {
    context.signal.throwIfAborted();
    const { after, rows } = cursor;
    const judged = await transactAs(deps.sql, serviceCaller, (transaction) =>
      judgeNext(transaction, { importId, rules }, { after, rowsMax: rowsAtOnce }),
    );
    if (!judged.last) return;
    const done: CursorOf<"judge"> = { phase: "judge", rows: rows + judged.rows, after: judged.last };
    await context.checkpoint(
      done,
      asService(async (transaction) => {
        await raiseImportAlerts(transaction, { importId, ownerId, firings: judged.firings });
      }),
    );
    context.reportProgress(sizeBytes, sizeBytes, `${done.rows} rows are judged.`);
    cursor = done;
  }
}
