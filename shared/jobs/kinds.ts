import type { TransactionSql } from "postgres";
import type { z } from "zod";
import { AppError } from "../errors.ts";
import type { JobError, JobLane } from "./contract.ts";

/** What a landing knows of the job that ends. */
export interface EndingJob {
  readonly id: string;
  readonly ownerId: string | null;
  readonly subjectId: string | null;
}

/**
 * A kind of job: what both processes must agree on. `run` (the task) is not here: it belongs to the process
 * that runs it. Both landings write inside the transaction that ends the job, so that either process can end it.
 */
export interface JobKind<Payload, Outcome> {
  /** `feature.verb-noun`. */
  readonly name: string;
  /** Which processes run it: those with models, or those without. */
  readonly runner: "sidecar" | "edge";
  readonly lane: JobLane;
  /** Calls of other companies' servers have slots of their own in a sidecar. Default: the slots of its lane. */
  readonly slots?: "calls";
  /** Checked when the job is added and again when it is claimed. At most 64 kB as JSON; never bytes. */
  readonly payload: z.ZodType<Payload>;
  readonly attemptsMax: number;
  /** One attempt may take this long. */
  readonly timeoutMs: number;
  /** CPU that one run takes, or one slice of it between checkpoints: a tick begins none that does not fit. Default 100. */
  readonly cpuMs?: number;
  /** From adding to the end, tries and waits included; then the job fails. Default: no limit. */
  readonly deadlineMs?: number;
  /** How many may wait, of everyone and of one owner; adding more is refused. Default: no limit. */
  readonly queuedMax?: number;
  readonly queuedPerOwnerMax?: number;
  /** How many may run at once, on all workers, of everyone and of one owner. Default: no limit. */
  readonly runningMax?: number;
  readonly runningPerOwnerMax?: number;
  /** The summary kept as the job's `result`. */
  summarize(outcome: Outcome): Record<string, unknown>;
  /** Writes the outcome. Called only while the claim is held. Default: there is nothing to write. */
  land?(transaction: TransactionSql, job: EndingJob, outcome: Outcome): Promise<void>;
  /** Writes that the job failed for good or was cancelled. Doing it twice must change nothing more. */
  landFailure(transaction: TransactionSql, job: EndingJob, error: JobError): Promise<void>;
  /** Takes the failure back when a failed job is retried, so that its subject is under way again. */
  landRetry?(transaction: TransactionSql, job: EndingJob): Promise<void>;
}

// biome-ignore lint/suspicious/noExplicitAny: a list of kinds of all payloads; each entry is checked where it is defined.
export type AnyJobKind = JobKind<any, any>;

/** What a task may do while it runs. */
export interface TaskContext {
  readonly job: EndingJob;
  /** Fences what the task writes by itself, before its job ends. */
  readonly claim: number;
  /** 1 for the first try. */
  readonly attempt: number;
  /** Aborted when the job is cancelled, its claim lost, its time over, or the worker ends. */
  readonly signal: AbortSignal;
  /** Tells how far it is; coalesced to a few a second, never throws. */
  reportProgress(done: number, total: number, message?: string): void;
  /** Tells what there is of the result so far, replacing what was told before; at most 64 kB as JSON. As above. */
  reportPartial(partial: Record<string, unknown>): void;
  /** What the last checkpoint of an earlier run saved; undefined in a run that begins anew. */
  readonly cursor: unknown;
  /**
   * Saves where a later run goes on (at most 64 kB as JSON), with what `write` writes, in one transaction under the
   * claim's fence. Rejects when the claim is lost: then nothing was written, and the task should end.
   */
  checkpoint(cursor: unknown, write?: (transaction: TransactionSql) => Promise<void>): Promise<void>;
}

export type JobClock = JobLane | "edge_interactive" | "edge_bulk" | "calls";

/** Turns are fair among jobs that wait for the same slots; slots that stand idle must not run the clock of others ahead. */
export function findClock({ runner, lane, slots }: Pick<AnyJobKind, "runner" | "lane" | "slots">): JobClock {
  if (slots) return slots;
  return runner === "edge" ? `edge_${lane}` : lane;
}

/** A kind with the function that does its work, outside any transaction. */
export interface Task {
  readonly kind: AnyJobKind;
  run(payload: unknown, context: TaskContext): Promise<unknown>;
}

/** Binds a kind to its work with the types of both checked. A payload that does not fit will not fit later. */
export function defineTask<Payload, Outcome>(
  kind: JobKind<Payload, Outcome>,
  run: (payload: Payload, context: TaskContext) => Promise<Outcome>,
): Task {
  return {
    kind,
    async run(payload, context) {
      const parsed = kind.payload.safeParse(payload);
      if (parsed.success) return run(parsed.data, context);
      throw new AppError("invalid_request", `The payload does not fit ${kind.name}.`, {
        cause: parsed.error,
      });
    },
  };
}
