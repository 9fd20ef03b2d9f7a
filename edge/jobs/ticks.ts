/**
 * A tick keeps the house going where no process runs all the time: it adds the jobs of due schedules, takes back what
 * dead workers held, and runs due jobs that need no model. Any number of ticks may run at once.
 */
import type { Task } from "../../shared/jobs/kinds.ts";
import { rescueJobs } from "../../shared/jobs/queue.ts";
import { jobKinds } from "../../shared/kinds.ts";
import { describeError } from "../../shared/log.ts";
import type { Deps } from "../deps.ts";
import { type EndedCounts, runDueJobs } from "./due-jobs.ts";
import { addDueRuns, type HouseSchedule } from "./schedules.ts";

/** What the edge can run, and the schedules that are there from the beginning. */
export interface Schedule {
  readonly tasks: readonly Task[];
  readonly houseSchedules: readonly HouseSchedule[];
}

export interface TickOptions {
  /** No job is begun after this time, and what runs is handed back. Default 20,000. */
  budgetMs?: number | undefined;
  /** No run and no slice of one is begun that would take more CPU. Default 1,500. */
  cpuMs?: number | undefined;
  /** Default 100. */
  jobsMax?: number | undefined;
}

export interface TickCounts extends EndedCounts {
  added: number;
  rescued: number;
}

/** Of two seconds, after which Supabase ends an isolate: some goes to the request and to the queue itself. */
const cpuMsDefault = 1_500;

export async function tick(deps: Deps, schedule: Schedule, options: TickOptions = {}): Promise<TickCounts> {
  const { budgetMs = 20_000, cpuMs = cpuMsDefault, jobsMax = 100 } = options;
  const endsAtMs = Date.now() + budgetMs;
  const added = await attempt(deps, "schedules", () => addDueRuns(deps, schedule.houseSchedules));
  const rescued = await attempt(deps, "rescue", () => rescueJobs(deps.sql, jobKinds));
  return { added, rescued, ...(await runDueJobs(deps, schedule.tasks, { endsAtMs, cpuMs, jobsMax })) };
}

/** What did not go well here holds up no due job; the next tick tries again. */
async function attempt({ log }: Deps, doing: string, count: () => Promise<number>): Promise<number> {
  try {
    return await count();
  } catch (error) {
    log.warn("tick.trouble", { doing, error: describeError(error) });
    return 0;
  }
}
