-- What people and time do to alerts, and who is told; raise_alerts, two files before, does what firings do.
--
--   state           on                                                            next           told
--   ─────────────── ───────────────────────────────────────────────────────────── ────────────── ──────────────────────────
--   open            somebody takes it on                                          acknowledged   alert.changed, Realtime only
--   acknowledged    that is taken back                                            open           alert.changed, Realtime only
--   open, acknowl.  somebody resolves it (by-hand): the next firing is another    resolved       alert.resolved, else
--                                                                                                alert.changed
--   open, acknowl.  it was quiet for the rule's resolve_minutes (quiet); what     resolved       alert.resolved
--                   was missing is there again (quiet, at once)
--   open, acknowl.  what was missing has been for a week (forgotten); its rule    resolved       alert.resolved
--                   is gone or disabled (rule-changed)
--   open            renotify_minutes since people were told, and it fired since   open           alert.repeated
--   open            nobody was told of it since it began, and it is neither       open           alert.opened
--                   silenced nor flapping any more
--   flapping        it went on for an hour: fired that long after it began        not flapping   as the line above
--   resolved        fires within an hour after it was quiet                       open           alert.opened
--
-- alert.resolved is told where people were told that it began, and it is not silenced. A
-- rate or what is missing is only quiet where the rule was judged since; a rule that cannot be judged resolves nothing.

alter table parlance.interaction_alerts
  add column resolved_by uuid,
  drop constraint resolution_is_known,
  add constraint resolution_is_known check (resolution in ('quiet', 'by-hand', 'rule-changed', 'imported', 'forgotten')),
  add constraint acknowledged_says_when check (state <> 'acknowledged' or acknowledged_at is not null),
  add constraint open_was_not_acknowledged check (state <> 'open' or acknowledged_at is null),
  add constraint who_acknowledged_says_when check (acknowledged_by is null or acknowledged_at is not null),
  add constraint only_by_hand_is_by_somebody check (resolved_by is null or resolution = 'by-hand');

-- The steps of the table above and no others, whoever writes.
create function parlance.follow_alert_states() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp
  as $$
begin
  if old.state = 'resolved' and not (new.state = 'open' and old.resolution = 'quiet' and old.import_id is null) then
    raise exception 'an alert that is resolved (%) does not become %', old.resolution, new.state
      using errcode = 'check_violation', schema = 'parlance', table = 'interaction_alerts', constraint = 'resolved_stays_resolved';
  end if;
  return new;
end
$$;

create trigger follow_alert_states before update of state on parlance.interaction_alerts
  for each row when (old.state is distinct from new.state) execute function parlance.follow_alert_states();

-- ── Rules of rates and of what is missing ───────────────────────────────────────────────────────────────────────────

alter table parlance.interaction_rules
  -- Rates and what is missing: when it is to be judged, and when it last was.
  add column judge_at timestamptz not null default '-infinity',
  add column judged_at timestamptz not null default '-infinity';

create index interaction_rules_to_judge on parlance.interaction_rules (judge_at)
  where is_enabled and condition ->> 'type' in ('rate', 'missing');

create table parlance.rule_sightings (
  rule_id uuid not null references parlance.interaction_rules (id) on delete cascade,
  -- What the rule was of, and what it judges apart, as an MD5.
  key uuid not null,
  last_at timestamptz not null,
  primary key (rule_id, key)
);

comment on table parlance.rule_sightings is
  'When a rule of what is missing last saw it, where finding that anew could mean looking through everything else.';

alter table parlance.rule_sightings enable row level security;
revoke all on parlance.rule_sightings from public, anon, authenticated, service_role;
grant select, insert, update, delete on parlance.rule_sightings to service_role;

-- What is asked for most of all alerts: those that are not over.
create index interaction_alerts_open on parlance.interaction_alerts (owner_id, opened_at desc, id desc)
  where state <> 'resolved';

-- ── Silences ────────────────────────────────────────────────────────────────────────────────────────────────────────

-- Of an owner's rules only, and two hundred that are not over at most: each is asked for each alert that is told.
create function parlance.check_silence() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp
  as $$
begin
  if new.rule_id is not null and not exists (
    select from parlance.interaction_rules as rules
    where rules.id = new.rule_id
      and (rules.owner_id = new.owner_id or (rules.owner_id is null and new.owner_id is null))
  ) then
    raise exception 'a silence is of a rule of its owner'
      using errcode = 'check_violation', schema = 'parlance', table = 'alert_silences', constraint = 'rule_is_of_the_owner';
  end if;
  perform pg_advisory_xact_lock(hashtextextended('parlance.alert_silences ' || coalesce(new.owner_id::text, 'house'), 0));
  if (
    select count(*)
    from parlance.alert_silences as silences
    where (silences.owner_id = new.owner_id or (silences.owner_id is null and new.owner_id is null))
      and silences.ends_at > clock_timestamp()
      and silences.id <> new.id
  ) >= 200 then
    raise exception 'an owner has at most 200 silences that are not over'
      using errcode = 'check_violation', schema = 'parlance', table = 'alert_silences', constraint = 'silences_are_at_most_200';
  end if;
  return new;
end
$$;

create trigger check_silence before insert on parlance.alert_silences
  for each row execute function parlance.check_silence();

-- ── What people do ──────────────────────────────────────────────────────────────────────────────────────────────────

-- Who looks at alerts sees what became of one, where other channels are not told of it.
create function parlance.show_alert(alert parlance.interaction_alerts) returns void
  language sql volatile security definer set search_path = pg_catalog, pg_temp
  as $$
  select parlance.send_alert(alert.owner_id, 'alert.changed', clock_timestamp(), parlance.compose_alert(alert))
$$;

-- Takes on those that are open, or takes that back; answers which. Null for `by_user`: somebody with the secret key.
create function parlance.acknowledge_alerts(ids uuid[], by_user uuid, acknowledged boolean) returns setof uuid
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
  as $$
declare
  alert parlance.interaction_alerts;
begin
  for alert in
    select *
    from parlance.interaction_alerts as alerts
    where alerts.id = any (acknowledge_alerts.ids)
      and alerts.state = case when acknowledge_alerts.acknowledged then 'open' else 'acknowledged' end::parlance.alert_state
    -- As those who raise them take them.
    order by alerts.owner_id, alerts.fingerprint
    for update
  loop
    update parlance.interaction_alerts as alerts
    set state = case when acknowledge_alerts.acknowledged then 'acknowledged' else 'open' end::parlance.alert_state,
      acknowledged_at = case when acknowledge_alerts.acknowledged then clock_timestamp() end,
      acknowledged_by = case when acknowledge_alerts.acknowledged then acknowledge_alerts.by_user end
    where alerts.id = alert.id
    returning * into alert;
    perform parlance.show_alert(alert);
    return next alert.id;
  end loop;
end
$$;

-- Ends those that are not over; answers which.
create function parlance.resolve_alerts(ids uuid[], resolution text, by_user uuid) returns setof uuid
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
  as $$
declare
  alert parlance.interaction_alerts;
  was_told boolean;
begin
  for alert in
    select *
    from parlance.interaction_alerts as alerts
    where alerts.id = any (resolve_alerts.ids) and alerts.state <> 'resolved'
    order by alerts.owner_id, alerts.fingerprint
    for update
  loop
    update parlance.interaction_alerts as alerts
    set state = 'resolved',
      resolved_at = clock_timestamp(),
      resolution = resolve_alerts.resolution,
      resolved_by = resolve_alerts.by_user
    where alerts.id = alert.id
    returning * into alert;
    was_told := false;
    if alert.notified_at >= alert.begun_at then
      was_told := parlance.notify_alert(alert.id, 'alert.resolved');
    end if;
    if not was_told and alert.resolution = 'by-hand' then
      perform parlance.show_alert(alert);
    end if;
    return next alert.id;
  end loop;
end
$$;

-- ── What time does ──────────────────────────────────────────────────────────────────────────────────────────────────

-- Takes what is due of unresolved alerts, in the order of their ids, after one of them; answers a row for each that it took,
-- with what went wrong. What another holds is left to the next round; one that goes wrong holds up no other.
create function parlance.tend_alerts(after uuid, rows_max integer) returns table (id uuid, done text, error text)
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
  as $$
declare
  due record;
begin
  for due in
    select alerts.id, found.is_orphan, found.is_quiet, found.is_steady, found.is_to_repeat
    from parlance.interaction_alerts as alerts
    left join parlance.interaction_rules as rules on rules.id = alerts.rule_id
    cross join lateral (
      select
        rules.id is null or not rules.is_enabled as is_orphan,
        alerts.fired_at + make_interval(mins => rules.resolve_minutes) <= clock_timestamp() and (
          rules.condition ->> 'type' not in ('rate', 'missing')
          or rules.judged_at >= alerts.fired_at + make_interval(mins => rules.resolve_minutes)
        ) as is_quiet,
        alerts.is_flapping and alerts.fired_at - alerts.begun_at >= interval '1 hour' as is_steady,
        alerts.state = 'open' and not alerts.is_flapping
          and coalesce(alerts.notified_at < alerts.begun_at, true) as is_untold,
        alerts.state = 'open' and not alerts.is_flapping and alerts.notified_at >= alerts.begun_at
          and alerts.count > alerts.count_notified
          and alerts.notified_at + make_interval(mins => rules.renotify_minutes) <= clock_timestamp() as is_to_repeat
    ) as found
    where alerts.state <> 'resolved'
      and (tend_alerts.after is null or alerts.id > tend_alerts.after)
      and (
        found.is_orphan or found.is_quiet or found.is_steady
        or ((found.is_untold or found.is_to_repeat) and not parlance.is_silenced(alerts))
      )
    order by alerts.id
    limit tend_alerts.rows_max
    for update of alerts skip locked
  loop
    id := due.id;
    error := null;
    begin
      if due.is_orphan or due.is_quiet then
        done := 'resolved';
        perform parlance.resolve_alerts(array[due.id], case when due.is_orphan then 'rule-changed' else 'quiet' end, null);
      elsif due.is_steady then
        done := 'settled';
        update parlance.interaction_alerts as alerts
        set is_flapping = false, reopened = 0
        where alerts.id = due.id;
        perform parlance.notify_alert(alerts.id, 'alert.opened')
        from parlance.interaction_alerts as alerts
        where alerts.id = due.id and alerts.state = 'open';
      elsif due.is_to_repeat then
        done := 'repeated';
        perform parlance.notify_alert(due.id, 'alert.repeated');
      else
        done := 'opened';
        perform parlance.notify_alert(due.id, 'alert.opened');
      end if;
    exception when others then
      error := sqlerrm;
    end;
    return next;
  end loop;
end
$$;

revoke all on function
  parlance.follow_alert_states(), parlance.check_silence(), parlance.show_alert(parlance.interaction_alerts),
  parlance.acknowledge_alerts(uuid[], uuid, boolean), parlance.resolve_alerts(uuid[], text, uuid),
  parlance.tend_alerts(uuid, integer)
from public, anon, authenticated, service_role;
grant execute on function
  parlance.acknowledge_alerts(uuid[], uuid, boolean), parlance.resolve_alerts(uuid[], text, uuid),
  parlance.tend_alerts(uuid, integer)
to service_role;
