/** An app with rules and alerts, what people were told of them, and time that can be made to pass. */
import type { Sql } from "postgres";
import { createWatchTask, type WatchLimits } from "../../../../edge/interactions/alerts/watch.ts";
import { raiseImportAlerts } from "../../../../edge/interactions/imports/alert-store.ts";
import { listRules } from "../../../../edge/interactions/rules/rule-store.ts";
import { serviceCaller, transactAs } from "../../../../shared/callers.ts";
import { createId } from "../../../../shared/ids.ts";
import type { Firing } from "../../../../shared/interactions/alerts.ts";
import { fingerprintOf, labelsOf, noEvidence } from "../../../../shared/interactions/judging.ts";
import type { WatchOutcome } from "../../../../shared/interactions/kinds.ts";
import type { Rule } from "../../../../shared/interactions/rules.ts";
import type { TaskContext } from "../../../../shared/jobs/kinds.ts";
import { openTestApp, type TestApp } from "../../../helpers/app.ts";
import { taskContext } from "../../../helpers/task-context.ts";

export interface FiringWish {
  readonly app?: string;
  readonly environment?: string;
  readonly model?: string;
  readonly value?: number;
  readonly score?: number;
  readonly occurredAt?: string;
  readonly interactionId?: string;
  readonly explanation?: string;
}

export interface Raised {
  readonly alertId: string;
  readonly fingerprint: string;
  readonly opened: boolean;
}

export interface AlertApp extends TestApp {
  addRule(ownerId: string | null, wish?: Partial<Omit<Rule, "id" | "ownerId">>): Promise<Rule>;
  firing(rule: Rule, wish?: FiringWish): Firing;
  raise(...firings: Firing[]): Promise<Raised[]>;
  watch(context?: Partial<TaskContext>, limits?: WatchLimits): Promise<WatchOutcome>;
  /** Makes everything that is kept of alerts so much older. */
  pass(minutes: number): Promise<void>;
  /** Events that people were told over Realtime since the last call, in order: `alert.opened <rule name>`. */
  hear(ownerId: string | null): Promise<string[]>;
  listAlerts(ownerId: string | null): Promise<AlertRow[]>;
  clear(): Promise<void>;
}

export interface AlertRow {
  readonly id: string;
  readonly ruleId: string | null;
  readonly state: string;
  readonly count: number;
  readonly fingerprint: string;
  readonly resolution: string | null;
  readonly isFlapping: boolean;
  readonly reopened: number;
  readonly notifications: number;
  readonly value: number | null;
  readonly importId: string | null;
}

export async function openAlertApp(): Promise<AlertApp> {
  const house = await openTestApp({ environment: { RATE_LIMIT_WRITE: "100000", RATE_LIMIT_READ: "100000" } });
  const { sql, deps } = house;
  return {
    ...house,
    addRule: (ownerId, wish) => addRule(sql, ownerId, wish),
    firing: createFiring,
    raise: (...firings) => raise(sql, firings),
    watch: async (context = {}, limits = {}) =>
      (await createWatchTask(deps, limits).run({}, taskContext(context))) as WatchOutcome,
    pass: (minutes) => pass(sql, minutes),
    hear: (ownerId) => hear(sql, ownerId),
    async listAlerts(ownerId) {
      return await sql<AlertRow[]>`
        select id, rule_id, state, count, fingerprint, resolution, is_flapping, reopened, notifications, value, import_id
        from parlance.interaction_alerts
        where owner_id is not distinct from ${ownerId}
        order by opened_at, id
      `;
    },
    async clear() {
      for (const table of [
        "alert_silences",
        "interaction_imports",
        "interaction_alerts",
        "interaction_rules",
        "interactions",
        "interaction_batches",
        "interaction_groups",
        "interaction_settings",
        "webhook_deliveries",
        "webhooks",
        "jobs",
      ])
        await sql.unsafe(`delete from parlance.${table}`);
      await sql`delete from realtime.messages`;
    },
  };
}

let rules = 0;

export async function addRule(
  sql: Sql,
  ownerId: string | null,
  wish: Partial<Omit<Rule, "id" | "ownerId">> = {},
): Promise<Rule> {
  const id = createId();
  const condition = wish.condition ?? { type: "above", threshold: 100 };
  rules += 1;
  await sql`
    insert into parlance.interaction_rules (
      id, owner_id, name, is_enabled, severity, element, metric, apps, environments, models, tags, condition, group_by,
      renotify_minutes, resolve_minutes
    )
    values (
      ${id}, ${ownerId}, ${wish.name ?? `rule ${rules}`}, ${wish.isEnabled ?? true},
      ${wish.severity ?? "warning"}::text::parlance.alert_severity,
      ${wish.element === undefined ? "output" : wish.element}, ${wish.metric === undefined ? "characters" : wish.metric},
      ${wish.apps ?? null}::text[], ${wish.environments ?? null}::text[], ${wish.models ?? null}::text[],
      ${wish.tags ?? null}::text[], ${sql.json(condition)}, ${wish.groupBy ?? []}::text[], ${wish.renotifyMinutes ?? null},
      ${wish.resolveMinutes ?? 60}
    )
  `;
  const all = await transactAs(sql, serviceCaller, (transaction) => listRules(transaction, ownerId));
  const rule = all.find((one) => one.id === id);
  if (!rule) throw new Error("the rule is not there");
  return rule;
}

function createFiring(rule: Rule, wish: FiringWish = {}): Firing {
  const { app = "shop", environment = "", model = "gpt", value = 150, explanation = "It is long." } = wish;
  const group = { app, environment, model };
  return {
    ownerId: rule.ownerId,
    ruleId: rule.id,
    ruleName: rule.name,
    severity: rule.severity,
    fingerprint: fingerprintOf(rule, group),
    ...labelsOf(rule, group),
    element: rule.element,
    metric: rule.metric,
    value,
    score: wish.score ?? null,
    evidence: { ...noEvidence, type: "above", explanation, bound: 100, side: "high", quietThreshold: value },
    occurredAt: wish.occurredAt ?? new Date().toISOString(),
    ...(wish.interactionId ? { interactionId: wish.interactionId } : {}),
  };
}

/** As POST /interactions does it: as the service role, in one transaction. */
export async function raise(sql: Sql, firings: readonly Firing[]): Promise<Raised[]> {
  const given = firings.map((firing) => ({
    owner_id: firing.ownerId,
    rule_id: firing.ruleId,
    rule_name: firing.ruleName,
    severity: firing.severity,
    fingerprint: firing.fingerprint,
    app: firing.app,
    environment: firing.environment,
    model: firing.model,
    element: firing.element,
    metric: firing.metric,
    value: firing.value,
    score: firing.score,
    evidence: firing.evidence,
    occurred_at: firing.occurredAt,
    interaction_id: firing.interactionId ?? null,
  }));
  return transactAs(sql, serviceCaller, async (transaction) => {
    return await transaction<Raised[]>`
      select alert_id, fingerprint, opened
      from parlance.raise_alerts(${transaction.json(given as never)})
    `;
  });
}

/** As an import does it with its rows. */
export async function raiseImported(sql: Sql, importId: string, firings: readonly Firing[]): Promise<void> {
  const ownerId = firings[0]?.ownerId ?? null;
  await sql`
    insert into parlance.interaction_imports (id, owner_id, file_name, path, options, state)
    values (${importId}, ${ownerId}, 'a.csv', 'a.csv', '{}', 'running')
    on conflict (id) do nothing
  `;
  await transactAs(sql, serviceCaller, (transaction) =>
    raiseImportAlerts(transaction, { importId, ownerId, firings }),
  );
}

async function pass(sql: Sql, minutes: number): Promise<void> {
  const columns = {
    interaction_alerts: [
      "opened_at",
      "begun_at",
      "fired_at",
      "acknowledged_at",
      "resolved_at",
      "notified_at",
      "first_seen_at",
      "last_seen_at",
    ],
    alert_silences: ["starts_at", "ends_at"],
    alert_firings: ["occurred_at"],
    interactions: ["occurred_at"],
    interaction_rules: ["judge_at", "judged_at"],
  };
  for (const [table, names] of Object.entries(columns)) {
    const set = names.map((name) => `${name} = ${name} - interval '${minutes} minutes'`).join(", ");
    await sql.unsafe(`update parlance.${table} set ${set}`);
  }
}

async function hear(sql: Sql, ownerId: string | null): Promise<string[]> {
  const topic = ownerId === null ? "house" : `user:${ownerId}`;
  const rows = await sql<{ event: string; name: string | null }[]>`
    with heard as (
      delete from realtime.messages
      where topic = ${topic} and event like 'alert%'
      returning event, payload -> 'alert' ->> 'ruleName' as name, write_order
    )
    select event, name from heard order by write_order
  `;
  return rows.map(({ event, name }) => (name === null ? event : `${event} ${name}`));
}
