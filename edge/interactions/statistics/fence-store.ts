/** SQL of fences: those that are kept, and the history that they are worked out of. */
import type { TransactionSql } from "postgres";
import type { GroupLabels } from "../../../shared/interactions/judging.ts";
import type { Fences } from "../../../shared/interactions/outliers/fence-types.ts";
import { fencesKeptMs } from "../../../shared/interactions/outliers/keeping.ts";
import type { Rule } from "../../../shared/interactions/rules.ts";
import type { StoodFences } from "./history.ts";
import { type HourRow, toArrayText } from "./hour-store.ts";
import { ownedBy } from "./settings-lock.ts";

/** Of one rule: a group or all that it judges together, and the hour of what is judged. */
export interface WantedFences {
  readonly rule: Rule;
  readonly groupKey: string;
  readonly hour: number;
  /** Whether what the hour itself brought so far counts. */
  readonly isPresent: boolean;
}

export type FoundFences = WantedFences & StoodFences;

export interface KnownFences {
  readonly ruleId: string;
  readonly groupKey: string;
  readonly hour: number;
  readonly fences: Fences | null;
}

/** Those that are young enough, of the rules as they are. */
export async function listFences(
  transaction: TransactionSql,
  wanted: readonly WantedFences[],
): Promise<KnownFences[]> {
  return await transaction<KnownFences[]>`
    select rule_id, group_key, hour, known.fences
    from unnest(
      ${toArrayText(wanted.map(({ rule }) => rule.id))}::text::uuid[],
      ${wanted.map(({ groupKey }) => groupKey)}::text[],
      ${toArrayText(wanted.map(({ hour }) => hour))}::text::integer[],
      ${toArrayText(wanted.map(({ rule }) => `"${rule.updatedAt}"`))}::text::timestamptz[],
      ${toArrayText(wanted.map(({ isPresent }) => `${isPresent}`))}::text::boolean[]
    ) as wanted (rule_id, group_key, hour, rule_updated_at, is_present)
    join parlance.interaction_fences as known using (rule_id, group_key, hour, rule_updated_at)
    where known.computed_at > clock_timestamp() - make_interval(secs => ${fencesKeptMs / 1000})
      -- Before its end an hour counted itself.
      and (known.computed_at < to_timestamp((hour + 1) * 3600.0)) = wanted.is_present
  `;
}

/**
 * Who changes or deletes the rule holds it `for update` before its alerts and bounds, and keeps this waiting; of one that is
 * gone nothing is saved.
 */
export async function saveFences(transaction: TransactionSql, found: readonly FoundFences[]): Promise<void> {
  if (found.length === 0) return;
  await transaction`
    with rules as (
      select id
      from parlance.interaction_rules
      where id = any(${toArrayText([...new Set(found.map(({ rule }) => rule.id))])}::text::uuid[])
      order by id
      for key share
    )
    insert into parlance.interaction_fences as known (rule_id, group_key, hour, rule_updated_at, fences)
    select rule_id, group_key, hour, rule_updated_at, fences::jsonb
    from unnest(
      ${toArrayText(found.map(({ rule }) => rule.id))}::text::uuid[],
      ${found.map(({ groupKey }) => groupKey)}::text[],
      ${toArrayText(found.map(({ hour }) => hour))}::text::integer[],
      ${toArrayText(found.map(({ rule }) => `"${rule.updatedAt}"`))}::text::timestamptz[],
      ${found.map(({ fences }) => JSON.stringify(fences ?? null))}::text[]
    ) as made (rule_id, group_key, hour, rule_updated_at, fences)
    join rules on rules.id = rule_id
    -- Two that save the same ones do not wait for each other in a circle.
    order by rule_id, group_key, hour
    on conflict (rule_id, group_key, hour) do update
    set rule_updated_at = excluded.rule_updated_at,
      fences = excluded.fences,
      computed_at = excluded.computed_at
  `;
}

export async function listGroups(
  transaction: TransactionSql,
  ownerId: string | null,
): Promise<(GroupLabels & { readonly id: number })[]> {
  return await transaction<(GroupLabels & { readonly id: number })[]>`
    select id, app, environment, model
    from parlance.interaction_groups
    where ${ownedBy(transaction, ownerId)}
    limit 1000
  `;
}

export interface HistoryQuery {
  /** The place stands in for the groups that are judged together. */
  readonly watched: readonly { readonly id: number; readonly place: number }[];
  readonly metric: number;
  readonly fromHour: number;
  /** The last one. */
  readonly toHour: number;
  /** Else the groups of a place are merged, and there are none. */
  readonly withSketches: boolean;
  readonly rowsMax: number;
}

export interface HistoryRow extends HourRow {
  /** Of how many groups. */
  readonly merged: number;
}

/** In descending order of hours; the place is told as the group. */
export async function listHistory(
  transaction: TransactionSql,
  { withSketches, rowsMax, ...query }: HistoryQuery,
): Promise<HistoryRow[]> {
  if (withSketches) {
    return await transaction<HistoryRow[]>`
      select place as group_id, metric, hour, hours, count, mean, m2, min, max, sketch, 1 as merged
      from ${watchedHours(transaction, query)}
      order by hour desc
      limit ${rowsMax}
    `;
  }
  // Means far off a middle of 0 cost the sum of squares digits: those of a spread of less than a hundred-millionth of the mean,
  // and no method holds a value against a spread of less than a hundredth.
  return await transaction<HistoryRow[]>`
    select
      place as group_id, metric, hour, hours, count, total / count as mean,
      greatest(0, m2 + squares - total * (total / count)) as m2, min, max, '' as sketch, merged
    from (
      select
        place, metric, hour, hours, sum(count)::float8 as count, sum(count * mean) as total, sum(m2) as m2,
        sum(count * mean * mean) as squares, min(min) as min, max(max) as max, count(*)::integer as merged
      from ${watchedHours(transaction, query)}
      group by place, metric, hour, hours
    ) as sums
    order by hour desc
    limit ${rowsMax}
  `;
}

const watchedHours = (
  transaction: TransactionSql,
  { watched, metric, fromHour, toHour }: Omit<HistoryQuery, "withSketches" | "rowsMax">,
) => transaction`
  unnest(
    ${toArrayText(watched.map(({ id }) => id))}::text::integer[],
    ${toArrayText(watched.map(({ place }) => place))}::text::integer[]
  ) as watched (id, place)
  -- One group after another, for a list of them might be looked for in the whole table.
  cross join lateral (
    select *
    from parlance.interaction_hours as known
    where known.group_id = watched.id
      and known.metric = ${metric}
      and known.hour between ${fromHour} and ${toHour}
    offset 0
  ) as hours
`;
