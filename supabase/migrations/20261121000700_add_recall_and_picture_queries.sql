-- Searches by a picture that is not in the library, and how well searches find what they should: recall measured on
-- what was really asked.

-- ── Searches by a picture ───────────────────────────────────────────────────────────────────────────────────────────

-- The bytes are a temporary object that goes as soon as the vector is here; the vector goes after an hour.
create table parlance.picture_queries (
  id uuid primary key,
  asker text not null,
  owner_id uuid references auth.users (id) on delete cascade,
  space_id smallint not null references parlance.embedding_spaces (id) on delete cascade,
  sha256 text not null,
  embedding extensions.vector,
  error_code text,
  error_message text,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null default now() + interval '1 hour',
  constraint asker_is_known check (asker in ('guest', 'user', 'house')),
  constraint user_has_an_id check ((asker = 'user') = (owner_id is not null)),
  constraint sha256_is_64_hex_digits check (sha256 ~ '^[0-9a-f]{64}$'),
  constraint error_is_whole check ((error_code is null) = (error_message is null)),
  constraint ends_one_way check (embedding is null or error_code is null)
);

comment on table parlance.picture_queries is
  'Pictures that were searched by: their vectors, for the pages that follow and for who asks the same again.';

create index picture_queries_by_content on parlance.picture_queries (owner_id, space_id, sha256);
create index picture_queries_by_end on parlance.picture_queries (expires_at);

alter table parlance.picture_queries enable row level security;
create policy "sidecars answer picture queries" on parlance.picture_queries
  for all to parlance_sidecar using (true) with check (true);
revoke all on parlance.picture_queries from public, anon, authenticated, service_role;
grant select, insert, update, delete on parlance.picture_queries to service_role;
grant select (id, space_id), update (embedding, error_code, error_message)
  on parlance.picture_queries to parlance_sidecar;

-- ── Recall ──────────────────────────────────────────────────────────────────────────────────────────────────────────

create table parlance.recall_measures (
  id uuid primary key,
  space_id smallint not null references parlance.embedding_spaces (id) on delete cascade,
  filter_class text not null,
  path text not null,
  -- How many hits of each search were looked at.
  k smallint not null,
  searches integer not null,
  -- Of the shares of the true hits that were found: their sum, and the least of them.
  recall_sum double precision not null,
  recall_min double precision not null,
  -- Median times of the search as it is served, and of comparing everything.
  served_ms double precision not null,
  exact_ms double precision not null,
  measured_at timestamptz not null default now(),
  constraint filter_class_is_short check (length(filter_class) between 1 and 32),
  constraint path_is_known check (path in ('exact', 'index')),
  constraint k_is_small check (k between 1 and 100),
  constraint searches_are_some check (searches > 0),
  constraint recall_is_a_share check (recall_min between 0 and 1 and recall_sum between 0 and searches)
);

comment on table parlance.recall_measures is
  'What share of the true best hits real searches found: one row a run, space, class of filters and path.';

create index recall_measures_by_age on parlance.recall_measures (measured_at);
create index recall_measures_by_space on parlance.recall_measures (space_id, measured_at desc);

alter table parlance.recall_measures enable row level security;
revoke all on parlance.recall_measures from public, anon, authenticated, service_role;
grant select, insert, delete on parlance.recall_measures to service_role;
