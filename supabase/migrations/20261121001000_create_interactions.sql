-- What was said to models and what they said: a log that only grows, its statistics by hour, and the rules that keep watch.
--
--   POST, OTLP, import ─▶ interactions + one batch ──fold──▶ interaction_hours ─▶ fences ─▶ rules ─▶ alerts ─▶ people
--                         (one transaction)          (once)
--
-- A batch is what was written together. It is folded into the hours once, in one transaction, by whoever holds the row of
-- its owner's settings; so a statement that logs never waits for a statistic. What is deleted later stays in the
-- statistics, which hold no text.
--
-- Rows are written by the service role; users read their own.

create type parlance.alert_severity as enum ('info', 'warning', 'critical');
create type parlance.alert_state as enum ('open', 'acknowledged', 'resolved');
create type parlance.interaction_import_state as enum ('uploading', 'queued', 'running', 'done', 'failed', 'cancelled');

-- ── An owner's settings ─────────────────────────────────────────────────────────────────────────────────────────────

create table parlance.interaction_settings (
  id uuid primary key default parlance.create_id(),
  owner_id uuid references auth.users (id) on delete cascade,
  -- What is left out of texts before they are stored.
  redact text[] not null default '{}',
  -- Null: kept for ever.
  retention_days integer,
  -- {"app": days or null}: in place of the above.
  retention_days_by_app jsonb not null default '{}',
  -- Null: nobody is sent e-mails.
  alert_email text,
  alert_email_severity_min parlance.alert_severity not null default 'warning',
  folded_at timestamptz not null default '-infinity',
  created_at timestamptz not null default now(),
  constraint owners_have_one unique nulls not distinct (owner_id),
  constraint redact_is_known check (redact <@ array['email', 'phone', 'card', 'key'] and cardinality(redact) <= 4),
  constraint retention_is_sensible check (retention_days between 1 and 36500),
  constraint retention_by_app_is_a_small_object check (
    jsonb_typeof(retention_days_by_app) = 'object' and octet_length(retention_days_by_app::text) <= 20000
  ),
  constraint email_is_short check (length(alert_email) between 3 and 254)
);

comment on table parlance.interaction_settings is 'How an owner wants interactions kept; its row is held by whoever folds the owner''s batches.';

-- ── The log ─────────────────────────────────────────────────────────────────────────────────────────────────────────

create table parlance.interaction_groups (
  id integer generated always as identity primary key,
  owner_id uuid references auth.users (id) on delete cascade,
  app text not null,
  -- Empty where they were not told.
  environment text not null,
  model text not null,
  created_at timestamptz not null default now(),
  constraint groups_are_told_apart unique nulls not distinct (owner_id, app, environment, model),
  constraint app_is_short check (length(app) between 1 and 64),
  constraint environment_is_short check (length(environment) <= 64),
  constraint model_is_short check (length(model) <= 128)
);

comment on table parlance.interaction_groups is 'Which app, environment and model: statistics are kept for each.';

create table parlance.interaction_batches (
  id uuid primary key,
  owner_id uuid references auth.users (id) on delete cascade,
  rows integer not null,
  first_at timestamptz not null,
  last_at timestamptz not null,
  -- Hashes of the words that stand in any of its texts.
  words integer[] not null,
  -- Null: not in the statistics yet.
  folded_at timestamptz,
  created_at timestamptz not null default now(),
  constraint batch_has_rows check (rows between 1 and 5000),
  constraint times_are_in_order check (first_at <= last_at)
);

comment on table parlance.interaction_batches is 'Interactions that were written together: the unit of folding, and of searching for words.';

create index interaction_batches_to_fold on parlance.interaction_batches (owner_id, id) where folded_at is null;
create index interaction_batches_with_words on parlance.interaction_batches using gin (words);

create table parlance.interactions (
  id uuid primary key,
  owner_id uuid references auth.users (id) on delete cascade,
  group_id integer not null references parlance.interaction_groups (id) on delete cascade,
  -- No reference: a batch may be gone when all of its rows are.
  batch_id uuid not null,
  session_id text,
  user_label text,
  provider text,
  input text not null,
  output text not null,
  input_tokens integer,
  output_tokens integer,
  latency_ms float8,
  cost_usd float8,
  tags text[] not null default '{}',
  occurred_at timestamptz not null,
  created_at timestamptz not null default now(),
  -- By the number of the metric, from 1; null where it says nothing of this row.
  metric_values float8[] not null,
  -- The largest number of a metric that it was measured by.
  metric_edition smallint not null,
  input_language text,
  output_language text,
  import_id uuid,
  -- What makes it the same row when it comes again; null where it cannot.
  row_hash uuid,
  constraint texts_are_not_endless check (length(input) <= 200000 and length(output) <= 200000),
  constraint labels_are_short check (
    length(session_id) <= 200 and length(user_label) <= 200 and length(provider) <= 64
    and length(input_language) <= 16 and length(output_language) <= 16
  ),
  constraint tags_are_few check (cardinality(tags) <= 20 and array_position(tags, null) is null),
  constraint metrics_are_few check (cardinality(metric_values) <= 500)
);

comment on table parlance.interactions is 'What a model was asked and what it answered, with what was measured of it.';

-- Its texts are compressed early: what is looked through for other columns stays small.
create index interactions_of_an_owner on parlance.interactions (owner_id, occurred_at desc, id desc);
create index interactions_of_a_group on parlance.interactions (group_id, occurred_at desc, id desc);
create index interactions_of_a_batch on parlance.interactions (batch_id);
create index interactions_of_a_session on parlance.interactions (owner_id, session_id, occurred_at, id) where session_id is not null;
create index interactions_by_hash on parlance.interactions (owner_id, row_hash) where row_hash is not null;
create index interactions_measured_before on parlance.interactions (metric_edition, id);

-- ── Statistics ──────────────────────────────────────────────────────────────────────────────────────────────────────

create table parlance.interaction_hours (
  group_id integer not null references parlance.interaction_groups (id) on delete cascade,
  metric smallint not null,
  -- Since 1970, UTC; of a day its first.
  hour integer not null,
  -- 24 where hours were rolled up into a day.
  hours smallint not null default 1,
  count integer not null,
  mean float8 not null,
  m2 float8 not null,
  min float8 not null,
  max float8 not null,
  -- A sketch of the values: keys of its buckets in ascending order, and how many values each has.
  keys integer[] not null,
  counts integer[] not null,
  primary key (group_id, metric, hour),
  constraint span_is_an_hour_or_a_day check (hours = 1 or (hours = 24 and hour % 24 = 0)),
  constraint hour_has_values check (count > 0),
  constraint buckets_have_counts check (cardinality(keys) = cardinality(counts))
);

comment on table parlance.interaction_hours is 'Count, mean, spread and quantiles of a metric in an hour (or day), in a form that merges.';

-- ── Rules ───────────────────────────────────────────────────────────────────────────────────────────────────────────

create table parlance.interaction_rules (
  id uuid primary key,
  owner_id uuid references auth.users (id) on delete cascade,
  name text not null,
  is_enabled boolean not null default true,
  severity parlance.alert_severity not null default 'warning',
  -- `input`, `output` or `pair`, and the name of a metric; null where the condition is of none.
  element text,
  metric text,
  -- Null: of all.
  apps text[],
  environments text[],
  models text[],
  -- Any of them.
  tags text[],
  -- As shared/interactions/rules.ts describes it.
  condition jsonb not null,
  -- What is judged apart: some of app, environment, model.
  group_by text[] not null default '{}',
  -- Tells again of an alert that goes on; null: once.
  renotify_minutes integer,
  -- An alert that was quiet for so long is over.
  resolve_minutes integer not null default 60,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint name_is_short check (length(name) between 1 and 100),
  constraint names_are_told_apart unique nulls not distinct (owner_id, name),
  constraint element_is_known check (element in ('input', 'output', 'pair')),
  constraint element_goes_with_a_metric check ((element is null) = (metric is null)),
  constraint condition_is_a_small_object check (jsonb_typeof(condition) = 'object' and octet_length(condition::text) <= 4000),
  constraint groups_are_known check (group_by <@ array['app', 'environment', 'model'] and cardinality(group_by) <= 3),
  constraint filters_are_short check (
    coalesce(cardinality(apps), 1) between 1 and 50 and coalesce(cardinality(environments), 1) between 1 and 50
    and coalesce(cardinality(models), 1) between 1 and 50 and coalesce(cardinality(tags), 1) between 1 and 50
  ),
  constraint minutes_are_sensible check (
    renotify_minutes between 1 and 100000 and resolve_minutes between 1 and 100000
  )
);

comment on table parlance.interaction_rules is 'What is watched: a metric, of which interactions, and when it is out of order.';

create index interaction_rules_of_an_owner on parlance.interaction_rules (owner_id, id desc);

create table parlance.interaction_fences (
  rule_id uuid not null references parlance.interaction_rules (id) on delete cascade,
  -- What the rule judges apart, as text; empty where it judges all together.
  group_key text not null,
  hour integer not null,
  -- Null: there is too little history.
  fences jsonb,
  computed_at timestamptz not null default now(),
  primary key (rule_id, group_key, hour)
);

comment on table parlance.interaction_fences is 'The bounds that outlier rules worked out of the statistics, so that judging a row reads one.';

-- ── Alerts ──────────────────────────────────────────────────────────────────────────────────────────────────────────

create table parlance.interaction_alerts (
  id uuid primary key default parlance.create_id(),
  owner_id uuid references auth.users (id) on delete cascade,
  -- Null: the rule is gone.
  rule_id uuid references parlance.interaction_rules (id) on delete set null,
  rule_name text not null,
  severity parlance.alert_severity not null,
  -- The rule and what it judges apart: of each one alert is unresolved at most.
  fingerprint text not null,
  -- Null where the rule does not judge it apart.
  app text,
  environment text,
  model text,
  element text,
  metric text,
  state parlance.alert_state not null default 'open',
  -- How often the condition held since it was opened.
  count integer not null default 1,
  -- When what it tells of happened, first and last.
  first_seen_at timestamptz not null,
  last_seen_at timestamptz not null,
  -- The newest value, how far out it was, and what it was held against (shared/interactions/alerts.ts).
  value float8,
  score float8,
  evidence jsonb not null,
  -- Rows of an import are judged and tell nobody.
  import_id uuid,
  opened_at timestamptz not null default clock_timestamp(),
  -- When the condition was last found to hold, by the clock here.
  fired_at timestamptz not null default clock_timestamp(),
  acknowledged_at timestamptz,
  acknowledged_by uuid,
  resolved_at timestamptz,
  resolution text,
  -- Times it came back within an hour after it was quiet.
  reopened integer not null default 0,
  is_flapping boolean not null default false,
  -- Null: nobody was told yet.
  notified_at timestamptz,
  notifications integer not null default 0,
  count_notified integer not null default 0,
  constraint evidence_is_a_small_object check (jsonb_typeof(evidence) = 'object' and octet_length(evidence::text) <= 20000),
  constraint resolved_says_when check ((state = 'resolved') = (resolved_at is not null)),
  constraint resolved_says_why check ((state = 'resolved') = (resolution is not null)),
  constraint resolution_is_known check (resolution in ('quiet', 'by-hand', 'rule-changed', 'imported')),
  constraint imported_alerts_are_over check (import_id is null or state = 'resolved')
);

comment on table parlance.interaction_alerts is 'That a rule''s condition holds, once for as long as it does, with how often.';

create unique index interaction_alerts_unresolved on parlance.interaction_alerts (owner_id, fingerprint)
  nulls not distinct where state <> 'resolved';
create unique index interaction_alerts_of_an_import on parlance.interaction_alerts (import_id, fingerprint)
  where import_id is not null;
create index interaction_alerts_of_an_owner on parlance.interaction_alerts (owner_id, opened_at desc, id desc);
create index interaction_alerts_of_a_rule on parlance.interaction_alerts (rule_id);
create index interaction_alerts_by_fingerprint on parlance.interaction_alerts (owner_id, fingerprint, resolved_at desc);
create index interaction_alerts_to_tend on parlance.interaction_alerts (fired_at) where state <> 'resolved';

create table parlance.alert_firings (
  alert_id uuid not null references parlance.interaction_alerts (id) on delete cascade,
  interaction_id uuid not null references parlance.interactions (id) on delete cascade,
  owner_id uuid,
  occurred_at timestamptz not null,
  value float8 not null,
  score float8,
  primary key (interaction_id, alert_id)
);

comment on table parlance.alert_firings is 'Which interactions an alert tells of.';

create index alert_firings_of_an_alert on parlance.alert_firings (alert_id, occurred_at desc, interaction_id desc);
create index alert_firings_of_an_owner on parlance.alert_firings (owner_id, occurred_at desc, interaction_id desc);

create table parlance.alert_silences (
  id uuid primary key,
  owner_id uuid references auth.users (id) on delete cascade,
  -- Null: any.
  rule_id uuid references parlance.interaction_rules (id) on delete cascade,
  app text,
  environment text,
  model text,
  -- This severity and lesser ones.
  severity_max parlance.alert_severity,
  reason text not null default '',
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  created_at timestamptz not null default now(),
  constraint silence_ends check (starts_at < ends_at and ends_at <= starts_at + interval '366 days'),
  constraint reason_is_short check (length(reason) <= 500)
);

comment on table parlance.alert_silences is 'Until when nobody is told of which alerts; they are opened and counted all the same.';

create index alert_silences_of_an_owner on parlance.alert_silences (owner_id, ends_at desc);

-- ── Imports and back-tests ──────────────────────────────────────────────────────────────────────────────────────────

create table parlance.interaction_imports (
  id uuid primary key,
  owner_id uuid references auth.users (id) on delete cascade,
  file_name text not null,
  -- Where the file lies in storage; a sweep removes it when the import is over.
  path text not null,
  size_bytes bigint,
  -- How it is to be read: format, delimiter, mapping, what to do with known rows (shared/interactions/imports.ts).
  options jsonb not null,
  -- What was found out about the file: encoding, delimiter, columns.
  findings jsonb not null default '{}',
  state parlance.interaction_import_state not null,
  job_id uuid,
  bytes_done bigint not null default 0,
  rows_landed integer not null default 0,
  rows_refused integer not null default 0,
  -- Those that an earlier import brought.
  rows_known integer not null default 0,
  alerts integer not null default 0,
  error_code text,
  error_message text,
  created_at timestamptz not null default now(),
  finished_at timestamptz,
  constraint file_name_is_short check (length(file_name) between 1 and 255),
  constraint size_is_sensible check (size_bytes between 0 and 1073741824),
  constraint options_are_small check (jsonb_typeof(options) = 'object' and octet_length(options::text) <= 10000),
  constraint finished_says_when check ((state in ('done', 'failed', 'cancelled')) = (finished_at is not null))
);

comment on table parlance.interaction_imports is 'Files of interactions: how far each is, and what came of it.';

create index interaction_imports_of_an_owner on parlance.interaction_imports (owner_id, id desc);
create index interaction_imports_open on parlance.interaction_imports (created_at) where finished_at is null;

create table parlance.import_refusals (
  import_id uuid not null references parlance.interaction_imports (id) on delete cascade,
  -- From 1, the header not counted.
  row_number integer not null,
  reason text not null,
  row text not null,
  primary key (import_id, row_number),
  constraint refusal_is_not_endless check (length(reason) <= 1000 and length(row) <= 20000)
);

comment on table parlance.import_refusals is 'Rows of a file that did not land, and why.';

create table parlance.rule_back_tests (
  id uuid primary key,
  owner_id uuid references auth.users (id) on delete cascade,
  -- The rule as it was tried (shared/interactions/rules.ts).
  rule jsonb not null,
  from_at timestamptz not null,
  to_at timestamptz not null,
  job_id uuid not null,
  -- Null until it is done.
  result jsonb,
  error_code text,
  error_message text,
  created_at timestamptz not null default now(),
  finished_at timestamptz,
  constraint times_are_in_order check (from_at < to_at),
  constraint result_is_not_endless check (octet_length(result::text) <= 200000)
);

comment on table parlance.rule_back_tests is 'How a rule would have done over what is in the log.';

create index rule_back_tests_of_an_owner on parlance.rule_back_tests (owner_id, id desc);

-- ── Functions ───────────────────────────────────────────────────────────────────────────────────────────────────────

-- The owner's settings, made on first use with the rules that a fresh account begins with. They are made once: who deletes
-- one does not get it back.
create function parlance.ensure_interaction_settings(owner_id uuid) returns parlance.interaction_settings
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
  as $$
declare
  settings parlance.interaction_settings;
begin
  select * into settings
  from parlance.interaction_settings as known
  where (known.owner_id = ensure_interaction_settings.owner_id or (known.owner_id is null and ensure_interaction_settings.owner_id is null));
  if found then
    return settings;
  end if;
  insert into parlance.interaction_settings (owner_id)
  values (ensure_interaction_settings.owner_id)
  on conflict on constraint owners_have_one do nothing
  returning * into settings;
  if found then
    insert into parlance.interaction_rules (id, owner_id, name, severity, element, metric, condition)
    select
      parlance.create_id(), ensure_interaction_settings.owner_id, defaults.name, 'info', elements.element, 'characters',
      defaults.condition
    from (values ('input'), ('output')) as elements (element)
    cross join lateral (values
      (elements.element || ' longer than 100 characters', '{"type": "above", "threshold": 100}'::jsonb),
      (
        elements.element || ' of unusual length',
        '{"type": "outlier", "method": "z-score", "sensitivity": 2, "tails": "high", "countMin": 30, "historyDays": 28}'::jsonb
      )
    ) as defaults (name, condition)
    on conflict on constraint names_are_told_apart do nothing;
    return settings;
  end if;
  -- Made by another meanwhile.
  select * into strict settings
  from parlance.interaction_settings as known
  where (known.owner_id = ensure_interaction_settings.owner_id or (known.owner_id is null and ensure_interaction_settings.owner_id is null));
  return settings;
end
$$;

-- The numbers of groups, made where they are missing. An owner may have a thousand.
create function parlance.ensure_interaction_groups(owner_id uuid, apps text[], environments text[], models text[])
  returns table (id integer, app text, environment text, model text)
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
  as $$
#variable_conflict use_column
declare
  made integer;
begin
  with named as (
    select distinct wanted.app, wanted.environment, wanted.model
    from unnest(ensure_interaction_groups.apps, ensure_interaction_groups.environments, ensure_interaction_groups.models)
      as wanted (app, environment, model)
    where not exists (
      select from parlance.interaction_groups as known
      where (known.owner_id = ensure_interaction_groups.owner_id or (known.owner_id is null and ensure_interaction_groups.owner_id is null))
        and (known.app, known.environment, known.model) = (wanted.app, wanted.environment, wanted.model)
    )
    -- Two that make the same ones at once must not wait for each other in a circle.
    order by wanted.app, wanted.environment, wanted.model
  ), added as (
    insert into parlance.interaction_groups (owner_id, app, environment, model)
    select ensure_interaction_groups.owner_id, named.app, named.environment, named.model
    from named
    on conflict on constraint groups_are_told_apart do nothing
    returning 1
  )
  select count(*) into made from added;
  if made > 0 and 1000 < (
    select count(*)
    from parlance.interaction_groups as known
    where (known.owner_id = ensure_interaction_groups.owner_id or (known.owner_id is null and ensure_interaction_groups.owner_id is null))
  ) then
    raise exception using errcode = 'PI429',
      message = 'There may be 1000 combinations of app, environment and model; put what differs from call to call into tags.';
  end if;
  return query
    select known.id, known.app, known.environment, known.model
    from parlance.interaction_groups as known
    join (
      select distinct wanted.app, wanted.environment, wanted.model
      from unnest(ensure_interaction_groups.apps, ensure_interaction_groups.environments, ensure_interaction_groups.models)
        as wanted (app, environment, model)
    ) as wanted on (known.app, known.environment, known.model) = (wanted.app, wanted.environment, wanted.model)
    where (known.owner_id = ensure_interaction_groups.owner_id or (known.owner_id is null and ensure_interaction_groups.owner_id is null));
end
$$;

-- ── Who may do what ─────────────────────────────────────────────────────────────────────────────────────────────────

alter table parlance.interaction_settings enable row level security;
alter table parlance.interaction_groups enable row level security;
alter table parlance.interaction_batches enable row level security;
alter table parlance.interactions enable row level security;
alter table parlance.interaction_hours enable row level security;
alter table parlance.interaction_rules enable row level security;
alter table parlance.interaction_fences enable row level security;
alter table parlance.interaction_alerts enable row level security;
alter table parlance.alert_firings enable row level security;
alter table parlance.alert_silences enable row level security;
alter table parlance.interaction_imports enable row level security;
alter table parlance.import_refusals enable row level security;
alter table parlance.rule_back_tests enable row level security;

create policy "owners see their settings" on parlance.interaction_settings for select to authenticated
  using (parlance.may_see(owner_id, (select auth.uid()), (select parlance.is_admin())));
create policy "owners see their groups" on parlance.interaction_groups for select to authenticated
  using (parlance.may_see(owner_id, (select auth.uid()), (select parlance.is_admin())));
create policy "owners see their batches" on parlance.interaction_batches for select to authenticated
  using (parlance.may_see(owner_id, (select auth.uid()), (select parlance.is_admin())));
create policy "owners see their interactions" on parlance.interactions for select to authenticated
  using (parlance.may_see(owner_id, (select auth.uid()), (select parlance.is_admin())));
create policy "who sees the group sees its hours" on parlance.interaction_hours for select to authenticated
  using (group_id in (select id from parlance.interaction_groups));
create policy "owners see their rules" on parlance.interaction_rules for select to authenticated
  using (parlance.may_see(owner_id, (select auth.uid()), (select parlance.is_admin())));
create policy "owners see their alerts" on parlance.interaction_alerts for select to authenticated
  using (parlance.may_see(owner_id, (select auth.uid()), (select parlance.is_admin())));
create policy "owners see what fired" on parlance.alert_firings for select to authenticated
  using (parlance.may_see(owner_id, (select auth.uid()), (select parlance.is_admin())));
create policy "owners see their silences" on parlance.alert_silences for select to authenticated
  using (parlance.may_see(owner_id, (select auth.uid()), (select parlance.is_admin())));
create policy "owners see their imports" on parlance.interaction_imports for select to authenticated
  using (parlance.may_see(owner_id, (select auth.uid()), (select parlance.is_admin())));
create policy "who sees the import sees its refusals" on parlance.import_refusals for select to authenticated
  using (import_id in (select id from parlance.interaction_imports));
create policy "owners see their back-tests" on parlance.rule_back_tests for select to authenticated
  using (parlance.may_see(owner_id, (select auth.uid()), (select parlance.is_admin())));

revoke all on
  parlance.interaction_settings, parlance.interaction_groups, parlance.interaction_batches, parlance.interactions,
  parlance.interaction_hours, parlance.interaction_rules, parlance.interaction_fences, parlance.interaction_alerts,
  parlance.alert_firings, parlance.alert_silences, parlance.interaction_imports, parlance.import_refusals,
  parlance.rule_back_tests
from public, anon, authenticated, service_role;
grant select on
  parlance.interaction_settings, parlance.interaction_groups, parlance.interaction_batches, parlance.interactions,
  parlance.interaction_hours, parlance.interaction_rules, parlance.interaction_alerts, parlance.alert_firings,
  parlance.alert_silences, parlance.interaction_imports, parlance.import_refusals, parlance.rule_back_tests
to authenticated;
grant select, insert, update, delete on
  parlance.interaction_settings, parlance.interaction_groups, parlance.interaction_batches, parlance.interaction_hours,
  parlance.interaction_rules, parlance.interaction_fences, parlance.interaction_alerts, parlance.alert_firings,
  parlance.alert_silences, parlance.interaction_imports, parlance.import_refusals, parlance.rule_back_tests
to service_role;
-- What was said is not rewritten; what was measured of it may be measured again.
grant select, insert, delete on parlance.interactions to service_role;
grant update (metric_values, metric_edition, input_language, output_language) on parlance.interactions to service_role;

revoke all on function
  parlance.ensure_interaction_settings(uuid),
  parlance.ensure_interaction_groups(uuid, text[], text[], text[])
from public, anon, authenticated, service_role;
grant execute on function
  parlance.ensure_interaction_settings(uuid),
  parlance.ensure_interaction_groups(uuid, text[], text[], text[])
to service_role;
