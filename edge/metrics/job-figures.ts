/** Figures of the queue: what is open now, and the totals of all that ever ended, which outlive the jobs. */
import type { Sql, TransactionSql } from "postgres";
import { serviceCaller, transactAs } from "../../shared/callers.ts";

export interface OpenJobs {
  readonly kind: string;
  readonly lane: string;
  /** `queued` ones are due, `delayed` ones are not. */
  readonly state: "queued" | "delayed" | "running";
  readonly jobs: number;
  /** Since the oldest was due, or was claimed for the first time; null for delayed ones. */
  readonly oldestSeconds: number | null;
}

export interface EndedTotals {
  readonly kind: string;
  readonly lane: string;
  readonly state: string;
  readonly jobs: number;
  readonly leaseLosses: number;
}

export interface TimeTotals {
  readonly kind: string;
  readonly lane: string;
  readonly measure: "wait" | "run";
  /** How many took at most as long as each bound; the last one, all. */
  readonly upTo: readonly number[];
  readonly seconds: number;
}

export interface DeadLetters {
  readonly kind: string;
  readonly jobs: number;
}

export interface JobFigures {
  readonly open: readonly OpenJobs[];
  readonly ended: readonly EndedTotals[];
  readonly times: readonly TimeTotals[];
  /** Upper bounds in seconds. */
  readonly bounds: readonly number[];
  readonly deadLetters: readonly DeadLetters[];
}

const countedMax = 20_000;
const roundsMax = 10;

/** Brings the totals up to date; what is left after 200,000 is counted the next time. */
export async function countEndedJobs(sql: Sql): Promise<void> {
  for (let round = 0; round < roundsMax; round++) {
    const counted = await transactAs(sql, serviceCaller, async (transaction) => {
      const [row] = await transaction<{ jobs: number }[]>`
        select parlance.count_ended_jobs(${countedMax}) as jobs
      `;
      return row?.jobs ?? 0;
    });
    if (counted < countedMax) return;
  }
}

export async function readJobFigures(sql: TransactionSql): Promise<JobFigures> {
  const [row] = await sql<{ bounds: number[] }[]>`select parlance.job_time_bounds() as bounds`;
  return {
    open: await countOpenJobs(sql),
    ended: await listEndedTotals(sql),
    times: await listTimeTotals(sql),
    bounds: row?.bounds ?? [],
    deadLetters: await countDeadLetters(sql),
  };
}

/** Each state by its own index: most of the table are jobs that ended. */
async function countOpenJobs(sql: TransactionSql): Promise<OpenJobs[]> {
  return await sql<OpenJobs[]>`
    select open.kind, open.lane, open.state, count(*) as jobs,
      extract(epoch from now() - min(open.since))::double precision as oldest_seconds
    from (
      select kind, lane, 'queued' as state, run_after as since
      from parlance.job_views
      where state = 'queued' and run_after <= now()
      union all
      select kind, lane, 'delayed', null
      from parlance.job_views
      where state = 'queued' and run_after > now()
      union all
      select kind, lane, 'running', coalesce(started_at, created_at)
      from parlance.job_views
      where state = 'running'
    ) as open
    group by open.kind, open.lane, open.state
    order by open.kind, open.lane, open.state
    limit 1000
  `;
}

async function listEndedTotals(sql: TransactionSql): Promise<EndedTotals[]> {
  return await sql<EndedTotals[]>`
    select kind, lane, state, jobs, lease_losses
    from parlance.job_totals
    order by kind, lane, state
    limit 1000
  `;
}

/** Cumulative, as Prometheus wants them: a bucket holds what the ones before it hold. */
async function listTimeTotals(sql: TransactionSql): Promise<TimeTotals[]> {
  return await sql<TimeTotals[]>`
    select known.kind, known.lane, known.measure,
      array(
        select coalesce(sum(totals.jobs), 0)::double precision
        from generate_series(0, cardinality(parlance.job_time_bounds())) as bounds (number)
        left join parlance.job_time_totals as totals
          on totals.kind = known.kind and totals.lane = known.lane and totals.measure = known.measure
          and totals.bucket <= bounds.number
        group by bounds.number
        order by bounds.number
      ) as up_to,
      (
        select sum(totals.seconds)
        from parlance.job_time_totals as totals
        where totals.kind = known.kind and totals.lane = known.lane and totals.measure = known.measure
      ) as seconds
    from (select distinct kind, lane, measure from parlance.job_time_totals) as known
    order by known.kind, known.lane, known.measure
    limit 1000
  `;
}

async function countDeadLetters(sql: TransactionSql): Promise<DeadLetters[]> {
  return await sql<DeadLetters[]>`
    select kind, count(*) as jobs
    from parlance.dead_letters
    group by kind
    order by kind
    limit 1000
  `;
}
