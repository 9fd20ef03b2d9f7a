/** Databases for the chaos, on a server that may be crashed: the real migrations, and tables that witness. */
import postgres, { type Sql } from "postgres";
import { databaseOptions } from "../../../shared/database.ts";
import { openPostgres } from "../../../supabase/local/database.ts";
import { loginUrl } from "../../../supabase/local/logins.ts";
import { applyMigrations } from "../../../supabase/local/migrations.ts";
import { installStandIns } from "../../../supabase/local/stand-ins.ts";
import { openServer, type Server } from "../server.ts";
import { ownerIds } from "./record.ts";

export interface QueueDatabase {
  /** A superuser's. */
  readonly url: string;
  /** What adds work. */
  readonly ownerUrl: string;
  /** What runs it. */
  readonly sidecarUrl: string;
  /** As the superuser. */
  readonly sql: Sql;
  close(): Promise<void>;
}

export interface QueueServer {
  readonly server: Server;
  /** A database of its own, as the migrations leave it. */
  openDatabase(): Promise<QueueDatabase>;
  close(): Promise<void>;
}

/**
 * `script` is the tool that starts and crashes servers. With `transactionSeconds` an ending whose connection is gone
 * keeps its locks for so long, instead of the minute of the migrations.
 */
export async function openQueueServer(script: string, transactionSeconds?: number): Promise<QueueServer> {
  const server = await openServer(script, "");
  try {
    await buildTemplate(server.url, transactionSeconds);
  } catch (error) {
    await server.close();
    throw error;
  }
  return { server, openDatabase: () => openClone(server.url), close: () => server.close() };
}

async function buildTemplate(url: string, transactionSeconds: number | undefined): Promise<void> {
  const database = await openPostgres(url);
  await installStandIns(database);
  await applyMigrations(database);
  await database.close();
  const sql = postgres(url, { ...databaseOptions, max: 1 });
  await sql.unsafe(witness);
  await sql`insert into auth.users (id, email) select id, id || '@example.com' from unnest(${[...ownerIds]}::uuid[]) as id`;
  if (transactionSeconds !== undefined) await shortenTransactions(sql, transactionSeconds);
  await sql.end();
}

async function shortenTransactions(sql: Sql, seconds: number): Promise<void> {
  const functions = await sql<{ text: string }[]>`
    select pg_get_functiondef(oid) as text
    from pg_proc
    where pronamespace = 'parlance'::regnamespace and prosrc like '%transaction_timeout%'
  `;
  if (functions.length === 0) throw new Error("no function of the queue bounds its transaction");
  for (const { text } of functions) {
    const shorter = text.replaceAll("'transaction_timeout', '60s'", `'transaction_timeout', '${seconds}s'`);
    if (shorter === text) throw new Error(`how long a transaction may take is not found in:\n${text}`);
    await sql.unsafe(shorter);
  }
}

/** Each change of a job's state, and what landed; nothing here is unique, so that doubles are seen. */
const witness = `
  create schema chaos;
  create table chaos.landings (job_id uuid not null, what text not null, code text);
  create table chaos.orders (number integer primary key);
  create table chaos.steps (job_id uuid not null, step integer not null);
  create table chaos.changes (
    number bigserial,
    job_id uuid not null,
    before text not null,
    after text not null,
    claim bigint,
    is_lost boolean not null,
    lease_before timestamptz,
    lease_after timestamptz,
    at timestamptz not null default clock_timestamp()
  );
  create function chaos.note_change() returns trigger language plpgsql security definer as $$
  begin
    insert into chaos.changes (job_id, before, after, claim, is_lost, lease_before, lease_after)
    values (
      new.id, old.state, new.state, new.claim, new.lease_losses > old.lease_losses,
      old.lease_expires_at, new.lease_expires_at
    );
    return null;
  end
  $$;
  create trigger note_change after update on parlance.jobs for each row
    when (new.state <> old.state or new.finished_at is distinct from old.finished_at)
    execute function chaos.note_change();
  grant usage on schema chaos to public;
  grant execute on function chaos.note_change() to public;
  grant insert on chaos.landings to parlance_sidecar, parlance_owner;
  grant insert on chaos.steps to parlance_sidecar;
  grant insert on chaos.orders to parlance_owner;
`;

async function openClone(templateUrl: string): Promise<QueueDatabase> {
  const name = `parlance_chaos_${crypto.randomUUID().replaceAll("-", "")}`;
  const template = new URL(templateUrl).pathname.slice(1);
  const adminUrl = nameDatabase(templateUrl, "postgres");
  await askAdmin(adminUrl, `create database ${name} template ${template}`);
  const url = nameDatabase(templateUrl, name);
  const database = await openPostgres(url);
  // A copy lacks what the server keeps about the database itself.
  await installStandIns(database);
  await database.close();
  const sql = postgres(url, { ...databaseOptions, max: 2 });
  return {
    url,
    ownerUrl: loginUrl(url, "parlance_owner"),
    sidecarUrl: loginUrl(url, "parlance_sidecar"),
    sql,
    async close() {
      await sql.end({ timeout: 1 });
      await askAdmin(adminUrl, `drop database ${name} with (force)`);
    },
  };
}

async function askAdmin(url: string, statement: string): Promise<void> {
  const admin = postgres(url, { max: 1, onnotice: () => {} });
  try {
    await admin.unsafe(statement);
  } finally {
    await admin.end({ timeout: 1 });
  }
}

function nameDatabase(url: string, name: string): string {
  const target = new URL(url);
  target.pathname = `/${name}`;
  return target.href;
}
