/**
 * What the simulation writes down beside the queue: every version of every job's row with its time and its transaction
 * (by a trigger, so that no change escapes it), and what was landed. The laws are judged against it.
 */
import type { Sql } from "postgres";

export async function installRecord(admin: Sql): Promise<void> {
  await admin.unsafe(`
    create table public.history (
      n bigint generated always as identity primary key,
      job_id uuid not null,
      at timestamptz not null,
      changed_by xid8 not null,
      before parlance.jobs,
      after parlance.jobs
    );
    create index on public.history (job_id);
    create function public.record_history() returns trigger
      language plpgsql security definer set search_path = pg_catalog, pg_temp
      as $$
    begin
      insert into public.history (job_id, at, changed_by, before, after)
      values (coalesce(new.id, old.id), public.virtual_now(), pg_current_xact_id(), old, new);
      return null;
    end
    $$;
    create trigger record_history after insert or update or delete on parlance.jobs
      for each row execute function public.record_history();

    -- No key forbids to land twice: that would hide it.
    create table public.landings (job_id uuid not null, sequence integer not null, claim bigint, outcome text not null);
    create function public.land(job_id uuid, claim bigint, outcome text) returns void
      language sql volatile security definer set search_path = pg_catalog, pg_temp
      as $$
      insert into public.landings (job_id, sequence, claim, outcome)
      select jobs.id, jobs.event_sequence, land.claim, land.outcome from parlance.jobs where jobs.id = land.job_id
    $$;

    -- What tasks write beside their checkpoints.
    create table public.steps (job_id uuid not null, claim bigint not null, number integer not null);
    grant insert on public.steps to parlance_sidecar;

    -- What each reader saw when it looked last, and from when that is.
    create table public.readers (name text primary key, snapshot pg_snapshot not null);
    create table public.seen (
      reader text, job_id uuid, state text not null, sequence integer not null, payload jsonb not null, primary key (reader, job_id)
    );
    create table public.looked (n bigint not null);
    insert into public.looked values (0);
  `);
}

/** Nothing is left of the run before, not even in the sequences: the same seed finds the same database. */
export async function clearRecord(admin: Sql): Promise<void> {
  const [size] = await admin<{ bytes: number }[]>`select pg_relation_size('public.history') as bytes`;
  // After a truncate everything is planned anew, which takes longer than a life; rows that were deleted are in the way, too.
  const clear =
    (size?.bytes ?? 0) > sizeMaxBytes
      ? `truncate ${tables.join(", ")};`
      : tables.map((table) => `delete from ${table};`).join("\n");
  await admin.begin(async (transaction) => {
    await transaction.unsafe(`
      -- No trigger hears of it.
      set local session_replication_role = replica;
      ${clear}
      insert into parlance.job_counting (counted) values (pg_current_snapshot());
      insert into public.looked values (0);
      ${sequences.map((sequence) => `select setval('${sequence}', 1, false);`).join("\n")}
    `);
  });
}

const sizeMaxBytes = 1_000_000;

const tables = [
  "parlance.jobs",
  "parlance.job_events",
  "parlance.job_shares",
  "parlance.job_totals",
  "parlance.job_time_totals",
  "parlance.job_counting",
  "parlance.workers",
  "realtime.messages",
  "public.history",
  "public.landings",
  "public.steps",
  "public.readers",
  "public.seen",
  "public.looked",
];
const sequences = [
  "parlance.job_claims",
  "parlance.interactive_turns",
  "parlance.bulk_turns",
  "parlance.edge_interactive_turns",
  "parlance.edge_bulk_turns",
  "parlance.calls_turns",
  "public.history_n_seq",
];
