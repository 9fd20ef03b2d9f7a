-- The rows of an import are judged in the order of their times, each by what was before it. What they make fire is nobody's to act
-- on: an alert for each rule and what it judges apart, over when it is made, and told to nobody.

create index interactions_of_an_import on parlance.interactions (import_id, occurred_at, id) where import_id is not null;

-- Counts what fired: as raise_alerts, for many rows at once. `heads` has an object for each fingerprint, with place, fingerprint,
-- rule_id, rule_name, severity, app, environment, model, element, metric, count, first_seen_at, last_seen_at and the newest value,
-- score and evidence. The lists have an entry for each row that fired, `places` saying of which head. Answers how many alerts the
-- import did not have before.
create function parlance.raise_import_alerts(
  import_id uuid, owner_id uuid, heads jsonb, places integer[], interaction_ids uuid[], occurred_at timestamptz[],
  fired_values float8[], scores float8[]
) returns integer
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
  as $$
#variable_conflict use_column
declare
  opened integer;
begin
  -- Before any alert: who changes or deletes a rule holds it `for update` first, and its alerts after.
  perform
  from parlance.interaction_rules as rules
  where rules.id in (select (head ->> 'rule_id')::uuid from jsonb_array_elements(raise_import_alerts.heads) as head)
  order by rules.id
  for key share;
  with named as materialized (
    select *
    from jsonb_to_recordset(raise_import_alerts.heads) as heads (
      place integer, fingerprint text, rule_id uuid, rule_name text, severity parlance.alert_severity, app text,
      environment text, model text, element text, metric text, count integer, first_seen_at timestamptz,
      last_seen_at timestamptz, value float8, score float8, evidence jsonb
    )
  ), raised as (
    insert into parlance.interaction_alerts as alerts (
      owner_id, rule_id, rule_name, severity, fingerprint, app, environment, model, element, metric, count, first_seen_at,
      last_seen_at, value, score, evidence, import_id, state, resolved_at, resolution
    )
    select
      raise_import_alerts.owner_id, rules.id, named.rule_name, named.severity, named.fingerprint, named.app,
      named.environment, named.model, named.element, named.metric, named.count, named.first_seen_at, named.last_seen_at,
      named.value, named.score, named.evidence, raise_import_alerts.import_id, 'resolved', clock_timestamp(), 'imported'
    from named
    -- Deleted meanwhile: the alert stands without it.
    left join parlance.interaction_rules as rules on rules.id = named.rule_id
    order by named.fingerprint
    on conflict (import_id, fingerprint) where import_id is not null do update
    set count = alerts.count + excluded.count,
      first_seen_at = least(alerts.first_seen_at, excluded.first_seen_at),
      last_seen_at = greatest(alerts.last_seen_at, excluded.last_seen_at),
      value = case when excluded.last_seen_at >= alerts.last_seen_at then excluded.value else alerts.value end,
      score = case when excluded.last_seen_at >= alerts.last_seen_at then excluded.score else alerts.score end,
      evidence = case when excluded.last_seen_at >= alerts.last_seen_at then excluded.evidence else alerts.evidence end,
      fired_at = clock_timestamp()
    returning id, fingerprint, count
  ), held as (
    -- One that was deleted meanwhile fired nothing that could be shown, and no other is deleted until this is done. Whoever deletes
    -- many takes them in the same order.
    select id
    from parlance.interactions
    where id = any(raise_import_alerts.interaction_ids)
    order by id
    for key share
  ), fired as (
    insert into parlance.alert_firings (alert_id, interaction_id, owner_id, occurred_at, value, score)
    select raised.id, rows.interaction_id, raise_import_alerts.owner_id, rows.occurred_at, rows.value, rows.score
    from unnest(
      raise_import_alerts.places, raise_import_alerts.interaction_ids, raise_import_alerts.occurred_at,
      raise_import_alerts.fired_values, raise_import_alerts.scores
    ) as rows (place, interaction_id, occurred_at, value, score)
    join held on held.id = rows.interaction_id
    join named on named.place = rows.place
    join raised on raised.fingerprint = named.fingerprint
    on conflict do nothing
  )
  select count(*) into opened
  from raised
  join named on named.fingerprint = raised.fingerprint
  where raised.count = named.count;
  return opened;
end
$$;

revoke all on function
  parlance.raise_import_alerts(uuid, uuid, jsonb, integer[], uuid[], timestamptz[], float8[], float8[])
from public, anon, authenticated, service_role;
grant execute on function
  parlance.raise_import_alerts(uuid, uuid, jsonb, integer[], uuid[], timestamptz[], float8[], float8[])
to service_role;
