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
  /** How many jobs run at once in each lane. */
  slots: Readonly<Record<JobLane, number>>;
  /** False where LISTEN is not to be had (a transaction pooler). Default true. */
  listens?: boolean;
  /** Default 30. A worker that is silent for longer loses its jobs. */
  leaseSeconds?: number;
  /** Default 5,000 with LISTEN, 250 without. */
  pollMs?: number;
  /** Given to running jobs at the end before they are handed back. Default 10,000. */
  drainMs?: number;
  onEnded?: (job: ClaimedJob, ending: JobEnding, error: AppError | undefined, tookMs: number) => void;
  onTrouble?: (doing: string, error: unknown) => void;
}

export interface Runner {
  /** Jobs that run now. */
  readonly running: number;
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
  readonly #executions = new Map<string, Execution>();
  readonly #leaseSeconds: number;
  readonly #timers: ReturnType<typeof setInterval>[] = [];
  readonly #unlistens: (() => Promise<void>)[] = [];
  #claiming: Promise<void> | undefined;
  #claimAgain = false;
  #stopping = false;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#tasks = new Map(options.tasks.map((task) => [task.kind.name, task]));
    this.#leaseSeconds = options.leaseSeconds ?? 30;
  }

  get running(): number {
    return this.#executions.size;
  }

  start(): void {
    const { listens = true, pollMs = listens ? 5_000 : 250 } = this.#options;
    const beatMs = (this.#leaseSeconds * 1000) / 3;
    this.#timers.push(setInterval(() => this.#wake(), pollMs));
    this.#timers.push(setInterval(() => this.#attempt("heartbeat", () => this.#beat()), beatMs));
    this.#timers.push(setInterval(() => this.#attempt("rescue", () => this.#rescue()), beatMs));
    if (listens) this.#attempt("listen", () => this.#listen());
    this.#wake();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    for (const timer of this.#timers) clearInterval(timer);
    await this.#claiming;
    const drained = Promise.all(
      [...this.#executions.values()].map((execution) => execution.ended.catch(() => {})),
    );
    // Leases must outlive the wait for what still runs.
    const beating = setInterval(
      () => this.#attempt("heartbeat", () => this.#beat()),
      (this.#leaseSeconds * 1000) / 3,
    );
    const release = setTimeout(() => {
      for (const execution of this.#executions.values()) execution.stop("shutdown");
    }, this.#options.drainMs ?? 10_000);
    await drained;
    clearTimeout(release);
    clearInterval(beating);
    await Promise.allSettled(this.#unlistens.map((unlisten) => unlisten()));
  }

  async #listen(): Promise<void> {
    const { sql } = this.#options;
    // `onlisten` fires on every reconnection: what was missed meanwhile is found by looking.
    const jobs = await sql.listen(
      "parlance_jobs",
      () => this.#wake(),
      () => this.#wake(),
    );
    const cancellations = await sql.listen("parlance_cancellations", (id) =>
      this.#executions.get(id)?.stop("cancelled"),
    );
    this.#unlistens.push(jobs.unlisten, cancellations.unlisten);
  }

  /** Claims until there is nothing to claim or no room; one round at a time, and one more when asked meanwhile. */
  #wake(): void {
    if (this.#stopping) return;
    this.#claimAgain = true;
    this.#claiming ??= this.#claimRounds().finally(() => {
      this.#claiming = undefined;
      if (this.#claimAgain) this.#wake();
    });
  }

  async #claimRounds(): Promise<void> {
    while (this.#claimAgain && !this.#stopping) {
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
    this.#executions.set(job.id, execution);
    execution.ended
      .then(
        ({ ending, error }) => this.#options.onEnded?.(job, ending, error, Date.now() - startedAtMs),
        // The database could not be told; the lease runs out and another worker takes the job.
        (error) => this.#options.onTrouble?.(`end of job ${job.id}`, error),
      )
      .finally(() => {
        this.#executions.delete(job.id);
        this.#wake();
      });
  }

  async #beat(): Promise<void> {
    const claims = [...this.#executions.values()].map(({ job }) => ({ id: job.id, claim: job.claim }));
    const held = new Map(
      (await heartbeatJobs(this.#options.sql, claims, this.#leaseSeconds)).map((row) => [row.id, row]),
    );
    for (const { id, claim } of claims) {
      const execution = this.#executions.get(id);
      if (execution?.job.claim !== claim) continue;
      const row = held.get(id);
      if (!row) execution.stop("lost");
      else if (row.cancelRequested) execution.stop("cancelled");
    }
  }

  async #rescue(): Promise<void> {
    const rescued = await rescueJobs(this.#options.sql, this.#options.kinds);
    if (rescued > 0) this.#wake();
  }

  #attempt(doing: string, work: () => Promise<void>): void {
    work().catch((error) => this.#options.onTrouble?.(doing, error));
  }
}
