import { storageErrors } from "./errors.ts";
import { type OpenFile, openFile } from "./files.ts";
import { isHeaderText } from "./names.ts";
import type { FileMetadata, StoredObject } from "./object-store.ts";

/** How an object is sent: whole or in part (RFC 9110, 13 and 14), and only where the asker has no fresh copy. */
export interface Delivery {
  /** The value of `?download=`: a file name, or empty to keep the object's own. */
  readonly download: string | undefined;
  /** When the signed URL ends; caches keep the answer no longer. */
  readonly expiresAt?: Date;
}

/** How often the row is looked at again while uploads keep replacing its file. */
const attemptsMax = 5;

/**
 * Answers with the object that `find` finds, or throws NoSuchKey. It is asked again where the file is gone: an upload
 * may have replaced the version between the look at the row and the look at the disk.
 */
export async function sendObject(
  request: Request,
  folder: string,
  delivery: Delivery,
  find: () => Promise<StoredObject | undefined>,
): Promise<Response> {
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const object = await find();
    if (!object) break;
    const headers = describeObject(object, delivery);
    if (isFresh(request.headers, object, headers)) return answerNotModified(headers);
    if (request.method === "HEAD") return new Response(null, { headers });
    const file = await openFile(folder, object.version);
    if (file) return sendFile(request, file, headers);
  }
  throw storageErrors.noSuchKey();
}

function answerNotModified(headers: Headers): Response {
  for (const name of ["content-length", "content-type", "content-encoding", "content-disposition"]) {
    headers.delete(name);
  }
  return new Response(null, { status: 304, headers });
}

async function sendFile(request: Request, file: OpenFile, headers: Headers): Promise<Response> {
  const range = isRangeWanted(request.headers, headers)
    ? parseRange(request.headers.get("range"), file.sizeBytes)
    : undefined;
  if (range === "unsatisfiable") {
    await file.close();
    throw storageErrors.rangeNotSatisfiable();
  }
  const { start, end } = range ?? { start: 0, end: file.sizeBytes };
  headers.set("content-length", String(end - start));
  if (range) headers.set("content-range", `bytes ${start}-${end - 1}/${file.sizeBytes}`);
  return new Response(await file.read(start, end), { status: range ? 206 : 200, headers });
}

function describeObject(object: StoredObject, { download, expiresAt }: Delivery): Headers {
  const metadata: FileMetadata = object.metadata ?? {};
  const mimeType = safeText(metadata.mimetype) ?? "application/octet-stream";
  const headers = new Headers({
    "accept-ranges": "bytes",
    // A page is shown as its source, as on a hosted project: nobody's upload may run beside the console.
    "content-type": /html/i.test(mimeType) ? "text/plain" : mimeType,
    "x-content-type-options": "nosniff",
    "last-modified": new Date(object.updatedAt).toUTCString(),
    "content-length": String(metadata.size ?? 0),
  });
  if (/xml|svg/i.test(mimeType)) headers.set("content-security-policy", "default-src 'none'; sandbox");
  const encoding = safeText(metadata.contentEncoding);
  if (encoding) headers.set("content-encoding", encoding);
  const etag = safeText(metadata.eTag);
  if (etag) headers.set("etag", etag);
  if (expiresAt) headers.set("expires", expiresAt.toUTCString());
  else headers.set("cache-control", safeText(metadata.cacheControl) ?? "no-cache");
  if (download !== undefined) headers.set("content-disposition", toDisposition(download));
  return headers;
}

/** Metadata may have been written by SQL; what cannot stand in a header is left out. */
function safeText(value: unknown): string | undefined {
  return typeof value === "string" && isHeaderText(value) ? value : undefined;
}

/** RFC 6266: the name twice, percent-encoded, for old and new readers. */
function toDisposition(fileName: string): string {
  if (fileName === "") return "attachment";
  const encoded = encodeURIComponent(fileName).replace(
    /['()*!]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${encoded}"; filename*=UTF-8''${encoded}`;
}

/** If-None-Match wins over If-Modified-Since; tags are compared weakly. */
function isFresh(request: Headers, object: StoredObject, answer: Headers): boolean {
  const tags = request.get("if-none-match");
  const etag = answer.get("etag");
  if (tags !== null) {
    const known = tags.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
    return known.includes("*") || (etag !== null && known.includes(etag));
  }
  const since = Date.parse(request.get("if-modified-since") ?? "");
  return Math.floor(Date.parse(object.updatedAt) / 1000) * 1000 <= since;
}

/** If-Range: a part is of use only beside the rest of the same version. */
function isRangeWanted(request: Headers, answer: Headers): boolean {
  const condition = request.get("if-range");
  return condition === null || [answer.get("etag"), answer.get("last-modified")].includes(condition);
}

/** One range of bytes, its end exclusive. What is malformed or asks for several parts gets the whole. */
export function parseRange(
  header: string | null,
  sizeBytes: number,
): { start: number; end: number } | "unsatisfiable" | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? "");
  const [, first = "", last = ""] = match ?? [];
  if (first === "" && last === "") return undefined;
  if (first === "") {
    const count = Math.min(Number(last), sizeBytes);
    return count === 0 ? "unsatisfiable" : { start: sizeBytes - count, end: sizeBytes };
  }
  const start = Number(first);
  const end = last === "" ? sizeBytes : Math.min(Number(last) + 1, sizeBytes);
  if (last !== "" && Number(last) < start) return undefined;
  return start >= sizeBytes ? "unsatisfiable" : { start, end };
}
