/**
 * Makes room for other apps, environments and models, of which an owner may have a thousand: whoever sent a request's id as a
 * model once would else be refused for ever.
 *
 * Removed are those without any interaction, the longest unused first, with their statistics; only while their owner has more
 * than are kept in any case, and none that had one within a day.
 */
import type { TransactionSql } from "postgres";
import { becomeCaller, serviceCaller } from "../../../shared/callers.ts";
import { findMetricNumber } from "../../../shared/interactions/metrics/registry.ts";
import { ownedBy } from "./conditions.ts";

export interface GroupLimits {
  /** An owner keeps as many, used or not. */
  readonly groupsKept: number;
  /** In one transaction. */
  readonly groupsMax: number;
  /** Statistics in one transaction; of a group with more, the oldest go first. */
  readonly hoursMax: number;
}

export const usualGroupLimits: GroupLimits = { groupsKept: 800, groupsMax: 100, hoursMax: 10_000 };

const ownersMax = 10_000;

/** Who has more than are kept. */
export async function listCrowdedOwners(
  sql: TransactionSql,
  { groupsKept }: GroupLimits,
): Promise<(string | null)[]> {
  const owners = await sql<{ ownerId: string | null }[]>`
    select owner_id
    from parlance.interaction_groups
    group by owner_id
    having count(*) > ${groupsKept}
    limit ${ownersMax}
  `;
  return owners.map(({ ownerId }) => ownerId);
}

export interface RemovedGroups {
  readonly groups: number;
  /** Statistics. */
  readonly hours: number;
}

const nothing: RemovedGroups = { groups: 0, hours: 0 };

/**
 * One slice. Who folds holds the settings, and who logs holds the groups: both are left to them, for the next run. Who logs
 * while a group is removed waits, and makes it again.
 */
export async function removeSpareGroups(
  transaction: TransactionSql,
  ownerId: string | null,
  options: GroupLimits & { readonly now: Date },
): Promise<RemovedGroups> {
  await becomeCaller(transaction, serviceCaller);
  const settings = await transaction`
    select
    from parlance.interaction_settings
    where ${ownedBy(transaction, ownerId)}
    for update skip locked
  `;
  const ids = settings.length === 0 ? [] : await holdSpareGroups(transaction, ownerId, options);
  return ids.length === 0 ? nothing : removeGroups(transaction, ids, options.hoursMax);
}

/** Every interaction has a value of it. */
const countedMetric = findMetricNumber("input.characters") ?? 1;

async function holdSpareGroups(
  transaction: TransactionSql,
  ownerId: string | null,
  { now, groupsKept, groupsMax }: GroupLimits & { readonly now: Date },
): Promise<number[]> {
  const groups = await transaction<{ id: number }[]>`
    select groups.id
    from parlance.interaction_groups as groups
    cross join lateral (
      select greatest(groups.created_at, to_timestamp(3600 * max(newest.until))) as at
      from (
        select hours.hour + hours.hours as until
        from parlance.interaction_hours as hours
        where hours.group_id = groups.id and hours.metric = ${countedMetric}::smallint
        order by hours.hour desc
        limit 1
      ) as newest
    ) as used
    where ${ownedBy(transaction, ownerId, transaction`groups.owner_id`)}
      and used.at < ${now.toISOString()}::text::timestamptz - interval '1 day'
      and not exists (select from parlance.interactions as rows where rows.group_id = groups.id)
    order by used.at, groups.id
    limit least(
      ${groupsMax}::integer,
      (
        select greatest(0, count(*) - ${groupsKept}::integer)
        from parlance.interaction_groups as counted
        where ${ownedBy(transaction, ownerId, transaction`counted.owner_id`)}
      )
    )
    for update of groups skip locked
  `;
  return groups.map(({ id }) => id);
}

/** Looks once more, now that nobody can log for them: what came in before the groups were held is seen here. */
async function removeGroups(
  transaction: TransactionSql,
  ids: readonly number[],
  hoursMax: number,
): Promise<RemovedGroups> {
  const given = `{${ids.join(",")}}`;
  const hours = await transaction`
    delete from parlance.interaction_hours as hours
    using (
      select old.group_id, old.metric, old.hour
      from parlance.interaction_hours as old
      where old.group_id = any(${given}::text::integer[])
        and not exists (select from parlance.interactions as rows where rows.group_id = old.group_id)
      order by old.hour
      limit ${hoursMax}
    ) as spare
    where (hours.group_id, hours.metric, hours.hour) = (spare.group_id, spare.metric, spare.hour)
  `;
  const groups = await transaction`
    delete from parlance.interaction_groups as groups
    where groups.id = any(${given}::text::integer[])
      and not exists (select from parlance.interactions as rows where rows.group_id = groups.id)
      and not exists (select from parlance.interaction_hours as hours where hours.group_id = groups.id)
  `;
  return { groups: groups.count, hours: hours.count };
}
