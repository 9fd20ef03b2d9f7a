/**
 * The job protocol: thin, typed calls of the SQL functions that hold its rules. Whoever adds a job does it in
 * the transaction of the row that needs it; whoever ends one lands its result in the same transaction.
 */
import type { Sql, TransactionSql } from "postgres";
import { databaseErrorCode } from "../database.ts";
import { AppError } from "../errors.ts";
import { createId } from "../ids.ts";
import type { JobError, JobLane, JobState } from "./contract.ts";
import { type AnyJobKind, findClock, type JobKind } from "./kinds.ts";

type Database = Sql | TransactionSql;

export interface NewJob<Payload> {
  /** Default: a new one. Adding an id again changes nothing. */
  id?: string;
  payload: Payload;
  /** Null: the house's. */
  ownerId: string | null;
  subjectId?: string;
  /** The key of the model that a worker must offer to claim it. */
  model?: string;
  uniqueKey?: string;
  /**
   * What happens while a job of this kind and unique key is open. `skip` (default): nothing is added. `replace`: the
   * one that waits takes the payload; beside one that runs, another is added. `debounce`: as `replace`, and the wait
   * of `delaySeconds` begins anew.
   */
  onOpen?: "skip" | "replace" | "debounce";
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
  /** Where the last run was when it saved that; null when there is nothing to go on from. */
  readonly cursor: unknown;
  readonly attempts: number;
  readonly attemptsMax: number;
  readonly claim: number;
  /** Its place in the lane: whoever claimed it need not look before it again. */
  readonly turn: number;
  /** From the claim to its deadline, by the database's clock; null: it has none. */
  readonly deadlineSeconds: number | null;
  /** When it was claimed, by `performance.now()`. */
  readonly claimedAtMs: number;
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
  const [id] = await addJobs(sql, kind, [job]);
  if (!id) throw new AppError("unexpected", "The job was not added.");
  return id;
}

/** Adds many in one statement, all or none; answers their ids in order. A few thousand at once are fine. */
export async function addJobs<Payload>(
  sql: Database,
  kind: JobKind<Payload, never> | JobKind<Payload, unknown> | AnyJobKind,
  jobs: readonly NewJob<Payload>[],
): Promise<string[]> {
  const rows = jobs.map((job) => ({
    id: job.id ?? createId(),
    kind: kind.name,
    lane: kind.lane,
    clock: findClock(kind),
    payload: kind.payload.parse(job.payload),
    attempts_max: kind.attemptsMax,
    owner_id: job.ownerId,
    subject_id: job.subjectId,
    model: job.model,
    unique_key: job.uniqueKey,
    on_open: job.onOpen,
    delay_seconds: job.delaySeconds,
    deadline_seconds: kind.deadlineMs === undefined ? undefined : kind.deadlineMs / 1000,
    queued_max: kind.queuedMax,
    queued_per_owner_max: job.ownerId === null ? undefined : kind.queuedPerOwnerMax,
  }));
  try {
    const added = await sql<{ id: string }[]>`select id from parlance.add_jobs(${sql.json(rows as never)})`;
    return added.map(({ id }) => id);
  } catch (error) {
    throw explainRefusal(error);
  }
}

/** The database's word for more jobs than may wait. */
const tooManyWait = "PQ429";

function explainRefusal(error: unknown): unknown {
  if (databaseErrorCode(error) !== tooManyWait) return error;
  const { message, detail } = error as Error & { detail?: string };
  return new AppError("quota_exceeded", `${message.replace(/^./, (first) => first.toUpperCase())}.`, {
    cause: error,
    retryAfterSeconds: Number(detail ?? 30),
  });
}

export interface ClaimOptions {
  workerId: string;
  kinds: readonly Pick<AnyJobKind, "name" | "runningMax" | "runningPerOwnerMax">[];
  lane: JobLane;
  jobsMax: number;
  leaseSeconds: number;
  /** Models that the worker offers. Default none. */
  models?: readonly string[];
  /** Models that it has in memory. Default: all that it offers. */
  loaded?: readonly string[];
  /** How long a job is left to a worker that has its model in memory. Default 2. */
  patienceSeconds?: number;
  /** Turns up to this one are not looked at. Default 0. */
  afterTurn?: number;
}

/** Claims up to `jobsMax` due jobs of a lane, in the order of their turns. */
export async function claimJobs(sql: Database, options: ClaimOptions): Promise<ClaimedJob[]> {
  const { workerId, kinds, lane, jobsMax, leaseSeconds, models = [], loaded = models } = options;
  const claimedAtMs = performance.now();
  const rows = await sql<Omit<ClaimedJob, "lane" | "claimedAtMs">[]>`
    select
      id, kind, owner_id, subject_id, payload, cursor, attempts, attempts_max, claim, turn, deadline_seconds, traceparent
    from parlance.claim_jobs(
      ${workerId}, ${kinds.map(({ name }) => name)}::text[], ${lane}::text::parlance.job_lane, ${jobsMax}, ${leaseSeconds},
      ${[...models]}::text[], ${[...loaded]}::text[], ${options.patienceSeconds ?? 2},
      ${kinds.map(({ runningMax }) => runningMax ?? null)}::integer[],
      ${kinds.map(({ runningPerOwnerMax }) => runningPerOwnerMax ?? null)}::integer[],
      ${options.afterTurn ?? 0}
    )
  `;
  return rows.map((row) => ({ ...row, lane, claimedAtMs }));
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
  progress: {
    done: number;
    total: number | null;
    message?: string | undefined;
    partial?: Record<string, unknown> | undefined;
  },
): Promise<boolean> {
  const { done, total, message, partial } = progress;
  const [row] = await sql<{ held: boolean }[]>`
    select parlance.report_progress(
      ${held.id}, ${held.claim}, ${done}, ${total}, ${message ?? null}, ${partial ? sql.json(partial as never) : null}
    ) as held
  `;
  return row?.held ?? false;
}

/**
 * Keeps where a later run goes on, as the claim's checkpoint of this number (1, 2, 3 …). `known`: it was kept before, its
 * answer lost; undefined: the claim is, and nothing of this run may be written.
 */
export async function saveJobCursor(
  sql: TransactionSql,
  held: Claim,
  checkpoint: { readonly cursor: unknown; readonly number: number },
): Promise<"saved" | "known" | undefined> {
  const { cursor, number } = checkpoint;
  const [row] = await sql<{ saved: "saved" | "known" | null }[]>`
    select parlance.save_job_cursor(${held.id}, ${held.claim}, ${sql.json(cursor as never)}, ${number}) as saved
  `;
  return row?.saved ?? undefined;
}

/** Ends claims as done; answers those still held: of the others nothing may land. */
export async function completeJobs(
  sql: Database,
  endings: readonly (Claim & { readonly result: Record<string, unknown> })[],
): Promise<ReadonlySet<number>> {
  const rows = endings.map(({ id, claim, result }) => ({ id, claim, result }));
  const held = await sql<{ claim: number }[]>`
    select claim from parlance.complete_jobs(${sql.json(rows as never)})
  `;
  return new Set(held.map(({ claim }) => claim));
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

/** Hands claims back untried: `queued`, or `cancelled` when that was asked for; what is not in the answer is lost. */
export async function releaseJobs(
  sql: Database,
  claims: readonly Claim[],
): Promise<ReadonlyMap<string, JobState>> {
  const rows = await sql<{ id: string; state: JobState }[]>`
    select id, state
    from parlance.release_jobs(
      ${claims.map((held) => held.id)}::uuid[],
      ${claims.map((held) => String(held.claim))}::text[]::bigint[]
    )
  `;
  return new Map(rows.map(({ id, state }) => [id, state]));
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

/**
 * Gives a failed job another life under its id; false when it has not failed. Throws `conflict` while another job of
 * its unique key is open. As for cancelling: whether the caller may is decided before.
 */
export async function retryJob(
  transaction: TransactionSql,
  kinds: ReadonlyMap<string, AnyJobKind>,
  job: { id: string; kind: string; ownerId: string | null; subjectId: string | null },
): Promise<boolean> {
  try {
    const [row] = await transaction<{ retried: boolean }[]>`select parlance.retry_job(${job.id}) as retried`;
    if (row?.retried) await kinds.get(job.kind)?.landRetry?.(transaction, job);
    return row?.retried ?? false;
  } catch (error) {
    if (databaseErrorCode(error) !== "23505") throw error;
    throw new AppError("conflict", "Another job for the same thing is open: let it end first.", {
      cause: error,
    });
  }
}

/** A job that nobody would have ended, and what became of it. */
interface ExpiredJob {
  readonly id: string;
  readonly kind: string;
  readonly ownerId: string | null;
  readonly subjectId: string | null;
  readonly state: JobState;
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
}

/**
 * Takes back the jobs of workers that are gone, fails those that waited past their deadline, and lands what ended by
 * it, each in a transaction of its own: one whose landing is refused keeps its state, is told at the end and holds up
 * no other. Answers how many were taken.
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
        job = await expireJob(transaction, refused);
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

async function expireJob(transaction: TransactionSql, exceptIds: string[]): Promise<ExpiredJob | undefined> {
  const [job] = await transaction<ExpiredJob[]>`
    select id, kind, owner_id, subject_id, state, error_code, error_message
    from parlance.expire_jobs(1, ${exceptIds}::uuid[])
  `;
  return job;
}

async function landExpiry(
  transaction: TransactionSql,
  kinds: ReadonlyMap<string, AnyJobKind>,
  job: ExpiredJob,
): Promise<void> {
  if (job.state === "queued") return;
  const failure = { code: job.errorCode ?? "unexpected", message: job.errorMessage ?? "" };
  const error = job.state === "cancelled" ? cancelledError : failure;
  await kinds.get(job.kind)?.landFailure(transaction, job, error);
}
