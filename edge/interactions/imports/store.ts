/** SQL of imports: read as the caller, under row level security; written as the service role. */
import type { TransactionSql } from "postgres";
import type { ImportFindings, ImportOptions, ImportState } from "../../../shared/interactions/imports.ts";
import { ownedBy } from "../statistics/settings-lock.ts";

export interface ImportRow {
  readonly id: string;
  readonly ownerId: string | null;
  readonly fileName: string;
  readonly path: string;
  readonly sizeBytes: number | null;
  readonly options: ImportOptions;
  /** Empty until the file is there. */
  readonly findings: ImportFindings | Record<string, never>;
  readonly state: ImportState;
  readonly jobId: string | null;
  readonly bytesDone: number;
  readonly rowsLanded: number;
  readonly rowsRefused: number;
  readonly rowsKnown: number;
  readonly alerts: number;
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
  readonly createdAt: string;
  readonly finishedAt: string | null;
}

const importColumns = (sql: TransactionSql) => sql`
  id, owner_id, file_name, path, size_bytes, options, findings, state, job_id, bytes_done, rows_landed, rows_refused,
  rows_known, alerts, error_code, error_message, created_at, finished_at
`;

export type NewImportRow = Pick<ImportRow, "id" | "ownerId" | "fileName" | "path" | "sizeBytes" | "options">;

/** Does nothing where the id is there already: the same request came again. */
export async function insertImport(sql: TransactionSql, row: NewImportRow): Promise<void> {
  await sql`
    insert into parlance.interaction_imports (id, owner_id, file_name, path, size_bytes, options, state)
    values (
      ${row.id}, ${row.ownerId}, ${row.fileName}, ${row.path}, ${row.sizeBytes}, ${sql.json(row.options as never)},
      'uploading'
    )
    on conflict (id) do nothing
  `;
}

export async function countUploading(sql: TransactionSql, ownerId: string | null): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*)::integer as count
    from parlance.interaction_imports
    where ${ownedBy(sql, ownerId)} and state = 'uploading' and finished_at is null
  `;
  return row?.count ?? 0;
}

export async function findImport(sql: TransactionSql, id: string): Promise<ImportRow | undefined> {
  const [row] = await sql<ImportRow[]>`
    select ${importColumns(sql)}
    from parlance.interaction_imports
    where id = ${id}
  `;
  return row;
}

/** An owner's, or for null the house's, newest first. */
export async function listImports(
  sql: TransactionSql,
  ownerId: string | null,
  { beforeId, limit }: { readonly beforeId: string | undefined; readonly limit: number },
): Promise<ImportRow[]> {
  return await sql<ImportRow[]>`
    select ${importColumns(sql)}
    from parlance.interaction_imports
    where ${ownedBy(sql, ownerId)}
      and ${beforeId === undefined ? sql`true` : sql`id < ${beforeId}`}
    order by id desc
    limit ${limit}
  `;
}

/** The file is there: undefined where the import does not wait for it any more. */
export async function queueImport(
  sql: TransactionSql,
  id: string,
  { findings, jobId }: { readonly findings: ImportFindings; readonly jobId: string },
): Promise<ImportRow | undefined> {
  const [row] = await sql<ImportRow[]>`
    update parlance.interaction_imports
    set state = 'queued',
      findings = ${sql.json(findings as never)},
      job_id = ${jobId}
    where id = ${id} and state = 'uploading'
    returning ${importColumns(sql)}
  `;
  return row;
}

/** One whose file was refused, or never came. */
export async function failImport(
  sql: TransactionSql,
  id: string,
  { code, message }: { readonly code: string; readonly message: string },
): Promise<void> {
  await sql`
    update parlance.interaction_imports
    set state = 'failed',
      error_code = ${code},
      error_message = ${message},
      finished_at = clock_timestamp()
    where id = ${id} and state = 'uploading'
  `;
}

export async function deleteImport(sql: TransactionSql, id: string): Promise<void> {
  await sql`
    delete from parlance.interaction_imports
    where id = ${id}
  `;
}

/** Undefined where it has ended, or is gone. */
export async function startImport(sql: TransactionSql, id: string): Promise<ImportRow | undefined> {
  const [row] = await sql<ImportRow[]>`
    update parlance.interaction_imports
    set state = 'running'
    where id = ${id} and state in ('queued', 'running')
    returning ${importColumns(sql)}
  `;
  return row;
}

export interface RefusedRow {
  readonly rowNumber: number;
  readonly reason: string;
  readonly row: string;
}

export async function listRefusals(
  sql: TransactionSql,
  importId: string,
  { after, limit }: { readonly after: number; readonly limit: number },
): Promise<RefusedRow[]> {
  return await sql<RefusedRow[]>`
    select row_number, reason, row
    from parlance.import_refusals
    where import_id = ${importId} and row_number > ${after}
    order by row_number
    limit ${limit}
  `;
}
