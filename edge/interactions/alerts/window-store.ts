/** SQL that looks at the newest interactions of groups within a window, as the service role. */
import type { PendingQuery, Row, TransactionSql } from "postgres";
import type { GroupLabels } from "../../../shared/interactions/judging.ts";
import { ownedBy } from "../statistics/settings-lock.ts";

export interface Window {
  readonly from: string;
  /** Its end; what happens later is not in it yet. */
  readonly to: string;
}

/** Which interactions count; those of an import never do: nobody is told of what is brought in later. */
export interface RowFilter {
  readonly tags: readonly string[] | null;
  readonly metricNumber?: number | undefined;
  readonly above?: number | undefined;
  readonly below?: number | undefined;
}

const matches = (sql: TransactionSql, filter: RowFilter): PendingQuery<Row[]> => {
  const { tags, metricNumber = 0, above, below } = filter;
  return sql`
    looked.import_id is null
    and ${tags ? sql`looked.tags && ${[...tags]}::text[]` : sql`true`}
    and ${above === undefined ? sql`true` : sql`looked.metric_values[${metricNumber}::integer] > ${above}`}
    and ${below === undefined ? sql`true` : sql`looked.metric_values[${metricNumber}::integer] < ${below}`}
  `;
};

/** The newest of one group, `rowsMax` at most: by the index, from its end. */
const lookAt = (sql: TransactionSql, { from, to }: Window, rowsMax: number): PendingQuery<Row[]> => sql`
  select id, occurred_at, tags, import_id, metric_values
  from parlance.interactions
  where group_id = wanted.id and occurred_at > ${from} and occurred_at <= ${to}
  order by occurred_at desc, id desc
  limit ${rowsMax}
`;

/** An owner's groups, or for null the house's. */
export async function listGroups(
  sql: TransactionSql,
  ownerId: string | null,
): Promise<(GroupLabels & { id: number })[]> {
  return await sql<(GroupLabels & { id: number })[]>`
    select id, app, environment, model
    from parlance.interaction_groups
    where ${ownedBy(sql, ownerId)}
    order by id
    limit 10000
  `;
}

export interface CountOptions {
  readonly window: Window;
  readonly filter: RowFilter;
  /** Of each group: no more are looked at, and no more are counted. */
  readonly lookedMax: number;
  readonly countMax: number;
}

export interface GroupCount {
  readonly groupId: number;
  readonly count: number;
  /** Whether no more of the group were to be looked at. */
  readonly isWhole: boolean;
}

export async function countInteractions(
  sql: TransactionSql,
  groupIds: readonly number[],
  { window, filter, lookedMax, countMax }: CountOptions,
): Promise<GroupCount[]> {
  return await sql<GroupCount[]>`
    select wanted.id as group_id, counted.count,
      counted.count < ${countMax} and not exists (
        select
        from parlance.interactions
        where counted.count < ${countMax}
          and group_id = wanted.id and occurred_at > ${window.from} and occurred_at <= ${window.to}
        order by occurred_at desc, id desc
        offset ${lookedMax}
        limit 1
      ) as is_whole
    from unnest(${[...groupIds]}::integer[]) as wanted (id)
    cross join lateral (
      select count(*)::integer as count
      from (
        select
        from (${lookAt(sql, window, lookedMax)}) as looked
        where ${matches(sql, filter)}
        limit ${countMax}
      ) as matched
    ) as counted
  `;
}

/** Of all these groups together. */
export async function listNewest(
  sql: TransactionSql,
  groupIds: readonly number[],
  { window, filter, lookedMax, limit }: Omit<CountOptions, "countMax"> & { readonly limit: number },
): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    select newest.id
    from unnest(${[...groupIds]}::integer[]) as wanted (id)
    cross join lateral (
      select looked.id, looked.occurred_at
      from (${lookAt(sql, window, lookedMax)}) as looked
      where ${matches(sql, filter)}
      order by looked.occurred_at desc, looked.id desc
      limit ${limit}
    ) as newest
    order by newest.occurred_at desc, newest.id desc
    limit ${limit}
  `;
  return rows.map(({ id }) => id);
}

/** When the newest one of each group happened that matches; groups without one are left out. */
export async function listLastTimes(
  sql: TransactionSql,
  groupIds: readonly number[],
  { window, filter, lookedMax }: Omit<CountOptions, "countMax">,
): Promise<{ groupId: number; lastAt: string }[]> {
  return await sql<{ groupId: number; lastAt: string }[]>`
    select wanted.id as group_id, newest.occurred_at as last_at
    from unnest(${[...groupIds]}::integer[]) as wanted (id)
    cross join lateral (
      select looked.occurred_at
      from (${lookAt(sql, window, lookedMax)}) as looked
      where ${matches(sql, filter)}
      order by looked.occurred_at desc, looked.id desc
      limit 1
    ) as newest
  `;
}

export interface FiringsToInsert {
  readonly alertId: string;
  readonly interactionIds: readonly string[];
  readonly metricNumber?: number | undefined;
  /** Of a row without the metric. */
  readonly value: number;
}

/** Says of which interactions an alert of a rate tells; those that are deleted at this moment are left out. */
export async function insertFirings(
  sql: TransactionSql,
  { alertId, interactionIds, metricNumber = 0, value }: FiringsToInsert,
): Promise<void> {
  await sql`
    with counted as (
      select id, owner_id, occurred_at, metric_values[${metricNumber}::integer] as value
      from parlance.interactions
      where id = any (${[...interactionIds]}::uuid[])
      order by id
      for key share
    )
    insert into parlance.alert_firings (alert_id, interaction_id, owner_id, occurred_at, value)
    select ${alertId}, id, owner_id, occurred_at, coalesce(value, ${value})
    from counted
    on conflict do nothing
  `;
}
