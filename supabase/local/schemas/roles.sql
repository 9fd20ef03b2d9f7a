-- The roles of a Supabase project, and the owner under which our migrations run: no superuser, but createrole and
-- bypassrls, as `postgres` is on a hosted project. Roles belong to the whole cluster: other databases of it may be
-- running this at the same moment, so it waits for them.
lock table pg_catalog.pg_auth_members in share row exclusive mode;

do $$
declare
  role record;
begin
  for role in
    select *
    from (
      values
        ('anon', 'nologin noinherit'),
        ('authenticated', 'nologin noinherit'),
        ('service_role', 'nologin noinherit bypassrls'),
        ('dashboard_user', 'nologin'),
        ('supabase_admin', 'nologin'),
        ('authenticator', 'login noinherit'),
        ('supabase_auth_admin', 'login noinherit createrole'),
        ('supabase_storage_admin', 'login noinherit createrole'),
        ('supabase_realtime_admin', 'login noinherit'),
        ('parlance_owner', 'login createrole bypassrls')
    ) as wanted(name, attributes)
    where not exists (select from pg_catalog.pg_roles where rolname = wanted.name)
  loop
    execute format('create role %I %s', role.name, role.attributes);
  end loop;
end
$$;

-- Those who act for a caller may become the caller.
grant anon, authenticated, service_role to authenticator;
grant anon, authenticated, service_role to supabase_storage_admin;
grant anon, authenticated, service_role to supabase_realtime_admin;
grant anon, authenticated, service_role to parlance_owner with admin true, inherit true, set true;

-- A hosted project lets `postgres` make policies on these tables by a setting of supautils. Plain Postgres asks for
-- the rights of their owner, so the migrations could do more here than there; a test holds them to policies.
grant supabase_storage_admin, supabase_realtime_admin to parlance_owner with inherit true, set false;

do $$
begin
  execute format('grant create on database %I to parlance_owner', current_database());
  execute format('alter database %I set search_path = "$user", public, extensions', current_database());
end
$$;

grant all on schema public to parlance_owner;
grant usage on schema public to anon, authenticated, service_role;

create schema if not exists extensions;
grant usage on schema extensions to public;
grant create on schema extensions to parlance_owner;
create extension if not exists vector with schema extensions;
