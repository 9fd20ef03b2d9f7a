/**
 * Stand-ins for the extensions that tick on a Supabase project, with their documented signatures. `net` sends nothing and
 * keeps what it was to send; `vault` keeps secrets in the open; `cron` keeps jobs and runs none. pg_cron itself runs in
 * one database of a server only, so that a test's own database has its stand-in.
 */
import type { Sql } from "postgres";

const statements = {
  // https://github.com/supabase/pg_net, 0.19
  net: `
    create schema net;
    create table net.calls (
      id bigint generated always as identity, url text, body jsonb, headers jsonb, timeout_milliseconds integer,
      at timestamptz default clock_timestamp()
    );
    create function net.http_post(
      url text, body jsonb default '{}'::jsonb, params jsonb default '{}'::jsonb,
      headers jsonb default '{"Content-Type": "application/json"}'::jsonb, timeout_milliseconds integer default 5000
    ) returns bigint language sql as $$
      insert into net.calls (url, body, headers, timeout_milliseconds) values (url, body, headers, timeout_milliseconds)
      returning id
    $$;
  `,
  // https://github.com/supabase/vault, 0.3
  vault: `
    create schema vault;
    create table vault.secrets (id uuid default gen_random_uuid() primary key, name text unique, description text, secret text);
    create view vault.decrypted_secrets as select *, secret as decrypted_secret from vault.secrets;
    create function vault.create_secret(
      new_secret text, new_name text default null, new_description text default '', new_key_id uuid default null
    ) returns uuid language sql as $$
      insert into vault.secrets (secret, name, description) values (new_secret, new_name, new_description) returning id
    $$;
    create function vault.update_secret(
      secret_id uuid, new_secret text default null, new_name text default null, new_description text default null,
      new_key_id uuid default null
    ) returns void language sql as $$
      update vault.secrets
      set secret = coalesce(new_secret, secret), name = coalesce(new_name, name),
        description = coalesce(new_description, description)
      where id = secret_id
    $$;
  `,
  // https://github.com/citusdata/pg_cron, 1.6
  cron: `
    create schema cron;
    create table cron.job (
      jobid bigint generated always as identity, jobname text, schedule text, command text,
      username text default current_user, unique (jobname, username)
    );
    create table cron.job_run_details (jobid bigint, end_time timestamptz);
    create function cron.schedule(job_name text, schedule text, command text) returns bigint language sql as $$
      insert into cron.job (jobname, schedule, command) values (job_name, schedule, command)
      on conflict (jobname, username) do update set schedule = excluded.schedule, command = excluded.command
      returning jobid
    $$;
    create function cron.schedule(schedule text, command text) returns bigint language sql as $$
      insert into cron.job (schedule, command) values (schedule, command) returning jobid
    $$;
    create function cron.unschedule(job_id bigint) returns boolean language sql as $$
      delete from cron.job where jobid = job_id returning true
    $$;
  `,
} as const;

export type TickExtension = keyof typeof statements;
export const tickExtensions = Object.keys(statements) as TickExtension[];

/** Makes them as the superuser, and gives the owner of the tables what `postgres` has on a Supabase project. */
export async function installTickExtensions(
  superuser: Sql,
  owner: string,
  extensions: readonly TickExtension[] = tickExtensions,
): Promise<void> {
  for (const extension of extensions) {
    await superuser.unsafe(statements[extension]);
    await superuser.unsafe(`
      grant usage on schema ${extension} to ${owner};
      grant all on all tables in schema ${extension} to ${owner};
    `);
  }
}
