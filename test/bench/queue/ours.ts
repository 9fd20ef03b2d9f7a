/** Parlance's own: its migrations, its runner under the sidecar's role, fenced, with every event kept. */
import postgres, { type Sql } from "postgres";
import { z } from "zod";
import { workerDatabaseOptions } from "../../../shared/database.ts";
import { createId } from "../../../shared/ids.ts";
import { defineTask, type JobKind } from "../../../shared/jobs/kinds.ts";
import { addJob, addJobs } from "../../../shared/jobs/queue.ts";
import { startRunner } from "../../../shared/jobs/runner.ts";
import { openPostgres } from "../../../supabase/local/database.ts";
import { applyMigrations } from "../../../supabase/local/migrations.ts";
import { installStandIns } from "../../../supabase/local/stand-ins.ts";
import { type Contender, type ContenderOptions, range, type Work } from "./contender.ts";

const Payload = z.object({ index: z.int() });
type Payload = z.infer<typeof Payload>;
type Kind = JobKind<Payload, Record<string, never>>;

function defineKind(name: string, landing: Pick<Kind, "land">): Kind {
  return {
    name,
    runner: "sidecar",
    lane: "bulk",
    payload: Payload,
    attemptsMax: 3,
    timeoutMs: 60_000,
    summarize: () => ({}),
    ...landing,
    landFailure: async () => {},
  };
}

const nothing = defineKind("bench.land-nothing", {});
const row = defineKind("bench.land-row", {
  land: async (transaction, { id }) =>
    void (await transaction`insert into bench.landings (job_id) values (${id})`),
});
const kinds = new Map([nothing, row].map((kind) => [kind.name, kind]));
const kindOf = (mode: string) => (mode === "row" ? row : nothing);

/** Whose jobs `owned` are: they are told on Realtime. */
const owner = "00000000-0000-7000-8000-000000000001";

export async function openOurs({ url }: ContenderOptions): Promise<Contender> {
  const database = await openPostgres(url);
  const admin = database.connect({ role: database.superuser, max: 1 });
  let opened: Sql | undefined;
  const adder = () => {
    opened ??= database.connect({ role: "parlance_sidecar", max: 10 });
    return opened;
  };
  const toJob = (mode: string, index: number) => ({
    payload: { index },
    ownerId: mode === "owned" ? owner : null,
  });
  return {
    async install() {
      await installStandIns(database);
      await applyMigrations(database);
      await admin`insert into auth.users (id, email) values (${owner}, 'bench@example.com')`;
      await admin.unsafe(landings);
    },
    addOne: (mode, index) => addJob(adder(), kindOf(mode), toJob(mode, index)),
    addMany: (mode, first, count) =>
      addJobs(
        adder(),
        kindOf(mode),
        range(first, count).map((index) => toJob(mode, index)),
      ),
    start: (work) => start(url, work),
    async hasOpen() {
      const [found] = await admin`
        select exists (select from parlance.jobs where state = 'queued')
          or exists (select from parlance.jobs where state = 'running') as found
      `;
      return found?.found ?? true;
    },
    countEnded: (mode) => countEnded(admin, mode),
    settle: async () => void (await admin`vacuum analyze`),
    clear: async () =>
      void (await admin`truncate parlance.jobs, parlance.job_events, bench.landings, realtime.messages cascade`),
    async close() {
      await Promise.all([admin.end({ timeout: 5 }), opened?.end({ timeout: 5 })]);
      await database.close();
    },
  };
}

const landings = `
  create schema bench;
  create table bench.landings (job_id uuid primary key, landed_at timestamptz not null default now());
  grant usage on schema bench to parlance_sidecar;
  grant insert on bench.landings to parlance_sidecar;
`;

/** Ended, and told so; where a row lands, it must be there. */
async function countEnded(sql: Sql, mode: string): Promise<number> {
  const [counts] = await sql<{ done: number; told: number; landed: number }[]>`
    select
      (select count(*)::integer from parlance.jobs where state = 'done') as done,
      (select count(*)::integer from parlance.job_events where event = 'job.done') as told,
      (select count(*)::integer from bench.landings) as landed
  `;
  if (!counts) return 0;
  return Math.min(counts.done, counts.told, mode === "row" ? counts.landed : counts.done);
}

/** As the sidecar connects to a server of its own. */
function connectWorker(url: string, max: number): Sql {
  const login = new URL(url);
  login.username = "parlance_sidecar";
  return postgres(login.href, { ...workerDatabaseOptions, prepare: true, max });
}

async function start(url: string, { mode, handlers, shape, handle }: Work) {
  const sql = connectWorker(url, shape.connections ?? 2);
  const work = async ({ index }: Payload) => {
    await handle(index);
    return {};
  };
  const problems: unknown[] = [];
  const runner = startRunner({
    sql,
    workerId: createId(),
    tasks: [defineTask(kindOf(mode), work)],
    kinds,
    slots: { interactive: 1, bulk: handlers },
    prefetch: shape.prefetch ?? 0,
    onTrouble: (doing, error) => problems.push(doing, error),
  });
  return async () => {
    await runner.stop();
    await sql.end({ timeout: 5 });
    if (problems.length > 0) throw new Error(`The runner met trouble: ${problems.slice(0, 4).join(", ")}`);
  };
}
