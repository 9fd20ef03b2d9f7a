/**
 * How a file becomes interactions. Each step saves where it is with what it wrote, in one transaction under the job's claim: killed
 * anywhere, the next run goes on there, and every row lands once.
 *
 *   rows ──▶ fold ──▶ judge ──▶ the file is removed ──▶ done
 *    │        │        └ the rules, row by row in the order of time; alerts that tell nobody
 *    │        └ what landed enters the statistics
 *    └ read ahead · cut · parse · measure ║ write          while one chunk is written the next one is measured
 */
import { serviceCaller, transactAs } from "../../../shared/callers.ts";
import { AppError } from "../../../shared/errors.ts";
import {
  type ImportOutcome,
  type ImportPayload,
  importFile,
} from "../../../shared/interactions/import-kinds.ts";
import { ImportFindings } from "../../../shared/interactions/imports.ts";
import { defineTask, type Task, type TaskContext } from "../../../shared/jobs/kinds.ts";
import { describeError } from "../../../shared/log.ts";
import { ensureSettings } from "../settings-store.ts";
import { readClock } from "../statistics/folding.ts";
import { foldImport } from "./folding.ts";
import { judgeAll } from "./judging-run.ts";
import { landRows } from "./landing-run.ts";
import { findImport, startImport } from "./store.ts";
import { ImportCursor, type ImportDeps, type ImportLimits, type ImportRun } from "./under-way.ts";

export function createImportTask(deps: ImportDeps, limits: Partial<ImportLimits> = {}): Task {
  return defineTask(importFile, (payload, context) => runImport(deps, { payload, context, limits }));
}

interface Given {
  readonly payload: ImportPayload;
  readonly context: TaskContext;
  readonly limits: Partial<ImportLimits>;
}

async function runImport(deps: ImportDeps, { payload, context, limits }: Given): Promise<ImportOutcome> {
  const row = await begin(deps, payload.importId);
  const run: ImportRun = { deps, context, row, limits };
  let cursor = readCursor(run);
  if (cursor.phase === "rows") {
    await landRows(run, cursor);
    cursor = await moveOn(run, { phase: "fold", until: await readClock(deps.sql) });
  }
  if (cursor.phase === "fold") {
    await foldImport(run, cursor);
    cursor = await moveOn(run, { phase: "judge", rows: 0 });
  }
  if (cursor.phase === "judge") {
    await judgeAll(run, cursor);
    await moveOn(run, { phase: "end" });
  }
  return end(run);
}

/** Without one the file begins. One that cannot be read says that rows may have landed: begun anew, they would land twice. */
function readCursor({ context, row }: ImportRun): ImportCursor {
  if (context.cursor === undefined) {
    const offset = row.findings.dataOffset;
    return { phase: "rows", offset, isSkipping: false, rowsBefore: 0, rowsDone: 0, broken: 0 };
  }
  const { data, error } = ImportCursor.safeParse(context.cursor);
  if (data) return data;
  const message =
    "How far this import was cannot be read. What landed stays; send the file again for the rest.";
  throw new AppError("gone", message, { cause: error });
}

/** The settings and first rules of the owner are there from then on. */
async function begin({ sql }: ImportDeps, importId: string): Promise<ImportRun["row"]> {
  const row = await transactAs(sql, serviceCaller, async (transaction) => {
    const started = await startImport(transaction, importId);
    if (started) await ensureSettings(transaction, started.ownerId);
    return started;
  });
  const findings = ImportFindings.safeParse(row?.findings).data;
  if (!row || !findings || row.sizeBytes === null)
    throw new AppError("gone", "The import is over or was deleted.");
  return { ...row, findings, sizeBytes: row.sizeBytes };
}

async function moveOn<Next extends ImportCursor>({ context }: ImportRun, next: Next): Promise<Next> {
  await context.checkpoint(next);
  return next;
}

/** What storage does not remove at once, the sweep does. */
async function end({ deps, row }: ImportRun): Promise<ImportOutcome> {
  await deps.files.remove([row.path]).catch((error: unknown) => {
    deps.log.warn("interactions.file_left", { error: describeError(error) });
  });
  const ended = await transactAs(deps.sql, serviceCaller, (transaction) => findImport(transaction, row.id));
  const { rowsLanded, rowsRefused, rowsKnown, alerts } = ended ?? row;
  return { rowsLanded, rowsRefused, rowsKnown, alerts };
}
