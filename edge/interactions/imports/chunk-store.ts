/** SQL that lands a chunk of a file: its rows, what is refused, and how far the import is, in one transaction. */
import type { TransactionSql } from "postgres";
import { becomeCaller, serviceCaller } from "../../../shared/callers.ts";
import { AppError } from "../../../shared/errors.ts";
import { refusalsMax } from "../../../shared/interactions/imports.ts";
import { holdSettings, insertBatch } from "../log-store.ts";
import { toArrayText } from "../statistics/hour-store.ts";
import { ownedBy } from "../statistics/settings-lock.ts";
import type { Chunk, Refusal } from "./chunks.ts";

export interface ImportOf {
  readonly id: string;
  readonly ownerId: string | null;
  readonly duplicates: "skip" | "keep";
}

export interface Counts {
  readonly rowsLanded: number;
  readonly rowsRefused: number;
  readonly rowsKnown: number;
}

/** Answers the import's counts from now on. */
export async function writeChunk(
  transaction: TransactionSql,
  { id, ownerId, duplicates }: ImportOf,
  { chunk, bytesDone }: { readonly chunk: Chunk; readonly bytesDone: number },
): Promise<Counts> {
  await becomeCaller(transaction, serviceCaller);
  const { batchId, refusals } = chunk;
  const known =
    duplicates === "skip" ? await listKnown(transaction, { id, ownerId }, chunk.hashes) : noneKnown;
  const isNew = (index: number) => !known.has(chunk.hashes[index] ?? "");
  const rows = known.size === 0 ? chunk.rows : chunk.rows.filter((_, index) => isNew(index));
  const hashes = known.size === 0 ? chunk.hashes : chunk.hashes.filter((_, index) => isNew(index));
  await insertBatch(transaction, { id: batchId, ownerId, rows, hashes, importId: id });
  const counts = await count(transaction, id, {
    bytesDone,
    landed: rows.length,
    known: chunk.rows.length - rows.length,
    refused: refusals.length,
  });
  const room = refusalsMax - (counts.rowsRefused - refusals.length);
  await insertRefusals(transaction, id, refusals.slice(0, Math.max(0, room)));
  return counts;
}

const noneKnown: ReadonlySet<string> = new Set();

/** Those that others brought. Whoever holds the settings decides, so two that bring the same rows at once bring each once. */
async function listKnown(
  transaction: TransactionSql,
  { id, ownerId }: { readonly id: string; readonly ownerId: string | null },
  hashes: readonly string[],
): Promise<ReadonlySet<string>> {
  if (hashes.length === 0) return noneKnown;
  await holdSettings(transaction, ownerId);
  const rows = await transaction<{ rowHash: string }[]>`
    select wanted.row_hash
    from unnest(${toArrayText(hashes)}::text::uuid[]) as wanted (row_hash)
    -- One look into the index each, whatever the planner believes of a table that grows so fast.
    cross join lateral (
      select
      from parlance.interactions
      where interactions.${ownedBy(transaction, ownerId)}
        and interactions.row_hash = wanted.row_hash
        and interactions.import_id is distinct from ${id}
      limit 1
    ) as known
  `;
  return new Set(rows.map(({ rowHash }) => rowHash));
}

async function count(
  transaction: TransactionSql,
  id: string,
  {
    bytesDone,
    landed,
    known,
    refused,
  }: { bytesDone: number; landed: number; known: number; refused: number },
): Promise<Counts> {
  const [counts] = await transaction<Counts[]>`
    update parlance.interaction_imports
    set bytes_done = ${bytesDone},
      rows_landed = rows_landed + ${landed},
      rows_known = rows_known + ${known},
      rows_refused = rows_refused + ${refused}
    where id = ${id} and state = 'running'
    returning rows_landed, rows_refused, rows_known
  `;
  if (counts) return counts;
  throw new AppError("gone", "The import was deleted.");
}

async function insertRefusals(
  transaction: TransactionSql,
  id: string,
  refusals: readonly Refusal[],
): Promise<void> {
  if (refusals.length === 0) return;
  await transaction`
    insert into parlance.import_refusals (import_id, row_number, reason, row)
    select ${id}::uuid, row_number, reason, row
    from json_to_recordset(${JSON.stringify(
      refusals.map(({ rowNumber, reason, row }) => ({ row_number: rowNumber, reason, row })),
    )}::text::json) as refused (row_number integer, reason text, row text)
  `;
}
