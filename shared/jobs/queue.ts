/**
 * The job protocol: thin, typed calls of the SQL functions that hold its rules. Whoever adds a job does it in
 * the transaction of the row that needs it; whoever ends one lands its result in the same transaction.
 */
import type { Sql, TransactionSql } from "postgres";
import { AppError } from "../errors.ts";
import { createId } from "../ids.ts";
import type { JobError, JobLane, JobState } from "./contract.ts";
import type { AnyJobKind, JobKind } from "./kinds.ts";

type Database = Sql | TransactionSql;

export interface NewJob<Payload> {
  payload: Payload;
  /** Null: the house's. */
  ownerId: string | null;
  subjectId?: string;
  /** The key of the model that a worker must offer to claim it. */
  model?: string;
  /** While a job of this kind and key is open, no second one is added. */
  uniqueKey?: string;
  delaySeconds?: number;
}

/** A job that this worker holds; `claim` fences everything it does with it. */
export interface ClaimedJob {
  readonly id: string;
  readonly kind: string;
  readonly lane: JobLane;
  readonly ownerId: string | null;
  readonly subjectId: string | null;
  readonly payload: unknown;
  readonly attempts: number;
  readonly attemptsMax: number;
  readonly claim: number;
  /** W3C Trace Context of the request that added it, where there was one. */
  readonly traceparent: string | null;
}

export type Claim = Pick<ClaimedJob, "id" | "claim">;

/** Adds a job and returns its id, or that of the open one with the same unique key. Needs the service role. */
export async function addJob<Payload>(
  sql: Database,
  kind: JobKind<Payload, never> | JobKind<Payload, unknown> | AnyJobKind,
  job: NewJob<Payload>,
): Promise<string> {
  const payload = kind.payload.parse(job.payload);
  const [row] = await sql<{ id: string }[]>`
    select parlance.add_job(
      id => ${createId()},
      kind => ${kind.name},
      payload => ${sql.json(payload)},
      owner_id => ${job.ownerId},
      subject_id => ${job.subjectId ?? null},
      lane => ${kind.lane}::parlance.job_lane,
      unique_key => ${job.uniqueKey ?? null},
      attempts_max => ${kind.attemptsMax},
      delay_seconds => ${job.delaySeconds ?? 0},
      model => ${job.model ?? null}
    ) as id
  `;
  if (!row) throw new AppError("unexpected", "The job was not added.");
  return row.id;
}

export interface ClaimOptions {
  workerId: string;
  kinds: readonly string[];
  /** Models that the worker offers. */
  models?: readonly string[];
  lanes: readonly JobLane[];
  jobsMax: number;
  leaseSeconds: number;
}

/** Claims up to `jobsMax` jobs, interactive first. */
export async function claimJobs(sql: Database, options: ClaimOptions): Promise<ClaimedJob[]> {
  return await sql<ClaimedJob[]>`
    select id, kind, lane, owner_id, subject_id, payload, attempts, attempts_max, claim, traceparent
    from parlance.claim_jobs(
      ${options.workerId},
      ${[...options.kinds]}::text[],
      ${[...options.lanes]}::text[]::parlance.job_lane[],
      ${options.jobsMax},
      ${options.leaseSeconds},
      ${[...(options.models ?? [])]}::text[]
    )
  `;
}

/** Prolongs the leases of these claims; what is not in the answer is lost. */
export async function heartbeatJobs(
  sql: Database,
  claims: readonly Claim[],
  leaseSeconds: number,
): Promise<{ id: string; claim: number; cancelRequested: boolean }[]> {
  if (claims.length === 0) return [];
  return await sql<{ id: string; claim: number; cancelRequested: boolean }[]>`
    select id, claim, cancel_requested
    from parlance.heartbeat_jobs(
      ${claims.map((held) => held.id)}::uuid[],
      ${claims.map((held) => String(held.claim))}::text[]::bigint[],
      ${leaseSeconds}
    )
  `;
}

/** False when the claim is lost. */
export async function reportProgress(
  sql: Database,
  held: Claim,
  progress: { done: number; total: number; message?: string | undefined },
): Promise<boolean> {
  const [row] = await sql<{ held: boolean }[]>`
    select parlance.report_progress(
      ${held.id}, ${held.claim}, ${progress.done}, ${progress.total}, ${progress.message ?? null}
    ) as held
  `;
  return row?.held ?? false;
}

/** Ends a claim as done; false when it is lost: then nothing may land. */
export async function completeJob(
  sql: Database,
  held: Claim,
  result: Record<string, unknown>,
): Promise<boolean> {
  const [row] = await sql<{ ended: boolean }[]>`
    select parlance.complete_job(${held.id}, ${held.claim}, ${sql.json(result as never)}) as ended
  `;
  return row?.ended ?? false;
}

/** The state that the failure led to, or undefined when the claim is lost. */
export async function failJob(
  sql: Database,
  held: Claim,
  error: JobError & { retryable: boolean },
): Promise<JobState | undefined> {
  const [row] = await sql<{ state: JobState | null }[]>`
    select parlance.fail_job(
      ${held.id}, ${held.claim}, ${error.code}, ${error.message}, ${error.retryable}
    ) as state
  `;
  return row?.state ?? undefined;
}

/** Hands a claim back untried: `queued`, or `cancelled` when that was asked for; undefined when it is lost. */
export async function releaseJob(sql: Database, held: Claim): Promise<JobState | undefined> {
  const [row] = await sql<{ state: JobState | null }[]>`
    select parlance.release_job(${held.id}, ${held.claim}) as state
  `;
  return row?.state ?? undefined;
}

/**
 * Asks for a job's end and lands it when that ended it at once. Needs the service role: whether the caller may
 * ask is decided before, by what they can see.
 */
export async function cancelJob(
  transaction: TransactionSql,
  kinds: ReadonlyMap<string, AnyJobKind>,
  job: { id: string; kind: string; ownerId: string | null; subjectId: string | null },
): Promise<JobState | undefined> {
  const [row] = await transaction<{ state: JobState; endedNow: boolean }[]>`
    select state, ended_now from parlance.cancel_job(${job.id})
  `;
  if (row?.endedNow) await kinds.get(job.kind)?.landFailure(transaction, job, cancelledError);
  return row?.state;
}

export const cancelledError: JobError = { code: "cancelled", message: "Cancelled on request." };

/** A job whose worker is gone, and what became of it. */
interface ExpiredJob {
  readonly id: string;
  readonly kind: string;
  readonly ownerId: string | null;
  readonly subjectId: string | null;
  readonly state: JobState;
}

/**
 * Takes back the jobs of workers that are gone and lands those that ended by it, each in a transaction of its own:
 * one whose landing is refused keeps its claim, is told at the end and holds up no other. Answers how many were
 * taken.
 */
export async function rescueJobs(
  sql: Sql,
  kinds: ReadonlyMap<string, AnyJobKind>,
  jobsMax = 1000,
): Promise<number> {
  const refused: string[] = [];
  const errors: unknown[] = [];
  let rescued = 0;
  while (rescued + refused.length < jobsMax) {
    let job: ExpiredJob | undefined;
    try {
      await sql.begin(async (transaction) => {
        job = await expireLease(transaction, refused);
        if (job) await landExpiry(transaction, kinds, job);
      });
      if (!job) break;
      rescued += 1;
    } catch (error) {
      if (!job) throw error;
      refused.push(job.id);
      errors.push(error);
    }
  }
  if (errors.length > 0) throw new AggregateError(errors, `not landed: ${refused.join(", ")}`);
  return rescued;
}

async function expireLease(
  transaction: TransactionSql,
  exceptIds: string[],
): Promise<ExpiredJob | undefined> {
  const [job] = await transaction<ExpiredJob[]>`
    select id, kind, owner_id, subject_id, state from parlance.expire_leases(1, ${exceptIds}::uuid[])
  `;
  return job;
}

async function landExpiry(
  transaction: TransactionSql,
  kinds: ReadonlyMap<string, AnyJobKind>,
  job: ExpiredJob,
): Promise<void> {
  if (job.state === "queued") return;
  const error = job.state === "cancelled" ? cancelledError : leaseExpiredError;
  await kinds.get(job.kind)?.landFailure(transaction, job, error);
}

/** The same words as `expire_leases` writes. */
const leaseExpiredError: JobError = {
  code: "lease_expired",
  message: "The worker that ran this stopped answering.",
};
