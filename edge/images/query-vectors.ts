/**
 * The vector of a query's words. Asked before, it is in a table; else a sidecar makes it while the request waits, by
 * polling outside any transaction, and not for long. Whoever gives up cancels the job, so that no sidecar works for
 * nobody; whoever waits for the same words adds it again.
 */
import { serviceCaller, transactAs } from "../../shared/callers.ts";
import { embedQuery } from "../../shared/images/kinds.ts";
import type { JobState } from "../../shared/jobs/contract.ts";
import { addJob, cancelJob } from "../../shared/jobs/queue.ts";
import { jobKinds } from "../../shared/kinds.ts";
import type { Deps } from "../deps.ts";
import type { NoVectorReason } from "./cursors.ts";
import { readCalibration, type Space, spaceIsGone } from "./spaces.ts";

export type QueryVector = { space: Space; embedding: string } | { reason: NoVectorReason };

/**
 * The same words in the same letters: compatibility forms folded (NFKC), lower case, single spaces. Control
 * characters are spaces: Postgres could not keep a NUL.
 */
export function normalizeQuery(text: string): string {
  return text
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[\s\p{Cc}]+/gu, " ")
    .trim();
}

/**
 * The vector in the space of this id, or without one in the space that is searched now; waits `config.searchWaitMs`
 * at most. When another space becomes that meanwhile, the words are asked again in it. `query` is normalized.
 */
export async function findQueryVector(deps: Deps, query: string, spaceId?: number): Promise<QueryVector> {
  const deadlineMs = performance.now() + deps.config.searchWaitMs;
  let asked: Asked | undefined;
  for (let pauseMs = 10; ; pauseMs = Math.min(pauseMs * 1.5, 50)) {
    const seen = await lookUp(deps, { query, spaceId, asked });
    if (!seen && spaceId !== undefined) throw spaceIsGone();
    const answer = judge(seen, performance.now() >= deadlineMs);
    if (asked && (answer !== "wait" || seen?.spaceId !== asked.spaceId)) {
      if (isOpen(seen?.askedState)) await giveUp(deps, asked.jobId);
      asked = undefined;
    }
    if (answer !== "wait") return answer;
    if (seen && !isOpen(jobStateOf(seen))) asked = await ask(deps, seen, query);
    await pause(Math.min(pauseMs, deadlineMs - performance.now()));
  }
}

/** The job that makes the vector in a space. */
interface Asked {
  readonly spaceId: number;
  readonly jobId: string;
}

/** What is known of a query at one moment. */
interface Sighting {
  readonly spaceId: number;
  readonly spaceName: string;
  readonly dimensions: number;
  readonly calibration: unknown;
  readonly model: string;
  readonly isEmbedded: boolean;
  /** Null where the model knows no word of it. */
  readonly embedding: string | null;
  readonly isSidecarAlive: boolean;
  /** Of the job that was asked for, and the space that it was asked in. */
  readonly askedState: JobState | null;
  readonly askedSpaceId: number | null;
}

/** A job in another space says nothing of this one. */
function jobStateOf(seen: Sighting): JobState | null {
  return seen.askedSpaceId === seen.spaceId ? seen.askedState : null;
}

function judge(seen: Sighting | undefined, isTimeOver: boolean): QueryVector | "wait" {
  if (seen?.isEmbedded) {
    if (seen.embedding === null) return { reason: "unknown_words" };
    const { spaceId: id, spaceName: name, dimensions, embedding } = seen;
    return { space: { id, name, dimensions, calibration: readCalibration(seen.calibration) }, embedding };
  }
  if (!seen?.isSidecarAlive) return { reason: "no_sidecar" };
  if (jobStateOf(seen) === "failed") return { reason: "not_embedded" };
  return isTimeOver ? { reason: "too_slow" } : "wait";
}

function isOpen(state: JobState | null | undefined): boolean {
  return state === "queued" || state === "running";
}

/**
 * The space, the query's vector in it, whether someone could make it, and how far the job is. One statement of the
 * login role and no transaction: it is asked again and again while the request waits.
 */
async function lookUp(
  { sql }: Deps,
  { query, spaceId, asked }: { query: string; spaceId: number | undefined; asked: Asked | undefined },
): Promise<Sighting | undefined> {
  const [seen] = await sql<Sighting[]>`
    select
      spaces.id as space_id,
      spaces.name as space_name,
      spaces.dimensions,
      spaces.calibration,
      spaces.model,
      known.query is not null as is_embedded,
      known.embedding::text as embedding,
      parlance.worker_can(${embedQuery.name}, spaces.model) as is_sidecar_alive,
      jobs.state as asked_state,
      ${asked?.spaceId ?? null}::integer as asked_space_id
    from parlance.embedding_spaces as spaces
    left join parlance.query_vectors as known on known.space_id = spaces.id and known.query = ${query}
    left join parlance.job_views as jobs on jobs.id = ${asked?.jobId ?? null}::uuid
    where ${spaceId === undefined ? sql`spaces.is_current` : sql`spaces.id = ${spaceId}`}
  `;
  return seen;
}

/**
 * A job of the house: the words are remembered for everyone, and by whom they were asked is not. Undefined when the
 * vector came between the look and the question: then no second job is left behind.
 */
async function ask(deps: Deps, seen: Sighting, query: string): Promise<Asked | undefined> {
  const { spaceId, model } = seen;
  try {
    return await transactAs(deps.sql, serviceCaller, async (transaction) => {
      const jobId = await addJob(transaction, embedQuery, {
        payload: { spaceId, query },
        ownerId: null,
        model,
        uniqueKey: `${spaceId}:${query}`,
      });
      const [known] = await transaction`
        select from parlance.query_vectors where space_id = ${spaceId} and query = ${query}
      `;
      if (known) throw vectorCame;
      return { spaceId, jobId };
    });
  } catch (error) {
    if (error === vectorCame) return undefined;
    throw error;
  }
}

/** Thrown to roll back. */
const vectorCame = new Error("the vector came meanwhile");

async function giveUp(deps: Deps, jobId: string): Promise<void> {
  const job = { id: jobId, kind: embedQuery.name, ownerId: null, subjectId: null };
  await transactAs(deps.sql, serviceCaller, (transaction) => cancelJob(transaction, jobKinds, job));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}

/** What a person is told when only keywords were searched. */
export function explainReason(reason: NoVectorReason): string {
  return `${explanations[reason]} Names, titles and keywords were searched instead.`;
}

/** What a person is told when what it must not be is no vector. */
export function explainMinus(reason: NoVectorReason): string {
  return `Of \`minus\` only the words count: ${explanations[reason]}`;
}

const explanations: Readonly<Record<NoVectorReason, string>> = {
  no_sidecar: "No sidecar is there to turn the words into a vector.",
  too_slow: "No sidecar turned the words into a vector in time.",
  unknown_words: "The model knows none of these words.",
  not_embedded: "The words could not be turned into a vector.",
};
