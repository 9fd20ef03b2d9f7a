/**
 * The shortest way through the log for a filter: an index that has its rows in the order of time, so that a page begins where the
 * one before it stopped and ends when it is full.
 */
import type { TransactionSql } from "postgres";
import type { ListOrder } from "../../../shared/interactions/listing.ts";
import { type LogFilters, ownedBy, withinTimes } from "./conditions.ts";
import { comesAfter, type Fragment, inOrder, type Key } from "./keys.ts";

/** More are not merged: then the owner's rows are walked. */
const lanesMax = 50;

export type Source =
  | { readonly of: "owner" }
  | { readonly of: "groups"; readonly ids: readonly number[] }
  | { readonly of: "session"; readonly sessionId: string }
  | { readonly of: "userLabel"; readonly userLabel: string }
  | { readonly of: "import"; readonly importId: string }
  | { readonly of: "firings" }
  | { readonly of: "alerts"; readonly ids: readonly string[] };

export interface Plan {
  readonly source: Source;
  /** Where the filter names app, environment or model. */
  readonly groupIds: readonly number[] | undefined;
}

/** Undefined where no row can pass. */
export async function planWalk(sql: TransactionSql, filters: LogFilters): Promise<Plan | undefined> {
  const groupIds = await findGroups(sql, filters);
  if (groupIds?.length === 0) return undefined;
  const source = await chooseSource(sql, filters, groupIds);
  return source && { source, groupIds };
}

async function chooseSource(
  sql: TransactionSql,
  filters: LogFilters,
  groupIds: readonly number[] | undefined,
): Promise<Source | undefined> {
  const { sessionId, userLabel, importId, ruleId, hasAlert } = filters;
  if (sessionId !== undefined) return { of: "session", sessionId };
  if (userLabel !== undefined) return { of: "userLabel", userLabel };
  if (importId !== undefined) return { of: "import", importId };
  if (ruleId !== undefined) return chooseAlerts(sql, filters, ruleId);
  if (hasAlert === true) return { of: "firings" };
  if (groupIds && groupIds.length <= lanesMax) return { of: "groups", ids: groupIds };
  return { of: "owner" };
}

async function chooseAlerts(
  sql: TransactionSql,
  { ownerId }: LogFilters,
  ruleId: string,
): Promise<Source | undefined> {
  const alerts = await sql<{ id: string }[]>`
    select id
    from parlance.interaction_alerts
    where rule_id = ${ruleId} and ${ownedBy(sql, ownerId)}
    limit ${lanesMax + 1}
  `;
  if (alerts.length === 0) return undefined;
  return alerts.length > lanesMax ? { of: "firings" } : { of: "alerts", ids: alerts.map(({ id }) => id) };
}

/** Undefined where the filter names none of app, environment and model. */
async function findGroups(
  sql: TransactionSql,
  { ownerId, app, environment, model }: LogFilters,
): Promise<number[] | undefined> {
  if (app === undefined && environment === undefined && model === undefined) return undefined;
  const groups = await sql<{ id: number }[]>`
    select id
    from parlance.interaction_groups
    where ${ownedBy(sql, ownerId)}
      and ${app === undefined ? sql`true` : sql`app = ${app}`}
      and ${environment === undefined ? sql`true` : sql`environment = ${environment}`}
      and ${model === undefined ? sql`true` : sql`model = ${model}`}
    limit 1000
  `;
  return groups.map(({ id }) => id);
}

export interface Way {
  readonly filters: LogFilters;
  readonly source: Source;
  readonly order: ListOrder;
  /** Undefined: from the beginning. */
  readonly after: Key | undefined;
}

/** Each lane says its order and a limit: else they are not merged lazily, but sorted whole. */
const merge = (sql: TransactionSql, lanes: readonly Fragment[]): Fragment =>
  lanes.map((lane) => sql`(${lane})`).reduce((before, one) => sql`${before} union all ${one}`);

/** `select <columns of rows> … order by`, to which a limit is added. */
export function rowsOf(sql: TransactionSql, way: Way, columns: Fragment, limit: number): Fragment {
  const { filters, source, order } = way;
  if (source.of === "firings" || source.of === "alerts") return firedRows(sql, way, columns, limit);
  const lane = (where: Fragment) => sql`
    select ${columns}
    from parlance.interactions as rows
    where ${where}
      and ${withinTimes(sql, filters)}
      and ${comesAfter(sql, way.after, order)}
    ${inOrder(sql, order)}
    limit ${limit}
  `;
  const lanes = (
    source.of === "groups" ? source.ids.map((id) => sql`rows.group_id = ${id}::integer`) : [isOf(sql, way)]
  ).map(lane);
  const merged = merge(sql, lanes);
  return sql`select * from (${merged}) as rows ${inOrder(sql, order)} limit ${limit}`;
}

function isOf(sql: TransactionSql, { source, filters: { ownerId } }: Way): Fragment {
  const owned = ownedBy(sql, ownerId, sql`rows.owner_id`);
  if (source.of === "session") return sql`${owned} and rows.session_id = ${source.sessionId}`;
  if (source.of === "userLabel") return sql`${owned} and rows.user_label = ${source.userLabel}`;
  if (source.of === "import") return sql`${owned} and rows.import_id = ${source.importId}::uuid`;
  return owned;
}

/** An interaction that made several alerts fire comes once. */
function firedRows(sql: TransactionSql, way: Way, columns: Fragment, limit: number): Fragment {
  const { filters, source, order, after } = way;
  const lane = (where: Fragment) => sql`
    select firings.occurred_at, firings.interaction_id
    from parlance.alert_firings as firings
    where ${where}
      and ${withinTimes(sql, filters, sql`firings.occurred_at`)}
      and ${comesAfter(sql, after, order, sql`firings.occurred_at, firings.interaction_id`)}
  `;
  const laneOfAlert = (id: string) => sql`
    ${lane(sql`firings.alert_id = ${id}::uuid`)}
    ${inOrder(sql, order, { time: sql`firings.occurred_at`, id: sql`firings.interaction_id` })}
    limit ${limit}
  `;
  const lanes =
    source.of === "alerts"
      ? source.ids.map(laneOfAlert)
      : [lane(ownedBy(sql, filters.ownerId, sql`firings.owner_id`))];
  const merged = merge(sql, lanes);
  const place = { time: sql`fired.occurred_at`, id: sql`fired.interaction_id` };
  return sql`
    select ${columns}
    from (
      select occurred_at, interaction_id
      from (${merged}) as fired
      group by occurred_at, interaction_id
      ${inOrder(sql, order, place)}
      limit ${limit}
    ) as fired
    join parlance.interactions as rows on rows.id = fired.interaction_id
    ${inOrder(sql, order, place)}
    -- Once more, so that no condition on rows chooses another way to them.
    limit ${limit}
  `;
}
