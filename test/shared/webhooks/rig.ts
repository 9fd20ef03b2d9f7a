/** A database with webhooks and jobs that end, and what is looked at afterwards. */
import type { Sql } from "postgres";
import { z } from "zod";
import { createId } from "../../../shared/ids.ts";
import type { AlertSeverity } from "../../../shared/interactions/rules.ts";
import type { JobKind } from "../../../shared/jobs/kinds.ts";
import { addJobs, type ClaimedJob, claimJobs, completeJobs, failJob } from "../../../shared/jobs/queue.ts";
import type { DeliveryState } from "../../../shared/webhooks/contract.ts";
import { deliverEvent } from "../../../shared/webhooks/kind.ts";
import { createSecret } from "../../../shared/webhooks/signing.ts";
import { openTestDatabase } from "../../helpers/database.ts";

type Paint = JobKind<Record<string, never>, Record<string, unknown>>;

/** Work that webhooks hear of. */
export const paint: Paint = {
  name: "test.paint-wall",
  runner: "sidecar",
  lane: "bulk",
  payload: z.object({}),
  attemptsMax: 1,
  timeoutMs: 10_000,
  summarize: (outcome) => outcome,
  landFailure: async () => {},
};

export interface DeliveryRow {
  readonly id: string;
  readonly webhookId: string;
  readonly ownerId: string | null;
  readonly event: string;
  readonly jobId: string | null;
  readonly alertId: string | null;
  readonly sequence: number | null;
  readonly data: Record<string, unknown>;
  readonly state: DeliveryState;
  readonly carrierId: string;
  readonly attempts: number;
  readonly statusCode: number | null;
  readonly errorMessage: string | null;
  readonly tookMs: number | null;
  readonly retryAt: string | null;
  readonly finishedAt: string | null;
}

export interface WebhookRow {
  readonly isEnabled: boolean;
  readonly disabledReason: string | null;
  readonly failingSince: string | null;
}

export interface WebhookWish {
  readonly ownerId: string | null;
  readonly url?: string;
  readonly events?: readonly string[];
  readonly kinds?: readonly string[] | null;
  readonly format?: "standard" | "slack";
  readonly severityMin?: AlertSeverity | null;
}

export interface EndWish {
  readonly ownerId: string | null;
  readonly count?: number;
  readonly kind?: Paint;
  readonly result?: Record<string, unknown>;
  /** Fails them, for good. */
  readonly fails?: boolean;
}

export interface WebhookDatabase extends AsyncDisposable {
  /** The owner of the tables: sees everything. */
  readonly sql: Sql;
  /** What a sidecar has. */
  readonly sidecar: Sql;
  addUser(): Promise<string>;
  addWebhook(wish: WebhookWish): Promise<{ id: string; secret: string }>;
  renewSecret(id: string): Promise<string>;
  /** Adds jobs, claims them and ends them, the done ones in one statement; answers their ids. */
  endJobs(wish: EndWish): Promise<string[]>;
  claimDeliveries(leaseSeconds?: number): Promise<ClaimedJob[]>;
  listDeliveries(): Promise<DeliveryRow[]>;
  findWebhook(id: string): Promise<WebhookRow>;
  /** The whole row of a job. */
  findJob(id: string): Promise<Record<string, unknown>>;
  clear(): Promise<void>;
}

export async function openWebhookDatabase(): Promise<WebhookDatabase> {
  const database = await openTestDatabase();
  const sql = database.connect();
  const sidecar = database.connect({ role: "parlance_sidecar" });
  const claim = (kind: JobKind<never, never> | Paint | typeof deliverEvent, leaseSeconds: number) =>
    claimJobs(sidecar, {
      workerId: createId(),
      kinds: [kind],
      lane: kind.lane,
      jobsMax: 1000,
      leaseSeconds,
    });
  return {
    sql,
    sidecar,
    async addUser() {
      const id = createId();
      await sql`insert into auth.users (id, email) values (${id}, ${`${id}@example.com`})`;
      return id;
    },
    async addWebhook({
      ownerId,
      url = "https://hooks.example.com/",
      events = ["job.done", "job.failed"],
      kinds = null,
      format = "standard",
      severityMin = null,
    }) {
      const [id, secret] = [createId(), createSecret()];
      await sql`
        insert into parlance.webhooks (id, owner_id, url, events, kinds, format, severity_min)
        values (
          ${id}, ${ownerId}, ${url}, ${[...events]}::text[], ${kinds === null ? null : [...kinds]}::text[],
          ${format}, ${severityMin}::text::parlance.alert_severity
        )
      `;
      await sql`select parlance.renew_webhook_secret(${id}, ${secret})`;
      return { id, secret };
    },
    async renewSecret(id) {
      const secret = createSecret();
      await sql`select parlance.renew_webhook_secret(${id}, ${secret})`;
      return secret;
    },
    async endJobs({ ownerId, count = 1, kind = paint, result = {}, fails = false }) {
      const ids = await addJobs(
        sql,
        kind,
        Array.from({ length: count }, () => ({ payload: {}, ownerId })),
      );
      const claimed = (await claim(kind, 30)).filter((job) => ids.includes(job.id));
      if (claimed.length !== count) throw new Error(`only ${claimed.length} of ${count} were claimed`);
      if (!fails)
        await completeJobs(
          sidecar,
          claimed.map((job) => ({ ...job, result })),
        );
      const error = { code: "upstream_failed" as const, message: "It went wrong.", retryable: false };
      if (fails) for (const job of claimed) await failJob(sidecar, job, error);
      return ids;
    },
    claimDeliveries: (leaseSeconds = 30) => claim(deliverEvent, leaseSeconds),
    async listDeliveries() {
      return await sql<DeliveryRow[]>`select * from parlance.webhook_deliveries order by id`;
    },
    async findWebhook(id) {
      const [row] = await sql<WebhookRow[]>`
        select is_enabled, disabled_reason, failing_since from parlance.webhooks where id = ${id}
      `;
      if (!row) throw new Error(`there is no webhook ${id}`);
      return row;
    },
    async findJob(id) {
      const [row] = await sql`select * from parlance.jobs where id = ${id}`;
      return row ?? {};
    },
    async clear() {
      await sql`delete from parlance.webhook_deliveries`;
      await sql`delete from parlance.webhooks`;
      await sql`delete from parlance.jobs`;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([sql.end(), sidecar.end()]);
      await database.close();
    },
  };
}
