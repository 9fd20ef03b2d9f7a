/**
 * How a picture comes in. The database and storage cannot commit together, so the row goes first, the bytes follow
 * outside any transaction, and the second transaction accepts: state and job at once, or neither.
 *
 *   file ──▶ row `uploading` ──▶ object ──▶ row `processing` + ingest job ──▶ 202
 *   JSON ──▶ row `uploading` ──▶ signed URL ──▶ 201 … the client sends … ──▶ completion: the same ending
 *
 * What a crash leaves, at each arrow:
 *   before the row                 nothing.
 *   after the row, before 202      a row that is `uploading`, perhaps with its object. Nobody was told that it is
 *                                  accepted. The sweep fails the row after two hours and ten minutes (a signed URL
 *                                  lives for two), and then removes the object, which that row no longer names.
 *   after the second commit        the job is in the queue: the picture ends `ready` or `failed`, whether or not
 *                                  the answer reached anyone. A completion that is sent again answers that job.
 * Sent again with its Idempotency-Key, an upload goes on with the row of its first run, whose id follows from the key.
 * An object never comes before its row, so an object whose path no row names is always a leftover. The media type
 * is written when a picture is accepted and not before: a failed row without one was never ours and names no object.
 */
import { type Caller, serviceCaller, transactAs } from "../../shared/callers.ts";
import { AppError } from "../../shared/errors.ts";
import { createId } from "../../shared/ids.ts";
import { type ImageFields, imagePath, type NewImageUpload } from "../../shared/images/contract.ts";
import { ingestImage } from "../../shared/images/kinds.ts";
import { type ImageMediaType, sniffBytesMax, sniffMediaType } from "../../shared/images/media-types.ts";
import { addJob } from "../../shared/jobs/queue.ts";
import { describeError } from "../../shared/log.ts";
import type { Deps } from "../deps.ts";
import { requireSignedIn } from "../http/identity.ts";
import { checkMayChange } from "./access.ts";
import { listCandidates, nameFromFile } from "./names.ts";
import { checkMediaType, checkSize, notAPicture, type Refusal, tooLarge } from "./picture-checks.ts";
import {
  deleteUpload,
  failUpload,
  findFreeName,
  findImage,
  findNewestJob,
  getImage,
  type ImageRow,
  insertImage,
  type NewImage,
  startProcessing,
} from "./store.ts";

export interface Accepted {
  readonly image: ImageRow;
  readonly jobId: string;
}

/** A picture whose bytes came with the request. */
export async function acceptFile(
  deps: Deps,
  caller: Caller,
  upload: { id: string; file: File; fields: ImageFields },
): Promise<Accepted> {
  const { id, file, fields } = upload;
  const ownerId = requireSignedIn(caller);
  checkSize(deps, file.size, "file");
  const mediaType = checkMediaType(new Uint8Array(await file.slice(0, sniffBytesMax).arrayBuffer()));
  const image = await addImage(deps, caller, {
    id,
    ownerId,
    names: fields.name === undefined ? listCandidates(nameFromFile(file.name), createId()) : [fields.name],
    fields,
    sizeBytes: file.size,
  });
  if (image.state !== "uploading") return findAccepted(deps, id);
  await orTakeBack(deps, image, () => deps.objects.put(imagePath(image, "original"), file, mediaType));
  return acceptUpload(deps, image, { mediaType, sizeBytes: file.size });
}

/** A picture whose bytes will be sent to a signed URL. */
export async function startUpload(
  deps: Deps,
  caller: Caller,
  { id, announced }: { id: string; announced: NewImageUpload },
) {
  const ownerId = requireSignedIn(caller);
  checkSize(deps, announced.sizeBytes, "sizeBytes");
  const image = await addImage(deps, caller, {
    id,
    ownerId,
    names: [announced.name],
    fields: announced,
    sizeBytes: announced.sizeBytes,
  });
  if (image.state !== "uploading") throw new AppError("conflict", "This upload has ended already.");
  const upload = await orTakeBack(deps, image, () => deps.objects.createUpload(imagePath(image, "original")));
  return { image, upload };
}

/**
 * Accepts what was sent to the signed URL. Sent again, it answers the same job. What is no picture of ours fails
 * for good: the signed URL worked once.
 */
export async function completeUpload(deps: Deps, caller: Caller, id: string): Promise<Accepted> {
  const image = await transactAs(deps.sql, caller, (transaction) => getImage(transaction, id));
  checkMayChange(caller, image);
  if (image.state !== "uploading") return findAccepted(deps, id);
  const content = await inspectUpload(deps, image);
  if ("code" in content) {
    await refuseUpload(deps, image, content);
    throw new AppError(content.code, content.message);
  }
  return acceptUpload(deps, image, content);
}

interface WantedImage {
  id: string;
  ownerId: string | null;
  /** The first free one is taken. */
  names: readonly string[];
  fields: Pick<ImageFields, "title" | "keywords">;
  sizeBytes: number;
}

/**
 * The first transaction, as the caller: the policies decide whether they may. A request that is sent again may find
 * the row that its first run made, in any state.
 */
async function addImage(deps: Deps, caller: Caller, wanted: WantedImage): Promise<ImageRow> {
  const { id, ownerId, names, fields, sizeBytes } = wanted;
  const image: Omit<NewImage, "name"> = {
    id,
    ownerId,
    title: fields.title ?? null,
    keywords: fields.keywords ?? [],
    sizeBytes,
  };
  // Another upload may take a name between the look and the insert; then the next one is tried.
  for (let attempt = 0; attempt < Math.min(names.length, 5); attempt++) {
    const row = await transactAs(deps.sql, caller, async (transaction) => {
      const name = await findFreeName(transaction, ownerId, names);
      const inserted = name === undefined ? undefined : await insertImage(transaction, { ...image, name });
      return inserted ?? findImage(transaction, id);
    });
    if (row) return row;
  }
  throw new AppError("name_taken", `There is already a picture named ${JSON.stringify(names[0])}.`);
}

/** The second transaction: from here on the picture is ours to finish. */
async function acceptUpload(
  deps: Deps,
  { id, ownerId }: ImageRow,
  content: { mediaType: string; sizeBytes: number },
): Promise<Accepted> {
  const accepted = await transactAs(deps.sql, serviceCaller, async (transaction) => {
    const image = await startProcessing(transaction, id, content);
    if (!image) return undefined;
    const job = { payload: { imageId: id }, ownerId, subjectId: id, uniqueKey: id };
    return { image, jobId: await addJob(transaction, ingestImage, job) };
  });
  // Completed twice at once, expired, or deleted while the bytes were on their way.
  return accepted ?? findAccepted(deps, id);
}

/** The job that a picture was accepted with, or why there is none. */
async function findAccepted(deps: Deps, id: string): Promise<Accepted> {
  return transactAs(deps.sql, serviceCaller, async (transaction) => {
    const image = await getImage(transaction, id);
    const job = await findNewestJob(transaction, id, ingestImage.name);
    if (job) return { image, jobId: job.id };
    if (image.errorCode === "upload_expired") {
      throw new AppError("upload_expired", "The upload was not completed in time; start again.");
    }
    throw new AppError("conflict", image.errorMessage ?? "This picture cannot be completed any more.");
  });
}

/** What lies at the signed URL, or why it is refused. Nothing there yet is a conflict: it may still come. */
async function inspectUpload(
  deps: Deps,
  image: ImageRow,
): Promise<{ mediaType: ImageMediaType; sizeBytes: number } | Refusal> {
  const path = imagePath(image, "original");
  const found = await deps.objects.find(path);
  const start = found && (await deps.objects.readStart(path, sniffBytesMax));
  if (!found || !start) throw new AppError("conflict", "Nothing was sent to the upload's URL yet.");
  const { sizeBytes } = found;
  if (sizeBytes > deps.config.uploadBytesMax) return tooLarge(deps);
  if (sizeBytes !== image.sizeBytes) {
    const message = `${sizeBytes} bytes were sent where ${image.sizeBytes} were announced.`;
    return { code: "invalid_request", message };
  }
  const mediaType = sniffMediaType(start);
  return mediaType ? { mediaType, sizeBytes } : notAPicture;
}

async function refuseUpload(deps: Deps, image: ImageRow, refusal: Refusal): Promise<void> {
  const error = { code: refusal.code, message: refusal.message };
  await transactAs(deps.sql, serviceCaller, (transaction) => failUpload(transaction, image.id, error));
  await attempt(deps, "images.refused_object_left", () =>
    deps.objects.remove([imagePath(image, "original")]),
  );
}

/** Does what needs storage; when that fails, nothing of the upload is left to the caller. */
async function orTakeBack<T>(deps: Deps, image: ImageRow, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await attempt(deps, "images.upload_left", () =>
      transactAs(deps.sql, serviceCaller, (transaction) => deleteUpload(transaction, image.id)),
    );
    throw error;
  }
}

/** Tidying that the sweep will do if it fails here. */
async function attempt(deps: Deps, event: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    deps.log.warn(event, { error: describeError(error) });
  }
}
