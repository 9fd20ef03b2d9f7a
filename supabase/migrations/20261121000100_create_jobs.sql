-- Whatever takes longer than a request is a job: one row with a state, a claim with a lease while it runs,
-- and events with a sequence of its own. Rooms use the functions and the view below, never the tables.
--
--   queued ──claim──▶ running ──complete──▶ done
--     ▲  │              │ │ └────fail─────▶ failed      (queued again while attempts are left)
--     │  └──cancel──┐   │ └─────cancel────▶ cancelled
--     └─release/fail/lease expired
--
-- The claim is a number that only grows: it fences. Whoever lost a job to another holds an older number
-- and can neither report, nor land, nor end anything.

create type parlance.job_state as enum ('queued', 'running', 'done', 'failed', 'cancelled');

-- The order of the words is the order of the claims.
create type parlance.job_lane as enum ('interactive', 'bulk');

create sequence parlance.job_claims;

create table parlance.jobs (
  id uuid primary key,
  kind text not null,
  lane parlance.job_lane not null,
  owner_id uuid references auth.users (id) on delete cascade,
  subject_id uuid,
  unique_key text,
  payload jsonb not null,
  state parlance.job_state not null default 'queued',
  result jsonb,
  error_code text,
  error_message text,
  progress_done integer not null default 0,
  progress_total integer,
  progress_message text,
  attempts integer not null default 0,
  attempts_max integer not null,
  run_after timestamptz not null default now(),
  claim bigint,
  claimed_by uuid,
  lease_expires_at timestamptz,
  cancel_requested_at timestamptz,
  event_sequence integer not null default 0,
  events_pruned_to integer not null default 0,
  told_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz,
  constraint kind_is_feature_dot_verb_noun check (kind ~ '^[a-z]+\.[a-z]+(-[a-z]+)*$' and length(kind) <= 64),
  constraint unique_key_is_short check (length(unique_key) <= 200),
  constraint payload_is_a_small_object check (jsonb_typeof(payload) = 'object' and octet_length(payload::text) <= 65536),
  constraint result_is_small check (octet_length(result::text) <= 65536),
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

create index jobs_to_claim on parlance.jobs (lane, run_after, id) where state = 'queued';
create index jobs_with_a_lease on parlance.jobs (lease_expires_at) where state = 'running';
create index jobs_of_an_owner on parlance.jobs (owner_id, id desc);
create index jobs_of_a_subject on parlance.jobs (subject_id);
create index jobs_ended on parlance.jobs (finished_at) where finished_at is not null;
create unique index jobs_unique_while_open on parlance.jobs (kind, unique_key) where state in ('queued', 'running');

create table parlance.job_events (
  job_id uuid not null references parlance.jobs (id) on delete cascade,
  sequence integer not null,
  event text not null,
  data jsonb not null,
  -- The clock, not the start of the transaction: age follows the sequence.
  created_at timestamptz not null default clock_timestamp(),
  primary key (job_id, sequence)
);

comment on table parlance.job_events is 'What happened to a job, in order and without holes; the topic is only the doorbell.';

create index job_events_by_age on parlance.job_events (created_at);

create table parlance.workers (
  id uuid primary key,
  runner text not null,
  device text not null,
  provider text not null,
  kinds text[] not null,
  models text[] not null default '{}',
  memory_bytes bigint not null default 0,
  versions jsonb not null default '{}',
  state text not null default 'running',
  started_at timestamptz not null default now(),
  last_seen_at timestamptz not null default now(),
  constraint state_is_known check (state in ('running', 'draining')),
  constraint kinds_are_few check (cardinality(kinds) <= 100)
);

comment on table parlance.workers is 'Processes that claim jobs, and when each was last seen.';

create index workers_by_last_seen on parlance.workers (last_seen_at);

alter table parlance.jobs enable row level security;
alter table parlance.job_events enable row level security;
alter table parlance.workers enable row level security;

create policy "owners see their jobs" on parlance.jobs
  for select to authenticated using (parlance.may_see(owner_id));
create policy "who sees the job sees its events" on parlance.job_events
  for select to authenticated using (exists (select from parlance.jobs where jobs.id = job_id));
create policy "admins see the workers" on parlance.workers
  for select to authenticated using (parlance.is_admin());

-- What rooms and the API read of a job.
create view parlance.job_views with (security_invoker = true) as
  select
    id, kind, lane, owner_id, subject_id, state, result, error_code, error_message,
    progress_done, progress_total, progress_message, attempts, attempts_max,
    cancel_requested_at, event_sequence, events_pruned_to, created_at, started_at, finished_at
  from parlance.jobs;

-- Before a change: an ended job stays as it ended (only its old events may go), and a change worth telling takes
-- the next number of the job's sequence under the row's lock. Progress is told only when `report_progress` says
-- it is due.
create function parlance.number_job_event() returns trigger
  language plpgsql security definer set search_path = ''
  as $$
begin
  if tg_op = 'UPDATE' and old.state in ('done', 'failed', 'cancelled') then
    old.events_pruned_to := new.events_pruned_to;
    if new is distinct from old then
      raise exception 'job % has ended as %', old.id, old.state
        using errcode = 'check_violation', constraint = 'ended_stays_ended', schema = 'parlance', table = 'jobs';
    end if;
    return new;
  end if;
  if tg_op = 'INSERT'
    or new.state <> old.state
    or new.told_at <> old.told_at
    or new.cancel_requested_at is distinct from old.cancel_requested_at then
    new.event_sequence := new.event_sequence + 1;
  end if;
  return new;
end
$$;

-- After a change: the event is written, told on the owner's private topic, and workers are woken.
-- All of it commits with the change, or not at all.
create function parlance.tell_job_event() returns trigger
  language plpgsql security definer set search_path = ''
  as $$
declare
  event text;
  data jsonb;
begin
  if tg_op = 'UPDATE' and new.event_sequence = old.event_sequence then
    return null;
  end if;
  event := case
    when tg_op = 'INSERT' then 'job.queued'
    when new.state = old.state and new.cancel_requested_at is distinct from old.cancel_requested_at then 'job.cancelling'
    when new.state = old.state then 'job.progressed'
    when new.state = 'queued' then 'job.requeued'
    when new.state = 'running' then 'job.started'
    else 'job.' || new.state
  end;
  data := jsonb_build_object(
    'jobId', new.id,
    'sequence', new.event_sequence,
    'event', event,
    'kind', new.kind,
    'subjectId', new.subject_id,
    'state', new.state,
    'progress', jsonb_build_object('done', new.progress_done, 'total', new.progress_total, 'message', new.progress_message),
    'error', case when new.state in ('queued', 'failed') and new.error_code is not null
      then jsonb_build_object('code', new.error_code, 'message', new.error_message) end,
    'at', to_char(clock_timestamp() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
  );
  insert into parlance.job_events (job_id, sequence, event, data)
  values (new.id, new.event_sequence, event, data);
  -- Interactive work of the house (the vector of a query) is over before anyone could listen to it.
  if new.owner_id is not null or new.lane = 'bulk' then
    perform realtime.send(data, event, coalesce('user:' || new.owner_id::text, 'house'), true);
  end if;
  if new.state = 'queued' then
    perform pg_notify('parlance_jobs', new.lane::text);
  elsif event = 'job.cancelling' then
    perform pg_notify('parlance_cancellations', new.id::text);
  end if;
  return null;
end
$$;

create trigger number_job_event before insert or update on parlance.jobs
  for each row execute function parlance.number_job_event();
create trigger tell_job_event after insert or update on parlance.jobs
  for each row execute function parlance.tell_job_event();

-- Adds a job in the caller's transaction and returns its id. While a job of the same kind and unique key is
-- open, nothing is added and the open one's id is returned.
create function parlance.add_job(
  id uuid,
  kind text,
  payload jsonb,
  owner_id uuid default null,
  subject_id uuid default null,
  lane parlance.job_lane default 'bulk',
  unique_key text default null,
  attempts_max integer default 5,
  delay_seconds double precision default 0
) returns uuid
  language plpgsql security definer set search_path = ''
  as $$
#variable_conflict use_column
declare
  open_id uuid;
begin
  -- The open one may end between the two statements; then the next round adds.
  for round in 1..10 loop
    insert into parlance.jobs (id, kind, payload, owner_id, subject_id, lane, unique_key, attempts_max, run_after)
    values (
      add_job.id, add_job.kind, add_job.payload, add_job.owner_id, add_job.subject_id, add_job.lane,
      add_job.unique_key, add_job.attempts_max, now() + make_interval(secs => add_job.delay_seconds)
    )
    on conflict (kind, unique_key) where state in ('queued', 'running') do nothing;
    if found then
      return add_job.id;
    end if;
    select jobs.id into open_id
    from parlance.jobs
    where jobs.kind = add_job.kind
      and jobs.unique_key = add_job.unique_key
      and jobs.state in ('queued', 'running');
    if found then
      return open_id;
    end if;
  end loop;
  raise exception 'no job could be added for the unique key %', add_job.unique_key using errcode = 'serialization_failure';
end
$$;

-- Claims up to `jobs_max` jobs for a worker and answers them in order: interactive first, the longest due first.
-- `skip locked` lets workers claim at once without waiting for each other.
create function parlance.claim_jobs(
  worker_id uuid,
  kinds text[],
  lanes parlance.job_lane[],
  jobs_max integer,
  lease_seconds double precision
) returns table (
  id uuid, kind text, lane parlance.job_lane, owner_id uuid, subject_id uuid,
  payload jsonb, attempts integer, attempts_max integer, claim bigint
)
  language sql volatile security definer set search_path = ''
  as $$
  with due as materialized (
    select jobs.id
    from parlance.jobs
    where jobs.state = 'queued'
      and jobs.run_after <= now()
      and jobs.kind = any (kinds)
      and jobs.lane = any (lanes)
    order by jobs.lane, jobs.run_after, jobs.id
    limit least(jobs_max, 1000)
    for update skip locked
  ), claimed as (
    update parlance.jobs
    set state = 'running',
      attempts = jobs.attempts + 1,
      claim = nextval('parlance.job_claims'),
      claimed_by = worker_id,
      lease_expires_at = clock_timestamp() + make_interval(secs => lease_seconds),
      started_at = coalesce(jobs.started_at, clock_timestamp()),
      progress_done = 0,
      progress_total = null,
      progress_message = null,
      -- The first progress of a claim is told at once.
      told_at = 'epoch'
    from due
    where jobs.id = due.id
    returning jobs.*
  )
  select
    claimed.id, claimed.kind, claimed.lane, claimed.owner_id, claimed.subject_id,
    claimed.payload, claimed.attempts, claimed.attempts_max, claimed.claim
  from claimed
  order by claimed.lane, claimed.run_after, claimed.id
$$;

-- Prolongs the leases of the claims still held and says which of them are to be cancelled; a claim that is
-- not in the answer is lost. Rows come in id order, so that two heartbeats never wait for each other in a ring.
create function parlance.heartbeat_jobs(ids uuid[], claims bigint[], lease_seconds double precision)
  returns table (id uuid, claim bigint, cancel_requested boolean)
  language sql volatile security definer set search_path = ''
  as $$
  with held as materialized (
    select jobs.id, jobs.claim
    from unnest(ids, claims) as wanted (id, claim)
    join parlance.jobs on jobs.id = wanted.id and jobs.claim = wanted.claim
    order by jobs.id
    for update of jobs
  )
  update parlance.jobs
  set lease_expires_at = clock_timestamp() + make_interval(secs => lease_seconds)
  from held
  where jobs.id = held.id
  returning jobs.id, jobs.claim, jobs.cancel_requested_at is not null
$$;

-- Progress of a claim still held; false when it is lost. It never goes back within a claim, and is told at most
-- five times a second and when it reaches its total.
create function parlance.report_progress(id uuid, claim bigint, done integer, total integer, message text default null)
  returns boolean
  language sql volatile security definer set search_path = ''
  as $$
  with reported as (
    update parlance.jobs
    set progress_done = greatest(progress_done, done),
      progress_total = greatest(progress_total, total, case when total is not null then progress_done end),
      progress_message = left(message, 500),
      told_at = case
        when told_at < clock_timestamp() - interval '200 milliseconds' then clock_timestamp()
        when done = total and progress_done < done then clock_timestamp()
        else told_at
      end
    where jobs.id = report_progress.id and jobs.claim = report_progress.claim
    returning 1
  )
  select exists (select from reported)
$$;

-- Ends a claim as done; false when the claim is lost, and then nothing may land.
create function parlance.complete_job(id uuid, claim bigint, result jsonb default null) returns boolean
  language sql volatile security definer set search_path = ''
  as $$
  with ended as (
    update parlance.jobs
    set state = 'done',
      result = complete_job.result,
      error_code = null,
      error_message = null,
      progress_done = coalesce(progress_total, progress_done),
      progress_message = null,
      claim = null, claimed_by = null, lease_expires_at = null,
      finished_at = clock_timestamp()
    where jobs.id = complete_job.id and jobs.claim = complete_job.claim
    returning 1
  )
  select exists (select from ended)
$$;

-- Seconds until the next try: about 2, 4, 8 … and never more than an hour, spread by a quarter up and down so that
-- jobs which failed together do not come back together.
create function parlance.backoff_seconds(attempts integer) returns double precision
  language sql volatile
  as $$ select least(3600, 2 ^ least(attempts, 12) * (0.75 + random() / 2)) $$;

-- What a claim that did not succeed becomes: cancelled when that was asked for, queued while it may be tried
-- again, else failed. Answers the new state, or null when the claim is lost. A cancelled job keeps the cause of
-- its last failed try, if there was one: being stopped is no failure.
create function parlance.fail_job(id uuid, claim bigint, code text, message text, retryable boolean)
  returns parlance.job_state
  language sql volatile security definer set search_path = ''
  as $$
  update parlance.jobs
  set state = case
      when cancel_requested_at is not null then 'cancelled'
      when retryable and attempts < attempts_max then 'queued'
      else 'failed'
    end::parlance.job_state,
    error_code = case when cancel_requested_at is null then code else error_code end,
    error_message = case when cancel_requested_at is null then left(message, 2000) else error_message end,
    claim = null, claimed_by = null, lease_expires_at = null,
    run_after = clock_timestamp() + make_interval(secs => parlance.backoff_seconds(attempts)),
    finished_at = case when cancel_requested_at is null and retryable and attempts < attempts_max then null else clock_timestamp() end
  where jobs.id = fail_job.id and jobs.claim = fail_job.claim
  returning state
$$;

-- Hands a claim back untried, as a worker does that is told to end: it takes its old place in the queue, and the
-- attempt is not counted. One that is to be cancelled ends here. Answers the new state, or null when the claim is
-- lost.
create function parlance.release_job(id uuid, claim bigint) returns parlance.job_state
  language sql volatile security definer set search_path = ''
  as $$
  update parlance.jobs
  set state = case when cancel_requested_at is null then 'queued' else 'cancelled' end::parlance.job_state,
    attempts = attempts - 1,
    claim = null, claimed_by = null, lease_expires_at = null,
    finished_at = case when cancel_requested_at is null then null else clock_timestamp() end
  where jobs.id = release_job.id and jobs.claim = release_job.claim
  returning state
$$;

-- Asks for a job's end: a queued one is cancelled at once, a running one when its worker hears of it.
-- Answers the state after and whether this call ended it, so that the caller lands it; nothing when there is no
-- such job. Asking twice changes nothing.
create function parlance.cancel_job(id uuid) returns table (state parlance.job_state, ended_now boolean)
  language plpgsql volatile security definer set search_path = ''
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
    update parlance.jobs
    set state = 'cancelled', cancel_requested_at = clock_timestamp(), finished_at = clock_timestamp()
    where jobs.id = cancel_job.id;
  elsif job.state = 'running' and job.cancel_requested_at is null then
    update parlance.jobs set cancel_requested_at = clock_timestamp() where jobs.id = cancel_job.id;
  end if;
  return query select jobs.state, job.state = 'queued' from parlance.jobs where jobs.id = cancel_job.id;
end
$$;

-- Takes the claims whose lease ran out from workers that are gone: back to the queue while attempts are left,
-- else ended. Answers the rows it took, so that the caller lands the failures in the same transaction; `except_ids`
-- are those whose landing was refused, so that one of them does not hold up the others.
create function parlance.expire_leases(jobs_max integer, except_ids uuid[] default '{}')
  returns table (id uuid, kind text, owner_id uuid, subject_id uuid, payload jsonb, state parlance.job_state)
  language sql volatile security definer set search_path = ''
  as $$
  with expired as materialized (
    select jobs.id
    from parlance.jobs
    where jobs.state = 'running'
      and jobs.lease_expires_at < clock_timestamp()
      and jobs.id <> all (except_ids)
    order by jobs.lease_expires_at, jobs.id
    limit least(jobs_max, 1000)
    for update skip locked
  )
  update parlance.jobs
  set state = case
      when cancel_requested_at is not null then 'cancelled'
      when attempts < attempts_max then 'queued'
      else 'failed'
    end::parlance.job_state,
    error_code = case when cancel_requested_at is null then 'lease_expired' else error_code end,
    error_message = case when cancel_requested_at is null then 'The worker that ran this stopped answering.' else error_message end,
    claim = null, claimed_by = null, lease_expires_at = null,
    run_after = clock_timestamp() + make_interval(secs => parlance.backoff_seconds(attempts)),
    finished_at = case when cancel_requested_at is null and attempts < attempts_max then null else clock_timestamp() end
  from expired
  where jobs.id = expired.id
  returning jobs.id, jobs.kind, jobs.owner_id, jobs.subject_id, jobs.payload, jobs.state
$$;

-- Removes ended jobs and old events in one bounded batch; answers how many rows went. Interactive work of the house
-- goes after an hour: whoever searches makes some, nobody follows it, and strangers could fill the disk with it.
create function parlance.prune_jobs(ended_before timestamptz, events_before timestamptz, rows_max integer) returns integer
  language plpgsql volatile security definer set search_path = ''
  as $$
declare
  jobs_gone integer;
  events_gone integer;
begin
  delete from parlance.jobs
  where jobs.id in (
    select old.id from parlance.jobs as old
    where old.finished_at < ended_before
      or (old.owner_id is null and old.lane = 'interactive' and old.finished_at < now() - interval '1 hour')
    order by old.finished_at
    limit least(rows_max, 10000)
    for update skip locked
  );
  get diagnostics jobs_gone = row_count;
  with gone as (
    delete from parlance.job_events
    where (job_id, sequence) in (
      select old.job_id, old.sequence from parlance.job_events as old
      where old.created_at < events_before
      order by old.created_at
      limit least(rows_max, 10000)
    )
    returning job_id, sequence
  ), newest as (
    select job_id, max(sequence) as sequence, count(*) as events from gone group by job_id
  ), marked as (
    update parlance.jobs
    set events_pruned_to = greatest(events_pruned_to, newest.sequence)
    from newest
    where jobs.id = newest.job_id
    returning newest.events
  )
  select coalesce(sum(events), 0) into events_gone from newest;
  return jobs_gone + events_gone;
end
$$;

-- A worker says that it lives, and what it can do. Rows of workers unseen for a day are removed in passing.
create function parlance.report_worker(
  id uuid, runner text, device text, provider text, kinds text[], models text[],
  memory_bytes bigint, versions jsonb, state text
) returns void
  language sql volatile security definer set search_path = ''
  as $$
  delete from parlance.workers
  where workers.last_seen_at < now() - interval '1 day';
  insert into parlance.workers (id, runner, device, provider, kinds, models, memory_bytes, versions, state)
  values (
    report_worker.id, report_worker.runner, report_worker.device, report_worker.provider, report_worker.kinds,
    report_worker.models, report_worker.memory_bytes, report_worker.versions, report_worker.state
  )
  on conflict on constraint workers_pkey do update
  set models = excluded.models,
    memory_bytes = excluded.memory_bytes,
    state = excluded.state,
    last_seen_at = clock_timestamp()
$$;

-- A worker that ends in order takes its row with it.
create function parlance.remove_worker(id uuid) returns void
  language sql volatile security definer set search_path = ''
  as $$ delete from parlance.workers where workers.id = remove_worker.id $$;

-- Whether a worker that runs this kind was seen within the last `seconds` and is not on its way out.
create function parlance.worker_is_alive(kind text, seconds double precision default 20) returns boolean
  language sql stable security definer set search_path = ''
  as $$
  select exists (
    select from parlance.workers
    where workers.state = 'running'
      and worker_is_alive.kind = any (workers.kinds)
      and workers.last_seen_at > clock_timestamp() - make_interval(secs => seconds)
  )
$$;

revoke all on all tables in schema parlance from public, anon, authenticated, service_role;
revoke all on all sequences in schema parlance from public, anon, authenticated, service_role;
grant select on parlance.jobs, parlance.job_events, parlance.workers, parlance.job_views to authenticated, service_role;

revoke all on function
  parlance.number_job_event(), parlance.tell_job_event(), parlance.backoff_seconds(integer),
  parlance.add_job(uuid, text, jsonb, uuid, uuid, parlance.job_lane, text, integer, double precision),
  parlance.claim_jobs(uuid, text[], parlance.job_lane[], integer, double precision),
  parlance.heartbeat_jobs(uuid[], bigint[], double precision),
  parlance.report_progress(uuid, bigint, integer, integer, text),
  parlance.complete_job(uuid, bigint, jsonb),
  parlance.fail_job(uuid, bigint, text, text, boolean),
  parlance.release_job(uuid, bigint),
  parlance.cancel_job(uuid),
  parlance.expire_leases(integer, uuid[]),
  parlance.prune_jobs(timestamptz, timestamptz, integer),
  parlance.report_worker(uuid, text, text, text, text[], text[], bigint, jsonb, text),
  parlance.remove_worker(uuid),
  parlance.worker_is_alive(text, double precision)
from public, anon, authenticated, service_role;

grant execute on function
  parlance.add_job(uuid, text, jsonb, uuid, uuid, parlance.job_lane, text, integer, double precision),
  parlance.claim_jobs(uuid, text[], parlance.job_lane[], integer, double precision),
  parlance.heartbeat_jobs(uuid[], bigint[], double precision),
  parlance.report_progress(uuid, bigint, integer, integer, text),
  parlance.complete_job(uuid, bigint, jsonb),
  parlance.fail_job(uuid, bigint, text, text, boolean),
  parlance.release_job(uuid, bigint),
  parlance.expire_leases(integer, uuid[]),
  parlance.report_worker(uuid, text, text, text, text[], text[], bigint, jsonb, text),
  parlance.remove_worker(uuid)
to service_role, parlance_sidecar;

grant execute on function
  parlance.cancel_job(uuid),
  parlance.prune_jobs(timestamptz, timestamptz, integer),
  parlance.worker_is_alive(text, double precision)
to service_role;
