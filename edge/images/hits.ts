/** From words, or from a picture, to a page of hits. */
import { type Caller, transactAs } from "../../shared/callers.ts";
import { AppError } from "../../shared/errors.ts";
import { imageLimits, type SearchPage } from "../../shared/images/contract.ts";
import type { Deps } from "../deps.ts";
import { decodeCursor, encodeCursor } from "../http/cursors.ts";
import type { Scope } from "./access.ts";
import { SearchCursor, type Way } from "./cursors.ts";
import { signLinks } from "./links.ts";
import { explainReason, findQueryVector, type Space } from "./query-vectors.ts";
import { findByWords, findNearest, findVector, type Hit } from "./search.ts";
import { getImage, type ImageRow, listReadyImages } from "./store.ts";
import { toSearchHit } from "./views.ts";

export interface PageRequest {
  scope: Scope;
  limit: number;
  cursor: string | undefined;
}

/** By vectors where the words have one, else by keywords, and the page says which. `query` is normalized. */
export async function searchImages(
  deps: Deps,
  caller: Caller,
  request: PageRequest & { query: string },
): Promise<SearchPage> {
  const place = readPlace(request);
  const found = await findWay(deps, request.query, place.way);
  if ("reason" in found) {
    const { query, scope } = request;
    return answerPage(deps, caller, { place, way: found.reason, space: null }, (transaction) =>
      findByWords(transaction, { query, scope, ...place }),
    );
  }
  return answerPage(deps, caller, { place, way: "vectors", space: found.space }, (transaction) =>
    findNearest(transaction, { ...found, scope: request.scope, ...place }),
  );
}

/** Pictures like one that the caller can see, without itself. */
export async function findSimilar(
  deps: Deps,
  caller: Caller,
  request: PageRequest & { imageId: string },
): Promise<SearchPage> {
  const place = readPlace(request);
  if (place.way !== undefined && place.way !== "vectors") {
    throw new AppError("invalid_cursor", "The cursor belongs to another search.");
  }
  const found = await transactAs(deps.sql, caller, async (transaction) => {
    await getImage(transaction, request.imageId);
    return findVector(transaction, request.imageId);
  });
  if (!found) throw new AppError("conflict", "This picture is not ready to be compared.");
  return answerPage(deps, caller, { place, way: "vectors", space: found.space }, (transaction) =>
    findNearest(transaction, { ...found, exceptId: request.imageId, scope: request.scope, ...place }),
  );
}

/** Where a page begins: after which hit, how deep, and in which way the pages before it were found. */
interface Place {
  readonly way: Way | undefined;
  readonly after: Hit | undefined;
  readonly depth: number;
  /** One more than the page holds, which tells whether there is another. */
  readonly limit: number;
}

function readPlace({ cursor, limit }: PageRequest): Place {
  if (cursor === undefined) return { way: undefined, after: undefined, depth: 0, limit: limit + 1 };
  const { way, score, id, depth } = decodeCursor(SearchCursor, cursor);
  return { way, after: { score, id }, depth, limit: Math.min(limit, imageLimits.searchDepthMax - depth) + 1 };
}

/** A search goes on in the way it began: scores of the one way mean nothing in the other. */
async function findWay(deps: Deps, query: string, way: Way | undefined) {
  if (way !== undefined && way !== "vectors") return { reason: way };
  const found = await findQueryVector(deps, query);
  if (way === "vectors" && "reason" in found) {
    throw new AppError(
      "unavailable",
      "This search cannot go on now; try again or start without the cursor.",
      {
        retryable: true,
        retryAfterSeconds: 5,
      },
    );
  }
  return found;
}

/** Finds under the caller's role, then signs what was found. */
async function answerPage(
  deps: Deps,
  caller: Caller,
  search: { place: Place; way: Way; space: Space | null },
  find: (transaction: Parameters<typeof findNearest>[0]) => Promise<Hit[]>,
): Promise<SearchPage> {
  const { place, way, space } = search;
  const { hits, images } = await transactAs(deps.sql, caller, async (transaction) => {
    const hits = await find(transaction);
    const rows = await listReadyImages(
      transaction,
      hits.map((hit) => hit.id),
    );
    return { hits, images: new Map(rows.map((row) => [row.id, row])) };
  });
  const shown = hits.slice(0, place.limit - 1);
  const rows = shown.flatMap(({ id }) => images.get(id) ?? []);
  const links = await signLinks(deps, rows, ["thumbnail"]);
  const toHit = ({ id, score }: Hit) => {
    const row: ImageRow | undefined = images.get(id);
    return row ? [toSearchHit(row, score, links.get(id))] : [];
  };
  return {
    items: shown.flatMap(toHit),
    nextCursor:
      hits.length > shown.length ? continueAfter(shown.at(-1), way, place.depth + shown.length) : null,
    method: way === "vectors" ? "vectors" : "keywords",
    space: space?.name ?? null,
    reason: way === "vectors" ? null : explainReason(way),
  };
}

function continueAfter(last: Hit | undefined, way: Way, depth: number): string | null {
  if (!last || depth >= imageLimits.searchDepthMax) return null;
  const cursor: SearchCursor = { way, score: last.score, id: last.id, depth };
  return encodeCursor(cursor);
}
