/** Long work of the room that needs no model. */
import type { Task } from "../../shared/jobs/kinds.ts";
import type { Deps } from "../deps.ts";

export function createInteractionTasks(_deps: Deps): Task[] {
  return [];
}
