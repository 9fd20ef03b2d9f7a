import { createHash } from "node:crypto";
import { copyFile, type FileHandle, link, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Sql } from "postgres";
import { createId } from "../../../shared/ids.ts";
import { storageErrors } from "./errors.ts";
import { findVersions } from "./object-store.ts";

/**
 * The bytes of the objects. A file is named for its version, a UUID that the server made; a name that a person chose
 * never reaches the disk. A file is written once and never changed:
 *
 *   drafts/<version> ── synced, renamed ──▶ objects/<last two digits>/<version> ──▶ the row that names it commits
 *
 * The rows are the truth. A crash on the way, and between the end of a row and the end of its file, leaves a file that
 * no row names; the sweep removes those.
 */
export interface StoredFile {
  readonly version: string;
  readonly sizeBytes: number;
  /** In quotes, as HTTP has it: the MD5 of the bytes, as S3 does it. */
  readonly etag: string;
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const readChunkBytes = 256 * 1024;
const wholeReadBytes = 2 * 1024 * 1024;

/** Writes what arrives, piece by piece; more than `limitBytes` is refused as soon as it is seen. */
export async function saveFile(
  folder: string,
  chunks: AsyncIterable<Uint8Array>,
  limitBytes: number,
): Promise<StoredFile> {
  const version = createId();
  const draft = join(folder, "drafts", version);
  await mkdir(join(folder, "drafts"), { recursive: true });
  try {
    const written = await writeDraft(draft, chunks, limitBytes);
    const path = await makePlace(folder, version);
    await rename(draft, path);
    return { version, ...written };
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

async function writeDraft(draft: string, chunks: AsyncIterable<Uint8Array>, limitBytes: number) {
  const hash = createHash("md5");
  let sizeBytes = 0;
  const handle = await open(draft, "wx", 0o600);
  try {
    for await (const chunk of chunks) {
      sizeBytes += chunk.byteLength;
      if (sizeBytes > limitBytes) throw storageErrors.tooLarge();
      hash.update(chunk);
      await writeWhole(handle, chunk);
    }
    await handle.datasync();
  } finally {
    await handle.close();
  }
  return { sizeBytes, etag: `"${hash.digest("hex")}"` };
}

async function writeWhole(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let offset = 0; offset < chunk.byteLength; ) {
    const { bytesWritten } = await handle.write(chunk, offset);
    offset += bytesWritten;
  }
}

/** The same bytes under a new version; undefined where they are gone. */
export async function copyStoredFile(folder: string, version: string): Promise<string | undefined> {
  const from = findPlace(folder, version);
  if (!from) return undefined;
  const copy = createId();
  const to = await makePlace(folder, copy);
  try {
    await link(from, to).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") throw error;
      return copyFile(from, to);
    });
    return copy;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

export interface OpenFile {
  readonly sizeBytes: number;
  /** From `start` to before `end`; closes the file when it ends or is left. */
  read(start: number, end: number): Promise<Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>>;
  /** May be called at any time, and more than once. */
  close(): Promise<void>;
}

/** Undefined where no such file is. One that is open stays readable after it was removed. */
export async function openFile(folder: string, version: string | null): Promise<OpenFile | undefined> {
  const path = findPlace(folder, version);
  if (!path) return undefined;
  const handle = await open(path, "r").catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  if (!handle) return undefined;
  let closed: Promise<void> | undefined;
  const file = {
    handle,
    sizeBytes: (await handle.stat()).size,
    close: () => (closed ??= handle.close()),
  };
  return { ...file, read: (start, end) => readFile(file, start, end) };
}

interface HeldFile extends Pick<OpenFile, "sizeBytes" | "close"> {
  readonly handle: FileHandle;
}

/** Small parts come whole, so that the answer can say how long it is: Bun sends every stream in chunks. */
async function readFile(file: HeldFile, start: number, end: number) {
  if (end - start > wholeReadBytes) return streamFile(file, start, end);
  try {
    const bytes = new Uint8Array(end - start);
    for (let offset = 0; offset < bytes.byteLength; ) {
      const { bytesRead } = await file.handle.read(bytes, offset, bytes.byteLength - offset, start + offset);
      if (bytesRead === 0) throw new Error("A stored file is shorter than it was when it was opened.");
      offset += bytesRead;
    }
    return bytes;
  } finally {
    await file.close();
  }
}

function streamFile(file: HeldFile, start: number, end: number): ReadableStream<Uint8Array> {
  let position = start;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const buffer = new Uint8Array(Math.min(readChunkBytes, end - position));
        const { bytesRead } = await file.handle
          .read(buffer, 0, buffer.byteLength, position)
          .catch(async (error: unknown) => {
            await file.close();
            throw error;
          });
        position += bytesRead;
        if (bytesRead > 0) controller.enqueue(buffer.subarray(0, bytesRead));
        if (position < end && bytesRead > 0) return;
        await file.close();
        controller.close();
      },
      cancel: () => file.close(),
    },
    { highWaterMark: 0 },
  );
}

export async function removeFiles(folder: string, versions: readonly (string | null)[]): Promise<void> {
  for (const version of versions) {
    const path = findPlace(folder, version);
    if (path) await rm(path, { force: true });
  }
}

export interface SweepOptions {
  /** A file this young may belong to an upload that is still under way. Default one hour. */
  olderThanMs?: number;
  now?: () => Date;
}

const sweepBatch = 500;

/** Removes the files that no row names; `sql` is a client of the admin role. Answers how many went. */
export async function sweepFiles(sql: Sql, folder: string, options: SweepOptions = {}): Promise<number> {
  const before = (options.now?.() ?? new Date()).getTime() - (options.olderThanMs ?? 60 * 60 * 1000);
  let removed = 0;
  for (const draft of await listFolder(join(folder, "drafts"))) {
    removed += await removeIfOld(join(folder, "drafts", draft), before);
  }
  for (const shard of await listFolder(join(folder, "objects"))) {
    const versions = await listFolder(join(folder, "objects", shard));
    for (let start = 0; start < versions.length; start += sweepBatch) {
      const batch = versions.slice(start, start + sweepBatch);
      const named = new Set(await findVersions(sql, batch));
      for (const version of batch) {
        if (named.has(version)) continue;
        removed += await removeIfOld(join(folder, "objects", shard, version), before);
      }
    }
  }
  return removed;
}

/** Linking and renaming touch the time of change only, so that is the one that tells the age. */
async function removeIfOld(path: string, beforeMs: number): Promise<0 | 1> {
  try {
    const { ctimeMs } = await stat(path);
    if (ctimeMs >= beforeMs) return 0;
    await rm(path);
    return 1;
  } catch (error) {
    if (isMissing(error)) return 0;
    throw error;
  }
}

/** Undefined for anything but a version of ours: rows can be written by SQL, and a path must not come from there. */
function findPlace(folder: string, version: string | null): string | undefined {
  if (!version || !uuid.test(version)) return undefined;
  return join(folder, "objects", version.slice(-2), version);
}

async function makePlace(folder: string, version: string): Promise<string> {
  const place = join(folder, "objects", version.slice(-2));
  await mkdir(place, { recursive: true });
  return join(place, version);
}

async function listFolder(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
