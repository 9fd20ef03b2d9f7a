/**
 * Batches enter the statistics: each once, in the transaction that says so.
 *
 *   hold the owner's settings ─▶ batches not folded ─▶ their values ─▶ merged into interaction_hours ─▶ folded_at ─▶ commit
 *     └ held by another: nothing to do here
 *
 * A crash anywhere leaves all of it undone, and the next fold does it.
 */
import type { Sql, TransactionSql } from "postgres";
import { serviceCaller, transactAs } from "../../../shared/callers.ts";
import { addToHours, Collection, parseNumbers, toArrayText } from "./hour-store.ts";
import { daysBeforeNow, ownedBy } from "./settings-lock.ts";
import { findSpan } from "./spans.ts";

export interface Folded {
  readonly batches: number;
  readonly rows: number;
}

const nothing: Folded = { batches: 0, rows: 0 };

/** With fewer rows in the statistics each new one is worth knowing at once. */
const rowsOfSmallHistory = 2_000;
/** Else a fold serves all who log within so long. */
const secondsBetween = 10;
/** What a request that logs does for those before it; the rest is for the next one, or the minute. */
const rowsAtOnce = 4_000;

/** Folds the owner's oldest batches, of as many rows as may be; one batch at least. */
export function foldBatches(
  sql: Sql,
  ownerId: string | null,
  { rowsMax }: { readonly rowsMax: number },
): Promise<Folded> {
  return transactAs(sql, serviceCaller, async (transaction) => {
    const held = await holdSettings(transaction, ownerId, transaction`true`);
    return held ? foldPending(transaction, ownerId, { ...held, rowsMax }) : nothing;
  });
}

/** One short look where there is nothing to do. */
export function foldIfDue(sql: Sql, ownerId: string | null): Promise<Folded> {
  return transactAs(sql, serviceCaller, async (transaction) => {
    const held = await holdSettings(
      transaction,
      ownerId,
      transaction`(
        settings.folded_rows < ${rowsOfSmallHistory}
        or settings.folded_at < clock_timestamp() - make_interval(secs => ${secondsBetween})
      )`,
    );
    return held ? foldPending(transaction, ownerId, { ...held, rowsMax: rowsAtOnce }) : nothing;
  });
}

/** Undefined where nothing is pending, it is not due, or another holds them. */
async function holdSettings(
  transaction: TransactionSql,
  ownerId: string | null,
  due: ReturnType<typeof ownedBy>,
): Promise<{ daysBefore: number } | undefined> {
  const [held] = await transaction<{ daysBefore: number }[]>`
    select ${daysBeforeNow(transaction)} as days_before
    from parlance.interaction_settings as settings
    where settings.${ownedBy(transaction, ownerId)}
      and ${due}
      and exists (
        select
        from parlance.interaction_batches as batches
        where batches.${ownedBy(transaction, ownerId)} and batches.folded_at is null
      )
    for update of settings skip locked
  `;
  return held;
}

async function foldPending(
  transaction: TransactionSql,
  ownerId: string | null,
  { daysBefore, rowsMax }: { readonly daysBefore: number; readonly rowsMax: number },
): Promise<Folded> {
  const batches = await listPending(transaction, ownerId, rowsMax);
  if (batches.length === 0) return nothing;
  const ids = batches.map(({ id }) => id);
  await addToHours(transaction, (await collectValues(transaction, ids, daysBefore)).toEntries());
  const rows = batches.reduce((sum, batch) => sum + batch.rows, 0);
  await endFold(transaction, ownerId, { ids, rows, daysBefore });
  return { batches: ids.length, rows };
}

const batchesAtOnce = 5_000;

async function listPending(
  transaction: TransactionSql,
  ownerId: string | null,
  rowsMax: number,
): Promise<{ id: string; rows: number }[]> {
  const pending = await transaction<{ id: string; rows: number }[]>`
    select id, rows
    from parlance.interaction_batches
    where ${ownedBy(transaction, ownerId)} and folded_at is null
    order by id
    limit ${batchesAtOnce}
  `;
  let rows = 0;
  return pending.filter((batch, index) => {
    rows += batch.rows;
    return index === 0 || rows <= rowsMax;
  });
}

/** Rows that were deleted since they were written are not counted. */
async function collectValues(
  transaction: TransactionSql,
  batchIds: readonly string[],
  daysBefore: number,
): Promise<Collection> {
  const collection = new Collection();
  // One batch after another: without statistics, as after a start, a list of them would be looked for in the whole table.
  const rows = transaction<{ groupId: number; hour: number; measured: string }[]>`
    select rows.group_id, rows.hour, rows.measured
    from unnest(${toArrayText(batchIds)}::text::uuid[]) as batches (id)
    cross join lateral (
      select
        group_id,
        floor(extract(epoch from occurred_at) / 3600)::integer as hour,
        metric_values::text as measured
      from parlance.interactions
      where batch_id = batches.id
      offset 0
    ) as rows
  `.cursor(2_000);
  for await (const part of rows) {
    for (const { groupId, hour, measured } of part) {
      collection.add(groupId, findSpan(hour, daysBefore), parseNumbers(measured));
    }
  }
  return collection;
}

async function endFold(
  transaction: TransactionSql,
  ownerId: string | null,
  { ids, rows, daysBefore }: { ids: readonly string[]; rows: number; daysBefore: number },
): Promise<void> {
  // As those take them who remove rows of several.
  await transaction`
    with pending as (
      select id
      from parlance.interaction_batches
      where id = any(${toArrayText(ids)}::text::uuid[])
      order by id
      for no key update
    )
    update parlance.interaction_batches as batches
    set folded_at = clock_timestamp()
    from pending
    where batches.id = pending.id
  `;
  await transaction`
    update parlance.interaction_settings
    set folded_at = clock_timestamp(),
      folded_rows = folded_rows + ${rows},
      days_before = ${daysBefore}
    where ${ownedBy(transaction, ownerId)}
  `;
}
