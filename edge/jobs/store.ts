import type { Sql, TransactionSql } from "postgres";
import { AppError } from "../../shared/errors.ts";
import type { Job, JobEvent, JobLane, JobState } from "../../shared/jobs/contract.ts";

export interface JobRow {
  id: string;
  kind: string;
  lane: JobLane;
  ownerId: string | null;
  subjectId: string | null;
  state: JobState;
  result: Record<string, unknown> | null;
  partial: Record<string, unknown> | null;
  errorCode: string | null;
  errorMessage: string | null;
  progressDone: number;
  progressTotal: number | null;
  progressMessage: string | null;
  attempts: number;
  attemptsMax: number;
  leaseLosses: number;
  runAfter: string;
  deadlineAt: string | null;
  cancelRequestedAt: string | null;
  eventSequence: number;
  eventsPrunedTo: number;
  createdAt: string;
  startedAt: string | null;
  finishedAt: string | null;
}

/** What a list of jobs is narrowed to. */
export interface JobFilter {
  /** Null: the house's jobs; undefined: everyone's that the caller may see. */
  ownerId: string | null | undefined;
  state?: JobState | undefined;
  kind?: string | undefined;
  subjectId?: string | undefined;
  /** Only jobs older than this one. */
  beforeId?: string | undefined;
}

export const jobColumns = (sql: Sql | TransactionSql) => sql`
  id, kind, lane, owner_id, subject_id, state, result, partial, error_code, error_message,
  progress_done, progress_total, progress_message, attempts, attempts_max, lease_losses, run_after, deadline_at,
  cancel_requested_at, event_sequence, events_pruned_to, created_at, started_at, finished_at
`;

/** Null: the house's; undefined: everyone's that the caller may see. */
export function ownedBy(sql: Sql | TransactionSql, ownerId: string | null | undefined) {
  if (ownerId === undefined) return sql`true`;
  return ownerId === null ? sql`owner_id is null` : sql`owner_id = ${ownerId}`;
}

/** Newest first: ids are made in the order of time. */
export async function listJobs(sql: TransactionSql, filter: JobFilter, limit: number): Promise<Job[]> {
  const { ownerId, state, kind, subjectId, beforeId } = filter;
  const rows = await sql<JobRow[]>`
    select ${jobColumns(sql)}
    from parlance.job_views
    where ${ownedBy(sql, ownerId)}
      and ${state ? sql`state = ${state}` : sql`true`}
      and ${kind ? sql`kind = ${kind}` : sql`true`}
      and ${subjectId ? sql`subject_id = ${subjectId}` : sql`true`}
      and ${beforeId ? sql`id < ${beforeId}` : sql`true`}
    order by id desc
    limit ${limit}
  `;
  return rows.map(toJob);
}

export async function findJob(
  sql: TransactionSql,
  id: string,
): Promise<{ job: Job; eventsPrunedTo: number } | undefined> {
  const [row] = await sql<JobRow[]>`
    select ${jobColumns(sql)}
    from parlance.job_views
    where id = ${id}
  `;
  return row && { job: toJob(row), eventsPrunedTo: row.eventsPrunedTo };
}

/** What the caller may not see is not there. */
export async function getJob(sql: TransactionSql, id: string): Promise<{ job: Job; eventsPrunedTo: number }> {
  const found = await findJob(sql, id);
  if (!found) throw new AppError("not_found", "There is no such job.");
  return found;
}

/** The events after a sequence, in order. */
export async function listJobEvents(
  sql: TransactionSql,
  jobId: string,
  page: { after: number; limit: number },
): Promise<JobEvent[]> {
  const rows = await sql<{ data: JobEvent }[]>`
    select parlance.list_job_events(${jobId}, ${page.after}, ${page.limit}) as data
  `;
  return rows.map((row) => row.data);
}

/** One batch; answers how many rows went. */
export async function pruneJobs(
  sql: Sql,
  days: { jobsKept: number; eventsKept: number },
  rowsMax: number,
): Promise<number> {
  const [row] = await sql<{ rowsRemoved: number }[]>`
    select parlance.prune_jobs(
      now() - make_interval(days => ${days.jobsKept}),
      now() - make_interval(days => ${days.eventsKept}),
      ${rowsMax}
    ) as rows_removed
  `;
  return row?.rowsRemoved ?? 0;
}

export async function removeOldIdempotencyKeys(sql: Sql, rowsMax: number): Promise<number> {
  const { count } = await sql`
    delete from parlance.idempotency_keys
    where (owner, route, key) in (
      select owner, route, key
      from parlance.idempotency_keys
      where created_at < now() - interval '24 hours'
      limit ${rowsMax}
    )
  `;
  return count;
}

export async function removeIdleRateBuckets(sql: Sql, rowsMax: number): Promise<number> {
  const { count } = await sql`
    delete from parlance.rate_buckets
    where (subject, route_class) in (
      select subject, route_class
      from parlance.rate_buckets
      where updated_at < now() - interval '1 day'
      limit ${rowsMax}
    )
  `;
  return count;
}

/** What was asked long ago, and more than `rowsKept`: whoever searches for new words adds a row. */
export async function removeOldQueryVectors(sql: Sql, rowsMax: number, rowsKept = 100_000): Promise<number> {
  const { count } = await sql`
    delete from parlance.query_vectors
    where (space_id, query) in (
      select space_id, query
      from parlance.query_vectors
      where created_at < greatest(
        now() - interval '30 days',
        (select created_at from parlance.query_vectors order by created_at desc offset ${rowsKept - 1} limit 1)
      )
      limit ${rowsMax}
    )
  `;
  return count;
}

/** Searches that recall is no longer measured on. */
export async function removeOldSearches(sql: Sql, rowsMax: number): Promise<number> {
  const { count } = await sql`
    delete from parlance.searches
    where id in (
      select id
      from parlance.searches
      where created_at < now() - interval '30 days'
      limit ${rowsMax}
    )
  `;
  return count;
}

/** Vectors of pictures that were searched by and have had their hour. */
export async function removeExpiredPictureQueries(sql: Sql, rowsMax: number): Promise<number> {
  const { count } = await sql`
    delete from parlance.picture_queries
    where id in (
      select id
      from parlance.picture_queries
      where expires_at < now()
      order by expires_at
      limit ${rowsMax}
    )
  `;
  return count;
}

/** Rows of the ledger of webhooks that are older than 30 days. */
export async function removeOldDeliveries(sql: Sql, rowsMax: number): Promise<number> {
  const [row] = await sql<{ rowsRemoved: number }[]>`
    select parlance.prune_webhook_deliveries(now() - interval '30 days', ${rowsMax}) as rows_removed
  `;
  return row?.rowsRemoved ?? 0;
}

export function toJob(row: JobRow): Job {
  const { id, kind, lane, ownerId, subjectId, state, result, attempts, attemptsMax } = row;
  return {
    id,
    kind,
    lane,
    ownerId,
    subjectId,
    state,
    progress: { done: row.progressDone, total: row.progressTotal, message: row.progressMessage },
    result,
    partial: row.partial,
    error: row.errorCode === null ? null : { code: row.errorCode, message: row.errorMessage ?? "" },
    attempts,
    attemptsMax,
    leaseLosses: row.leaseLosses,
    runAfter: row.runAfter,
    deadlineAt: row.deadlineAt,
    cancelRequestedAt: row.cancelRequestedAt,
    lastSequence: row.eventSequence,
    createdAt: row.createdAt,
    startedAt: row.startedAt,
    finishedAt: row.finishedAt,
  };
}
