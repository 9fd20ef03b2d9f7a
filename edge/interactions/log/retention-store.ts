/** SQL of what is kept for how long; as the service role. */
import type { TransactionSql } from "postgres";
import { ownedBy } from "./conditions.ts";

/** Who does not keep everything for ever. */
export interface Keeper {
  /** Of the settings. */
  readonly id: string;
  readonly ownerId: string | null;
  readonly retentionDays: number | null;
  readonly retentionDaysByApp: Readonly<Record<string, number | null>>;
}

export async function listKeepers(
  sql: TransactionSql,
  afterId: string | undefined,
  countMax: number,
): Promise<Keeper[]> {
  return await sql<Keeper[]>`
    select id, owner_id, retention_days, retention_days_by_app
    from parlance.interaction_settings
    where (retention_days is not null or retention_days_by_app <> '{}')
      and ${afterId === undefined ? sql`true` : sql`id > ${afterId}`}
    order by id
    limit ${countMax}
  `;
}

/** What happened longer ago than it is kept, the oldest of each app, environment and model first. */
export async function listExpired(
  sql: TransactionSql,
  { ownerId, retentionDays, retentionDaysByApp }: Keeper,
  { now, rowsMax }: { readonly now: Date; readonly rowsMax: number },
): Promise<string[]> {
  const byApp = JSON.stringify(retentionDaysByApp);
  const rows = await sql<{ id: string }[]>`
    select expired.id
    from (
      select
        groups.id,
        case
          when ${byApp}::text::jsonb ? groups.app then (${byApp}::text::jsonb ->> groups.app)::integer
          else ${retentionDays}::integer
        end as days
      from parlance.interaction_groups as groups
      where ${ownedBy(sql, ownerId, sql`groups.owner_id`)}
    ) as kept
    cross join lateral (
      select rows.id
      from parlance.interactions as rows
      where rows.group_id = kept.id
        and rows.occurred_at < ${now.toISOString()}::text::timestamptz - make_interval(days => kept.days)
      order by rows.occurred_at, rows.id
      limit ${rowsMax}
    ) as expired
    limit ${rowsMax}
  `;
  return rows.map(({ id }) => id);
}
