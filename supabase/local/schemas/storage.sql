-- The schema storage of a Supabase project, as far as buckets and objects need it: what the migrations, the policies
-- and supabase-js can see behaves alike; the server behind it is supabase/local/storage. Applied by a superuser, after
-- roles.sql and auth.sql; safe to apply again. Behaviour after supabase/storage v1.90; the words and the SQL are ours.
--
-- Who may do what, beside a hosted project: there the owner of the migrations ("postgres") is no member of
-- supabase_storage_admin and holds every privilege on both tables; the extension supautils lets it create, alter and
-- drop policies as if it owned them. Plain Postgres knows no such leave: only the owner of a table changes its policies.
-- So parlance_owner inherits supabase_storage_admin (roles.sql), without `set`: it cannot become that role or give
-- tables to it. What that allows beyond a hosted project is altering or dropping these tables; a test of the migrations
-- holds them to policies.

create schema if not exists storage authorization supabase_storage_admin;

create table if not exists storage.buckets (
  id text primary key,
  name text not null,
  -- Kept for old policies; owner_id is the one that holds every kind of subject.
  owner uuid,
  owner_id text,
  public boolean default false,
  avif_autodetection boolean default false,
  -- Bytes; null is the limit of the whole server.
  file_size_limit bigint,
  -- Such as 'image/png' or 'image/*'; null allows every type.
  allowed_mime_types text[],
  created_at timestamptz default now(),
  updated_at timestamptz default now(),
  constraint buckets_name_is_at_most_100_characters check (length(name) <= 100)
);

create unique index if not exists bname on storage.buckets (name);

create table if not exists storage.objects (
  id uuid primary key default gen_random_uuid(),
  bucket_id text not null,
  name text not null,
  owner uuid,
  owner_id text,
  -- What the server knows of the bytes: eTag, size, mimetype, cacheControl, lastModified, contentLength.
  metadata jsonb,
  -- What the uploader said of them.
  user_metadata jsonb,
  -- The name of the file on disk, a UUID; a new one for every content.
  version text,
  path_tokens text[] generated always as (string_to_array(name, '/')) stored,
  created_at timestamptz default now(),
  updated_at timestamptz default now(),
  last_accessed_at timestamptz default now(),
  constraint "objects_bucketId_fkey" foreign key (bucket_id) references storage.buckets (id)
);

create unique index if not exists bucketid_objname on storage.objects (bucket_id, name);
-- Listings walk names byte by byte, whatever the collation of the database.
create index if not exists idx_objects_bucket_id_name on storage.objects (bucket_id, name collate "C");

alter table storage.buckets owner to supabase_storage_admin;
alter table storage.objects owner to supabase_storage_admin;
alter table storage.buckets enable row level security;
alter table storage.objects enable row level security;

-- 'a/b/c.png' is in the folders {a,b}; a name without a slash is in none.
create or replace function storage.foldername(name text) returns text[]
language sql immutable
as $$
  select (string_to_array(name, '/'))[1:cardinality(string_to_array(name, '/')) - 1];
$$;

create or replace function storage.filename(name text) returns text
language sql immutable
as $$
  select (string_to_array(name, '/'))[cardinality(string_to_array(name, '/'))];
$$;

-- What follows the last dot of the file's name; the whole of it where there is none, as on the original.
create or replace function storage.extension(name text) returns text
language sql immutable
as $$
  select reverse(split_part(reverse(storage.filename(name)), '.', 1));
$$;

-- What the server is doing for the caller, such as 'storage.object.upload'; null for plain SQL.
create or replace function storage.operation() returns text
language sql stable
as $$
  select current_setting('storage.operation', true);
$$;

create or replace function storage.allow_any_operation(expected_operations text[]) returns boolean
language sql stable
as $$
  select exists (
    select 1
    from unnest(expected_operations) as expected
    where expected <> ''
      and regexp_replace(expected, '^storage\.', '') = regexp_replace(storage.operation(), '^storage\.', '')
  );
$$;

create or replace function storage.allow_only_operation(expected_operation text) returns boolean
language sql stable
as $$
  select storage.allow_any_operation(array[expected_operation]);
$$;

-- A row that is deleted by hand leaves its bytes behind. The server says that it knows what it does.
create or replace function storage.protect_delete() returns trigger
language plpgsql
as $$
begin
  if coalesce(current_setting('storage.allow_delete_query', true), 'false') <> 'true' then
    raise exception 'Direct deletion from storage tables is not allowed. Use the Storage API instead.'
      using
        hint = 'The bytes of the objects would stay behind.',
        errcode = '42501';
  end if;
  return null;
end;
$$;

create or replace function storage.update_updated_at_column() returns trigger
language plpgsql
as $$
begin
  new.updated_at := now();
  return new;
end;
$$;

create or replace trigger protect_buckets_delete
  before delete on storage.buckets
  for each statement
  execute function storage.protect_delete();

create or replace trigger protect_objects_delete
  before delete on storage.objects
  for each statement
  execute function storage.protect_delete();

create or replace trigger update_objects_updated_at
  before update on storage.objects
  for each row
  execute function storage.update_updated_at_column();

alter function storage.foldername(text) owner to supabase_storage_admin;
alter function storage.filename(text) owner to supabase_storage_admin;
alter function storage.extension(text) owner to supabase_storage_admin;
alter function storage.operation() owner to supabase_storage_admin;
alter function storage.allow_any_operation(text[]) owner to supabase_storage_admin;
alter function storage.allow_only_operation(text) owner to supabase_storage_admin;
alter function storage.protect_delete() owner to supabase_storage_admin;
alter function storage.update_updated_at_column() owner to supabase_storage_admin;

-- The tables are open to every role of the API, as on the original: row level security is what decides.
grant usage on schema storage to anon, authenticated, service_role, parlance_owner;
grant all on storage.buckets, storage.objects to anon, authenticated, service_role;
grant all on storage.buckets, storage.objects to parlance_owner with grant option;
