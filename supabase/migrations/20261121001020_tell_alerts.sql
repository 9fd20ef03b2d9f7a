-- Alerts reach people: by Realtime, by webhooks and by e-mail. All of it is written in the transaction that changes the
-- alert, so nobody hears of what was rolled back, and nothing of it can keep an alert from being raised.
--
--   notify_alert ─▶ tell_alert ─┬▶ realtime.send on user:<owner>, or house
--                               ├▶ webhook_deliveries + job webhooks.deliver-event, for each webhook that asked
--                               └▶ job alerts.send-mail, where the owner's settings name an address

-- ── What webhooks may ask to hear ───────────────────────────────────────────────────────────────────────────────────

alter table parlance.webhooks
  -- How a message is written: signed JSON, or as incoming webhooks of Slack take it.
  add column format text not null default 'standard',
  -- Of alerts, only these and graver ones; null: all.
  add column severity_min parlance.alert_severity,
  drop constraint events_are_known,
  add constraint events_are_known check (
    cardinality(events) between 1 and 5
    and events <@ array['job.done', 'job.failed', 'alert.opened', 'alert.repeated', 'alert.resolved']
  ),
  add constraint format_is_known check (format in ('standard', 'slack'));

comment on table parlance.webhooks is
  'Addresses that are called when jobs of an owner end and of alerts; without an owner, those of the house.';

alter table parlance.webhook_deliveries
  -- The alert that it tells of, which may be gone before it.
  add column alert_id uuid,
  drop constraint event_is_known,
  add constraint event_is_known check (
    event in ('job.done', 'job.failed', 'webhook.test', 'alert.opened', 'alert.repeated', 'alert.resolved')
  ),
  add constraint only_events_of_alerts_name_one check ((alert_id is not null) = (event like 'alert.%'));

-- As before, and e-mails about alerts are not told of either, nor what is done every minute.
create or replace function parlance.deliver_job_events() returns trigger
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
        and jobs.kind not in ('webhooks.deliver-event', 'alerts.send-mail')
        and not (jobs.kind = 'interactions.watch' and added.event = 'job.done')
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

-- ── Telling ─────────────────────────────────────────────────────────────────────────────────────────────────────────

-- Tells people of an alert: what `data` says of it, or the alert as it stands. Whose it is and how grave stands in its row,
-- whatever the caller says. Where as much waits as may, a delivery fails and a mail is not written.
create function parlance.tell_alert(alert_id uuid, event text, data jsonb) returns void
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
  as $$
declare
  alert parlance.interaction_alerts;
  told jsonb;
  at timestamptz := clock_timestamp();
begin
  if event not in ('alert.opened', 'alert.repeated', 'alert.resolved') then
    raise exception 'there is no event % of alerts', event using errcode = 'invalid_parameter_value';
  end if;
  select * into alert from parlance.interaction_alerts where interaction_alerts.id = tell_alert.alert_id;
  if not found then
    return;
  end if;
  told := coalesce(data, parlance.compose_alert(alert)) || jsonb_build_object('id', alert.id, 'severity', alert.severity);
  told := told || jsonb_build_object('explanation', left(told ->> 'explanation', 1000));
  perform parlance.send_alert(alert.owner_id, event, at, told);
  perform parlance.deliver_alert(alert, event, at, told);
  perform parlance.mail_alert(alert, event, at, told);
end
$$;

-- On the owner's private topic. More than twenty in one transaction are told as one `alerts.changed`: who listens asks for
-- the list.
create function parlance.send_alert(owner_id uuid, event text, at timestamptz, told jsonb) returns void
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
  as $$
declare
  topic text := coalesce('user:' || owner_id::text, 'house');
  heard text := coalesce(current_setting('parlance.alerts_heard', true), '');
  times integer := case when split_part(heard, ' ', 1) = topic then split_part(heard, ' ', 2)::integer else 0 end + 1;
begin
  perform set_config('parlance.alerts_heard', topic || ' ' || times, true);
  if times <= 20 then
    perform realtime.send(
      jsonb_build_object('id', parlance.create_id(), 'event', event, 'at', parlance.format_time(at), 'alert', told),
      event, topic, true
    );
  elsif times = 21 then
    perform realtime.send(
      jsonb_build_object('id', parlance.create_id(), 'event', 'alerts.changed', 'at', parlance.format_time(at)),
      'alerts.changed', topic, true
    );
  end if;
end
$$;

-- A row of the ledger and a job that carries it for each enabled webhook of the owner that wants to hear of it.
create function parlance.deliver_alert(alert parlance.interaction_alerts, event text, at timestamptz, told jsonb) returns void
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
  as $$
declare
  carriers jsonb;
begin
  with pending as (
    insert into parlance.webhook_deliveries (id, webhook_id, owner_id, event, alert_id, data, occurred_at, carrier_id)
    select
      parlance.create_id(), webhooks.id, webhooks.owner_id, deliver_alert.event, alert.id, told, at, parlance.create_id()
    from parlance.webhooks
    where (webhooks.owner_id = alert.owner_id or (webhooks.owner_id is null and alert.owner_id is null))
      and webhooks.is_enabled
      and deliver_alert.event = any (webhooks.events)
      and (webhooks.severity_min is null or webhooks.severity_min <= alert.severity)
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
  )) into carriers
  from pending;
  if carriers is null then
    return;
  end if;
  perform parlance.add_jobs(carriers);
exception when sqlstate 'PQ429' then
  -- What this block wrote is undone; the ledger says what was not sent.
  insert into parlance.webhook_deliveries
    (id, webhook_id, owner_id, event, alert_id, data, occurred_at, carrier_id, state, error_message, finished_at)
  select
    (refused.payload ->> 'deliveryId')::uuid, refused.subject_id, alert.owner_id, deliver_alert.event, alert.id, told, at,
    refused.id, 'failed', 'As many of your jobs are waiting as may.', clock_timestamp()
  from jsonb_to_recordset(carriers) as refused (id uuid, subject_id uuid, payload jsonb);
end
$$;

-- An e-mail where the owner's settings name an address for alerts so grave. The id of its job follows from what it tells, so
-- that the same is not sent twice: it is told again only when the alert was counted or told of meanwhile.
create function parlance.mail_alert(alert parlance.interaction_alerts, event text, at timestamptz, told jsonb) returns void
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
  as $$
declare
  once text := concat_ws(' ', alert.id, event, alert.count, alert.notifications);
begin
  if not exists (
    select from parlance.interaction_settings as settings
    where (settings.owner_id = alert.owner_id or (settings.owner_id is null and alert.owner_id is null))
      and settings.alert_email is not null
      and settings.alert_email_severity_min <= alert.severity
  ) then
    return;
  end if;
  perform parlance.add_jobs(jsonb_build_array(jsonb_build_object(
    -- A UUIDv8 (RFC 9562, 5.8) of its SHA-256.
    'id', encode(
      set_byte(set_byte(hashed.id, 6, get_byte(hashed.id, 6) & 15 | 128), 8, get_byte(hashed.id, 8) & 63 | 128), 'hex'
    )::uuid,
    'kind', 'alerts.send-mail',
    'lane', 'bulk',
    'clock', 'calls',
    'payload', jsonb_build_object('event', event, 'at', parlance.format_time(at), 'alert', told),
    'owner_id', alert.owner_id,
    'subject_id', alert.id,
    'unique_key', once,
    'attempts_max', 10,
    'deadline_seconds', 86400,
    'queued_per_owner_max', case when alert.owner_id is not null then 1000 end
  )))
  from (select substring(sha256(convert_to('alerts.send-mail ' || once, 'utf8')) from 1 for 16) as id) as hashed;
exception when sqlstate 'PQ429' then
  return;
end
$$;

-- ── Delivering, by whoever holds the job ────────────────────────────────────────────────────────────────────────────

-- As before, with how the message is to be written.
drop function parlance.begin_delivery(uuid, bigint);
create function parlance.begin_delivery(job_id uuid, claim bigint) returns table (
  id uuid, url text, format text, secrets text[], event text, data jsonb, occurred_at timestamptz
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
    deliveries.id, webhooks.url, webhooks.format,
    array(
      select webhook_secrets.secret
      from parlance.webhook_secrets
      where webhook_secrets.webhook_id = webhooks.id
        and (webhook_secrets.expires_at is null or webhook_secrets.expires_at > now())
      order by webhook_secrets.expires_at desc nulls first
    ),
    deliveries.event, deliveries.data, deliveries.occurred_at
$$;

-- Keeps what a failed try met; the claim fences it. An address that answers 410 does not want to be called again; one of Slack
-- says that with 404 too. One that asks for time is given an hour at most.
create or replace function parlance.record_delivery_failure(
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
  ), judged as (
    select
      recorded.webhook_id, recorded.attempted_at,
      case
        when record_delivery_failure.status_code = 410 then 'It answered 410 Gone.'
        when record_delivery_failure.status_code = 404 and webhooks.format = 'slack' then 'It answered 404 Not Found.'
      end as gone
    from recorded
    join parlance.webhooks on webhooks.id = recorded.webhook_id
  )
  update parlance.webhooks
  set failing_since = coalesce(webhooks.failing_since, clock_timestamp()),
    is_enabled = judged.gone is null,
    disabled_at = case when judged.gone is not null then clock_timestamp() end,
    disabled_reason = judged.gone
  from judged
  where webhooks.id = judged.webhook_id
    and webhooks.url_since <= judged.attempted_at
    and webhooks.is_enabled
    and (webhooks.failing_since is null or judged.gone is not null)
$$;

-- Begins a try of a mail: to which address, as the settings name it now; no row where the claim is lost or nobody wants
-- mail any more. Thirty go out at once, and then one every two minutes: what is beyond that may not be sent, and the last one
-- before says so.
create function parlance.begin_alert_mail(job_id uuid, claim bigint)
  returns table (address text, may_be_sent boolean, is_last boolean)
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
  as $$
declare
  held record;
begin
  select jobs.owner_id, jobs.attempts, settings.alert_email as address into held
  from parlance.jobs
  join parlance.interaction_settings as settings
    on (settings.owner_id = jobs.owner_id or (settings.owner_id is null and jobs.owner_id is null))
  where jobs.id = begin_alert_mail.job_id
    and jobs.claim = begin_alert_mail.claim
    and jobs.kind = 'alerts.send-mail'
    and settings.alert_email is not null
  for share of jobs;
  if not found then
    return;
  end if;
  if held.attempts > 1 then
    return query select held.address, true, false;
    return;
  end if;
  return query
    select held.address, tokens.allowed, tokens.allowed and tokens.remaining < 1
    from parlance.take_tokens('alert-mail ' || coalesce(held.owner_id::text, 'house'), 'mail', 30, 1.0 / 120) as tokens;
end
$$;

revoke all on function
  parlance.tell_alert(uuid, text, jsonb),
  parlance.send_alert(uuid, text, timestamptz, jsonb),
  parlance.deliver_alert(parlance.interaction_alerts, text, timestamptz, jsonb),
  parlance.mail_alert(parlance.interaction_alerts, text, timestamptz, jsonb),
  parlance.deliver_job_events(),
  parlance.begin_delivery(uuid, bigint),
  parlance.record_delivery_failure(uuid, bigint, integer, text, integer, integer),
  parlance.begin_alert_mail(uuid, bigint)
from public, anon, authenticated, service_role;

grant execute on function parlance.tell_alert(uuid, text, jsonb) to service_role;
grant execute on function
  parlance.begin_delivery(uuid, bigint),
  parlance.record_delivery_failure(uuid, bigint, integer, text, integer, integer),
  parlance.begin_alert_mail(uuid, bigint)
to parlance_sidecar;
