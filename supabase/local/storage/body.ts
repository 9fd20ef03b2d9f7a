import { z } from "zod";
import { StorageError, storageErrors } from "./errors.ts";
import { openMultipart } from "./multipart.ts";
import { isHeaderText } from "./names.ts";

const jsonBytesMax = 4 * 1024 * 1024;
const metadataBytesMax = 1024 * 1024;

/** What an upload says of itself, and its bytes as they arrive. */
export interface IncomingFile {
  readonly mimeType: string;
  readonly cacheControl: string;
  readonly contentEncoding: string | undefined;
  readonly userMetadata: Record<string, unknown> | undefined;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/**
 * The two forms of storage-js: a raw body that is described by headers, and multipart/form-data for Blob, File and
 * FormData, whose fields come before the file. A body that ends early throws while it is read.
 */
export async function openUpload(body: Body, headers: Headers): Promise<IncomingFile> {
  const contentType = headers.get("content-type") ?? "application/octet-stream";
  const isForm = /^multipart\/form-data\b/i.test(contentType);
  return checkFile(
    isForm ? await openForm(body.chunks, contentType) : openRaw(headers, contentType, body.chunks),
  );
}

function openRaw(headers: Headers, mimeType: string, chunks: AsyncIterable<Uint8Array>): IncomingFile {
  return {
    mimeType,
    cacheControl: headers.get("cache-control") ?? "no-cache",
    contentEncoding: headers.get("content-encoding") ?? undefined,
    userMetadata: readUserMetadata(headers),
    chunks,
  };
}

async function openForm(chunks: AsyncIterable<Uint8Array>, contentType: string): Promise<IncomingFile> {
  const { fields, file } = await openMultipart(chunks, contentType);
  if (!file) throw storageErrors.invalidRequest("No content provided");
  const maxAge = fields.get("cacheControl");
  return {
    mimeType: fields.get("contentType") ?? file.mimeType,
    cacheControl: maxAge ? `max-age=${maxAge}` : "no-cache",
    contentEncoding: fields.get("contentEncoding"),
    userMetadata: parseUserMetadata(fields.get("metadata") ?? fields.get("userMetadata")),
    chunks: file.chunks,
  };
}

/** All three texts are sent back as headers one day. */
function checkFile(file: IncomingFile): IncomingFile {
  if (!isHeaderText(file.mimeType) || !file.mimeType.includes("/")) {
    throw storageErrors.invalidMimeType(file.mimeType);
  }
  if (!isHeaderText(file.cacheControl)) throw storageErrors.invalidRequest("Invalid cache control");
  if (file.contentEncoding !== undefined && !/^[\w.+, -]{1,100}$/.test(file.contentEncoding)) {
    throw storageErrors.invalidRequest("Invalid content encoding");
  }
  return file;
}

/** The header x-metadata: JSON in base64. What is no object is left out, as storage-api does. */
export function readUserMetadata(headers: Headers): Record<string, unknown> | undefined {
  const header = headers.get("x-metadata");
  return header === null ? undefined : parseUserMetadata(Buffer.from(header, "base64").toString());
}

function parseUserMetadata(text: string | undefined): Record<string, unknown> | undefined {
  if (text === undefined) return undefined;
  if (Buffer.byteLength(text) > metadataBytesMax) throw storageErrors.tooLarge("user_metadata");
  try {
    return z.record(z.string(), z.unknown()).optional().catch(undefined).parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** The JSON body of a small request, checked. An empty one reads as `{}`. */
export async function readJson<T>(request: Request, schema: z.ZodType<T>): Promise<T> {
  return checkBody(schema, parseJson(await readText(request)));
}

export function checkBody<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw storageErrors.invalidRequest(`body/${issue?.path.join("/") ?? ""} ${issue?.message ?? "is invalid"}`);
}

async function readText(request: Request): Promise<string> {
  const body = openBody(request);
  const pieces: Uint8Array[] = [];
  let sizeBytes = 0;
  try {
    for await (const chunk of body.chunks) {
      sizeBytes += chunk.byteLength;
      if (sizeBytes > jsonBytesMax) throw storageErrors.tooLarge("body");
      pieces.push(chunk);
    }
  } finally {
    body.close();
  }
  return Buffer.concat(pieces).toString();
}

function parseJson(text: string): unknown {
  if (text.trim() === "") return {};
  try {
    return JSON.parse(text);
  } catch {
    throw storageErrors.invalidRequest("Body is not valid JSON");
  }
}

/** A body that can be read once, and given up at any time. Whoever opens it closes it. */
export interface Body {
  /** Throws where the body stalls or ends before it is complete. */
  readonly chunks: AsyncIterable<Uint8Array>;
  close(): void;
}

/** A body that sends nothing for `idleMs` is given up. */
export function openBody(request: Request, idleMs = 60_000): Body {
  const reader = request.body?.getReader();
  return {
    chunks: readChunks(request, reader, idleMs),
    close: () => {
      // A body that has ended cannot be cancelled, and need not be.
      reader?.cancel().catch(() => undefined);
    },
  };
}

async function* readChunks(
  request: Request,
  reader: ReadableStreamDefaultReader<Uint8Array> | undefined,
  idleMs: number,
): AsyncGenerator<Uint8Array> {
  const announced = request.headers.get("content-length");
  let sizeBytes = 0;
  while (reader) {
    const { done, value } = await readWithin(reader, idleMs);
    if (done) break;
    sizeBytes += value.byteLength;
    yield value;
  }
  if (request.signal.aborted || (announced !== null && sizeBytes !== Number(announced))) {
    throw storageErrors.incomplete("The body ended before all of it had arrived");
  }
}

async function readWithin(reader: ReadableStreamDefaultReader<Uint8Array>, timeoutMs: number) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stalled = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(storageErrors.stalled()), timeoutMs);
  });
  try {
    return await Promise.race([reader.read(), stalled]);
  } catch (cause) {
    if (cause instanceof StorageError) throw cause;
    throw storageErrors.incomplete("The body ended before all of it had arrived", cause);
  } finally {
    clearTimeout(timer);
  }
}
