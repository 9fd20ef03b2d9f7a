/** A page of hits: found, folded and cut under the caller's role, then signed. */
import type { TransactionSql } from "postgres";
import { type Caller, transactAs } from "../../shared/callers.ts";
import { cohortByCentre, type Thresholds, thresholdFor } from "../../shared/images/calibration.ts";
import {
  imageLimits,
  type SearchFilters,
  type SearchFold,
  type SearchPage,
} from "../../shared/images/contract.ts";
import type { Deps } from "../deps.ts";
import { encodeCursor } from "../http/cursors.ts";
import type { Scope } from "./access.ts";
import type { NoVectorReason, SearchCursor, Way } from "./cursors.ts";
import { foldMarks, readMarks } from "./folding.ts";
import { signLinks } from "./links.ts";
import { readVector } from "./minus.ts";
import { measureCohort } from "./nearest-query.ts";
import { fromTheTop, type Ranked, type RankedSearch, type Ranking, rank, type Start } from "./ranking.ts";
import { isSampled, type LoggedSearch, logSearch } from "./search-log.ts";
import { readSpace, type Space, spaceIsGone } from "./spaces.ts";
import { listReadyImages } from "./store.ts";
import { toSearchHit } from "./views.ts";
import { findByWords } from "./words.ts";

export interface PageRequest {
  scope: Scope;
  filters: SearchFilters;
  fold: SearchFold;
  matchesOnly: boolean;
  limit: number;
  cursor: SearchCursor | undefined;
  /** Digest of the question. */
  question: string;
}

/** By what is found: a vector, with words or without, or words alone. */
export type Means =
  | { vectors: VectorMeans; keywords?: undefined }
  | { keywords: WordMeans; vectors?: undefined };

interface VectorMeans extends Pick<RankedSearch, "space" | "embedding" | "words" | "minus" | "exceptIds"> {
  reason: string | null;
  /** Null: what must not be remembered. */
  logged: Pick<LoggedSearch, "query" | "minus" | "imageId"> | null;
}

interface WordMeans {
  query: string;
  minus: string | undefined;
  why: NoVectorReason;
  reason: string;
}

/** A hit with what is folded under it. */
interface Shown extends Ranked {
  readonly isMatch: boolean | null;
  readonly duplicates: readonly string[];
}

/** What a page shows, and one more where there is another page. */
interface Listing {
  readonly way: Way;
  readonly space: Space | null;
  /** Where a match begins; null where nothing is known of that. */
  readonly calibration: SearchPage["calibration"];
  readonly shown: Shown[];
}

export async function answerPage(
  deps: Deps,
  caller: Caller,
  request: PageRequest,
  means: Means,
): Promise<SearchPage> {
  const { listing, images } = await transactAs(deps.sql, caller, async (transaction) => {
    const listing = await list({ deps, caller, transaction, request, means });
    const ids = listing.shown.slice(0, sizeOf(request)).map((hit) => hit.id);
    const rows = await listReadyImages(transaction, ids);
    return { listing, images: new Map(rows.map((row) => [row.id, row])) };
  });
  const shown = listing.shown.slice(0, sizeOf(request));
  const links = await signLinks(deps, [...images.values()], ["thumbnail"]);
  const items = shown.flatMap((hit) => {
    const row = images.get(hit.id);
    return row ? [toSearchHit(row, hit, links.get(hit.id))] : [];
  });
  return { items, nextCursor: continueAfter(request, means, listing), ...tell(request, means, listing) };
}

/** What is said of a whole page. */
function tell(request: PageRequest, means: Means, { way, space, calibration, shown }: Listing) {
  return {
    method: way === "fused" || way === "vectors" ? way : ("keywords" as const),
    space: space?.name ?? null,
    reason: means.vectors ? means.vectors.reason : means.keywords.reason,
    nothingMatches: isJudged(means, calibration) && !anyMatch(request, shown),
    calibration,
  };
}

/** Whether it is known what matches: by the scores, or because the model knows no word of what was asked. */
function isJudged({ keywords }: Means, calibration: Listing["calibration"]): boolean {
  return keywords ? keywords.why === "unknown_words" : calibration !== null;
}

function anyMatch(request: PageRequest, shown: readonly Shown[]): boolean {
  if (request.cursor?.isMatched) return true;
  return shown.slice(0, sizeOf(request)).some((hit) => hit.isMatch === true);
}

/** As many hits as the page may hold: the last page ends at the depth that no search goes beyond. */
function sizeOf({ limit, cursor }: PageRequest): number {
  return Math.min(limit, imageLimits.searchDepthMax - (cursor?.depth ?? 0));
}

function continueAfter(request: PageRequest, means: Means, { way, space, shown }: Listing): string | null {
  const { cursor, question } = request;
  const size = sizeOf(request);
  const last = shown[size - 1];
  const depth = (cursor?.depth ?? 0) + size;
  if (shown.length <= size || !last || depth >= imageLimits.searchDepthMax) return null;
  const next: SearchCursor = {
    way,
    space: space?.id ?? null,
    ...last.place,
    id: last.id,
    depth,
    question,
    isMinusVector: means.vectors?.minus?.embedding !== undefined,
    isMatched: anyMatch(request, shown),
  };
  return encodeCursor(next);
}

interface Task {
  deps: Deps;
  caller: Caller;
  transaction: TransactionSql;
  request: PageRequest;
  means: Means;
}

async function list(task: Task): Promise<Listing> {
  const { transaction, means } = task;
  if (!means.vectors) return listByWords(task, means.keywords);
  // Read anew: in this moment it is there, and calibrated as it is.
  const space = await readSpace(transaction, means.vectors.space.id);
  if (!space) throw spaceIsGone();
  return listByVectors(task, { ...means.vectors, space });
}

async function listByWords(task: Task, { query, minus, why }: WordMeans): Promise<Listing> {
  const { transaction, request } = task;
  const { scope, filters } = request;
  const found = await collect(task, async (start, limit) => {
    const hits = await findByWords(transaction, { query, minus, scope, filters, after: start.after, limit });
    return hits.map((hit) => ({
      ...hit,
      similarity: null,
      matchedWords: true,
      place: { phase: "window" as const, score: hit.score },
    }));
  });
  return { way: why, space: null, calibration: null, shown: await show(task, null, found) };
}

async function listByVectors(task: Task, means: VectorMeans): Promise<Listing> {
  const { transaction, request } = task;
  const { scope, filters, cursor } = request;
  let way = cursor && (cursor.way === "fused" || cursor.way === "vectors") ? cursor.way : undefined;
  let told: Omit<Ranking, "hits" | "way"> | undefined;
  const found = await collect(task, async (start, limit) => {
    const ranking = await rank(transaction, { ...means, scope, filters }, { start, limit, way });
    way = ranking.way;
    told ??= ranking;
    return ranking.hits;
  });
  if (told && !cursor) await keep(task, means, told);
  const calibration = await calibrate(transaction, means, { scope, pictures: told?.pictures ?? 0 });
  const shown = await show(task, calibration?.threshold ?? null, found);
  return { way: way ?? "vectors", space: means.space, calibration, shown };
}

/** The more pictures are searched, the higher the best of those that have nothing to do with the question. */
async function calibrate(
  transaction: TransactionSql,
  means: VectorMeans,
  { scope, pictures }: { scope: Scope; pictures: number },
): Promise<SearchPage["calibration"]> {
  const calibration = calibrationOf(means);
  if (!calibration) return null;
  const asked = means.minus?.asked ?? means.embedding;
  const cohort =
    cohortByCentre(calibration, readVector(asked)) ??
    (await measureCohort(transaction, { space: means.space, scope }, asked));
  // To a power of two: what the planner guesses of pictures that the caller may not see is not told by it.
  const magnitude = 2 ** Math.ceil(Math.log2(Math.max(1, pictures)));
  const threshold = thresholdFor(calibration, magnitude, cohort);
  return { threshold, falsePositiveRate: calibration.falsePositiveRate };
}

/** Pictures are nearer to each other than words are to them. */
function calibrationOf({ space, words }: Pick<VectorMeans, "space" | "words">): Thresholds | null {
  return words === undefined ? (space.calibration?.byPicture ?? null) : space.calibration;
}

/** What is folded or left out is not known before it is seen: then every page looks at the whole depth anew. */
function isWhole({ fold, matchesOnly }: PageRequest): boolean {
  return fold !== "none" || matchesOnly;
}

async function collect(
  { request }: Task,
  find: (start: Start, limit: number) => Promise<Ranked[]>,
): Promise<Ranked[]> {
  const { cursor } = request;
  if (isWhole(request)) return find(fromTheTop, imageLimits.searchDepthMax);
  if (!cursor) return find(fromTheTop, sizeOf(request) + 1);
  const { phase, score, id } = cursor;
  const start: Start = { phase, after: { score, id } };
  return find(start, sizeOf(request) + 1);
}

/** Judged, and where it is asked, without what does not match, folded, and from where the page begins. */
async function show(task: Task, threshold: number | null, found: readonly Ranked[]): Promise<Shown[]> {
  const { request, transaction, caller } = task;
  const judged = found
    .map((hit): Shown => ({ ...hit, isMatch: judge(threshold, hit), duplicates: [] }))
    .filter((hit) => !request.matchesOnly || hit.isMatch !== false);
  if (!isWhole(request)) return judged;
  const depth = request.cursor?.depth ?? 0;
  if (request.fold === "none") return judged.slice(depth);
  const hits = new Map(judged.map((hit) => [hit.id, hit]));
  const marks = await readMarks(transaction, caller, [...hits.keys()]);
  return foldMarks(marks, request.fold)
    .flatMap(({ id, duplicates }) => {
      const hit = hits.get(id);
      return hit ? [{ ...hit, duplicates }] : [];
    })
    .slice(depth);
}

function judge(threshold: number | null, { similarity, matchedWords }: Ranked): boolean | null {
  if (matchedWords) return true;
  return similarity === null || threshold === null ? null : similarity >= threshold;
}

async function keep(
  { deps, transaction, request }: Task,
  { space, embedding, logged }: VectorMeans,
  { path, filterClass }: Pick<Ranking, "path" | "filterClass">,
): Promise<void> {
  if (logged === null || !isSampled(deps.config.searchLogShare)) return;
  const { scope, filters } = request;
  await logSearch(transaction, {
    ...logged,
    spaceId: space.id,
    scope,
    filters,
    filterClass,
    path,
    embedding,
  });
}
