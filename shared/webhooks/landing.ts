/** SQL that ends a delivery, in the transaction that ends the job which carries it. */
import type { TransactionSql } from "postgres";
import type { JobError } from "../jobs/contract.ts";
import type { EndingJob } from "../jobs/kinds.ts";
import type { DeliveryOutcome } from "./outcome.ts";

export async function landDelivery(
  transaction: TransactionSql,
  job: EndingJob,
  outcome: DeliveryOutcome,
): Promise<void> {
  const { statusCode = null, tookMs = null } = outcome.state === "delivered" ? outcome : {};
  await transaction`
    select parlance.settle_delivery(
      ${job.id}, ${outcome.state}::parlance.webhook_delivery_state, ${statusCode}, null, ${tookMs}
    )
  `;
}

export async function landDeliveryFailure(
  transaction: TransactionSql,
  job: EndingJob,
  error: JobError,
): Promise<void> {
  const state = error.code === "cancelled" ? "cancelled" : "failed";
  await transaction`
    select parlance.settle_delivery(
      ${job.id}, ${state}::parlance.webhook_delivery_state, null, ${error.message}
    )
  `;
}

export async function landDeliveryRetry(transaction: TransactionSql, job: EndingJob): Promise<void> {
  await transaction`select parlance.reopen_delivery(${job.id})`;
}
