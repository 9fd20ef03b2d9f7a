/** SQL of silences: read as the caller, under row level security; written as the service role. */
import type { TransactionSql } from "postgres";
import type { AlertSilence, NewSilence } from "../../../shared/interactions/silences.ts";
import { ownedBy } from "../statistics/settings-lock.ts";

const silenceColumns = (sql: TransactionSql) => sql`
  id, owner_id, rule_id, app, environment, model, severity_max, reason, starts_at, ends_at, created_at,
  clock_timestamp() >= starts_at and clock_timestamp() < ends_at as is_running
`;

export interface SilencesWanted {
  /** Only those that are not over. */
  readonly openOnly: boolean;
  /** Only silences older than this one. */
  readonly beforeId?: string | undefined;
  readonly limit: number;
}

/** Newest first: ids are made in the order of time. */
export async function listSilences(
  sql: TransactionSql,
  ownerId: string | null,
  { openOnly, beforeId, limit }: SilencesWanted,
): Promise<AlertSilence[]> {
  return await sql<AlertSilence[]>`
    select ${silenceColumns(sql)}
    from parlance.alert_silences
    where ${ownedBy(sql, ownerId)}
      and ${openOnly ? sql`ends_at > clock_timestamp()` : sql`true`}
      and ${beforeId ? sql`id < ${beforeId}` : sql`true`}
    order by id desc
    limit ${limit}
  `;
}

export async function findSilence(sql: TransactionSql, id: string): Promise<AlertSilence | undefined> {
  const [row] = await sql<AlertSilence[]>`
    select ${silenceColumns(sql)}
    from parlance.alert_silences
    where id = ${id}
  `;
  return row;
}

export interface SilenceToInsert extends Omit<NewSilence, "startsAt" | "endsAt" | "minutes"> {
  readonly id: string;
  readonly ownerId: string | null;
  readonly startsAt: Date;
  readonly endsAt: Date;
}

/** Does nothing where the id is there already: the same request came again. */
export async function insertSilence(sql: TransactionSql, silence: SilenceToInsert): Promise<void> {
  await sql`
    insert into parlance.alert_silences (
      id, owner_id, rule_id, app, environment, model, severity_max, reason, starts_at, ends_at
    )
    values (
      ${silence.id}, ${silence.ownerId}, ${silence.ruleId}, ${silence.app}, ${silence.environment}, ${silence.model},
      ${silence.severityMax}::text::parlance.alert_severity, ${silence.reason}, ${silence.startsAt.toISOString()},
      ${silence.endsAt.toISOString()}
    )
    on conflict (id) do nothing
  `;
}

/** Ends it at this moment. One that has not begun never was; one that is over stays as it is. */
export async function endSilence(sql: TransactionSql, id: string): Promise<void> {
  await sql`
    delete from parlance.alert_silences
    where id = ${id} and starts_at >= clock_timestamp()
  `;
  await sql`
    update parlance.alert_silences
    set ends_at = clock_timestamp()
    where id = ${id} and starts_at < clock_timestamp() and ends_at > clock_timestamp()
  `;
}
