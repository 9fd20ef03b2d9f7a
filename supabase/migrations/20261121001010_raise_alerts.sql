-- Alerts with manners: one unresolved alert for each rule and what it judges apart, that counts instead of repeating itself.
--
--            fires                fires: counted                quiet for resolve_minutes, or by hand
--   (none) ───────▶ open ─────────────────────▶ open ──────────────────────────────────────────────────▶ resolved
--                     └─ by hand ─▶ acknowledged: counted, not told again ──────────────────────────────▶    │
--                     ▲                                                                                      │
--                     └──────────────── fires within an hour after it was quiet: opened again ───────────────┘
--
-- People are told when one is opened and resolved, and again while it goes on where the rule asks for that; not while it
-- is silenced, and not while it flaps: it was opened for the third time within an hour after it was quiet, and neither stayed
-- quiet for an hour since nor went on for one. What an hour apart comes back is another alert.

alter table parlance.interaction_alerts
  -- When it was opened, or opened again: who was told since was told of it as it goes on.
  add column begun_at timestamptz not null default clock_timestamp();

-- Whether nobody is to be told of an alert at this moment. Under the caller's own rights, so that users may ask it too.
create function parlance.is_silenced(alert parlance.interaction_alerts) returns boolean
  language sql stable set search_path = pg_catalog, pg_temp
  as $$
  select exists (
    select from parlance.alert_silences as silences
    where (silences.owner_id = alert.owner_id or (silences.owner_id is null and alert.owner_id is null))
      and clock_timestamp() >= silences.starts_at
      and clock_timestamp() < silences.ends_at
      and (silences.rule_id is null or silences.rule_id = alert.rule_id)
      and (silences.app is null or silences.app = alert.app)
      and (silences.environment is null or silences.environment = alert.environment)
      and (silences.model is null or silences.model = alert.model)
      and (silences.severity_max is null or alert.severity <= silences.severity_max)
  )
$$;

-- What channels tell of an alert; shared/interactions/alerts.ts describes it.
create function parlance.compose_alert(alert parlance.interaction_alerts) returns jsonb
  language sql stable set search_path = pg_catalog, pg_temp
  as $$
  select jsonb_build_object(
    'id', alert.id,
    'ruleId', alert.rule_id,
    'ruleName', alert.rule_name,
    'severity', alert.severity,
    'state', alert.state,
    'app', alert.app,
    'environment', alert.environment,
    'model', alert.model,
    'element', alert.element,
    'metric', alert.metric,
    'value', alert.value,
    'score', alert.score,
    'explanation', alert.evidence ->> 'explanation',
    'count', alert.count,
    'firstSeenAt', parlance.format_time(alert.first_seen_at),
    'lastSeenAt', parlance.format_time(alert.last_seen_at),
    'openedAt', parlance.format_time(alert.opened_at),
    'resolvedAt', parlance.format_time(alert.resolved_at),
    'resolution', alert.resolution
  )
$$;

-- Tells people of an alert unless it is silenced or flaps; answers whether it did.
create function parlance.notify_alert(alert_id uuid, event text) returns boolean
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
  as $$
declare
  alert parlance.interaction_alerts;
begin
  select * into strict alert from parlance.interaction_alerts where id = notify_alert.alert_id for update;
  if alert.is_flapping or parlance.is_silenced(alert) then
    return false;
  end if;
  perform parlance.tell_alert(alert.id, notify_alert.event, parlance.compose_alert(alert));
  update parlance.interaction_alerts
  set notified_at = clock_timestamp(),
    notifications = interaction_alerts.notifications + 1,
    count_notified = interaction_alerts.count
  where interaction_alerts.id = alert.id;
  return true;
end
$$;

-- The alert that a firing belongs to, held: the unresolved one, or one that was quiet for less than an hour. Each is found by an
-- index, however many there were before it.
create function parlance.find_alert_to_raise(owner_id uuid, fingerprint text) returns parlance.interaction_alerts
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
  as $$
declare
  found_alert parlance.interaction_alerts;
begin
  select * into found_alert
  from parlance.interaction_alerts as alerts
  where (
      alerts.owner_id = find_alert_to_raise.owner_id
      or (alerts.owner_id is null and find_alert_to_raise.owner_id is null)
    )
    and alerts.fingerprint = find_alert_to_raise.fingerprint
    and alerts.state <> 'resolved'
  for update;
  if found then
    return found_alert;
  end if;
  select * into found_alert
  from parlance.interaction_alerts as alerts
  where (
      alerts.owner_id = find_alert_to_raise.owner_id
      or (alerts.owner_id is null and find_alert_to_raise.owner_id is null)
    )
    and alerts.fingerprint = find_alert_to_raise.fingerprint
    and alerts.resolved_at > clock_timestamp() - interval '1 hour'
    and alerts.resolution = 'quiet'
  order by alerts.resolved_at desc
  limit 1
  for update;
  return found_alert;
end
$$;

-- Opens or counts alerts, in the transaction that writes the rows that they tell of. A firing is an object with owner_id,
-- rule_id, rule_name, severity, fingerprint, app, environment, model, element, metric, value, score, evidence, occurred_at;
-- interaction_id where it is of one row. Of several with the same fingerprint only the newest needs names, labels, severity and
-- evidence: it is the one with evidence. Rows of imports have a function of their own, raise_import_alerts.
create function parlance.raise_alerts(firings jsonb) returns table (alert_id uuid, fingerprint text, opened boolean)
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
  as $$
declare
  raised record;
  fired jsonb;
  known parlance.interaction_alerts;
begin
  -- Before any alert: who changes or deletes a rule holds it `for update` first, and its alerts after.
  perform
  from parlance.interaction_rules as rules
  where rules.id in (select (one ->> 'rule_id')::uuid from jsonb_array_elements(raise_alerts.firings) as one)
  order by rules.id
  for key share;
  -- In the order of fingerprints: two that raise the same ones do not wait for each other in a circle.
  for raised in
    select
      (one ->> 'owner_id')::uuid as owner_id,
      one ->> 'fingerprint' as fingerprint,
      count(*)::integer as times,
      min((one ->> 'occurred_at')::timestamptz) as first_seen_at,
      max((one ->> 'occurred_at')::timestamptz) as last_seen_at,
      (array_agg(one order by one ? 'evidence' desc, (one ->> 'occurred_at')::timestamptz desc))[1] as newest,
      jsonb_agg(one) as all_of_it
    from jsonb_array_elements(raise_alerts.firings) as one
    group by 1, 2
    order by 1, (one ->> 'fingerprint') collate "C"
  loop
    fired := raised.newest;
    opened := false;
    -- What is found to be there may be resolved before it is held, and what is missing be opened by another.
    for attempt in 1..100 loop
      known := parlance.find_alert_to_raise(raised.owner_id, raised.fingerprint);
      exit when known.id is not null;
      insert into parlance.interaction_alerts (
        owner_id, rule_id, rule_name, severity, fingerprint, app, environment, model, element, metric, count, first_seen_at,
        last_seen_at, value, score, evidence
      )
      select
        raised.owner_id, rules.id, fired ->> 'rule_name', (fired ->> 'severity')::parlance.alert_severity,
        raised.fingerprint, fired ->> 'app', fired ->> 'environment', fired ->> 'model', fired ->> 'element',
        fired ->> 'metric', raised.times, raised.first_seen_at, raised.last_seen_at, (fired ->> 'value')::float8,
        (fired ->> 'score')::float8, fired -> 'evidence'
      from (values ((fired ->> 'rule_id')::uuid)) as named (id)
      -- Deleted meanwhile: the alert stands without it.
      left join parlance.interaction_rules as rules on rules.id = named.id
      on conflict do nothing
      returning * into known;
      opened := found;
      exit when opened;
    end loop;
    if known.id is null then
      raise exception 'an alert was opened and resolved by others again and again' using errcode = 'serialization_failure';
    end if;
    if not opened then
      opened := known.state = 'resolved';
      -- What comes late does not take the place of what happened after it.
      if raised.last_seen_at >= known.last_seen_at then
        known.value := (fired ->> 'value')::float8;
        known.score := (fired ->> 'score')::float8;
        known.evidence := fired -> 'evidence';
      end if;
      -- After it went on for an hour it is not one that comes and goes.
      if opened then
        known.reopened := case when known.fired_at - known.begun_at < interval '1 hour' then known.reopened else 0 end + 1;
      end if;
      update parlance.interaction_alerts as alerts
      set count = alerts.count + raised.times,
        first_seen_at = least(alerts.first_seen_at, raised.first_seen_at),
        last_seen_at = greatest(alerts.last_seen_at, raised.last_seen_at),
        value = known.value,
        score = known.score,
        evidence = known.evidence,
        severity = (fired ->> 'severity')::parlance.alert_severity,
        fired_at = clock_timestamp(),
        state = case when opened then 'open' else alerts.state end,
        begun_at = case when opened then clock_timestamp() else alerts.begun_at end,
        acknowledged_at = case when opened then null else alerts.acknowledged_at end,
        acknowledged_by = case when opened then null else alerts.acknowledged_by end,
        resolved_at = case when opened then null else alerts.resolved_at end,
        resolution = case when opened then null else alerts.resolution end,
        reopened = known.reopened,
        is_flapping = case when opened then known.reopened >= 3 else alerts.is_flapping end
      where alerts.id = known.id;
    end if;
    insert into parlance.alert_firings (alert_id, interaction_id, owner_id, occurred_at, value, score)
    select
      known.id, (one ->> 'interaction_id')::uuid, raised.owner_id, (one ->> 'occurred_at')::timestamptz,
      (one ->> 'value')::float8, (one ->> 'score')::float8
    from jsonb_array_elements(raised.all_of_it) as one
    where one ->> 'interaction_id' is not null
    on conflict do nothing;
    if opened then
      perform parlance.notify_alert(known.id, 'alert.opened');
    end if;
    alert_id := known.id;
    fingerprint := raised.fingerprint;
    return next;
  end loop;
end
$$;

revoke all on function
  parlance.is_silenced(parlance.interaction_alerts), parlance.compose_alert(parlance.interaction_alerts),
  parlance.notify_alert(uuid, text), parlance.find_alert_to_raise(uuid, text), parlance.raise_alerts(jsonb)
from public, anon, authenticated, service_role;
grant execute on function
  parlance.is_silenced(parlance.interaction_alerts), parlance.compose_alert(parlance.interaction_alerts),
  parlance.notify_alert(uuid, text), parlance.raise_alerts(jsonb)
to service_role;
-- Lists say which alerts are silenced; silences of others are not seen by it.
grant execute on function parlance.is_silenced(parlance.interaction_alerts) to authenticated;
