/** A database with one kind of job whose landings can be read back, and the few things that every test asks. */
import type { Sql, TransactionSql } from "postgres";
import { z } from "zod";
import { createId } from "../../../shared/ids.ts";
import type { JobError, JobEvent, JobState } from "../../../shared/jobs/contract.ts";
import type { EndingJob, JobKind } from "../../../shared/jobs/kinds.ts";
import {
  addJob,
  addJobs,
  type Claim,
  type ClaimedJob,
  type ClaimOptions,
  claimJobs,
  completeJobs,
  type NewJob,
  releaseJobs,
} from "../../../shared/jobs/queue.ts";
import type { LocalDatabase } from "../../../supabase/local/database.ts";
import { openTestDatabase } from "../../helpers/database.ts";

export interface PaintPayload {
  colour: string;
}
export interface PaintOutcome {
  colour: string;
}

export type PaintKind = JobKind<PaintPayload, PaintOutcome>;

/** What a landing wrote; a test reads it back with `landings`. */
async function write(transaction: TransactionSql, job: EndingJob, text: string): Promise<void> {
  await transaction`insert into public.landings (job_id, text) values (${job.id}, ${text})`;
}

/** A kind of job that lands its colour, or the code of its error. */
export function paintKind(overrides: Partial<PaintKind> = {}): PaintKind {
  return {
    name: "test.paint-wall",
    runner: "sidecar",
    lane: "bulk",
    payload: z.object({ colour: z.string().max(100_000) }),
    attemptsMax: 3,
    timeoutMs: 10_000,
    summarize: ({ colour }) => ({ colour }),
    land: (transaction, job, outcome) => write(transaction, job, outcome.colour),
    landFailure: (transaction, job, error: JobError) => write(transaction, job, error.code),
    ...overrides,
  };
}

export const paint = paintKind();
/** The same work, for someone who waits. */
export const ask = paintKind({ name: "test.ask-colour", lane: "interactive" });

/** Ends one claim as done; false when it is lost. */
export async function complete(
  sql: Sql | TransactionSql,
  job: Claim,
  result: Record<string, unknown> = {},
): Promise<boolean> {
  return (await completeJobs(sql, [{ ...job, result }])).has(job.claim);
}

/** Hands one claim back; undefined when it is lost. */
export async function release(sql: Sql | TransactionSql, job: Claim): Promise<JobState | undefined> {
  return (await releaseJobs(sql, [job])).get(job.id);
}

export interface JobRow {
  readonly id: string;
  readonly state: JobState;
  readonly turn: number | null;
  readonly attempts: number;
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
  readonly result: Record<string, unknown> | null;
  readonly progressDone: number;
  readonly progressTotal: number | null;
  readonly progressMessage: string | null;
  readonly partial: Record<string, unknown> | null;
  readonly cursor: unknown;
  readonly leaseLosses: number;
  readonly deadlineAt: string | null;
  readonly uniqueKey: string | null;
  readonly payload: PaintPayload;
  readonly claim: number | null;
  readonly claimedBy: string | null;
  readonly cancelRequestedAt: string | null;
  readonly eventSequence: number;
  readonly eventsPrunedTo: number;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly waitSeconds: number;
}

/** What an admin gives an owner of the workers. */
export interface Share {
  readonly weight?: number;
  readonly queuedMax?: number;
  readonly runningMax?: number;
}

export interface JobsDatabase extends AsyncDisposable {
  readonly database: LocalDatabase;
  /** May read the schemas that are not ours. */
  readonly admin: Sql;
  /** The owner of the tables: sees everything. */
  readonly sql: Sql;
  /** What a sidecar has. */
  readonly sidecar: Sql;
  add(job?: Partial<NewJob<PaintPayload>>, kind?: PaintKind): Promise<string>;
  /** Claims of both lanes, interactive ones first. */
  claim(jobsMax?: number, options?: Partial<Omit<ClaimOptions, "lane">>): Promise<ClaimedJob[]>;
  /** Adds one job and claims it. */
  claimNew(job?: Partial<NewJob<PaintPayload>>, kind?: PaintKind, leaseSeconds?: number): Promise<ClaimedJob>;
  find(id: string): Promise<JobRow>;
  events(id: string): Promise<JobEvent[]>;
  landings(id: string): Promise<string[]>;
  /** Ends the wait between two tries. */
  makeDue(id: string): Promise<void>;
  addUser(): Promise<string>;
  /** Adds as many jobs of an owner, in one statement. */
  addMany(count: number, job?: Partial<NewJob<PaintPayload>>, kind?: PaintKind): Promise<string[]>;
  setShare(ownerId: string, share: Share): Promise<void>;
  clear(): Promise<void>;
}

export async function openJobsDatabase(): Promise<JobsDatabase> {
  const database = await openTestDatabase();
  const admin = database.connect({ role: database.superuser, max: 1 });
  await admin`create table public.landings (job_id uuid not null, text text not null check (text <> 'refused'))`;
  await admin`grant insert on public.landings to parlance_sidecar`;
  await admin`grant select, insert, delete, truncate on public.landings to parlance_owner`;
  const sql = database.connect();
  const sidecar = database.connect({ role: "parlance_sidecar" });
  const add: JobsDatabase["add"] = (job = {}, kind = paint) =>
    addJob(sql, kind, { payload: { colour: "red" }, ownerId: null, ...job });
  const claim: JobsDatabase["claim"] = async (jobsMax = 1, options = {}) => {
    const all = { workerId: createId(), kinds: [paint, ask], leaseSeconds: 30, ...options };
    const first = await claimJobs(sidecar, { ...all, lane: "interactive", jobsMax });
    const rest = await claimJobs(sidecar, { ...all, lane: "bulk", jobsMax: jobsMax - first.length });
    return [...first, ...rest];
  };
  return {
    database,
    admin,
    sql,
    sidecar,
    add,
    claim,
    async claimNew(job, kind = paint, leaseSeconds = 30) {
      const id = await add(job, kind);
      const claimed = (await claim(1000, { leaseSeconds, kinds: [kind] })).find((one) => one.id === id);
      if (!claimed) throw new Error("the job was not claimed");
      return claimed;
    },
    async find(id) {
      const [row] = await sql<JobRow[]>`
        select *, extract(epoch from run_after - clock_timestamp())::float8 as wait_seconds
        from parlance.jobs
        where id = ${id}
      `;
      if (!row) throw new Error(`there is no job ${id}`);
      return row;
    },
    async events(id) {
      const rows = await sql<{ data: JobEvent }[]>`
        select data from parlance.list_job_events(${id}, 0, 1000) as data
      `;
      return rows.map((row) => row.data);
    },
    async landings(id) {
      const rows = await sql<{ text: string }[]>`select text from public.landings where job_id = ${id}`;
      return rows.map((row) => row.text);
    },
    async makeDue(id) {
      await sql`update parlance.jobs set run_after = now() where id = ${id}`;
    },
    addMany: (count, job = {}, kind = paint) =>
      addJobs(sql, kind, Array(count).fill({ payload: { colour: "red" }, ownerId: null, ...job })),
    async setShare(ownerId, { weight = 1, queuedMax = null, runningMax = null }) {
      await sql`
        insert into parlance.job_shares (owner_id, weight, queued_max, running_max)
        values (${ownerId}, ${weight}, ${queuedMax}, ${runningMax})
        on conflict (owner_id) do update
        set weight = excluded.weight, queued_max = excluded.queued_max, running_max = excluded.running_max
      `;
    },
    async addUser() {
      const id = createId();
      await admin`insert into auth.users (id, email) values (${id}, ${`${id}@example.com`})`;
      return id;
    },
    async clear() {
      await sql`truncate parlance.jobs, parlance.job_events, parlance.job_shares, parlance.workers, public.landings`;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([admin.end(), sql.end(), sidecar.end()]);
      await database.close();
    },
  };
}

/** A promise that is settled from outside. */
export function createSignal<T = void>() {
  return Promise.withResolvers<T>();
}
