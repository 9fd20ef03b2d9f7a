/** Which runs of a due schedule are added, and when it is due again. */
import type { MissedPolicy } from "../../shared/jobs/schedules.ts";
import { findNextRun, listPastRuns, type Timetable } from "./cron.ts";

/** What is later than this counts as missed. */
export const graceMs = 5 * 60_000;
/** Of `all`, the newest so many. */
export const missedRunsMax = 100;

export interface DuePlan {
  /** The times to add a job for, in order. */
  readonly runs: readonly Date[];
  readonly nextAt: Date;
}

/** `nextAt` is the oldest time that was not added, whatever the expression says of it. */
export function planRuns(
  schedule: Timetable & { readonly missed: MissedPolicy; readonly nextAt: Date },
  now: Date,
): DuePlan {
  const nextAt = findNextRun(schedule, now);
  if (schedule.missed === "all") return { runs: listDue(schedule, now, missedRunsMax), nextAt };
  const latest = listDue(schedule, now, 1);
  if (schedule.missed === "once") return { runs: latest, nextAt };
  return { runs: latest.filter((time) => now.getTime() - time.getTime() <= graceMs), nextAt };
}

/** The newest due times, in order. */
function listDue(schedule: Timetable & { readonly nextAt: Date }, now: Date, runsMax: number): Date[] {
  const later = listPastRuns(schedule, { after: schedule.nextAt, until: now }, runsMax);
  return [schedule.nextAt, ...later].slice(-runsMax);
}
