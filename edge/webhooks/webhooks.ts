/** What can be done with webhooks. Who sees one may change it: its owner, and admins; for all others it is not there. */
import type { TransactionSql } from "postgres";
import { becomeCaller, type Caller, serviceCaller, transactAs } from "../../shared/callers.ts";
import { violatedConstraint } from "../../shared/database.ts";
import { AppError, type FieldError } from "../../shared/errors.ts";
import { sendMail } from "../../shared/interactions/mail-kind.ts";
import { jobKinds } from "../../shared/kinds.ts";
import type {
  NewWebhook,
  Webhook,
  WebhookChange,
  WebhookSecret,
  WebhookWithSecret,
} from "../../shared/webhooks/contract.ts";
import { deliverEvent } from "../../shared/webhooks/kind.ts";
import { createSecret } from "../../shared/webhooks/signing.ts";
import { findTargetFault } from "../../shared/webhooks/targets.ts";
import type { Deps } from "../deps.ts";
import {
  deleteWebhook,
  findWebhook,
  insertWebhook,
  listWebhooks,
  renewSecret,
  updateWebhook,
} from "./store.ts";

export function showWebhooks({ sql }: Deps, caller: Caller, ownerId: string | null): Promise<Webhook[]> {
  return transactAs(sql, caller, (transaction) => listWebhooks(transaction, ownerId));
}

export function showWebhook({ sql }: Deps, caller: Caller, id: string): Promise<Webhook> {
  return transactAs(sql, caller, (transaction) => getWebhook(transaction, id));
}

export async function addWebhook(
  { sql, config }: Deps,
  webhook: NewWebhook & { id: string; ownerId: string | null },
): Promise<WebhookWithSecret> {
  refuseFaults(webhook, config.webhookTargets);
  try {
    return await transactAs(sql, serviceCaller, async (transaction) => {
      const secret = createSecret();
      await insertWebhook(transaction, webhook);
      await renewSecret(transaction, webhook.id, secret);
      return { ...(await getWebhook(transaction, webhook.id)), secret };
    });
  } catch (error) {
    if (violatedConstraint(error) !== "webhooks_are_at_most_20") throw error;
    throw new AppError("quota_exceeded", "There are 20 webhooks already, which is the most.", {
      cause: error,
    });
  }
}

export function changeWebhook(
  { sql, config }: Deps,
  caller: Caller,
  id: string,
  change: WebhookChange,
): Promise<Webhook> {
  refuseFaults(change, config.webhookTargets);
  return transactAs(sql, caller, async (transaction) => {
    await getWebhook(transaction, id);
    await becomeCaller(transaction, serviceCaller);
    await updateWebhook(transaction, id, change);
    return getWebhook(transaction, id);
  });
}

export function removeWebhook({ sql }: Deps, caller: Caller, id: string): Promise<void> {
  return transactAs(sql, caller, async (transaction) => {
    await getWebhook(transaction, id);
    await becomeCaller(transaction, serviceCaller);
    await deleteWebhook(transaction, id);
  });
}

export function rotateSecret({ sql }: Deps, caller: Caller, id: string): Promise<WebhookSecret> {
  return transactAs(sql, caller, async (transaction) => {
    await getWebhook(transaction, id);
    await becomeCaller(transaction, serviceCaller);
    const secret = createSecret();
    return { secret, formerUntil: await renewSecret(transaction, id, secret) };
  });
}

/** What the caller may not see is not there. */
export async function getWebhook(transaction: TransactionSql, id: string): Promise<Webhook> {
  const webhook = await findWebhook(transaction, id);
  if (!webhook) throw new AppError("not_found", "There is no such webhook.");
  return webhook;
}

/** Of what tells people of something nobody is told. */
const untoldKinds = [deliverEvent.name, sendMail.name];

function refuseFaults({ url, kinds }: WebhookChange, targets: "public" | "any"): void {
  const fields: FieldError[] = [];
  const fault = url === undefined ? undefined : findTargetFault(url, targets);
  if (fault !== undefined) fields.push({ field: "body.url", message: fault });
  for (const [index, kind] of (kinds ?? []).entries()) {
    if (jobKinds.has(kind) && !untoldKinds.includes(kind)) continue;
    fields.push({ field: `body.kinds.${index}`, message: "must be a kind of job that webhooks are told of" });
  }
  if (fields.length === 0) return;
  throw new AppError("invalid_request", "The request is not valid; see `errors`.", { fields });
}
