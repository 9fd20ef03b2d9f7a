/**
 * Hours of more than 35 days ago become days: the same values, merged.
 *
 * Each batch is one transaction that holds the owner's settings: hours are taken out and their days have them, or neither. A day
 * may have some hours beside it for a while; together they are always all values once.
 */
import type { Sql, TransactionSql } from "postgres";
import { serviceCaller, transactAs } from "../../../shared/callers.ts";
import { addToHours, type HourRow, hourColumns, mergeEntries, toEntry } from "./hour-store.ts";
import { holdOwners, ownedBy } from "./settings-lock.ts";
import { hoursKept, toDay } from "./spans.ts";

const lastDay = (sql: Sql | TransactionSql) => sql`
  (floor(extract(epoch from clock_timestamp()) / 86400) * 24)::integer - ${hoursKept}::integer
`;

/** Whose hours are the oldest of those that should be days; undefined where there are none. */
export function findOwnerToRollUp(sql: Sql): Promise<{ ownerId: string | null } | undefined> {
  return transactAs(sql, serviceCaller, async (transaction) => {
    const [found] = await transaction<{ ownerId: string | null }[]>`
      select groups.owner_id
      from parlance.interaction_hours as hours
      join parlance.interaction_groups as groups on groups.id = hours.group_id
      where hours.hours = 1 and hours.hour < ${lastDay(transaction)}
      order by hours.hour
      limit 1
    `;
    return found;
  });
}

/** Answers how many statistics of hours are gone into days. */
export function rollUpHours(
  sql: Sql,
  ownerId: string | null,
  { hoursMax }: { readonly hoursMax: number },
): Promise<number> {
  return transactAs(sql, serviceCaller, async (transaction) => {
    const held = (await holdOwners(transaction, [ownerId])).get(ownerId);
    if (!held) return 0;
    await transaction`
      update parlance.interaction_settings
      set days_before = ${held.daysBefore}
      where ${ownedBy(transaction, ownerId)}
    `;
    const rows = await takeHours(transaction, ownerId, { before: held.daysBefore, hoursMax });
    const days = rows.map((row) => ({ ...toEntry(row), hour: toDay(row.hour), hours: 24 as const }));
    await addToHours(transaction, mergeEntries(days));
    return rows.length;
  });
}

async function takeHours(
  transaction: TransactionSql,
  ownerId: string | null,
  { before, hoursMax }: { readonly before: number; readonly hoursMax: number },
): Promise<HourRow[]> {
  return await transaction<HourRow[]>`
    with old as materialized (
      select hours.group_id, hours.metric, hours.hour
      from parlance.interaction_hours as hours
      join parlance.interaction_groups as groups on groups.id = hours.group_id
      where hours.hours = 1 and hours.hour < ${before} and groups.${ownedBy(transaction, ownerId)}
      order by hours.hour
      limit ${hoursMax}
    )
    delete from parlance.interaction_hours as hours
    using old
    where (hours.group_id, hours.metric, hours.hour) = (old.group_id, old.metric, old.hour)
    returning ${hourColumns(transaction)}
  `;
}
