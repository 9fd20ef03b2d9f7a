-- The schema of the house, the role of its sidecars, and the two questions that every policy asks.
-- Nothing here is exposed by the Data API: browsers reach rows through the edge app only.

create extension if not exists vector with schema extensions;

create schema if not exists parlance;

-- A sidecar logs in with this role and has only what is granted to it by name.
-- The operator gives it a password: alter role parlance_sidecar with login password '…'.
do $$
begin
  create role parlance_sidecar login noinherit connection limit 200;
exception
  when duplicate_object or unique_violation then null;
end
$$;

revoke all on schema parlance from public;
grant usage on schema parlance to anon, authenticated, service_role, parlance_sidecar;
grant usage on schema extensions to parlance_sidecar;

-- Whether the caller is an admin: `app_metadata.role`, which only the operator can set.
create function parlance.is_admin() returns boolean
  language sql stable
  as $$ select coalesce(auth.jwt() -> 'app_metadata' ->> 'role', '') = 'admin' $$;

-- Who may see a row: its owner, and admins. A row without an owner belongs to the house.
-- One expression without sub-selects, so that the planner can inline it.
create function parlance.may_see(owner_id uuid) returns boolean
  language sql stable
  as $$ select owner_id = auth.uid() or parlance.is_admin() $$;

revoke all on function parlance.is_admin(), parlance.may_see(uuid) from public;
grant execute on function parlance.is_admin(), parlance.may_see(uuid) to anon, authenticated, service_role;

-- Every user hears their own topic, admins that of the house; nobody but the database speaks on them.
create policy "users hear their own topic" on realtime.messages
  for select to authenticated
  using (
    extension = 'broadcast'
    and (
      (select realtime.topic()) = 'user:' || (select auth.uid())::text
      or ((select realtime.topic()) = 'house' and (select parlance.is_admin()))
    )
  );
