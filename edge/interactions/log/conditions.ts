/** What a list is filtered by, and as SQL of one row; texts are looked at apart. */
import type { TransactionSql } from "postgres";
import type { Fragment } from "./keys.ts";

export interface MetricRange {
  /** The metric's number; its value stands there in a row. */
  readonly number: number;
  /** Both inclusive. */
  readonly low?: number | undefined;
  readonly high?: number | undefined;
}

export interface LogFilters {
  readonly ownerId: string | null;
  /** From this time on, until before that. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly app?: string | undefined;
  /** Empty: not told. */
  readonly environment?: string | undefined;
  readonly model?: string | undefined;
  readonly provider?: string | undefined;
  /** All of them. */
  readonly tags?: readonly string[] | undefined;
  readonly sessionId?: string | undefined;
  readonly userLabel?: string | undefined;
  readonly importId?: string | undefined;
  /** As `findTerms` finds them. */
  readonly terms?: readonly string[] | undefined;
  readonly ranges?: readonly MetricRange[] | undefined;
  readonly hasAlert?: boolean | undefined;
  readonly ruleId?: string | undefined;
  /** Only what was in the log by then. */
  readonly createdBefore?: string | undefined;
}

export const ownedBy = (sql: TransactionSql, ownerId: string | null, column = sql`owner_id`): Fragment =>
  ownerId === null ? sql`${column} is null` : sql`${column} = ${ownerId}`;

const all = (sql: TransactionSql, terms: readonly Fragment[]): Fragment =>
  terms.reduce((before, term) => sql`${before} and ${term}`, sql`true`);

/** Bounds of time, of a column. */
export function withinTimes(
  sql: TransactionSql,
  { from, to }: Pick<LogFilters, "from" | "to">,
  column = sql`rows.occurred_at`,
): Fragment {
  return all(sql, [
    ...(from === undefined ? [] : [sql`${column} >= ${from}::text::timestamptz`]),
    ...(to === undefined ? [] : [sql`${column} < ${to}::text::timestamptz`]),
  ]);
}

/** Everything but the words, of `rows`. The cheapest first. */
export function passes(
  sql: TransactionSql,
  filters: LogFilters,
  groupIds: readonly number[] | undefined,
): Fragment {
  const { provider, tags, sessionId, userLabel, importId, createdBefore } = filters;
  const terms: Fragment[] = [];
  if (groupIds) terms.push(sql`rows.group_id = any(${groupIds.map(String)}::integer[])`);
  if (sessionId !== undefined) terms.push(sql`rows.session_id = ${sessionId}`);
  if (userLabel !== undefined) terms.push(sql`rows.user_label = ${userLabel}`);
  if (importId !== undefined) terms.push(sql`rows.import_id = ${importId}::uuid`);
  if (provider !== undefined) terms.push(sql`rows.provider = ${provider}`);
  if (createdBefore !== undefined) terms.push(sql`rows.created_at <= ${createdBefore}::text::timestamptz`);
  if (tags?.length) terms.push(sql`rows.tags @> ${[...tags]}::text[]`);
  for (const { number, low, high } of filters.ranges ?? []) {
    const value = sql`rows.metric_values[${number}::integer]`;
    if (low !== undefined) terms.push(sql`${value} >= ${low}::float8`);
    if (high !== undefined) terms.push(sql`${value} <= ${high}::float8`);
  }
  return all(sql, [...terms, ...passesAlerts(sql, filters)]);
}

/** `offset 0` keeps the planner from joining all firings there are with the few rows that are looked at. */
function passesAlerts(sql: TransactionSql, { hasAlert, ruleId }: LogFilters): Fragment[] {
  const fired = sql`exists (
    select from parlance.alert_firings as firings where firings.interaction_id = rows.id offset 0
  )`;
  const terms: Fragment[] = [];
  if (hasAlert === true) terms.push(fired);
  if (hasAlert === false) terms.push(sql`not ${fired}`);
  if (ruleId === undefined) return terms;
  terms.push(sql`exists (
    select
    from parlance.alert_firings as firings
    join parlance.interaction_alerts as alerts on alerts.id = firings.alert_id
    where firings.interaction_id = rows.id and alerts.rule_id = ${ruleId}::uuid
    offset 0
  )`);
  return terms;
}
