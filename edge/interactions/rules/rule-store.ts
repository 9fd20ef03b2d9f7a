/** SQL of rules. */
import type { TransactionSql } from "postgres";
import type { Rule, RuleFields } from "../../../shared/interactions/rules.ts";
import { forgetFences } from "../statistics/fences.ts";

export const ruleColumns = (sql: TransactionSql) => sql`
  id, owner_id, name, is_enabled, severity, element, metric, apps, environments, models, tags, condition, group_by,
  renotify_minutes, resolve_minutes, created_at, updated_at
`;

/** An owner's, or for null the house's, oldest first. */
export async function listRules(
  sql: TransactionSql,
  ownerId: string | null,
  { enabledOnly = false } = {},
): Promise<Rule[]> {
  return await sql<Rule[]>`
    select ${ruleColumns(sql)}
    from parlance.interaction_rules
    where ${ownerId === null ? sql`owner_id is null` : sql`owner_id = ${ownerId}`}
      and ${enabledOnly ? sql`is_enabled` : sql`true`}
    order by created_at, id
    limit 1000
  `;
}

export async function findRule(sql: TransactionSql, id: string): Promise<Rule | undefined> {
  const [row] = await sql<Rule[]>`
    select ${ruleColumns(sql)}
    from parlance.interaction_rules
    where id = ${id}
  `;
  return row;
}

/**
 * Until the transaction ends nobody else changes it, and nobody raises its alerts or saves its bounds: who does so holds the
 * rule `for key share` first, which only `for update` keeps waiting. As the service role.
 */
export async function lockRule(sql: TransactionSql, id: string): Promise<Rule | undefined> {
  const [row] = await sql<Rule[]>`
    select ${ruleColumns(sql)}
    from parlance.interaction_rules
    where id = ${id}
    for update
  `;
  return row;
}

/** Does nothing where the id is there already: the same request came again. */
export async function insertRule(
  sql: TransactionSql,
  { id, ownerId, ...rule }: RuleFields & { id: string; ownerId: string | null },
): Promise<void> {
  await sql`
    insert into parlance.interaction_rules (
      id, owner_id, name, is_enabled, severity, element, metric, apps, environments, models, tags, condition, group_by,
      renotify_minutes, resolve_minutes
    )
    values (
      ${id}, ${ownerId}, ${rule.name}, ${rule.isEnabled}, ${rule.severity}, ${rule.element}, ${rule.metric},
      ${rule.apps}::text[], ${rule.environments}::text[], ${rule.models}::text[], ${rule.tags}::text[],
      ${sql.json(rule.condition)}, ${rule.groupBy}::text[], ${rule.renotifyMinutes}, ${rule.resolveMinutes}
    )
    on conflict (id) do nothing
  `;
}

/** Its bounds are still its own where it judges as before. */
export async function updateRule(
  sql: TransactionSql,
  id: string,
  { judgesAsBefore, ...rule }: RuleFields & { readonly judgesAsBefore: boolean },
): Promise<void> {
  await sql`
    update parlance.interaction_rules
    set name = ${rule.name},
      is_enabled = ${rule.isEnabled},
      severity = ${rule.severity},
      element = ${rule.element},
      metric = ${rule.metric},
      apps = ${rule.apps}::text[],
      environments = ${rule.environments}::text[],
      models = ${rule.models}::text[],
      tags = ${rule.tags}::text[],
      condition = ${sql.json(rule.condition)},
      group_by = ${rule.groupBy}::text[],
      renotify_minutes = ${rule.renotifyMinutes},
      resolve_minutes = ${rule.resolveMinutes},
      updated_at = clock_timestamp()
    where id = ${id}
  `;
  if (!judgesAsBefore) return forgetFences(sql, id);
  await sql`
    update parlance.interaction_fences as fences
    set rule_updated_at = rules.updated_at
    from parlance.interaction_rules as rules
    where rules.id = ${id} and fences.rule_id = rules.id
  `;
}

export async function deleteRule(sql: TransactionSql, id: string): Promise<void> {
  await sql`
    delete from parlance.interaction_rules
    where id = ${id}
  `;
}

/** What it judged is judged no more: its alerts are over, which those are told who were told of them. */
export async function resolveAlertsOfRule(sql: TransactionSql, id: string): Promise<void> {
  await sql`
    select
    from parlance.resolve_alerts(
      array(
        select alerts.id
        from parlance.interaction_alerts as alerts
        where alerts.rule_id = ${id} and alerts.state <> 'resolved'
      ),
      'rule-changed',
      null
    )
  `;
}
