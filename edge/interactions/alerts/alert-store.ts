/** SQL of alerts: read as the caller, under row level security; changed as the service role. */
import type { PendingQuery, Row, TransactionSql } from "postgres";
import type { Alert, AlertFilter, AlertFiring, AlertState } from "../../../shared/interactions/alerts.ts";
import { ownedBy } from "../statistics/settings-lock.ts";

const alertColumns = (sql: TransactionSql) => sql`
  alerts.id, alerts.owner_id, alerts.rule_id, alerts.rule_name, alerts.severity, alerts.state, alerts.app,
  alerts.environment, alerts.model, alerts.element, alerts.metric, alerts.value, alerts.score, alerts.evidence, alerts.count,
  alerts.first_seen_at, alerts.last_seen_at, alerts.opened_at, alerts.begun_at, alerts.acknowledged_at,
  alerts.acknowledged_by, alerts.resolved_at, alerts.resolution, alerts.resolved_by, alerts.reopened,
  -- What was quiet for an hour does not flap any more: it will be another alert.
  alerts.is_flapping and coalesce(alerts.resolved_at > clock_timestamp() - interval '1 hour', true) as is_flapping,
  alerts.state <> 'resolved' and parlance.is_silenced(alerts) as is_silenced,
  alerts.notified_at, alerts.notifications, alerts.import_id
`;

export interface AlertsWanted extends AlertFilter {
  readonly ids?: readonly string[] | undefined;
  readonly states?: readonly AlertState[] | undefined;
  readonly isImported?: boolean | undefined;
  /** Only alerts older than this one. */
  readonly before?: { readonly openedAt: string; readonly id: string } | undefined;
}

function conditionsOf(
  sql: TransactionSql,
  ownerId: string | null,
  wanted: AlertsWanted,
): PendingQuery<Row[]> {
  const { ids, states, severity, isImported, interactionId, from, to, before } = wanted;
  const conditions = [
    sql`alerts.${ownedBy(sql, ownerId)}`,
    ids && sql`alerts.id = any (${[...ids]}::uuid[])`,
    states && sql`alerts.state = any (${[...states]}::text[]::parlance.alert_state[])`,
    // As the index of them says it.
    states && !states.includes("resolved") && sql`alerts.state <> 'resolved'`,
    severity && sql`alerts.severity >= ${severity}::text::parlance.alert_severity`,
    isImported !== undefined && sql`(alerts.import_id is not null) = ${isImported}`,
    interactionId !== undefined &&
      sql`exists (
        select
        from parlance.alert_firings as firings
        where firings.interaction_id = ${interactionId} and firings.alert_id = alerts.id
      )`,
    from !== undefined && sql`alerts.opened_at >= ${from}`,
    to !== undefined && sql`alerts.opened_at < ${to}`,
    before && sql`(alerts.opened_at, alerts.id) < (${before.openedAt}, ${before.id})`,
    ...(["ruleId", "app", "environment", "model", "element", "metric", "importId"] as const).map(
      (name) => wanted[name] !== undefined && sql`alerts.${sql(name)} = ${wanted[name]}`,
    ),
  ];
  return conditions
    .filter((condition) => typeof condition === "object")
    .reduce((all, condition) => sql`${all} and ${condition}`);
}

/** An owner's, or for null the house's, newest first. */
export async function listAlerts(
  sql: TransactionSql,
  ownerId: string | null,
  { limit, ...wanted }: AlertsWanted & { readonly limit: number },
): Promise<Alert[]> {
  return await sql<Alert[]>`
    select ${alertColumns(sql)}
    from parlance.interaction_alerts as alerts
    where ${conditionsOf(sql, ownerId, wanted)}
    order by alerts.opened_at desc, alerts.id desc
    limit ${limit}
  `;
}

/** As above, without what they say. */
export async function listAlertIds(
  sql: TransactionSql,
  ownerId: string | null,
  { limit, ...wanted }: AlertsWanted & { readonly limit: number },
): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    select alerts.id
    from parlance.interaction_alerts as alerts
    where ${conditionsOf(sql, ownerId, wanted)}
    order by alerts.opened_at desc, alerts.id desc
    limit ${limit}
  `;
  return rows.map(({ id }) => id);
}

export async function findAlert(sql: TransactionSql, id: string): Promise<Alert | undefined> {
  const [row] = await sql<Alert[]>`
    select ${alertColumns(sql)}
    from parlance.interaction_alerts as alerts
    where alerts.id = ${id}
  `;
  return row;
}

export interface FiringsWanted {
  /** Only what happened before this one. */
  readonly before?: { readonly occurredAt: string; readonly interactionId: string } | undefined;
  readonly limit: number;
}

/** The interactions that an alert tells of, newest first. */
export async function listFirings(
  sql: TransactionSql,
  alertId: string,
  { before, limit }: FiringsWanted,
): Promise<AlertFiring[]> {
  return await sql<AlertFiring[]>`
    select
      firings.interaction_id, firings.occurred_at, firings.value, firings.score, groups.app,
      nullif(groups.environment, '') as environment, nullif(groups.model, '') as model, interactions.session_id,
      left(interactions.input, 200) as input, left(interactions.output, 200) as output
    from (
      select *
      from parlance.alert_firings
      where alert_id = ${alertId}
        and ${before ? sql`(occurred_at, interaction_id) < (${before.occurredAt}, ${before.interactionId})` : sql`true`}
      order by occurred_at desc, interaction_id desc
      limit ${limit}
    ) as firings
    join parlance.interactions on interactions.id = firings.interaction_id
    join parlance.interaction_groups as groups on groups.id = interactions.group_id
    order by firings.occurred_at desc, firings.interaction_id desc
  `;
}

/** Takes them on where they are open, or takes that back; answers how many. */
export async function acknowledgeAlerts(
  sql: TransactionSql,
  ids: readonly string[],
  { userId, acknowledged }: { readonly userId: string | null; readonly acknowledged: boolean },
): Promise<number> {
  const changed = await sql`
    select
    from parlance.acknowledge_alerts(${[...ids]}::uuid[], ${userId}, ${acknowledged})
  `;
  return changed.count;
}

/** Ends those that are not over; answers how many. */
export async function resolveAlerts(
  sql: TransactionSql,
  ids: readonly string[],
  {
    resolution,
    userId,
  }: { readonly resolution: "by-hand" | "quiet" | "forgotten"; readonly userId: string | null },
): Promise<number> {
  const resolved = await sql`
    select
    from parlance.resolve_alerts(${[...ids]}::uuid[], ${resolution}, ${userId})
  `;
  return resolved.count;
}
