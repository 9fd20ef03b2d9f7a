/** The first step of an import: its rows land, chunk by chunk. */
import { serviceCaller, transactAs } from "../../../shared/callers.ts";
import { AppError } from "../../../shared/errors.ts";
import { ensureSettings } from "../settings-store.ts";
import { type Counts, writeChunk } from "./chunk-store.ts";
import { type Chunk, createChunks, type PrepareChunk } from "./chunks.ts";
import { type Part, partBytes, readParts, recordBytesMax } from "./parts.ts";
import type { FileRow } from "./rows.ts";
import type { CursorOf, ImportRun } from "./under-way.ts";

/** Of a batch of the log. */
const rowsMaxDefault = 1_000;
/** More of them are no slips: the file is not what it is taken for, and each costs looking at megabytes again. */
const brokenRowsMax = 1_000;

type RowsCursor = CursorOf<"rows">;

export async function landRows(run: ImportRun, from: RowsCursor): Promise<void> {
  const { context, row, limits } = run;
  const { files } = run.deps;
  const prepare = await createPreparing(run);
  const { path, sizeBytes, findings } = row;
  const parts = readParts(files, { path, sizeBytes, findings }, from, {
    partBytes: limits.partBytes ?? partBytes,
    recordBytesMax: limits.recordBytesMax ?? recordBytesMax,
  });
  const writer = createWriter(run);
  let cursor = from;
  for await (const part of parts) {
    for (const piece of cutPieces(part, cursor, limits.rowsMax ?? rowsMaxDefault)) {
      context.signal.throwIfAborted();
      const chunk = await prepare(piece.rows, piece.firstNumber);
      await writer.write(chunk, piece.cursor);
      cursor = piece.cursor;
    }
    if (cursor.broken > brokenRowsMax) throw tooManyBroken();
  }
  await writer.settled();
}

function tooManyBroken(): AppError {
  const advice = "Is the delimiter right, and are quotes within fields written twice?";
  return new AppError(
    "invalid_request",
    `More than ${brokenRowsMax} rows open a quote and never close it. ${advice}`,
  );
}

async function createPreparing({ deps, row }: ImportRun): Promise<PrepareChunk> {
  const { ownerId, findings, options } = row;
  const { redact } = await transactAs(deps.sql, serviceCaller, (transaction) =>
    ensureSettings(transaction, ownerId),
  );
  const importedAt = new Date(row.createdAt);
  return createChunks(deps.sql, { ownerId, findings, options, redact, importedAt, now: deps.now() });
}

interface Piece {
  readonly rows: readonly FileRow[];
  /** Of its first row in the file, from 1. */
  readonly firstNumber: number;
  /** Once it is written. */
  readonly cursor: RowsCursor;
}

/** What is left of a part, in pieces of about the same size; a part without rows is one piece, which says how far reading is. */
function* cutPieces(part: Part, before: RowsCursor, rowsMax: number): Generator<Piece> {
  const { rows, from, to } = part;
  const skipped = Math.min(before.rowsDone, rows.length);
  const left = rows.length - skipped;
  const pieces = Math.max(1, Math.ceil(left / rowsMax));
  const size = Math.ceil(left / pieces);
  for (let piece = 0; piece < pieces; piece++) {
    const begin = skipped + piece * size;
    const end = Math.min(begin + size, rows.length);
    const isLast = piece === pieces - 1;
    const cursor: RowsCursor = isLast
      ? {
          phase: "rows",
          offset: to.offset,
          isSkipping: to.isSkipping,
          rowsBefore: before.rowsBefore + rows.length,
          // An earlier run may have seen more rows in one part.
          rowsDone: before.rowsDone - skipped,
          broken: before.broken + part.broken,
        }
      : { ...before, offset: from.offset, isSkipping: from.isSkipping, rowsDone: end };
    yield { rows: rows.slice(begin, end), firstNumber: before.rowsBefore + begin + 1, cursor };
  }
}

/** So many chunks wait to be written while the next is made ready: with one, this process would stand idle until it is. */
const chunksWaitingMax = 2;

/** Chunks are written one after another, in their order; after one that fails none is. */
function createWriter({ context, row }: ImportRun) {
  const owned = { id: row.id, ownerId: row.ownerId, duplicates: row.options.duplicates };
  const waiting: Promise<void>[] = [];
  const write = async (chunk: Chunk, cursor: RowsCursor) => {
    let counts: Counts | undefined;
    await context.checkpoint(cursor, async (transaction) => {
      counts = await writeChunk(transaction, owned, { chunk, bytesDone: cursor.offset });
    });
    if (counts) tell(counts, cursor.offset);
  };
  const tell = (counts: Counts, bytesDone: number) => {
    const { rowsLanded, rowsRefused, rowsKnown } = counts;
    context.reportPartial({ rowsLanded, rowsRefused, rowsKnown });
    context.reportProgress(bytesDone, row.sizeBytes, `${rowsLanded} rows are in the log.`);
  };
  return {
    async settled(): Promise<void> {
      await Promise.all(waiting);
    },
    async write(chunk: Chunk, cursor: RowsCursor): Promise<void> {
      if (waiting.length >= chunksWaitingMax) await waiting.shift();
      const before = waiting.at(-1) ?? Promise.resolve();
      const writing = before.then(() => write(chunk, cursor));
      // Met by whoever writes next.
      writing.catch(() => {});
      waiting.push(writing);
    },
  };
}
