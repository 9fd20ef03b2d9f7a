-- The queue, whole: whatever takes longer than a request is a job, one row with a state, a claim with a lease while it
-- runs, and events with a sequence of its own. Rooms use the functions and the view below, never the tables.
--
--   add_jobs ──▶ queued ──claim_jobs──▶ running ──complete_jobs──▶ done
--                ▲  │ └─deadline─▶ failed ◀─fail_job─┤ │ │
--                │  │                │ └──retry_job──│─│─│──▶ queued
--                │  └─cancel_job─▶ cancelled ◀───────┘ │ │
--                └──release_jobs, fail_job, expire_jobs┘─┘
--
-- Four ideas carry it:
-- * The claim is a number that only grows: it fences. Whoever lost a job to another holds an older number and can
--   neither report, nor land, nor end anything.
-- * The turn is a virtual time (start-time fair queueing; Goyal, Vin, Cheng 1996): each job of an owner takes the turn
--   after the owner's last, an idle owner begins where the lane is now. Claims in the order of turns are fair among
--   owners by weight, however many jobs one of them adds. Workers that share slots share a clock: how far they are
--   stands in a sequence, which no transaction holds back and no update bloats.
-- * Turns and claims only grow, so a worker need not look where it has looked: what old snapshots keep of dead rows
--   lies behind it. Jobs committed late are found by a look from the beginning now and then.
-- * `changed_in` is the transaction that changed a job last. What a snapshot did not see is exactly what its reader
--   missed: no list has to guess by clocks.

drop view parlance.job_views;
drop function
  parlance.add_job(uuid, text, jsonb, uuid, uuid, parlance.job_lane, text, integer, double precision, text),
  parlance.claim_jobs(uuid, text[], parlance.job_lane[], integer, double precision, text[]),
  parlance.report_progress(uuid, bigint, integer, integer, text),
  parlance.complete_job(uuid, bigint, jsonb),
  parlance.release_job(uuid, bigint),
  parlance.expire_leases(integer, uuid[]),
  parlance.prune_jobs(timestamptz, timestamptz, integer);
alter table parlance.job_events rename to job_events_before;
alter table parlance.job_events_before rename constraint job_events_pkey to job_events_before_pkey;
alter table parlance.jobs rename to jobs_before;
alter table parlance.jobs_before rename constraint jobs_pkey to jobs_before_pkey;
alter table parlance.jobs_before rename constraint jobs_owner_id_fkey to jobs_before_owner_id_fkey;
drop trigger number_job_event on parlance.jobs_before;
drop trigger tell_job_event on parlance.jobs_before;
drop function parlance.number_job_event(), parlance.tell_job_event();
drop index parlance.jobs_to_claim, parlance.jobs_with_a_lease, parlance.jobs_of_an_owner, parlance.jobs_of_a_subject,
  parlance.jobs_ended, parlance.jobs_unique_while_open, parlance.job_events_by_age;

-- How far each clock is: the turn of the last job that was claimed.
create sequence parlance.interactive_turns as bigint;
create sequence parlance.bulk_turns as bigint;
create sequence parlance.edge_interactive_turns as bigint;
create sequence parlance.edge_bulk_turns as bigint;
create sequence parlance.calls_turns as bigint;

create table parlance.jobs (
  id uuid not null,
  kind text not null,
  lane parlance.job_lane not null,
  -- Whose slots it waits for: turns are fair among the jobs of one clock.
  clock text not null default 'bulk',
  owner_id uuid references auth.users (id) on delete cascade,
  subject_id uuid,
  unique_key text,
  -- The key of the model that a worker must offer to claim it; null: any worker of its kind.
  model text,
  -- W3C Trace Context of the request that added it.
  traceparent text,
  payload jsonb not null,
  state parlance.job_state not null default 'queued',
  -- Its place in the lane; null while it waits for its time.
  turn bigint,
  run_after timestamptz not null default now(),
  deadline_at timestamptz,
  -- From adding or retrying it to its deadline.
  deadline_seconds double precision,
  attempts integer not null default 0,
  attempts_max integer not null,
  lease_losses integer not null default 0,
  claim bigint,
  claimed_by uuid,
  lease_expires_at timestamptz,
  cancel_requested_at timestamptz,
  progress_done integer not null default 0,
  progress_total integer,
  progress_message text,
  told_at timestamptz not null default now(),
  -- What there is of the result so far, for readers; and where the next run goes on, for the task.
  partial jsonb,
  cursor jsonb,
  -- How many this claim saved.
  checkpoints integer not null default 0,
  result jsonb,
  error_code text,
  error_message text,
  event_sequence integer not null default 1,
  events_pruned_to integer not null default 0,
  changed_in xid8 not null default pg_current_xact_id(),
  created_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz,
  constraint jobs_pkey primary key (id),
  constraint kind_is_feature_dot_verb_noun check (kind ~ '^[a-z]+\.[a-z]+(-[a-z]+)*$' and length(kind) <= 64),
  constraint unique_key_is_short check (length(unique_key) <= 200),
  constraint clock_is_one_of_them check (clock in ('interactive', 'bulk', 'edge_interactive', 'edge_bulk', 'calls')),
  constraint model_is_short check (length(model) between 1 and 64),
  constraint traceparent_is_one check (traceparent ~ '^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$'),
  constraint payload_is_a_small_object check (jsonb_typeof(payload) = 'object'),
  constraint partial_is_an_object check (jsonb_typeof(partial) = 'object'),
  constraint result_is_an_object check (jsonb_typeof(result) = 'object'),
  constraint progress_is_within_its_total check (progress_done >= 0 and progress_done <= coalesce(progress_total, progress_done)),
  constraint attempts_are_within_their_limit check (attempts between 0 and attempts_max and attempts_max between 1 and 100),
  constraint running_has_a_claim check (
    (state = 'running') = (claim is not null and claimed_by is not null and lease_expires_at is not null)
  ),
  constraint only_running_has_a_claim check (state = 'running' or (claim is null and claimed_by is null and lease_expires_at is null)),
  constraint ended_has_a_finish check ((state in ('done', 'failed', 'cancelled')) = (finished_at is not null)),
  constraint failed_has_a_cause check (state <> 'failed' or (error_code is not null and error_message is not null)),
  constraint only_done_has_a_result check (result is null or state = 'done')
);

comment on table parlance.jobs is 'Work that outlasts a request; behind its functions.';

create table parlance.job_events (
  job_id uuid not null,
  sequence integer not null,
  event text not null,
  owner_id uuid,
  -- The clock, not the start of the transaction: age follows the sequence.
  at timestamptz not null default clock_timestamp(),
  -- Progress, partial result, error, where there is any.
  detail jsonb,
  constraint job_events_pkey primary key (job_id, sequence)
);

comment on table parlance.job_events is 'What happened to a job, in order and without holes; the topic is only the doorbell.';

insert into parlance.jobs (
  id, kind, lane, clock, owner_id, subject_id, unique_key, model, traceparent, payload, state, turn, run_after,
  attempts, attempts_max, claim, claimed_by, lease_expires_at, cancel_requested_at,
  progress_done, progress_total, progress_message, told_at, result, error_code, error_message,
  event_sequence, events_pruned_to, created_at, started_at, finished_at
)
select
  id, kind, lane, lane::text, owner_id, subject_id, unique_key, model, traceparent, payload, state, 1, run_after,
  attempts, attempts_max, claim, claimed_by, lease_expires_at, cancel_requested_at,
  progress_done, progress_total, progress_message, told_at, result, error_code, error_message,
  event_sequence, events_pruned_to, created_at, started_at, finished_at
from parlance.jobs_before;
insert into parlance.job_events (job_id, sequence, event, owner_id, at, detail)
select
  events.job_id, events.sequence, events.event, jobs.owner_id, events.created_at,
  nullif(jsonb_strip_nulls(jsonb_build_object('progress', events.data -> 'progress', 'error', events.data -> 'error')), '{}')
from parlance.job_events_before as events
join parlance.jobs_before as jobs on jobs.id = events.job_id;
drop table parlance.job_events_before, parlance.jobs_before;

create index jobs_to_claim on parlance.jobs (kind, lane, turn, id) where state = 'queued';
create index jobs_for_later on parlance.jobs (run_after) where state = 'queued' and turn is null;
create index jobs_queued_by_share on parlance.jobs (coalesce(owner_id, '00000000-0000-0000-0000-000000000000'), clock, turn)
  where state = 'queued';
create index jobs_running on parlance.jobs (claim) where state = 'running';
-- What lost two workers, until it ends.
create index jobs_suspected on parlance.jobs (state, turn, id) where lease_losses > 1 and state in ('queued', 'running');
create index jobs_with_a_deadline on parlance.jobs (deadline_at) where state = 'queued' and deadline_at is not null;
create unique index jobs_unique_while_open
  on parlance.jobs (kind, unique_key, coalesce(owner_id, '00000000-0000-0000-0000-000000000000'))
  where state in ('queued', 'running') and unique_key is not null;
create index jobs_ended on parlance.jobs (changed_in) where finished_at is not null;
create index jobs_of_an_owner on parlance.jobs (owner_id, id desc);
create index jobs_changed_of_an_owner on parlance.jobs (owner_id, changed_in) where owner_id is not null;
create index jobs_of_a_subject on parlance.jobs (subject_id) where subject_id is not null;

-- Rows die as fast as jobs are worked on: a fifth of a table with millions of ended jobs is no measure for that.
alter table parlance.jobs set (
  autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 5000, autovacuum_analyze_scale_factor = 0.02
);

-- Shares of users in the queue: an owner without a row has the weight 1 and no limits of their own.
create table parlance.job_shares (
  owner_id uuid primary key references auth.users (id) on delete cascade,
  weight double precision not null default 1,
  queued_max integer,
  running_max integer,
  updated_at timestamptz not null default now(),
  constraint weight_is_a_share check (weight between 0.01 and 100),
  constraint queued_max_is_a_limit check (queued_max between 1 and 1000000),
  constraint running_max_is_a_limit check (running_max between 1 and 10000)
);

comment on table parlance.job_shares is 'Who gets how much of the workers; set by admins.';

alter table parlance.jobs enable row level security;
alter table parlance.job_events enable row level security;
alter table parlance.job_shares enable row level security;
create policy "owners see their jobs" on parlance.jobs
  for select to authenticated
  using (parlance.may_see(owner_id, (select auth.uid()), (select parlance.is_admin())));
create policy "who sees the job sees its events" on parlance.job_events
  for select to authenticated
  using (parlance.may_see(owner_id, (select auth.uid()), (select parlance.is_admin())));
create policy "owners see their share" on parlance.job_shares
  for select to authenticated
  using (parlance.may_see(owner_id, (select auth.uid()), (select parlance.is_admin())));

-- What rooms and the API read of a job.
create view parlance.job_views with (security_invoker = true) as
  select
    id, kind, lane, owner_id, subject_id, model, state, result, partial, error_code, error_message,
    progress_done, progress_total, progress_message, attempts, attempts_max, lease_losses, run_after, deadline_at,
    cancel_requested_at, event_sequence, events_pruned_to, changed_in, created_at, started_at, finished_at
  from parlance.jobs;

-- ── What the database refuses, whoever writes ───────────────────────────────────────────────────────────────────────

-- Called only for a change that is not one of the page in docs/job-lifecycle.md, or that came without its event.
create function parlance.refuse_job_change() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp
  as $$
begin
  if new.state = old.state then
    old.events_pruned_to := new.events_pruned_to;
    if new is not distinct from old then
      return new;
    end if;
  end if;
  raise exception 'job % cannot go from % to %', old.id, old.state, new.state
    using errcode = 'check_violation', schema = 'parlance', table = 'jobs',
      constraint = case when old.finished_at is null then 'states_follow_the_page' else 'ended_stays_ended' end;
end
$$;

-- The conditions are judged without a call, so that ordinary changes cost nothing.
create trigger refuse_job_change before update on parlance.jobs
  for each row when (
    (old.state <> new.state and (
      new.event_sequence <> old.event_sequence + 1
      or not (
        (old.state = 'queued' and new.state in ('running', 'failed', 'cancelled'))
        or (old.state = 'running' and new.state <> 'running')
        or (old.state = 'failed' and new.state = 'queued')
      )
    ))
    or (old.finished_at is not null and new.finished_at is not null)
  ) execute function parlance.refuse_job_change();
-- 64 kB each as JSON, judged when it comes and not at every change of the row, as a constraint would be.
create function parlance.refuse_large_json() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp
  as $$
begin
  raise exception 'the % of job % is larger than 64 kB', tg_argv[0], new.id
    using errcode = 'check_violation', schema = 'parlance', table = 'jobs', constraint = tg_argv[1];
end
$$;
create trigger refuse_large_payload before insert or update of payload on parlance.jobs
  for each row when (octet_length(new.payload::text) > 65536) execute function parlance.refuse_large_json('payload', 'payload_is_a_small_object');
create trigger refuse_large_result before update of result on parlance.jobs
  for each row when (octet_length(new.result::text) > 65536) execute function parlance.refuse_large_json('result', 'result_is_small');
create trigger refuse_large_partial before update of partial on parlance.jobs
  for each row when (octet_length(new.partial::text) > 65536) execute function parlance.refuse_large_json('partial', 'partial_is_small');
create trigger refuse_large_cursor before update of cursor on parlance.jobs
  for each row when (octet_length(new.cursor::text) > 65536) execute function parlance.refuse_large_json('cursor', 'cursor_is_small');

create function parlance.refuse_job_beginning() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp
  as $$
begin
  raise exception 'job % cannot begin as %', new.id, new.state
    using errcode = 'check_violation', schema = 'parlance', table = 'jobs', constraint = 'jobs_begin_queued';
end
$$;
create trigger refuse_job_beginning before insert on parlance.jobs
  for each row when (new.state <> 'queued' or new.event_sequence <> 1) execute function parlance.refuse_job_beginning();

-- Events go with their jobs. No foreign key: events are written by the functions below alone, which hold the job's row,
-- and a check of each of them would cost more than to write it.
create function parlance.remove_job_events() returns trigger
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp set jit = off set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
  as $$
begin
  delete from parlance.job_events using gone where job_events.job_id = gone.id;
  return null;
end
$$;
create trigger remove_job_events after delete on parlance.jobs
  referencing old table as gone for each statement execute function parlance.remove_job_events();

-- ── Telling ─────────────────────────────────────────────────────────────────────────────────────────────────────────

-- An event as it is read and told; in plpgsql, which keeps its plan.
create function parlance.job_event_data(job parlance.jobs, sequence integer, event text, at timestamptz, detail jsonb)
  returns jsonb
  language plpgsql stable set search_path = pg_catalog, pg_temp
  as $$
begin
  return jsonb_build_object(
    'jobId', job.id,
    'sequence', sequence,
    'event', event,
    'kind', job.kind,
    'subjectId', job.subject_id,
    'state', case event
      when 'job.queued' then 'queued'
      when 'job.requeued' then 'queued'
      when 'job.retried' then 'queued'
      when 'job.started' then 'running'
      when 'job.progressed' then 'running'
      when 'job.cancelling' then 'running'
      else substr(event, 5)
    end,
    'progress', '{"done": 0, "total": null, "message": null}'::jsonb || coalesce(detail -> 'progress', '{}'),
    'partial', detail -> 'partial',
    'error', detail -> 'error',
    'at', to_char(at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
  );
end
$$;

-- What an event tells beside its name; null where there is nothing. Without a search path, so that it can be inlined.
create function parlance.job_event_detail(
  done integer, total integer, message text, error_code text default null, error_message text default null, partial jsonb default null
) returns jsonb
  language sql stable
  as $$
  select case when done > 0 or total is not null or message is not null or error_code is not null or partial is not null then
    jsonb_strip_nulls(jsonb_build_object(
      'progress', case when done > 0 or total is not null or message is not null then
        jsonb_build_object('done', done, 'total', total, 'message', message) end,
      'error', case when error_code is not null then jsonb_build_object('code', error_code, 'message', error_message) end
    )) || case when partial is not null then jsonb_build_object('partial', partial) else '{}' end
  end
$$;

create function parlance.job_end_event(state parlance.job_state) returns text
  language sql immutable
  as $$ select 'job.' || case state when 'queued' then 'requeued' else state::text end $$;

-- After events were written: workers are woken, owners told on their private topic. All of it commits with the change,
-- or not at all. Many events of one owner in one statement ring once, and the owner asks what changed. Of the house's
-- jobs only bulk work is told, and neither that it waits nor that it begins.
create function parlance.tell_job_events() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp
  as $$
declare
  told_of_the_house constant text[] := '{job.progressed,job.done,job.failed,job.cancelled}';
  heard record;
  topic text;
  one record;
  job parlance.jobs;
begin
  if exists (select from added where added.event in ('job.queued', 'job.requeued', 'job.retried')) then
    perform pg_notify('parlance_jobs', '');
  end if;
  perform pg_notify('parlance_cancellations', added.job_id::text) from added where added.event = 'job.cancelling';
  for heard in
    select added.owner_id, count(*) as events
    from added
    where added.owner_id is not null
      or (added.event = any (told_of_the_house) and (select jobs.lane from parlance.jobs where jobs.id = added.job_id) = 'bulk')
    group by added.owner_id
  loop
    topic := coalesce('user:' || heard.owner_id::text, 'house');
    if heard.events > (case when heard.owner_id is null then 1 else 20 end) then
      perform realtime.send(jsonb_build_object('event', 'jobs.changed', 'count', heard.events), 'jobs.changed', topic, true);
      continue;
    end if;
    for one in select * from added where added.owner_id is not distinct from heard.owner_id order by added.job_id, added.sequence loop
      select * into job from parlance.jobs where jobs.id = one.job_id;
      continue when one.owner_id is null and (job.lane = 'interactive' or one.event <> all (told_of_the_house));
      perform realtime.send(parlance.job_event_data(job, one.sequence, one.event, one.at, one.detail), one.event, topic, true);
    end loop;
  end loop;
  return null;
end
$$;
create trigger tell_job_events after insert on parlance.job_events
  referencing new table as added for each statement execute function parlance.tell_job_events();

-- The events of a job after a sequence, oldest first, under the caller's own rights.
create function parlance.list_job_events(job_id uuid, after integer, events_max integer) returns setof jsonb
  language sql stable set search_path = pg_catalog, pg_temp
  as $$
  select parlance.job_event_data(jobs, events.sequence, events.event, events.at, events.detail)
  from parlance.job_events as events
  join parlance.jobs on jobs.id = events.job_id
  where events.job_id = list_job_events.job_id and events.sequence > after
  order by events.sequence
  limit least(events_max, 1000)
$$;

-- ── Adding ──────────────────────────────────────────────────────────────────────────────────────────────────────────

-- Refuses what would be more than may wait, with the seconds after which asking again makes sense as the detail: about
-- what it takes the house to end a job. The count is that of the moment: transactions at once do not see each other.
create function parlance.refuse_too_many(kind text, owner_id uuid, jobs_added integer, jobs_max integer) returns void
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
  as $$
#variable_conflict use_column
declare
  waiting integer;
begin
  if jobs_max is null then
    return;
  end if;
  select count(*) into waiting
  from (
    select
    from parlance.jobs
    where jobs.state = 'queued'
      -- Calls for an owner have limits of their own: a receiver that is away must not keep its owner from working.
      and case when refuse_too_many.kind is null then jobs.clock <> 'calls' else jobs.kind = refuse_too_many.kind end
      and (refuse_too_many.owner_id is null
        or coalesce(jobs.owner_id, '00000000-0000-0000-0000-000000000000') = refuse_too_many.owner_id)
    limit jobs_max::bigint + 1
  ) as counted;
  if waiting + jobs_added > jobs_max then
    raise exception '% of at most % jobs% wait already', waiting, jobs_max, coalesce(' of the kind ' || refuse_too_many.kind, '')
      using errcode = 'PQ429', detail = (
        select ceil(least(600, greatest(1, extract(epoch from clock_timestamp() - min(recent.finished_at)) / count(*))))::text
        from (select jobs.finished_at from parlance.jobs where jobs.finished_at is not null order by jobs.changed_in desc limit 20) as recent
      );
  end if;
end
$$;

-- How far a clock is.
create function parlance.clock_turn(clock text) returns bigint
  language sql volatile security definer set search_path = pg_catalog, pg_temp
  as $$
  select coalesce(pg_sequence_last_value(('parlance.' || clock || '_turns')::regclass), 1)
$$;

-- For each of the owners (null: the house) the last turn that is taken on a clock, or how far the clock is, and how far
-- apart the owner's turns are.
create function parlance.find_turns(owner_ids uuid[], of_clock text)
  returns table (owner_id uuid, last bigint, stride double precision)
  language plpgsql stable security definer
  set search_path = pg_catalog, pg_temp set jit = off set plan_cache_mode = force_generic_plan
  set enable_seqscan = off set enable_bitmapscan = off
  as $$
#variable_conflict use_column
declare
  head bigint := parlance.clock_turn(of_clock);
begin
  return query
    select owners.owner_id, coalesce((
      select max(jobs.turn)
      from parlance.jobs
      where jobs.state = 'queued'
        and coalesce(jobs.owner_id, '00000000-0000-0000-0000-000000000000')
          = coalesce(owners.owner_id, '00000000-0000-0000-0000-000000000000')
        and jobs.clock = of_clock
        and jobs.turn > head
    ), head), 1000 / coalesce(shares.weight, 1)
    from (select distinct unnest(owner_ids) as owner_id) as owners
    left join parlance.job_shares as shares on shares.owner_id = owners.owner_id;
end
$$;

-- Adds jobs in the caller's transaction; answers their ids in order. Keys of each object: id, kind, lane, payload,
-- attempts_max, and optionally clock (by default the lane), owner_id, subject_id, model, unique_key, delay_seconds,
-- deadline_seconds, queued_max, queued_per_owner_max, on_open. While a job of the same kind, owner and unique key is open,
-- `on_open` says what happens:
--   skip (default)  nothing is added, the open one's id is answered
--   replace         the one that waits takes the payload; beside one that runs, another is added
--   debounce        as replace, and its wait begins anew
-- Adding an id again changes nothing.
create function parlance.add_jobs(new_jobs jsonb) returns table (id uuid)
  language plpgsql volatile security definer
  set search_path = pg_catalog, pg_temp set jit = off set plan_cache_mode = force_generic_plan
  set enable_seqscan = off set enable_bitmapscan = off
  as $$
#variable_conflict use_column
declare
  one record;
  ids uuid[];
  added integer;
begin
  if new_jobs @? '$[*] ? (exists (@.queued_max) || exists (@.queued_per_owner_max))'
    or exists (select from parlance.job_shares where job_shares.queued_max is not null) then
    -- Of each kind, of each owner's of a kind, of each owner; what would not be added is not counted.
    perform parlance.refuse_too_many(wanted.kind, wanted.owner_id, case
      when grouping(wanted.kind) = 0 then count(*)
      else count(*) filter (where wanted.clock is distinct from 'calls')
    end::integer, case
      when grouping(wanted.owner_id) = 1 then max(wanted.queued_max)
      when grouping(wanted.kind) = 0 then max(wanted.queued_per_owner_max)
      else max(shares.queued_max)
    end)
    from jsonb_to_recordset(new_jobs)
      as wanted (
        id uuid, kind text, clock text, owner_id uuid, unique_key text, on_open text, queued_max integer, queued_per_owner_max integer
      )
    left join parlance.job_shares as shares on shares.owner_id = wanted.owner_id
    where not exists (select from parlance.jobs where jobs.id = wanted.id)
      and not exists (
        select
        from parlance.jobs
        where jobs.kind = wanted.kind and jobs.unique_key = wanted.unique_key and jobs.owner_id is not distinct from wanted.owner_id
          and jobs.state in ('queued', 'running')
          and (jobs.state = 'queued' or coalesce(wanted.on_open, 'skip') = 'skip')
      )
    group by grouping sets ((wanted.kind), (wanted.kind, wanted.owner_id), (wanted.owner_id));
  end if;
  if new_jobs @? '$[*].on_open' then
    for one in
      select *
      from rows from (jsonb_to_recordset(new_jobs) as (
        id uuid, kind text, owner_id uuid, unique_key text, on_open text, payload jsonb, delay_seconds double precision
      )) with ordinality as wanted (id, kind, owner_id, unique_key, on_open, payload, delay_seconds, place)
      where wanted.on_open in ('replace', 'debounce') and wanted.unique_key is not null
        and not exists (select from parlance.jobs where jobs.id = wanted.id)
      order by wanted.kind, wanted.unique_key, wanted.owner_id, wanted.place
    loop
      -- One statement, so that one that is handed back meanwhile is replaced too. A cursor belongs to its payload.
      update parlance.jobs
      set payload = case when jobs.state = 'queued' then one.payload else jobs.payload end,
        cursor = case when jobs.state <> 'queued' then jobs.cursor end,
        partial = case when jobs.state <> 'queued' then jobs.partial end,
        turn = case when jobs.state = 'running' or one.on_open = 'replace' or coalesce(one.delay_seconds, 0) <= 0 then jobs.turn end,
        run_after = case when jobs.state = 'queued' and one.on_open = 'debounce'
          then now() + make_interval(secs => least(greatest(one.delay_seconds, 0), 31536000)) else jobs.run_after end,
        deadline_at = case when jobs.state = 'queued' then now() + make_interval(secs => jobs.deadline_seconds) else jobs.deadline_at end,
        unique_key = case when jobs.state = 'queued' then jobs.unique_key end,
        changed_in = case when jobs.state = 'queued' then pg_current_xact_id() else jobs.changed_in end
      where jobs.kind = one.kind and jobs.unique_key = one.unique_key and jobs.owner_id is not distinct from one.owner_id
        and jobs.state in ('queued', 'running');
    end loop;
  end if;
  -- The open one may end between the two statements; then the next round adds.
  for round in 1..10 loop
    with new as materialized (
      select
        new.id, new.kind, new.lane, coalesce(new.clock, new.lane::text) as clock, new.payload, new.attempts_max, new.owner_id,
        new.subject_id, new.model, new.unique_key, new.on_open, new.delay_seconds, new.deadline_seconds, new.place
      from rows from (jsonb_to_recordset(new_jobs) as (
        id uuid, kind text, lane parlance.job_lane, clock text, payload jsonb, attempts_max integer, owner_id uuid, subject_id uuid,
        model text, unique_key text, on_open text, delay_seconds double precision, deadline_seconds double precision
      )) with ordinality as new (
        id, kind, lane, clock, payload, attempts_max, owner_id, subject_id, model, unique_key, on_open, delay_seconds,
        deadline_seconds, place
      )
    ), turns as materialized (
      select clocks.clock, found.owner_id, found.last, found.stride
      from (select new.clock, array_agg(new.owner_id) as owner_ids from new group by new.clock) as clocks
      cross join lateral parlance.find_turns(clocks.owner_ids, clocks.clock) as found
    ), fresh as (
      insert into parlance.jobs
        (id, kind, lane, clock, payload, attempts_max, owner_id, subject_id, model, unique_key, traceparent, turn, run_after,
          deadline_at, deadline_seconds)
      select
        new.id, new.kind, new.lane, new.clock, new.payload, new.attempts_max, new.owner_id, new.subject_id,
        new.model, new.unique_key, nullif(current_setting('parlance.traceparent', true), ''),
        case when not coalesce(new.delay_seconds, 0) > 0 then
          turns.last + ceil(turns.stride * row_number() over (partition by new.owner_id, new.clock order by new.place))::bigint
        end,
        -- A year at most: times beyond what readers know would break their lists.
        now() + make_interval(secs => least(greatest(new.delay_seconds, 0), 31536000)),
        now() + make_interval(secs => limits.deadline_seconds), limits.deadline_seconds
      from new
      cross join lateral (
        select case when new.deadline_seconds is not null then least(new.deadline_seconds, 31536000) end as deadline_seconds
      ) as limits
      join turns on turns.clock = new.clock and turns.owner_id is not distinct from new.owner_id
      -- In one order everywhere, so that two calls with the same keys do not wait in a ring. Of one key the first of the
      -- array is added, with replace and debounce the last.
      order by new.kind, new.unique_key, new.owner_id,
        case when new.on_open in ('replace', 'debounce') then -new.place else new.place end
      on conflict do nothing
      returning id, owner_id
    ), told as (
      insert into parlance.job_events (job_id, sequence, event, owner_id)
      select fresh.id, 1, 'job.queued', fresh.owner_id
      from fresh
    )
    select count(*) into added from fresh;
    if added = jsonb_array_length(new_jobs) then
      return query select (one ->> 'id')::uuid from jsonb_array_elements(new_jobs) as one;
      return;
    end if;
    select array_agg(coalesce(same.id, open.id) order by new.place) into ids
    from rows from (jsonb_to_recordset(new_jobs) as (id uuid, kind text, owner_id uuid, unique_key text)) with ordinality
      as new (id, kind, owner_id, unique_key, place)
    left join parlance.jobs as same on same.id = new.id
    left join parlance.jobs as open
      on open.kind = new.kind and open.unique_key = new.unique_key and open.owner_id is not distinct from new.owner_id
      and open.state in ('queued', 'running');
    if array_position(ids, null) is null then
      return query select unnest(ids);
      return;
    end if;
  end loop;
  raise exception 'a job could not be added for its unique key' using errcode = 'serialization_failure';
end
$$;

-- ── Claiming ────────────────────────────────────────────────────────────────────────────────────────────────────────

-- Whether a worker may take one of those that lost two workers: when it holds none, or this one has waited for ten
-- minutes. Runners of one worker that ask at once are answered one after another.
create function parlance.may_take_suspect(suspect uuid, worker_id uuid) returns boolean
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
  as $$
begin
  if not pg_try_advisory_xact_lock(hashtextextended('parlance.suspects ' || worker_id::text, 0)) then
    return false;
  end if;
  -- In a statement of its own: it sees what the last holder of the lock committed.
  return not exists (
    select
    from parlance.jobs
    where jobs.state = 'running' and jobs.lease_losses > 1
      and jobs.claimed_by = worker_id and jobs.lease_expires_at > clock_timestamp()
  ) or exists (
    select from parlance.jobs where jobs.id = suspect and jobs.run_after < clock_timestamp() - interval '10 minutes'
  );
end
$$;

-- Claims up to `jobs_max` due jobs of a lane in the order of their turns; `skip locked` lets workers claim at once
-- without waiting for each other. The kinds share a clock. Nothing at or before `after_turn` is looked at.
-- `models` are those that the worker offers, `loaded` those that it has in memory: a job whose model another living
-- worker has in memory, and this one has not, is left to that one for `patience_seconds`.
-- `running_max` and `running_per_owner_max`, one for each kind or null, say how many may run at once everywhere. Where
-- there are such limits, claims wait for each other, so that they hold.
create function parlance.claim_jobs(
  worker_id uuid, kinds text[], lane parlance.job_lane, jobs_max integer, lease_seconds double precision,
  models text[] default '{}', loaded text[] default null, patience_seconds double precision default 2,
  running_max integer[] default '{}', running_per_owner_max integer[] default '{}', after_turn bigint default 0
) returns table (
  id uuid, kind text, owner_id uuid, subject_id uuid, payload jsonb, cursor jsonb, attempts integer,
  attempts_max integer, claim bigint, turn bigint, deadline_seconds double precision, traceparent text
)
  language plpgsql volatile security definer
  set search_path = pg_catalog, pg_temp set jit = off set plan_cache_mode = force_generic_plan
  set enable_seqscan = off set enable_bitmapscan = off
  as $$
#variable_conflict use_column
declare
  claimed_clock text;
  next_turn bigint;
  elsewhere text[] := '{}';
  suspect uuid;
  chosen uuid[];
  has_limits boolean := exists (select from unnest(running_max || running_per_owner_max) as maxima (most) where most is not null)
    or exists (select from parlance.job_shares where job_shares.running_max is not null);
begin
  -- What waited for its time takes its turn, as it would if it were added now.
  if exists (select from parlance.jobs where jobs.state = 'queued' and jobs.turn is null and jobs.run_after <= clock_timestamp()) then
    with due as materialized (
      select jobs.id, jobs.owner_id, jobs.clock, jobs.run_after
      from parlance.jobs
      where jobs.state = 'queued' and jobs.turn is null and jobs.run_after <= clock_timestamp() and jobs.lane = claim_jobs.lane
      order by jobs.run_after
      limit 1000
      for update skip locked
    ), turns as materialized (
      select clocks.clock, found.owner_id, found.last, found.stride
      from (select due.clock, array_agg(due.owner_id) as owner_ids from due group by due.clock) as clocks
      cross join lateral parlance.find_turns(clocks.owner_ids, clocks.clock) as found
    ), placed as (
      select due.id, turns.last
        + ceil(turns.stride * row_number() over (partition by due.owner_id, due.clock order by due.run_after, due.id))::bigint as turn
      from due
      join turns on turns.clock = due.clock and turns.owner_id is not distinct from due.owner_id
    )
    update parlance.jobs
    set turn = placed.turn
    from placed
    where jobs.id = placed.id;
  end if;
  if cardinality(models) > cardinality(loaded) then
    select coalesce(array_agg(distinct model), '{}') into elsewhere
    from parlance.workers, unnest(workers.loaded) as model
    where workers.state = 'running'
      and workers.id <> worker_id
      and workers.last_seen_at > clock_timestamp() - interval '20 seconds'
      and model <> all (claim_jobs.loaded);
  end if;
  -- Of what lost two workers, one holds one at a time: then the death of the next says which of them it was.
  select jobs.id into suspect
  from parlance.jobs
  where jobs.state = 'queued' and jobs.lease_losses > 1
    and jobs.kind = any (kinds) and jobs.lane = claim_jobs.lane and jobs.turn is not null
    and (jobs.model is null or jobs.model = any (models))
    and (jobs.deadline_at is null or jobs.deadline_at > clock_timestamp())
  order by jobs.turn, jobs.id
  limit 1;
  if suspect is not null and not parlance.may_take_suspect(suspect, worker_id) then
    suspect := null;
  end if;
  if has_limits then
    perform pg_advisory_xact_lock(hashtextextended('parlance.claim_jobs', 0));
  end if;
  with busy as materialized (
    select jobs.kind, jobs.clock, jobs.owner_id, count(*)::integer as jobs
    from parlance.jobs
    where has_limits and jobs.state = 'running'
    group by jobs.kind, jobs.clock, jobs.owner_id
  ), limited_owners as materialized (
    select shares.owner_id, shares.running_max - coalesce(sum(busy.jobs), 0) as room
    from parlance.job_shares as shares
    left join busy on busy.owner_id = shares.owner_id and busy.clock <> 'calls'
    where has_limits and shares.running_max is not null
    group by shares.owner_id
  ), due as materialized (
    select
      candidates.id, candidates.turn, candidates.clock,
      wanted.owner_room - coalesce(candidates.busy, 0)
        >= row_number() over (partition by candidates.kind, candidates.owner_id order by candidates.turn, candidates.id) as fits_kind,
      limited_owners.room
        >= row_number() over (partition by candidates.owner_id order by candidates.turn, candidates.id) as fits_owner
    from (
      select
        limits.kind, limits.owner_room,
        limits.most - (select coalesce(sum(busy.jobs), 0) from busy where busy.kind = limits.kind) as room
      from unnest(kinds, running_max, running_per_owner_max) as limits (kind, most, owner_room)
    ) as wanted
    cross join lateral (
      select jobs.id, jobs.turn, jobs.clock, jobs.kind, jobs.owner_id, (
        select busy.jobs from busy where busy.kind = jobs.kind and busy.owner_id is not distinct from jobs.owner_id
      ) as busy
      from parlance.jobs
      where jobs.state = 'queued'
        and jobs.kind = wanted.kind
        and jobs.lane = claim_jobs.lane
        and jobs.turn > after_turn
        and (jobs.lease_losses < 2 or jobs.id = suspect)
        and (jobs.deadline_at is null or jobs.deadline_at > clock_timestamp())
        and (jobs.model is null or (jobs.model = any (models) and (
          jobs.model <> all (elsewhere) or jobs.run_after < clock_timestamp() - make_interval(secs => patience_seconds)
        )))
        and (not has_limits or not exists (
          select from busy
          where busy.kind = jobs.kind and busy.owner_id is not distinct from jobs.owner_id and busy.jobs >= wanted.owner_room
        ) and not exists (
          select from limited_owners
          where limited_owners.owner_id = jobs.owner_id and limited_owners.room <= 0 and jobs.clock <> 'calls'
        ))
      order by jobs.turn, jobs.id
      limit greatest(0, least(coalesce(jobs_max, 0), wanted.room, 1000))
      for update skip locked
    ) as candidates
    left join limited_owners on limited_owners.owner_id = candidates.owner_id and candidates.clock <> 'calls'
  )
  select array_agg(fitting.id), max(fitting.turn), max(fitting.clock) into chosen, next_turn, claimed_clock
  from (
    select due.id, due.turn, due.clock
    from due
    where due.fits_kind is not false and due.fits_owner is not false
    order by due.turn, due.id
    limit least(jobs_max, 1000)
  ) as fitting;
  if chosen is null then
    return;
  end if;
  return query
    with claimed as (
      update parlance.jobs
      set state = 'running',
        attempts = jobs.attempts + 1,
        claim = nextval('parlance.job_claims'),
        claimed_by = worker_id,
        lease_expires_at = clock_timestamp() + make_interval(secs => least(lease_seconds, 3600)),
        started_at = coalesce(jobs.started_at, clock_timestamp()),
        -- What goes on where it was keeps what it had.
        progress_done = case when jobs.cursor is null then 0 else jobs.progress_done end,
        progress_total = case when jobs.cursor is null then null else jobs.progress_total end,
        progress_message = null,
        checkpoints = 0,
        partial = case when jobs.cursor is null then null else jobs.partial end,
        -- The first progress of a claim is told at once.
        told_at = 'epoch',
        event_sequence = jobs.event_sequence + 1,
        changed_in = pg_current_xact_id()
      from unnest(chosen) as due (id)
      where jobs.id = due.id
      returning jobs.*
    ), told as (
      insert into parlance.job_events (job_id, sequence, event, owner_id)
      select claimed.id, claimed.event_sequence, 'job.started', claimed.owner_id
      from claimed
    )
    select
      claimed.id, claimed.kind, claimed.owner_id, claimed.subject_id, claimed.payload, claimed.cursor,
      claimed.attempts, claimed.attempts_max, claimed.claim, claimed.turn,
      extract(epoch from claimed.deadline_at - clock_timestamp())::double precision, claimed.traceparent
    from claimed
    order by claimed.turn, claimed.id;
  -- Two at once may set it back by a moment: what is added then is found by the next look from the beginning.
  perform setval(('parlance.' || claimed_clock || '_turns')::regclass, next_turn) where parlance.clock_turn(claimed_clock) < next_turn;
end
$$;

-- Prolongs the leases of the claims still held and says which of them are to be cancelled; a claim that is not in the
-- answer is lost. One that an ending holds locked is stepped over, so that the others' leases do not run out meanwhile;
-- nobody can take it. Rows are locked in the order of their ids everywhere, so that no two statements wait in a ring.
create or replace function parlance.heartbeat_jobs(ids uuid[], claims bigint[], lease_seconds double precision)
  returns table (id uuid, claim bigint, cancel_requested boolean)
  language sql volatile security definer set search_path = pg_catalog, pg_temp set jit = off set enable_seqscan = off
  as $$
  with wanted as materialized (
    select jobs.id, jobs.claim, jobs.cancel_requested_at is not null as cancel_requested
    from unnest(ids, claims) as wanted (id, claim)
    join parlance.jobs on jobs.id = wanted.id and jobs.claim = wanted.claim
  ), free as materialized (
    select jobs.id, jobs.claim
    from wanted
    join parlance.jobs on jobs.id = wanted.id and jobs.claim = wanted.claim
    order by jobs.id
    for update of jobs skip locked
  ), prolonged as (
    update parlance.jobs
    set lease_expires_at = clock_timestamp() + make_interval(secs => least(lease_seconds, 3600))
    from free
    where jobs.id = free.id
    returning jobs.id, jobs.claim, jobs.cancel_requested_at is not null as cancel_requested
  )
  select prolonged.id, prolonged.claim, prolonged.cancel_requested
  from prolonged
  union all
  select wanted.id, wanted.claim, wanted.cancel_requested
  from wanted
  where not exists (select from free where free.id = wanted.id)
$$;

-- Progress of a claim still held; false when it is lost. It never goes back within a claim, and is told at most five
-- times a second and when it reaches its total. A partial result replaces the one before.
create function parlance.report_progress(
  id uuid, claim bigint, done integer, total integer, message text default null, partial jsonb default null
) returns boolean
  language sql volatile security definer set search_path = pg_catalog, pg_temp
  as $$
  with held as materialized (
    select jobs.id,
      jobs.told_at < clock_timestamp() - interval '200 milliseconds' or coalesce(done = total and jobs.progress_done < done, false) as is_due
    from parlance.jobs
    where jobs.id = report_progress.id and jobs.claim = report_progress.claim
    for update
  ), reported as (
    update parlance.jobs
    set progress_done = greatest(progress_done, done),
      progress_total = greatest(progress_total, total, case when total is not null then progress_done end),
      progress_message = left(message, 500),
      partial = coalesce(report_progress.partial, jobs.partial),
      told_at = case when held.is_due then clock_timestamp() else jobs.told_at end,
      event_sequence = jobs.event_sequence + held.is_due::integer,
      changed_in = case when held.is_due then pg_current_xact_id() else jobs.changed_in end
    from held
    where jobs.id = held.id
    returning jobs.*
  ), told as (
    insert into parlance.job_events (job_id, sequence, event, owner_id, detail)
    select reported.id, reported.event_sequence, 'job.progressed', reported.owner_id,
      parlance.job_event_detail(
        reported.progress_done, reported.progress_total, reported.progress_message, partial => report_progress.partial
      )
    from reported
    join held on held.is_due
  )
  select exists (select from reported)
$$;

-- Keeps where the next run goes on: the claim's checkpoint of this number, 1 for its first. `known` says that it was
-- kept before, so that whoever lost the answer writes nothing twice; null that the claim is lost, and then nothing of
-- this run may be written. A try that got further is the first of the rest: what wears a job out is failing at one place.
create function parlance.save_job_cursor(id uuid, claim bigint, cursor jsonb, number integer) returns text
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
  as $$
#variable_conflict use_column
declare
  checkpoints integer;
begin
  perform set_config('transaction_timeout', '60s', true);
  select jobs.checkpoints into checkpoints
  from parlance.jobs
  where jobs.id = save_job_cursor.id and jobs.claim = save_job_cursor.claim
  for update;
  if checkpoints is null or checkpoints not in (number - 1, number) then
    return null;
  end if;
  if checkpoints = number then
    return 'known';
  end if;
  update parlance.jobs
  set cursor = save_job_cursor.cursor, checkpoints = number, attempts = 1
  where jobs.id = save_job_cursor.id;
  return 'saved';
end
$$;

-- ── Ending ──────────────────────────────────────────────────────────────────────────────────────────────────────────

-- Whoever ends a job lands it in the same transaction. One whose connection is gone without a word would keep the row
-- locked for ever: each has a minute.

-- Ends claims as done; answers those that were still held: of the others nothing may land. Keys of each object: id,
-- claim, result (or null).
create function parlance.complete_jobs(endings jsonb) returns table (claim bigint)
  language plpgsql volatile security definer
  set search_path = pg_catalog, pg_temp set jit = off set plan_cache_mode = force_generic_plan
  set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
  as $$
#variable_conflict use_column
begin
  perform set_config('transaction_timeout', '60s', true);
  return query
    with held as materialized (
      select jobs.id, ending.claim, ending.result
      from jsonb_to_recordset(endings) as ending (id uuid, claim bigint, result jsonb)
      join parlance.jobs on jobs.id = ending.id and jobs.claim = ending.claim
      order by jobs.id
      for update of jobs
    ), ended as (
      update parlance.jobs
      set state = 'done',
        result = held.result,
        error_code = null,
        error_message = null,
        progress_done = coalesce(jobs.progress_total, jobs.progress_done),
        progress_message = null,
        partial = null,
        cursor = null,
        claim = null, claimed_by = null, lease_expires_at = null,
        finished_at = clock_timestamp(),
        event_sequence = jobs.event_sequence + 1,
        changed_in = pg_current_xact_id()
      from held
      where jobs.id = held.id
      returning held.claim, jobs.id, jobs.event_sequence, jobs.owner_id, jobs.progress_done, jobs.progress_total
    ), told as (
      insert into parlance.job_events (job_id, sequence, event, owner_id, detail)
      select ended.id, ended.event_sequence, 'job.done', ended.owner_id,
        parlance.job_event_detail(ended.progress_done, ended.progress_total, null)
      from ended
    )
    select ended.claim from ended;
end
$$;

-- What becomes of jobs whose try, or whose wait, is over without success; the caller has locked them. Cancelled when that
-- was asked for, queued while they may be tried again before their deadline, else failed with this cause. Without a
-- code nothing failed: the try does not count, and the job is first in its lane. A cancelled job keeps the cause of its
-- last failed try, if there was one: being stopped is no failure.
create function parlance.end_tries(ids uuid[], code text, message text, retryable boolean) returns setof parlance.jobs
  language sql volatile security definer set search_path = pg_catalog, pg_temp set jit = off set enable_seqscan = off
  as $$
  select set_config('transaction_timeout', '60s', true);
  with judged as materialized (
    select jobs.id, later.run_after,
      case
        when jobs.cancel_requested_at is not null then 'cancelled'
        when code is null then 'queued'
        when retryable and jobs.attempts < jobs.attempts_max and later.run_after < coalesce(jobs.deadline_at, 'infinity') then 'queued'
        else 'failed'
      end::parlance.job_state as state
    from parlance.jobs
    cross join lateral (
      select clock_timestamp() + make_interval(secs => parlance.backoff_seconds(jobs.attempts)) as run_after
    ) as later
    where jobs.id = any (ids)
  ), ended as (
    update parlance.jobs
    set state = judged.state,
      attempts = jobs.attempts - (code is null and jobs.state = 'running')::integer,
      lease_losses = jobs.lease_losses + (code is not distinct from 'lease_expired')::integer,
      error_code = case when judged.state = 'cancelled' then jobs.error_code else coalesce(code, jobs.error_code) end,
      error_message = case when judged.state = 'cancelled' then jobs.error_message else coalesce(left(message, 2000), jobs.error_message) end,
      claim = null, claimed_by = null, lease_expires_at = null,
      turn = case when code is null then greatest(jobs.turn, parlance.clock_turn(jobs.clock)) end,
      run_after = case when code is null then jobs.run_after else judged.run_after end,
      finished_at = case when judged.state <> 'queued' then clock_timestamp() end,
      event_sequence = jobs.event_sequence + 1,
      changed_in = pg_current_xact_id()
    from judged
    where jobs.id = judged.id
    returning jobs.*
  ), told as (
    insert into parlance.job_events (job_id, sequence, event, owner_id, detail)
    select ended.id, ended.event_sequence, parlance.job_end_event(ended.state), ended.owner_id,
      parlance.job_event_detail(
        ended.progress_done, ended.progress_total, ended.progress_message,
        case when ended.state <> 'cancelled' then code end, ended.error_message
      )
    from ended
  )
  select ended.* from ended
$$;

-- Ends a claim that did not succeed. Answers the new state, or null when the claim is lost.
create or replace function parlance.fail_job(id uuid, claim bigint, code text, message text, retryable boolean)
  returns parlance.job_state
  language sql volatile security definer set search_path = pg_catalog, pg_temp
  as $$
  with held as materialized (
    select jobs.id from parlance.jobs where jobs.id = fail_job.id and jobs.claim = fail_job.claim for update
  )
  select ended.state
  from held
  cross join lateral parlance.end_tries(array[held.id], coalesce(code, 'unexpected'), coalesce(message, ''), retryable) as ended
$$;

-- Hands claims back untried, as a worker does that is told to end. Answers the new states; a claim that is not in the
-- answer is lost.
create function parlance.release_jobs(ids uuid[], claims bigint[]) returns table (id uuid, state parlance.job_state)
  language sql volatile security definer set search_path = pg_catalog, pg_temp set jit = off set enable_seqscan = off
  as $$
  with held as materialized (
    select jobs.id
    from unnest(ids, claims) as wanted (id, claim)
    join parlance.jobs on jobs.id = wanted.id and jobs.claim = wanted.claim
    order by jobs.id
    for update of jobs
  )
  select ended.id, ended.state
  from (select array_agg(held.id) as ids from held) as locked
  cross join lateral parlance.end_tries(locked.ids, null, null, true) as ended
$$;

-- Asks for a job's end: a queued one is cancelled at once, a running one when its worker hears of it. Answers the state
-- after and whether this call ended it, so that the caller lands it; nothing when there is no such job. Asking twice
-- changes nothing.
create or replace function parlance.cancel_job(id uuid) returns table (state parlance.job_state, ended_now boolean)
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
  as $$
#variable_conflict use_column
declare
  job parlance.jobs;
begin
  select * into job from parlance.jobs where jobs.id = cancel_job.id for update;
  if not found then
    return;
  end if;
  if job.state = 'queued' then
    update parlance.jobs set cancel_requested_at = clock_timestamp() where jobs.id = job.id;
    return query select ended.state, true from parlance.end_tries(array[job.id], null, null, false) as ended;
    return;
  end if;
  if job.state = 'running' and job.cancel_requested_at is null then
    update parlance.jobs
    set cancel_requested_at = clock_timestamp(), event_sequence = jobs.event_sequence + 1, changed_in = pg_current_xact_id()
    where jobs.id = job.id;
    insert into parlance.job_events (job_id, sequence, event, owner_id, detail)
    values (
      job.id, job.event_sequence + 1, 'job.cancelling', job.owner_id,
      parlance.job_event_detail(job.progress_done, job.progress_total, job.progress_message)
    );
  end if;
  return query select job.state, false;
end
$$;

-- Gives a failed job another life under the same id: all its attempts again, and its deadline anew. Answers whether it
-- was; a unique violation says that another job of its unique key is open.
create function parlance.retry_job(id uuid) returns boolean
  language sql volatile security definer set search_path = pg_catalog, pg_temp
  as $$
  with failed as materialized (
    select jobs.id from parlance.jobs where jobs.id = retry_job.id and jobs.state = 'failed' for update
  ), retried as (
    update parlance.jobs
    set state = 'queued',
      attempts = 0,
      turn = null,
      run_after = clock_timestamp(),
      deadline_at = clock_timestamp() + make_interval(secs => jobs.deadline_seconds),
      cancel_requested_at = null,
      finished_at = null,
      event_sequence = jobs.event_sequence + 1,
      changed_in = pg_current_xact_id()
    from failed
    where jobs.id = failed.id
    returning jobs.*
  ), told as (
    insert into parlance.job_events (job_id, sequence, event, owner_id)
    select retried.id, retried.event_sequence, 'job.retried', retried.owner_id
    from retried
  )
  select exists (select from retried)
$$;

-- Ends what nobody will: takes claims whose lease ran out from workers that are gone, and fails what waited past its
-- deadline. Answers the rows it took, so that the caller lands the ended ones in the same transaction; `except_ids` are
-- those whose landing was refused, so that one of them does not hold up the others.
create function parlance.expire_jobs(jobs_max integer, except_ids uuid[] default '{}') returns table (
  id uuid, kind text, owner_id uuid, subject_id uuid, state parlance.job_state, error_code text, error_message text
)
  language sql volatile security definer set search_path = pg_catalog, pg_temp set jit = off set enable_seqscan = off
  as $$
  with silent as materialized (
    select jobs.id
    from parlance.jobs
    where jobs.state = 'running' and jobs.lease_expires_at < clock_timestamp() and jobs.id <> all (except_ids)
    order by jobs.claim
    limit least(jobs_max, 1000)
    for update skip locked
  ), late as materialized (
    select jobs.id
    from parlance.jobs
    where jobs.state = 'queued' and jobs.deadline_at < clock_timestamp() and jobs.id <> all (except_ids)
    order by jobs.deadline_at
    limit least(jobs_max, 1000) - (select count(*) from silent)
    for update skip locked
  ), over (ids, code, message, retryable) as (
    select array_agg(silent.id), 'lease_expired', 'The worker that ran this stopped answering.', true from silent
    union all
    select array_agg(late.id), 'deadline_exceeded', 'Its time was over before a worker was free.', false from late
  )
  select ended.id, ended.kind, ended.owner_id, ended.subject_id, ended.state, ended.error_code, ended.error_message
  from over
  cross join lateral parlance.end_tries(over.ids, over.code, over.message, over.retryable) as ended
$$;

-- ── Who may what ────────────────────────────────────────────────────────────────────────────────────────────────────

revoke all on
  parlance.jobs, parlance.job_events, parlance.job_shares, parlance.job_views
from public, anon, authenticated, service_role;
revoke all on sequence
  parlance.interactive_turns, parlance.bulk_turns, parlance.edge_interactive_turns, parlance.edge_bulk_turns, parlance.calls_turns
from public, anon, authenticated, service_role;
grant select on parlance.jobs, parlance.job_events, parlance.job_views to authenticated, service_role;
grant select on parlance.job_shares to authenticated;
grant select, insert, update, delete on parlance.job_shares to service_role;

revoke all on function
  parlance.refuse_job_change(), parlance.refuse_large_json(), parlance.refuse_job_beginning(), parlance.remove_job_events(), parlance.tell_job_events(),
  parlance.job_event_data(parlance.jobs, integer, text, timestamptz, jsonb),
  parlance.job_event_detail(integer, integer, text, text, text, jsonb),
  parlance.job_end_event(parlance.job_state),
  parlance.list_job_events(uuid, integer, integer),
  parlance.refuse_too_many(text, uuid, integer, integer),
  parlance.clock_turn(text),
  parlance.find_turns(uuid[], text),
  parlance.may_take_suspect(uuid, uuid),
  parlance.add_jobs(jsonb),
  parlance.claim_jobs(
    uuid, text[], parlance.job_lane, integer, double precision, text[], text[], double precision, integer[], integer[], bigint
  ),
  parlance.report_progress(uuid, bigint, integer, integer, text, jsonb),
  parlance.save_job_cursor(uuid, bigint, jsonb, integer),
  parlance.complete_jobs(jsonb),
  parlance.end_tries(uuid[], text, text, boolean),
  parlance.release_jobs(uuid[], bigint[]),
  parlance.retry_job(uuid),
  parlance.expire_jobs(integer, uuid[])
from public, anon, authenticated, service_role;

grant execute on function
  parlance.job_event_data(parlance.jobs, integer, text, timestamptz, jsonb),
  parlance.list_job_events(uuid, integer, integer)
to authenticated, service_role;
grant execute on function
  parlance.add_jobs(jsonb),
  parlance.claim_jobs(
    uuid, text[], parlance.job_lane, integer, double precision, text[], text[], double precision, integer[], integer[], bigint
  ),
  parlance.report_progress(uuid, bigint, integer, integer, text, jsonb),
  parlance.save_job_cursor(uuid, bigint, jsonb, integer),
  parlance.complete_jobs(jsonb),
  parlance.release_jobs(uuid[], bigint[]),
  parlance.expire_jobs(integer, uuid[])
to service_role, parlance_sidecar;
grant execute on function parlance.retry_job(uuid) to service_role;
