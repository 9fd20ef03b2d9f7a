-- What is told of jobs in numbers, and how old ones go.
--
-- Totals of ended jobs outlive the jobs. Ending a job costs nothing for it: ended jobs are counted later, in batches, each
-- exactly once. What was counted is a snapshot: the next to be counted are the jobs whose last change that snapshot did
-- not see and the next one does.
--
--   counted ──────▶ counting (kept until all that it saw is counted) ──────▶ counted
--                     └ walked in the order of (changed_in, id), a bounded number at a time
--
-- A job that leaves the table, or begins another life, before it was counted is counted then.

-- The one row that says how far counting and pruning are.
create table parlance.job_counting (
  is_the_one boolean primary key default true,
  counted pg_snapshot not null,
  counting pg_snapshot,
  walked_in xid8 not null default '0',
  walked_id uuid not null default '00000000-0000-0000-0000-000000000000',
  -- Jobs that ended up to here have no events any more.
  events_pruned_in xid8 not null default '0',
  events_pruned_id uuid not null default '00000000-0000-0000-0000-000000000000',
  constraint there_is_one check (is_the_one)
);
insert into parlance.job_counting (counted) values ('3:3:');

comment on table parlance.job_counting is 'How far the counting and the pruning of ended jobs are.';

create table parlance.job_totals (
  kind text not null,
  lane parlance.job_lane not null,
  state parlance.job_state not null,
  jobs bigint not null,
  lease_losses bigint not null,
  primary key (kind, lane, state)
);

comment on table parlance.job_totals is 'Jobs that ever ended, each of their lives once.';

create table parlance.job_time_totals (
  kind text not null,
  lane parlance.job_lane not null,
  -- `wait`: from when it was due to its first claim; `run`: from there to its end.
  measure text not null,
  -- How many of the bounds are less than the time.
  bucket integer not null,
  jobs bigint not null,
  seconds double precision not null,
  primary key (kind, lane, measure, bucket),
  constraint measure_is_known check (measure in ('wait', 'run'))
);

comment on table parlance.job_time_totals is 'How long jobs that ended had waited and run, by the bounds of parlance.job_time_bounds.';

alter table parlance.job_counting enable row level security;
alter table parlance.job_totals enable row level security;
alter table parlance.job_time_totals enable row level security;

-- Interactive work of the house goes after an hour, ahead of older jobs that stay.
create index jobs_of_the_house_ended on parlance.jobs (changed_in)
  where finished_at is not null and owner_id is null and lane = 'interactive';

-- Dead letters, the newest first.
create index jobs_failed on parlance.jobs (finished_at desc, id desc) where state = 'failed';
create index jobs_failed_of_an_owner on parlance.jobs (owner_id, finished_at desc, id desc) where state = 'failed';

-- Upper bounds of the buckets in seconds, each included; the last bucket has none.
create function parlance.job_time_bounds() returns double precision[]
  language sql immutable
  as $$ select '{0.005,0.01,0.025,0.05,0.1,0.25,0.5,1,2.5,5,10,30,60,150,300,600,1800,3600}'::double precision[] $$;

-- What is counted of a job from when it was added or retried until it ended.
create type parlance.job_life as (
  kind text,
  lane parlance.job_lane,
  state parlance.job_state,
  lease_losses integer,
  waited_seconds double precision,
  ran_seconds double precision
);

-- A wait for the next try moves `run_after` beyond the first claim; before it, it is when the job was due.
create function parlance.job_life(job parlance.jobs) returns parlance.job_life
  language sql immutable
  as $$
  select row(
    job.kind, job.lane, job.state, job.lease_losses,
    extract(epoch from job.started_at - greatest(job.created_at, case when job.run_after <= job.started_at then job.run_after end)),
    extract(epoch from job.finished_at - job.started_at)
  )::parlance.job_life
$$;

create function parlance.add_job_lives(lives parlance.job_life[]) returns void
  language sql volatile security definer set search_path = pg_catalog, pg_temp
  as $$
  insert into parlance.job_totals as totals (kind, lane, state, jobs, lease_losses)
  select life.kind, life.lane, life.state, count(*), sum(life.lease_losses)
  from unnest(lives) as life
  group by life.kind, life.lane, life.state
  on conflict (kind, lane, state) do update
  set jobs = totals.jobs + excluded.jobs,
    lease_losses = totals.lease_losses + excluded.lease_losses;
  insert into parlance.job_time_totals as totals (kind, lane, measure, bucket, jobs, seconds)
  select life.kind, life.lane, times.measure, times.bucket, count(*), sum(times.seconds)
  from unnest(lives) as life
  cross join lateral (
    -- A time equal to a bound is within it; times have whole microseconds.
    select measured.measure, measured.seconds, width_bucket(measured.seconds - 5e-7, parlance.job_time_bounds()) as bucket
    from (values ('wait', greatest(0, life.waited_seconds)), ('run', greatest(0, life.ran_seconds))) as measured (measure, seconds)
    where life.waited_seconds is not null
  ) as times
  group by life.kind, life.lane, times.measure, times.bucket
  on conflict (kind, lane, measure, bucket) do update
  set jobs = totals.jobs + excluded.jobs,
    seconds = totals.seconds + excluded.seconds
$$;

-- Whether an ended job that was last changed then is in the totals.
create function parlance.job_is_counted(progress parlance.job_counting, changed_in xid8, id uuid) returns boolean
  language sql immutable
  as $$
  select pg_visible_in_snapshot(changed_in, progress.counted) or (
    progress.counting is not null
    and pg_visible_in_snapshot(changed_in, progress.counting)
    and (changed_in, id) <= (progress.walked_in, progress.walked_id)
  )
$$;

-- Adds ended jobs to the totals, at most `jobs_max`; answers how many. Fewer than that: those are all that had ended. Where
-- another process counts, it does nothing.
create function parlance.count_ended_jobs(jobs_max integer) returns integer
  language plpgsql volatile security definer
  set search_path = pg_catalog, pg_temp set jit = off set enable_seqscan = off set enable_bitmapscan = off
  as $$
declare
  progress parlance.job_counting;
  lives parlance.job_life[];
  last_in xid8;
  last_id uuid;
begin
  select * into progress from parlance.job_counting for update skip locked;
  if not found then
    return 0;
  end if;
  if pg_snapshot_xmax(progress.counted) > pg_snapshot_xmax(pg_current_snapshot()) then
    -- The rows were restored into a cluster whose transactions have other numbers: what ended there is over.
    progress.counted := pg_current_snapshot();
    progress.counting := null;
  end if;
  if progress.counting is null then
    progress.counting := pg_current_snapshot();
    progress.walked_in := '0';
    progress.walked_id := '00000000-0000-0000-0000-000000000000';
  end if;
  with missed as (
    -- Whatever was not over when the last snapshot was taken, and whatever began after it.
    (
      select jobs.changed_in, jobs.id, parlance.job_life(jobs) as life
      from pg_snapshot_xip(progress.counted) as open (xid)
      cross join lateral (select * from parlance.jobs where jobs.finished_at is not null and jobs.changed_in = open.xid) as jobs
      where (jobs.changed_in, jobs.id) > (progress.walked_in, progress.walked_id)
        and pg_visible_in_snapshot(jobs.changed_in, progress.counting)
      order by jobs.changed_in, jobs.id
      limit jobs_max
    )
    union all
    (
      select jobs.changed_in, jobs.id, parlance.job_life(jobs) as life
      from parlance.jobs
      where jobs.finished_at is not null
        and jobs.changed_in >= pg_snapshot_xmax(progress.counted)
        and jobs.changed_in >= progress.walked_in
        and jobs.changed_in < pg_snapshot_xmax(progress.counting)
        and (jobs.changed_in, jobs.id) > (progress.walked_in, progress.walked_id)
        and pg_visible_in_snapshot(jobs.changed_in, progress.counting)
      order by jobs.changed_in, jobs.id
      limit jobs_max
    )
  ), batch as (
    select missed.changed_in, missed.id, missed.life
    from missed
    order by missed.changed_in, missed.id
    limit jobs_max
  )
  select
    array_agg(batch.life),
    (array_agg(batch.changed_in order by batch.changed_in desc, batch.id desc))[1],
    (array_agg(batch.id order by batch.changed_in desc, batch.id desc))[1]
  into lives, last_in, last_id
  from batch;
  perform parlance.add_job_lives(lives);
  if coalesce(cardinality(lives), 0) < jobs_max then
    update parlance.job_counting set counted = progress.counting, counting = null;
  else
    update parlance.job_counting
    set counted = progress.counted, counting = progress.counting, walked_in = last_in, walked_id = last_id;
  end if;
  return coalesce(cardinality(lives), 0);
end
$$;

-- A retry begins another life: the one that failed is counted first, if it was not, and the times of the new one are its own.
create function parlance.begin_job_life() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp
  as $$
declare
  progress parlance.job_counting;
begin
  select * into progress from parlance.job_counting;
  if not pg_visible_in_snapshot(old.changed_in, progress.counted) then
    select * into progress from parlance.job_counting for update;
    if not parlance.job_is_counted(progress, old.changed_in, old.id) then
      perform parlance.add_job_lives(array[parlance.job_life(old)]);
    end if;
  end if;
  new.started_at := null;
  new.lease_losses := 0;
  return new;
end
$$;
create trigger begin_job_life before update on parlance.jobs
  for each row when (old.state = 'failed' and new.state = 'queued') execute function parlance.begin_job_life();

-- Jobs that go with their owner are counted first, too.
create function parlance.count_removed_jobs() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp
  as $$
declare
  progress parlance.job_counting;
begin
  select * into progress from parlance.job_counting;
  if not exists (
    select from gone where gone.finished_at is not null and not pg_visible_in_snapshot(gone.changed_in, progress.counted)
  ) then
    return null;
  end if;
  select * into progress from parlance.job_counting for update;
  perform parlance.add_job_lives(array_agg(parlance.job_life(gone::parlance.jobs)))
  from gone
  where gone.finished_at is not null and not parlance.job_is_counted(progress, gone.changed_in, gone.id);
  return null;
end
$$;
create trigger count_removed_jobs after delete on parlance.jobs
  referencing old table as gone for each statement execute function parlance.count_removed_jobs();

-- ── Pruning ─────────────────────────────────────────────────────────────────────────────────────────────────────────

-- Removes one bounded batch of each: jobs that ended before a time, interactive work of the house that ended more than an
-- hour ago (whoever searches makes some, nobody follows it, and strangers could fill the disk with it), events of jobs
-- that ended before the other time, and of running jobs what is older than that or more than 10,000. Answers how many
-- rows went, those of removed jobs' events not counted. Jobs that are not in the totals yet stay.
create function parlance.prune_jobs(ended_before timestamptz, events_before timestamptz, rows_max integer) returns integer
  language plpgsql volatile security definer
  set search_path = pg_catalog, pg_temp
  set jit = off set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off
  as $$
declare
  batch_max constant integer := greatest(0, least(rows_max, 10000));
  progress parlance.job_counting;
  removed integer;
  jobs_gone integer := 0;
  events_gone integer := 0;
  last_in xid8;
  last_id uuid;
begin
  for round in 1..5 loop
    exit when parlance.count_ended_jobs(20000) < 20000;
  end loop;
  select * into progress from parlance.job_counting;
  -- The order of changes is that of endings but for the length of a transaction.
  with oldest as materialized (
    select jobs.id
    from parlance.jobs
    where jobs.finished_at is not null
    order by jobs.changed_in
    limit batch_max
  ), held as materialized (
    select jobs.id
    from oldest
    join parlance.jobs on jobs.id = oldest.id
    where jobs.finished_at < ended_before
      -- Beyond what this cluster has numbered are rows that were restored from another one.
      and (pg_visible_in_snapshot(jobs.changed_in, progress.counted) or jobs.changed_in >= pg_snapshot_xmax(pg_current_snapshot()))
    for update of jobs skip locked
  )
  delete from parlance.jobs using held where jobs.id = held.id;
  get diagnostics removed = row_count;
  jobs_gone := jobs_gone + removed;
  with oldest as materialized (
    select jobs.id
    from parlance.jobs
    where jobs.finished_at is not null and jobs.owner_id is null and jobs.lane = 'interactive'
    order by jobs.changed_in
    limit batch_max
  ), held as materialized (
    select jobs.id
    from oldest
    join parlance.jobs on jobs.id = oldest.id
    where jobs.finished_at < now() - interval '1 hour'
      and (pg_visible_in_snapshot(jobs.changed_in, progress.counted) or jobs.changed_in >= pg_snapshot_xmax(pg_current_snapshot()))
    for update of jobs skip locked
  )
  delete from parlance.jobs using held where jobs.id = held.id;
  get diagnostics removed = row_count;
  jobs_gone := jobs_gone + removed;
  -- Of ended jobs: on from where the last batch ended, up to the first one that ended too late.
  with walked as materialized (
    select jobs.id, jobs.changed_in, jobs.finished_at, jobs.event_sequence, jobs.events_pruned_to
    from parlance.jobs
    where jobs.finished_at is not null
      and jobs.changed_in >= progress.events_pruned_in
      and (jobs.changed_in, jobs.id) > (progress.events_pruned_in, progress.events_pruned_id)
    order by jobs.changed_in, jobs.id
    limit batch_max
  ), summed as (
    select
      walked.*,
      sum(walked.event_sequence - walked.events_pruned_to) over earlier - (walked.event_sequence - walked.events_pruned_to) as events_before_it,
      bool_and(walked.finished_at < events_before) over earlier as is_old
    from walked
    window earlier as (order by walked.changed_in, walked.id)
  ), wanted as materialized (
    select
      summed.id, summed.changed_in, summed.event_sequence, summed.events_pruned_to,
      least(summed.event_sequence, summed.events_pruned_to + batch_max - summed.events_before_it)::integer as prune_to
    from summed
    where summed.is_old and summed.events_before_it < batch_max
  ), held as materialized (
    -- Who holds one waits for nothing of ours: it is retried or removed just now, and its events go another time.
    select jobs.id, wanted.events_pruned_to as pruned_from, wanted.prune_to
    from wanted
    join parlance.jobs on jobs.id = wanted.id
    where jobs.finished_at is not null and jobs.events_pruned_to < wanted.prune_to
    for update of jobs skip locked
  ), marked as (
    update parlance.jobs
    set events_pruned_to = held.prune_to
    from held
    where jobs.id = held.id
    returning jobs.id, held.pruned_from, held.prune_to
  ), gone as (
    delete from parlance.job_events
    using marked
    where job_events.job_id = marked.id and job_events.sequence > marked.pruned_from and job_events.sequence <= marked.prune_to
    returning 1
  ), ready as (
    select wanted.changed_in, wanted.id
    from wanted
    where wanted.prune_to = wanted.event_sequence
    order by wanted.changed_in desc, wanted.id desc
    limit 1
  )
  select (select count(*) from gone), (select ready.changed_in from ready), (select ready.id from ready)
  into removed, last_in, last_id;
  events_gone := events_gone + removed;
  if last_id is not null then
    update parlance.job_counting set events_pruned_in = last_in, events_pruned_id = last_id;
  end if;
  -- Of running ones: the newest 1,000 stay, however old they are not.
  with busy as materialized (
    select jobs.id, jobs.event_sequence, jobs.events_pruned_to, greatest(
      case when jobs.event_sequence - jobs.events_pruned_to > 10000 then jobs.event_sequence - 1000 end,
      case when jobs.started_at < events_before then (
        select max(old.sequence)
        from (
          select events.sequence, events.at
          from parlance.job_events as events
          where events.job_id = jobs.id and events.sequence > jobs.events_pruned_to
          order by events.sequence
          limit batch_max
        ) as old
        where old.at < events_before
      ) end
    ) as prune_to
    from parlance.jobs
    where jobs.state = 'running'
    order by jobs.claim
    limit 1000
    for update skip locked
  ), summed as (
    select busy.*, sum(busy.prune_to - busy.events_pruned_to) over (order by busy.id) - (busy.prune_to - busy.events_pruned_to) as events_before_it
    from busy
    where busy.prune_to > busy.events_pruned_to
  ), marked as (
    update parlance.jobs
    set events_pruned_to = least(summed.prune_to, summed.events_pruned_to + batch_max - summed.events_before_it)::integer
    from summed
    where jobs.id = summed.id and summed.events_before_it < batch_max
    returning jobs.id, summed.events_pruned_to as pruned_from, jobs.events_pruned_to as prune_to
  ), gone as (
    delete from parlance.job_events
    using marked
    where job_events.job_id = marked.id and job_events.sequence > marked.pruned_from and job_events.sequence <= marked.prune_to
    returning 1
  )
  select count(*) into removed from gone;
  return jobs_gone + events_gone + removed;
end
$$;

-- ── Following ───────────────────────────────────────────────────────────────────────────────────────────────────────

-- What is known of when a job will begin and end: numbers only, for others' jobs stand behind them. Null where there is
-- nothing to say. `kinds` are those that the same workers run.
--   ahead            due jobs of its lane that are claimed before it; 1,001 says more than 1,000
--   ends_per_second  how fast its lane went, by the newest hundred ends within five minutes
--   run_seconds      the median of its kind, of those among the newest thousand ends
--   began_at         when its present run was claimed
create function parlance.job_outlook(id uuid, kinds text[]) returns table (
  is_due boolean, ahead integer, ends_per_second double precision, run_seconds double precision, began_at timestamptz,
  worker_is_alive boolean, model_is_offered boolean, now_at timestamptz
)
  language sql volatile security definer
  set search_path = pg_catalog, pg_temp set jit = off set enable_seqscan = off
  as $$
  with job as materialized (
    select jobs.id, jobs.kind, jobs.lane, jobs.clock, jobs.model, jobs.state, jobs.turn is not null or jobs.run_after <= clock_timestamp() as is_due,
      coalesce(jobs.turn, 1 + parlance.clock_turn(jobs.clock)) as turn
    from parlance.jobs
    where jobs.id = job_outlook.id
  ), ahead as (
    select count(*)::integer as jobs
    from (
      select
      from job
      cross join unnest(kinds) as other (kind)
      cross join lateral (
        select
        from parlance.jobs
        where jobs.state = 'queued'
          and jobs.kind = other.kind
          and jobs.lane = job.lane
          and jobs.clock = job.clock
          and (jobs.turn, jobs.id) < (job.turn, job.id)
        limit 1001
      ) as one
      limit 1001
    ) as counted
  ), ended as materialized (
    select jobs.kind, jobs.clock, jobs.started_at, jobs.finished_at
    from parlance.jobs
    where jobs.finished_at is not null
    order by jobs.changed_in desc
    limit 1000
  ), speed as (
    select count(*) / greatest(0.001, extract(epoch from clock_timestamp() - min(recent.finished_at))) as ends_per_second
    from (
      select ended.finished_at
      from job
      join ended on ended.clock = job.clock and ended.kind = any (kinds)
      where ended.started_at is not null and ended.finished_at > clock_timestamp() - interval '5 minutes'
      order by ended.finished_at desc
      limit 100
    ) as recent
  ), typical as (
    select percentile_cont(0.5) within group (order by extract(epoch from ended.finished_at - ended.started_at)::double precision) as run_seconds
    from job
    join ended on ended.kind = job.kind
    where ended.started_at is not null
  )
  select
    job.is_due,
    case when job.state = 'queued' and job.is_due then ahead.jobs end,
    nullif(speed.ends_per_second, 0)::double precision,
    typical.run_seconds,
    case when job.state = 'running' then (
      select newest.at
      from (
        select events.event, events.at
        from parlance.job_events as events
        where events.job_id = job.id
        order by events.sequence desc
        limit 1000
      ) as newest
      where newest.event = 'job.started'
      order by newest.at desc
      limit 1
    ) end,
    parlance.worker_is_alive(job.kind),
    job.model is null or parlance.worker_can(job.kind, job.model),
    clock_timestamp()
  from job, ahead, speed, typical
$$;

-- Which database a revision was taken in: the numbers of transactions mean nothing elsewhere.
create function parlance.job_revision_tag() returns text
  language sql stable security definer set search_path = pg_catalog, pg_temp
  as $$
  select left(md5(control.system_identifier::text || ' ' || databases.oid::text), 8)
  from pg_control_system() as control
  cross join pg_database as databases
  where databases.datname = current_database()
$$;

-- Failed jobs with all that helps to find out why; retried by parlance.retry_job.
create view parlance.dead_letters with (security_invoker = true) as
  select
    jobs.id, jobs.kind, jobs.lane, jobs.owner_id, jobs.subject_id, jobs.payload, jobs.error_code, jobs.error_message,
    jobs.attempts, jobs.attempts_max, jobs.lease_losses, jobs.created_at, jobs.started_at, jobs.finished_at,
    (
      select jsonb_agg(parlance.job_event_data(jobs, newest.sequence, newest.event, newest.at, newest.detail) order by newest.sequence)
      from (
        select events.sequence, events.event, events.at, events.detail
        from parlance.job_events as events
        where events.job_id = jobs.id
        order by events.sequence desc
        limit 10
      ) as newest
    ) as events
  from parlance.jobs
  where jobs.state = 'failed';

revoke all on parlance.dead_letters from public, anon, authenticated, service_role;
grant select on parlance.dead_letters to authenticated, service_role;
revoke all on parlance.job_counting, parlance.job_totals, parlance.job_time_totals
  from public, anon, authenticated, service_role;
grant select on parlance.job_totals, parlance.job_time_totals to service_role;

revoke all on function
  parlance.job_outlook(uuid, text[]),
  parlance.job_revision_tag(),
  parlance.job_time_bounds(),
  parlance.job_life(parlance.jobs),
  parlance.add_job_lives(parlance.job_life[]),
  parlance.job_is_counted(parlance.job_counting, xid8, uuid),
  parlance.count_ended_jobs(integer),
  parlance.begin_job_life(),
  parlance.count_removed_jobs(),
  parlance.prune_jobs(timestamptz, timestamptz, integer)
from public, anon, authenticated, service_role;
grant execute on function parlance.job_revision_tag() to authenticated, service_role;
grant execute on function
  parlance.job_outlook(uuid, text[]),
  parlance.job_time_bounds(),
  parlance.count_ended_jobs(integer),
  parlance.prune_jobs(timestamptz, timestamptz, integer)
to service_role;
