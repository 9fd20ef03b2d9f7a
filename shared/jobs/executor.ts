/**
 * One claimed job from start to end: run outside any transaction, then land and end in one.
 *
 *   run ──ok──▶ begin · complete_jobs ──held──▶ land · commit          (with others that end now: endings.ts)
 *    │                      └──lost──▶ nothing is written
 *    └─error─▶ begin · fail_job ──failed/cancelled──▶ landFailure · commit   (queued again: nothing to land)
 */
import type { Sql } from "postgres";
import { databaseErrorCode, isTransientDatabaseError } from "../database.ts";
import { AppError, toAppError } from "../errors.ts";
import { inSpan, markFailed } from "../tracing.ts";
import type { JobState } from "./contract.ts";
import { createEndings, type Endings, persist } from "./endings.ts";
import type { AnyJobKind, Task, TaskContext } from "./kinds.ts";
import {
  type ClaimedJob,
  cancelledError,
  failJob,
  releaseJobs,
  reportProgress,
  saveJobCursor,
} from "./queue.ts";

/** Why a running task is stopped; the abort reason of its signal. */
export type StopReason = "cancelled" | "lost" | "timeout" | "deadline" | "shutdown";

export type JobEnding = JobState | "lost" | "released";

export interface Ended {
  readonly ending: JobEnding;
  /** Why it failed or is queued again. */
  readonly error?: AppError;
}

export interface Execution {
  readonly job: ClaimedJob;
  stop(reason: StopReason): void;
  /** Resolves when its run is over, whatever came of it: another may take its slot while it is written. */
  readonly ran: Promise<void>;
  /** How it ended; rejects only when the database could not be told, and then the lease runs out. */
  readonly ended: Promise<Ended>;
}

/** Starts a claimed job. A second `stop` is ignored: the first reason counts. */
export function executeJob(
  sql: Sql,
  task: Task,
  job: ClaimedJob,
  endings: Endings = createEndings(sql),
): Execution {
  const controller = new AbortController();
  const stop = (reason: StopReason) => controller.abort(reason);
  const [endsAfterMs, limit] = findTimeLimit(task.kind, job);
  const timer = setTimeout(() => stop(limit), endsAfterMs);
  const ran = Promise.withResolvers<void>();
  const attributes = { "parlance.job.id": job.id, "parlance.job.attempt": job.attempts };
  const options = { kind: "consumer", traceparent: job.traceparent, attributes } as const;
  const ended = inSpan(`job ${job.kind}`, options, async (span) => {
    const held = { sql, task, job, endings, signal: controller.signal };
    const end = await runAndEnd(held, ran.resolve);
    span.setAttribute("parlance.job.ending", end.ending);
    if (end.error) markFailed(span, end.error.code);
    return end;
  }).finally(() => {
    clearTimeout(timer);
    ran.resolve();
  });
  return { job, stop, ran: ran.promise, ended };
}

/** How long it may run, and which of its limits that is. */
function findTimeLimit({ timeoutMs }: AnyJobKind, job: ClaimedJob): [number, "timeout" | "deadline"] {
  const left = leftMs(job);
  return timeoutMs <= left ? [timeoutMs, "timeout"] : [left, "deadline"];
}

/** Until its deadline; it may have been held for a while since it was claimed. */
function leftMs({ deadlineSeconds, claimedAtMs }: ClaimedJob): number {
  if (deadlineSeconds === null) return Number.POSITIVE_INFINITY;
  return Math.max(0, deadlineSeconds * 1000 - (performance.now() - claimedAtMs));
}

/** Hands back what was never begun; what was to be cancelled ends by that, and lands. */
export function handBack(
  sql: Sql,
  kinds: ReadonlyMap<string, AnyJobKind>,
  jobs: readonly ClaimedJob[],
): Promise<void> {
  return persist(() =>
    sql.begin(async (transaction) => {
      const states = await releaseJobs(transaction, jobs);
      for (const job of jobs) {
        if (states.get(job.id) !== "cancelled") continue;
        await kinds.get(job.kind)?.landFailure(transaction, job, cancelledError);
      }
    }),
  ) as Promise<void>;
}

interface Held {
  readonly sql: Sql;
  readonly task: Task;
  readonly job: ClaimedJob;
  readonly endings: Endings;
  readonly signal: AbortSignal;
}

async function runAndEnd({ sql, task, job, endings, signal }: Held, onRan: () => void): Promise<Ended> {
  const progress = createProgressReporter(sql, job);
  const context = {
    job,
    claim: job.claim,
    attempt: job.attempts,
    signal,
    reportProgress: progress.report,
    reportPartial: progress.reportPartial,
    cursor: job.cursor ?? undefined,
    checkpoint: createCheckpoints(sql, job),
  };
  const ran = await inSpan("run", {}, () => untilAborted(task.run(job.payload, context), signal)).then(
    (outcome) => ({ outcome }),
    (thrown: unknown) => ({ thrown, reason: signal.aborted ? (signal.reason as StopReason) : undefined }),
  );
  onRan();
  await progress.settled();
  if ("thrown" in ran) return persist(() => endUnsuccessfully(sql, task.kind, job, ran));
  try {
    return { ending: await inSpan("land", {}, () => endings.complete(task.kind, job, ran.outcome)) };
  } catch (thrown) {
    if (isTransientDatabaseError(thrown)) throw thrown;
    return persist(() => endUnsuccessfully(sql, task.kind, job, { thrown, reason: undefined }));
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

/** The cursor and what goes with it, or neither; once, though the answer of the first commit may be lost. */
function createCheckpoints(sql: Sql, job: ClaimedJob): TaskContext["checkpoint"] {
  let saved = 0;
  return async (cursor, write) => {
    const number = saved + 1;
    await persist(() =>
      sql.begin(async (transaction) => {
        const answer = await saveJobCursor(transaction, job, { cursor, number });
        if (!answer) throw new AppError("conflict", "Another worker has this job.");
        if (answer === "saved") await write?.(transaction);
      }),
    );
    saved = number;
  };
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
        ? (await releaseJobs(transaction, [job])).get(job.id)
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
  if (stopped.reason === "deadline") {
    // The database knows its deadline better: whether there is time for another try is for it to say.
    return new AppError("deadline_exceeded", "Its time was over before the work was done.", {
      retryable: true,
    });
  }
  const error = toAppError(stopped.thrown);
  if (error.code !== "unexpected") return error;
  // 22xxx, 23xxx: the database refused a value of the result; the same result would be refused again.
  const retryable = !/^2[23]/.test(databaseErrorCode(stopped.thrown) ?? "");
  return new AppError("unexpected", error.message, { cause: stopped.thrown, retryable });
}

const progressIntervalMs = 250;

interface Told {
  done: number;
  total: number | null;
  message?: string | undefined;
  partial?: Record<string, unknown> | undefined;
}

/** Sends the newest progress at most four times a second, never going back; what is overtaken is never sent. */
function createProgressReporter(sql: Sql, job: ClaimedJob) {
  let newest: Told | undefined;
  let doneMost = 0;
  let totalLast: number | null = null;
  let messageLast: string | undefined;
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
  const tell = (told: Told) => {
    newest = { ...newest, ...told };
    timer ??= setTimeout(send, Math.max(0, sentAtMs + progressIntervalMs - Date.now()));
  };

  return {
    report(done: number, total: number, message?: string): void {
      doneMost = Math.max(doneMost, Math.min(done, total));
      totalLast = total;
      messageLast = message;
      tell({ done: Math.min(doneMost, total), total, message });
    },
    reportPartial(partial: Record<string, unknown>): void {
      tell({ done: doneMost, total: totalLast, message: messageLast, partial });
    },
    /** Drops what was not sent yet, and waits for what was. */
    async settled(): Promise<void> {
      clearTimeout(timer);
      newest = undefined;
      await sending;
    },
  };
}
