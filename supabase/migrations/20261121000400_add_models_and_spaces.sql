-- Several models side by side: jobs name the model that they need, workers the models that they offer, and embedding
-- spaces are added, filled, switched and dropped while searches go on.
--
--   added ──fill──▶ maintained ──switch──▶ current ──switch to another──▶ maintained ──drop──▶ gone

-- ── Policies whose questions are asked once a statement, not once a row ─────────────────────────────────────────────

-- Who may see a row, given who is asking: policies put sub-selects in, which are evaluated once, and the planner
-- inlines the rest.
create function parlance.may_see(owner_id uuid, user_id uuid, is_admin boolean) returns boolean
  language sql immutable
  as $$ select owner_id = user_id or is_admin $$;

revoke all on function parlance.may_see(uuid, uuid, boolean) from public;
grant execute on function parlance.may_see(uuid, uuid, boolean) to anon, authenticated, service_role;

alter policy "owners see their pictures" on parlance.images
  using (parlance.may_see(owner_id, (select auth.uid()), (select parlance.is_admin())));
alter policy "owners change their pictures" on parlance.images
  using (parlance.may_see(owner_id, (select auth.uid()), (select parlance.is_admin())))
  with check (parlance.may_see(owner_id, (select auth.uid()), (select parlance.is_admin())));
alter policy "owners delete their pictures" on parlance.images
  using (parlance.may_see(owner_id, (select auth.uid()), (select parlance.is_admin())));
alter policy "owners see their originals" on parlance.image_origins
  using (parlance.may_see(owner_id, (select auth.uid()), (select parlance.is_admin())));
alter policy "owners see their jobs" on parlance.jobs
  using (parlance.may_see(owner_id, (select auth.uid()), (select parlance.is_admin())));
alter policy "admins see the workers" on parlance.workers
  using ((select parlance.is_admin()));
alter policy "owners see their vectors" on parlance.image_vectors
  using (parlance.may_see(owner_id, (select auth.uid()), (select parlance.is_admin())));
alter policy "owners see their vectors" on parlance.image_vectors_1
  using (parlance.may_see(owner_id, (select auth.uid()), (select parlance.is_admin())));

-- The policies of the vectors, on the table and on each partition alike.
create or replace function parlance.protect_vectors(vectors regclass) returns void
  language plpgsql set search_path = ''
  as $$
begin
  execute format('alter table %s enable row level security', vectors);
  execute format(
    'create policy "owners see their vectors" on %s for select to authenticated '
    'using (parlance.may_see(owner_id, (select auth.uid()), (select parlance.is_admin())))',
    vectors
  );
  execute format('create policy "everyone sees public vectors" on %s for select to anon, authenticated using (is_public)', vectors);
  execute format('create policy "sidecars write vectors" on %s for all to parlance_sidecar using (true) with check (true)', vectors);
  execute format('revoke all on %s from public, anon, authenticated, service_role', vectors);
  execute format('grant select on %s to anon, authenticated', vectors);
  execute format('grant select, insert, update, delete on %s to service_role', vectors);
  execute format('grant select, insert, update on %s to parlance_sidecar', vectors);
end
$$;

-- ── What pictures are filtered by ───────────────────────────────────────────────────────────────────────────────────

-- Keywords as they are compared: without regard to case, each once.
create function parlance.fold_keywords(keywords text[]) returns text[]
  language sql immutable
  as $$ select coalesce(array_agg(distinct lower(keyword) order by lower(keyword)), '{}') from unnest(keywords) as keyword $$;

revoke all on function parlance.fold_keywords(text[]) from public, anon, authenticated, service_role;
-- A generated column is computed with the rights of the writer.
grant execute on function parlance.fold_keywords(text[]) to authenticated, service_role, parlance_sidecar;

alter table parlance.images
  -- Null: not looked at yet.
  add column colours text[],
  add column tags text[] generated always as (parlance.fold_keywords(keywords)) stored,
  -- Within 2 % of each other, width and height are a square.
  add column orientation text generated always as (
    case
      when width is null or height is null then null
      when abs(width - height) * 50 <= greatest(width, height) then 'square'
      when width > height then 'landscape'
      else 'portrait'
    end
  ) stored,
  add constraint colours_are_basic check (
    colours <@ array['black', 'white', 'grey', 'red', 'orange', 'yellow', 'green', 'blue', 'purple', 'pink', 'brown']
    and cardinality(colours) <= 11
  );

grant update (colours) on parlance.images to parlance_sidecar;

create index images_by_time on parlance.images (owner_id, taken_at, id);
create index images_by_camera on parlance.images (owner_id, lower(camera));
create index images_by_tag on parlance.images using gin (tags);
create index images_by_colour on parlance.images using gin (colours);
create index images_all_newest_first on parlance.images (created_at desc, id desc);
create index image_origins_with_place on parlance.image_origins (owner_id, image_id) where latitude is not null;
create index images_by_hash on parlance.images (owner_id, perceptual_hash) where perceptual_hash is not null;

-- ── Embedding spaces ────────────────────────────────────────────────────────────────────────────────────────────────

alter table parlance.embedding_spaces
  add column model_digest text not null default 'built-in',
  add column is_maintained boolean not null default false,
  add column switched_at timestamptz,
  -- Where scores begin to mean something; see the room of pictures.
  add column calibration jsonb,
  add column calibrated_at timestamptz,
  add constraint calibration_is_an_object check (jsonb_typeof(calibration) = 'object' and octet_length(calibration::text) <= 65536),
  add constraint model_is_a_key check (model ~ '^[a-z0-9][a-z0-9.-]{0,63}$'),
  add constraint name_is_a_key check (name ~ '^[a-z0-9][a-z0-9.-]{0,63}$'),
  add constraint digest_is_short check (length(model_digest) between 1 and 100);

update parlance.embedding_spaces set is_maintained = true where is_current;
alter table parlance.embedding_spaces
  add constraint current_is_maintained check (is_maintained or not is_current);

-- Never given twice: a cursor or a job of a dropped space must not mean another one.
create sequence parlance.embedding_space_ids as smallint start 2;

drop function parlance.add_embedding_space(smallint, text, text, integer);

-- A new space with its partition, its dimension held by a constraint, and its index. Vectors lie in their rows, not
-- beside them: comparing some thousands one by one must not cost a second look each. Adding and dropping a partition
-- lock tables that everyone uses: both give up before Postgres looks for deadlocks (after a second), so that it is never
-- a search or a landing that loses; whoever asked tries again.
create function parlance.add_embedding_space(
  id smallint, name text, model text, dimensions integer, model_digest text default 'built-in'
) returns void
  language plpgsql security definer set search_path = ''
  as $$
declare
  partition text := 'image_vectors_' || id;
begin
  perform set_config('lock_timeout', '500ms', true);
  insert into parlance.embedding_spaces (id, name, model, dimensions, model_digest)
  values (id, name, model, dimensions, model_digest);
  execute format('create table parlance.%I partition of parlance.image_vectors for values in (%s)', partition, id);
  execute format('alter table parlance.%I alter column embedding set storage plain', partition);
  execute format(
    'alter table parlance.%I add constraint embedding_has_the_dimensions check (extensions.vector_dims(embedding) = %s)',
    partition, dimensions
  );
  execute format('create index %I on parlance.%I (owner_id)', partition || '_by_owner', partition);
  execute format('create index %I on parlance.%I using brin (created_at)', partition || '_by_age', partition);
  -- Few public pictures among many private ones are found without reading the private ones.
  execute format('create index %I on parlance.%I (image_id) where is_public', partition || '_public', partition);
  execute format(
    'create index %I on parlance.%I using hnsw ((embedding::extensions.vector(%s)) extensions.vector_ip_ops)',
    partition || '_nearest', partition, dimensions
  );
  perform parlance.protect_vectors(format('parlance.%I', partition)::regclass);
end
$$;

-- The same with the next free number; answers it.
create function parlance.create_embedding_space(name text, model text, model_digest text, dimensions integer)
  returns smallint
  language plpgsql security definer set search_path = ''
  as $$
declare
  id smallint := nextval('parlance.embedding_space_ids');
begin
  perform parlance.add_embedding_space(id, name, model, dimensions, model_digest);
  return id;
end
$$;

-- From its commit on, searches look into this space; those that began before end in the other one.
create function parlance.switch_embedding_space(id smallint) returns void
  language plpgsql security definer set search_path = ''
  as $$
begin
  perform set_config('lock_timeout', '5s', true);
  lock table parlance.embedding_spaces in share row exclusive mode;
  if not exists (select from parlance.embedding_spaces as spaces where spaces.id = switch_embedding_space.id) then
    raise exception 'there is no embedding space %', id using errcode = 'no_data_found';
  end if;
  update parlance.embedding_spaces as spaces
  set is_current = false, switched_at = clock_timestamp()
  where spaces.is_current and spaces.id <> switch_embedding_space.id;
  update parlance.embedding_spaces as spaces
  set is_current = true, is_maintained = true, switched_at = clock_timestamp()
  where spaces.id = switch_embedding_space.id and not spaces.is_current;
end
$$;

-- Takes a space away with everything measured in it. The one that searches stays.
create function parlance.drop_embedding_space(id smallint) returns void
  language plpgsql security definer set search_path = ''
  as $$
begin
  perform set_config('lock_timeout', '500ms', true);
  lock table parlance.embedding_spaces in share row exclusive mode;
  if exists (
    select from parlance.embedding_spaces as spaces
    where spaces.id = drop_embedding_space.id and spaces.is_current
  ) then
    raise exception 'the embedding space % searches', id
      using errcode = 'check_violation', constraint = 'current_stays', schema = 'parlance', table = 'embedding_spaces';
  end if;
  execute format('drop table if exists parlance.%I', 'image_vectors_' || id);
  delete from parlance.query_vectors where space_id = drop_embedding_space.id;
  delete from parlance.embedding_spaces as spaces where spaces.id = drop_embedding_space.id;
end
$$;

revoke all on sequence parlance.embedding_space_ids from public, anon, authenticated, service_role;
revoke all on function
  parlance.add_embedding_space(smallint, text, text, integer, text),
  parlance.create_embedding_space(text, text, text, integer),
  parlance.switch_embedding_space(smallint),
  parlance.drop_embedding_space(smallint)
from public, anon, authenticated, service_role;
grant execute on function
  parlance.create_embedding_space(text, text, text, integer),
  parlance.switch_embedding_space(smallint),
  parlance.drop_embedding_space(smallint)
to service_role;

alter table parlance.image_vectors_1 alter column embedding set storage plain;

-- ── The log of searches ─────────────────────────────────────────────────────────────────────────────────────────────

create table parlance.searches (
  id uuid primary key,
  space_id smallint not null references parlance.embedding_spaces (id) on delete cascade,
  owner_id uuid references auth.users (id) on delete cascade,
  asker text not null,
  scope text not null,
  query text,
  minus text,
  image_id uuid,
  filters jsonb not null default '{}',
  filter_class text not null default 'none',
  path text not null,
  embedding extensions.vector not null,
  created_at timestamptz not null default now(),
  constraint asker_is_known check (asker in ('anon', 'user', 'admin', 'service')),
  constraint user_has_an_id check ((asker in ('user', 'admin')) = (owner_id is not null)),
  constraint scope_is_known check (scope in ('own', 'public', 'all')),
  constraint path_is_known check (path in ('exact', 'index')),
  constraint query_is_1_to_100_characters check (length(query) between 1 and 100),
  constraint minus_is_1_to_100_characters check (length(minus) between 1 and 100),
  constraint filters_are_a_small_object check (jsonb_typeof(filters) = 'object' and octet_length(filters::text) <= 8192),
  constraint filter_class_is_short check (length(filter_class) between 1 and 32)
);

comment on table parlance.searches is
  'A sample of what was really asked, with the vector that was searched by: recall is measured and models are compared on it.';

create index searches_by_age on parlance.searches (created_at);
create index searches_by_space on parlance.searches (space_id, created_at desc);
create index searches_of_an_owner on parlance.searches (owner_id);

alter table parlance.searches enable row level security;
create policy "sidecars read searches" on parlance.searches for select to parlance_sidecar using (true);
revoke all on parlance.searches from public, anon, authenticated, service_role;
grant select, insert, delete on parlance.searches to service_role;
grant select (id, space_id, query, created_at) on parlance.searches to parlance_sidecar;

-- ── Jobs that need a model, and where they came from ────────────────────────────────────────────────────────────────

alter table parlance.jobs
  -- The key of the model that a worker must offer to claim it; null: any worker of its kind.
  add column model text,
  -- W3C Trace Context of the request that added it.
  add column traceparent text,
  add constraint model_is_short check (length(model) between 1 and 64),
  add constraint traceparent_is_one check (traceparent ~ '^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$');

drop function parlance.add_job(uuid, text, jsonb, uuid, uuid, parlance.job_lane, text, integer, double precision);

-- Adds a job in the caller's transaction and returns its id. While a job of the same kind and unique key is
-- open, nothing is added and the open one's id is returned. The trace of the request comes from the transaction.
create function parlance.add_job(
  id uuid,
  kind text,
  payload jsonb,
  owner_id uuid default null,
  subject_id uuid default null,
  lane parlance.job_lane default 'bulk',
  unique_key text default null,
  attempts_max integer default 5,
  delay_seconds double precision default 0,
  model text default null
) returns uuid
  language plpgsql security definer set search_path = ''
  as $$
#variable_conflict use_column
declare
  open_id uuid;
  trace text := nullif(current_setting('parlance.traceparent', true), '');
begin
  -- The open one may end between the two statements; then the next round adds.
  for round in 1..10 loop
    insert into parlance.jobs
      (id, kind, payload, owner_id, subject_id, lane, unique_key, attempts_max, run_after, model, traceparent)
    values (
      add_job.id, add_job.kind, add_job.payload, add_job.owner_id, add_job.subject_id, add_job.lane,
      add_job.unique_key, add_job.attempts_max, now() + make_interval(secs => add_job.delay_seconds),
      add_job.model, trace
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

drop function parlance.claim_jobs(uuid, text[], parlance.job_lane[], integer, double precision);

-- Claims up to `jobs_max` jobs for a worker and answers them in order: interactive first, the longest due first.
-- Jobs that need a model go to workers that offer it. `skip locked` lets workers claim at once without waiting for
-- each other.
create function parlance.claim_jobs(
  worker_id uuid,
  kinds text[],
  lanes parlance.job_lane[],
  jobs_max integer,
  lease_seconds double precision,
  models text[] default '{}'
) returns table (
  id uuid, kind text, lane parlance.job_lane, owner_id uuid, subject_id uuid,
  payload jsonb, attempts integer, attempts_max integer, claim bigint, traceparent text
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
      and (jobs.model is null or jobs.model = any (models))
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
    claimed.payload, claimed.attempts, claimed.attempts_max, claimed.claim, claimed.traceparent
  from claimed
  order by claimed.lane, claimed.run_after, claimed.id
$$;

-- ── Workers and the models that they offer ──────────────────────────────────────────────────────────────────────────

-- `models` are those that a worker offers to run, `loaded` those that it has in memory.
alter table parlance.workers add column loaded text[] not null default '{}';

drop function parlance.report_worker(uuid, text, text, text, text[], text[], bigint, jsonb, text);

-- A worker says that it lives, and what it can do. Rows of workers unseen for a day are removed in passing.
create function parlance.report_worker(
  id uuid, runner text, device text, provider text, kinds text[], models text[], loaded text[],
  memory_bytes bigint, versions jsonb, state text
) returns void
  language sql volatile security definer set search_path = ''
  as $$
  delete from parlance.workers
  where workers.last_seen_at < now() - interval '1 day';
  insert into parlance.workers (id, runner, device, provider, kinds, models, loaded, memory_bytes, versions, state)
  values (
    report_worker.id, report_worker.runner, report_worker.device, report_worker.provider, report_worker.kinds,
    report_worker.models, report_worker.loaded, report_worker.memory_bytes, report_worker.versions, report_worker.state
  )
  on conflict on constraint workers_pkey do update
  set models = excluded.models,
    loaded = excluded.loaded,
    memory_bytes = excluded.memory_bytes,
    state = excluded.state,
    last_seen_at = clock_timestamp()
$$;

-- Whether a worker that runs this kind and offers this model was seen within the last `seconds` and is not on its
-- way out.
create function parlance.worker_can(kind text, model text, seconds double precision default 20) returns boolean
  language sql stable security definer set search_path = ''
  as $$
  select exists (
    select from parlance.workers
    where workers.state = 'running'
      and worker_can.kind = any (workers.kinds)
      and worker_can.model = any (workers.models)
      and workers.last_seen_at > clock_timestamp() - make_interval(secs => seconds)
  )
$$;

revoke all on function
  parlance.add_job(uuid, text, jsonb, uuid, uuid, parlance.job_lane, text, integer, double precision, text),
  parlance.claim_jobs(uuid, text[], parlance.job_lane[], integer, double precision, text[]),
  parlance.report_worker(uuid, text, text, text, text[], text[], text[], bigint, jsonb, text),
  parlance.worker_can(text, text, double precision)
from public, anon, authenticated, service_role;
grant execute on function
  parlance.add_job(uuid, text, jsonb, uuid, uuid, parlance.job_lane, text, integer, double precision, text),
  parlance.claim_jobs(uuid, text[], parlance.job_lane[], integer, double precision, text[]),
  parlance.report_worker(uuid, text, text, text, text[], text[], text[], bigint, jsonb, text)
to service_role, parlance_sidecar;
grant execute on function parlance.worker_can(text, text, double precision) to service_role;
