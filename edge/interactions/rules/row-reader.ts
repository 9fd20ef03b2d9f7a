/**
 * Reads of many rows the little that rules judge, in the order of time. A page is one row of four texts: postgres.js would take
 * longer for a million rows than all that is done with them.
 */
import type { Sql, TransactionSql } from "postgres";
import { serviceCaller, transactAs } from "../../../shared/callers.ts";
import type { BackTestedRow } from "../../../shared/interactions/back-test-judging.ts";
import { microsToIso } from "../../../shared/interactions/back-test-result.ts";
import { ownedBy } from "../statistics/settings-lock.ts";

export interface RowsWanted {
  readonly ownerId: string | null;
  /** Null: all of the owner. */
  readonly groupIds: readonly number[] | null;
  /** Null: the value is NaN; else rows without the metric are left out. */
  readonly metricNumber: number | null;
  /** Any of them; null: all rows. */
  readonly tags: readonly string[] | null;
  /** Rows without the tags too, with what they are. */
  readonly withOthers?: boolean;
}

/** After which row a page begins, and before which time it ends; in microseconds since 1970. */
export interface RowRange {
  readonly afterAt: number;
  readonly afterId: string;
  readonly toAt: number;
}

/** Before every other. */
export const firstId = "00000000-0000-0000-0000-000000000000";

const idLength = 36;

/** Rows that were looked at in the order of time, of which some are wanted. */
export interface RowPage {
  readonly rows: readonly BackTestedRow[];
  readonly looked: number;
  /** The last one that was looked at; undefined where there is no other in the range. */
  readonly stop: { readonly at: number; readonly id: string } | undefined;
}

interface PageRow {
  readonly looked: number;
  readonly lastId: string | null;
  readonly lastAt: string | null;
  readonly count: number;
  readonly ids: string | null;
  readonly times: string | null;
  readonly groups: string | null;
  readonly measured: string | null;
  readonly watched: string | null;
}

/** Looks at so many rows at most, however few of them are wanted. */
export async function readRows(
  sql: Sql,
  wanted: RowsWanted,
  { afterAt, afterId, toAt }: RowRange,
  lookedMax: number,
): Promise<RowPage> {
  const { groupIds, metricNumber, tags, withOthers = false } = wanted;
  const [page] = await transactAs(sql, serviceCaller, async (transaction) => {
    const isTagged = tags === null ? transaction`true` : transaction`tags && ${[...tags]}::text[]`;
    const value =
      metricNumber === null
        ? transaction`null::float8`
        : transaction`metric_values[${metricNumber}::integer]`;
    const { alone, among } = chooseGroups(transaction, groupIds);
    return await transaction<PageRow[]>`
      with looked as materialized (
        select
          id, occurred_at, (date_part('epoch', occurred_at) * 1000000)::int8 as at, group_id, ${value} as measured,
          ${isTagged} as is_watched
        from parlance.interactions
        where ${ownedBy(transaction, wanted.ownerId)}
          and (occurred_at, id) > (${microsToIso(afterAt)}::timestamptz, ${afterId}::uuid)
          and occurred_at < ${microsToIso(toAt)}::timestamptz
          and ${alone}
        order by occurred_at, id
        limit ${lookedMax}
      ), last as (
        select at, id
        from looked
        order by occurred_at desc, id desc
        limit 1
      )
      select
        (select count(*)::integer from looked) as looked,
        (select id from last) as last_id,
        (select at::text from last) as last_at,
        count(*)::integer as count,
        string_agg(id::text, '') as ids,
        string_agg(at::text, ',') as times,
        string_agg(group_id::text, ',') as groups,
        string_agg(measured::text, ',') as measured,
        string_agg(is_watched::integer::text, '') as watched
      from (
        select *
        from looked
        where ${among}
          and ${metricNumber === null ? transaction`true` : transaction`measured is not null`}
          and ${withOthers ? transaction`true` : transaction`is_watched`}
        order by occurred_at, id
      ) as page
    `;
  });
  if (!page) throw new Error("what is counted has a row");
  const { looked, lastAt, lastId } = page;
  const stop = looked < lookedMax || lastId === null ? undefined : { at: Number(lastAt), id: lastId };
  return { rows: splitPage(page), looked, stop };
}

/** One alone has an index in the order that is asked for; several are looked for among all. */
function chooseGroups(sql: TransactionSql, groupIds: readonly number[] | null) {
  const all = { alone: sql`true`, among: sql`true` };
  if (groupIds === null) return all;
  return groupIds.length === 1
    ? { ...all, alone: sql`group_id = ${groupIds[0] ?? 0}` }
    : { ...all, among: sql`group_id = any(${`{${groupIds.join(",")}}`}::text::integer[])` };
}

function splitPage({ count, ids, times, groups, measured, watched }: PageRow): BackTestedRow[] {
  const atOf = times?.split(",") ?? [];
  const groupOf = groups?.split(",") ?? [];
  const values = measured?.split(",");
  return Array.from({ length: count }, (_, index) => ({
    id: ids?.slice(index * idLength, (index + 1) * idLength) ?? "",
    at: Number(atOf[index]),
    groupId: Number(groupOf[index]),
    value: Number(values?.[index] ?? Number.NaN),
    isWatched: watched?.[index] === "1",
  }));
}
