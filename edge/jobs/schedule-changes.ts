/** What an operator does with schedules; whether the caller may is decided before. */
import type { TransactionSql } from "postgres";
import { serviceCaller, transactAs } from "../../shared/callers.ts";
import { violatedConstraint } from "../../shared/database.ts";
import { AppError } from "../../shared/errors.ts";
import type { AnyJobKind } from "../../shared/jobs/kinds.ts";
import { addJob } from "../../shared/jobs/queue.ts";
import {
  type JobSchedule,
  type JobScheduleDetail,
  type NewJobSchedule,
  scheduleLimits,
} from "../../shared/jobs/schedules.ts";
import type { Deps } from "../deps.ts";
import { checkTimetable, findNextRun, listNextRuns } from "./cron.ts";
import { checkPayload, refuseField } from "./payloads.ts";
import {
  deleteSchedule,
  findSchedule,
  listSchedules,
  type ScheduleRow,
  upsertSchedule,
} from "./schedule-store.ts";
import { getFittingKind, type HouseSchedule } from "./schedules.ts";

type Clock = Pick<Deps, "sql" | "now">;
type Kinds = ReadonlyMap<string, AnyJobKind>;

export function showSchedules(
  { sql }: Clock,
  page: { afterName: string | undefined; limit: number },
): Promise<JobSchedule[]> {
  return transactAs(sql, serviceCaller, async (transaction) =>
    (await listSchedules(transaction, page)).map(toSchedule),
  );
}

export function showSchedule({ sql, now }: Clock, name: string): Promise<JobScheduleDetail> {
  return transactAs(sql, serviceCaller, async (transaction) =>
    toDetail(await getSchedule(transaction, name), now()),
  );
}

export interface Replacement {
  readonly name: string;
  readonly schedule: NewJobSchedule;
  readonly kinds: Kinds;
  readonly house: readonly HouseSchedule[];
}

/** Creates a schedule or replaces it whole; `isNew` says which. */
export async function replaceSchedule(
  { sql, now }: Clock,
  { name, schedule, kinds, house }: Replacement,
): Promise<{ isNew: boolean; schedule: JobScheduleDetail }> {
  checkTimetable(schedule);
  const { payload } = checkPayload(kinds, schedule, scheduleLimits.payloadBytesMax);
  checkHouse(house, name, schedule);
  return transactAs(sql, serviceCaller, async (transaction) => {
    const existing = await findSchedule(transaction, name, { locked: true });
    const nextAt = findNextAt(schedule, existing, now());
    await upsertSchedule(transaction, name, { ...schedule, payload, nextAt }).catch(explainOwner);
    return { isNew: !existing, schedule: toDetail(await getSchedule(transaction, name), now()) };
  });
}

/** One of the house would be made again by the next tick. */
export async function removeSchedule(
  { sql }: Clock,
  house: readonly HouseSchedule[],
  name: string,
): Promise<void> {
  if (house.some(({ kind }) => kind.name === name)) {
    throw new AppError("conflict", "The house needs this schedule: pause it instead.");
  }
  const isGone = await transactAs(sql, serviceCaller, (transaction) => deleteSchedule(transaction, name));
  if (!isGone) throw missing();
}

/** Adds a run at once, beside those of the expression. Asked for twice by one operation, it is one run. */
export function runSchedule(
  { sql }: Clock,
  kinds: Kinds,
  { name, operationId }: { name: string; operationId: string | undefined },
): Promise<string> {
  return transactAs(sql, serviceCaller, async (transaction) => {
    const schedule = await getSchedule(transaction, name);
    const { payload, ownerId } = schedule;
    return addJob(transaction, getFittingKind(kinds, schedule), {
      payload,
      ownerId,
      ...(operationId === undefined ? {} : { id: operationId }),
    });
  });
}

async function getSchedule(transaction: TransactionSql, name: string): Promise<ScheduleRow> {
  const found = await findSchedule(transaction, name);
  if (!found) throw missing();
  return found;
}

function missing(): AppError {
  return new AppError("not_found", "There is no such schedule.");
}

/**
 * What is due and not added yet stays so where only the rest was changed: a schedule that is put again at each
 * deployment misses nothing. Times that were added are never added again.
 */
function findNextAt(schedule: NewJobSchedule, existing: ScheduleRow | undefined, now: Date): Date {
  const isSameTimetable =
    existing &&
    !existing.isPaused &&
    existing.cron === schedule.cron &&
    existing.timeZone === schedule.timeZone;
  if (isSameTimetable) return new Date(existing.nextAt);
  const lastAtMs = existing?.lastAt ? Date.parse(existing.lastAt) : 0;
  return findNextRun(schedule, new Date(Math.max(now.getTime(), lastAtMs)));
}

/** When the house's own sweeps run may be changed, not what they are. */
function checkHouse(house: readonly HouseSchedule[], name: string, schedule: NewJobSchedule): void {
  if (!house.some(({ kind }) => kind.name === name)) return;
  if (schedule.kind === name && schedule.ownerId === null) return;
  throw new AppError(
    "conflict",
    `The schedule ${name} is the house's: its kind is ${name} and it has no owner.`,
  );
}

function explainOwner(error: unknown): never {
  if (violatedConstraint(error) !== "job_schedules_owner_id_fkey") throw error;
  throw refuseField({ field: "body.ownerId", message: "must be a user's id, or null for the house" });
}

function toSchedule(row: ScheduleRow): JobSchedule {
  return { ...row, nextAt: row.isPaused ? null : row.nextAt };
}

function toDetail(row: ScheduleRow, now: Date): JobScheduleDetail {
  const { nextRunsShown } = scheduleLimits;
  const nextRuns = row.isPaused
    ? []
    : listNextRuns(row, now, nextRunsShown).map((time) => time.toISOString());
  return { ...toSchedule(row), nextRuns };
}
