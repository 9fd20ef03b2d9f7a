/** SQL that looks at the newest interactions of groups within a window, as the service role. */
import type { PendingQuery, Row, TransactionSql } from "postgres";
import type { GroupLabels } from "../../../shared/interactions/judging.ts";
import { toArrayText } from "../statistics/hour-store.ts";
import { ownedBy } from "../statistics/settings-lock.ts";

export interface Window {
  readonly from: string;
  /** Its end; what happens later is not in it yet. */
  readonly to: string;
}

/** Which interactions count. */
export interface RowFilter {
  /** Whether there may be some of an import. They never count: nobody is told of what is brought in later. */
  readonly hasImports: boolean;
  readonly tags: readonly string[] | null;
  readonly metricNumber?: number | undefined;
  readonly above?: number | undefined;
  readonly below?: number | undefined;
}

const matches = (sql: TransactionSql, filter: RowFilter): PendingQuery<Row[]> => {
  const { hasImports, tags, metricNumber = 0, above, below } = filter;
  // Where nothing is asked of the rows, the index alone tells how many there are.
  return sql`
    ${hasImports ? sql`looked.import_id is null` : sql`true`}
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

/**
 * Whether a row of the owner may be of an import, also of one that was deleted since: its rows keep its id. Only rows that may come
 * again have a hash, and all of an import do; so both questions are answered by one entry of an index.
 */
export async function hasImports(sql: TransactionSql, ownerId: string | null): Promise<boolean> {
  const [row] = await sql<{ hasImports: boolean }[]>`
    select (
      select import_id
      from parlance.interactions
      where import_id is not null
      order by import_id
      limit 1
    ) is not null and (
      select row_hash
      from parlance.interactions
      where ${ownedBy(sql, ownerId)}
        and row_hash is not null
      order by owner_id, row_hash
      limit 1
    ) is not null as has_imports
  `;
  return row?.hasImports ?? false;
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

/** Keeps when each was last seen, and answers the latest times that were kept, by key. */
export async function keepSightings(
  sql: TransactionSql,
  ruleId: string,
  { seen, from }: { readonly seen: readonly { key: string; lastAt: string | null }[]; readonly from: string },
): Promise<ReadonlyMap<string, string>> {
  await sql`
    delete from parlance.rule_sightings
    where rule_id = ${ruleId} and last_at <= ${from}
  `;
  const rows = await sql<{ key: string; lastAt: string }[]>`
    with seen as (
      select md5(key)::uuid as id, key, last_at
      from unnest(${seen.map(({ key }) => key)}::text[], ${seen.map(({ lastAt }) => lastAt)}::timestamptz[]) as seen (key, last_at)
    ), kept as (
      insert into parlance.rule_sightings (rule_id, key, last_at)
      select ${ruleId}, id, last_at
      from seen
      where last_at is not null
      on conflict (rule_id, key) do update
      set last_at = excluded.last_at
      where rule_sightings.last_at < excluded.last_at
    )
    select seen.key, greatest(seen.last_at, known.last_at) as last_at
    from seen
    left join parlance.rule_sightings as known on known.rule_id = ${ruleId} and known.key = seen.id
    where seen.last_at is not null or known.last_at is not null
  `;
  return new Map(rows.map(({ key, lastAt }) => [key, lastAt]));
}

export interface FiringToInsert {
  readonly alertId: string;
  readonly interactionId: string;
  /** Of a row without the metric. */
  readonly value: number;
}

/** Says of which interactions alerts of a rate tell; those that are deleted at this moment are left out. */
export async function insertFirings(
  sql: TransactionSql,
  firings: readonly FiringToInsert[],
  metricNumber = 0,
): Promise<void> {
  if (firings.length === 0) return;
  const interactionIds = firings.map(({ interactionId }) => interactionId);
  await sql`
    with counted as (
      select id, owner_id, occurred_at, metric_values[${metricNumber}::integer] as value
      from parlance.interactions
      where id = any (${interactionIds}::uuid[])
      order by id
      for key share
    )
    insert into parlance.alert_firings (alert_id, interaction_id, owner_id, occurred_at, value)
    select fired.alert_id, counted.id, counted.owner_id, counted.occurred_at, coalesce(counted.value, fired.value)
    from unnest(
      ${firings.map(({ alertId }) => alertId)}::uuid[], ${interactionIds}::uuid[],
      ${toArrayText(firings.map(({ value }) => value))}::text::float8[]
    ) as fired (alert_id, interaction_id, value)
    join counted on counted.id = fired.interaction_id
    on conflict do nothing
  `;
}
