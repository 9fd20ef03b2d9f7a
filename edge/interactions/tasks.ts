/** Long work of the room that needs no model. */
import type { Task } from "../../shared/jobs/kinds.ts";
import type { Deps } from "../deps.ts";
import { createWatchTask } from "./alerts/watch.ts";
import { createImportTask } from "./imports/run.ts";
import { createImportSweep } from "./imports/sweeping.ts";
import { createRemovalTasks } from "./log/removal-tasks.ts";
import { createBackTestTask } from "./rules/back-test-task.ts";
import { createStatisticsTasks } from "./statistics/tasks.ts";

export function createInteractionTasks(deps: Deps): Task[] {
  return [
    createWatchTask(deps),
    ...createStatisticsTasks(deps),
    ...createRemovalTasks(deps),
    createBackTestTask(deps),
    createImportTask(deps),
    createImportSweep(deps),
  ];
}
