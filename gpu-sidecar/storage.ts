/** The objects of the library as the sidecar needs them: whole originals in, derivatives out. */
import { createClient, StorageApiError } from "@supabase/supabase-js";
import { AppError } from "../shared/errors.ts";
import { imageBucket } from "../shared/images/contract.ts";

export interface PictureStore {
  /** A whole object. One that is missing or too large will not be better later; everything else may. */
  get(path: string, signal: AbortSignal): Promise<Uint8Array>;
  /** Writes or replaces an object. */
  put(path: string, bytes: Uint8Array, mediaType: string): Promise<void>;
}

export interface PictureStoreOptions {
  supabaseUrl: string;
  secretKey: string;
  /** A larger object is not read to its end. */
  sizeBytesMax: number;
  /** For one object, there or back. Default 60,000. */
  timeoutMs?: number;
}

export function createPictureStore(options: PictureStoreOptions): PictureStore {
  const { supabaseUrl, secretKey, sizeBytesMax, timeoutMs = 60_000 } = options;
  const client = createClient(supabaseUrl, secretKey, {
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
    global: { fetch: fetchWithin(timeoutMs) },
  });
  const objects = client.storage.from(imageBucket);
  return {
    async get(path, signal) {
      const doing = "hand over an object";
      const { data, error } = await settle(doing, objects.download(path, {}, { signal }).asStream());
      if (error) throw isMissing(error) ? missing(error) : failed(doing, error);
      return settle(doing, readWhole(data, sizeBytesMax));
    },
    async put(path, bytes, mediaType) {
      const doing = "keep an object";
      const { error } = await settle(
        doing,
        objects.upload(path, bytes, { contentType: mediaType, upsert: true }),
      );
      if (error) throw failed(doing, error);
    },
  };
}

/** The body of the answer is under the same deadline as its head. */
function fetchWithin(timeoutMs: number): typeof fetch {
  const fetchOnce = (input: RequestInfo | URL, init: RequestInit = {}) => {
    const deadline = AbortSignal.timeout(timeoutMs);
    const signal = init.signal ? AbortSignal.any([init.signal, deadline]) : deadline;
    return fetch(input, { ...init, signal });
  };
  return fetchOnce as typeof fetch;
}

/** What storage-js answers or throws; whatever it throws is theirs. */
async function settle<T>(doing: string, call: PromiseLike<T>): Promise<T> {
  try {
    return await call;
  } catch (cause) {
    throw cause instanceof AppError ? cause : failed(doing, cause);
  }
}

function failed(doing: string, cause: unknown): AppError {
  return new AppError("upstream_failed", `Storage did not ${doing}.`, { cause, retryable: true });
}

/** Storage answers 400 to much and says in the body what it means: by a code, and older servers by a status alone. */
function isMissing(error: Error): boolean {
  if (!(error instanceof StorageApiError) || /bucket/i.test(error.message)) return false;
  if (error.code) return error.code === "NoSuchKey";
  return error.status === 404 || error.statusCode === "404";
}

function missing(cause: Error): AppError {
  return new AppError("image_object_missing", "The picture was never sent, or its file is gone.", { cause });
}

async function readWhole(stream: ReadableStream<Uint8Array>, sizeBytesMax: number): Promise<Uint8Array> {
  const reader = stream.getReader();
  const parts: Uint8Array[] = [];
  let sizeBytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return join(parts, sizeBytes);
    sizeBytes += value.length;
    if (sizeBytes > sizeBytesMax) {
      await reader.cancel();
      throw new AppError("payload_too_large", `The file is larger than ${sizeBytesMax} bytes.`);
    }
    parts.push(value);
  }
}

function join(parts: readonly Uint8Array[], sizeBytes: number): Uint8Array {
  const whole = new Uint8Array(sizeBytes);
  let start = 0;
  for (const part of parts) {
    whole.set(part, start);
    start += part.length;
  }
  return whole;
}
