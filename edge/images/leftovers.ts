/** SQL that finds and ends what crashes leave behind. Needs the service role. */
import type { TransactionSql } from "postgres";
import { imageBucket } from "../../shared/images/contract.ts";
import { ingestImage } from "../../shared/images/kinds.ts";

/** Fails uploads that are older than that and were never completed; answers how many. */
export async function expireUploads(
  sql: TransactionSql,
  olderThanSeconds: number,
  rowsMax: number,
): Promise<number> {
  const expired = await sql`
    update parlance.images
    set state = 'failed',
      error_code = 'upload_expired',
      error_message = 'The upload was not completed in time.'
    where id in (
      select id
      from parlance.images
      where state = 'uploading'
        and created_at < now() - make_interval(secs => ${olderThanSeconds})
      order by created_at
      limit ${rowsMax}
      for update skip locked
    )
  `;
  return expired.count;
}

/** Pictures in work on which no job works. One statement: a job ends in the transaction that ends its picture. */
export async function listStranded(
  sql: TransactionSql,
  rowsMax: number,
): Promise<{ id: string; ownerId: string | null }[]> {
  return await sql<{ id: string; ownerId: string | null }[]>`
    select id, owner_id
    from parlance.images
    where state = 'processing'
      and not exists (
        select
        from parlance.job_views as jobs
        where jobs.subject_id = images.id
          and jobs.kind = ${ingestImage.name}
          and jobs.state in ('queued', 'running')
      )
    order by created_at
    limit ${rowsMax}
  `;
}

/**
 * Objects that were last written longer ago than that and that no row names, in the order of their paths. A row
 * names its original unless it failed before it was accepted (then it has no media type), and its derivatives while
 * it is in work or once they are listed. `after` is the last path of the batch before.
 */
export async function listOrphans(
  sql: TransactionSql,
  orphans: { olderThanSeconds: number; after: string; rowsMax: number },
): Promise<string[]> {
  const rows = await sql<{ name: string }[]>`
    with named as (
      select concat_ws('/', coalesce(owner_id::text, 'house'), id, variant) as path
      from parlance.images
      cross join lateral unnest(
        case when state = 'failed' and media_type is null then '{}' else '{original}'::text[] end
        || case when state = 'processing' then '{display,thumbnail}' else variants end
      ) as variant
    )
    select name
    from storage.objects
    where bucket_id = ${imageBucket}
      and coalesce(updated_at, created_at) < now() - make_interval(secs => ${orphans.olderThanSeconds})
      and name collate "C" > ${orphans.after}
      and not exists (select from named where path = name)
    order by name collate "C"
    limit ${orphans.rowsMax}
  `;
  return rows.map((row) => row.name);
}
