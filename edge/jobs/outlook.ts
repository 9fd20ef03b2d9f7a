/**
 * What a job waits for, where it stands, and when it is likely to begin and end. The figures of the lane are counted by
 * the database over everyone's jobs; a caller is told numbers only.
 */
import type { TransactionSql } from "postgres";
import type { Job } from "../../shared/jobs/contract.ts";
import { type JobOutlook, placeMax } from "../../shared/jobs/following.ts";
import type { AnyJobKind } from "../../shared/jobs/kinds.ts";

type Kinds = ReadonlyMap<string, AnyJobKind>;

/** What the database knows; null where there is nothing to tell. */
export interface LaneFigures {
  readonly isDue: boolean;
  /** Above `placeMax`: more than that. */
  readonly ahead: number | null;
  readonly endsPerSecond: number | null;
  readonly runSeconds: number | null;
  readonly beganAt: string | null;
  readonly workerIsAlive: boolean;
  readonly modelIsOffered: boolean;
  readonly nowAt: string;
}

/** Needs the service role: whether the caller may see the job is decided before. */
export async function findLaneFigures(
  sql: TransactionSql,
  kinds: Kinds,
  job: Pick<Job, "id" | "kind">,
): Promise<LaneFigures | undefined> {
  const [figures] = await sql<LaneFigures[]>`
    select is_due, ahead, ends_per_second, run_seconds, began_at, worker_is_alive, model_is_offered, now_at
    from parlance.job_outlook(${job.id}, ${listNeighbours(kinds, job.kind)}::text[])
  `;
  return figures;
}

/** Kinds that the same workers run: only their jobs are before this one. */
function listNeighbours(kinds: Kinds, name: string): string[] {
  const runner = kinds.get(name)?.runner;
  if (runner === undefined) return [name];
  return [...kinds.values()].filter((kind) => kind.runner === runner).map((kind) => kind.name);
}

export function describeOutlook(kinds: Kinds, job: Job, figures: LaneFigures | undefined): JobOutlook {
  const { place, placeIsAtLeast } = placeOf(figures);
  const startAtMs = job.state === "queued" ? estimateStart(job, figures) : null;
  return {
    place,
    placeIsAtLeast,
    estimatedStartAt: toTime(startAtMs),
    estimatedEndAt: toTime(estimateEnd(job, figures, startAtMs)),
    reason: explain(kinds, job, figures),
  };
}

function placeOf(figures: LaneFigures | undefined): { place: number | null; placeIsAtLeast: boolean } {
  const ahead = figures?.ahead ?? null;
  if (ahead === null) return { place: null, placeIsAtLeast: false };
  return { place: Math.min(ahead, placeMax), placeIsAtLeast: ahead > placeMax };
}

function estimateStart(job: Job, figures: LaneFigures | undefined): number | null {
  if (!figures) return null;
  if (!figures.isDue) return Date.parse(job.runAfter);
  const { ahead, endsPerSecond, modelIsOffered, nowAt } = figures;
  if (ahead === null || ahead > placeMax || endsPerSecond === null || !modelIsOffered) return null;
  return Date.parse(nowAt) + (ahead / endsPerSecond) * 1000;
}

function estimateEnd(job: Job, figures: LaneFigures | undefined, startAtMs: number | null): number | null {
  if (!figures) return null;
  const runMs = figures.runSeconds === null ? null : figures.runSeconds * 1000;
  if (job.state === "queued") return startAtMs === null || runMs === null ? null : startAtMs + runMs;
  if (job.state !== "running" || figures.beganAt === null) return null;
  const nowMs = Date.parse(figures.nowAt);
  const byProgress = estimateByProgress(job, figures.beganAt, nowMs);
  if (byProgress !== null) return byProgress;
  const endAtMs = runMs === null ? null : Date.parse(figures.beganAt) + runMs;
  return endAtMs !== null && endAtMs > nowMs ? endAtMs : null;
}

/** What goes on where an earlier run was keeps its progress: the time counts from the first run. */
function estimateByProgress(
  { attempts, progress, startedAt }: Job,
  beganAt: string,
  nowMs: number,
): number | null {
  const { done, total } = progress;
  if (total === null || done === 0 || total <= done) return null;
  const sinceMs = Date.parse(attempts <= 1 ? (startedAt ?? beganAt) : beganAt);
  return nowMs + (Math.max(0, nowMs - sinceMs) / done) * (total - done);
}

function toTime(atMs: number | null): string | null {
  // What is thousands of years away is not known.
  return atMs === null || !(Math.abs(atMs) < 8.64e15) ? null : new Date(atMs).toISOString();
}

function explain(kinds: Kinds, job: Job, figures: LaneFigures | undefined): string {
  if (job.state === "queued") return explainWait(kinds, job, figures);
  if (job.state === "running") return explainRun(job);
  if (job.state === "done") return "It is done.";
  if (job.state === "cancelled") return "It was cancelled on request.";
  return `It failed after ${count(job.attempts, "try", "tries")}: ${job.error?.message ?? "the cause is unknown."}`;
}

function explainWait(kinds: Kinds, job: Job, figures: LaneFigures | undefined): string {
  if (figures && !figures.isDue) {
    if (job.error) return `It is tried again at ${job.runAfter}, after: ${job.error.message}`;
    return `It waits for its time, ${job.runAfter}.`;
  }
  const runner = kinds.get(job.kind)?.runner;
  if (runner === undefined) return `It waits for a version that knows the kind ${job.kind}.`;
  // Work without models is run by ticks, which are not always there.
  if (runner === "sidecar" && figures && !figures.workerIsAlive) {
    return `It waits for a worker that runs ${job.kind}: none is alive.`;
  }
  if (figures && !figures.modelIsOffered) return "It waits for its model: no worker offers it.";
  const ahead = figures?.ahead ?? 0;
  if (ahead > placeMax) return `It waits for its turn: more than ${placeMax} jobs are ahead of it.`;
  if (ahead > 0) return `It waits for its turn: ${count(ahead, "job is", "jobs are")} ahead of it.`;
  return "It is next, and waits for a worker to be free.";
}

function explainRun(job: Job): string {
  if (job.cancelRequestedAt !== null) return "It is being cancelled.";
  if (job.error === null || job.attempts <= 1) return "It runs.";
  return `It runs, try ${job.attempts} of ${job.attemptsMax}, after: ${job.error.message}`;
}

function count(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`;
}
