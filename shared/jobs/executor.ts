/**
 * One claimed job from start to end: run outside any transaction, then land and end in one.
 *
 *   run ──ok──▶ begin · complete_job ──held──▶ land · commit
 *    │                      └──lost──▶ nothing is written
 *    └─error─▶ begin · fail_job ──failed/cancelled──▶ landFailure · commit   (queued again: nothing to land)
 */
import type { Sql } from "postgres";
import { databaseErrorCode, isTransientDatabaseError } from "../database.ts";
import { AppError, toAppError } from "../errors.ts";
import { inSpan, markFailed } from "../tracing.ts";
import type { JobState } from "./contract.ts";
import type { AnyJobKind, Task } from "./kinds.ts";
import {
  type ClaimedJob,
  cancelledError,
  completeJob,
  failJob,
  releaseJob,
  reportProgress,
} from "./queue.ts";

/** Why a running task is stopped; the abort reason of its signal. */
export type StopReason = "cancelled" | "lost" | "timeout" | "shutdown";

export type JobEnding = JobState | "lost" | "released";

export interface Ended {
  readonly ending: JobEnding;
  /** Why it failed or is queued again. */
  readonly error?: AppError;
}

export interface Execution {
  readonly job: ClaimedJob;
  stop(reason: StopReason): void;
  /** How it ended; rejects only when the database could not be told, and then the lease runs out. */
  readonly ended: Promise<Ended>;
}

/** Starts a claimed job. A second `stop` is ignored: the first reason counts. */
export function executeJob(sql: Sql, task: Task, job: ClaimedJob): Execution {
  const controller = new AbortController();
  const stop = (reason: StopReason) => controller.abort(reason);
  const timer = setTimeout(() => stop("timeout"), task.kind.timeoutMs);
  const attributes = { "parlance.job.id": job.id, "parlance.job.attempt": job.attempts };
  const options = { kind: "consumer", traceparent: job.traceparent, attributes } as const;
  const ended = inSpan(`job ${job.kind}`, options, async (span) => {
    const end = await runAndEnd(sql, task, job, controller.signal);
    span.setAttribute("parlance.job.ending", end.ending);
    if (end.error) markFailed(span, end.error.code);
    return end;
  }).finally(() => clearTimeout(timer));
  return { job, stop, ended };
}

async function runAndEnd(sql: Sql, task: Task, job: ClaimedJob, signal: AbortSignal): Promise<Ended> {
  const progress = createProgressReporter(sql, job);
  const { claim, attempts: attempt } = job;
  const context = { job, claim, attempt, signal, reportProgress: progress.report };
  const ran = await inSpan("run", {}, () => untilAborted(task.run(job.payload, context), signal)).then(
    (outcome) => ({ outcome }),
    (thrown: unknown) => ({ thrown, reason: signal.aborted ? (signal.reason as StopReason) : undefined }),
  );
  await progress.settled();
  if ("thrown" in ran) return persist(() => endUnsuccessfully(sql, task.kind, job, ran));
  try {
    const land = () => persist(() => landOutcome(sql, task.kind, job, ran.outcome));
    return { ending: await inSpan("land", {}, land) };
  } catch (thrown) {
    if (isTransientDatabaseError(thrown)) throw thrown;
    return persist(() => endUnsuccessfully(sql, task.kind, job, { thrown, reason: undefined }));
  }
}

const endingTriesMax = 9;

/**
 * Tries to write an ending for about 15 s while the database is away, so that a restart does not cost the work that
 * was done. Writing it twice is safe: the first one took the claim.
 */
async function persist<T>(write: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await write();
    } catch (error) {
      if (tries === endingTriesMax || !isTransientDatabaseError(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, Math.min(5_000, 50 * 2 ** tries)));
    }
  }
}

/** The work's result, or a rejection as soon as the signal says stop; a task that ignores it runs on unheard. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const stop = () => reject(new Error(`stopped: ${signal.reason}`));
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}

function landOutcome(sql: Sql, kind: AnyJobKind, job: ClaimedJob, outcome: unknown): Promise<JobEnding> {
  return sql.begin(async (transaction) => {
    if (!(await completeJob(transaction, job, kind.summarize(outcome)))) return "lost";
    await kind.land(transaction, job, outcome);
    return "done";
  }) as Promise<JobEnding>;
}

interface Stopped {
  readonly thrown: unknown;
  readonly reason: StopReason | undefined;
}

async function endUnsuccessfully(
  sql: Sql,
  kind: AnyJobKind,
  job: ClaimedJob,
  stopped: Stopped,
): Promise<Ended> {
  if (stopped.reason === "lost") return { ending: "lost" };
  const error = explainFailure(kind, stopped);
  const told = { code: error.code, message: error.message };
  return sql.begin(async (transaction): Promise<Ended> => {
    const state =
      stopped.reason === "shutdown"
        ? await releaseJob(transaction, job)
        : await failJob(transaction, job, { ...told, retryable: error.retryable });
    if (state === "cancelled") await kind.landFailure(transaction, job, cancelledError);
    if (state === "failed") await kind.landFailure(transaction, job, told);
    if (stopped.reason === "shutdown" && state === "queued") return { ending: "released" };
    return state === "cancelled" ? { ending: state } : { ending: state ?? "lost", error };
  }) as Promise<Ended>;
}

/** What we did not foresee may pass; what we did says itself whether it may. */
function explainFailure(kind: AnyJobKind, stopped: Stopped): AppError {
  if (stopped.reason === "timeout") {
    const seconds = Math.round(kind.timeoutMs / 1000);
    return new AppError("deadline_exceeded", `The work took longer than ${seconds} s.`, { retryable: true });
  }
  const error = toAppError(stopped.thrown);
  if (error.code !== "unexpected") return error;
  // 22xxx, 23xxx: the database refused a value of the result; the same result would be refused again.
  const retryable = !/^2[23]/.test(databaseErrorCode(stopped.thrown) ?? "");
  return new AppError("unexpected", error.message, { cause: stopped.thrown, retryable });
}

const progressIntervalMs = 250;

/** Sends the newest progress at most four times a second, never going back; what is overtaken is never sent. */
function createProgressReporter(sql: Sql, job: ClaimedJob) {
  let newest: { done: number; total: number; message?: string | undefined } | undefined;
  let doneMost = 0;
  let sending: Promise<unknown> = Promise.resolve();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let sentAtMs = 0;

  const send = () => {
    timer = undefined;
    const progress = newest;
    newest = undefined;
    if (!progress) return;
    sentAtMs = Date.now();
    // Progress is a hint: a failure to tell it must not fail the work.
    sending = sending.then(() => reportProgress(sql, job, progress)).catch(() => {});
  };

  return {
    report(done: number, total: number, message?: string): void {
      doneMost = Math.max(doneMost, Math.min(done, total));
      newest = { done: Math.min(doneMost, total), total, message };
      timer ??= setTimeout(send, Math.max(0, sentAtMs + progressIntervalMs - Date.now()));
    },
    /** Drops what was not sent yet, and waits for what was. */
    async settled(): Promise<void> {
      clearTimeout(timer);
      newest = undefined;
      await sending;
    },
  };
}
