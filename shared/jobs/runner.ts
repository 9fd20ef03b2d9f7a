/**
 * A process that claims jobs: it takes no more than it has room for, keeps its leases alive, hears of
 * cancellations, rescues the jobs of the dead, and drains before it ends.
 *
 *   claimed ──▶ held, until a slot is free (with `prefetch`) ──▶ runs in a slot ──▶ its ending is written ──▶ gone
 *
 * Interactive work has slots of its own, so that a query never waits for a slot that bulk work holds. A slot is free
 * as soon as a run is over; its ending is written beside the next run.
 * It is woken by NOTIFY where the database lets it listen; the poll is the safety net, and the only way where not.
 * It claims from where it last found something; the poll looks from the beginning, unless that takes long.
 */
import type { Sql } from "postgres";
import type { AppError } from "../errors.ts";
import type { JobLane } from "./contract.ts";
import { createEndings, type Endings } from "./endings.ts";
import { type Execution, executeJob, handBack, type JobEnding } from "./executor.ts";
import type { AnyJobKind, Task } from "./kinds.ts";
import { type ClaimedJob, claimJobs, heartbeatJobs, rescueJobs } from "./queue.ts";
import { createTurnMemory, type TurnMemory } from "./turns.ts";

export interface RunnerOptions {
  sql: Sql;
  workerId: string;
  tasks: readonly Task[];
  /** Every kind of the house: a rescued job may be of a kind that runs elsewhere. */
  kinds: ReadonlyMap<string, AnyJobKind>;
  /** Models that this process offers now; a job that needs another one is left to others. Default none. */
  models?: () => readonly string[];
  /** Those of them that are in memory: a job is left for a while to a process that has its model. Default: all. */
  loaded?: () => readonly string[];
  /** How many jobs run at once in each lane. */
  slots: Readonly<Record<JobLane, number>>;
  /**
   * How many more are claimed in each lane, to begin without a round trip when a slot is free. They count as running
   * for everyone else: worth it for work of a few milliseconds only. Default 0.
   */
  prefetch?: number;
  /** False where LISTEN is not to be had (a transaction pooler). Default true. */
  listens?: boolean;
  /** Default 30. A worker that is silent for longer loses its jobs. */
  leaseSeconds?: number;
  /** Default 1,000 once a notification was heard, 250 until then and without LISTEN. */
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

const lanes = ["interactive", "bulk"] as const;
/** Endings that are being written; beyond that nothing is claimed, so that a slow database is not outrun. */
const endingsMax = 500;

/** What this process runs of a lane. */
interface LaneWork {
  readonly kinds: readonly AnyJobKind[];
  /** Its jobs may be passed over while others of their kind or owner run: they are due again behind any turn. */
  readonly isLimited: boolean;
  readonly turns: TurnMemory;
}

class JobRunner implements Runner {
  readonly #options: RunnerOptions;
  readonly #tasks: ReadonlyMap<string, Task>;
  readonly #endings: Endings;
  readonly #work: Record<JobLane, LaneWork>;
  /** Claimed, not begun. */
  readonly #held: { [lane in JobLane]: ClaimedJob[] } = { interactive: [], bulk: [] };
  readonly #busy: Record<JobLane, number> = { interactive: 0, bulk: 0 };
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
    this.#endings = createEndings(options.sql);
    this.#work = { interactive: this.#findWork("interactive"), bulk: this.#findWork("bulk") };
    this.#leaseSeconds = options.leaseSeconds ?? 30;
  }

  #findWork(lane: JobLane): LaneWork {
    const kinds = [...this.#tasks.values()].map(({ kind }) => kind).filter((kind) => kind.lane === lane);
    const isLimited = kinds.some((kind) => (kind.runningMax ?? kind.runningPerOwnerMax) !== undefined);
    return { kinds, isLimited, turns: createTurnMemory() };
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
    await this.#attempt("release", () => this.#releaseHeld());
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

  /** Those that were never begun go back at once. */
  async #releaseHeld(): Promise<void> {
    const held = lanes.flatMap((lane) => this.#held[lane].splice(0));
    if (held.length > 0) await handBack(this.#options.sql, this.#options.kinds, held);
  }

  /** One that was never begun goes back and ends by that; one that runs is told to stop. */
  #cancel(isMeant: (job: ClaimedJob) => boolean): void {
    for (const execution of this.#executions.values()) {
      if (isMeant(execution.job)) execution.stop("cancelled");
    }
    for (const job of lanes.flatMap((lane) => this.#held[lane]).filter(isMeant)) {
      this.#forget(job);
      this.#attempt("cancel", () => handBack(this.#options.sql, this.#options.kinds, [job]));
    }
  }

  #hearCancellation(id: string): void {
    const ours = [
      ...[...this.#executions.values()].map(({ job }) => job),
      ...this.#held.interactive,
      ...this.#held.bulk,
    ];
    if (ours.some((job) => job.id === id)) this.#attempt("heartbeat", () => this.#beat());
  }

  #forget({ claim, lane }: ClaimedJob): void {
    this.#held[lane] = this.#held[lane].filter((job) => job.claim !== claim);
  }

  #everyBeat(doing: string, work: () => Promise<void>): ReturnType<typeof setInterval> {
    return setInterval(() => this.#attempt(doing, work), (this.#leaseSeconds * 1000) / 3);
  }

  #poll(): void {
    this.#wake();
    const pollMs = this.#options.pollMs ?? (this.#hears ? 1_000 : 250);
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
    // Anyone who may log in may notify: what is to be cancelled, only the database says.
    const cancellations = await sql.listen("parlance_cancellations", (id) => this.#hearCancellation(id));
    this.#unlistens.push(cancellations.unlisten);
    await sql.notify("parlance_jobs", "");
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
      for (const lane of lanes) await this.#claimLane(lane);
    }
  }

  async #claimLane(lane: JobLane): Promise<void> {
    const { sql, workerId } = this.#options;
    const { kinds, isLimited, turns } = this.#work[lane];
    const jobsMax = this.#countRoom(lane);
    if (jobsMax === 0 || kinds.length === 0) return;
    const models = this.#options.models?.() ?? [];
    const loaded = this.#options.loaded?.() ?? models;
    const leaseSeconds = this.#leaseSeconds;
    try {
      const look = turns.begin();
      const options = { workerId, kinds, lane, jobsMax, leaseSeconds, models, loaded };
      const claimed = await claimJobs(sql, { ...options, afterTurn: isLimited ? 0 : look.afterTurn });
      look.end(claimed);
      this.#held[lane].push(...claimed);
      this.#begin(lane);
      // Those that came first may all have been of one owner, whose limit let only some of them through.
      if (claimed.length === jobsMax || (isLimited && claimed.length > 0)) this.#claimAgain = true;
    } catch (error) {
      this.#options.onTrouble?.("claim", error);
    }
  }

  /** How many jobs may be claimed now. */
  #countRoom(lane: JobLane): number {
    const { slots, prefetch = 0 } = this.#options;
    const room = slots[lane] + prefetch - this.#busy[lane] - this.#held[lane].length;
    const ending = this.#executions.size - this.#busy.interactive - this.#busy.bulk;
    // Fewer round trips: what is held lasts for a while.
    return slots[lane] === 0 || room <= prefetch / 2 || ending > endingsMax ? 0 : room;
  }

  /** Begins what is held while slots are free. */
  #begin(lane: JobLane): void {
    while (!this.#stopped && this.#busy[lane] < this.#options.slots[lane]) {
      const job = this.#held[lane].shift();
      if (!job) return;
      this.#execute(job);
    }
  }

  #execute(job: ClaimedJob): void {
    const task = this.#tasks.get(job.kind);
    if (!task) return;
    const startedAtMs = Date.now();
    const execution = executeJob(this.#options.sql, task, job, this.#endings);
    this.#executions.set(job.claim, execution);
    this.#busy[job.lane] += 1;
    execution.ran.then(() => {
      this.#busy[job.lane] -= 1;
      this.#begin(job.lane);
      this.#wake();
    });
    execution.ended
      .then(
        ({ ending, error }) => this.#options.onEnded?.(job, ending, error, Date.now() - startedAtMs),
        // The database could not be told; the lease runs out and another worker takes the job.
        (error) => this.#options.onTrouble?.(`end of job ${job.id}`, error),
      )
      .finally(() => {
        this.#executions.delete(job.claim);
        // A limit counts a job until its ending is written: only then the next one is due.
        if (this.#executions.size === endingsMax || this.#work[job.lane].isLimited) this.#wake();
      });
  }

  async #beat(): Promise<void> {
    const begun = [...this.#executions.values()].map(({ job }) => job);
    const claims = [...begun, ...this.#held.interactive, ...this.#held.bulk];
    const answers = await heartbeatJobs(this.#options.sql, claims, this.#leaseSeconds);
    const held = new Map(answers.map((answer) => [answer.claim, answer]));
    for (const job of claims) {
      if (held.has(job.claim)) continue;
      this.#executions.get(job.claim)?.stop("lost");
      this.#forget(job);
    }
    this.#cancel(({ claim }) => held.get(claim)?.cancelRequested ?? false);
  }

  async #rescue(): Promise<void> {
    const rescued = await rescueJobs(this.#options.sql, this.#options.kinds);
    if (rescued > 0) this.#wake();
  }

  #attempt(doing: string, work: () => Promise<void>): Promise<void> {
    return work().catch((error) => this.#options.onTrouble?.(doing, error));
  }
}
