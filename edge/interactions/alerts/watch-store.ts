/** SQL of the watch over alerts, as the service role. */
import type { Sql, TransactionSql } from "postgres";
import type { Rule } from "../../../shared/interactions/rules.ts";
import { ruleColumns } from "../rules/rule-store.ts";

export interface Glance {
  readonly isAnyPending: boolean;
  readonly isAnyRuleDue: boolean;
  readonly isAnyUnresolved: boolean;
}

/** Whether there is anything to do: one look at an index for each kind of it. */
export async function glance(sql: TransactionSql): Promise<Glance> {
  const [row] = await sql<Glance[]>`
    select
      exists (select from parlance.interaction_batches where folded_at is null) as is_any_pending,
      exists (
        select
        from parlance.interaction_rules
        where is_enabled and condition ->> 'type' in ('rate', 'missing') and judge_at <= clock_timestamp()
      ) as is_any_rule_due,
      exists (select from parlance.interaction_alerts where state <> 'resolved') as is_any_unresolved
  `;
  if (!row) throw new Error("a select without a condition has a row");
  return row;
}

/** Whose batches are not in the statistics yet; who has waited longest first. */
export async function listOwnersToFold(sql: TransactionSql): Promise<(string | null)[]> {
  const rows = await sql<{ ownerId: string | null }[]>`
    select owner_id
    from parlance.interaction_batches
    where folded_at is null
    group by owner_id
    order by min(id::text)
    limit 1000
  `;
  return rows.map(({ ownerId }) => ownerId);
}

/** The rule of a rate, or of what is missing, that is due the longest and that nobody else judges; held. */
export async function takeDueRule(sql: TransactionSql): Promise<{ rule: Rule; now: string } | undefined> {
  const [row] = await sql<(Rule & { now: string })[]>`
    select ${ruleColumns(sql)}, clock_timestamp() as now
    from parlance.interaction_rules
    where is_enabled and condition ->> 'type' in ('rate', 'missing') and judge_at <= clock_timestamp()
    order by judge_at
    limit 1
    for no key update skip locked
  `;
  if (!row) return undefined;
  const { now, ...rule } = row;
  return { rule, now };
}

/** Less than a minute, so that a job that begins a little late does not leave one out. */
const pauseSeconds = 30;

export async function endJudging(sql: TransactionSql, ruleId: string, judgedAt: string): Promise<void> {
  await sql`
    update parlance.interaction_rules
    set judge_at = clock_timestamp() + make_interval(secs => ${pauseSeconds}),
      judged_at = ${judgedAt}
    where id = ${ruleId}
  `;
}

/** One that could not be judged: what is due after it comes before it is tried again. */
export async function postponeJudging(sql: Sql, ruleId: string): Promise<void> {
  await sql`
    update parlance.interaction_rules
    set judge_at = clock_timestamp() + make_interval(secs => ${pauseSeconds})
    where id = ${ruleId}
  `;
}

/** Until the transaction ends nobody else changes them; in the order in which all take them who take several. By fingerprint. */
export async function holdUnresolved(
  sql: TransactionSql,
  ruleId: string,
  fingerprints: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await sql<{ id: string; fingerprint: string }[]>`
    select id, fingerprint
    from parlance.interaction_alerts
    where rule_id = ${ruleId} and state <> 'resolved' and fingerprint = any (${[...fingerprints]}::text[])
    order by owner_id, fingerprint
    for update
  `;
  return new Map(rows.map(({ id, fingerprint }) => [fingerprint, id]));
}

export interface Tended {
  readonly id: string;
  readonly done: "resolved" | "settled" | "repeated" | "opened";
  /** Null: it was done. */
  readonly error: string | null;
}

/** What time does to unresolved alerts, in the order of their ids. */
export async function tendAlerts(
  sql: TransactionSql,
  { after, rowsMax }: { readonly after: string | null; readonly rowsMax: number },
): Promise<Tended[]> {
  return await sql<Tended[]>`
    select id, done, error
    from parlance.tend_alerts(${after}, ${rowsMax})
  `;
}
