/**
 * A process that claims jobs: it takes no more than it has room for, keeps its leases alive, hears of
 * cancellations, rescues the jobs of the dead, and drains before it ends.
 *
 * Interactive work has slots of its own, so that a query never waits for a slot that bulk work holds.
 * It is woken by NOTIFY where the database lets it listen; the poll is the safety net, and the only way where not.
 */
import type { Sql } from "postgres";
import type { AppError } from "../errors.ts";
import type { JobLane } from "./contract.ts";
import { type Execution, executeJob, type JobEnding } from "./executor.ts";
import type { AnyJobKind, Task } from "./kinds.ts";
import { type ClaimedJob, claimJobs, heartbeatJobs, rescueJobs } from "./queue.ts";

export interface RunnerOptions {
  sql: Sql;
  workerId: string;
  tasks: readonly Task[];
  /** Every kind of the house: a rescued job may be of a kind that runs elsewhere. */
  kinds: ReadonlyMap<string, AnyJobKind>;
  /** Models that this process offers now; a job that needs another one is left to others. Default none. */
  models?: () => readonly string[];
  /** How many jobs run at once in each lane. */
  slots: Readonly<Record<JobLane, number>>;
  /** False where LISTEN is not to be had (a transaction pooler). Default true. */
  listens?: boolean;
  /** Default 30. A worker that is silent for longer loses its jobs. */
  leaseSeconds?: number;
  /** Default 5,000 once a notification was heard, 250 until then and without LISTEN. */
  pollMs?: number;
  /** Given to running jobs at the end before they are handed back. Default 10,000. */
  drainMs?: number;
  onEnded?: (job: ClaimedJob, ending: JobEnding, error: AppError | undefined, tookMs: number) => void;
  onTrouble?: (doing: string, error: unknown) => void;
}

export interface Runner {
  /** Jobs that run now. */
  readonly running: number;
  /** Whether the database was heard to notify; some poolers take LISTEN and never deliver. */
  readonly hears: boolean;
  /** Stops claiming, waits for what runs, hands back what does not end in time. */
  stop(): Promise<void>;
}

export function startRunner(options: RunnerOptions): Runner {
  const runner = new JobRunner(options);
  runner.start();
  return runner;
}

class JobRunner implements Runner {
  readonly #options: RunnerOptions;
  readonly #tasks: ReadonlyMap<string, Task>;
  /** By claim, not by job: a job that was lost may be claimed again while its old run still ends. */
  readonly #executions = new Map<number, Execution>();
  readonly #leaseSeconds: number;
  readonly #timers: ReturnType<typeof setInterval>[] = [];
  readonly #unlistens: (() => Promise<unknown>)[] = [];
  #pollTimer: ReturnType<typeof setTimeout> | undefined;
  #listening: Promise<void> | undefined;
  #claiming: Promise<void> | undefined;
  #claimAgain = false;
  #hears = false;
  #stopped: Promise<void> | undefined;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#tasks = new Map(options.tasks.map((task) => [task.kind.name, task]));
    this.#leaseSeconds = options.leaseSeconds ?? 30;
  }

  get running(): number {
    return this.#executions.size;
  }

  get hears(): boolean {
    return this.#hears;
  }

  start(): void {
    this.#timers.push(this.#everyBeat("heartbeat", () => this.#beat()));
    this.#timers.push(this.#everyBeat("rescue", () => this.#rescue()));
    if (this.#options.listens ?? true) this.#listening = this.#attempt("listen", () => this.#listen());
    this.#poll();
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#drain();
    return this.#stopped;
  }

  async #drain(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    clearTimeout(this.#pollTimer);
    await this.#claiming;
    const drained = Promise.all(
      [...this.#executions.values()].map((execution) => execution.ended.catch(() => {})),
    );
    // Leases must outlive the wait for what still runs.
    const beating = this.#everyBeat("heartbeat", () => this.#beat());
    const release = setTimeout(() => {
      for (const execution of this.#executions.values()) execution.stop("shutdown");
    }, this.#options.drainMs ?? 10_000);
    await drained;
    clearTimeout(release);
    clearInterval(beating);
    await this.#listening;
    await Promise.allSettled(this.#unlistens.map((unlisten) => unlisten()));
  }

  #everyBeat(doing: string, work: () => Promise<void>): ReturnType<typeof setInterval> {
    return setInterval(() => this.#attempt(doing, work), (this.#leaseSeconds * 1000) / 3);
  }

  #poll(): void {
    this.#wake();
    const pollMs = this.#options.pollMs ?? (this.#hears ? 5_000 : 250);
    this.#pollTimer = setTimeout(() => this.#poll(), pollMs);
  }

  /** Listens, and calls itself once to learn whether calls arrive. */
  async #listen(): Promise<void> {
    const { sql } = this.#options;
    const hear = () => {
      this.#hears = true;
      this.#wake();
    };
    // `onlisten` fires on every reconnection: what was missed meanwhile is found by looking.
    const jobs = await sql.listen("parlance_jobs", hear, () => this.#wake());
    this.#unlistens.push(jobs.unlisten);
    const cancellations = await sql.listen("parlance_cancellations", (id) => this.#cancel(id));
    this.#unlistens.push(cancellations.unlisten);
    await sql.notify("parlance_jobs", "");
  }

  #cancel(id: string): void {
    for (const execution of this.#executions.values()) {
      if (execution.job.id === id) execution.stop("cancelled");
    }
  }

  /** Claims until there is nothing to claim or no room; one round at a time, and one more when asked meanwhile. */
  #wake(): void {
    if (this.#stopped) return;
    this.#claimAgain = true;
    this.#claiming ??= this.#claimRounds().finally(() => {
      this.#claiming = undefined;
      if (this.#claimAgain) this.#wake();
    });
  }

  async #claimRounds(): Promise<void> {
    while (this.#claimAgain && !this.#stopped) {
      this.#claimAgain = false;
      for (const lane of ["interactive", "bulk"] as const) await this.#claimLane(lane);
    }
  }

  async #claimLane(lane: JobLane): Promise<void> {
    const busy = [...this.#executions.values()].filter((execution) => execution.job.lane === lane).length;
    const jobsMax = this.#options.slots[lane] - busy;
    if (jobsMax <= 0) return;
    const kinds = [...this.#tasks.values()]
      .filter((task) => task.kind.lane === lane)
      .map((task) => task.kind.name);
    if (kinds.length === 0) return;
    const { sql, workerId } = this.#options;
    try {
      const claimed = await claimJobs(sql, {
        workerId,
        kinds,
        models: this.#options.models?.() ?? [],
        lanes: [lane],
        jobsMax,
        leaseSeconds: this.#leaseSeconds,
      });
      for (const job of claimed) this.#execute(job);
    } catch (error) {
      this.#options.onTrouble?.("claim", error);
    }
  }

  #execute(job: ClaimedJob): void {
    const task = this.#tasks.get(job.kind);
    if (!task) return;
    const startedAtMs = Date.now();
    const execution = executeJob(this.#options.sql, task, job);
    this.#executions.set(job.claim, execution);
    execution.ended
      .then(
        ({ ending, error }) => this.#options.onEnded?.(job, ending, error, Date.now() - startedAtMs),
        // The database could not be told; the lease runs out and another worker takes the job.
        (error) => this.#options.onTrouble?.(`end of job ${job.id}`, error),
      )
      .finally(() => {
        this.#executions.delete(job.claim);
        this.#wake();
      });
  }

  async #beat(): Promise<void> {
    const claims = [...this.#executions.values()].map(({ job }) => ({ id: job.id, claim: job.claim }));
    const answers = await heartbeatJobs(this.#options.sql, claims, this.#leaseSeconds);
    const held = new Map(answers.map((answer) => [answer.claim, answer]));
    for (const { claim } of claims) {
      const answer = held.get(claim);
      if (!answer) this.#executions.get(claim)?.stop("lost");
      else if (answer.cancelRequested) this.#executions.get(claim)?.stop("cancelled");
    }
  }

  async #rescue(): Promise<void> {
    const rescued = await rescueJobs(this.#options.sql, this.#options.kinds);
    if (rescued > 0) this.#wake();
  }

  #attempt(doing: string, work: () => Promise<void>): Promise<void> {
    return work().catch((error) => this.#options.onTrouble?.(doing, error));
  }
}
