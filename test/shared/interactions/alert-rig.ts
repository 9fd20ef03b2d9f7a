/** A database with webhooks and alerts that are told of, and what is looked at afterwards. */

import { createId } from "../../../shared/ids.ts";
import type { AlertEvent, AlertNews } from "../../../shared/interactions/alert-news.ts";
import { sendMail } from "../../../shared/interactions/mail-kind.ts";
import type { AlertSeverity } from "../../../shared/interactions/rules.ts";
import { type ClaimedJob, claimJobs } from "../../../shared/jobs/queue.ts";
import { openWebhookDatabase, type WebhookDatabase } from "../webhooks/rig.ts";

export interface AlertWish {
  readonly ownerId: string | null;
  readonly severity?: AlertSeverity;
  readonly ruleName?: string;
  readonly app?: string | null;
  readonly model?: string | null;
  readonly explanation?: string;
}

export interface AlertDatabase extends WebhookDatabase {
  /** An alert that nobody was told of. */
  addAlert(wish: AlertWish): Promise<string>;
  /** As `notify_alert` does where nothing speaks against it. */
  notify(alertId: string, event?: AlertEvent): Promise<void>;
  setAddress(ownerId: string | null, address: string | null, severityMin?: AlertSeverity): Promise<void>;
  /** The next one that is due, or none. */
  claimMails(): Promise<ClaimedJob[]>;
  listMailJobs(): Promise<
    { id: string; state: string; ownerId: string | null; payload: { alert: AlertNews } }[]
  >;
  listMessages(topic: string): Promise<{ event: string; payload: Record<string, unknown> }[]>;
  clearAlerts(): Promise<void>;
}

export async function openAlertDatabase(): Promise<AlertDatabase> {
  const house = await openWebhookDatabase();
  const { sql, sidecar } = house;
  return {
    ...house,
    async addAlert({ ownerId, severity = "warning", ruleName = "output too long", ...wish }) {
      const { app = "shop", model = "gpt-4o", explanation = "The output had 2,412 characters." } = wish;
      const [row] = await sql<{ id: string }[]>`
        insert into parlance.interaction_alerts
          (owner_id, rule_name, severity, fingerprint, app, model, element, metric, first_seen_at, last_seen_at, value, evidence)
        values (
          ${ownerId}, ${ruleName}, ${severity}::text::parlance.alert_severity, ${createId()}, ${app}, ${model}, 'output',
          'characters', '2026-11-21T10:00:00Z', '2026-11-21T10:05:00Z', 2412, ${sql.json({ explanation })}
        )
        returning id
      `;
      return row?.id ?? "";
    },
    async notify(alertId, event = "alert.opened") {
      await sql`select parlance.notify_alert(${alertId}, ${event})`;
    },
    async setAddress(ownerId, address, severityMin = "info") {
      await sql`select parlance.ensure_interaction_settings(${ownerId})`;
      await sql`
        update parlance.interaction_settings
        set alert_email = ${address}, alert_email_severity_min = ${severityMin}::text::parlance.alert_severity
        where owner_id is not distinct from ${ownerId}
      `;
    },
    claimMails: () =>
      claimJobs(sidecar, {
        workerId: createId(),
        kinds: [sendMail],
        lane: sendMail.lane,
        jobsMax: 1,
        leaseSeconds: 30,
      }),
    async listMailJobs() {
      return await sql`
        select id, state, owner_id, payload from parlance.jobs where kind = ${sendMail.name} order by created_at
      `;
    },
    async listMessages(topic) {
      return await sql`
        select event, payload from realtime.messages
        where topic = ${topic} and event like 'alert%'
        order by payload ->> 'id'
      `;
    },
    async clearAlerts() {
      await sql`delete from parlance.interaction_alerts`;
      await sql`delete from parlance.interaction_settings`;
      await sql`delete from parlance.rate_buckets`;
      await house.clear();
    },
  };
}
