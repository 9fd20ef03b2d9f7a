-- The schema auth of a Supabase project, as far as accounts with e-mail and password need it: what the migrations and
-- the policies can see behaves alike; the server behind it is supabase/local/auth. Applied by a superuser, after
-- roles.sql; safe to apply again. There is no auth.schema_migrations: that table marks a real project.
-- Behaviour after supabase/auth v2; the words and the SQL are ours.

create schema if not exists auth authorization supabase_auth_admin;

create table if not exists auth.users (
  id uuid primary key,
  aud text,
  role text,
  -- Lower case. Mangled where the user was deleted softly, so that the address is free again.
  email text,
  -- An argon2id hash in the PHC string format. Null: nobody can sign in with a password.
  encrypted_password text,
  email_confirmed_at timestamptz,
  invited_at timestamptz,
  last_sign_in_at timestamptz,
  -- Set by the operator alone; policies read it from the token.
  raw_app_meta_data jsonb not null default '{}',
  -- Set by the user; no policy may trust it.
  raw_user_meta_data jsonb not null default '{}',
  is_super_admin boolean,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  phone text,
  phone_confirmed_at timestamptz,
  confirmed_at timestamptz generated always as (least(email_confirmed_at, phone_confirmed_at)) stored,
  banned_until timestamptz,
  is_sso_user boolean not null default false,
  is_anonymous boolean not null default false,
  deleted_at timestamptz,
  constraint metadata_is_an_object check (
    jsonb_typeof(raw_app_meta_data) = 'object' and jsonb_typeof(raw_user_meta_data) = 'object'
  )
);

create unique index if not exists users_email_key on auth.users (lower(email)) where not is_sso_user;
create index if not exists users_created_at_index on auth.users (created_at desc, id desc);

-- One for every sign-in, on whatever device.
create table if not exists auth.sessions (
  id uuid primary key,
  user_id uuid not null references auth.users (id) on delete cascade,
  created_at timestamptz not null,
  refreshed_at timestamptz,
  -- Since a refresh token came back that had been exchanged before: one of two holders is not the user.
  revoked_at timestamptz
);

create index if not exists sessions_user_id_index on auth.sessions (user_id);

create table if not exists auth.refresh_tokens (
  -- SHA-256; the token itself is known to its holder alone.
  hash bytea primary key,
  session_id uuid not null references auth.sessions (id) on delete cascade,
  -- The token that was exchanged for this one; null for the first of a session.
  parent_hash bytea,
  created_at timestamptz not null,
  -- When it was exchanged for another.
  rotated_at timestamptz
);

create index if not exists refresh_tokens_session_id_index on auth.refresh_tokens (session_id, rotated_at);

alter table auth.users owner to supabase_auth_admin;
alter table auth.sessions owner to supabase_auth_admin;
alter table auth.refresh_tokens owner to supabase_auth_admin;

-- Nobody but their owner reads these through a policy, and there is none.
alter table auth.users enable row level security;
alter table auth.sessions enable row level security;
alter table auth.refresh_tokens enable row level security;

-- PostgREST has set the claims of the request in two forms; either will do.
create or replace function auth.uid() returns uuid
language sql stable
as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim.sub', true), ''),
    nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'
  )::uuid
$$;

create or replace function auth.role() returns text
language sql stable
as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim.role', true), ''),
    nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role'
  )
$$;

create or replace function auth.email() returns text
language sql stable
as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim.email', true), ''),
    nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'email'
  )
$$;

create or replace function auth.jwt() returns jsonb
language sql stable
as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim', true), ''),
    nullif(current_setting('request.jwt.claims', true), '')
  )::jsonb
$$;

alter function auth.uid() owner to supabase_auth_admin;
alter function auth.role() owner to supabase_auth_admin;
alter function auth.email() owner to supabase_auth_admin;
alter function auth.jwt() owner to supabase_auth_admin;

grant usage on schema auth to anon, authenticated, service_role, parlance_owner;
grant execute on function auth.uid(), auth.role(), auth.email(), auth.jwt()
  to anon, authenticated, service_role, parlance_owner;

-- As `postgres` has on a hosted project: foreign keys to the users, triggers on them, and their rows. The tokens are
-- nobody's business.
grant select, insert, update, delete, references, trigger on auth.users to parlance_owner;
