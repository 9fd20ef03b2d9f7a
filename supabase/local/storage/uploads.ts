import type { TransactionSql } from "postgres";
import { type Caller, callerUserId, serviceCaller } from "../../../shared/callers.ts";
import { databaseErrorCode } from "../../../shared/database.ts";
import { createId } from "../../../shared/ids.ts";
import { actAs, enter, probe } from "./acting.ts";
import { openBody, openUpload } from "./body.ts";
import { type Bucket, findBucket } from "./bucket-store.ts";
import { storageErrors } from "./errors.ts";
import { copyStoredFile, removeFiles, saveFile } from "./files.ts";
import { checkBucketName, checkKey, isAllowedMimeType } from "./names.ts";
import {
  findObject,
  findVersions,
  insertObject,
  lockObject,
  lockPlaces,
  moveObject,
  type NewObject,
  type Place,
  upsertObject,
} from "./object-store.ts";
import type { StorageTools } from "./tools.ts";

/**
 * How bytes come in. The database is asked twice and holds no transaction while the bytes arrive:
 *
 *   probe (insert, rolled back) ──▶ the file is written ──▶ insert and commit ──▶ the replaced file is removed
 */
export interface UploadTarget extends Place {
  readonly caller: Caller;
  /** What policies read as storage.operation(). */
  readonly operation: string;
  readonly ownerId: string | undefined;
  readonly upsert: boolean;
}

/** The owner and the rights are the caller's own. */
export function toTarget(caller: Caller, place: Place, operation: string, upsert: boolean): UploadTarget {
  return { ...place, caller, operation, ownerId: callerUserId(caller), upsert };
}

/** Who holds a signed URL was let in when it was signed: the policies have spoken. */
export function toSignedTarget(
  place: Place,
  signed: { ownerId: string | undefined; upsert: boolean },
): UploadTarget {
  return { ...place, ...signed, caller: serviceCaller, operation: "object.upload_signed" };
}

/** Takes the body of the request as the object; answers its id. */
export async function receiveObject(
  tools: StorageTools,
  request: Request,
  target: UploadTarget,
): Promise<string> {
  const bucket = await getBucket(tools, checkBucketName(target.bucketId));
  checkKey(target.name);
  const limitBytes = Math.min(bucket.fileSizeLimit ?? Number.POSITIVE_INFINITY, tools.fileSizeLimitBytes);
  const body = openBody(request, tools.bodyIdleMs);
  try {
    const file = await openUpload(body, request.headers);
    const described = { mimetype: file.mimeType, cacheControl: file.cacheControl };
    checkMimeType(file.mimeType, bucket);
    await checkMayUpload(tools, target, described, file.userMetadata);
    const { version, sizeBytes, etag } = await saveFile(tools.folder, file.chunks, limitBytes);
    const metadata = {
      ...described,
      eTag: etag,
      size: sizeBytes,
      contentLength: sizeBytes,
      lastModified: tools.now().toISOString(),
      httpStatusCode: 200,
      ...(file.contentEncoding && { contentEncoding: file.contentEncoding }),
    };
    return await nameFile(tools, target, { version, metadata, userMetadata: file.userMetadata });
  } finally {
    body.close();
  }
}

/** Whether the policies would let the caller place an object there; throws where not. */
export async function checkMayUpload(
  tools: StorageTools,
  target: UploadTarget,
  metadata: NewObject["metadata"],
  userMetadata?: NewObject["userMetadata"],
): Promise<void> {
  const object = toRow(target, { version: createId(), metadata, userMetadata });
  await probe(tools.sql, target.caller, target.operation, (transaction) =>
    writeRow(transaction, target, object),
  );
}

type Content = Pick<NewObject, "version" | "metadata" | "userMetadata">;

/**
 * Commits the row that names the file. Where the row is refused the file goes again; after any other error nobody knows
 * whether the commit came through, and the sweep will tell.
 */
async function nameFile(tools: StorageTools, target: UploadTarget, content: Content): Promise<string> {
  const object = toRow(target, content);
  try {
    const { id, replaced } = await tools.sql.begin(async (transaction) => {
      const replaced = await lockObject(transaction, target);
      await enter(transaction, target.caller, target.operation);
      return { id: await writeRow(transaction, target, object), replaced };
    });
    if (replaced) await dropFiles(tools, [replaced]);
    return id;
  } catch (error) {
    if (isRefusal(error)) await removeFiles(tools.folder, [content.version]);
    throw error;
  }
}

/**
 * Removes the files of rows that are gone, but for those that another row still names. The rows have been committed, so
 * a failure here is no failure of the request: what stays is for the sweep.
 */
export async function dropFiles(tools: StorageTools, versions: readonly (string | null)[]): Promise<void> {
  const gone = versions.filter((version) => version !== null);
  try {
    const named = new Set(await findVersions(tools.sql, gone));
    await removeFiles(
      tools.folder,
      gone.filter((version) => !named.has(version)),
    );
  } catch (error) {
    tools.reportError(error);
  }
}

/** A constraint, a policy or a deadlock ended the transaction: nothing was committed. */
function isRefusal(error: unknown): boolean {
  return /^(23...|42501|40001|40P01)$/.test(databaseErrorCode(error) ?? "");
}

function toRow(target: UploadTarget, content: Content): NewObject {
  const { bucketId, name, ownerId } = target;
  return { id: createId(), bucketId, name, ownerId, ...content };
}

function writeRow(transaction: TransactionSql, target: UploadTarget, object: NewObject): Promise<string> {
  return target.upsert ? upsertObject(transaction, object) : insertObject(transaction, object);
}

export interface CopyRequest {
  readonly from: Place;
  readonly to: UploadTarget;
  /** Null keeps what the source has; else what is given replaces it, and the source's user metadata is left behind. */
  readonly overrides: {
    readonly cacheControl?: string | undefined;
    readonly mimetype?: string | undefined;
    readonly contentEncoding?: string | undefined;
  } | null;
  readonly userMetadata: Record<string, unknown> | undefined;
}

/** The copy is a file of its own under a new version. Answers the id of the new object. */
export async function copyObject(tools: StorageTools, copy: CopyRequest): Promise<string> {
  const { from, to } = copy;
  checkKey(to.name);
  const bucket = await getBucket(tools, checkBucketName(to.bucketId));
  const source = await actAs(tools.sql, to.caller, to.operation, (transaction) =>
    findObject(transaction, from.bucketId, from.name),
  );
  if (!source?.version) throw storageErrors.noSuchKey();
  const metadata = { ...source.metadata, ...withoutEmpty(copy.overrides) };
  const userMetadata = copy.overrides ? copy.userMetadata : (source.userMetadata ?? undefined);
  checkFits(tools, metadata, bucket);
  await checkMayUpload(tools, to, metadata, userMetadata);
  const version = await copyStoredFile(tools.folder, source.version);
  if (!version) throw storageErrors.noSuchKey();
  return nameFile(tools, to, { version, metadata, userMetadata });
}

/** An empty text takes the value away. */
function withoutEmpty(overrides: CopyRequest["overrides"]): NewObject["metadata"] {
  return Object.fromEntries(
    Object.entries(overrides ?? {}).map(([key, value]) => [key, value === "" ? undefined : value]),
  );
}

/** One row changes and no file. Answers the id. */
export async function relocateObject(
  tools: StorageTools,
  caller: Caller,
  from: Place,
  to: Place,
): Promise<string> {
  checkKey(to.name);
  const bucket = await getBucket(tools, checkBucketName(to.bucketId));
  return tools.sql.begin(async (transaction) => {
    await lockPlaces(transaction, [from, to]);
    await enter(transaction, caller, "object.move");
    const source = await findObject(transaction, from.bucketId, from.name);
    if (!source) throw storageErrors.noSuchKey();
    if (to.bucketId !== from.bucketId) checkFits(tools, source.metadata ?? {}, bucket);
    const id = await moveObject(transaction, from, to, callerUserId(caller));
    if (!id) throw storageErrors.noSuchKey();
    return id;
  });
}

async function getBucket(tools: StorageTools, id: string): Promise<Bucket> {
  const bucket = await findBucket(tools.sql, id);
  if (!bucket) throw storageErrors.noSuchBucket();
  return bucket;
}

/** What a bucket refuses as an upload does not come in by copying or moving either. */
function checkFits(tools: StorageTools, metadata: NewObject["metadata"], bucket: Bucket): void {
  const limitBytes = Math.min(bucket.fileSizeLimit ?? Number.POSITIVE_INFINITY, tools.fileSizeLimitBytes);
  if ((metadata.size ?? 0) > limitBytes) throw storageErrors.tooLarge();
  checkMimeType(metadata.mimetype ?? "application/octet-stream", bucket);
}

function checkMimeType(mimeType: string, bucket: Bucket): void {
  if (!isAllowedMimeType(mimeType, bucket.allowedMimeTypes)) throw storageErrors.invalidMimeType(mimeType);
}
