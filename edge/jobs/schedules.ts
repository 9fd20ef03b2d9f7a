/**
 * Runs of schedules: what is due becomes jobs. A due row is locked, its jobs are added and its time is moved in one
 * transaction: another process that ticks skips the row while it is held, and finds it moved after. A crash between
 * leaves it due, with nothing added.
 */
import type { TransactionSql } from "postgres";
import { isTransientDatabaseError } from "../../shared/database.ts";
import { AppError } from "../../shared/errors.ts";
import type { AnyJobKind } from "../../shared/jobs/kinds.ts";
import { addJobs } from "../../shared/jobs/queue.ts";
import { jobKinds } from "../../shared/kinds.ts";
import { describeError } from "../../shared/log.ts";
import type { Deps } from "../deps.ts";
import { planRuns } from "./missed-runs.ts";
import {
  glanceSchedules,
  insertHouseSchedules,
  moveSchedule,
  postponeSchedule,
  type ScheduleRow,
  takeDueSchedule,
} from "./schedule-store.ts";

/** A schedule that is there from the beginning, under the name of its kind; when it runs is the operator's to change. */
export interface HouseSchedule {
  readonly kind: AnyJobKind;
  /** In UTC. */
  readonly cron: string;
}

type Clockwork = Pick<Deps, "sql" | "now" | "log">;

/** What is due after so many schedules is for the next tick. */
const schedulesMax = 100;
/** After a try that was refused. */
const pauseMs = 60_000;

/** Adds the jobs of due schedules and answers how many; those of the house are made where they are missing. */
export async function addDueRuns(
  deps: Clockwork,
  house: readonly HouseSchedule[] = [],
  kinds: ReadonlyMap<string, AnyJobKind> = jobKinds,
): Promise<number> {
  const names = house.map(({ kind }) => kind.name);
  const { present, isAnyDue } = await glanceSchedules(deps.sql, names, deps.now());
  const missing = house.filter(({ kind }) => !present.includes(kind.name));
  if (missing.length > 0) {
    const made = missing.map(({ kind, cron }) => ({ name: kind.name, kind: kind.name, cron }));
    await insertHouseSchedules(deps.sql, made, deps.now());
  }
  if (missing.length === 0 && !isAnyDue) return 0;
  let added = 0;
  for (let taken = 0; taken < schedulesMax; taken++) {
    const count = await addRunsOfOne(deps, kinds);
    if (count === undefined) break;
    added += count;
  }
  return added;
}

/** How many jobs the next due schedule added; undefined when none is due that nobody else holds. */
async function addRunsOfOne(
  deps: Clockwork,
  kinds: ReadonlyMap<string, AnyJobKind>,
): Promise<number | undefined> {
  let taken: ScheduleRow | undefined;
  const now = deps.now();
  try {
    const count = await deps.sql.begin(async (transaction) => {
      taken = await takeDueSchedule(transaction, now);
      return taken && (await addRuns(transaction, kinds, taken, now));
    });
    return count as number | undefined;
  } catch (error) {
    if (!taken || isTransientDatabaseError(error)) throw error;
    await tellRefusal(deps, taken, error);
    return 0;
  }
}

async function addRuns(
  transaction: TransactionSql,
  kinds: ReadonlyMap<string, AnyJobKind>,
  schedule: ScheduleRow,
  now: Date,
): Promise<number> {
  const { name, payload, ownerId } = schedule;
  const kind = getFittingKind(kinds, schedule);
  const { runs, nextAt } = planRuns({ ...schedule, nextAt: new Date(schedule.nextAt) }, now);
  const jobs = runs.map((at) => ({ payload, ownerId, uniqueKey: `${name} ${at.toISOString()}` }));
  const ids = jobs.length > 0 ? await addJobs(transaction, kind, jobs) : [];
  const [at, jobId] = [runs.at(-1), ids.at(-1)];
  await moveSchedule(transaction, name, { nextAt, last: at && jobId ? { at, jobId } : undefined });
  return runs.length;
}

/** Another version of the house may know the kind, or make the payload fit: its runs are not given up. */
export function getFittingKind(
  kinds: ReadonlyMap<string, AnyJobKind>,
  { kind: name, payload }: Pick<ScheduleRow, "kind" | "payload">,
): AnyJobKind {
  const kind = kinds.get(name);
  if (!kind) throw new AppError("conflict", `There is no kind of job ${name} here.`);
  if (kind.payload.safeParse(payload).success) return kind;
  throw new AppError("conflict", `The payload does not fit ${name}.`);
}

/** One schedule that cannot be carried out holds up no other, and is told of once a minute. */
async function tellRefusal(
  { sql, now, log }: Clockwork,
  schedule: ScheduleRow,
  error: unknown,
): Promise<void> {
  const reason = error instanceof AppError ? error.message : "Its job was refused; the log says why.";
  await postponeSchedule(sql, schedule, { dueAt: new Date(now().getTime() + pauseMs), error: reason });
  log.warn("schedule.refused", { name: schedule.name, kind: schedule.kind, error: describeError(error) });
}
