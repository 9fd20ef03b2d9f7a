/** SQL of rules. */
import type { TransactionSql } from "postgres";
import type { Rule } from "../../../shared/interactions/rules.ts";

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
    order by id
    limit 1000
  `;
}
