/**
 * One claimed job from start to end: run outside any transaction, then land and end in one.
 *
 *   run ──ok──▶ begin · complete_job ──held──▶ land · commit
 *    │                      └──lost──▶ nothing is written
 *    └─error─▶ begin · fail_job ──failed/cancelled──▶ landFailure · commit   (queued again: nothing to land)
 */
import type { Sql } from "postgres";
import { databaseErrorCode } from "../database.ts";
import { AppError, toAppError } from "../errors.ts";
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

export interface Execution {
  readonly job: ClaimedJob;
  stop(reason: StopReason): void;
  /** How it ended; rejects only when the database could not be told, and then the lease runs out. */
  readonly ended: Promise<{ ending: JobEnding; error?: AppError }>;
}

/** Starts a claimed job. A second `stop` is ignored: the first reason counts. */
export function executeJob(sql: Sql, task: Task, job: ClaimedJob): Execution {
  const controller = new AbortController();
  const stop = (reason: StopReason) => controller.abort(reason);
  const timer = setTimeout(() => stop("timeout"), task.kind.timeoutMs);
  const ended = runAndEnd(sql, task, job, controller.signal).finally(() => clearTimeout(timer));
  return { job, stop, ended };
}

async function runAndEnd(sql: Sql, task: Task, job: ClaimedJob, signal: AbortSignal) {
  const progress = createProgressReporter(sql, job);
  try {
    const outcome = await untilAborted(
      task.run(job.payload, { job, attempt: job.attempts, signal, reportProgress: progress.report }),
      signal,
    );
    await progress.settled();
    return { ending: await landOutcome(sql, task.kind, job, outcome) };
  } catch (thrown) {
    await progress.settled();
    return endUnsuccessfully(sql, task.kind, job, {
      thrown,
      reason: signal.aborted ? signal.reason : undefined,
    });
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

async function endUnsuccessfully(
  sql: Sql,
  kind: AnyJobKind,
  job: ClaimedJob,
  stopped: { thrown: unknown; reason: StopReason | undefined },
): Promise<{ ending: JobEnding; error?: AppError }> {
  if (stopped.reason === "lost") return { ending: "lost" };
  if (stopped.reason === "shutdown") {
    return { ending: (await releaseJob(sql, job)) ? "released" : "lost" };
  }
  const error = explainFailure(kind, stopped);
  const ending = (await sql.begin(async (transaction) => {
    const state = await failJob(transaction, job, {
      code: error.code,
      message: error.message,
      retryable: error.retryable,
    });
    if (state === "cancelled") await kind.landFailure(transaction, job, cancelledError);
    if (state === "failed") {
      await kind.landFailure(transaction, job, { code: error.code, message: error.message });
    }
    return state ?? "lost";
  })) as JobEnding;
  return { ending, error };
}

/** What we did not foresee may pass; what we did says itself whether it may. */
function explainFailure(
  kind: AnyJobKind,
  stopped: { thrown: unknown; reason: StopReason | undefined },
): AppError {
  if (stopped.reason === "timeout") {
    const seconds = Math.round(kind.timeoutMs / 1000);
    return new AppError("deadline_exceeded", `The work took longer than ${seconds} s.`, { retryable: true });
  }
  const error = toAppError(stopped.thrown);
  if (error.code !== "unexpected") return error;
  // 23xxx: a constraint refused the result; the same result would be refused again.
  const retryable = databaseErrorCode(stopped.thrown)?.startsWith("23") !== true;
  return new AppError("unexpected", error.message, { cause: stopped.thrown, retryable });
}

const progressIntervalMs = 250;

/** Sends the newest progress at most four times a second; what is overtaken is never sent. */
function createProgressReporter(sql: Sql, job: ClaimedJob) {
  let newest: { done: number; total: number; message?: string | undefined } | undefined;
  let sending: Promise<void> = Promise.resolve();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let sentAtMs = 0;

  const send = () => {
    timer = undefined;
    const progress = newest;
    newest = undefined;
    if (!progress) return;
    sentAtMs = Date.now();
    // Progress is a hint: a failure to tell it must not fail the work.
    sending = sending
      .then(() => reportProgress(sql, job, progress))
      .then(
        () => {},
        () => {},
      );
  };

  return {
    report(done: number, total: number, message?: string): void {
      newest = { done: Math.min(done, total), total, message };
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
