/**
 * Runs due jobs for a while, in a process that may not work for long: as many as fit its wall clock and its CPU.
 *
 *   claim one ──▶ run ──▶ its ending is written ──▶ claim the next one
 *     │            ├─ no CPU for its next slice, at a checkpoint ─▶ handed back with its cursor
 *     │            └─ the time is up, or the process ends ────────▶ handed back
 *     └─ its kind must fit the CPU that is left
 *
 * A few run at once, since most wait for others; each is claimed when it can begin. What is handed back has not used up
 * an attempt.
 */
import { createId } from "../../shared/ids.ts";
import { type Execution, executeJob, handBack, type JobEnding } from "../../shared/jobs/executor.ts";
import type { AnyJobKind, Task, TaskContext } from "../../shared/jobs/kinds.ts";
import { type ClaimedJob, claimJobs, heartbeatJobs } from "../../shared/jobs/queue.ts";
import { describeError } from "../../shared/log.ts";
import type { Deps } from "../deps.ts";
import { type CpuBudget, createCpuBudget } from "./cpu-budget.ts";

export interface DueJobsLimits {
  /** By the clock of `Date`: no job is begun later, and what runs is handed back. */
  readonly endsAtMs: number;
  readonly cpuMs: number;
  readonly jobsMax: number;
}

export interface EndedCounts {
  done: number;
  failed: number;
  /** Handed back to the queue: the time was up, or they may be tried again. */
  requeued: number;
}

type JobDeps = Pick<Deps, "sql" | "log" | "ending" | "cpuUsedMs">;

const runningMax = 4;
/** A process that is killed leaves its jobs to others after that. */
const leaseSeconds = 30;
/** Cancellations are heard as often. */
const beatMs = 5_000;

export async function runDueJobs(
  deps: JobDeps,
  tasks: readonly Task[],
  limits: DueJobsLimits,
): Promise<EndedCounts> {
  const due = new DueJobs(deps, tasks, limits);
  const stop = () => due.stop();
  const timer = setTimeout(stop, limits.endsAtMs - Date.now());
  const beat = setInterval(() => due.beat(), beatMs);
  deps.ending?.addEventListener("abort", stop);
  if (deps.ending?.aborted) stop();
  try {
    return await due.run();
  } finally {
    clearTimeout(timer);
    clearInterval(beat);
    deps.ending?.removeEventListener("abort", stop);
  }
}

class DueJobs {
  readonly #deps: JobDeps;
  readonly #tasks: ReadonlyMap<string, Task>;
  readonly #kinds: ReadonlyMap<string, AnyJobKind>;
  readonly #limits: DueJobsLimits;
  readonly #cpu: CpuBudget;
  readonly #workerId = createId();
  readonly #executions = new Set<Execution>();
  readonly #counts: EndedCounts = { done: 0, failed: 0, requeued: 0 };
  #claiming: Promise<unknown> = Promise.resolve();
  #claimed = 0;
  #workers = 0;
  #isDrained = false;
  #isOver = false;
  /** The first one of a claim: nothing more is claimed, and it is told when what runs has ended. */
  #failure: { readonly error: unknown } | undefined;

  constructor(deps: JobDeps, tasks: readonly Task[], limits: DueJobsLimits) {
    this.#deps = deps;
    this.#tasks = new Map(tasks.map((task) => [task.kind.name, task]));
    this.#kinds = new Map(tasks.map(({ kind }) => [kind.name, kind]));
    this.#limits = limits;
    this.#cpu = createCpuBudget(limits.cpuMs, deps.cpuUsedMs);
  }

  async run(): Promise<EndedCounts> {
    await this.#work();
    if (this.#failure) throw this.#failure.error;
    return this.#counts;
  }

  stop(): void {
    this.#isOver = true;
    for (const execution of this.#executions) execution.stop("shutdown");
  }

  async beat(): Promise<void> {
    try {
      const executions = [...this.#executions];
      const claims = executions.map(({ job }) => job);
      const held = await heartbeatJobs(this.#deps.sql, claims, leaseSeconds);
      for (const execution of executions) {
        const answer = held.find(({ claim }) => claim === execution.job.claim);
        if (!answer) execution.stop("lost");
        else if (answer.cancelRequested) execution.stop("cancelled");
      }
    } catch (error) {
      this.#deps.log.warn("tick.unheard", { error: describeError(error) });
    }
  }

  /** One of the few; while jobs are found there may be more, so another one begins beside it. Never rejects. */
  async #work(): Promise<void> {
    const beside: Promise<void>[] = [];
    this.#workers += 1;
    try {
      for (let job = await this.#claim(); job; job = await this.#claim()) {
        const ended = this.#execute(job);
        if (!this.#isDrained && this.#workers < runningMax) beside.push(this.#work());
        await ended;
      }
    } catch (error) {
      this.#failure ??= { error };
    }
    this.#isDrained = true;
    this.#workers -= 1;
    await Promise.all(beside);
  }

  /** One after another, so that each sees what the one before takes of the budget. */
  #claim(): Promise<ClaimedJob | undefined> {
    const claim = this.#claiming.then(() => this.#claimNext());
    this.#claiming = claim.catch(() => {});
    return claim;
  }

  async #claimNext(): Promise<ClaimedJob | undefined> {
    const { jobsMax, endsAtMs } = this.#limits;
    if (this.#isOver || this.#failure || this.#claimed >= jobsMax || Date.now() >= endsAtMs) return undefined;
    const fitting = [...this.#tasks.values()].map(({ kind }) => kind).filter((kind) => this.#cpu.fits(kind));
    // Bulk work has the first look every fourth time, so that it never starves.
    const lanes =
      this.#claimed % 4 === 3 ? (["bulk", "interactive"] as const) : (["interactive", "bulk"] as const);
    for (const lane of lanes) {
      const kinds = fitting.filter((kind) => kind.lane === lane);
      if (kinds.length === 0) continue;
      const options = { workerId: this.#workerId, kinds, lane, jobsMax: 1, leaseSeconds };
      const [job] = await claimJobs(this.#deps.sql, options);
      if (job) return this.#accept(job);
    }
    return undefined;
  }

  /** The claim may have taken a while; what cannot be begun any more goes back at once. */
  async #accept(job: ClaimedJob): Promise<ClaimedJob | undefined> {
    const kind = this.#kinds.get(job.kind);
    if (kind && !this.#isOver && this.#cpu.fits(kind)) {
      this.#claimed += 1;
      this.#cpu.begin(kind);
      return job;
    }
    await handBack(this.#deps.sql, this.#kinds, [job]);
    this.#counts.requeued += 1;
    return undefined;
  }

  async #execute(job: ClaimedJob): Promise<void> {
    const { sql, log } = this.#deps;
    const task = this.#tasks.get(job.kind);
    if (!task) return;
    const sliced = this.#inSlices(task, () => execution.stop("shutdown"));
    const execution: Execution = executeJob(sql, sliced, job);
    this.#executions.add(execution);
    // Its first lines have run, and they may have taken long.
    if (this.#isOver) execution.stop("shutdown");
    try {
      const { ending, error } = await execution.ended;
      this.#count(ending);
      log.info("job.ended", { jobId: job.id, kind: job.kind, ending, code: error?.code });
    } catch (error) {
      // The database could not be told; the lease runs out and another one takes the job.
      log.warn("job.unended", { jobId: job.id, kind: job.kind, error: describeError(error) });
    } finally {
      this.#executions.delete(execution);
      this.#cpu.end(task.kind);
    }
  }

  /** The task, but at a checkpoint it ends when there is no CPU for more. */
  #inSlices(task: Task, stop: () => void): Task {
    return {
      kind: task.kind,
      run: (payload, context) => {
        const checkpoint: TaskContext["checkpoint"] = async (cursor, write) => {
          await context.checkpoint(cursor, write);
          if (!this.#cpu.goOn(task.kind)) stop();
          context.signal.throwIfAborted();
        };
        return task.run(payload, { ...context, checkpoint });
      },
    };
  }

  #count(ending: JobEnding): void {
    if (ending === "done") this.#counts.done += 1;
    else if (ending === "failed" || ending === "cancelled") this.#counts.failed += 1;
    else this.#counts.requeued += 1;
  }
}
