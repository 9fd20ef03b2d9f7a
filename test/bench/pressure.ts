/**
 * What presses on a queue in Postgres, for minutes, over a million ended jobs: does the last minute claim as the first?
 * The cells are those of the sweep of hardbyte/postgresql-job-queue-benchmarking, each on a database of its own:
 *
 *   idle transaction   one that wrote and one that only reads (repeatable read), both held open: nothing dead is removed
 *   sustained load     the steady rate alone
 *   active readers     three connections that group and count all jobs and events, over and over
 *   burst              50,000 more jobs in one go at a third of the time
 *
 * Two worker processes; jobs are added steadily by the hundred milliseconds. `BENCH_MINUTES` (10, or 1 when quick) and
 * `BENCH_RATE` (jobs a second, 1,000) say how long and how much.
 */
import type { Sql } from "postgres";
import { addJobs } from "../../shared/jobs/queue.ts";
import { openTestDatabase } from "../helpers/database.ts";
import { pressureKind } from "./pressure/kind.ts";

interface Second {
  readonly claimsMs: readonly number[];
  readonly ended: number;
}

type Connect = (options?: { superuser?: boolean }) => Sql;

/** Begins what presses, answers what ends it. */
type Press = (connect: Connect, plan: Plan) => Promise<() => Promise<void>>;

interface Plan {
  readonly minutes: number;
  readonly rate: number;
}

const cells: Record<string, Press> = {
  "sustained load": async () => async () => {},
  "idle transaction": holdTransactions,
  "active readers": readHeavily,
  burst: addBurst,
};
const endedBefore = 1_000_000;
const burstJobs = 50_000;

export async function benchPressure({ quick = false, only = process.env.BENCH_CELLS } = {}) {
  if (!process.env.TEST_DATABASE_URL) throw new Error("Set TEST_DATABASE_URL to a Postgres 17 server.");
  const plan = {
    minutes: Number(process.env.BENCH_MINUTES ?? (quick ? 1 : 10)),
    rate: Number(process.env.BENCH_RATE ?? 1_000),
  };
  const rows: object[] = [];
  for (const [name, press] of Object.entries(cells)) {
    if (only && !only.split(",").includes(name)) continue;
    rows.push({ cell: name, ...(await measure(press, plan)) });
    console.log(rows.at(-1));
  }
  return { settings: { ...plan, workers: 2, slots: 16, prefetch: 16, endedBefore }, rows };
}

async function measure(press: Press, plan: Plan): Promise<object> {
  const database = await openTestDatabase();
  const opened: Sql[] = [];
  const connect: Connect = ({ superuser = false } = {}) => {
    const sql = superuser
      ? database.connect({ role: database.superuser, max: 1 })
      : database.connect({ max: 1 });
    opened.push(sql);
    return sql;
  };
  const sql = connect();
  const url = await urlOf(sql);
  await addEndedJobs(connect({ superuser: true }));
  const workers = [startWorker(url), startWorker(url)];
  const release = await press(connect, plan);
  await addSteadily(sql, plan);
  // The pressure is over from here: what follows is no part of the last minute.
  const measured = workers.map(({ seconds }) => [...seconds]);
  await release();
  const [left] = await sql<{ open: number; dead: number }[]>`
    select
      (select count(*) from parlance.jobs where state in ('queued', 'running')) as open,
      (select n_dead_tup from pg_stat_user_tables where relname = 'jobs' and schemaname = 'parlance') as dead
  `;
  const troubles = (await Promise.all(workers.map((worker) => worker.stop()))).flat();
  await Promise.all(opened.map((one) => one.end()));
  await database.close();
  return {
    ...summarize(measured, plan),
    openAtEnd: left?.open,
    deadRows: left?.dead,
    troubles: troubles.length,
  };
}

async function urlOf(sql: Sql): Promise<string> {
  const [row] = await sql<{ name: string }[]>`select current_database() as name`;
  const url = new URL(process.env.TEST_DATABASE_URL ?? "");
  url.username = "parlance_sidecar";
  url.pathname = `/${row?.name}`;
  return url.href;
}

/** Jobs that ended long ago, with their events, and the statistics of them. */
async function addEndedJobs(sql: Sql): Promise<void> {
  await sql.unsafe(`
    alter table parlance.jobs disable trigger user;
    insert into parlance.jobs (id, kind, lane, payload, attempts_max, state, turn, attempts, event_sequence, created_at, started_at, finished_at)
    select gen_random_uuid(), 'bench.press-on', 'bulk', '{"index": 0}', 3, 'done', 1, 1, 3, past, past, past
    from generate_series(1, ${endedBefore}) as number
    cross join lateral (select now() - make_interval(secs => number) as past) as times;
    alter table parlance.jobs enable trigger user;
    alter table parlance.job_events disable trigger user;
    insert into parlance.job_events (job_id, sequence, event, at)
    select id, sequence, event, finished_at
    from parlance.jobs
    cross join (values (1, 'job.queued'), (2, 'job.started'), (3, 'job.done')) as events (sequence, event);
    alter table parlance.job_events enable trigger user;
  `);
  await sql.unsafe("vacuum analyze parlance.jobs");
  await sql.unsafe("vacuum analyze parlance.job_events");
}

function startWorker(url: string) {
  const seconds: Second[] = [];
  const troubles: string[] = [];
  const child = Bun.spawn(
    ["bun", new URL("./pressure/worker.ts", import.meta.url).pathname, url, "16", "16"],
    {
      stdout: "inherit",
      stderr: "inherit",
      ipc: (message: Second | { trouble: string }) => {
        if ("trouble" in message) troubles.push(message.trouble);
        else seconds.push(message);
      },
    },
  );
  return {
    seconds,
    async stop() {
      child.send("stop");
      await child.exited;
      if (troubles.length > 0) console.log(troubles.slice(0, 3));
      return troubles;
    },
  };
}

const stepMs = 100;

async function addSteadily(sql: Sql, { minutes, rate }: Plan): Promise<void> {
  const endsAtMs = performance.now() + minutes * 60_000;
  for (let nextMs = performance.now(); nextMs < endsAtMs; nextMs += stepMs) {
    await addMany(sql, Math.round((rate * stepMs) / 1000));
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, nextMs + stepMs - performance.now())));
  }
}

async function addMany(sql: Sql, count: number): Promise<void> {
  const jobs = Array.from({ length: count }, (_, index) => ({ payload: { index }, ownerId: null }));
  await addJobs(sql, pressureKind, jobs);
}

async function holdTransactions(connect: Connect): Promise<() => Promise<void>> {
  const [writer, reader] = [connect({ superuser: true }), connect({ superuser: true })];
  await writer.unsafe("begin; select pg_current_xact_id()");
  await reader.unsafe("begin isolation level repeatable read; select count(*) from parlance.workers");
  return async () => {
    for (const sql of [writer, reader]) await sql.unsafe("rollback");
  };
}

async function readHeavily(connect: Connect): Promise<() => Promise<void>> {
  let isOver = false;
  const read = async () => {
    const sql = connect({ superuser: true });
    while (!isOver) {
      await sql`select kind, state, count(*), avg(finished_at - started_at) from parlance.jobs group by kind, state`;
      await sql`select event, count(*), max(at) from parlance.job_events group by event`;
    }
  };
  const readers = [read(), read(), read()];
  return async () => {
    isOver = true;
    await Promise.all(readers);
  };
}

async function addBurst(connect: Connect, { minutes }: Plan): Promise<() => Promise<void>> {
  const sql = connect();
  const burst = new Promise<void>((resolve) => setTimeout(resolve, (minutes * 60_000) / 3)).then(async () => {
    for (let added = 0; added < burstJobs; added += 5_000) await addMany(sql, 5_000);
  });
  return () => burst;
}

/** The first and the last minute side by side, the first few seconds left out: connections open, plans are made. */
function summarize(workers: readonly (readonly Second[])[], { minutes }: Plan): object {
  const windowSeconds = Math.min(60, Math.floor((minutes * 60) / 3));
  const windows = {
    first: (all: readonly Second[]) => all.slice(5, 5 + windowSeconds),
    last: (all: readonly Second[]) => all.slice(-windowSeconds),
  };
  const [first, last] = [windows.first, windows.last].map((cut) => {
    const seconds = workers.flatMap((all) => cut(all));
    const claims = seconds.flatMap(({ claimsMs }) => claimsMs).sort((a, b) => a - b);
    const at = (share: number) => claims[Math.min(claims.length - 1, Math.floor(claims.length * share))] ?? 0;
    const ended = seconds.reduce((sum, one) => sum + one.ended, 0);
    return { perSecond: ended / windowSeconds, p50: at(0.5), p99: at(0.99) };
  });
  if (!first || !last) throw new Error("nothing was measured");
  return {
    firstPerSecond: Math.round(first.perSecond),
    lastPerSecond: Math.round(last.perSecond),
    firstClaimP50Ms: round(first.p50),
    lastClaimP50Ms: round(last.p50),
    firstClaimP99Ms: round(first.p99),
    lastClaimP99Ms: round(last.p99),
    p99Ratio: round(last.p99 / first.p99),
    throughputRatio: round(first.perSecond / last.perSecond),
  };
}

const round = (value: number) => Math.round(value * 100) / 100;
