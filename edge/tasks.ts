import { calibrateSpace } from "../shared/images/calibration-kinds.ts";
import { sweepImages } from "../shared/images/kinds.ts";
import { measureRecall } from "../shared/images/recall.ts";
import { sweepImports } from "../shared/interactions/import-kinds.ts";
import { watchInteractions } from "../shared/interactions/kinds.ts";
import { removeExpired } from "../shared/interactions/log-kinds.ts";
import { foldStatistics, measureAgain, rollUpStatistics } from "../shared/interactions/statistics-kinds.ts";
import type { Task } from "../shared/jobs/kinds.ts";
import { expireKeys, pruneHistory } from "../shared/jobs/maintenance.ts";
import type { Deps } from "./deps.ts";
import { createImageTasks } from "./images/tasks.ts";
import { createInteractionTasks } from "./interactions/tasks.ts";
import { runDueJobs } from "./jobs/due-jobs.ts";
import { type EdgeRunner, type EdgeRunnerOptions, startEdgeRunner } from "./jobs/edge-runner.ts";
import type { HouseSchedule } from "./jobs/schedules.ts";
import { createJobTasks } from "./jobs/tasks.ts";
import { type Schedule, type TickCounts, type TickOptions, tick } from "./jobs/ticks.ts";

/** Every task that needs no model, of all rooms. */
export function createEdgeTasks(deps: Deps): Task[] {
  return [...createImageTasks(deps), ...createInteractionTasks(deps), ...createJobTasks(deps)];
}

/** Sweeps once an hour each, and not all in the same minute; what waits to be told of is looked for every minute. */
export const houseSchedules: readonly HouseSchedule[] = [
  { kind: sweepImages, cron: "7 * * * *" },
  { kind: pruneHistory, cron: "17 * * * *" },
  { kind: expireKeys, cron: "27 * * * *" },
  { kind: calibrateSpace, cron: "37 * * * *" },
  { kind: measureRecall, cron: "47 * * * *" },
  { kind: sweepImports, cron: "52 * * * *" },
  { kind: watchInteractions, cron: "* * * * *" },
  { kind: foldStatistics, cron: "12 * * * *" },
  { kind: rollUpStatistics, cron: "22 * * * *" },
  { kind: measureAgain, cron: "32 * * * *" },
  { kind: removeExpired, cron: "42 * * * *" },
];

export function createSchedule(deps: Deps): Schedule {
  return {
    tasks: createEdgeTasks(deps),
    houseSchedules,
  };
}

/** One tick; for a timer inside the process. `POST /jobs/ticks` does the same for one outside. */
export function runTick(deps: Deps, options: TickOptions = {}): Promise<TickCounts> {
  return tick(deps, createSchedule(deps), options);
}

/** A small tick for jobs that a request has just added. */
export async function runAddedJobs(deps: Deps): Promise<void> {
  await runDueJobs(deps, createEdgeTasks(deps), { endsAtMs: Date.now() + 10_000, cpuMs: 500, jobsMax: 10 });
}

/** For a process that runs all the time: in place of ticks. */
export function runEdgeJobs(deps: Deps, options: EdgeRunnerOptions = {}): EdgeRunner {
  return startEdgeRunner(deps, createSchedule(deps), options);
}
