/** The laws of the queue, each a query that finds who breaks it. */
import { kinds } from "./kinds.ts";

/** Lives that came to an end, by kind and state, with how often a lease ran out in each. */
export const endedLives = `
  select (after).kind, (after).state, count(*) as jobs, sum((after).lease_losses) as lease_losses
  from public.history
  where (before).finished_at is null and (after).finished_at is not null
  group by (after).kind, (after).state`;

/** `since` is the last version of a row that was judged before. Each answers job_id and what is wrong. */
export const laws: Readonly<Record<string, string>> = {
  "events are 1, 2, 3 … without holes": `
    select jobs.id, format('%s events to %s after %s pruned, sequence %s', count(events), max(events.sequence), jobs.events_pruned_to, jobs.event_sequence)
    from parlance.jobs
    left join parlance.job_events as events on events.job_id = jobs.id
    group by jobs.id
    having count(events) <> jobs.event_sequence - jobs.events_pruned_to
      or coalesce(max(events.sequence), jobs.event_sequence) <> jobs.event_sequence
      or coalesce(min(events.sequence), jobs.events_pruned_to + 1) <> jobs.events_pruned_to + 1`,
  "events walk along the page": `
    select walked.job_id, format('%s after %s', walked.event, walked.before)
    from (
      select job_id, sequence, event, lag(event) over job as before,
        bool_or(event = 'job.cancelling') over (partition by job_id order by sequence rows unbounded preceding) as is_cancelling
      from parlance.job_events
      window job as (partition by job_id order by sequence)
    ) as walked
    where case
      when walked.before is null then walked.sequence = 1 and walked.event <> 'job.queued'
      when walked.is_cancelling then walked.event not in ('job.cancelling', 'job.progressed', 'job.done', 'job.cancelled')
        or walked.before in ('job.done', 'job.cancelled')
      when walked.before in ('job.queued', 'job.requeued', 'job.retried') then walked.event not in ('job.started', 'job.cancelled', 'job.failed')
      when walked.before in ('job.started', 'job.progressed') then
        walked.event not in ('job.progressed', 'job.cancelling', 'job.done', 'job.failed', 'job.cancelled', 'job.requeued')
      when walked.before = 'job.failed' then walked.event <> 'job.retried'
      else true
    end`,
  "the last event says the state": `
    select jobs.id, format('%s, and the last event is %s', jobs.state, events.event)
    from parlance.jobs
    join parlance.job_events as events on events.job_id = jobs.id and events.sequence = jobs.event_sequence
    where case events.event
      when 'job.queued' then 'queued' when 'job.requeued' then 'queued' when 'job.retried' then 'queued'
      when 'job.started' then 'running' when 'job.progressed' then 'running' when 'job.cancelling' then 'running'
      else substr(events.event, 5)
    end <> jobs.state::text`,
  "each change of state takes the next event": `
    select job_id, format('%s → %s with %s → %s', (before).state, (after).state, (before).event_sequence, (after).event_sequence)
    from public.history
    where n > since and (before).id is not null and (after).id is not null
      and ((after).event_sequence - (before).event_sequence not in (0, 1)
        or ((after).state <> (before).state and (after).event_sequence = (before).event_sequence))`,
  "what ends lands once, and nothing else lands": `
    with moved as (
      select job_id, (after).event_sequence as sequence, case when (after).state = 'queued' then 'retried' else (after).state::text end as outcome,
        case when (after).state = 'done' then (before).claim end as claim
      from public.history
      where (before).id is not null and (after).id is not null and ((before).finished_at is null) <> ((after).finished_at is null)
    ), landed as (
      select job_id, sequence, count(*) as times, min(outcome) as outcome, min(claim) as claim
      from public.landings
      group by job_id, sequence
    )
    select job_id, format('%s by the claim %s, landed %s times, as %s by the claim %s', coalesce(moved.outcome, 'nothing'),
      moved.claim, coalesce(landed.times, 0), landed.outcome, landed.claim)
    from moved
    full join landed using (job_id, sequence)
    where moved.outcome is distinct from landed.outcome or moved.claim is distinct from landed.claim or landed.times <> 1`,
  "a checkpoint is written once, by the claim that holds the job": `
    with saved as (
      select job_id, (before).claim, (after).checkpoints as number
      from public.history
      where (after).state = 'running' and (before).state = 'running' and (after).checkpoints <> (before).checkpoints
    ), written as (
      select job_id, claim, number, count(*) as times from public.steps group by job_id, claim, number
    )
    select job_id, format('checkpoint %s of the claim %s was %s, written %s times', number, claim,
      case when saved.job_id is null then 'not saved' else 'saved' end, coalesce(written.times, 0))
    from saved
    full join written using (job_id, claim, number)
    where saved.job_id is null or written.times is distinct from 1`,
  "checkpoints count up within a claim": `
    select job_id, format('from %s to %s', (before).checkpoints, (after).checkpoints)
    from public.history
    where n > since and (after).claim = (before).claim and (after).checkpoints - (before).checkpoints not in (0, 1)`,
  "a claim is newer than all before": `
    select fresh.job_id, format('claim %s after %s', (fresh.after).claim, max((earlier.after).claim))
    from public.history as fresh
    join public.history as earlier on earlier.n < fresh.n
    where fresh.n > since and (fresh.before).claim is distinct from (fresh.after).claim
      and (earlier.job_id = fresh.job_id or (earlier.after).claim = (fresh.after).claim)
    group by fresh.n, fresh.job_id, fresh.after
    having max((earlier.after).claim) >= (fresh.after).claim`,
  "each start is an attempt, and there are no more than allowed": `
    select job_id, format('attempts %s → %s of %s', (before).attempts, (after).attempts, (after).attempts_max)
    from public.history
    where n > since and ((after).attempts > (after).attempts_max
      or ((before).state = 'queued' and (after).state = 'running' and (after).attempts <> (before).attempts + 1))`,
  "nothing begins before its time or after its deadline": `
    select job_id, format('at %s, run after %s, deadline %s', at, (before).run_after, (before).deadline_at)
    from public.history
    where n > since and (before).state = 'queued' and (after).state = 'running' and ((before).run_after > at or (before).deadline_at <= at)`,
  "only the deadline fails what waits": `
    select job_id, format('%s at %s, deadline %s', (after).error_code, at, (before).deadline_at)
    from public.history
    where n > since and (before).state = 'queued' and (after).state = 'failed'
      and ((after).error_code <> 'deadline_exceeded' or (before).deadline_at is null or (before).deadline_at >= at)`,
  "a claim is taken only when its lease is over": `
    select job_id, format('taken at %s, lease to %s', at, (before).lease_expires_at)
    from public.history
    where n > since and (after).lease_losses > (before).lease_losses and (before).lease_expires_at >= at`,
  "progress never goes back within a claim": `
    select job_id, format('from %s to %s', (before).progress_done, (after).progress_done)
    from public.history
    where n > since and (after).claim = (before).claim and (after).progress_done < (before).progress_done`,
  "a change says the transaction that made it": `
    select job_id, format('changed in %s by %s', (after).changed_in, changed_by)
    from public.history
    where n > since and (after).id is not null and (after).changed_in <> changed_by and (
      (before).id is null or (after).state <> (before).state or (after).event_sequence <> (before).event_sequence or (after).payload <> (before).payload
    )`,
  "only what ended is removed, with its events": `
    select job_id, format('removed while %s', (before).state)
    from public.history
    where n > since and (after).id is null and (before).finished_at is null
    union all
    select job_id, 'has events and is gone'
    from parlance.job_events as events
    where not exists (select from parlance.jobs where jobs.id = events.job_id)`,
  "no life is counted twice": `
    select null, format('%s times %s %s of %s', totals.jobs, totals.kind, totals.state, coalesce(lives.jobs, 0))
    from parlance.job_totals as totals
    left join (${endedLives}) as lives on lives.kind = totals.kind and lives.state = totals.state
    where totals.jobs > coalesce(lives.jobs, 0)`,
  "one of a kind, owner and unique key is open": `
    select max(id::text)::uuid, format('%s are open', count(*))
    from parlance.jobs
    where state in ('queued', 'running') and unique_key is not null
    group by kind, owner_id, unique_key
    having count(*) > 1`,
  "of what lost two workers a worker takes another only when it has waited for ten minutes": `
    select taken.job_id, format('taken by %s beside %s', (taken.after).claimed_by, held.id)
    from public.history as taken
    join parlance.jobs as held
      on held.state = 'running' and held.lease_losses > 1 and held.claimed_by = (taken.after).claimed_by
      and held.claim < (taken.after).claim and held.lease_expires_at > taken.at
    where taken.n > since and (taken.before).state = 'queued' and (taken.after).state = 'running'
      and (taken.after).lease_losses > 1 and (taken.before).run_after > taken.at - interval '10 minutes'`,
  "kinds run no more than they may": `
    select null::uuid, format('%s run %s, %s of %s', running.kind, sum(running.jobs), max(running.jobs), running.owner_id)
    from (
      select kind, owner_id, count(*) as jobs from parlance.jobs where state = 'running' group by kind, owner_id
    ) as running
    join (values ${kinds.map((kind) => `('${kind.name}', ${kind.runningMax ?? "null"}::integer, ${kind.runningPerOwnerMax ?? "null"}::integer)`).join(", ")})
      as limits (kind, running_max, running_per_owner_max) on limits.kind = running.kind
    group by grouping sets ((running.kind, limits.running_max), (running.kind, running.owner_id, limits.running_per_owner_max))
    having sum(running.jobs) > limits.running_max or sum(running.jobs) > limits.running_per_owner_max`,
  "nothing begins beyond the share of its owner": `
    select null::uuid, format('%s run of %s, allowed %s', count(*), shares.owner_id, shares.running_max)
    from parlance.job_shares as shares
    join parlance.jobs on jobs.owner_id = shares.owner_id and jobs.state = 'running'
    where exists (
      select from public.history where n > since and (after).owner_id = shares.owner_id and (before).state = 'queued' and (after).state = 'running'
    )
    group by shares.owner_id
    having count(*) > shares.running_max`,
};

/** A reader that asks for what its last snapshot did not see is told of what changed since, of all of it and nothing else. */
export const readersLaw = `
  select coalesce(told.id, changed.id), case when told.id is null then 'changed, and not told' else 'told, and not changed' end
  from (
    select jobs.id
    from parlance.jobs
    where not pg_visible_in_snapshot(jobs.changed_in, (select snapshot from public.readers where readers.name = reader))
  ) as told
  full join (
    select jobs.id
    from parlance.jobs
    left join public.seen on seen.reader = look_as.reader and seen.job_id = jobs.id
    where (jobs.state::text, jobs.event_sequence, jobs.payload) is distinct from (seen.state, seen.sequence, seen.payload)
  ) as changed on changed.id = told.id
  cross join (select snapshot from public.readers where readers.name = reader) as last
  where told.id is null or (changed.id is null and not exists (
    -- Replaced by the same.
    select from public.history
    where history.job_id = told.id and not pg_visible_in_snapshot(history.changed_by, last.snapshot)
      and (before).state = 'queued' and (after).state = 'queued' and (after).unique_key is not null
  ))`;
