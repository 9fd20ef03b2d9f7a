/** What can be done with imports once they have begun. Who sees one may change it: its owner, and admins. */
import { becomeCaller, type Caller, serviceCaller, transactAs } from "../../../shared/callers.ts";
import { formatRow } from "../../../shared/interactions/files/writing.ts";
import { importFile } from "../../../shared/interactions/import-kinds.ts";
import type { InteractionImport } from "../../../shared/interactions/imports.ts";
import { cancelJob } from "../../../shared/jobs/queue.ts";
import { jobKinds } from "../../../shared/kinds.ts";
import { describeError } from "../../../shared/log.ts";
import type { Deps } from "../../deps.ts";
import { deleteImport, listImports, listRefusals, type RefusedRow } from "./store.ts";
import { getImport, toImport } from "./views.ts";

export async function showImports(
  { sql }: Pick<Deps, "sql">,
  caller: Caller,
  { ownerId, ...page }: { ownerId: string | null; beforeId: string | undefined; limit: number },
): Promise<InteractionImport[]> {
  const rows = await transactAs(sql, caller, (transaction) => listImports(transaction, ownerId, page));
  return rows.map(toImport);
}

export async function showImport(
  { sql }: Pick<Deps, "sql">,
  caller: Caller,
  id: string,
): Promise<InteractionImport> {
  return toImport(await transactAs(sql, caller, (transaction) => getImport(transaction, id)));
}

/** Ends its job, and removes it and its file. What landed stays in the log. */
export async function removeImport(deps: Deps, caller: Caller, id: string): Promise<void> {
  const row = await transactAs(deps.sql, caller, async (transaction) => {
    const found = await getImport(transaction, id);
    await becomeCaller(transaction, serviceCaller);
    if (found.jobId !== null && found.finishedAt === null) {
      const job = { id: found.jobId, kind: importFile.name, ownerId: found.ownerId, subjectId: id };
      await cancelJob(transaction, jobKinds, job);
    }
    await deleteImport(transaction, id);
    return found;
  });
  await deps.files.remove([row.path]).catch((error: unknown) => {
    // The sweep will.
    deps.log.warn("interactions.file_left", { error: describeError(error) });
  });
}

const rowsAtOnce = 1_000;

/** As CSV, page by page: each is read when the one before it was taken. */
export async function openRefusals(
  { sql }: Pick<Deps, "sql">,
  caller: Caller,
  id: string,
): Promise<ReadableStream<Uint8Array>> {
  await transactAs(sql, caller, (transaction) => getImport(transaction, id));
  const encoder = new TextEncoder();
  let after: number | undefined;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (after === undefined) {
          // A spreadsheet takes a file for UTF-8 by its mark.
          controller.enqueue(encoder.encode(`\ufeff${formatRow(["row", "reason", "content"])}`));
          after = 0;
          return;
        }
        const page = { after, limit: rowsAtOnce };
        const rows = await transactAs(sql, caller, (transaction) => listRefusals(transaction, id, page));
        after = rows.at(-1)?.rowNumber;
        if (rows.length > 0) controller.enqueue(encoder.encode(rows.map(formatRefusal).join("")));
        if (rows.length < rowsAtOnce) controller.close();
      },
    },
    { highWaterMark: 0 },
  );
}

const formatRefusal = ({ rowNumber, reason, row }: RefusedRow) => formatRow([rowNumber, reason, row]);
