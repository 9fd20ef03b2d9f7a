import type { Sql } from "postgres";
import type { JobLane } from "../../shared/jobs/contract.ts";

/** Adds jobs that were cancelled a while ago, each with its two events, as if the queue had done it then. */
export async function addEndedJobs(
  sql: Sql,
  jobs: { kind: string; lane?: JobLane; ownerId?: string | null; count?: number; minutesAgo: number },
): Promise<void> {
  const { kind, lane = "bulk", ownerId = null, count = 1, minutesAgo } = jobs;
  await sql.begin(async (transaction) => {
    const [added] = await transaction<{ ids: string[] }[]>`
      with added as (
        insert into parlance.jobs (id, kind, lane, owner_id, payload, attempts_max, created_at)
        select
          gen_random_uuid(), ${kind}, ${lane}::text::parlance.job_lane, ${ownerId}, '{}', 1,
          now() - make_interval(mins => ${minutesAgo})
        from generate_series(1, ${count})
        returning id
      )
      select array_agg(id) as ids from added
    `;
    const ids = added?.ids ?? [];
    await transaction`
      update parlance.jobs
      set state = 'cancelled', event_sequence = 2, finished_at = created_at, changed_in = pg_current_xact_id()
      where id = any (${ids}::uuid[])
    `;
    await transaction`
      insert into parlance.job_events (job_id, sequence, event, owner_id, at)
      select id, sequence, (array['job.queued', 'job.cancelled'])[sequence], owner_id, finished_at
      from parlance.jobs
      cross join generate_series(1, 2) as sequence
      where id = any (${ids}::uuid[])
    `;
  });
}
