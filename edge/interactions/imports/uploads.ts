/**
 * How a file comes in, as a picture does (edge/images/uploads.ts): the row goes first, the bytes follow outside any transaction,
 * and the second transaction accepts, with the state and the job at once.
 *
 *   form ──▶ looked at ──▶ row `uploading` ──▶ object ──▶ row `queued` + job ──▶ 202
 *   JSON ──▶ row `uploading` ──▶ signed URL ──▶ 201 … the client sends … ──▶ completion: looked at, the same ending
 *
 * A crash leaves at most a row that is `uploading` and a file that it names; the sweep ends both. Sent again with its
 * Idempotency-Key, an upload goes on with the row of its first run, and its job has that row's id.
 */
import { type Caller, serviceCaller, transactAs } from "../../../shared/callers.ts";
import { AppError } from "../../../shared/errors.ts";
import { importFile } from "../../../shared/interactions/import-kinds.ts";
import {
  type ImportFindings,
  type ImportOptions,
  type InteractionImport,
  importBytesMax,
  importPath,
  type NewImport,
  type StartedImport,
} from "../../../shared/interactions/imports.ts";
import { addJob } from "../../../shared/jobs/queue.ts";
import { describeError } from "../../../shared/log.ts";
import type { Deps } from "../../deps.ts";
import { inspectStart, lookBytes } from "./beginning.ts";
import {
  countUploading,
  deleteImport,
  failImport,
  type ImportRow,
  insertImport,
  queueImport,
} from "./store.ts";
import { getImport, toImport } from "./views.ts";

/** Of one owner; each may fill storage. */
const uploadingMax = 50;

export interface FileUpload {
  readonly id: string;
  readonly ownerId: string | null;
  readonly file: File;
  readonly options: ImportOptions;
}

/** A file whose bytes came with the request. */
export async function acceptFile(
  deps: Deps,
  { id, ownerId, file, options }: FileUpload,
): Promise<InteractionImport> {
  const limit = deps.config.uploadBytesMax;
  if (file.size > limit) {
    throw new AppError(
      "payload_too_large",
      `A form may carry a file of ${limit} bytes; send larger ones with POST /interactions/imports.`,
    );
  }
  const fileName = cleanName(file.name);
  const bytes = new Uint8Array(await file.slice(0, lookBytes).arrayBuffer());
  const findings = inspectStart({ bytes, sizeBytes: file.size, fileName, options });
  const row = await addImport(deps, { id, ownerId, fileName, sizeBytes: file.size, options });
  if (row.state !== "uploading") return toImport(row);
  await orTakeBack(deps, row, async () => {
    await deps.files.ensureBucket();
    await deps.files.put(row.path, file, "application/octet-stream");
  });
  return toImport(await acceptOrTakeBack(deps, row, findings));
}

/** Where the queue is full, nothing was accepted: sent again, the file comes with its request. What is unclear is the sweep's. */
async function acceptOrTakeBack(deps: Deps, row: ImportRow, findings: ImportFindings): Promise<ImportRow> {
  try {
    return await accept(deps, row, findings);
  } catch (error) {
    if (error instanceof AppError && error.code === "quota_exceeded") {
      await takeBack(deps, row);
      await attempt(deps, "interactions.file_left", () => deps.files.remove([row.path]));
    }
    throw error;
  }
}

/** A name from a form is anything; what is left of it is shown. */
function cleanName(name: string): string {
  const clean = name
    .toWellFormed()
    .replace(/\p{Cc}/gu, "")
    .trim()
    .slice(-255);
  return clean === "" ? "file" : clean;
}

/** A file whose bytes will be sent to a signed URL. */
export async function startUpload(
  deps: Deps,
  wanted: NewImport & { readonly id: string; readonly ownerId: string | null },
): Promise<StartedImport> {
  const row = await addImport(deps, wanted);
  if (row.state !== "uploading") throw new AppError("conflict", "This upload has ended already.");
  const upload = await orTakeBack(deps, row, async () => {
    await deps.files.ensureBucket();
    return deps.files.createUpload(row.path);
  });
  return { import: toImport(row), upload };
}

/** Accepts what was sent to the signed URL. Sent again, it answers the same import. */
export async function completeUpload(deps: Deps, caller: Caller, id: string): Promise<InteractionImport> {
  const row = await transactAs(deps.sql, caller, (transaction) => getImport(transaction, id));
  if (row.jobId !== null) return toImport(row);
  if (row.state !== "uploading") throw endedBefore(row);
  const findings = await inspectUpload(deps, row).catch(async (error: unknown) => {
    if (error instanceof AppError && !error.retryable && error.code !== "conflict")
      await refuse(deps, row, error);
    throw error;
  });
  return toImport(await accept(deps, row, findings));
}

function endedBefore({ errorCode, errorMessage }: ImportRow): AppError {
  const isLate = errorCode === "upload_expired";
  return new AppError(
    isLate ? "upload_expired" : "conflict",
    errorMessage ?? "This import cannot be completed any more.",
  );
}

/** Nothing there yet is a conflict: it may still come. */
async function inspectUpload(
  deps: Deps,
  { path, fileName, sizeBytes, options }: ImportRow,
): Promise<ImportFindings> {
  const found = await deps.files.find(path);
  const bytes = found && (await deps.files.readRange(path, 0, lookBytes));
  if (!found || !bytes) throw new AppError("conflict", "Nothing was sent to the upload's URL yet.");
  if (found.sizeBytes > importBytesMax) {
    throw new AppError("payload_too_large", `A file may have ${importBytesMax} bytes.`);
  }
  if (found.sizeBytes !== sizeBytes) {
    throw new AppError(
      "invalid_request",
      `${found.sizeBytes} bytes were sent where ${sizeBytes} were announced.`,
    );
  }
  return inspectStart({ bytes, sizeBytes: found.sizeBytes, fileName, options });
}

async function refuse(deps: Deps, row: ImportRow, { code, message }: AppError): Promise<void> {
  await transactAs(deps.sql, serviceCaller, (transaction) =>
    failImport(transaction, row.id, { code, message }),
  );
  await attempt(deps, "interactions.file_left", () => deps.files.remove([row.path]));
}

type WantedImport = Omit<NewImport, "sizeBytes"> & {
  readonly id: string;
  readonly ownerId: string | null;
  readonly sizeBytes: number;
};

/** A request that is sent again may find the row that its first run made, in any state. */
function addImport({ sql }: Deps, wanted: WantedImport): Promise<ImportRow> {
  const { id, ownerId, fileName, sizeBytes, options } = wanted;
  return transactAs(sql, serviceCaller, async (transaction) => {
    if ((await countUploading(transaction, ownerId)) >= uploadingMax) {
      throw new AppError("quota_exceeded", `${uploadingMax} imports wait for their files already.`, {
        retryAfterSeconds: 60,
      });
    }
    const path = importPath({ id, ownerId });
    await insertImport(transaction, { id, ownerId, fileName, path, sizeBytes, options });
    return getImport(transaction, id);
  });
}

/** The job has the import's id: added again, it is the same. */
function accept({ sql }: Deps, row: ImportRow, findings: ImportFindings): Promise<ImportRow> {
  return transactAs(sql, serviceCaller, async (transaction) => {
    const queued = await queueImport(transaction, row.id, { findings, jobId: row.id });
    if (queued) {
      const payload = { importId: row.id };
      await addJob(transaction, importFile, { id: row.id, payload, ownerId: row.ownerId, subjectId: row.id });
    }
    return queued ?? getImport(transaction, row.id);
  });
}

/** Does what needs storage; when that fails, nothing of the upload is left to the caller. */
async function orTakeBack<T>(deps: Deps, row: ImportRow, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await takeBack(deps, row);
    throw error;
  }
}

function takeBack(deps: Deps, row: ImportRow): Promise<void> {
  return attempt(deps, "interactions.upload_left", () =>
    transactAs(deps.sql, serviceCaller, (transaction) => deleteImport(transaction, row.id)),
  );
}

/** Tidying that the sweep will do if it fails here. */
async function attempt(deps: Deps, event: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    deps.log.warn(event, { error: describeError(error) });
  }
}
