/** SQL of webhooks: read as the caller, under row level security; written as the service role. */
import type { TransactionSql } from "postgres";
import type { NewWebhook, Webhook, WebhookChange } from "../../shared/webhooks/contract.ts";

const webhookColumns = (sql: TransactionSql) => sql`
  id, owner_id, url, events, kinds, format, severity_min, is_enabled, disabled_at, disabled_reason, failing_since, created_at
`;

/** An owner's, or for null the house's, newest first; there are twenty at most. */
export async function listWebhooks(sql: TransactionSql, ownerId: string | null): Promise<Webhook[]> {
  return await sql<Webhook[]>`
    select ${webhookColumns(sql)}
    from parlance.webhooks
    where ${ownerId === null ? sql`owner_id is null` : sql`owner_id = ${ownerId}`}
    order by created_at desc, id desc
    limit 100
  `;
}

export async function findWebhook(sql: TransactionSql, id: string): Promise<Webhook | undefined> {
  const [row] = await sql<Webhook[]>`
    select ${webhookColumns(sql)}
    from parlance.webhooks
    where id = ${id}
  `;
  return row;
}

/** Does nothing where the id is there already: the same request came again. */
export async function insertWebhook(
  sql: TransactionSql,
  {
    id,
    ownerId,
    url,
    events,
    kinds,
    format,
    severityMin,
  }: NewWebhook & { id: string; ownerId: string | null },
): Promise<void> {
  await sql`
    insert into parlance.webhooks (id, owner_id, url, events, kinds, format, severity_min)
    values (${id}, ${ownerId}, ${url}, ${events}::text[], ${kinds}::text[], ${format}, ${severityMin}::text::parlance.alert_severity)
    on conflict (id) do nothing
  `;
}

/** Enabling one, and naming another address, forgets that it was failing. */
export async function updateWebhook(sql: TransactionSql, id: string, change: WebhookChange): Promise<void> {
  const { url, events, kinds, format, severityMin, isEnabled } = change;
  // Before the webhook is locked: whoever ends a try takes its delivery first too.
  if (isEnabled === true) await cancelMissed(sql, id);
  await sql`
    update parlance.webhooks
    set url = ${url === undefined ? sql`url` : url},
      events = ${events === undefined ? sql`events` : sql`${events}::text[]`},
      kinds = ${kinds === undefined ? sql`kinds` : sql`${kinds}::text[]`},
      format = ${format === undefined ? sql`format` : format},
      severity_min = ${severityMin === undefined ? sql`severity_min` : sql`${severityMin}::text::parlance.alert_severity`},
      url_since = case when ${url ?? null}::text <> url then clock_timestamp() else url_since end,
      failing_since = case when ${url ?? null}::text <> url then null else failing_since end
    where id = ${id}
  `;
  if (isEnabled === true) {
    await sql`
      update parlance.webhooks
      set is_enabled = true, disabled_at = null, disabled_reason = null, failing_since = null
      where id = ${id} and not is_enabled
    `;
  }
  if (isEnabled === false) {
    await sql`
      update parlance.webhooks
      set is_enabled = false, disabled_at = now()
      where id = ${id} and is_enabled
    `;
  }
}

/** What waits for a webhook that is disabled is not sent, also when it is enabled before its next try. */
async function cancelMissed(sql: TransactionSql, id: string): Promise<void> {
  await sql`
    update parlance.webhook_deliveries
    set state = 'cancelled', finished_at = clock_timestamp()
    from parlance.webhooks
    where webhooks.id = ${id}
      and not webhooks.is_enabled
      and webhook_deliveries.webhook_id = webhooks.id
      and webhook_deliveries.state = 'pending'
  `;
}

export async function deleteWebhook(sql: TransactionSql, id: string): Promise<void> {
  await sql`
    delete from parlance.webhooks
    where id = ${id}
  `;
}

/** Signs with it from now on; answers until when the former one signs as well. */
export async function renewSecret(sql: TransactionSql, webhookId: string, secret: string): Promise<string> {
  const [row] = await sql<{ formerUntil: string }[]>`
    select parlance.renew_webhook_secret(${webhookId}, ${secret}) as former_until
  `;
  return row?.formerUntil ?? "";
}
