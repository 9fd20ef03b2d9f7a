/**
 * Calls a webhook once. A failure is kept in the ledger under the claim, and the queue tries again; what ends the
 * delivery is written by the landing, in the transaction that ends the job. A process that dies between the answer and
 * the landing calls again with the same `webhook-id`.
 */
import type { Sql } from "postgres";
import { AppError } from "../../shared/errors.ts";
import { defineTask, type Task, type TaskContext } from "../../shared/jobs/kinds.ts";
import { deliverEvent } from "../../shared/webhooks/kind.ts";
import type { DeliveryOutcome } from "../../shared/webhooks/outcome.ts";
import { signMessage } from "../../shared/webhooks/signing.ts";
import { findTargetFault } from "../../shared/webhooks/targets.ts";
import { beginDelivery, type Delivery, recordFailure } from "../webhooks/deliveries.ts";
import { CallFault, faultOf, faultOfStatus } from "../webhooks/faults.ts";
import { findAddresses, type HostRules } from "../webhooks/hosts.ts";
import { post } from "../webhooks/post.ts";
import { readRetryAfter } from "../webhooks/retry-after.ts";
import { composeSlackBody } from "../webhooks/slack.ts";

export interface DeliverWebhookOptions extends HostRules {
  readonly sql: Sql;
  /** Certificates in PEM that are trusted instead of the system's. */
  readonly authorities?: string | undefined;
  /** From looking the host up to the end of the answer. Default 10,000. */
  readonly callMs?: number;
}

export function createDeliverWebhookTask(options: DeliverWebhookOptions): Task {
  return defineTask(deliverEvent, (_payload, context) => deliver(options, context));
}

async function deliver(options: DeliverWebhookOptions, context: TaskContext): Promise<DeliveryOutcome> {
  const held = { jobId: context.job.id, claim: context.claim };
  const delivery = await beginDelivery(options.sql, held);
  if (!delivery) return { state: "cancelled" };
  const startedAtMs = performance.now();
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(options.callMs ?? 10_000)]);
  try {
    const statusCode = await call(options, delivery, signal);
    return { state: "delivered", statusCode, tookMs: msSince(startedAtMs) };
  } catch (error) {
    // Stopped from outside: nothing was found out about the receiver.
    if (context.signal.aborted) throw error;
    const fault = faultOf(error);
    await recordFailure(options.sql, held, fault, msSince(startedAtMs));
    throw new AppError("upstream_failed", fault.message, { cause: error, retryable: fault.retryable });
  }
}

/** The status of a success; throws a CallFault for anything else. */
async function call(
  options: DeliverWebhookOptions,
  delivery: Delivery,
  signal: AbortSignal,
): Promise<number> {
  const fault = findTargetFault(delivery.url, options.targets);
  if (fault !== undefined) throw new CallFault(`The address ${fault}.`, { retryable: false });
  const url = new URL(delivery.url);
  const addresses = await untilAborted(findAddresses(url, options), signal);
  const body = composeBody(delivery);
  const signature = await signMessage({ id: delivery.id, sentAtMs: Date.now(), body }, delivery.secrets);
  const headers = { "content-type": "application/json", "user-agent": "Parlance-Webhooks/1", ...signature };
  const sent = post({ url, addresses, headers, body, signal, authorities: options.authorities });
  const answer = await untilAborted(sent, signal);
  if (answer.statusCode >= 200 && answer.statusCode < 300) return answer.statusCode;
  const isGone = answer.statusCode === 410 || (answer.statusCode === 404 && delivery.format === "slack");
  throw faultOfStatus(answer.statusCode, {
    isGone,
    retryAfterSeconds: readRetryAfter(answer.retryAfter, Date.now()),
  });
}

function composeBody(delivery: Delivery): string {
  if (delivery.format === "slack") return composeSlackBody(delivery);
  const { id, event, occurredAt, data } = delivery;
  return JSON.stringify({ id, type: event, timestamp: occurredAt, data });
}

/** A resolver cannot be stopped, and not every client can; they are only waited for no longer. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}

function msSince(startedAtMs: number): number {
  return Math.round(performance.now() - startedAtMs);
}
