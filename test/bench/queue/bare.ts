/**
 * No queue, but what any queue over Postgres has to do: claim rows with `skip locked`, 16 at a time, and end them under
 * their claim, 16 at a time. What this reaches is the machine's limit for batches of that size.
 */
import postgres from "postgres";
import { type Contender, type ContenderOptions, range, runLimited, type Work } from "./contender.ts";

interface Row {
  id: string;
  index: number;
}

const batchSize = 16;

export function openBare({ url }: ContenderOptions): Contender {
  const sql = postgres(url, { max: 10, onnotice: () => {} });
  return {
    install: async () => void (await sql.unsafe(tables)),
    addOne: (_mode, index) => sql`insert into jobs (payload) values (${sql.json({ index })})`,
    addMany: (_mode, first, count) => sql`
      insert into jobs (payload)
      select jsonb_build_object('index', index)
      from unnest(${range(first, count)}::integer[]) as index
    `,
    start: (work) => start(sql, work),
    async hasOpen() {
      const [row] = await sql`select exists (select from jobs where state <> 'done') as found`;
      return row?.found ?? true;
    },
    async countEnded() {
      const [row] = await sql`select count(*)::integer as ended from jobs where state = 'done'`;
      return row?.ended ?? 0;
    },
    settle: async () => void (await sql`vacuum analyze jobs`),
    clear: async () => void (await sql`truncate jobs`),
    close: () => sql.end({ timeout: 5 }),
  };
}

const tables = `
  create sequence claims;
  create table jobs (
    id bigint generated always as identity primary key,
    state text not null default 'queued',
    payload jsonb not null,
    claim bigint,
    lease_expires_at timestamptz
  );
  create index open_jobs on jobs (id) where state <> 'done';
  create index queued_jobs on jobs (id) where state = 'queued';
`;

async function start(sql: postgres.Sql, { handlers, shape, handle }: Work) {
  let isStopped = false;
  const loops = Math.max(1, Math.min(handlers, shape.loops ?? 1));
  const atOnce = Math.max(1, Math.floor(handlers / loops));
  const loop = async () => {
    while (!isStopped) {
      const [claim, claimed] = await claimSome(sql);
      if (claimed.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      await runLimited(claimed, atOnce, ({ index }) => handle(index));
      if (claimed.length > 0) await complete(sql, claim, claimed);
    }
  };
  const running = Promise.all(Array.from({ length: loops }, loop));
  return () => {
    isStopped = true;
    return running;
  };
}

async function claimSome(sql: postgres.Sql): Promise<[claim: string, rows: Row[]]> {
  const rows = await sql<(Row & { claim: string })[]>`
    with due as materialized (
      select id from jobs
      where state = 'queued'
      order by id
      limit ${batchSize}
      for update skip locked
    ), token as materialized (select nextval('claims') as claim)
    update jobs
    set state = 'running', claim = token.claim, lease_expires_at = now() + interval '30 seconds'
    from due, token
    where jobs.id = due.id
    returning jobs.id, jobs.claim, (payload ->> 'index')::integer as index
  `;
  return [rows[0]?.claim ?? "0", rows];
}

async function complete(sql: postgres.Sql, claim: string, rows: readonly Row[]): Promise<void> {
  const { count } = await sql`
    update jobs
    set state = 'done', lease_expires_at = null
    where id = any (${rows.map(({ id }) => id)}::bigint[]) and claim = ${claim} and state = 'running'
  `;
  if (count !== rows.length) throw new Error("A claim was lost.");
}
