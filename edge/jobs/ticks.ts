/**
 * A tick keeps the house going where no process runs all the time: it adds the jobs of due schedules, takes back what
 * dead workers held, and runs a few due jobs that need no model. Any number of ticks may run at once.
 */
import { createId } from "../../shared/ids.ts";
import type { JobLane } from "../../shared/jobs/contract.ts";
import type { JobEnding } from "../../shared/jobs/executor.ts";
import { executeJob } from "../../shared/jobs/executor.ts";
import type { Task } from "../../shared/jobs/kinds.ts";
import { claimJobs, rescueJobs } from "../../shared/jobs/queue.ts";
import { jobKinds } from "../../shared/kinds.ts";
import type { Deps } from "../deps.ts";
import { addDueRuns, type HouseSchedule } from "./schedules.ts";

/** What the edge can run, and the schedules that are there from the beginning. */
export interface Schedule {
  readonly tasks: readonly Task[];
  readonly houseSchedules: readonly HouseSchedule[];
}

export interface TickOptions {
  /** No job is started after this time, and what runs is handed back. Default 20,000. */
  budgetMs?: number | undefined;
  /** Default 10. */
  jobsMax?: number | undefined;
}

export interface TickCounts {
  added: number;
  rescued: number;
  done: number;
  failed: number;
  /** Handed back to the queue: the time was up, or they may be tried again. */
  requeued: number;
}

export async function tick(deps: Deps, schedule: Schedule, options: TickOptions = {}): Promise<TickCounts> {
  const endsAtMs = Date.now() + (options.budgetMs ?? 20_000);
  const added = await addDueRuns(deps, schedule.houseSchedules);
  const rescued = await rescueJobs(deps.sql, jobKinds);
  const counts = { added, rescued, done: 0, failed: 0, requeued: 0 };
  const workerId = createId();
  for (let ran = 0; ran < (options.jobsMax ?? 10) && Date.now() < endsAtMs; ran++) {
    // Bulk work has the first look every fourth time, so that it never starves.
    const lanes = ran % 4 === 3 ? (["bulk", "interactive"] as const) : (["interactive", "bulk"] as const);
    const ending =
      (await runOne(deps, schedule.tasks, { workerId, lane: lanes[0], endsAtMs })) ??
      (await runOne(deps, schedule.tasks, { workerId, lane: lanes[1], endsAtMs }));
    if (ending === undefined) break;
    if (ending === "done") counts.done++;
    else if (ending === "failed" || ending === "cancelled") counts.failed++;
    else counts.requeued++;
  }
  return counts;
}

/** How the next due job ended; undefined when none was due. */
async function runOne(
  { sql, log }: Deps,
  tasks: readonly Task[],
  { workerId, lane, endsAtMs }: { workerId: string; lane: JobLane; endsAtMs: number },
): Promise<JobEnding | undefined> {
  const [job] = await claimJobs(sql, {
    workerId,
    kinds: tasks.map((task) => task.kind),
    lane,
    jobsMax: 1,
    // Nobody beats for it, so the lease outlives the work and its landing.
    leaseSeconds: Math.ceil((endsAtMs - Date.now()) / 1000) + 30,
  });
  const task = job && tasks.find(({ kind }) => kind.name === job.kind);
  if (!task) return undefined;
  const execution = executeJob(sql, task, job);
  const timer = setTimeout(() => execution.stop("shutdown"), endsAtMs - Date.now());
  try {
    const { ending, error } = await execution.ended;
    log.info("job.ended", { jobId: job.id, kind: job.kind, ending, code: error?.code });
    return ending;
  } finally {
    clearTimeout(timer);
  }
}
