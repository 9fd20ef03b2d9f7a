-- Schema parlance, written from the catalog by `bun run schema`. To read, not to run: what belongs to a table
-- stands under it, names are without their schema, and row level security is on unless it says otherwise.

create type alert_severity as enum ('info', 'warning', 'critical');
create type alert_state as enum ('open', 'acknowledged', 'resolved');
create type image_state as enum ('uploading', 'processing', 'ready', 'failed');
create type interaction_import_state as enum ('uploading', 'queued', 'running', 'done', 'failed', 'cancelled');
create type job_lane as enum ('interactive', 'bulk');
create type job_state as enum ('queued', 'running', 'done', 'failed', 'cancelled');
create type webhook_delivery_state as enum ('pending', 'delivered', 'failed', 'cancelled');

-- Which interactions an alert tells of.
create table alert_firings (
  alert_id uuid not null references interaction_alerts(id) on delete cascade,
  interaction_id uuid not null references interactions(id) on delete cascade, owner_id uuid,
  occurred_at timestamptz not null, value float8 not null, score float8,
  primary key (interaction_id, alert_id)
);
  create index alert_firings_of_an_alert on (alert_id, occurred_at desc, interaction_id desc);
  create index alert_firings_of_an_owner on (owner_id, occurred_at desc, interaction_id desc);
  create policy "owners see what fired" for select to authenticated using (may_see(owner_id, (select auth.uid()), (select is_admin())));
  grant select to authenticated;
  grant select, insert, update, delete to service_role;

-- Until when nobody is told of which alerts; they are opened and counted all the same.
create table alert_silences (
  id uuid primary key, owner_id uuid references auth.users(id) on delete cascade,
  rule_id uuid references interaction_rules(id) on delete cascade, app text, environment text, model text,
  severity_max alert_severity, reason text not null default '', starts_at timestamptz not null,
  ends_at timestamptz not null, created_at timestamptz not null default now(),
  constraint reason_is_short check (length(reason) <= 500),
  constraint silence_ends check (starts_at < ends_at and ends_at <= (starts_at + '366 days'))
);
  create index alert_silences_of_an_owner on (owner_id, ends_at desc);
  create policy "owners see their silences" for select to authenticated using (may_see(owner_id, (select auth.uid()), (select is_admin())));
  create trigger check_silence before insert for each row execute function check_silence();
  grant select to authenticated;
  grant select, insert, update, delete to service_role;

create view dead_letters (
  id, kind, lane, owner_id, subject_id, payload, error_code, error_message, attempts, attempts_max, lease_losses,
  created_at, started_at, finished_at, events
); -- with the rights of its reader
  grant select to authenticated, service_role;

-- Models whose vectors may be compared with each other; one is searched.
create table embedding_spaces (
  id smallint primary key, name text not null unique, model text not null, dimensions integer not null,
  is_current boolean not null default false, created_at timestamptz not null default now(),
  model_digest text not null default 'built-in', is_maintained boolean not null default false, switched_at timestamptz,
  calibration jsonb, calibrated_at timestamptz,
  constraint calibration_is_an_object check (jsonb_typeof(calibration) = 'object' and octet_length(calibration::text) <= 65536),
  constraint current_is_maintained check (is_maintained or not is_current),
  constraint digest_is_short check (length(model_digest) >= 1 and length(model_digest) <= 100),
  constraint dimensions_fit_an_index check (dimensions >= 1 and dimensions <= 2000),
  constraint model_is_a_key check (model ~ '^[a-z0-9][a-z0-9.-]{0,63}$'),
  constraint name_is_a_key check (name ~ '^[a-z0-9][a-z0-9.-]{0,63}$')
);
  create unique index embedding_spaces_one_current on (is_current) where is_current;
  create policy "everyone sees the spaces" for select to anon, authenticated, parlance_sidecar using (true);
  grant select to anon, authenticated, parlance_sidecar;
  grant select, insert, update, delete to service_role;

-- Graphics cards with their newest values; null is what a driver does not tell.
create table gpu_devices (
  host text not null, uuid text not null, index smallint not null, name text not null, driver text,
  memory_total_bytes bigint, memory_used_bytes bigint, gpu_percent real, memory_percent real, temperature_celsius real,
  power_watts real, last_seen_at timestamptz not null default now(),
  primary key (host, uuid),
  constraint driver_is_short check (length(driver) <= 100),
  constraint host_is_short check (length(host) >= 1 and length(host) <= 255),
  constraint name_is_short check (length(name) >= 1 and length(name) <= 200),
  constraint shares_are_percents check (gpu_percent >= 0 and gpu_percent <= 100 and memory_percent >= 0 and memory_percent <= 100),
  constraint uuid_is_short check (length(uuid) >= 1 and length(uuid) <= 100)
);
  create index gpu_devices_by_last_seen on (last_seen_at);
  create policy "admins see the graphics cards" for select to authenticated using (select is_admin());
  grant select to authenticated, service_role;

-- What each graphics card did within the last hour.
create table gpu_stats (
  host text not null, uuid text not null, sampled_at timestamptz not null, memory_used_bytes bigint, gpu_percent real,
  memory_percent real, temperature_celsius real, power_watts real,
  foreign key (host, uuid) references gpu_devices(host, uuid) on delete cascade
);
  create index gpu_stats_by_age on (sampled_at);
  create index gpu_stats_by_device on (host, uuid, sampled_at);
  create policy "admins see what the graphics cards did" for select to authenticated using (select is_admin());
  grant select to authenticated, service_role;

-- Answers already given to a POST with an Idempotency-Key; kept 24 hours.
create table idempotency_keys (
  owner text not null, route text not null, key text not null, body_hash text not null,
  locked_until timestamptz not null, status integer, headers jsonb, body text,
  created_at timestamptz not null default now(),
  primary key (owner, route, key),
  constraint answer_is_whole check ((status is null) = (body is null)),
  constraint body_is_small check (octet_length(body) <= 262144),
  constraint key_is_one_to_255_characters check (length(key) >= 1 and length(key) <= 255)
);
  create index idempotency_keys_by_age on (created_at);
  grant select, insert, update, delete to service_role;

-- What only the owner may know of an original: EXIF, place, content hash.
create table image_origins (
  image_id uuid primary key references images(id) on delete cascade,
  owner_id uuid references auth.users(id) on delete cascade, sha256 text not null, exif jsonb not null default '{}',
  latitude float8, longitude float8, altitude_metres float8,
  constraint exif_is_a_small_object check (jsonb_typeof(exif) = 'object' and octet_length(exif::text) <= 65536),
  constraint latitude_is_in_range check (latitude >= -90 and latitude <= 90),
  constraint longitude_is_in_range check (longitude >= -180 and longitude <= 180),
  constraint place_is_whole check ((latitude is null) = (longitude is null)),
  constraint sha256_is_64_hex_digits check (sha256 ~ '^[0-9a-f]{64}$')
);
  create index image_origins_by_content on (owner_id, sha256);
  create index image_origins_with_place on (owner_id, image_id) where latitude is not null;
  create policy "owners see their originals" for select to authenticated using (may_see(owner_id, (select auth.uid()), (select is_admin())));
  create policy "sidecars write originals" for all to parlance_sidecar using (true);
  grant select to authenticated;
  grant select, insert, update to parlance_sidecar;
  grant select, insert, update, delete to service_role;

-- Unit vectors of pictures; inner product is the score.
create table image_vectors (
  space_id smallint not null references embedding_spaces(id),
  image_id uuid not null references images(id) on delete cascade,
  owner_id uuid references auth.users(id) on delete cascade, is_public boolean not null default false,
  embedding vector not null, created_at timestamptz not null default now(),
  primary key (space_id, image_id),
  constraint embedding_has_unit_length check (vector_norm(embedding) >= 0.999 and vector_norm(embedding) <= 1.001)
) partition by list (space_id);
  create policy "everyone sees public vectors" for select to anon, authenticated using (is_public);
  create policy "owners see their vectors" for select to authenticated using (may_see(owner_id, (select auth.uid()), (select is_admin())));
  create policy "sidecars write vectors" for all to parlance_sidecar using (true);
  grant select to anon, authenticated;
  grant select, insert, update to parlance_sidecar;
  grant select, insert, update, delete to service_role;

create table image_vectors_1 partition of image_vectors for values in ('1') (
  constraint embedding_has_the_dimensions check (vector_dims(embedding) = 128)
);
  create index image_vectors_1_by_age using brin (created_at);
  create index image_vectors_1_by_owner on (owner_id);
  create index image_vectors_1_nearest using hnsw ((embedding::vector(128)) vector_ip_ops);
  create index image_vectors_1_public on (image_id) where is_public;
  create policy "everyone sees public vectors" for select to anon, authenticated using (is_public);
  create policy "owners see their vectors" for select to authenticated using (may_see(owner_id, (select auth.uid()), (select is_admin())));
  create policy "sidecars write vectors" for all to parlance_sidecar using (true);
  grant select to anon, authenticated;
  grant select, insert, update to parlance_sidecar;
  grant select, insert, update, delete to service_role;

-- The library: pictures of people and of the house.
create table images (
  id uuid primary key, owner_id uuid references auth.users(id) on delete cascade, name text not null, title text,
  keywords text[] not null default '{}', state image_state not null default 'uploading',
  is_public boolean not null default false, media_type text, size_bytes bigint, width integer, height integer,
  perceptual_hash bit(64), variants text[] not null default '{}', taken_at timestamptz, camera text, error_code text,
  error_message text, created_at timestamptz not null default now(), updated_at timestamptz not null default now(),
  words tsvector generated as (image_words(name, title, keywords)), colours text[],
  tags text[] generated as (fold_keywords(keywords)),
  orientation text generated as ( case when ((width is null) or (height is null)) then null when ((abs((width - height)) * 50) <= greatest(width, height)) then 'square' when (width > height) then 'landscape' else 'portrait' end),
  constraint colours_are_basic check (colours <@ array['black', 'white', 'grey', 'red', 'orange', 'yellow', 'green', 'blue', 'purple', 'pink', 'brown'] and cardinality(colours) <= 11),
  constraint failed_has_a_cause check ((state = 'failed') = (error_code is not null and error_message is not null)),
  constraint keywords_are_at_most_50 check (cardinality(keywords) <= 50 and array_position(keywords, null) is null),
  constraint name_is_one_to_200_characters check (length(name) >= 1 and length(name) <= 200),
  constraint ready_has_its_measures check (state <> 'ready' or media_type is not null and size_bytes is not null and width > 0 and height > 0 and cardinality(variants) > 0),
  constraint size_is_positive check (size_bytes > 0),
  constraint title_is_at_most_300_characters check (length(title) >= 1 and length(title) <= 300)
);
  create index images_all_newest_first on (created_at desc, id desc);
  create index images_by_beginning on (owner_id, lower(normalize(name, nfkc)) text_pattern_ops);
  create index images_by_camera on (owner_id, lower(camera));
  create index images_by_colour using gin (colours);
  create index images_by_hash on (owner_id, perceptual_hash) where perceptual_hash is not null;
  create index images_by_tag using gin (tags);
  create index images_by_time on (owner_id, taken_at, id);
  create unique index images_name_per_owner on (owner_id, name) nulls not distinct;
  create index images_newest_first on (owner_id, created_at desc, id desc);
  create index images_public_by_beginning on (lower(normalize(name, nfkc)) text_pattern_ops) where is_public;
  create index images_public_newest_first on (created_at desc, id desc) where is_public;
  create index images_unfinished on (created_at) where state = any (array['uploading', 'processing']);
  create index images_words using gin (words);
  create policy "everyone sees public pictures" for select to anon, authenticated using (is_public and (state = 'ready'));
  create policy "owners change their pictures" for update to authenticated using (may_see(owner_id, (select auth.uid()), (select is_admin())));
  create policy "owners delete their pictures" for delete to authenticated using (may_see(owner_id, (select auth.uid()), (select is_admin())));
  create policy "owners see their pictures" for select to authenticated using (may_see(owner_id, (select auth.uid()), (select is_admin())));
  create policy "sidecars work on pictures" for all to parlance_sidecar using (true);
  create policy "users add pictures of their own" for insert to authenticated with check (owner_id = (select auth.uid()));
  create trigger date_image before update for each row execute function date_image();
  create trigger follow_image after update of owner_id, is_public for each row execute function follow_image();
  grant select to anon;
  grant select, insert (id, owner_id, name, title, keywords, media_type, size_bytes), update (name, title, keywords), delete to authenticated;
  grant select, update (state, media_type, size_bytes, width, height, perceptual_hash, variants, taken_at, camera, error_code, error_message, colours) to parlance_sidecar;
  grant select, insert, update, delete to service_role;

-- Rows of a file that did not land, and why.
create table import_refusals (
  import_id uuid not null references interaction_imports(id) on delete cascade, row_number integer not null,
  reason text not null, row text not null,
  primary key (import_id, row_number),
  constraint refusal_is_not_endless check (length(reason) <= 1000 and length("row") <= 20000)
);
  create policy "who sees the import sees its refusals" for select to authenticated using (import_id in (select interaction_imports.id from interaction_imports));
  grant select to authenticated;
  grant select, insert, update, delete to service_role;

-- That a rule's condition holds, once for as long as it does, with how often.
create table interaction_alerts (
  id uuid default create_id() primary key, owner_id uuid references auth.users(id) on delete cascade,
  rule_id uuid references interaction_rules(id) on delete set null, rule_name text not null,
  severity alert_severity not null, fingerprint text not null, app text, environment text, model text, element text,
  metric text, state alert_state not null default 'open', count integer not null default 1,
  first_seen_at timestamptz not null, last_seen_at timestamptz not null, value float8, score float8,
  evidence jsonb not null, import_id uuid, opened_at timestamptz not null default clock_timestamp(),
  fired_at timestamptz not null default clock_timestamp(), acknowledged_at timestamptz, acknowledged_by uuid,
  resolved_at timestamptz, resolution text, reopened integer not null default 0,
  is_flapping boolean not null default false, notified_at timestamptz, notifications integer not null default 0,
  count_notified integer not null default 0, begun_at timestamptz not null default clock_timestamp(), resolved_by uuid,
  constraint acknowledged_says_when check (state <> 'acknowledged' or acknowledged_at is not null),
  constraint evidence_is_a_small_object check (jsonb_typeof(evidence) = 'object' and octet_length(evidence::text) <= 20000),
  constraint imported_alerts_are_over check (import_id is null or state = 'resolved'),
  constraint only_by_hand_is_by_somebody check (resolved_by is null or resolution = 'by-hand'),
  constraint open_was_not_acknowledged check (state <> 'open' or acknowledged_at is null),
  constraint resolution_is_known check (resolution = any (array['quiet', 'by-hand', 'rule-changed', 'imported', 'forgotten'])),
  constraint resolved_says_when check ((state = 'resolved') = (resolved_at is not null)),
  constraint resolved_says_why check ((state = 'resolved') = (resolution is not null)),
  constraint who_acknowledged_says_when check (acknowledged_by is null or acknowledged_at is not null)
);
  create index interaction_alerts_by_fingerprint on (owner_id, fingerprint, resolved_at desc);
  create index interaction_alerts_of_a_rule on (rule_id);
  create unique index interaction_alerts_of_an_import on (import_id, fingerprint) where import_id is not null;
  create index interaction_alerts_of_an_owner on (owner_id, opened_at desc, id desc);
  create index interaction_alerts_open on (owner_id, opened_at desc, id desc) where state <> 'resolved';
  create index interaction_alerts_to_tend on (fired_at) where state <> 'resolved';
  create unique index interaction_alerts_unresolved on (owner_id, fingerprint) nulls not distinct where state <> 'resolved';
  create policy "owners see their alerts" for select to authenticated using (may_see(owner_id, (select auth.uid()), (select is_admin())));
  create trigger follow_alert_states before update of state for each row when (old.state is distinct from new.state) execute function follow_alert_states();
  grant select to authenticated;
  grant select, insert, update, delete to service_role;

-- Interactions that were written together: the unit of folding, and of searching for words.
create table interaction_batches (
  id uuid primary key, owner_id uuid references auth.users(id) on delete cascade, rows integer not null,
  first_at timestamptz not null, last_at timestamptz not null, folded_at timestamptz,
  created_at timestamptz not null default now(),
  constraint batch_has_rows check (rows >= 1 and rows <= 5000),
  constraint times_are_in_order check (first_at <= last_at)
);
  create index interaction_batches_to_fold on (owner_id, id) where folded_at is null;
  create policy "owners see their batches" for select to authenticated using (may_see(owner_id, (select auth.uid()), (select is_admin())));
  grant select to authenticated;
  grant select, insert, update, delete to service_role;

-- The bounds that outlier rules worked out of the statistics, so that judging a row reads one.
create table interaction_fences (
  rule_id uuid not null references interaction_rules(id) on delete cascade, group_key text not null,
  hour integer not null, fences jsonb, computed_at timestamptz not null default now(),
  rule_updated_at timestamptz not null,
  primary key (rule_id, group_key, hour)
);
  create index interaction_fences_by_age on (computed_at);
  grant select, insert, update, delete to service_role;

-- Which app, environment and model: statistics are kept for each.
create table interaction_groups (
  id integer primary key, owner_id uuid references auth.users(id) on delete cascade, app text not null,
  environment text not null, model text not null, created_at timestamptz not null default now(),
  unique nulls not distinct (owner_id, app, environment, model),
  constraint app_is_short check (length(app) >= 1 and length(app) <= 64),
  constraint environment_is_short check (length(environment) <= 64),
  constraint model_is_short check (length(model) <= 128)
);
  create policy "owners see their groups" for select to authenticated using (may_see(owner_id, (select auth.uid()), (select is_admin())));
  grant select to authenticated;
  grant select, insert, update, delete to service_role;

-- Count, mean, spread and quantiles of a metric in an hour (or day), in a form that merges.
create table interaction_hours (
  group_id integer not null references interaction_groups(id) on delete cascade, metric smallint not null,
  hour integer not null, hours smallint not null default 1, count integer not null, mean float8 not null,
  m2 float8 not null, min float8 not null, max float8 not null, sketch text not null,
  primary key (group_id, metric, hour),
  constraint hour_has_values check (count > 0),
  constraint sketch_has_values check (sketch <> ''),
  constraint span_is_an_hour_or_a_day check (hours = 1 or hours = 24 and (hour % 24) = 0)
);
  create index interaction_hours_to_roll_up on (hour) where hours = 1;
  create policy "who sees the group sees its hours" for select to authenticated using (group_id in (select interaction_groups.id from interaction_groups));
  grant select to authenticated;
  grant select, insert, update, delete to service_role;

-- Files of interactions: how far each is, and what came of it.
create table interaction_imports (
  id uuid primary key, owner_id uuid references auth.users(id) on delete cascade, file_name text not null,
  path text not null, size_bytes bigint, options jsonb not null, findings jsonb not null default '{}',
  state interaction_import_state not null, job_id uuid, bytes_done bigint not null default 0,
  rows_landed integer not null default 0, rows_refused integer not null default 0,
  rows_known integer not null default 0, alerts integer not null default 0, error_code text, error_message text,
  created_at timestamptz not null default now(), finished_at timestamptz,
  constraint file_name_is_short check (length(file_name) >= 1 and length(file_name) <= 255),
  constraint finished_says_when check ((state = any (array['done', 'failed', 'cancelled'])) = (finished_at is not null)),
  constraint options_are_small check (jsonb_typeof(options) = 'object' and octet_length(options::text) <= 10000),
  constraint size_is_sensible check (size_bytes >= 0 and size_bytes <= 1073741824)
);
  create index interaction_imports_of_an_owner on (owner_id, id desc);
  create index interaction_imports_open on (created_at) where finished_at is null;
  create policy "owners see their imports" for select to authenticated using (may_see(owner_id, (select auth.uid()), (select is_admin())));
  grant select to authenticated;
  grant select, insert, update, delete to service_role;

-- What is watched: a metric, of which interactions, and when it is out of order.
create table interaction_rules (
  id uuid primary key, owner_id uuid references auth.users(id) on delete cascade, name text not null,
  is_enabled boolean not null default true, severity alert_severity not null default 'warning', element text,
  metric text, apps text[], environments text[], models text[], tags text[], condition jsonb not null,
  group_by text[] not null default '{}', renotify_minutes integer, resolve_minutes integer not null default 60,
  created_at timestamptz not null default now(), updated_at timestamptz not null default now(),
  judge_at timestamptz not null default '-infinity', judged_at timestamptz not null default '-infinity',
  unique nulls not distinct (owner_id, name),
  constraint condition_is_a_small_object check (jsonb_typeof(condition) = 'object' and octet_length(condition::text) <= 4000),
  constraint element_goes_with_a_metric check ((element is null) = (metric is null)),
  constraint element_is_known check (element = any (array['input', 'output', 'pair'])),
  constraint filters_are_short check (coalesce(cardinality(apps), 1) >= 1 and coalesce(cardinality(apps), 1) <= 50 and coalesce(cardinality(environments), 1) >= 1 and coalesce(cardinality(environments), 1) <= 50 and coalesce(cardinality(models), 1) >= 1 and coalesce(cardinality(models), 1) <= 50 and coalesce(cardinality(tags), 1) >= 1 and coalesce(cardinality(tags), 1) <= 50),
  constraint groups_are_known check (group_by <@ array['app', 'environment', 'model'] and cardinality(group_by) <= 3),
  constraint minutes_are_sensible check (renotify_minutes >= 1 and renotify_minutes <= 100000 and resolve_minutes >= 1 and resolve_minutes <= 100000),
  constraint name_is_short check (length(name) >= 1 and length(name) <= 100)
);
  create index interaction_rules_of_an_owner on (owner_id, id desc);
  create index interaction_rules_to_judge on (judge_at) where is_enabled and ((condition ->> 'type') = any (array['rate', 'missing']));
  create policy "owners see their rules" for select to authenticated using (may_see(owner_id, (select auth.uid()), (select is_admin())));
  create trigger limit_rules before insert for each row execute function limit_rules();
  grant select to authenticated;
  grant select, insert, update, delete to service_role;

-- How an owner wants interactions kept; its row is held by whoever folds the owner's batches.
create table interaction_settings (
  id uuid default create_id() primary key, owner_id uuid references auth.users(id) on delete cascade,
  redact text[] not null default '{}', retention_days integer, retention_days_by_app jsonb not null default '{}',
  alert_email text, alert_email_severity_min alert_severity not null default 'warning',
  folded_at timestamptz not null default '-infinity', created_at timestamptz not null default now(),
  folded_rows bigint not null default 0, days_before integer not null default 0,
  unique nulls not distinct (owner_id),
  constraint email_is_short check (length(alert_email) >= 3 and length(alert_email) <= 254),
  constraint redact_is_known check (redact <@ array['email', 'phone', 'card', 'key'] and cardinality(redact) <= 4),
  constraint retention_by_app_is_a_small_object check (jsonb_typeof(retention_days_by_app) = 'object' and octet_length(retention_days_by_app::text) <= 20000),
  constraint retention_is_sensible check (retention_days >= 1 and retention_days <= 36500)
);
  create policy "owners see their settings" for select to authenticated using (may_see(owner_id, (select auth.uid()), (select is_admin())));
  grant select to authenticated;
  grant select, insert, update, delete to service_role;

-- Which words a batch of interactions has: batches that lack one are not looked at.
create table interaction_words (
  batch_id uuid primary key references interaction_batches(id) on delete cascade,
  owner_id uuid references auth.users(id) on delete cascade, rows integer not null, first_at timestamptz not null,
  last_at timestamptz not null, words integer[] not null
);
  create index interaction_words_of_an_owner on (owner_id);
  create index interaction_words_with using gin (words);
  grant select, insert, delete to service_role;

-- What a model was asked and what it answered, with what was measured of it.
create table interactions (
  id uuid primary key, owner_id uuid references auth.users(id) on delete cascade,
  group_id integer not null references interaction_groups(id) on delete cascade, batch_id uuid not null,
  session_id text, user_label text, provider text, input text not null, output text not null, input_tokens integer,
  output_tokens integer, latency_ms float8, cost_usd float8, tags text[] not null default '{}',
  occurred_at timestamptz not null, created_at timestamptz not null default now(), metric_values float8[] not null,
  metric_edition smallint not null, input_language text, output_language text, import_id uuid, row_hash uuid,
  constraint labels_are_short check (length(session_id) <= 200 and length(user_label) <= 200 and length(provider) <= 64 and length(input_language) <= 16 and length(output_language) <= 16),
  constraint metrics_are_few check (cardinality(metric_values) <= 500),
  constraint tags_are_few check (cardinality(tags) <= 20 and array_position(tags, null) is null),
  constraint texts_are_not_endless check (length(input) <= 200000 and length(output) <= 200000)
);
  create index interactions_by_hash on (owner_id, row_hash) where row_hash is not null;
  create index interactions_measured_before on (metric_edition, id);
  create index interactions_of_a_batch on (batch_id);
  create index interactions_of_a_group on (group_id, occurred_at desc, id desc);
  create index interactions_of_a_session on (owner_id, session_id, occurred_at, id) where session_id is not null;
  create index interactions_of_a_user_label on (owner_id, user_label, occurred_at desc, id desc) where user_label is not null;
  create index interactions_of_an_import on (import_id, occurred_at, id) where import_id is not null;
  create index interactions_of_an_owner on (owner_id, occurred_at desc, id desc);
  create policy "owners see their interactions" for select to authenticated using (may_see(owner_id, (select auth.uid()), (select is_admin())));
  grant select to authenticated;
  grant select, insert, update (metric_values, metric_edition, input_language, output_language), delete to service_role;

-- How far the counting and the pruning of ended jobs are.
create table job_counting (
  is_the_one boolean default true primary key, counted pg_snapshot not null, counting pg_snapshot,
  walked_in xid8 not null default '0', walked_id uuid not null default '00000000-0000-0000-0000-000000000000',
  events_pruned_in xid8 not null default '0',
  events_pruned_id uuid not null default '00000000-0000-0000-0000-000000000000',
  constraint there_is_one check (is_the_one)
);

-- What happened to a job, in order and without holes; the topic is only the doorbell.
create table job_events (
  job_id uuid not null, sequence integer not null, event text not null, owner_id uuid,
  at timestamptz not null default clock_timestamp(), detail jsonb,
  primary key (job_id, sequence)
);
  create policy "who sees the job sees its events" for select to authenticated using (may_see(owner_id, (select auth.uid()), (select is_admin())));
  create trigger deliver_job_events after insert referencing new table as added for each statement execute function deliver_job_events();
  create trigger tell_job_events after insert referencing new table as added for each statement execute function tell_job_events();
  grant select to authenticated, service_role;

-- Which job is added when; a tick adds what is due.
create table job_schedules (
  name text primary key, kind text not null, payload jsonb not null default '{}',
  owner_id uuid references auth.users(id) on delete cascade, cron text not null, time_zone text not null default 'UTC',
  missed text not null default 'once', is_paused boolean not null default false, next_at timestamptz not null,
  due_at timestamptz not null, last_at timestamptz, last_job_id uuid, last_error text,
  created_at timestamptz not null default now(), updated_at timestamptz not null default now(),
  constraint cron_is_short check (length(cron) >= 1 and length(cron) <= 120),
  constraint due_is_not_before_next check (due_at >= next_at),
  constraint kind_is_feature_dot_verb_noun check (kind ~ '^[a-z]+\.[a-z]+(-[a-z]+)*$' and length(kind) <= 64),
  constraint last_error_is_short check (length(last_error) <= 2000),
  constraint last_run_has_a_job check ((last_at is null) = (last_job_id is null)),
  constraint missed_is_known check (missed = any (array['skip', 'once', 'all'])),
  constraint name_is_lower_case_words check (name ~ '^[a-z][a-z0-9]*([.-][a-z0-9]+)*$' and length(name) <= 64),
  constraint payload_is_a_small_object check (jsonb_typeof(payload) = 'object' and octet_length(payload::text) <= 65536),
  constraint time_zone_is_a_short_name check (time_zone ~ '^[A-Za-z]' and length(time_zone) <= 64)
);
  create index job_schedules_due on (due_at) where not is_paused;
  create index job_schedules_of_an_owner on (owner_id) where owner_id is not null;
  create policy "admins see the schedules" for select to authenticated using (is_admin());
  grant select to authenticated;
  grant select, insert, update, delete to service_role;

-- Who gets how much of the workers; set by admins.
create table job_shares (
  owner_id uuid primary key references auth.users(id) on delete cascade, weight float8 not null default 1,
  queued_max integer, running_max integer, updated_at timestamptz not null default now(),
  constraint queued_max_is_a_limit check (queued_max >= 1 and queued_max <= 1000000),
  constraint running_max_is_a_limit check (running_max >= 1 and running_max <= 10000),
  constraint weight_is_a_share check (weight >= 0.01 and weight <= 100)
);
  create policy "owners see their share" for select to authenticated using (may_see(owner_id, (select auth.uid()), (select is_admin())));
  grant select to authenticated;
  grant select, insert, update, delete to service_role;

-- How long jobs that ended had waited and run, by the bounds of parlance.job_time_bounds.
create table job_time_totals (
  kind text not null, lane job_lane not null, measure text not null, bucket integer not null, jobs bigint not null,
  seconds float8 not null,
  primary key (kind, lane, measure, bucket),
  constraint measure_is_known check (measure = any (array['wait', 'run']))
);
  grant select to service_role;

-- Jobs that ever ended, each of their lives once.
create table job_totals (
  kind text not null, lane job_lane not null, state job_state not null, jobs bigint not null,
  lease_losses bigint not null,
  primary key (kind, lane, state)
);
  grant select to service_role;

create view job_views (
  id, kind, lane, owner_id, subject_id, model, state, result, partial, error_code, error_message, progress_done,
  progress_total, progress_message, attempts, attempts_max, lease_losses, run_after, deadline_at, cancel_requested_at,
  event_sequence, events_pruned_to, changed_in, created_at, started_at, finished_at
); -- with the rights of its reader
  grant select to authenticated, service_role;

-- Work that outlasts a request; behind its functions.
create table jobs (
  id uuid primary key, kind text not null, lane job_lane not null, clock text not null default 'bulk',
  owner_id uuid references auth.users(id) on delete cascade, subject_id uuid, unique_key text, model text,
  traceparent text, payload jsonb not null, state job_state not null default 'queued', turn bigint,
  run_after timestamptz not null default now(), deadline_at timestamptz, deadline_seconds float8,
  attempts integer not null default 0, attempts_max integer not null, lease_losses integer not null default 0,
  claim bigint, claimed_by uuid, lease_expires_at timestamptz, cancel_requested_at timestamptz,
  progress_done integer not null default 0, progress_total integer, progress_message text,
  told_at timestamptz not null default now(), partial jsonb, cursor jsonb, checkpoints integer not null default 0,
  result jsonb, error_code text, error_message text, event_sequence integer not null default 1,
  events_pruned_to integer not null default 0, changed_in xid8 not null default pg_current_xact_id(),
  created_at timestamptz not null default now(), started_at timestamptz, finished_at timestamptz,
  constraint attempts_are_within_their_limit check (attempts >= 0 and attempts <= attempts_max and attempts_max >= 1 and attempts_max <= 100),
  constraint clock_is_one_of_them check (clock = any (array['interactive', 'bulk', 'edge_interactive', 'edge_bulk', 'calls'])),
  constraint ended_has_a_finish check ((state = any (array['done', 'failed', 'cancelled'])) = (finished_at is not null)),
  constraint failed_has_a_cause check (state <> 'failed' or error_code is not null and error_message is not null),
  constraint kind_is_feature_dot_verb_noun check (kind ~ '^[a-z]+\.[a-z]+(-[a-z]+)*$' and length(kind) <= 64),
  constraint model_is_short check (length(model) >= 1 and length(model) <= 64),
  constraint only_done_has_a_result check (result is null or state = 'done'),
  constraint only_running_has_a_claim check (state = 'running' or claim is null and claimed_by is null and lease_expires_at is null),
  constraint partial_is_an_object check (jsonb_typeof(partial) = 'object'),
  constraint payload_is_a_small_object check (jsonb_typeof(payload) = 'object'),
  constraint progress_is_within_its_total check (progress_done >= 0 and progress_done <= coalesce(progress_total, progress_done)),
  constraint result_is_an_object check (jsonb_typeof(result) = 'object'),
  constraint running_has_a_claim check ((state = 'running') = (claim is not null and claimed_by is not null and lease_expires_at is not null)),
  constraint traceparent_is_one check (traceparent ~ '^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$'),
  constraint unique_key_is_short check (length(unique_key) <= 200)
);
  create index jobs_changed_of_an_owner on (owner_id, changed_in) where owner_id is not null;
  create index jobs_ended on (changed_in) where finished_at is not null;
  create index jobs_failed on (finished_at desc, id desc) where state = 'failed';
  create index jobs_failed_of_an_owner on (owner_id, finished_at desc, id desc) where state = 'failed';
  create index jobs_for_later on (run_after) where state = 'queued' and turn is null;
  create index jobs_of_a_subject on (subject_id) where subject_id is not null;
  create index jobs_of_an_owner on (owner_id, id desc);
  create index jobs_of_the_house_ended on (changed_in) where finished_at is not null and owner_id is null and lane = 'interactive';
  create index jobs_queued_by_share on (coalesce(owner_id, '00000000-0000-0000-0000-000000000000'), clock, turn) where state = 'queued';
  create index jobs_running on (claim) where state = 'running';
  create index jobs_suspected on (state, turn, id) where lease_losses > 1 and (state = any (array['queued', 'running']));
  create index jobs_to_claim on (kind, lane, turn, id) where state = 'queued';
  create unique index jobs_unique_while_open on (kind, unique_key, coalesce(owner_id, '00000000-0000-0000-0000-000000000000')) where (state = any (array['queued', 'running'])) and unique_key is not null;
  create index jobs_with_a_deadline on (deadline_at) where state = 'queued' and deadline_at is not null;
  create policy "owners see their jobs" for select to authenticated using (may_see(owner_id, (select auth.uid()), (select is_admin())));
  create trigger begin_job_life before update for each row when (old.state = 'failed' and new.state = 'queued') execute function begin_job_life();
  create trigger count_removed_jobs after delete referencing old table as gone for each statement execute function count_removed_jobs();
  create trigger refuse_job_beginning before insert for each row when (new.state <> 'queued' or new.event_sequence <> 1) execute function refuse_job_beginning();
  create trigger refuse_job_change before update for each row when (old.state <> new.state and (new.event_sequence <> (old.event_sequence + 1) or not (old.state = 'queued' and (new.state = any (array['running', 'failed', 'cancelled'])) or old.state = 'running' and new.state <> 'running' or old.state = 'failed' and new.state = 'queued')) or old.finished_at is not null and new.finished_at is not null) execute function refuse_job_change();
  create trigger refuse_large_cursor before update of cursor for each row when (octet_length(new.cursor::text) > 65536) execute function refuse_large_json('cursor', 'cursor_is_small');
  create trigger refuse_large_partial before update of partial for each row when (octet_length(new.partial::text) > 65536) execute function refuse_large_json('partial', 'partial_is_small');
  create trigger refuse_large_payload before insert or update of payload for each row when (octet_length(new.payload::text) > 65536) execute function refuse_large_json('payload', 'payload_is_a_small_object');
  create trigger refuse_large_result before update of result for each row when (octet_length(new.result::text) > 65536) execute function refuse_large_json('result', 'result_is_small');
  create trigger remove_job_events after delete referencing old table as gone for each statement execute function remove_job_events();
  grant select to authenticated, service_role;

-- Pictures that were searched by: their vectors, for the pages that follow and for who asks the same again.
create table picture_queries (
  id uuid primary key, asker text not null, owner_id uuid references auth.users(id) on delete cascade,
  space_id smallint not null references embedding_spaces(id) on delete cascade, sha256 text not null, embedding vector,
  error_code text, error_message text, created_at timestamptz not null default now(),
  expires_at timestamptz not null default (now() + '01:00:00'),
  constraint asker_is_known check (asker = any (array['guest', 'user', 'house'])),
  constraint ends_one_way check (embedding is null or error_code is null),
  constraint error_is_whole check ((error_code is null) = (error_message is null)),
  constraint sha256_is_64_hex_digits check (sha256 ~ '^[0-9a-f]{64}$'),
  constraint user_has_an_id check ((asker = 'user') = (owner_id is not null))
);
  create index picture_queries_by_content on (owner_id, space_id, sha256);
  create index picture_queries_by_end on (expires_at);
  create policy "sidecars answer picture queries" for all to parlance_sidecar using (true);
  grant select (id, space_id), update (embedding, error_code, error_message) to parlance_sidecar;
  grant select, insert, update, delete to service_role;

-- Vectors of queries asked before; null where the model knows no word of them.
create table query_vectors (
  space_id smallint not null references embedding_spaces(id), query text not null, embedding vector,
  created_at timestamptz not null default now(),
  primary key (space_id, query),
  constraint query_is_one_to_100_characters check (length(query) >= 1 and length(query) <= 100)
);
  create index query_vectors_by_age on (created_at);
  create policy "sidecars write query vectors" for all to parlance_sidecar using (true);
  grant select, insert, update to parlance_sidecar;
  grant select, insert, update, delete to service_role;

-- Token buckets: one a subject (user, key or address) and class of routes.
create table rate_buckets (
  subject text not null, route_class text not null, tokens float8 not null,
  updated_at timestamptz not null default clock_timestamp(),
  primary key (subject, route_class),
  constraint subject_is_short check (length(subject) <= 200)
);
  create index rate_buckets_by_age on (updated_at);
  grant select, insert, update, delete to service_role;

-- What share of the true best hits real searches found: one row a run, space, class of filters and path.
create table recall_measures (
  id uuid primary key, space_id smallint not null references embedding_spaces(id) on delete cascade,
  filter_class text not null, path text not null, k smallint not null, searches integer not null,
  recall_sum float8 not null, recall_min float8 not null, served_ms float8 not null, exact_ms float8 not null,
  measured_at timestamptz not null default now(),
  constraint filter_class_is_short check (length(filter_class) >= 1 and length(filter_class) <= 32),
  constraint k_is_small check (k >= 1 and k <= 100),
  constraint path_is_known check (path = any (array['exact', 'index'])),
  constraint recall_is_a_share check (recall_min >= 0 and recall_min <= 1 and recall_sum >= 0 and recall_sum <= searches::float8),
  constraint searches_are_some check (searches > 0)
);
  create index recall_measures_by_age on (measured_at);
  create index recall_measures_by_space on (space_id, measured_at desc);
  grant select, insert, delete to service_role;

-- How a rule would have done over what is in the log.
create table rule_back_tests (
  id uuid primary key, owner_id uuid references auth.users(id) on delete cascade, rule jsonb not null,
  from_at timestamptz not null, to_at timestamptz not null, job_id uuid not null, result jsonb, error_code text,
  error_message text, created_at timestamptz not null default now(), finished_at timestamptz, state jsonb,
  constraint result_is_not_endless check (octet_length(result::text) <= 200000),
  constraint state_is_not_endless check (octet_length(state::text) <= 1000000),
  constraint times_are_in_order check (from_at < to_at)
);
  create index rule_back_tests_of_an_owner on (owner_id, id desc);
  create policy "owners see their back-tests" for select to authenticated using (may_see(owner_id, (select auth.uid()), (select is_admin())));
  grant select to authenticated;
  grant select, insert, update, delete to service_role;

-- When a rule of what is missing last saw it, where finding that anew could mean looking through everything else.
create table rule_sightings (
  rule_id uuid not null references interaction_rules(id) on delete cascade, key uuid not null,
  last_at timestamptz not null,
  primary key (rule_id, key)
);
  grant select, insert, update, delete to service_role;

-- A sample of what was really asked, with the vector that was searched by: recall is measured and models are compared on it.
create table searches (
  id uuid primary key, space_id smallint not null references embedding_spaces(id) on delete cascade,
  owner_id uuid references auth.users(id) on delete cascade, asker text not null, scope text not null, query text,
  minus text, image_id uuid, filters jsonb not null default '{}', filter_class text not null default 'none',
  path text not null, embedding vector not null, created_at timestamptz not null default now(),
  constraint asker_is_known check (asker = any (array['anon', 'user', 'admin', 'service'])),
  constraint filter_class_is_short check (length(filter_class) >= 1 and length(filter_class) <= 32),
  constraint filters_are_a_small_object check (jsonb_typeof(filters) = 'object' and octet_length(filters::text) <= 8192),
  constraint minus_is_1_to_100_characters check (length(minus) >= 1 and length(minus) <= 100),
  constraint path_is_known check (path = any (array['exact', 'index'])),
  constraint query_is_1_to_100_characters check (length(query) >= 1 and length(query) <= 100),
  constraint scope_is_known check (scope = any (array['own', 'public', 'all'])),
  constraint user_has_an_id check ((asker = any (array['user', 'admin'])) = (owner_id is not null))
);
  create index searches_by_age on (created_at);
  create index searches_by_asker on (asker, owner_id, created_at);
  create index searches_by_space on (space_id, created_at desc);
  create index searches_of_an_owner on (owner_id);
  create policy "sidecars read searches" for select to parlance_sidecar using (true);
  grant select (id, space_id, query, created_at) to parlance_sidecar;
  grant select, insert, delete to service_role;

-- Sidecars: the processes that each watches over, one a device slot, and what reads the graphics cards of its machine.
create table supervisors (
  id uuid primary key, host text not null, gpu_source text not null, gpu_note text not null, device_note text not null,
  slots jsonb not null default '[]', started_at timestamptz not null default now(),
  last_seen_at timestamptz not null default now(),
  constraint gpu_source_is_known check (gpu_source = any (array['nvml', 'nvidia-smi', 'none'])),
  constraint host_is_short check (length(host) >= 1 and length(host) <= 255),
  constraint notes_are_short check (length(gpu_note) <= 1000 and length(device_note) <= 1000),
  constraint slots_are_a_small_list check (jsonb_typeof(slots) = 'array' and octet_length(slots::text) <= 65536)
);
  create index supervisors_by_last_seen on (last_seen_at);
  create policy "admins see the supervisors" for select to authenticated using (select is_admin());
  grant select to authenticated, service_role;

-- The ledger of webhooks: what was sent where, and what came of it.
create table webhook_deliveries (
  id uuid primary key, webhook_id uuid not null, owner_id uuid references auth.users(id) on delete cascade,
  event text not null, job_id uuid, sequence integer, data jsonb not null, occurred_at timestamptz not null,
  state webhook_delivery_state not null default 'pending', carrier_id uuid not null,
  attempts integer not null default 0, attempted_at timestamptz, status_code smallint, error_message text,
  took_ms integer, retry_at timestamptz, created_at timestamptz not null default clock_timestamp(),
  finished_at timestamptz, alert_id uuid,
  constraint data_is_an_object check (jsonb_typeof(data) = 'object'),
  constraint error_is_short check (length(error_message) <= 500),
  constraint event_is_known check (event = any (array['job.done', 'job.failed', 'webhook.test', 'alert.opened', 'alert.repeated', 'alert.resolved'])),
  constraint only_events_of_alerts_name_one check ((alert_id is not null) = (event ~~ 'alert.%')),
  constraint only_events_of_jobs_name_one check ((job_id is null) = (sequence is null)),
  constraint only_pending_is_unfinished check ((state = 'pending') = (finished_at is null))
);
  create unique index webhook_deliveries_by_carrier on (carrier_id);
  create index webhook_deliveries_of_a_webhook on (webhook_id, id desc);
  create index webhook_deliveries_of_an_owner on (owner_id);
  create policy "owners see their deliveries" for select to authenticated using (may_see(owner_id, (select auth.uid()), (select is_admin())));
  grant select to authenticated;
  grant select, insert, update to service_role;

-- What webhooks are signed with; read by no role, answered to whoever holds a delivery.
create table webhook_secrets (
  webhook_id uuid not null references webhooks(id) on delete cascade, secret text not null,
  created_at timestamptz not null default clock_timestamp(), expires_at timestamptz,
  constraint secret_is_24_to_64_bytes check (secret ~ '^whsec_[A-Za-z0-9+/]{32,86}={0,2}$')
);
  create index webhook_secrets_of_a_webhook on (webhook_id);
  create unique index webhook_secrets_one_in_use on (webhook_id) where expires_at is null;

-- Addresses that are called when jobs of an owner end and of alerts; without an owner, those of the house.
create table webhooks (
  id uuid primary key, owner_id uuid references auth.users(id) on delete cascade, url text not null,
  url_since timestamptz not null default clock_timestamp(), events text[] not null, kinds text[],
  is_enabled boolean not null default true, disabled_at timestamptz, disabled_reason text, failing_since timestamptz,
  created_at timestamptz not null default now(), format text not null default 'standard', severity_min alert_severity,
  constraint disabled_says_when check (is_enabled = (disabled_at is null)),
  constraint events_are_known check (cardinality(events) >= 1 and cardinality(events) <= 5 and events <@ array['job.done', 'job.failed', 'alert.opened', 'alert.repeated', 'alert.resolved']),
  constraint format_is_known check (format = any (array['standard', 'slack'])),
  constraint kinds_are_few check (cardinality(kinds) >= 1 and cardinality(kinds) <= 50 and array_position(kinds, null) is null),
  constraint only_disabled_has_a_reason check (disabled_reason is null or not is_enabled),
  constraint url_is_short check (length(url) >= 1 and length(url) <= 2000)
);
  create index webhooks_enabled on (owner_id) where is_enabled;
  create index webhooks_of_an_owner on (owner_id, id desc);
  create policy "owners see their webhooks" for select to authenticated using (may_see(owner_id, (select auth.uid()), (select is_admin())));
  create trigger limit_webhooks before insert for each row execute function limit_webhooks();
  grant select to authenticated;
  grant select, insert, update, delete to service_role;

-- Processes that claim jobs, and when each was last seen.
create table workers (
  id uuid primary key, runner text not null, device text not null, provider text not null, kinds text[] not null,
  models text[] not null default '{}', memory_bytes bigint not null default 0, versions jsonb not null default '{}',
  state text not null default 'running', started_at timestamptz not null default now(),
  last_seen_at timestamptz not null default now(), loaded text[] not null default '{}',
  constraint kinds_are_few check (cardinality(kinds) <= 100),
  constraint state_is_known check (state = any (array['running', 'draining']))
);
  create index workers_by_last_seen on (last_seen_at);
  create policy "admins see the workers" for select to authenticated using (select is_admin());
  grant select to authenticated, service_role;

create function acknowledge_alerts(ids uuid[], by_user uuid, acknowledged boolean) returns setof uuid volatile security definer; -- for service_role
create function add_embedding_space(id smallint, name text, model text, dimensions integer, model_digest text default 'built-in') returns void volatile security definer; -- for its owner
create function add_job_lives(lives job_life[]) returns void volatile security definer; -- for its owner
create function add_jobs(new_jobs jsonb) returns table(id uuid) volatile security definer; -- for parlance_sidecar, service_role
create function asker_id() returns uuid stable; -- for its owner
create function backoff_seconds(attempts integer) returns float8 volatile; -- for its owner
create function begin_alert_mail(job_id uuid, claim bigint) returns table(address text, may_be_sent boolean, is_last boolean) volatile security definer; -- for parlance_sidecar
create function begin_delivery(job_id uuid, claim bigint) returns table(id uuid, url text, format text, secrets text[], event text, data jsonb, occurred_at timestamptz) volatile security definer; -- for parlance_sidecar
create function begin_job_life() returns trigger volatile security definer; -- for its owner
create function cancel_job(id uuid) returns table(state job_state, ended_now boolean) volatile security definer; -- for service_role
create function check_silence() returns trigger volatile security definer; -- for its owner
create function claim_jobs(worker_id uuid, kinds text[], lane job_lane, jobs_max integer, lease_seconds float8, models text[] default '{}', loaded text[] default null, patience_seconds float8 default 2, running_max integer[] default '{}', running_per_owner_max integer[] default '{}', after_turn bigint default 0) returns table(id uuid, kind text, owner_id uuid, subject_id uuid, payload jsonb, cursor jsonb, attempts integer, attempts_max integer, claim bigint, turn bigint, deadline_seconds float8, traceparent text) volatile security definer; -- for parlance_sidecar, service_role
create function clock_turn(clock text) returns bigint volatile security definer; -- for its owner
create function complete_jobs(endings jsonb) returns table(claim bigint) volatile security definer; -- for parlance_sidecar, service_role
create function compose_alert(alert interaction_alerts) returns jsonb stable; -- for service_role
create function compose_webhook_data(job jobs) returns jsonb stable; -- for its owner
create function count_ended_jobs(jobs_max integer) returns integer volatile security definer; -- for service_role
create function count_removed_jobs() returns trigger volatile security definer; -- for its owner
create function create_embedding_space(name text, model text, model_digest text, dimensions integer) returns smallint volatile security definer; -- for service_role
create function create_id() returns uuid volatile; -- for its owner
create function date_image() returns trigger volatile; -- for its owner
create function deliver_alert(alert interaction_alerts, event text, at timestamptz, told jsonb) returns void volatile security definer; -- for its owner
create function deliver_job_events() returns trigger volatile security definer; -- for its owner
create function drop_embedding_space(id smallint) returns void volatile security definer; -- for service_role
create function end_tries(ids uuid[], code text, message text, retryable boolean) returns setof jobs volatile security definer; -- for its owner
create function ensure_interaction_groups(owner_id uuid, apps text[], environments text[], models text[]) returns table(id integer, app text, environment text, model text) volatile security definer; -- for service_role
create function ensure_interaction_settings(owner_id uuid) returns interaction_settings volatile security definer; -- for service_role
create function expire_jobs(jobs_max integer, except_ids uuid[] default '{}') returns table(id uuid, kind text, owner_id uuid, subject_id uuid, state job_state, error_code text, error_message text) volatile security definer; -- for parlance_sidecar, service_role
create function fail_job(id uuid, claim bigint, code text, message text, retryable boolean) returns job_state volatile security definer; -- for parlance_sidecar, service_role
create function find_alert_to_raise(owner_id uuid, fingerprint text) returns interaction_alerts volatile security definer; -- for its owner
create function find_turns(owner_ids uuid[], of_clock text) returns table(owner_id uuid, last bigint, stride float8) stable security definer; -- for its owner
create function fold_keywords(keywords text[]) returns text[] immutable; -- for anon, authenticated, parlance_sidecar, service_role
create function follow_alert_states() returns trigger volatile; -- for its owner
create function follow_image() returns trigger volatile security definer; -- for its owner
create function format_time(at timestamptz) returns text stable; -- for its owner
create function has_place(image_id uuid) returns boolean stable security definer; -- for anon, authenticated, service_role
create function heartbeat_jobs(ids uuid[], claims bigint[], lease_seconds float8) returns table(id uuid, claim bigint, cancel_requested boolean) volatile security definer; -- for parlance_sidecar, service_role
create function image_words(name text, title text, keywords text[]) returns tsvector immutable; -- for authenticated, parlance_sidecar, service_role
create function is_admin() returns boolean stable; -- for anon, authenticated, service_role
create function is_silenced(alert interaction_alerts) returns boolean stable; -- for authenticated, service_role
create function job_end_event(state job_state) returns text immutable; -- for its owner
create function job_event_data(job jobs, sequence integer, event text, at timestamptz, detail jsonb) returns jsonb stable; -- for authenticated, service_role
create function job_event_detail(done integer, total integer, message text, error_code text default null, error_message text default null, partial jsonb default null) returns jsonb stable; -- for its owner
create function job_is_counted(progress job_counting, changed_in xid8, id uuid) returns boolean immutable; -- for its owner
create function job_life(job jobs) returns job_life immutable; -- for its owner
create function job_outlook(id uuid, kinds text[]) returns table(is_due boolean, ahead integer, ends_per_second float8, run_seconds float8, began_at timestamptz, worker_is_alive boolean, model_is_offered boolean, now_at timestamptz) volatile security definer; -- for service_role
create function job_revision_tag() returns text stable security definer; -- for authenticated, service_role
create function job_time_bounds() returns float8[] immutable; -- for service_role
create function limit_rules() returns trigger volatile security definer; -- for its owner
create function limit_webhooks() returns trigger volatile security definer; -- for its owner
create function list_job_events(job_id uuid, after integer, events_max integer) returns setof jsonb stable; -- for authenticated, service_role
create function log_search(id uuid, space_id smallint, scope text, query text, minus text, image_id uuid, filters jsonb, filter_class text, path text, embedding vector) returns void volatile security definer; -- for anon, authenticated, service_role
create function mail_alert(alert interaction_alerts, event text, at timestamptz, told jsonb) returns void volatile security definer; -- for its owner
create function match_images(scope text, scope_owner uuid, filters jsonb, rows_max integer, is_sure boolean, out ids uuid[], out estimate bigint) returns record volatile security definer; -- for anon, authenticated, service_role
create function match_words(query text, minus text, scope text, scope_owner uuid, filters jsonb, after_score float8, after_id uuid, rows_max integer) returns table(id uuid, score float8) stable security definer; -- for anon, authenticated, service_role
create function may_see(owner_id uuid) returns boolean stable; -- for anon, authenticated, service_role
create function may_see(owner_id uuid, user_id uuid, is_admin boolean) returns boolean immutable; -- for anon, authenticated, service_role
create function may_take_suspect(suspect uuid, worker_id uuid) returns boolean volatile security definer; -- for its owner
create function notify_alert(alert_id uuid, event text) returns boolean volatile security definer; -- for service_role
create function open_jobs(kinds text[]) returns table(id uuid, kind text, unique_key text) stable; -- for service_role
create function protect_vectors(vectors regclass) returns void volatile; -- for its owner
create function prune_jobs(ended_before timestamptz, events_before timestamptz, rows_max integer) returns integer volatile security definer; -- for service_role
create function prune_webhook_deliveries(made_before timestamptz, rows_max integer) returns integer volatile security definer; -- for service_role
create function raise_alerts(firings jsonb) returns table(alert_id uuid, fingerprint text, opened boolean) volatile security definer; -- for service_role
create function raise_import_alerts(import_id uuid, owner_id uuid, heads jsonb, places integer[], interaction_ids uuid[], occurred_at timestamptz[], fired_values float8[], scores float8[]) returns integer volatile security definer; -- for service_role
create function record_delivery_failure(job_id uuid, claim bigint, status_code integer, error_message text, took_ms integer, retry_after_seconds integer default null) returns void volatile security definer; -- for parlance_sidecar
create function refuse_job_beginning() returns trigger volatile; -- for its owner
create function refuse_job_change() returns trigger volatile; -- for its owner
create function refuse_large_json() returns trigger volatile; -- for its owner
create function refuse_too_many(kind text, owner_id uuid, jobs_added integer, jobs_max integer) returns void volatile security definer; -- for its owner
create function release_jobs(ids uuid[], claims bigint[]) returns table(id uuid, state job_state) volatile security definer; -- for parlance_sidecar, service_role
create function remove_job_events() returns trigger volatile security definer; -- for its owner
create function remove_supervisor(id uuid) returns void volatile security definer; -- for parlance_sidecar, service_role
create function remove_worker(id uuid) returns void volatile security definer; -- for parlance_sidecar, service_role
create function renew_webhook_secret(webhook_id uuid, secret text) returns timestamptz volatile security definer; -- for service_role
create function reopen_delivery(job_id uuid) returns void volatile security definer; -- for service_role
create function report_progress(id uuid, claim bigint, done integer, total integer, message text default null, partial jsonb default null) returns boolean volatile security definer; -- for parlance_sidecar, service_role
create function report_supervisor(id uuid, host text, gpu_source text, gpu_note text, device_note text, slots jsonb, gpus jsonb) returns void volatile security definer; -- for parlance_sidecar, service_role
create function report_worker(id uuid, runner text, device text, provider text, kinds text[], models text[], loaded text[], memory_bytes bigint, versions jsonb, state text) returns void volatile security definer; -- for parlance_sidecar, service_role
create function require_tick_extensions() returns void stable; -- for its owner
create function resolve_alerts(ids uuid[], resolution text, by_user uuid) returns setof uuid volatile security definer; -- for service_role
create function retry_job(id uuid) returns boolean volatile security definer; -- for service_role
create function save_job_cursor(id uuid, claim bigint, cursor jsonb, number integer) returns text volatile security definer; -- for parlance_sidecar, service_role
create function search_condition(scope text, scope_owner uuid, filters jsonb) returns text stable; -- for its owner
create function sees_everything() returns boolean stable; -- for its owner
create function send_alert(owner_id uuid, event text, at timestamptz, told jsonb) returns void volatile security definer; -- for its owner
create function settle_delivery(job_id uuid, state webhook_delivery_state, status_code integer default null, error_message text default null, took_ms integer default null) returns void volatile security definer; -- for parlance_sidecar, service_role
create function show_alert(alert interaction_alerts) returns void volatile security definer; -- for its owner
create function start_ticks(url text, secret_key text, every text default '10 seconds') returns text volatile security definer; -- for service_role
create function stop_maintaining(fill_id uuid) returns void volatile security definer; -- for parlance_sidecar, service_role
create function stop_ticks() returns boolean volatile security definer; -- for service_role
create function switch_embedding_space(id smallint) returns void volatile security definer; -- for service_role
create function take_tokens(subject text, route_class text, capacity float8, refill_per_second float8, cost float8 default 1) returns table(allowed boolean, remaining float8, retry_after_seconds float8) volatile security definer; -- for service_role
create function tell_alert(alert_id uuid, event text, data jsonb) returns void volatile security definer; -- for service_role
create function tell_job_events() returns trigger volatile security definer; -- for its owner
create function tend_alerts(after uuid, rows_max integer) returns table(id uuid, done text, error text) volatile security definer; -- for service_role
create function tick_seconds(every text) returns integer immutable; -- for its owner
create function worker_can(kind text, model text, seconds float8 default 20) returns boolean stable security definer; -- for service_role
create function worker_is_alive(kind text, seconds float8 default 20) returns boolean stable security definer; -- for service_role
