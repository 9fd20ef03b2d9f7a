/**
 * The edge's jobs in a process that runs all the time: they begin when they are added, not when a timer comes round. The
 * process is the clock of schedules too, and looks for jobs of dead workers.
 *
 *   listens ──▶ runs edge jobs · every five seconds: due schedules, "I live" ──stop──▶ drains · takes its row along
 */
import { createId } from "../../shared/ids.ts";
import type { JobLane } from "../../shared/jobs/contract.ts";
import { type Presence, removeWorker, reportWorker } from "../../shared/jobs/presence.ts";
import { type Runner, startRunner } from "../../shared/jobs/runner.ts";
import { jobKinds } from "../../shared/kinds.ts";
import { createTroubleLog } from "../../shared/log.ts";
import type { Deps } from "../deps.ts";
import { addDueRuns } from "./schedules.ts";
import type { Schedule } from "./ticks.ts";

export interface EdgeRunnerOptions {
  readonly slots?: Readonly<Record<JobLane, number>>;
  /** Of schedules and reports; a worker unseen for 20 s counts as gone. Default 5,000. */
  readonly everyMs?: number;
  /** Given to running jobs at the end before they are handed back. Default 3,000. */
  readonly drainMs?: number;
  /** What the process runs on, by name. */
  readonly versions?: Readonly<Record<string, string>>;
  /** Its resident memory. */
  readonly memoryBytes?: () => number;
}

export interface EdgeRunner {
  readonly id: string;
  /** Adds no more runs, waits for what runs, hands back what does not end in time. */
  stop(): Promise<void>;
}

type RunnerDeps = Pick<Deps, "sql" | "log" | "now">;

export function startEdgeRunner(
  deps: RunnerDeps,
  schedule: Schedule,
  options: EdgeRunnerOptions = {},
): EdgeRunner {
  return new LongLivedRunner(deps, schedule, options);
}

class LongLivedRunner implements EdgeRunner {
  readonly id = createId();
  readonly #deps: RunnerDeps;
  readonly #schedule: Schedule;
  readonly #options: EdgeRunnerOptions;
  readonly #warn: (doing: string, error: unknown) => void;
  readonly #runner: Runner;
  readonly #timer: ReturnType<typeof setInterval>;
  #ticking: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;

  constructor(deps: RunnerDeps, schedule: Schedule, options: EdgeRunnerOptions) {
    this.#deps = deps;
    this.#schedule = schedule;
    this.#options = options;
    this.#warn = createTroubleLog(deps.log, "edge-runner.trouble");
    this.#runner = startRunner({
      sql: deps.sql,
      workerId: this.id,
      tasks: schedule.tasks,
      kinds: jobKinds,
      slots: options.slots ?? { interactive: 4, bulk: 2 },
      drainMs: options.drainMs ?? 3_000,
      onEnded: ({ id: jobId, kind, attempts: attempt }, ending, error, tookMs) =>
        deps.log.info("job.ended", { jobId, kind, attempt, ending, tookMs, code: error?.code }),
      onTrouble: this.#warn,
    });
    this.#timer = setInterval(() => this.#tick(), options.everyMs ?? 5_000);
    this.#tick();
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    clearInterval(this.#timer);
    const draining = this.#runner.stop();
    await this.#ticking;
    await this.#attempt("report", () => this.#report("draining"));
    await draining;
    await this.#attempt("leave", () => removeWorker(this.#deps.sql, this.id));
  }

  /** One at a time: a database that is slow is not asked more and more. */
  #tick(): void {
    this.#ticking ??= Promise.all([
      this.#attempt("report", () => this.#report("running")),
      this.#attempt("schedules", () => addDueRuns(this.#deps, this.#schedule.houseSchedules)),
    ]).then(() => {
      this.#ticking = undefined;
    });
  }

  #report(state: Presence["state"]): Promise<void> {
    const { versions = {}, memoryBytes } = this.#options;
    return reportWorker(this.#deps.sql, {
      id: this.id,
      runner: "edge",
      device: "none",
      provider: "none",
      kinds: this.#schedule.tasks.map(({ kind }) => kind.name),
      models: [],
      loaded: [],
      memoryBytes: memoryBytes?.() ?? 0,
      versions,
      state,
    });
  }

  #attempt(doing: string, work: () => Promise<unknown>): Promise<void> {
    return work().then(
      () => {},
      (error) => this.#warn(doing, error),
    );
  }
}
