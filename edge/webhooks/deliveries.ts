/** The ledger of a webhook, and what adds to it by hand. */
import type { TransactionSql } from "postgres";
import { becomeCaller, type Caller, serviceCaller, transactAs } from "../../shared/callers.ts";
import { AppError } from "../../shared/errors.ts";
import { createId } from "../../shared/ids.ts";
import { addJob } from "../../shared/jobs/queue.ts";
import type { Webhook, WebhookDelivery } from "../../shared/webhooks/contract.ts";
import { deliverEvent } from "../../shared/webhooks/kind.ts";
import type { Deps } from "../deps.ts";
import {
  type DeliveryFilter,
  findDelivery,
  insertTest,
  listDeliveries,
  lockEndedDelivery,
  reopenDelivery,
} from "./delivery-store.ts";
import { getWebhook } from "./webhooks.ts";

export function showDeliveries(
  { sql }: Deps,
  caller: Caller,
  webhookId: string,
  { limit, ...filter }: DeliveryFilter & { limit: number },
): Promise<WebhookDelivery[]> {
  return transactAs(sql, caller, async (transaction) => {
    await getWebhook(transaction, webhookId);
    return listDeliveries(transaction, webhookId, filter, limit);
  });
}

/** The same path as that of an event: a row of the ledger, and a job. */
export function sendTest({ sql }: Deps, caller: Caller, webhookId: string): Promise<WebhookDelivery> {
  return transactAs(sql, caller, async (transaction) => {
    const webhook = await getEnabled(transaction, webhookId);
    await becomeCaller(transaction, serviceCaller);
    const id = createId();
    await insertTest(transaction, webhook, { id, carrierId: await addCarrier(transaction, webhook, id) });
    return getDelivery(transaction, webhookId, id);
  });
}

/** Sends a message once more, with the id that it had. */
export function redeliver(
  { sql }: Deps,
  caller: Caller,
  webhookId: string,
  id: string,
): Promise<WebhookDelivery> {
  return transactAs(sql, caller, async (transaction) => {
    const webhook = await getEnabled(transaction, webhookId);
    await getDelivery(transaction, webhookId, id);
    await becomeCaller(transaction, serviceCaller);
    if (!(await lockEndedDelivery(transaction, id))) {
      throw new AppError("conflict", "The delivery is still being tried.");
    }
    await reopenDelivery(transaction, id, await addCarrier(transaction, webhook, id));
    return getDelivery(transaction, webhookId, id);
  });
}

function addCarrier(transaction: TransactionSql, webhook: Webhook, deliveryId: string): Promise<string> {
  return addJob(transaction, deliverEvent, {
    payload: { deliveryId },
    ownerId: webhook.ownerId,
    subjectId: webhook.id,
    uniqueKey: deliveryId,
  });
}

async function getEnabled(transaction: TransactionSql, id: string): Promise<Webhook> {
  const webhook = await getWebhook(transaction, id);
  if (!webhook.isEnabled) throw new AppError("conflict", "The webhook is disabled: enable it first.");
  return webhook;
}

async function getDelivery(
  transaction: TransactionSql,
  webhookId: string,
  id: string,
): Promise<WebhookDelivery> {
  const delivery = await findDelivery(transaction, webhookId, id);
  if (!delivery) throw new AppError("not_found", "There is no such delivery.");
  return delivery;
}
