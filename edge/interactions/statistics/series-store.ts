/** SQL of series: as the caller which groups there are, and as the service role what the hours of those have. */
import type { TransactionSql } from "postgres";
import type { GroupLabels } from "../../../shared/interactions/judging.ts";
import type { Series, SeriesQuery } from "../../../shared/interactions/series.ts";
import { type HourRow, hourColumns, toArrayText } from "./hour-store.ts";
import { ownedBy } from "./settings-lock.ts";

export async function findFreshness(
  transaction: TransactionSql,
  ownerId: string | null,
): Promise<Pick<Series, "foldedAt" | "pending">> {
  const [row] = await transaction<Pick<Series, "foldedAt" | "pending">[]>`
    select
      (
        select nullif(folded_at, '-infinity')
        from parlance.interaction_settings
        where ${ownedBy(transaction, ownerId)}
      ) as folded_at,
      (
        select coalesce(sum(rows), 0)::integer
        from parlance.interaction_batches
        where ${ownedBy(transaction, ownerId)} and folded_at is null
      ) as pending
  `;
  return row ?? { foldedAt: null, pending: 0 };
}

export async function listMatchingGroups(
  transaction: TransactionSql,
  ownerId: string | null,
  { app, environment, model }: Pick<SeriesQuery, "app" | "environment" | "model">,
): Promise<(GroupLabels & { readonly id: number })[]> {
  return await transaction<(GroupLabels & { readonly id: number })[]>`
    select id, app, environment, model
    from parlance.interaction_groups
    where ${ownedBy(transaction, ownerId)}
      and ${app === undefined ? transaction`true` : transaction`app = ${app}`}
      and ${environment === undefined ? transaction`true` : transaction`environment = ${environment}`}
      and ${model === undefined ? transaction`true` : transaction`model = ${model}`}
    limit 1000
  `;
}

export interface HoursQuery {
  readonly groupIds: readonly number[];
  readonly metric: number;
  readonly fromHour: number;
  /** Without it. */
  readonly toHour: number;
}

const matching = (
  transaction: TransactionSql,
  { groupIds, metric, fromHour, toHour }: HoursQuery,
) => transaction`
  hours.group_id = any(${toArrayText(groupIds)}::text::integer[])
  and hours.metric = ${metric}
  and hours.hour >= ${fromHour}
  and hours.hour < ${toHour}
`;

export async function countStatistics(
  transaction: TransactionSql,
  query: HoursQuery,
): Promise<{ groupId: number; statistics: number; values: number }[]> {
  return await transaction<{ groupId: number; statistics: number; values: number }[]>`
    select hours.group_id, count(*) as statistics, sum(hours.count) as values
    from parlance.interaction_hours as hours
    where ${matching(transaction, query)}
    group by hours.group_id
  `;
}

export async function listSeriesHours(transaction: TransactionSql, query: HoursQuery): Promise<HourRow[]> {
  if (query.groupIds.length === 0) return [];
  return await transaction<HourRow[]>`
    select ${hourColumns(transaction)}
    from parlance.interaction_hours as hours
    where ${matching(transaction, query)}
  `;
}
