/** Ends imports whose file never came, and removes files that no import needs. */
import type { Sql, TransactionSql } from "postgres";
import { serviceCaller, transactAs } from "../../../shared/callers.ts";
import { type ImportSweepOutcome, sweepImports } from "../../../shared/interactions/import-kinds.ts";
import { importBucket } from "../../../shared/interactions/imports.ts";
import { defineTask, type Task, type TaskContext } from "../../../shared/jobs/kinds.ts";
import type { Deps } from "../../deps.ts";

export interface ImportSweepLimits {
  /** A signed URL lives for two hours. Default 2 h 10 min. */
  readonly uploadSeconds?: number;
  /** A failed import may be tried again for so long. Default a day. */
  readonly failedSeconds?: number;
  /** A file younger than that may belong to an upload that is under way. Default 2 h. */
  readonly objectSeconds?: number;
  /** Default 500. */
  readonly filesMax?: number;
}

const batchesMax = 20;

export function createImportSweep(deps: Pick<Deps, "sql" | "files">, limits: ImportSweepLimits = {}): Task {
  return defineTask(sweepImports, (_payload, context) => sweep(deps, limits, context));
}

async function sweep(
  { sql, files }: Pick<Deps, "sql" | "files">,
  {
    uploadSeconds = 2 * 3600 + 600,
    failedSeconds = 24 * 3600,
    objectSeconds = 2 * 3600,
    filesMax = 500,
  }: ImportSweepLimits,
  { signal }: TaskContext,
): Promise<ImportSweepOutcome> {
  const uploadsExpired = await expireUploads(sql, uploadSeconds);
  let filesRemoved = 0;
  for (let batch = 0; batch < batchesMax && !signal.aborted; batch++) {
    const paths = await transactAs(sql, serviceCaller, (transaction) =>
      listNeedless(transaction, { objectSeconds, failedSeconds, filesMax }),
    );
    if (paths.length === 0) break;
    await files.remove(paths);
    filesRemoved += paths.length;
  }
  return { uploadsExpired, filesRemoved };
}

function expireUploads(sql: Sql, olderThanSeconds: number): Promise<number> {
  return transactAs(sql, serviceCaller, async (transaction) => {
    const expired = await transaction`
      update parlance.interaction_imports
      set state = 'failed',
        error_code = 'upload_expired',
        error_message = 'The file was not sent in time; begin again.',
        finished_at = clock_timestamp()
      where state = 'uploading'
        and finished_at is null
        and created_at < now() - make_interval(secs => ${olderThanSeconds})
    `;
    return expired.count;
  });
}

interface Needless {
  readonly objectSeconds: number;
  readonly failedSeconds: number;
  readonly filesMax: number;
}

/** An import names its file while it may still be read: until it is done or cancelled, and for a while after it failed. */
async function listNeedless(
  sql: TransactionSql,
  { objectSeconds, failedSeconds, filesMax }: Needless,
): Promise<string[]> {
  const rows = await sql<{ name: string }[]>`
    select objects.name
    from storage.objects
    where objects.bucket_id = ${importBucket}
      and not exists (
        select
        from parlance.interaction_imports as imports
        where imports.path = objects.name
          and (
            imports.finished_at is null
            or (imports.state = 'failed' and imports.finished_at > now() - make_interval(secs => ${failedSeconds}))
          )
      )
      and (
        coalesce(objects.updated_at, objects.created_at) < now() - make_interval(secs => ${objectSeconds})
        or exists (
          select
          from parlance.interaction_imports as imports
          where imports.path = objects.name
            and imports.state in ('done', 'cancelled')
        )
      )
    order by objects.name
    limit ${filesMax}
  `;
  return rows.map(({ name }) => name);
}
