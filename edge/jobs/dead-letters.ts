/** SQL of failed jobs, and how many of them are tried again. */
import type { Sql, TransactionSql } from "postgres";
import { becomeCaller, serviceCaller, transactAs } from "../../shared/callers.ts";
import { AppError } from "../../shared/errors.ts";
import type { AnyJobKind } from "../../shared/jobs/kinds.ts";
import {
  type DeadLetter,
  type NewRedrive,
  operatingLimits,
  type Redrive,
} from "../../shared/jobs/operating.ts";
import { retryJob } from "../../shared/jobs/queue.ts";
import { ownedBy } from "./store.ts";

export interface DeadLetterFilter {
  /** Null: the house's; undefined: everyone's that the caller may see. */
  readonly ownerId: string | null | undefined;
  readonly kind?: string | undefined;
  readonly code?: string | undefined;
  readonly before?: { readonly finishedAt: string; readonly id: string } | undefined;
}

/** The newest failure first. */
export async function listDeadLetters(
  sql: TransactionSql,
  { ownerId, kind, code, before }: DeadLetterFilter,
  limit: number,
): Promise<DeadLetter[]> {
  const rows = await sql<(Omit<DeadLetter, "error"> & { errorCode: string; errorMessage: string })[]>`
    select
      id, kind, lane, owner_id, subject_id, payload, error_code, error_message, attempts, attempts_max, lease_losses,
      coalesce(events, '[]') as events, created_at, started_at, finished_at
    from parlance.dead_letters
    where ${ownedBy(sql, ownerId)}
      and ${kind === undefined ? sql`true` : sql`kind = ${kind}`}
      and ${code === undefined ? sql`true` : sql`error_code = ${code}`}
      and ${before ? sql`(finished_at, id) < (${before.finishedAt}::timestamptz, ${before.id}::uuid)` : sql`true`}
    order by finished_at desc, id desc
    limit ${limit}
  `;
  return rows.map(({ errorCode, errorMessage, ...letter }) => ({
    ...letter,
    error: { code: errorCode, message: errorMessage },
  }));
}

interface FailedJob {
  readonly id: string;
  readonly kind: string;
  readonly ownerId: string | null;
  readonly subjectId: string | null;
}

/**
 * Tries failed jobs again, the oldest failure first. Each in a transaction of its own: one that is refused holds up no
 * other, and what was retried stays so when the request breaks off.
 */
export async function redrive(
  sql: Sql,
  kinds: ReadonlyMap<string, AnyJobKind>,
  wanted: NewRedrive,
  signal?: AbortSignal,
): Promise<Redrive> {
  const found = await transactAs(sql, serviceCaller, (transaction) => listFailed(transaction, wanted));
  const chosen = found.slice(0, wanted.limit);
  const refused: Redrive["refused"] = [];
  let retried = 0;
  for (const job of chosen) {
    if (signal?.aborted) break;
    const refusal = await retryOne(sql, kinds, job);
    if (refusal) refused.push({ id: job.id, ...refusal });
    else retried += 1;
  }
  const left = Math.min(operatingLimits.redrivenMax, found.length - retried - refused.length);
  return { retried, refused, left };
}

function listFailed(sql: TransactionSql, { kind, code, ids, limit }: NewRedrive): Promise<FailedJob[]> {
  return sql<FailedJob[]>`
    select id, kind, owner_id, subject_id
    from parlance.dead_letters
    where ${kind === undefined ? sql`true` : sql`kind = ${kind}`}
      and ${code === undefined ? sql`true` : sql`error_code = ${code}`}
      and ${ids === undefined ? sql`true` : sql`id = any (${ids}::uuid[])`}
    order by finished_at, id
    limit ${limit + operatingLimits.redrivenMax}
  `;
}

/** Undefined when it was; else why not. */
async function retryOne(
  sql: Sql,
  kinds: ReadonlyMap<string, AnyJobKind>,
  job: FailedJob,
): Promise<{ code: string; message: string } | undefined> {
  try {
    const isRetried = await sql.begin(async (transaction) => {
      await becomeCaller(transaction, serviceCaller);
      return retryJob(transaction, kinds, job);
    });
    return isRetried ? undefined : { code: "conflict", message: "It is no longer failed." };
  } catch (error) {
    if (error instanceof AppError) return { code: error.code, message: error.message };
    throw error;
  }
}
