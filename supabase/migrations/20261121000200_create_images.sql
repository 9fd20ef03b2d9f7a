-- The image library: one row a picture, what only its owner may know of the original, and its vectors by
-- embedding space. The bytes lie in the private bucket `images` under `<owner>/<image>/<variant>`.
--
--   uploading ──completion──▶ processing ──ingest job──▶ ready
--       └──────── expired, refused or undecodable ─────▶ failed

create type parlance.image_state as enum ('uploading', 'processing', 'ready', 'failed');

-- The words of a picture for keyword search; names are split where people split them.
create function parlance.image_words(name text, title text, keywords text[]) returns tsvector
  language sql immutable
  as $$
  select setweight(to_tsvector('pg_catalog.english', coalesce(title, '')), 'A')
    || setweight(to_tsvector('pg_catalog.english', coalesce((select string_agg(keyword, ' ') from unnest(keywords) as keyword), '')), 'A')
    || setweight(to_tsvector('pg_catalog.english', regexp_replace(name, '[^[:alnum:]]+', ' ', 'g')), 'B')
$$;

create table parlance.images (
  id uuid primary key,
  owner_id uuid references auth.users (id) on delete cascade,
  name text not null,
  title text,
  keywords text[] not null default '{}',
  state parlance.image_state not null default 'uploading',
  is_public boolean not null default false,
  media_type text,
  size_bytes bigint,
  width integer,
  height integer,
  perceptual_hash bit(64),
  variants text[] not null default '{}',
  taken_at timestamptz,
  camera text,
  error_code text,
  error_message text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  words tsvector generated always as (parlance.image_words(name, title, keywords)) stored,
  constraint name_is_one_to_200_characters check (length(name) between 1 and 200),
  constraint title_is_at_most_300_characters check (length(title) between 1 and 300),
  constraint keywords_are_at_most_50 check (cardinality(keywords) <= 50 and array_position(keywords, null) is null),
  constraint size_is_positive check (size_bytes > 0),
  constraint ready_has_its_measures check (
    state <> 'ready'
    or (media_type is not null and size_bytes is not null and width > 0 and height > 0 and cardinality(variants) > 0)
  ),
  constraint failed_has_a_cause check ((state = 'failed') = (error_code is not null and error_message is not null))
);

comment on table parlance.images is 'The library: pictures of people and of the house.';

-- A house picture has no owner, and house names are unique too.
create unique index images_name_per_owner on parlance.images (owner_id, name) nulls not distinct;
create index images_newest_first on parlance.images (owner_id, created_at desc, id desc);
create index images_public_newest_first on parlance.images (created_at desc, id desc) where is_public;
create index images_words on parlance.images using gin (words);
create index images_unfinished on parlance.images (created_at) where state in ('uploading', 'processing');

create table parlance.image_origins (
  image_id uuid primary key references parlance.images (id) on delete cascade,
  owner_id uuid references auth.users (id) on delete cascade,
  sha256 text not null,
  exif jsonb not null default '{}',
  latitude double precision,
  longitude double precision,
  altitude_metres double precision,
  constraint sha256_is_64_hex_digits check (sha256 ~ '^[0-9a-f]{64}$'),
  constraint exif_is_a_small_object check (jsonb_typeof(exif) = 'object' and octet_length(exif::text) <= 65536),
  constraint latitude_is_in_range check (latitude between -90 and 90),
  constraint longitude_is_in_range check (longitude between -180 and 180),
  constraint place_is_whole check ((latitude is null) = (longitude is null))
);

comment on table parlance.image_origins is 'What only the owner may know of an original: EXIF, place, content hash.';

create index image_origins_by_content on parlance.image_origins (owner_id, sha256);

create table parlance.embedding_spaces (
  id smallint primary key,
  name text not null unique,
  model text not null,
  dimensions integer not null,
  is_current boolean not null default false,
  created_at timestamptz not null default now(),
  constraint dimensions_fit_an_index check (dimensions between 1 and 2000)
);

comment on table parlance.embedding_spaces is 'Models whose vectors may be compared with each other; one is searched.';

create unique index embedding_spaces_one_current on parlance.embedding_spaces (is_current) where is_current;

create table parlance.image_vectors (
  space_id smallint not null references parlance.embedding_spaces (id),
  image_id uuid not null references parlance.images (id) on delete cascade,
  owner_id uuid references auth.users (id) on delete cascade,
  is_public boolean not null default false,
  embedding extensions.vector not null,
  created_at timestamptz not null default now(),
  primary key (space_id, image_id),
  constraint embedding_has_unit_length check (extensions.vector_norm(embedding) between 0.999 and 1.001)
) partition by list (space_id);

comment on table parlance.image_vectors is 'Unit vectors of pictures; inner product is the score.';

create table parlance.query_vectors (
  space_id smallint not null references parlance.embedding_spaces (id),
  query text not null,
  embedding extensions.vector,
  created_at timestamptz not null default now(),
  primary key (space_id, query),
  constraint query_is_one_to_100_characters check (length(query) between 1 and 100)
);

comment on table parlance.query_vectors is 'Vectors of queries asked before; null where the model knows no word of them.';

create index query_vectors_by_age on parlance.query_vectors (created_at);

alter table parlance.images enable row level security;
alter table parlance.image_origins enable row level security;
alter table parlance.embedding_spaces enable row level security;
alter table parlance.image_vectors enable row level security;
alter table parlance.query_vectors enable row level security;

create policy "owners see their pictures" on parlance.images
  for select to authenticated using (parlance.may_see(owner_id));
create policy "everyone sees public pictures" on parlance.images
  for select to anon, authenticated using (is_public and state = 'ready');
create policy "users add pictures of their own" on parlance.images
  for insert to authenticated with check (owner_id = (select auth.uid()));
create policy "owners change their pictures" on parlance.images
  for update to authenticated using (parlance.may_see(owner_id)) with check (parlance.may_see(owner_id));
create policy "owners delete their pictures" on parlance.images
  for delete to authenticated using (parlance.may_see(owner_id));
create policy "sidecars work on pictures" on parlance.images
  for all to parlance_sidecar using (true) with check (true);

create policy "owners see their originals" on parlance.image_origins
  for select to authenticated using (parlance.may_see(owner_id));
create policy "sidecars write originals" on parlance.image_origins
  for all to parlance_sidecar using (true) with check (true);

create policy "everyone sees the spaces" on parlance.embedding_spaces
  for select to anon, authenticated, parlance_sidecar using (true);

create policy "sidecars write query vectors" on parlance.query_vectors
  for all to parlance_sidecar using (true) with check (true);

-- The policies of the vectors, on the table and on each partition alike.
create function parlance.protect_vectors(vectors regclass) returns void
  language plpgsql set search_path = ''
  as $$
begin
  execute format('alter table %s enable row level security', vectors);
  execute format('create policy "owners see their vectors" on %s for select to authenticated using (parlance.may_see(owner_id))', vectors);
  execute format('create policy "everyone sees public vectors" on %s for select to anon, authenticated using (is_public)', vectors);
  execute format('create policy "sidecars write vectors" on %s for all to parlance_sidecar using (true) with check (true)', vectors);
  execute format('revoke all on %s from public, anon, authenticated, service_role', vectors);
  execute format('grant select on %s to anon, authenticated', vectors);
  execute format('grant select, insert, update, delete on %s to service_role', vectors);
  execute format('grant select, insert, update on %s to parlance_sidecar', vectors);
end
$$;

-- A new space with its partition, its dimension held by a constraint, and its index. Run by the operator.
create function parlance.add_embedding_space(id smallint, name text, model text, dimensions integer) returns void
  language plpgsql set search_path = ''
  as $$
declare
  partition text := 'image_vectors_' || id;
begin
  insert into parlance.embedding_spaces (id, name, model, dimensions) values (id, name, model, dimensions);
  execute format('create table parlance.%I partition of parlance.image_vectors for values in (%s)', partition, id);
  execute format(
    'alter table parlance.%I add constraint embedding_has_the_dimensions check (extensions.vector_dims(embedding) = %s)',
    partition, dimensions
  );
  execute format('create index %I on parlance.%I (owner_id)', partition || '_by_owner', partition);
  -- Few public pictures among many private ones are found without reading the private ones.
  execute format('create index %I on parlance.%I (image_id) where is_public', partition || '_public', partition);
  execute format(
    'create index %I on parlance.%I using hnsw ((embedding::extensions.vector(%s)) extensions.vector_ip_ops)',
    partition || '_nearest', partition, dimensions
  );
  perform parlance.protect_vectors(format('parlance.%I', partition)::regclass);
end
$$;

-- A picture that changes hands or becomes public takes its vectors and its origin with it.
create function parlance.follow_image() returns trigger
  language plpgsql security definer set search_path = ''
  as $$
begin
  update parlance.image_vectors set owner_id = new.owner_id, is_public = new.is_public where image_id = new.id;
  update parlance.image_origins set owner_id = new.owner_id where image_id = new.id;
  return null;
end
$$;

create trigger follow_image after update of owner_id, is_public on parlance.images
  for each row execute function parlance.follow_image();

-- Every change of a picture is dated.
create function parlance.date_image() returns trigger
  language plpgsql set search_path = ''
  as $$
begin
  new.updated_at := clock_timestamp();
  return new;
end
$$;

create trigger date_image before update on parlance.images
  for each row execute function parlance.date_image();

revoke all on parlance.images, parlance.image_origins, parlance.embedding_spaces, parlance.query_vectors
  from public, anon, authenticated, service_role;
grant select on parlance.images, parlance.embedding_spaces to anon;
grant select on parlance.images, parlance.image_origins, parlance.embedding_spaces to authenticated;
-- What a user may write of a picture: neither its state nor whether it is public.
grant insert (id, owner_id, name, title, keywords, media_type, size_bytes) on parlance.images to authenticated;
grant update (name, title, keywords) on parlance.images to authenticated;
grant delete on parlance.images to authenticated;
grant select, insert, update, delete
  on parlance.images, parlance.image_origins, parlance.embedding_spaces, parlance.query_vectors to service_role;
-- What a sidecar finds out; whose a picture is, its name and whether it is public are none of its business.
grant select, update (
  state, media_type, size_bytes, width, height, perceptual_hash, variants, taken_at, camera, error_code, error_message
) on parlance.images to parlance_sidecar;
grant select, insert, update on parlance.image_origins, parlance.query_vectors to parlance_sidecar;
grant select on parlance.embedding_spaces to parlance_sidecar;

revoke all on function
  parlance.image_words(text, text, text[]), parlance.protect_vectors(regclass),
  parlance.add_embedding_space(smallint, text, text, integer), parlance.follow_image(), parlance.date_image()
from public, anon, authenticated, service_role;
-- A generated column is computed with the rights of the writer.
grant execute on function parlance.image_words(text, text, text[]) to authenticated, service_role, parlance_sidecar;

select parlance.protect_vectors('parlance.image_vectors');
select parlance.add_embedding_space(1::smallint, 'palette', 'palette', 128);
update parlance.embedding_spaces set is_current = true where id = 1;

-- Owners may fetch the objects of their own pictures with supabase-js; nobody may write but the secret key.
create policy "owners read the objects of their pictures" on storage.objects
  for select to authenticated
  using (bucket_id = 'images' and (storage.foldername(name))[1] = (select auth.uid())::text);
