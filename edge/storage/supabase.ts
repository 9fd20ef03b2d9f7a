/**
 * The objects of the house in Supabase Storage, in one private bucket for each purpose, with the secret key. The bucket
 * itself holds two of our limits, because whoever has a signed upload URL talks to Storage and not to us: size and media type.
 */
import { createClient, StorageApiError, type SupabaseClient } from "@supabase/supabase-js";
import { AppError } from "../../shared/errors.ts";
import { imageBucket } from "../../shared/images/contract.ts";
import { ImageMediaType } from "../../shared/images/media-types.ts";
import { importBucket, importBytesMax } from "../../shared/interactions/imports.ts";
import type { ObjectStore } from "./objects.ts";

/** A bucket as it has to be. */
export interface Bucket {
  readonly name: string;
  /** The largest object that it takes. */
  readonly sizeBytesMax: number;
  /** What a file may call itself when it is sent to a signed URL; its content decides later. Null: anything. */
  readonly mediaTypes: readonly string[] | null;
}

export interface SupabaseStorageOptions {
  /** The project as this process reaches it. */
  supabaseUrl: string;
  /** The project as browsers reach it; links are written with it. */
  publicUrl: string;
  secretKey: string;
  bucket: Bucket;
  /** For one call; default 10,000. */
  timeoutMs?: number;
  /** For a call that sends an object; default 50,000, so that it ends before the request that waits for it. */
  uploadTimeoutMs?: number;
  fetch?: typeof fetch;
  now?: () => Date;
}

/** Storage takes and signs at most this many paths in a call. */
export const pathsMax = 1000;

/** Supabase lets a signed upload live for two hours; it cannot be chosen. */
const uploadExpiresInSeconds = 2 * 60 * 60;

/** Of pictures. */
export function pictureBucket(sizeBytesMax: number): Bucket {
  const mediaTypes = [...ImageMediaType.options, "image/jpg", "image/heif", "application/octet-stream"];
  return { name: imageBucket, sizeBytesMax, mediaTypes };
}

/** Of files that are imported: browsers call CSV by many names. */
export const fileBucket: Bucket = { name: importBucket, sizeBytesMax: importBytesMax, mediaTypes: null };

export function createSupabaseStorage(options: SupabaseStorageOptions): ObjectStore {
  const client = createClient(options.supabaseUrl, options.secretKey, {
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
    global: { fetch: fetchInTime(options) },
  });
  const { name } = options.bucket;
  const objects = client.storage.from(name);
  const toPublic = (url: string) => withOrigin(url, options.supabaseUrl, options.publicUrl);
  const now = options.now ?? (() => new Date());

  return {
    async put(path, bytes, mediaType) {
      // A Blob is sent under its own type, so it is given ours.
      const body = bytes instanceof Blob ? bytes.slice(0, bytes.size, mediaType) : bytes;
      await take("keep an object", objects.upload(path, body, { contentType: mediaType, upsert: true }));
    },

    async remove(paths) {
      checkCount(paths);
      if (paths.length > 0) await take("remove objects", objects.remove([...paths]));
    },

    async sign(paths, expiresInSeconds) {
      checkCount(paths);
      if (paths.length === 0) return new Map();
      const signed = await take("sign links", objects.createSignedUrls([...paths], expiresInSeconds));
      return new Map(
        signed.flatMap(({ path, signedUrl }) => (path && signedUrl ? [[path, toPublic(signedUrl)]] : [])),
      );
    },

    async createUpload(path) {
      const { signedUrl, token } = await take("sign an upload", objects.createSignedUploadUrl(path));
      const expiresAt = new Date(now().getTime() + uploadExpiresInSeconds * 1000).toISOString();
      return { path, token, url: toPublic(signedUrl), expiresAt };
    },

    async find(path) {
      const { data, error } = await settle("find an object", objects.info(path));
      if (error) return ignoreMissing("find an object", error);
      return { sizeBytes: data.size ?? 0, mediaType: data.contentType ?? "application/octet-stream" };
    },

    async readStart(path, bytesMax) {
      const { data, error } = await settle("read an object", objects.download(path).asStream());
      if (error) return ignoreMissing("read an object", error);
      return settle("read an object", readStart(data, bytesMax));
    },

    async readRange(path, from, to) {
      if (to <= from) return new Uint8Array(0);
      // A client of its own: a header that is set stays set.
      const ranged = client.storage.from(name).setHeader("range", `bytes=${from}-${to - 1}`);
      const { data, error } = await settle("read an object", ranged.download(path).asStream());
      if (error && means(error, 416)) return new Uint8Array(0);
      if (error) return ignoreMissing("read an object", error);
      return settle("read an object", readStart(data, to - from));
    },

    ensureBucket: createBucketKeeper(client, options.bucket),
  };
}

/** Every call ends: the body of the answer is under the same deadline as its head. */
function fetchInTime(options: SupabaseStorageOptions): typeof fetch {
  const { timeoutMs = 10_000, uploadTimeoutMs = 50_000, fetch: send = fetch } = options;
  const fetchOnce = async (input: RequestInfo | URL, init: RequestInit = {}) => {
    const sendsObject = init.body !== undefined && init.body !== null && typeof init.body !== "string";
    const deadline = AbortSignal.timeout(sendsObject ? uploadTimeoutMs : timeoutMs);
    const answer = await send(input, {
      ...init,
      signal: init.signal ? AbortSignal.any([init.signal, deadline]) : deadline,
    });
    return checkRange(init, answer);
  };
  return fetchOnce as typeof fetch;
}

/** Whoever asked for a part from the middle must not take the whole for it. */
function checkRange({ headers }: RequestInit, answer: Response): Response {
  const range = headers ? new Headers(headers).get("range") : null;
  if (range === null || range.startsWith("bytes=0-") || answer.status !== 200) return answer;
  throw new Error("Storage sent a whole object where a part was asked for.");
}

/** A link made on an inner address, as browsers reach it. */
export function withOrigin(url: string, innerUrl: string, publicUrl: string): string {
  const [inner, outer] = [innerUrl, publicUrl].map((base) => base.replace(/\/+$/, "")) as [string, string];
  return url.startsWith(`${inner}/`) ? outer + url.slice(inner.length) : url;
}

type Answer<T> = { data: T; error: null } | { data: null; error: Error };

/** What storage-js answers or throws; whatever it throws is theirs. */
async function settle<T>(doing: string, call: PromiseLike<T>): Promise<T> {
  try {
    return await call;
  } catch (cause) {
    throw toUpstreamError(doing, cause);
  }
}

async function take<T>(doing: string, call: PromiseLike<Answer<T>>): Promise<NonNullable<T>> {
  const { data, error } = await settle(doing, call);
  if (error || !data) throw toUpstreamError(doing, error);
  return data;
}

function toUpstreamError(doing: string, cause: unknown): AppError {
  return new AppError("upstream_failed", `Storage did not ${doing}.`, { cause, retryable: true });
}

/** Undefined for an object that is not there; anything else is a failure of storage. */
function ignoreMissing(doing: string, error: Error): undefined {
  if (means(error, 404, "NoSuchKey") && !/bucket/i.test(error.message)) return undefined;
  throw toUpstreamError(doing, error);
}

/** Storage answers 400 to much and says in the body what it means: by a code, and older servers by a status alone. */
function means(error: Error, status: number, code?: string): boolean {
  if (!(error instanceof StorageApiError)) return false;
  if (code && error.code) return error.code === code;
  return error.status === status || error.statusCode === String(status);
}

function checkCount(paths: readonly string[]): void {
  if (paths.length > pathsMax) {
    throw new RangeError(`Expected at most ${pathsMax} paths but found ${paths.length}`);
  }
}

async function readStart(stream: ReadableStream<Uint8Array>, bytesMax: number): Promise<Uint8Array> {
  const reader = stream.getReader();
  const start = new Uint8Array(bytesMax);
  let length = 0;
  while (length < bytesMax) {
    const { done, value } = await reader.read();
    if (done) break;
    const part = value.subarray(0, bytesMax - length);
    start.set(part, length);
    length += part.length;
  }
  await reader.cancel();
  return start.subarray(0, length);
}

/**
 * The bucket is private whatever it was: a public one would show every original with the place it was taken. A project may allow
 * less than we would; then its own limit holds, and we ask for ours again when the process begins again.
 */
function createBucketKeeper(client: SupabaseClient, bucket: Bucket): () => Promise<void> {
  let fileSizeLimit: number | null = bucket.sizeBytesMax;
  return async () => {
    const { data, error } = await settle("show its bucket", client.storage.getBucket(bucket.name));
    if (data && isAsWanted(data, { ...bucket, fileSizeLimit })) return;
    if (error && !means(error, 404)) throw toUpstreamError("show its bucket", error);
    const write = () =>
      writeBucket(client, bucket.name, {
        settings: { public: false, fileSizeLimit, allowedMimeTypes: typesOf(bucket) },
        isNew: !data,
      });
    let refused = await write();
    if (refused && means(refused, 413)) {
      fileSizeLimit = null;
      refused = await write();
    }
    if (refused) throw toUpstreamError("make its bucket", refused);
  };
}

interface BucketSettings {
  readonly public: boolean;
  readonly fileSizeLimit: number | null;
  readonly allowedMimeTypes: string[] | null;
}

/** Answers why it was refused. Another isolate may have made it at the same moment: then there is nothing to say. */
async function writeBucket(
  { storage }: SupabaseClient,
  name: string,
  { settings, isNew }: { settings: BucketSettings; isNew: boolean },
): Promise<Error | undefined> {
  const write = () => (isNew ? storage.createBucket(name, settings) : storage.updateBucket(name, settings));
  const { error } = await settle<{ error: Error | null }>("make its bucket", write());
  return error && !(isNew && means(error, 409)) ? error : undefined;
}

const typesOf = ({ mediaTypes }: Bucket): string[] | null => (mediaTypes === null ? null : [...mediaTypes]);

function isAsWanted(
  found: { public: boolean; file_size_limit?: number | null; allowed_mime_types?: string[] | null },
  { mediaTypes, fileSizeLimit }: Bucket & Pick<BucketSettings, "fileSizeLimit">,
): boolean {
  const types = found.allowed_mime_types ? new Set(found.allowed_mime_types) : null;
  return (
    !found.public &&
    (found.file_size_limit ?? null) === fileSizeLimit &&
    types?.size === mediaTypes?.length &&
    (mediaTypes === null || mediaTypes.every((type) => types?.has(type)))
  );
}
