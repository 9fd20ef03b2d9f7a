/**
 * Searching by a picture that is not in the library. Its bytes go to storage for as long as a sidecar needs to look at
 * them; what is kept is the vector, for an hour.
 *
 *   picture ──▶ object ──▶ row + job ──▶ wait ──▶ vector ──▶ hits
 *                 └────────────┴───────────┴──────▶ object removed, whatever came of it
 *
 * What a crash leaves: an object that no row of the library names, which the sweep removes when it is two hours old; and
 * a row that ends after its hour. A job that nobody waits for ends by itself: it finds no object, or no row to write.
 */
import { type Caller, serviceCaller, transactAs } from "../../shared/callers.ts";
import { AppError, ErrorCode } from "../../shared/errors.ts";
import { createId } from "../../shared/ids.ts";
import type { SearchPage } from "../../shared/images/contract.ts";
import { sniffBytesMax } from "../../shared/images/media-types.ts";
import {
  embedPicture,
  type PictureSearchPage,
  pictureQueryPath,
} from "../../shared/images/picture-queries.ts";
import { addJob, cancelJob } from "../../shared/jobs/queue.ts";
import { jobKinds } from "../../shared/kinds.ts";
import { describeError } from "../../shared/log.ts";
import type { Deps } from "../deps.ts";
import { type SearchRequest, searchByVector } from "./hits.ts";
import { checkMediaType, checkSize } from "./picture-checks.ts";
import {
  type Asker,
  askerOf,
  deleteQuery,
  type EmbeddedQuery,
  findAskedSpace,
  findOwnQuery,
  findSameQuery,
  insertQuery,
  lookUpQuery,
  type Sighting,
} from "./picture-search-store.ts";
import { readSpace } from "./spaces.ts";

export type PictureRequest = SearchRequest & { minus: string | undefined };

/** Pictures like one that comes with the request; the answer names the query for the pages that follow. */
export async function searchByPicture(
  deps: Deps,
  caller: Caller,
  request: PictureRequest & { file: File },
): Promise<PictureSearchPage> {
  const { file, ...rest } = request;
  await checkPicture(deps, file);
  const asker = askerOf(caller);
  const sha256 = await hashFile(file);
  const query =
    (await findSameQuery(deps.sql, asker, sha256)) ?? (await embed(deps, { asker, file, sha256 }));
  return { ...(await answer(deps, caller, query, rest)), picture: query.id };
}

/** The same for a picture that came before, by the id of its query. */
export async function searchByPictureAgain(
  deps: Deps,
  caller: Caller,
  request: PictureRequest & { picture: string },
): Promise<SearchPage> {
  const { picture, ...rest } = request;
  const query = await findOwnQuery(deps.sql, askerOf(caller), picture);
  if (!query)
    throw new AppError("not_found", "There is no such picture to search by; it is kept for an hour.");
  return answer(deps, caller, query, rest);
}

async function answer(
  deps: Deps,
  caller: Caller,
  query: EmbeddedQuery,
  request: PictureRequest,
): Promise<SearchPage> {
  const space = await transactAs(deps.sql, caller, (transaction) => readSpace(transaction, query.spaceId));
  if (!space) throw unavailable("The embedding space was taken away; search again.");
  const question = { picture: query.id };
  return searchByVector(deps, caller, { ...request, space, embedding: query.embedding, question });
}

async function checkPicture(deps: Deps, file: File): Promise<void> {
  checkSize(deps, file.size, "file");
  checkMediaType(new Uint8Array(await file.slice(0, sniffBytesMax).arrayBuffer()));
}

async function hashFile(file: File): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

interface NewQuery {
  readonly asker: Asker;
  readonly file: File;
  readonly sha256: string;
}

/** The object is gone afterwards, however it ended; of a query that did not end well nothing is left. */
async function embed(deps: Deps, { asker, file, sha256 }: NewQuery): Promise<EmbeddedQuery> {
  const space = await findAskedSpace(deps.sql);
  if (!space?.isServed) throw unavailable("No sidecar is there to look at the picture.");
  const id = createId();
  const path = pictureQueryPath({ id, folder: asker.folder });
  let jobId: string | undefined;
  try {
    await deps.objects.put(path, file, "application/octet-stream");
    jobId = await transactAs(deps.sql, serviceCaller, async (transaction) => {
      await insertQuery(transaction, { id, asker, spaceId: space.id, sha256 });
      return addJob(transaction, embedPicture, {
        payload: { queryId: id, spaceId: space.id, path },
        // Whose picture it is, is not the queue's business.
        ownerId: null,
        subjectId: id,
        model: space.model,
      });
    });
    return await untilEmbedded(deps, id, jobId);
  } catch (error) {
    await attempt(deps, () => giveUp(deps, id, jobId));
    throw error;
  } finally {
    await attempt(deps, () => deps.objects.remove([path]));
  }
}

async function untilEmbedded(deps: Deps, id: string, jobId: string): Promise<EmbeddedQuery> {
  const deadlineMs = performance.now() + deps.config.pictureSearchWaitMs;
  for (let pauseMs = 10; ; pauseMs = Math.min(pauseMs * 1.5, 100)) {
    const seen = await lookUpQuery(deps.sql, id, jobId);
    const embedded = judge(seen, performance.now() >= deadlineMs);
    if (embedded) return embedded;
    await new Promise((resolve) =>
      setTimeout(resolve, Math.max(0, Math.min(pauseMs, deadlineMs - performance.now()))),
    );
  }
}

/** The vector, or undefined while there is hope. */
function judge(seen: Sighting | undefined, isTimeOver: boolean): EmbeddedQuery | undefined {
  if (!seen) throw unavailable("The embedding space was taken away; search again.");
  const { id, spaceId, embedding } = seen;
  if (embedding !== null) return { id, spaceId, embedding };
  if (seen.errorCode !== null) throw toFailure(seen.errorCode, seen.errorMessage ?? "");
  if (!seen.isServed) throw unavailable("No sidecar is there to look at the picture.");
  if (isTimeOver) throw unavailable("No sidecar looked at the picture in time.");
  return undefined;
}

/** What is wrong with the picture is told as it is; anything else may go better another time. */
function toFailure(code: string, message: string): AppError {
  const told = FaultOfPicture.safeParse(code);
  return told.success ? new AppError(told.data, message) : unavailable("The picture could not be looked at.");
}

const FaultOfPicture = ErrorCode.extract(["image_undecodable", "image_too_many_pixels"]);

function unavailable(message: string): AppError {
  return new AppError("unavailable", message, { retryable: true, retryAfterSeconds: 5 });
}

async function giveUp(deps: Deps, id: string, jobId: string | undefined): Promise<void> {
  await transactAs(deps.sql, serviceCaller, async (transaction) => {
    const job = { id: jobId ?? id, kind: embedPicture.name, ownerId: null, subjectId: id };
    if (jobId) await cancelJob(transaction, jobKinds, job);
    await deleteQuery(transaction, id);
  });
}

/** Tidying that time or the sweep will do if it fails here. */
async function attempt({ log }: Deps, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    log.warn("images.picture_query_left", { error: describeError(error) });
  }
}
