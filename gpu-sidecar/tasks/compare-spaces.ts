/**
 * Asks the space that searches and another one the same, and tells how differently they answer: whether the ten best
 * are the same, in which order, how scores are spread, and what the other space's index misses. The vectors of the
 * queries are kept, so that a switch begins warm.
 */
import type { Sql } from "postgres";
import { AppError } from "../../shared/errors.ts";
import type { SpaceComparison } from "../../shared/images/space-contract.ts";
import { type CompareSpacesPayload, compareSpaces } from "../../shared/images/space-kinds.ts";
import { defineTask, type Task, type TaskContext } from "../../shared/jobs/kinds.ts";
import { meanOf, overlapOf, rankBiasedOverlap, spreadOf } from "../math/rankings.ts";
import type { Inference } from "../models/inference.ts";
import type { Space, SpaceDirectory, UsableSpace } from "../spaces.ts";
import {
  countHeld,
  findQueryVectors,
  keepQueryVectors,
  listLibraryWords,
  listSearchedQueries,
  type Ranked,
  rankByIndex,
  rankExactly,
} from "./compared-queries.ts";

export interface CompareOptions {
  readonly sql: Sql;
  readonly spaces: SpaceDirectory;
  readonly inference: Pick<Inference, "embedTexts">;
}

/** With fewer queries in the log, words of the library are asked too. */
const queriesMin = 30;
const chunkMax = 32;
/** Texts in one run of the model: someone's search may wait behind it. */
const textsMax = 4;
const worstMax = 5;

export function createCompareSpacesTask(options: CompareOptions): Task {
  return defineTask(compareSpaces, (payload, context) => compare(options, payload, context));
}

async function compare(
  options: CompareOptions,
  { spaceId, queriesMax }: CompareSpacesPayload,
  { signal, reportProgress }: TaskContext,
): Promise<SpaceComparison> {
  const { sql, spaces } = options;
  const candidate = await spaces.getUsable(spaceId);
  const current = await spaces.findCurrent();
  if (!current || current.id === spaceId) {
    throw new AppError(
      "conflict",
      `"${candidate.name}" is the space that searches: there is no other to compare with.`,
    );
  }
  const { queries, source } = await chooseQueries(sql, queriesMax);
  const compared: ComparedQuery[] = [];
  const unknown = { toCurrent: 0, toCandidate: 0 };
  for (let start = 0; start < queries.length; start += chunkMax) {
    const chunk = queries.slice(start, start + chunkMax);
    const inCurrent = await findOrEmbed(options, current, chunk);
    const inCandidate = await findOrEmbed(options, candidate, chunk);
    for (const [index, query] of chunk.entries()) {
      signal.throwIfAborted();
      const [one, other] = [inCurrent.get(query), inCandidate.get(query)];
      if (one && other) compared.push(await ask(sql, { query, current, candidate }, [one, other]));
      if (!one) unknown.toCurrent += 1;
      if (!other) unknown.toCandidate += 1;
      reportProgress(start + index + 1, queries.length, `comparing ${candidate.name} with ${current.name}`);
    }
  }
  return {
    current: await describe(sql, current, compared, "current"),
    candidate: await describe(sql, candidate, compared, "candidate"),
    queries: {
      asked: queries.length,
      compared: compared.length,
      source,
      unknownToCurrent: unknown.toCurrent,
      unknownToCandidate: unknown.toCandidate,
    },
    overlapAt10: meanOf(compared.map(({ overlap }) => overlap)) ?? null,
    rankBiasedOverlap: meanOf(compared.map(({ rankBiased }) => rankBiased)) ?? null,
    recallAt10: meanOf(compared.flatMap(({ recall }) => recall ?? [])) ?? null,
    worst: listWorst(compared),
  };
}

async function chooseQueries(
  sql: Sql,
  queriesMax: number,
): Promise<{ queries: string[]; source: SpaceComparison["queries"]["source"] }> {
  const searched = await listSearchedQueries(sql, queriesMax);
  const wanted = Math.min(queriesMin, queriesMax);
  if (searched.length >= wanted) return { queries: searched, source: "searches" };
  const words = await listLibraryWords(sql, queriesMin + searched.length);
  const queries = [...new Set([...searched, ...words])].slice(0, wanted);
  if (queries.length === searched.length)
    return { queries, source: searched.length > 0 ? "searches" : "none" };
  return { queries, source: searched.length > 0 ? "searches and words" : "words" };
}

/** The vectors of queries in a space, in pgvector's text form: those asked before, else by its model if it is here. */
async function findOrEmbed(
  { sql, inference }: CompareOptions,
  space: Space | UsableSpace,
  queries: readonly string[],
): Promise<Map<string, string | null>> {
  const known = await findQueryVectors(sql, space.id, queries);
  const fresh = queries.filter((query) => !known.has(query));
  if (fresh.length === 0 || !space.model) return known;
  const vectors = new Map<string, number[] | null>();
  for (let start = 0; start < fresh.length; start += textsMax) {
    const texts = fresh.slice(start, start + textsMax);
    const embedded = await inference.embedTexts(space.model.name, texts);
    for (const [row, query] of texts.entries()) {
      const vector = embedded.vectors.slice(row * space.dimensions, (row + 1) * space.dimensions);
      vectors.set(query, embedded.knownWords[row] ? [...vector] : null);
    }
  }
  await keepQueryVectors(sql, space.id, vectors);
  return findQueryVectors(sql, space.id, queries);
}

interface ComparedQuery {
  readonly query: string;
  readonly current: readonly Ranked[];
  readonly candidate: readonly Ranked[];
  readonly overlap: number;
  readonly rankBiased: number;
  /** Undefined where the candidate has no vectors. */
  readonly recall: number | undefined;
}

async function ask(
  sql: Sql,
  { query, ...spaces }: { query: string; current: Space; candidate: Space },
  [inCurrent, inCandidate]: readonly [string, string],
): Promise<ComparedQuery> {
  const current = await rankExactly(sql, spaces.current, inCurrent);
  const candidate = await rankExactly(sql, spaces.candidate, inCandidate);
  const found = await rankByIndex(sql, spaces.candidate, inCandidate);
  const idsOf = (ranked: readonly Ranked[]) => ranked.map(({ id }) => id);
  return {
    query,
    current,
    candidate,
    overlap: overlapOf(idsOf(current), idsOf(candidate)),
    rankBiased: rankBiasedOverlap(idsOf(current), idsOf(candidate)),
    recall: recallOf(found, candidate),
  };
}

/** Share of the exactly best that the index found; one that scores as high as the last of them is as good. */
function recallOf(found: readonly Ranked[], exact: readonly Ranked[]): number | undefined {
  const last = exact.at(-1);
  if (!last) return undefined;
  return found.filter(({ score }) => score >= last.score - 1e-6).length / exact.length;
}

async function describe(
  sql: Sql,
  { id, name }: Space,
  compared: readonly ComparedQuery[],
  which: "current" | "candidate",
): Promise<SpaceComparison["current"]> {
  const scoresAt = (rank: number) => compared.flatMap((query) => query[which][rank]?.score ?? []);
  return {
    id,
    name,
    ...(await countHeld(sql, id)),
    firstScores: spreadOf(scoresAt(0)) ?? null,
    tenthScores: spreadOf(scoresAt(9)) ?? null,
  };
}

function listWorst(compared: readonly ComparedQuery[]): SpaceComparison["worst"] {
  return [...compared]
    .sort((left, right) => left.overlap - right.overlap || left.rankBiased - right.rankBiased)
    .slice(0, worstMax)
    .map(({ query, overlap, rankBiased }) => ({
      query: query.slice(0, 100),
      overlapAt10: overlap,
      rankBiasedOverlap: rankBiased,
    }));
}
