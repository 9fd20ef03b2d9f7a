/** Jobs in numbers, by kind and lane: what waits and runs, and what ended within the last hour. */
import type { TransactionSql } from "postgres";
import type { JobKindStats, JobStats } from "../../shared/jobs/operating.ts";
import { ownedBy } from "./store.ts";

/** Whose jobs: null and undefined as in lists. */
type Whose = string | null | undefined;

interface OpenFigures {
  readonly kind: string;
  readonly lane: JobKindStats["lane"];
  readonly queued: number;
  readonly delayed: number;
  readonly running: number;
  readonly oldestWaitSeconds: number | null;
  readonly leaseLosses: number;
}

/** A user's jobs that wait are found by the index of shares; the house's have the nil uuid there. */
function countOpen(sql: TransactionSql, ownerId: Whose) {
  const shared =
    ownerId === undefined
      ? sql`true`
      : sql`coalesce(owner_id, '00000000-0000-0000-0000-000000000000') = coalesce(${ownerId}::uuid, '00000000-0000-0000-0000-000000000000')`;
  return sql<OpenFigures[]>`
    select kind, lane,
      count(*) filter (where state = 'queued' and run_after <= now()) as queued,
      count(*) filter (where state = 'queued' and run_after > now()) as delayed,
      count(*) filter (where state = 'running') as running,
      extract(epoch from now() - min(run_after) filter (where state = 'queued' and run_after <= now()))::double precision
        as oldest_wait_seconds,
      sum(lease_losses) as lease_losses
    from (
      select kind, lane, state, run_after, lease_losses from parlance.job_views where state = 'queued' and ${shared}
      union all
      select kind, lane, state, run_after, lease_losses
      from parlance.job_views
      where state = 'running' and ${ownedBy(sql, ownerId)}
    ) as open
    group by kind, lane
    limit 1000
  `;
}

interface EndedFigures {
  readonly kind: string;
  readonly lane: JobKindStats["lane"];
  readonly done: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly leaseLosses: number;
  readonly waitSeconds: readonly (number | null)[] | null;
  readonly runSeconds: readonly (number | null)[] | null;
}

/** As many of the newest are looked at. */
const sampleMax = { own: 10_000, all: 50_000 };
const windowSecondsMax = 3600;
const quantiles = [0.5, 0.95, 0.99];

/** How far back the sample reaches. */
async function measureWindow(sql: TransactionSql, ownerId: Whose): Promise<number> {
  const [row] = await sql<{ seconds: number | null }[]>`
    select extract(epoch from now() - finished_at)::double precision as seconds
    from parlance.job_views
    where finished_at is not null and ${ownedBy(sql, ownerId)}
    order by changed_in desc
    offset ${sampleSize(ownerId) - 1}
    limit 1
  `;
  return Math.max(1, Math.min(windowSecondsMax, row?.seconds ?? windowSecondsMax));
}

function sampleSize(ownerId: Whose): number {
  return ownerId ? sampleMax.own : sampleMax.all;
}

function measureEnded(sql: TransactionSql, ownerId: Whose, windowSeconds: number) {
  return sql<EndedFigures[]>`
    select kind, lane,
      count(*) filter (where state = 'done') as done,
      count(*) filter (where state = 'failed') as failed,
      count(*) filter (where state = 'cancelled') as cancelled,
      sum(lease_losses) as lease_losses,
      percentile_cont(${quantiles}::double precision[]) within group (order by extract(epoch from
        started_at - greatest(created_at, case when run_after <= started_at then run_after end)
      )::double precision) as wait_seconds,
      percentile_cont(${quantiles}::double precision[]) within group (
        order by extract(epoch from finished_at - started_at)::double precision
      ) as run_seconds
    from (
      select kind, lane, state, lease_losses, created_at, run_after, started_at, finished_at
      from parlance.job_views
      where finished_at is not null and ${ownedBy(sql, ownerId)}
      order by changed_in desc
      limit ${sampleSize(ownerId)}
    ) as newest
    where finished_at > now() - make_interval(secs => ${windowSeconds})
    group by kind, lane
    limit 1000
  `;
}

function countDeadLetters(sql: TransactionSql, ownerId: Whose) {
  return sql<{ kind: string; lane: JobKindStats["lane"]; deadLetters: number }[]>`
    select kind, lane, count(*) as dead_letters
    from parlance.dead_letters
    where ${ownedBy(sql, ownerId)}
    group by kind, lane
    limit 1000
  `;
}

export async function measureJobs(sql: TransactionSql, ownerId: Whose): Promise<JobStats> {
  const windowSeconds = await measureWindow(sql, ownerId);
  const stats = new Map<string, JobKindStats>();
  const statsOf = ({ kind, lane }: Pick<JobKindStats, "kind" | "lane">): JobKindStats => {
    const key = `${kind} ${lane}`;
    const known = stats.get(key) ?? emptyStats(kind, lane);
    stats.set(key, known);
    return known;
  };
  for (const { leaseLosses, ...open } of await countOpen(sql, ownerId)) {
    const known = statsOf(open);
    Object.assign(known, open, { leaseLosses: known.leaseLosses + leaseLosses });
  }
  for (const ended of await measureEnded(sql, ownerId, windowSeconds)) {
    const known = statsOf(ended);
    const { done, failed, cancelled } = ended;
    known.ended = { done, failed, cancelled };
    known.endedPerMinute = ((done + failed + cancelled) * 60) / windowSeconds;
    known.leaseLosses += ended.leaseLosses;
    known.waitSeconds = toQuantiles(ended.waitSeconds);
    known.runSeconds = toQuantiles(ended.runSeconds);
  }
  for (const row of await countDeadLetters(sql, ownerId)) statsOf(row).deadLetters = row.deadLetters;
  return { items: [...stats.values()].sort(byKindAndLane), windowSeconds };
}

function emptyStats(kind: string, lane: JobKindStats["lane"]): JobKindStats {
  return {
    kind,
    lane,
    queued: 0,
    delayed: 0,
    running: 0,
    oldestWaitSeconds: null,
    deadLetters: 0,
    ended: { done: 0, failed: 0, cancelled: 0 },
    endedPerMinute: 0,
    leaseLosses: 0,
    waitSeconds: null,
    runSeconds: null,
  };
}

function toQuantiles(values: readonly (number | null)[] | null): JobKindStats["waitSeconds"] {
  const [p50, p95, p99] = values ?? [];
  if (typeof p50 !== "number" || typeof p95 !== "number" || typeof p99 !== "number") return null;
  return { p50, p95, p99 };
}

function byKindAndLane(one: JobKindStats, other: JobKindStats): number {
  const [a, b] = [`${one.kind} ${one.lane}`, `${other.kind} ${other.lane}`];
  return a < b ? -1 : Number(a > b);
}
