/**
 * Rows that were measured before a metric came are measured by it, from their texts as they are stored.
 *
 *   read rows ─▶ measure, outside any transaction ─▶ hold the owners' settings ─▶ write values ─▶ fold them ─▶ commit
 *
 * Folded are the values of rows whose batch is in the statistics already, and only the new ones. A batch that is not is folded
 * whole later: since both hold the settings, no value is counted twice and none is left out.
 */
import type { Sql, TransactionSql } from "postgres";
import { becomeCaller, serviceCaller, transactAs } from "../../../shared/callers.ts";
import { measureInteraction, metricEdition } from "../../../shared/interactions/metrics/registry.ts";
import { addToHours, Collection, parseNumbers, toArrayText } from "./hour-store.ts";
import { holdOwners } from "./settings-lock.ts";
import { findSpan } from "./spans.ts";

interface OldRow {
  readonly id: string;
  readonly ownerId: string | null;
  readonly groupId: number;
  readonly hour: number;
  readonly input: string;
  readonly output: string;
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  readonly latencyMs: number | null;
  readonly costUsd: number | null;
  readonly measured: string;
  readonly metricEdition: number;
}

/** A row with what it lacked. */
export interface MeasuredRow extends Pick<OldRow, "id" | "ownerId" | "groupId" | "hour" | "metricEdition"> {
  /** Old and new; null where there is none. */
  readonly values: readonly (number | null)[];
  readonly inputLanguage: string | null;
  readonly outputLanguage: string | null;
}

/** Rows of one slice, and characters of their texts: what is measured at once takes a known time. */
export interface SliceLimits {
  readonly rowsMax: number;
  readonly charactersMax: number;
}

/** The next rows that lack something, measured; one at least, if there is any. Nothing is written. */
export async function measureOldRows(sql: Sql, limits: SliceLimits): Promise<MeasuredRow[]> {
  const rows = await transactAs(sql, serviceCaller, (transaction) => listOldRows(transaction, limits));
  return rows.map(measureRow);
}

async function listOldRows(
  transaction: TransactionSql,
  { rowsMax, charactersMax }: SliceLimits,
): Promise<OldRow[]> {
  return await transaction<OldRow[]>`
    with old as (
      select *,
        sum(length(input) + length(output)) over (
          order by metric_edition, id rows between unbounded preceding and 1 preceding
        ) as characters_before
      from (
        select *
        from parlance.interactions
        where metric_edition < ${metricEdition}
        order by metric_edition, id
        limit ${rowsMax}
      ) as oldest
    )
    select
      id, owner_id, group_id, floor(extract(epoch from occurred_at) / 3600)::integer as hour, input, output, input_tokens,
      output_tokens, latency_ms, cost_usd, metric_values::text as measured, metric_edition
    from old
    where coalesce(characters_before, 0) < ${charactersMax}
  `;
}

function measureRow({ input, output, measured, ...row }: OldRow): MeasuredRow {
  const { metricEdition: edition, inputTokens, outputTokens, latencyMs, costUsd } = row;
  const figures = { inputTokens, outputTokens, latencyMs, costUsd };
  const { values, inputLanguage, outputLanguage } = measureInteraction(
    { input, output, ...figures },
    edition,
  );
  const known = parseNumbers(measured);
  const { id, ownerId, groupId, hour } = row;
  return {
    id,
    ownerId,
    groupId,
    hour,
    metricEdition: edition,
    values: values.map((value, index) => {
      const before = index < edition ? known[index] : undefined;
      return before === undefined || Number.isNaN(before) ? value : before;
    }),
    inputLanguage,
    outputLanguage,
  };
}

/** Writes and folds what was measured, all or nothing. Rows that another measured or deleted meanwhile are left. */
export async function writeMeasured(
  transaction: TransactionSql,
  rows: readonly MeasuredRow[],
): Promise<number> {
  await becomeCaller(transaction, serviceCaller);
  const owners = await holdOwners(transaction, [...new Set(rows.map(({ ownerId }) => ownerId))]);
  const written = await updateRows(
    transaction,
    rows.filter(({ ownerId }) => owners.has(ownerId)),
  );
  const collection = new Collection();
  for (const row of rows) {
    if (written.get(row.id) !== "folded") continue;
    const lacked = row.values.map((value, index) => (index < row.metricEdition ? null : value) ?? Number.NaN);
    collection.add(row.groupId, findSpan(row.hour, owners.get(row.ownerId)?.daysBefore ?? 0), lacked);
  }
  await addToHours(transaction, collection.toEntries());
  return written.size;
}

async function updateRows(
  transaction: TransactionSql,
  rows: readonly MeasuredRow[],
): Promise<Map<string, "folded" | "pending">> {
  // As those take them who remove them.
  await transaction`
    select
    from parlance.interactions
    where id = any(${toArrayText(rows.map(({ id }) => id))}::text::uuid[])
    order by id
    for no key update
  `;
  const written = await transaction<{ id: string; isPending: boolean }[]>`
    update parlance.interactions as rows
    set metric_values = made.metric_values::float8[],
      metric_edition = ${metricEdition},
      input_language = coalesce(made.input_language, rows.input_language),
      output_language = coalesce(made.output_language, rows.output_language)
    from unnest(
      ${toArrayText(rows.map(({ id }) => id))}::text::uuid[],
      ${toArrayText(rows.map((row) => row.metricEdition))}::text::smallint[],
      ${toArrayText(rows.map(({ values }) => `"{${values.map((value) => value ?? "null").join(",")}}"`))}::text::text[],
      ${rows.map(({ inputLanguage }) => inputLanguage)}::text[],
      ${rows.map(({ outputLanguage }) => outputLanguage)}::text[]
    ) as made (id, metric_edition, metric_values, input_language, output_language)
    where rows.id = made.id and rows.metric_edition = made.metric_edition
    returning rows.id, exists (
      select
      from parlance.interaction_batches as batches
      where batches.id = rows.batch_id and batches.folded_at is null
    ) as is_pending
  `;
  return new Map(written.map(({ id, isPending }) => [id, isPending ? "pending" : "folded"]));
}
