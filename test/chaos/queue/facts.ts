/** Everything that the database holds of a scenario's jobs when it is over. */
import type { Sql } from "postgres";
import type { Way } from "./plan.ts";
import type { Accepted } from "./record.ts";

export interface JobFact {
  readonly id: string;
  readonly kind: string;
  readonly subjectId: string | null;
  /** The number of its order. */
  readonly order: number;
  readonly state: string;
  readonly attempts: number;
  readonly attemptsMax: number;
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
  readonly isCancelAsked: boolean;
  readonly eventSequence: number;
}

export interface EventFact {
  readonly jobId: string;
  readonly sequence: number;
  readonly event: string;
}

/** A change of a job's state, as a trigger saw it. */
export interface ChangeFact {
  readonly jobId: string;
  readonly before: string;
  readonly after: string;
  readonly claim: number | null;
  /** Whether the lease was taken because it had run out. */
  readonly isLost: boolean;
  /** From the change to the end of the lease that it gave or took, in seconds. */
  readonly leaseLeftBefore: number | null;
  readonly leaseLeftAfter: number | null;
}

export interface LandingFact {
  readonly jobId: string;
  readonly what: "done" | "failure";
  readonly code: string | null;
}

export interface StepFact {
  readonly jobId: string;
  readonly step: number;
}

export interface Facts {
  readonly jobs: readonly JobFact[];
  /** In the order of their sequence. */
  readonly events: readonly EventFact[];
  /** In the order of time. */
  readonly changes: readonly ChangeFact[];
  readonly landings: readonly LandingFact[];
  /** What checkpoints wrote. */
  readonly steps: readonly StepFact[];
  /** The rows written beside jobs. */
  readonly orders: readonly number[];
}

/** What was asked for and accepted, from the plan and the enqueuer's record. */
export interface Expected {
  readonly accepted: readonly Accepted[];
  /** By its number. */
  readonly orders: ReadonlyMap<
    number,
    { readonly kind: string; readonly subjectId: string; readonly way: Way }
  >;
  readonly leaseSeconds: number;
}

export async function readFacts(sql: Sql): Promise<Facts> {
  const jobs = await sql<JobFact[]>`
    select
      id, kind, subject_id, (payload ->> 'order')::int as order, state, attempts, attempts_max, error_code, error_message,
      cancel_requested_at is not null as is_cancel_asked, event_sequence
    from parlance.jobs
    where kind like 'chaos.%'
    order by id
  `;
  const events = await sql<EventFact[]>`
    select job_id, sequence, event
    from parlance.job_events
    order by job_id, sequence
  `;
  const changes = await sql<ChangeFact[]>`
    select
      job_id, before, after, claim, is_lost,
      extract(epoch from lease_before - at)::float8 as lease_left_before,
      extract(epoch from lease_after - at)::float8 as lease_left_after
    from chaos.changes
    order by number
  `;
  const landings = await sql<LandingFact[]>`
    select job_id, what, code
    from chaos.landings
  `;
  const steps = await sql<StepFact[]>`
    select job_id, step
    from chaos.steps
    order by job_id, step
  `;
  const orders = await sql<{ number: number }[]>`
    select number
    from chaos.orders
  `;
  return { jobs, events, changes, landings, steps, orders: orders.map((order) => order.number) };
}
