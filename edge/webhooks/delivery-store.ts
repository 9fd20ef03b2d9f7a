/** SQL of the ledger of webhooks: read as the caller, written as the service role. */
import type { TransactionSql } from "postgres";
import type { DeliveryState, Webhook, WebhookDelivery } from "../../shared/webhooks/contract.ts";

const deliveryRows = (sql: TransactionSql) => sql`
  select
    deliveries.id, deliveries.webhook_id, deliveries.event, deliveries.job_id, deliveries.alert_id,
    deliveries.sequence, deliveries.state, deliveries.attempts, deliveries.status_code, deliveries.error_message as error,
    deliveries.took_ms, deliveries.created_at, deliveries.attempted_at,
    carriers.run_after as next_attempt_at, deliveries.finished_at
  from parlance.webhook_deliveries as deliveries
  left join parlance.job_views as carriers on carriers.id = deliveries.carrier_id and carriers.state = 'queued'
`;

export interface DeliveryFilter {
  readonly state?: DeliveryState | undefined;
  /** Only deliveries older than this one. */
  readonly beforeId?: string | undefined;
}

/** Newest first: ids are made in the order of time. */
export async function listDeliveries(
  sql: TransactionSql,
  webhookId: string,
  { state, beforeId }: DeliveryFilter,
  limit: number,
): Promise<WebhookDelivery[]> {
  return await sql<WebhookDelivery[]>`
    ${deliveryRows(sql)}
    where deliveries.webhook_id = ${webhookId}
      and ${state ? sql`deliveries.state = ${state}` : sql`true`}
      and ${beforeId ? sql`deliveries.id < ${beforeId}` : sql`true`}
    order by deliveries.id desc
    limit ${limit}
  `;
}

export async function findDelivery(
  sql: TransactionSql,
  webhookId: string,
  id: string,
): Promise<WebhookDelivery | undefined> {
  const [row] = await sql<WebhookDelivery[]>`
    ${deliveryRows(sql)}
    where deliveries.id = ${id} and deliveries.webhook_id = ${webhookId}
  `;
  return row;
}

export async function insertTest(
  sql: TransactionSql,
  { id: webhookId, ownerId }: Webhook,
  { id, carrierId }: { id: string; carrierId: string },
): Promise<void> {
  await sql`
    insert into parlance.webhook_deliveries (id, webhook_id, owner_id, event, data, occurred_at, carrier_id)
    values (${id}, ${webhookId}, ${ownerId}, 'webhook.test', ${sql.json({ webhookId })}, now(), ${carrierId})
  `;
}

/** Locks a delivery that is over; false where it is not. */
export async function lockEndedDelivery(sql: TransactionSql, id: string): Promise<boolean> {
  const [row] = await sql`
    select
    from parlance.webhook_deliveries
    where id = ${id} and state <> 'pending'
    for update
  `;
  return row !== undefined;
}

/** Begins anew, carried by another job; what was tried before stays counted, what was asked for then is over. */
export async function reopenDelivery(sql: TransactionSql, id: string, carrierId: string): Promise<void> {
  await sql`
    update parlance.webhook_deliveries
    set state = 'pending', finished_at = null, retry_at = null, carrier_id = ${carrierId}
    where id = ${id}
  `;
}
