/** The row of an owner's settings as what makes one at a time work on the owner's statistics. */
import type { PendingQuery, Row, Sql, TransactionSql } from "postgres";
import { hoursKept } from "./spans.ts";

/** `is not distinct from` would have no index. */
export function ownedBy(sql: Sql | TransactionSql, ownerId: string | null): PendingQuery<Row[]> {
  return ownerId === null ? sql`owner_id is null` : sql`owner_id = ${ownerId}`;
}

/**
 * The first hour of the day from which on hours are kept apart: 35 days ago. Once it has moved on it does not come back, not even
 * with the clock.
 */
export const daysBeforeNow = (sql: Sql | TransactionSql): PendingQuery<Row[]> => sql`
  greatest(settings.days_before, (floor(extract(epoch from clock_timestamp()) / 86400) * 24)::integer - ${hoursKept}::integer)
`;

/** Holds the owners' settings until the transaction ends, once others let go of them; in an order that makes no circles. */
export async function holdOwners(
  transaction: TransactionSql,
  ownerIds: readonly (string | null)[],
): Promise<Map<string | null, { daysBefore: number }>> {
  const named = ownerIds.filter((id) => id !== null);
  const rows = await transaction<{ ownerId: string | null; daysBefore: number }[]>`
    select settings.owner_id, ${daysBeforeNow(transaction)} as days_before
    from parlance.interaction_settings as settings
    where settings.owner_id = any(${named}::uuid[])
      or (${ownerIds.includes(null)} and settings.owner_id is null)
    order by settings.owner_id
    for update
  `;
  return new Map(rows.map(({ ownerId, daysBefore }) => [ownerId, { daysBefore }]));
}
