/** The statistics as the database has them, and as they must be by the rows themselves. */
import type { Sql } from "postgres";
import { createId } from "../../../../shared/ids.ts";
import { metricEdition } from "../../../../shared/interactions/metrics/registry.ts";
import { QuantileSketch } from "../../../../shared/interactions/statistics/sketch.ts";
import { readSketch } from "../../../../shared/interactions/statistics/sketch-text.ts";

export const hourMs = 3_600_000;

export interface StoredHour {
  readonly groupId: number;
  readonly metric: number;
  readonly hour: number;
  readonly hours: number;
  readonly count: number;
  readonly mean: number;
  readonly m2: number;
  readonly min: number;
  readonly max: number;
  readonly keys: readonly number[];
  readonly counts: readonly number[];
}

export async function listStored(sql: Sql, ownerId: string | null): Promise<StoredHour[]> {
  const rows = await sql<(Omit<StoredHour, "keys" | "counts"> & { sketch: string })[]>`
    select hours.*
    from parlance.interaction_hours as hours
    join parlance.interaction_groups as groups on groups.id = hours.group_id
    where groups.owner_id is not distinct from ${ownerId}
    order by group_id, metric, hour
  `;
  return rows.map(({ sketch, ...row }) => ({ ...row, ...readSketch(sketch) }));
}

/** Two passes over the values of each hour; sketches of all of them at once. */
export async function listExact(sql: Sql, ownerId: string | null): Promise<StoredHour[]> {
  const rows = await sql<{ groupId: number; metric: number; hour: number; values: number[] }[]>`
    select group_id, number::integer as metric, floor(extract(epoch from occurred_at) / 3600)::integer as hour,
      array_agg(value) as values
    from parlance.interactions, unnest(metric_values) with ordinality as measured (value, number)
    where owner_id is not distinct from ${ownerId} and value is not null
    group by 1, 2, 3
    order by 1, 2, 3
  `;
  return rows.map(({ values, ...key }) => ({ ...key, hours: 1, ...describe(values) }));
}

export function describe(values: readonly number[]) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const m2 = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const bounds = { min: Math.min(...values), max: Math.max(...values) };
  return { count: values.length, mean, m2, ...bounds, ...QuantileSketch.of(values).toParts() };
}

/** The first difference, or undefined: all is equal, sums of squares within what adding in another order changes. */
export function findDifference(stored: readonly StoredHour[], exact: readonly StoredHour[]): unknown {
  if (stored.length !== exact.length) return { stored: stored.length, exact: exact.length };
  for (const [index, one] of stored.entries()) {
    const other = exact[index] as StoredHour;
    const isSame =
      (["groupId", "metric", "hour", "hours", "count", "min", "max"] as const).every(
        (name) => one[name] === other[name],
      ) &&
      isNear(one.mean, other.mean, other.max - other.min) &&
      isNear(one.m2, other.m2, (other.max - other.min) ** 2) &&
      `${one.keys}` === `${other.keys}` &&
      `${one.counts}` === `${other.counts}`;
    if (!isSame) return { one, other };
  }
  return undefined;
}

const isNear = (one: number, other: number, size: number) =>
  Math.abs(one - other) <= 1e-9 * Math.max(1, size, Math.abs(other));

/** Many batches in one statement, each of some values of metric 1 with their times. */
export async function insertBatches(
  sql: Sql,
  ownerId: string | null,
  batches: readonly (readonly (readonly [atMs: number, value: number])[])[],
): Promise<void> {
  await sql`select from parlance.ensure_interaction_settings(${ownerId})`;
  const rows = batches.flatMap((batch, index) => {
    // In their order.
    const batchId = createId(Date.now() + index);
    return batch.map(([at, value]) => ({ id: createId(), batchId, at: new Date(at).toISOString(), value }));
  });
  const json = JSON.stringify(rows);
  await sql`
    with rows as (
      select * from json_to_recordset(${json}::text::json) as rows (id uuid, "batchId" uuid, at timestamptz, value float8)
    ), groups as (
      select id from parlance.ensure_interaction_groups(${ownerId}, array['default'], array[''], array[''])
    ), batches as (
      insert into parlance.interaction_batches (id, owner_id, rows, first_at, last_at)
      select "batchId", ${ownerId}, count(*), min(at), max(at) from rows group by "batchId"
    )
    insert into parlance.interactions (
      id, owner_id, group_id, batch_id, input, output, occurred_at, metric_values, metric_edition
    )
    select rows.id, ${ownerId}, groups.id, "batchId", '', '', at, array[value], ${metricEdition}
    from rows, groups
  `;
}

/** Makes a step of a transaction fail until it is told to stop. */
export async function breakUpdatesOf(sql: Sql, table: string): Promise<() => Promise<void>> {
  const name = `break_${table}`;
  await sql.unsafe(`
    create function parlance.${name}() returns trigger language plpgsql as
      $$ begin raise exception 'broken'; end $$;
    create trigger ${name} after insert or update on parlance.${table} for each row execute function parlance.${name}();
  `);
  return async () => {
    await sql.unsafe(`drop trigger ${name} on parlance.${table}; drop function parlance.${name}();`);
  };
}
