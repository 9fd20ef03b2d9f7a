/**
 * The laws are one function of the database, planned once, which also answers what the queue looks like: one call after
 * each move.
 */
import type { Sql } from "postgres";
import type { JobLane, JobState } from "../../../../shared/jobs/contract.ts";
import { endedLives, laws, readersLaw } from "./laws.ts";

export interface Violation {
  readonly law: string;
  readonly jobId: string | null;
  readonly what: string;
}

export interface JobPicture {
  readonly id: string;
  readonly kind: string;
  readonly lane: JobLane;
  readonly state: JobState;
  readonly ownerId: string | null;
  readonly model: string | null;
  readonly uniqueKey: string | null;
  readonly text: string;
  readonly claim: number | null;
  readonly turn: number | null;
  readonly runAfterUs: number;
  readonly deadlineUs: number | null;
  readonly leaseUs: number | null;
  readonly isCancelling: boolean;
  readonly checkpoints: number;
  readonly leaseLosses: number;
  readonly claimedBy: string | null;
}

/** The queue between two moves. */
export interface Picture {
  readonly violations: readonly Violation[];
  readonly jobs: readonly JobPicture[];
  /** Ids of jobs that are removed. */
  readonly removed: readonly string[];
}

function judge(law: string, query: string): string {
  return `
    select violations || coalesce(jsonb_agg(jsonb_build_object('law', '${law}', 'jobId', bad.id, 'what', bad.what)), '[]')
    into violations
    from (${query}) as bad (id, what);`;
}

export async function installInvariants(admin: Sql): Promise<void> {
  await admin.unsafe(`
    create function public.look_as(reader text) returns jsonb language plpgsql set plan_cache_mode = force_generic_plan as $body$
    #variable_conflict use_column
    declare
      violations jsonb := '[]';
    begin
      ${judge("who asks what changed is told all of it", readersLaw)}
      insert into public.seen as known
      select look_as.reader, jobs.id, jobs.state::text, jobs.event_sequence, jobs.payload from parlance.jobs
      on conflict on constraint seen_pkey do update
      set state = excluded.state, sequence = excluded.sequence, payload = excluded.payload
      where (known.state, known.sequence, known.payload) is distinct from (excluded.state, excluded.sequence, excluded.payload);
      insert into public.readers values (reader, pg_current_snapshot()) on conflict (name) do update set snapshot = excluded.snapshot;
      return violations;
    end $body$;

    create function public.look() returns jsonb language plpgsql set plan_cache_mode = force_generic_plan set jit = off as $body$
    declare
      violations jsonb := '[]';
      since bigint := (select looked.n from public.looked);
    begin
      violations := public.look_as('always there');
      ${Object.entries(laws)
        .map(([law, query]) => judge(law, query))
        .join("\n")}
      update public.looked set n = coalesce((select max(history.n) from public.history), 0);
      return jsonb_build_object(
        'violations', violations,
        'removed', (select coalesce(jsonb_agg(job_id), '[]') from public.history where (after).id is null),
        'jobs', (select coalesce(jsonb_agg(jsonb_build_object(
          'id', id, 'kind', kind, 'lane', lane, 'state', state, 'ownerId', owner_id, 'model', model, 'uniqueKey', unique_key,
          'text', payload -> 'text', 'claim', claim, 'turn', turn,
          'runAfterUs', (extract(epoch from run_after) * 1e6)::bigint, 'deadlineUs', (extract(epoch from deadline_at) * 1e6)::bigint,
          'leaseUs', (extract(epoch from lease_expires_at) * 1e6)::bigint,
          'isCancelling', cancel_requested_at is not null, 'checkpoints', checkpoints,
          'leaseLosses', lease_losses, 'claimedBy', claimed_by
        ) order by id), '[]') from parlance.jobs)
      );
    end $body$;
  `);
}

/** Judges what happened since the last look. Nothing may be under way. */
export async function look(admin: Sql): Promise<Picture> {
  const [row] = await admin<{ picture: Picture }[]>`select public.look() as picture`;
  if (!row) throw new Error("there is no picture");
  return row.picture;
}

/** Counts what ended and is not counted yet; then the totals are what ended. */
export async function judgeTotals(service: Sql, admin: Sql): Promise<Violation[]> {
  // The first may end a count that began before the last jobs ended.
  for (let round = 0; round < 2; round++) await service`select parlance.count_ended_jobs(10000)`;
  return admin<Violation[]>`
    select 'all that ended is counted' as law, null as job_id,
      format('%s %s: %s, losses %s, counted %s, losses %s', kind, state, lives.jobs, lives.lease_losses, totals.jobs, totals.lease_losses) as what
    from (${admin.unsafe(endedLives)}) as lives
    full join (
      select kind, state, sum(jobs) as jobs, sum(lease_losses) as lease_losses from parlance.job_totals group by kind, state
    ) as totals using (kind, state)
    where (lives.jobs, lives.lease_losses) is distinct from (totals.jobs, totals.lease_losses)
  `;
}

/** A reader's look, which may come amid whatever others do. */
export async function lookAs(admin: Sql, reader: string): Promise<Violation[]> {
  return admin.begin("isolation level repeatable read", async (transaction) => {
    const [row] = await transaction<{ violations: Violation[] }[]>`
      select public.look_as(${reader}) as violations
    `;
    return row?.violations ?? [];
  }) as Promise<Violation[]>;
}
