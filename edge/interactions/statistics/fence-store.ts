/** SQL of fences: those that are kept, and the history that they are worked out of. */
import type { TransactionSql } from "postgres";
import type { GroupLabels } from "../../../shared/interactions/judging.ts";
import type { Fences } from "../../../shared/interactions/outliers/fences.ts";
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
      ${toArrayText(wanted.map(({ rule }) => `"${rule.updatedAt}"`))}::text::timestamptz[]
    ) as wanted (rule_id, group_key, hour, rule_updated_at)
    join parlance.interaction_fences as known using (rule_id, group_key, hour, rule_updated_at)
    where known.computed_at > clock_timestamp() - make_interval(secs => ${fencesKeptMs / 1000})
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
  readonly groupIds: readonly number[];
  readonly metric: number;
  readonly fromHour: number;
  /** The last one. */
  readonly toHour: number;
  /** Else they are left out, which is most of the bytes. */
  readonly withSketches: boolean;
}

/** In ascending order of hours. */
export async function listHistory(
  transaction: TransactionSql,
  { groupIds, metric, fromHour, toHour, withSketches }: HistoryQuery,
): Promise<HourRow[]> {
  return await transaction<HourRow[]>`
    select
      group_id, metric, hour, hours, count, mean, m2, min, max,
      ${withSketches ? transaction`sketch` : transaction`'' as sketch`}
    from parlance.interaction_hours
    where group_id = any(${toArrayText(groupIds)}::text::integer[])
      and metric = ${metric}
      and hour between ${fromHour} and ${toHour}
    order by hour
  `;
}
