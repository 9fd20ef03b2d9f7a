-- Schedules: which job is added when. A row is a cron expression in a time zone and the time of its next run. Whoever
-- ticks takes a due row `for update skip locked`, adds its job and moves the time in one transaction, so that any number
-- of processes may tick and each run is added once.
--
--   next_at    the next time that the expression names
--   due_at     when a tick looks at the row: `next_at`, or a little later after a try that was refused

create table parlance.job_schedules (
  name text primary key,
  kind text not null,
  payload jsonb not null default '{}',
  owner_id uuid references auth.users (id) on delete cascade,
  cron text not null,
  time_zone text not null default 'UTC',
  missed text not null default 'once',
  is_paused boolean not null default false,
  next_at timestamptz not null,
  due_at timestamptz not null,
  -- The time of the newest run and its job, which may have been pruned since.
  last_at timestamptz,
  last_job_id uuid,
  -- Why the newest try added nothing.
  last_error text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint name_is_lower_case_words check (name ~ '^[a-z][a-z0-9]*([.-][a-z0-9]+)*$' and length(name) <= 64),
  constraint kind_is_feature_dot_verb_noun check (kind ~ '^[a-z]+\.[a-z]+(-[a-z]+)*$' and length(kind) <= 64),
  constraint payload_is_a_small_object check (jsonb_typeof(payload) = 'object' and octet_length(payload::text) <= 65536),
  constraint cron_is_short check (length(cron) between 1 and 120),
  constraint time_zone_is_a_short_name check (time_zone ~ '^[A-Za-z]' and length(time_zone) <= 64),
  constraint missed_is_known check (missed in ('skip', 'once', 'all')),
  constraint due_is_not_before_next check (due_at >= next_at),
  constraint last_run_has_a_job check ((last_at is null) = (last_job_id is null)),
  constraint last_error_is_short check (length(last_error) <= 2000)
);

comment on table parlance.job_schedules is 'Which job is added when; a tick adds what is due.';

create index job_schedules_due on parlance.job_schedules (due_at) where not is_paused;
create index job_schedules_of_an_owner on parlance.job_schedules (owner_id) where owner_id is not null;

alter table parlance.job_schedules enable row level security;

create policy "admins see the schedules" on parlance.job_schedules
  for select to authenticated using (parlance.is_admin());

revoke all on parlance.job_schedules from public, anon, authenticated, service_role;
grant select on parlance.job_schedules to authenticated;
grant select, insert, update, delete on parlance.job_schedules to service_role;

-- Where no process of ours runs all the time, as on a Supabase project, pg_cron is the clock: it calls
-- `POST <url>/jobs/ticks` by pg_net. The secret key stands in the vault and is read at each call, so that none stands in
-- cron.job. Nothing here needs these extensions before it is called.

-- Says which extension is missing and what to do.
create function parlance.require_tick_extensions() returns void
  language plpgsql stable set search_path = pg_catalog, pg_temp
  as $$
declare
  needed record;
begin
  for needed in
    select *
    from (values
      ('cron', 'schedule', 'pg_cron', 'create extension pg_cron'),
      ('net', 'http_post', 'pg_net', 'create extension pg_net'),
      ('vault', 'create_secret', 'supabase_vault', 'create extension supabase_vault with schema vault')
    ) as list (schema_name, function_name, extension, remedy)
  loop
    if not exists (
      select
      from pg_proc
      join pg_namespace on pg_namespace.oid = pg_proc.pronamespace
      where pg_namespace.nspname = needed.schema_name and pg_proc.proname = needed.function_name
    ) then
      raise exception 'The extension % is not installed in this database: run "%", or call POST /jobs/ticks by a timer of your own.',
        needed.extension, needed.remedy
        using errcode = 'object_not_in_prerequisite_state';
    end if;
  end loop;
end
$$;

-- The seconds between two ticks, of "10 seconds" or a cron expression of five fields, which is a minute at least.
create function parlance.tick_seconds(every text) returns integer
  language plpgsql immutable set search_path = pg_catalog, pg_temp
  as $$
begin
  if every ~ '^([5-9]|[1-5][0-9]) seconds$' then
    return split_part(every, ' ', 1)::integer;
  end if;
  if every ~ '^[0-9*/,-]+( [0-9A-Za-z*/,$-]+){4}$' then
    return 60;
  end if;
  raise exception '"%" is no period of ticks: give "5 seconds" to "59 seconds", or a cron expression of five fields.', every
    using errcode = 'invalid_parameter_value';
end
$$;

-- Begins to tick, or changes how. `url` is where the API answers, as https://PROJECT.supabase.co/functions/v1/api; a
-- `secret_key` of null leaves the one that the vault has. A tick stops starting jobs two seconds before its period is
-- over and is not waited for after one more, so that ticks do not pile up.
create function parlance.start_ticks(url text, secret_key text, every text default '10 seconds') returns text
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
  as $$
declare
  seconds constant integer := parlance.tick_seconds(every);
  timeout_ms constant integer := least(seconds - 1, 50) * 1000;
  target text;
  secret_id uuid;
begin
  perform parlance.require_tick_extensions();
  if url is null or url !~ '^https?://[^\s/?#@]+(/[^\s?#]*)?$' then
    raise exception '"%" is not where an API answers: give a URL without a query, as https://PROJECT.supabase.co/functions/v1/api.', url
      using errcode = 'invalid_parameter_value';
  end if;
  target := format('%s/jobs/ticks?budgetMs=%s', rtrim(url, '/'), timeout_ms - 1000);
  select id into secret_id from vault.secrets where name = 'parlance_ticks';
  if secret_key is null and secret_id is null then
    raise exception 'The vault has no key yet: give the secret key of the project, sb_secret_….'
      using errcode = 'invalid_parameter_value';
  elsif secret_key !~ '^sb_secret_\S+$' then
    raise exception 'That is no secret key: it begins with sb_secret_.'
      using errcode = 'invalid_parameter_value';
  elsif secret_id is null then
    perform vault.create_secret(secret_key, 'parlance_ticks', 'The key with which pg_cron calls POST /jobs/ticks of Parlance.');
  elsif secret_key is not null then
    perform vault.update_secret(secret_id, secret_key);
  end if;
  perform cron.schedule('parlance-ticks', every, format(
    $command$
      select net.http_post(
        url := %L,
        body := '{}'::jsonb,
        headers := jsonb_build_object(
          'Content-Type', 'application/json',
          'apikey', (select decrypted_secret from vault.decrypted_secrets where name = 'parlance_ticks')
        ),
        timeout_milliseconds := %s
      )
    $command$,
    target, timeout_ms
  ));
  -- pg_cron keeps a row of every call for ever.
  perform cron.schedule('parlance-tick-history', '17 3 * * *', $command$
    delete from cron.job_run_details
    where end_time < now() - interval '1 day'
      and jobid in (select jobid from cron.job where jobname in ('parlance-ticks', 'parlance-tick-history'))
  $command$);
  return format('%s is called: %s.', target, every);
end
$$;

-- Ends the ticks and forgets the key; false where there were none.
create function parlance.stop_ticks() returns boolean
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
  as $$
declare
  stopped boolean := false;
begin
  if to_regclass('cron.job') is not null then
    perform cron.unschedule(job.jobid)
    from cron.job
    where job.jobname in ('parlance-ticks', 'parlance-tick-history');
    stopped := found;
  end if;
  if to_regclass('vault.secrets') is not null then
    delete from vault.secrets where name = 'parlance_ticks';
  end if;
  return stopped;
end
$$;

revoke all on function
  parlance.require_tick_extensions(),
  parlance.tick_seconds(text),
  parlance.start_ticks(text, text, text),
  parlance.stop_ticks()
from public, anon, authenticated, service_role;
grant execute on function parlance.start_ticks(text, text, text), parlance.stop_ticks() to service_role;
