/**
 * A database whose clock is a row: the text of every function of ours is read from the catalogue and written back with
 * its clocks exchanged for `public.virtual_now()`. So the real functions run, at whatever time a test says it is, and what
 * a migration changes in them is simulated at once.
 */
import type { Sql } from "postgres";

const clocks =
  /\b(?:pg_catalog\.)?(?:now|clock_timestamp|statement_timestamp|transaction_timestamp)\s*\(\s*\)|\b(?:current_timestamp|localtimestamp)\b/gi;
/** The same, as Postgres reads it; it finds what the exchange should have left nowhere. */
const clocksInPostgres =
  "\\m(now|clock_timestamp|statement_timestamp|transaction_timestamp)\\s*\\(\\s*\\)|\\m(current_timestamp|localtimestamp)\\M";

export const beginningMs = Date.UTC(2030, 0, 1);

export class VirtualClock {
  ms = beginningMs;
  readonly #admin: Sql;

  constructor(admin: Sql) {
    this.#admin = admin;
  }

  async set(ms: number): Promise<void> {
    this.ms = ms;
    await this.#admin`update public.virtual_clock set at = to_timestamp(${ms / 1000}::float8)`;
  }

  /** In whole milliseconds. */
  pass(seconds: number): Promise<void> {
    return this.set(this.ms + Math.max(1, Math.round(seconds * 1000)));
  }
}

/** Gives a database that nobody uses yet a virtual clock. Answers the names of the functions that read it. */
export async function installVirtualClock(admin: Sql): Promise<string[]> {
  await admin.unsafe(`
    create table public.virtual_clock (at timestamptz not null);
    insert into public.virtual_clock values (to_timestamp(${beginningMs / 1000}));
    create function public.virtual_now() returns timestamptz
      language sql volatile security definer set search_path = pg_catalog, pg_temp
      as $$ select at from public.virtual_clock $$;
    grant execute on function public.virtual_now() to public;
  `);
  const functions = await exchangeInFunctions(admin);
  await exchangeInDefaults(admin);
  await refuseOtherClocks(admin);
  return functions;
}

export function exchangeClocks(text: string): string {
  return text.replaceAll(clocks, "public.virtual_now()");
}

async function exchangeInFunctions(admin: Sql): Promise<string[]> {
  const found = await admin<{ name: string; definition: string }[]>`
    select proname as name, pg_get_functiondef(pg_proc.oid) as definition
    from pg_proc
    join pg_language on pg_language.oid = prolang
    where pronamespace = 'parlance'::regnamespace
      and lanname in ('sql', 'plpgsql')
      and prosrc ~* ${clocksInPostgres}
    order by proname
  `;
  for (const { definition } of found) await admin.unsafe(exchangeClocks(definition));
  return found.map(({ name }) => name);
}

async function exchangeInDefaults(admin: Sql): Promise<void> {
  const found = await admin<{ place: string; expression: string }[]>`
    select
      format('alter table %s alter column %I', adrelid::regclass, attname) as place,
      pg_get_expr(adbin, adrelid) as expression
    from pg_attrdef
    join pg_attribute on attrelid = adrelid and attnum = adnum
    join pg_class on pg_class.oid = adrelid
    where relnamespace = 'parlance'::regnamespace and attgenerated = '' and pg_get_expr(adbin, adrelid) ~* ${clocksInPostgres}
  `;
  for (const { place, expression } of found) {
    await admin.unsafe(`${place} set default ${exchangeClocks(expression)}`);
  }
}

/** Nothing that the queue is made of may tell another time. */
async function refuseOtherClocks(admin: Sql): Promise<void> {
  const left = await admin<{ name: string }[]>`
    select found.name
    from (
      select 'function ' || proname as name, prosrc as text
      from pg_proc where pronamespace = 'parlance'::regnamespace
      union all
      select 'default of ' || adrelid::regclass, pg_get_expr(adbin, adrelid)
      from pg_attrdef join pg_class on pg_class.oid = adrelid where relnamespace = 'parlance'::regnamespace
      union all
      select 'constraint ' || conname, pg_get_constraintdef(oid)
      from pg_constraint where connamespace = 'parlance'::regnamespace
      union all
      select 'trigger ' || tgname, pg_get_triggerdef(pg_trigger.oid)
      from pg_trigger join pg_class on pg_class.oid = tgrelid where relnamespace = 'parlance'::regnamespace
      union all
      select 'view job_views', pg_get_viewdef('parlance.job_views')
    ) as found
    where found.text ~* ${clocksInPostgres}
  `;
  if (left.length > 0)
    throw new Error(`these read another clock: ${left.map(({ name }) => name).join(", ")}`);
}
