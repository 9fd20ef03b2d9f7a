/** A walk along a source until enough passed or enough was looked at, in one statement and so of one moment. */
import type { TransactionSql } from "postgres";
import { passes } from "./conditions.ts";
import type { FoundKey, Fragment, Stretch } from "./keys.ts";
import { type Plan, rowsOf, type Way } from "./sources.ts";

export interface Budget {
  /** Rows that are looked at. */
  readonly looked: number;
  /** Rows that pass; with them the stretch ends. */
  readonly found: number;
}

export const sizeOf = (sql: TransactionSql): Fragment =>
  sql`octet_length(rows.input) + octet_length(rows.output) as bytes`;

export async function walk(
  sql: TransactionSql,
  way: Omit<Way, "source"> & { readonly plan: Plan; readonly where?: Fragment | undefined },
  { looked, found }: Budget,
): Promise<Stretch> {
  const { plan, filters, where } = way;
  const along = { ...way, source: plan.source };
  const rows = await sql<(FoundKey & { isLast: boolean })[]>`
    with found as (
      select rows.occurred_at, rows.id, ${sizeOf(sql)}
      from (${rowsOf(sql, along, sql`rows.*`, looked)}) as rows
      where ${passes(sql, filters, plan.groupIds)} and ${where ?? sql`true`}
      limit ${found}
    )
    select occurred_at, id, bytes, false as is_last from found
    union all
    -- Where it stopped, if not for having found enough.
    select rows.occurred_at, rows.id, 0, true
    from (${rowsOf(sql, along, sql`rows.occurred_at, rows.id`, looked)} offset ${looked - 1}) as rows
    where (select count(*) from found) < ${found}
  `;
  const keys = rows.filter(({ isLast }) => !isLast);
  const last = rows.find(({ isLast }) => isLast);
  return { keys, stop: keys.length >= found ? (keys.at(-1) ?? null) : (last ?? null) };
}
