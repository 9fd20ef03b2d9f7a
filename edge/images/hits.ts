/** From words, or from a picture, to a page of hits. */
import { type Caller, transactAs } from "../../shared/callers.ts";
import { AppError } from "../../shared/errors.ts";
import type { SearchFilters, SearchFold, SearchPage } from "../../shared/images/contract.ts";
import type { Deps } from "../deps.ts";
import type { Scope } from "./access.ts";
import {
  digestQuestion,
  isByVectors,
  type NoVectorReason,
  readSearchCursor,
  type SearchCursor,
} from "./cursors.ts";
import { subtract } from "./minus.ts";
import { findVector, type Minus } from "./nearest-query.ts";
import { answerPage, type PageRequest } from "./pages.ts";
import { explainMinus, explainReason, findQueryVector } from "./query-vectors.ts";
import { readSpace, type Space, spaceIsGone } from "./spaces.ts";
import { getImage } from "./store.ts";

export interface SearchRequest {
  scope: Scope;
  filters: SearchFilters;
  fold: SearchFold;
  matchesOnly: boolean;
  limit: number;
  cursor: string | undefined;
}

/** By vectors and words together where the words have a vector, else by words alone, and the page says which. */
export function searchImages(
  deps: Deps,
  caller: Caller,
  request: SearchRequest & { query: string; minus: string | undefined },
): Promise<SearchPage> {
  return whileSpacesChange(request.cursor, async () => {
    const { query, minus, ...rest } = request;
    const { page, cursor } = await openPage(rest, { query, minus: minus ?? null });
    const found = await findWay(deps, { query, minus }, cursor);
    if ("lacking" in found) {
      const keywords = { query, minus, why: found.lacking, reason: explainReason(found.lacking) };
      return answerPage(deps, caller, page, { keywords });
    }
    const logged = { query, minus: minus ?? null, imageId: null };
    return answerPage(deps, caller, page, { vectors: { ...found, words: query, exceptIds: [], logged } });
  });
}

/** Pictures like one that the caller can see, without itself. */
export function findSimilar(
  deps: Deps,
  caller: Caller,
  request: SearchRequest & { imageId: string; minus: string | undefined },
): Promise<SearchPage> {
  return whileSpacesChange(request.cursor, async () => {
    const { imageId, minus, ...rest } = request;
    const { page, cursor } = await openPage(rest, { imageId, minus: minus ?? null });
    const own = await transactAs(deps.sql, caller, async (transaction) => {
      await getImage(transaction, imageId);
      const space = await readSpace(transaction, cursor?.space ?? undefined);
      if (!space) throw spaceIsGone();
      return { space, embedding: await findVector(transaction, space, imageId) };
    });
    if (own.embedding === undefined)
      throw new AppError("conflict", "This picture is not ready to be compared.");
    const less = await findMinus(deps, minus, { spaceId: own.space.id, cursor });
    const found = combine(own.space, own.embedding, minus, less);
    const logged = { query: null, minus: minus ?? null, imageId };
    return answerPage(deps, caller, page, {
      vectors: { ...found, words: undefined, exceptIds: [imageId], logged },
    });
  });
}

/**
 * Pictures near to any vector of a space. `question` is whatever else the vector was made from: a cursor belongs to
 * it. `searchSpaceOf` tells the space that a cursor goes on in. What is asked so is nobody's words and is not logged.
 */
export function searchByVector(
  deps: Deps,
  caller: Caller,
  request: SearchRequest & {
    space: Space;
    /** Unit length, in pgvector's text form. */
    embedding: string;
    minus: string | undefined;
    question: Readonly<Record<string, unknown>>;
  },
): Promise<SearchPage> {
  return whileSpacesChange(request.cursor, async () => {
    const { space, embedding, minus, question, ...rest } = request;
    const { page, cursor } = await openPage(rest, { ...question, minus: minus ?? null });
    if (cursor && cursor.space !== space.id) throw spaceIsGone();
    const less = await findMinus(deps, minus, { spaceId: space.id, cursor });
    const vectors = {
      ...combine(space, embedding, minus, less),
      words: undefined,
      exceptIds: [],
      logged: null,
    };
    return answerPage(deps, caller, page, { vectors });
  });
}

/** A cursor belongs to all that decides which hits come, and in which order. */
async function openPage(
  request: SearchRequest,
  parts: Readonly<Record<string, unknown>>,
): Promise<{ page: PageRequest; cursor: SearchCursor | undefined }> {
  const { scope, filters, fold, matchesOnly, limit } = request;
  const question = await digestQuestion({ ...parts, scope, filters, fold, matchesOnly });
  const cursor = readSearchCursor(request.cursor, question);
  return { page: { scope, filters, fold, matchesOnly, limit, cursor, question }, cursor };
}

interface Found {
  space: Space;
  embedding: string;
  minus: Minus | undefined;
  /** Why `minus` counts less than it could. */
  reason: string | null;
}

/** A search goes on in the way and the space that it began in: scores of the one mean nothing in another. */
async function findWay(
  deps: Deps,
  asked: { query: string; minus: string | undefined },
  cursor: SearchCursor | undefined,
): Promise<Found | { lacking: NoVectorReason }> {
  if (cursor && !isByVectors(cursor.way)) return { lacking: cursor.way };
  const spaceId = cursor?.space ?? undefined;
  const [found, less] = await Promise.all([
    findQueryVector(deps, asked.query, spaceId),
    findMinus(deps, asked.minus, { spaceId, cursor }),
  ]);
  if ("reason" in found) {
    if (cursor) throw cannotGoOn();
    return { lacking: found.reason };
  }
  if (less && "space" in less && less.space.id !== found.space.id) throw spaceIsGone();
  return combine(found.space, found.embedding, asked.minus, less);
}

type FoundMinus = Awaited<ReturnType<typeof findQueryVector>> | undefined;

async function findMinus(
  deps: Deps,
  minus: string | undefined,
  { spaceId, cursor }: { spaceId: number | undefined; cursor: SearchCursor | undefined },
): Promise<FoundMinus> {
  if (minus === undefined) return undefined;
  // The pages before went without its vector, for whatever reason.
  if (cursor && !cursor.isMinusVector) return { reason: "not_embedded" };
  const found = await findQueryVector(deps, minus, spaceId);
  if (cursor && "reason" in found) throw cannotGoOn();
  return found;
}

function combine(space: Space, embedding: string, words: string | undefined, less: FoundMinus): Found {
  if (words === undefined || less === undefined) return { space, embedding, minus: undefined, reason: null };
  if ("reason" in less) {
    const minus = { asked: embedding, embedding: undefined, words };
    return { space, embedding, minus, reason: explainMinus(less.reason) };
  }
  const minus = { asked: embedding, embedding: less.embedding, words };
  return { space, embedding: subtract(embedding, less.embedding), minus, reason: null };
}

function cannotGoOn(): AppError {
  return new AppError("unavailable", "This search cannot go on now; try again or start without the cursor.", {
    retryable: true,
    retryAfterSeconds: 5,
  });
}

const roundsMax = 5;

/** A search without a cursor that met a change of spaces is asked again, in the space that searches now. */
async function whileSpacesChange(
  cursor: string | undefined,
  search: () => Promise<SearchPage>,
): Promise<SearchPage> {
  for (let round = 1; ; round++) {
    try {
      return await search();
    } catch (error) {
      const isChange = error instanceof AppError && error.code === "invalid_cursor";
      if (cursor !== undefined || !isChange) throw error;
      if (round === roundsMax) throw cannotGoOn();
    }
  }
}
