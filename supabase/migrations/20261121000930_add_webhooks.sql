-- Webhooks: who wants to hear of the end of their jobs names an address, and is called there. Every call is a row of the
-- ledger and a job of its own; both are made in the transaction that ends the job that is told of, by a trigger on the
-- events of jobs.
--
--   job.done ──trigger──▶ webhook_deliveries: pending + job webhooks.deliver-event ──2xx──▶ delivered
--   job.failed               │        ▲ └──────────────────── the last try failed, 410 ───▶ failed
--                            │        └─────────── redelivery ───────────────────────────── any of these
--                            └────────────── webhook deleted or disabled, job cancelled ──▶ cancelled
--
-- Secrets stand in a table that no role may read. A sidecar is given those of a delivery while it holds its job.

create type parlance.webhook_delivery_state as enum ('pending', 'delivered', 'failed', 'cancelled');

create table parlance.webhooks (
  id uuid primary key,
  owner_id uuid references auth.users (id) on delete cascade,
  url text not null,
  -- What a former address answers says nothing of this one.
  url_since timestamptz not null default clock_timestamp(),
  events text[] not null,
  -- Of these kinds of jobs only; null: of all.
  kinds text[],
  is_enabled boolean not null default true,
  disabled_at timestamptz,
  -- Null where its owner disabled it.
  disabled_reason text,
  -- The first failure since the last success.
  failing_since timestamptz,
  created_at timestamptz not null default now(),
  constraint url_is_short check (length(url) between 1 and 2000),
  constraint events_are_known check (cardinality(events) between 1 and 2 and events <@ array['job.done', 'job.failed']),
  constraint kinds_are_few check (cardinality(kinds) between 1 and 50 and array_position(kinds, null) is null),
  constraint disabled_says_when check (is_enabled = (disabled_at is null)),
  constraint only_disabled_has_a_reason check (disabled_reason is null or not is_enabled)
);

comment on table parlance.webhooks is 'Addresses that are called when jobs of an owner end; without an owner, those of the house.';

create index webhooks_of_an_owner on parlance.webhooks (owner_id, id desc);
create index webhooks_enabled on parlance.webhooks (owner_id) where is_enabled;

create table parlance.webhook_secrets (
  webhook_id uuid not null references parlance.webhooks (id) on delete cascade,
  secret text not null,
  created_at timestamptz not null default clock_timestamp(),
  -- Null: the one that is in use. A former one also signs until then.
  expires_at timestamptz,
  constraint secret_is_24_to_64_bytes check (secret ~ '^whsec_[A-Za-z0-9+/]{32,86}={0,2}$')
);

comment on table parlance.webhook_secrets is 'What webhooks are signed with; read by no role, answered to whoever holds a delivery.';

create unique index webhook_secrets_one_in_use on parlance.webhook_secrets (webhook_id) where expires_at is null;
create index webhook_secrets_of_a_webhook on parlance.webhook_secrets (webhook_id);

create table parlance.webhook_deliveries (
  -- The message's id: the same for every try and every redelivery.
  id uuid primary key,
  -- No reference: the ledger outlives the webhook.
  webhook_id uuid not null,
  owner_id uuid references auth.users (id) on delete cascade,
  event text not null,
  -- What it tells of, which may be pruned before it; null for a test.
  job_id uuid,
  sequence integer,
  data jsonb not null,
  occurred_at timestamptz not null,
  state parlance.webhook_delivery_state not null default 'pending',
  -- The job that carries it.
  carrier_id uuid not null,
  attempts integer not null default 0,
  attempted_at timestamptz,
  status_code smallint,
  error_message text,
  took_ms integer,
  -- The receiver asked not to be called before.
  retry_at timestamptz,
  created_at timestamptz not null default clock_timestamp(),
  finished_at timestamptz,
  constraint event_is_known check (event in ('job.done', 'job.failed', 'webhook.test')),
  constraint only_events_of_jobs_name_one check ((job_id is null) = (sequence is null)),
  constraint data_is_an_object check (jsonb_typeof(data) = 'object'),
  constraint only_pending_is_unfinished check ((state = 'pending') = (finished_at is null)),
  constraint error_is_short check (length(error_message) <= 500)
);

comment on table parlance.webhook_deliveries is 'The ledger of webhooks: what was sent where, and what came of it.';

create index webhook_deliveries_of_a_webhook on parlance.webhook_deliveries (webhook_id, id desc);
create index webhook_deliveries_of_an_owner on parlance.webhook_deliveries (owner_id);
create unique index webhook_deliveries_by_carrier on parlance.webhook_deliveries (carrier_id);

alter table parlance.webhooks enable row level security;
alter table parlance.webhook_secrets enable row level security;
alter table parlance.webhook_deliveries enable row level security;
create policy "owners see their webhooks" on parlance.webhooks
  for select to authenticated
  using (parlance.may_see(owner_id, (select auth.uid()), (select parlance.is_admin())));
create policy "owners see their deliveries" on parlance.webhook_deliveries
  for select to authenticated
  using (parlance.may_see(owner_id, (select auth.uid()), (select parlance.is_admin())));

-- An owner, and the house, have twenty at most: every one of them is called for each job.
create function parlance.limit_webhooks() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp
  as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('parlance.webhooks ' || coalesce(new.owner_id::text, 'house'), 0));
  if (
    select count(*)
    from parlance.webhooks
    where (webhooks.owner_id = new.owner_id or (webhooks.owner_id is null and new.owner_id is null))
      and webhooks.id <> new.id
  ) >= 20 then
    raise exception 'an owner has at most 20 webhooks'
      using errcode = 'check_violation', schema = 'parlance', table = 'webhooks', constraint = 'webhooks_are_at_most_20';
  end if;
  return new;
end
$$;

create trigger limit_webhooks before insert on parlance.webhooks
  for each row execute function parlance.limit_webhooks();

-- ── What is told ────────────────────────────────────────────────────────────────────────────────────────────────────

-- A UUIDv7 (RFC 9562, 5.7), as the processes make them: 48 bits of milliseconds before the random ones of a UUIDv4.
create function parlance.create_id() returns uuid
  language sql volatile set search_path = pg_catalog, pg_temp
  as $$
  select encode(
    set_bit(set_bit(
      overlay(uuid_send(gen_random_uuid()) placing
        substring(int8send(floor(extract(epoch from clock_timestamp()) * 1000)::bigint) from 3) from 1 for 6),
      52, 1), 53, 1),
    'hex'
  )::uuid
$$;

-- A time as the API writes it.
create function parlance.format_time(at timestamptz) returns text
  language sql stable set search_path = pg_catalog, pg_temp
  as $$ select to_char(at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') $$;

-- A job as `GET /jobs` shows it to its owner: never its payload.
create function parlance.compose_webhook_data(job parlance.jobs) returns jsonb
  language sql stable set search_path = pg_catalog, pg_temp
  as $$
  select jsonb_build_object(
    'id', job.id,
    'kind', job.kind,
    'lane', job.lane,
    'ownerId', job.owner_id,
    'subjectId', job.subject_id,
    'state', job.state,
    'progress', jsonb_build_object('done', job.progress_done, 'total', job.progress_total, 'message', job.progress_message),
    'result', job.result,
    'partial', job.partial,
    'error', case when job.error_code is not null then
      jsonb_build_object('code', job.error_code, 'message', coalesce(job.error_message, '')) end,
    'attempts', job.attempts,
    'attemptsMax', job.attempts_max,
    'leaseLosses', job.lease_losses,
    'runAfter', parlance.format_time(job.run_after),
    'deadlineAt', parlance.format_time(job.deadline_at),
    'cancelRequestedAt', parlance.format_time(job.cancel_requested_at),
    'lastSequence', job.event_sequence,
    'createdAt', parlance.format_time(job.created_at),
    'startedAt', parlance.format_time(job.started_at),
    'finishedAt', parlance.format_time(job.finished_at)
  )
$$;

-- After jobs ended: a row of the ledger and a job for each enabled webhook that wants to hear of it, with what the job
-- is at that moment. The calls themselves are not told of, nor is the house's interactive work: whoever searches makes
-- some. Where nobody has a webhook, this is one look at an empty index. Nothing here may keep a job from ending: where
-- an owner has as many jobs waiting as they may, or 20,000 deliveries, the delivery fails instead: twenty receivers that
-- never answer would fill the queue.
create function parlance.deliver_job_events() returns trigger
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp set jit = off set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
  as $$
declare
  carriers jsonb;
begin
  if not exists (select from parlance.webhooks where webhooks.is_enabled) then
    return null;
  end if;
  -- What waits for another try waits for as long as its receiver asked.
  update parlance.jobs
  set run_after = deliveries.retry_at
  from added
  join parlance.webhook_deliveries as deliveries on deliveries.carrier_id = added.job_id
  where added.event = 'job.requeued'
    and jobs.id = added.job_id
    and jobs.run_after < deliveries.retry_at;
  for carriers in
    with pending as (
      insert into parlance.webhook_deliveries
        (id, webhook_id, owner_id, event, job_id, sequence, data, occurred_at, carrier_id)
      select
        parlance.create_id(), webhooks.id, webhooks.owner_id, added.event, jobs.id, added.sequence,
        parlance.compose_webhook_data(jobs), jobs.finished_at, parlance.create_id()
      from added
      join parlance.jobs on jobs.id = added.job_id
      join parlance.webhooks
        on (webhooks.owner_id = jobs.owner_id or (webhooks.owner_id is null and jobs.owner_id is null))
      where added.event in ('job.done', 'job.failed')
        and jobs.kind <> 'webhooks.deliver-event'
        and (jobs.owner_id is not null or jobs.lane = 'bulk')
        and webhooks.is_enabled
        and added.event = any (webhooks.events)
        and (webhooks.kinds is null or jobs.kind = any (webhooks.kinds))
      returning id, webhook_id, owner_id, carrier_id
    )
    select jsonb_agg(jsonb_build_object(
      'id', pending.carrier_id,
      'kind', 'webhooks.deliver-event',
      'lane', 'bulk',
      'clock', 'calls',
      'payload', jsonb_build_object('deliveryId', pending.id),
      'owner_id', pending.owner_id,
      'subject_id', pending.webhook_id,
      'unique_key', pending.id,
      'attempts_max', 10,
      'queued_per_owner_max', case when pending.owner_id is not null then 20000 end
    ))
    from pending
    group by pending.owner_id
  loop
    begin
      perform parlance.add_jobs(carriers);
    exception when sqlstate 'PQ429' then
      update parlance.webhook_deliveries
      set state = 'failed',
        error_message = 'As many of your jobs are waiting as may.',
        finished_at = clock_timestamp()
      from jsonb_to_recordset(carriers) as refused (id uuid)
      where webhook_deliveries.carrier_id = refused.id;
    end;
  end loop;
  return null;
end
$$;

create trigger deliver_job_events after insert on parlance.job_events
  referencing new table as added for each statement execute function parlance.deliver_job_events();

-- ── Delivering, by whoever holds the job that carries it ────────────────────────────────────────────────────────────

-- Begins a try: what to send where, and what to sign it with, the secret in use first. No row where the claim is lost or
-- there is nothing to deliver any more: the webhook was deleted or disabled, or the delivery is over.
create function parlance.begin_delivery(job_id uuid, claim bigint) returns table (
  id uuid, url text, secrets text[], event text, data jsonb, occurred_at timestamptz
)
  language sql volatile security definer set search_path = pg_catalog, pg_temp
  as $$
  with held as materialized (
    select jobs.id
    from parlance.jobs
    where jobs.id = begin_delivery.job_id and jobs.claim = begin_delivery.claim
    for share
  )
  update parlance.webhook_deliveries as deliveries
  set attempts = deliveries.attempts + 1,
    attempted_at = clock_timestamp()
  from held, parlance.webhooks
  where deliveries.carrier_id = held.id
    and deliveries.state = 'pending'
    and webhooks.id = deliveries.webhook_id
    and webhooks.is_enabled
  returning
    deliveries.id, webhooks.url,
    array(
      select webhook_secrets.secret
      from parlance.webhook_secrets
      where webhook_secrets.webhook_id = webhooks.id
        and (webhook_secrets.expires_at is null or webhook_secrets.expires_at > now())
      order by webhook_secrets.expires_at desc nulls first
    ),
    deliveries.event, deliveries.data, deliveries.occurred_at
$$;

-- Keeps what a failed try met; the claim fences it. An address that answers 410 does not want to be called again, one that
-- asks for time is given an hour at most.
create function parlance.record_delivery_failure(
  job_id uuid, claim bigint, status_code integer, error_message text, took_ms integer, retry_after_seconds integer default null
) returns void
  language sql volatile security definer set search_path = pg_catalog, pg_temp
  as $$
  with held as materialized (
    select jobs.id
    from parlance.jobs
    where jobs.id = record_delivery_failure.job_id and jobs.claim = record_delivery_failure.claim
    for share
  ), recorded as (
    update parlance.webhook_deliveries as deliveries
    set status_code = record_delivery_failure.status_code,
      error_message = left(record_delivery_failure.error_message, 500),
      took_ms = record_delivery_failure.took_ms,
      retry_at = clock_timestamp() + make_interval(secs => case when retry_after_seconds > 0 then least(retry_after_seconds, 3600) end)
    from held
    where deliveries.carrier_id = held.id and deliveries.state = 'pending'
    returning deliveries.webhook_id, deliveries.attempted_at
  )
  update parlance.webhooks
  set failing_since = coalesce(webhooks.failing_since, clock_timestamp()),
    is_enabled = record_delivery_failure.status_code is distinct from 410,
    disabled_at = case when record_delivery_failure.status_code = 410 then clock_timestamp() end,
    disabled_reason = case when record_delivery_failure.status_code = 410 then 'It answered 410 Gone.' end
  from recorded
  where webhooks.id = recorded.webhook_id
    and webhooks.url_since <= recorded.attempted_at
    and webhooks.is_enabled
    and (webhooks.failing_since is null or record_delivery_failure.status_code = 410)
$$;

-- Ends a delivery, in the transaction that ends the job which carries it. Doing it twice changes nothing more. Whoever
-- was reached is not failing; whoever has only failed for three days is called no more.
create function parlance.settle_delivery(
  job_id uuid,
  state parlance.webhook_delivery_state,
  status_code integer default null,
  error_message text default null,
  took_ms integer default null
) returns void
  language sql volatile security definer set search_path = pg_catalog, pg_temp
  as $$
  with settled as (
    update parlance.webhook_deliveries as deliveries
    set state = settle_delivery.state,
      status_code = coalesce(settle_delivery.status_code, deliveries.status_code),
      error_message = case when settle_delivery.state <> 'delivered' then
        coalesce(left(settle_delivery.error_message, 500), deliveries.error_message) end,
      took_ms = coalesce(settle_delivery.took_ms, deliveries.took_ms),
      finished_at = clock_timestamp()
    from parlance.jobs
    where jobs.id = settle_delivery.job_id
      and jobs.finished_at is not null
      and (jobs.state = 'done' or settle_delivery.state <> 'delivered')
      and deliveries.carrier_id = jobs.id
      and deliveries.state = 'pending'
    returning deliveries.webhook_id, deliveries.attempted_at
  )
  update parlance.webhooks
  set failing_since = case when settle_delivery.state = 'failed' then webhooks.failing_since end,
    is_enabled = settle_delivery.state <> 'failed',
    disabled_at = case when settle_delivery.state = 'failed' then clock_timestamp() end,
    disabled_reason = case when settle_delivery.state = 'failed' then 'Every try has failed for three days.' end
  from settled
  where webhooks.id = settled.webhook_id
    and webhooks.url_since <= settled.attempted_at
    and webhooks.is_enabled
    and (
      (settle_delivery.state = 'delivered' and webhooks.failing_since is not null)
      or (settle_delivery.state = 'failed' and webhooks.failing_since < now() - interval '3 days')
    )
$$;

-- Takes a delivery's failure back, where the job that carried it is given another life.
create function parlance.reopen_delivery(job_id uuid) returns void
  language sql volatile security definer set search_path = pg_catalog, pg_temp
  as $$
  update parlance.webhook_deliveries as deliveries
  set state = 'pending',
    finished_at = null,
    retry_at = null
  from parlance.jobs
  where jobs.id = reopen_delivery.job_id
    and jobs.finished_at is null
    and deliveries.carrier_id = jobs.id
    and deliveries.state = 'failed'
$$;

-- ── Keeping ─────────────────────────────────────────────────────────────────────────────────────────────────────────

-- Signs with this secret from now on; the former one signs as well until the time that is answered, a day from now. Of
-- many that were replaced within a day, the three newest do.
create function parlance.renew_webhook_secret(webhook_id uuid, secret text) returns timestamptz
  language sql volatile security definer set search_path = pg_catalog, pg_temp
  as $$
  -- One after the other: only one can be in use.
  select
  from parlance.webhooks
  where webhooks.id = renew_webhook_secret.webhook_id
  for update;
  update parlance.webhook_secrets
  set expires_at = now() + interval '24 hours'
  where webhook_secrets.webhook_id = renew_webhook_secret.webhook_id and webhook_secrets.expires_at is null;
  insert into parlance.webhook_secrets (webhook_id, secret)
  values (renew_webhook_secret.webhook_id, renew_webhook_secret.secret);
  delete from parlance.webhook_secrets as former
  where former.webhook_id = renew_webhook_secret.webhook_id
    and former.expires_at is not null
    and (
      former.expires_at <= now()
      or former.created_at < (
        select recent.created_at
        from parlance.webhook_secrets as recent
        where recent.webhook_id = renew_webhook_secret.webhook_id and recent.expires_at is not null
        order by recent.created_at desc
        offset 2 limit 1
      )
    );
  select now() + interval '24 hours'
$$;

-- Removes rows of the ledger that were made before a time, in one bounded batch; answers how many went. Their ids begin
-- with the time, so that the primary key finds them.
create function parlance.prune_webhook_deliveries(made_before timestamptz, rows_max integer) returns integer
  language sql volatile security definer set search_path = pg_catalog, pg_temp
  as $$
  with gone as (
    delete from parlance.webhook_deliveries
    where webhook_deliveries.id in (
      select old.id
      from parlance.webhook_deliveries as old
      where old.id < encode(overlay(
        '\x00000000000000000000000000000000'::bytea placing
          substring(int8send(floor(extract(epoch from made_before) * 1000)::bigint) from 3) from 1 for 6
      ), 'hex')::uuid
      order by old.id
      limit least(rows_max, 10000)
      for update skip locked
    )
    returning 1
  )
  select count(*)::integer from gone
$$;

revoke all on parlance.webhooks, parlance.webhook_secrets, parlance.webhook_deliveries
  from public, anon, authenticated, service_role;
grant select on parlance.webhooks, parlance.webhook_deliveries to authenticated;
grant select, insert, update, delete on parlance.webhooks to service_role;
grant select, insert, update on parlance.webhook_deliveries to service_role;

revoke all on function
  parlance.limit_webhooks(), parlance.create_id(), parlance.format_time(timestamptz),
  parlance.compose_webhook_data(parlance.jobs), parlance.deliver_job_events(),
  parlance.begin_delivery(uuid, bigint),
  parlance.record_delivery_failure(uuid, bigint, integer, text, integer, integer),
  parlance.settle_delivery(uuid, parlance.webhook_delivery_state, integer, text, integer),
  parlance.reopen_delivery(uuid),
  parlance.renew_webhook_secret(uuid, text),
  parlance.prune_webhook_deliveries(timestamptz, integer)
from public, anon, authenticated, service_role;

grant execute on function
  parlance.begin_delivery(uuid, bigint),
  parlance.record_delivery_failure(uuid, bigint, integer, text, integer, integer)
to parlance_sidecar;
-- Whoever finds a dead worker's lease or cancels the job ends the delivery too.
grant execute on function
  parlance.settle_delivery(uuid, parlance.webhook_delivery_state, integer, text, integer)
to service_role, parlance_sidecar;
grant execute on function
  parlance.reopen_delivery(uuid),
  parlance.renew_webhook_secret(uuid, text),
  parlance.prune_webhook_deliveries(timestamptz, integer)
to service_role;
