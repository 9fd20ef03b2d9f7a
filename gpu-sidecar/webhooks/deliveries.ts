/** SQL of deliveries, through functions that ask for the claim: the sidecar's role can read neither table. */
import type { Sql } from "postgres";
import type { CallFault } from "./faults.ts";

export interface Claim {
  readonly jobId: string;
  readonly claim: number;
}

export interface Delivery {
  readonly id: string;
  readonly url: string;
  readonly format: "standard" | "slack";
  /** The one in use first. */
  readonly secrets: readonly string[];
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly occurredAt: string;
}

/** Begins a try; undefined where the claim is lost or nobody wants the delivery any more. */
export async function beginDelivery(sql: Sql, { jobId, claim }: Claim): Promise<Delivery | undefined> {
  const [row] = await sql<Delivery[]>`
    select id, url, format, secrets, event, data, occurred_at
    from parlance.begin_delivery(${jobId}, ${claim})
  `;
  return row;
}

export async function recordFailure(
  sql: Sql,
  { jobId, claim }: Claim,
  fault: CallFault,
  tookMs: number,
): Promise<void> {
  await sql`
    select parlance.record_delivery_failure(
      ${jobId}, ${claim}, ${fault.statusCode ?? null}, ${fault.message}, ${tookMs},
      ${fault.retryAfterSeconds ?? null}
    )
  `;
}
