import type { Sql, TransactionSql } from "postgres";
import type { JobSchedule, MissedPolicy, NewJobSchedule } from "../../shared/jobs/schedules.ts";

type Database = Sql | TransactionSql;

/** A schedule with what only those who tick look at. */
export interface ScheduleRow extends Omit<JobSchedule, "nextAt"> {
  readonly missed: MissedPolicy;
  readonly nextAt: string;
}

const scheduleColumns = (sql: Database) => sql`
  name, kind, payload, owner_id, cron, time_zone, missed, is_paused, next_at, last_at, last_job_id, last_error,
  created_at, updated_at
`;

/** In the order of their names. */
export async function listSchedules(
  sql: TransactionSql,
  page: { afterName: string | undefined; limit: number },
): Promise<ScheduleRow[]> {
  return await sql<ScheduleRow[]>`
    select ${scheduleColumns(sql)}
    from parlance.job_schedules
    where ${page.afterName === undefined ? sql`true` : sql`name > ${page.afterName}`}
    order by name
    limit ${page.limit}
  `;
}

/** `locked`: nobody changes it until the transaction ends. */
export async function findSchedule(
  sql: TransactionSql,
  name: string,
  options: { locked?: boolean } = {},
): Promise<ScheduleRow | undefined> {
  const [row] = await sql<ScheduleRow[]>`
    select ${scheduleColumns(sql)}
    from parlance.job_schedules
    where name = ${name}
    ${options.locked ? sql`for update` : sql``}
  `;
  return row;
}

/** Creates a schedule, or replaces what it is made of. */
export async function upsertSchedule(
  sql: TransactionSql,
  name: string,
  schedule: NewJobSchedule & { nextAt: Date },
): Promise<void> {
  const { kind, payload, ownerId, cron, timeZone, missed, isPaused, nextAt } = schedule;
  await sql`
    insert into parlance.job_schedules
      (name, kind, payload, owner_id, cron, time_zone, missed, is_paused, next_at, due_at)
    values
      (${name}, ${kind}, ${sql.json(payload as never)}, ${ownerId}, ${cron}, ${timeZone}, ${missed}, ${isPaused},
       ${nextAt.toISOString()}, ${nextAt.toISOString()})
    on conflict (name) do update
    set kind = excluded.kind,
      payload = excluded.payload,
      owner_id = excluded.owner_id,
      cron = excluded.cron,
      time_zone = excluded.time_zone,
      missed = excluded.missed,
      is_paused = excluded.is_paused,
      next_at = excluded.next_at,
      due_at = excluded.due_at,
      last_error = null,
      updated_at = now()
  `;
}

export async function deleteSchedule(sql: TransactionSql, name: string): Promise<boolean> {
  const { count } = await sql`
    delete from parlance.job_schedules
    where name = ${name}
  `;
  return count > 0;
}

/** Which of these names are taken, and whether anything is due: all that most ticks ask. */
export async function glanceSchedules(
  sql: Sql,
  names: readonly string[],
  now: Date,
): Promise<{ present: string[]; isAnyDue: boolean }> {
  const [row] = await sql<{ present: string[]; isAnyDue: boolean }[]>`
    select
      array(
        select name
        from parlance.job_schedules
        where name = any (${[...names]}::text[])
      ) as present,
      exists (
        select
        from parlance.job_schedules
        where not is_paused and due_at <= ${now.toISOString()}
      ) as is_any_due
  `;
  return row ?? { present: [], isAnyDue: false };
}

/** Schedules of the house that are missing, due at once; one that is there stays as it is. */
export async function insertHouseSchedules(
  sql: Sql,
  schedules: readonly { name: string; kind: string; cron: string }[],
  nextAt: Date,
): Promise<void> {
  await sql`
    insert into parlance.job_schedules (name, kind, cron, next_at, due_at)
    select name, kind, cron, ${nextAt.toISOString()}::timestamptz, ${nextAt.toISOString()}::timestamptz
    from unnest(
      ${schedules.map(({ name }) => name)}::text[],
      ${schedules.map(({ kind }) => kind)}::text[],
      ${schedules.map(({ cron }) => cron)}::text[]
    ) as missing (name, kind, cron)
    on conflict (name) do nothing
  `;
}

/** Locks the one that is due the longest and that nobody else holds. */
export async function takeDueSchedule(sql: TransactionSql, now: Date): Promise<ScheduleRow | undefined> {
  const [row] = await sql<ScheduleRow[]>`
    select ${scheduleColumns(sql)}
    from parlance.job_schedules
    where not is_paused and due_at <= ${now.toISOString()}
    order by due_at, name
    limit 1
    for update skip locked
  `;
  return row;
}

/** After its due runs: when it is due again, and its newest run if it had one. */
export async function moveSchedule(
  sql: TransactionSql,
  name: string,
  move: { nextAt: Date; last: { at: Date; jobId: string } | undefined },
): Promise<void> {
  await sql`
    update parlance.job_schedules
    set next_at = ${move.nextAt.toISOString()},
      due_at = ${move.nextAt.toISOString()},
      last_at = coalesce(${move.last?.at.toISOString() ?? null}, last_at),
      last_job_id = coalesce(${move.last?.jobId ?? null}::uuid, last_job_id),
      last_error = null
    where name = ${name}
  `;
}

/** After a try that was refused: its runs stay due, and it is looked at again later. */
export async function postponeSchedule(
  sql: Sql,
  { name, nextAt }: Pick<ScheduleRow, "name" | "nextAt">,
  { dueAt, error }: { dueAt: Date; error: string },
): Promise<void> {
  await sql`
    update parlance.job_schedules
    set due_at = greatest(due_at, ${dueAt.toISOString()}),
      last_error = left(${error}, 2000)
    where name = ${name} and next_at = ${nextAt}
  `;
}
