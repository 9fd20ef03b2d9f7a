import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, mkdir, open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { AppError } from "../../../shared/errors.ts";
import { dropBody, type HubClient, HubError, type HubFile } from "./client.ts";
import { pauseAfter, type TellRetry } from "./retry.ts";

/**
 * One file, to the byte. What has arrived lies in `<file>.part` and is continued after a break, also by another
 * process; the file gets its name when its hash is right.
 *
 *   .part ── Range, If-Range ──▶ 206 at the right place: goes on      200: the hub starts over, so do we
 *     ▲                          cut, silent, 429, 5xx: waits, goes on from what there is
 *     └── wrong hash, wrong length: thrown away, tried once more from the start
 */
export interface DownloadOptions {
  readonly hub: HubClient;
  readonly repository: string;
  readonly commit: string;
  readonly file: HubFile;
  readonly target: string;
  /** Bytes that are there, of this file. */
  readonly onProgress?: (bytes: number) => void;
  readonly onRetry?: TellRetry;
  /** Before the second try; doubles. Default 1,000. */
  readonly pauseMs?: number;
  /** Tries in a row without a single new byte. Default 6. */
  readonly triesMax?: number;
}

/** Even where each try brings a few bytes. */
const triesInAllMax = 1_000;

export async function downloadFile(options: DownloadOptions): Promise<void> {
  const { target, file, pauseMs = 1_000, triesMax = 6 } = options;
  await mkdir(dirname(target), { recursive: true });
  let idleTries = 0;
  let wrongContents = 0;
  for (let tries = 0; tries < triesInAllMax; tries++) {
    const before = await sizeOf(`${target}.part`);
    try {
      await continueFile(options);
      return await finish(options);
    } catch (error) {
      if (!(error instanceof AppError) || !error.retryable) throw error;
      if (error instanceof WrongContent) {
        await discard(target);
        if (++wrongContents >= 2) throw new HubError(error.message, { cause: error, retryable: false });
      }
      idleTries = (await sizeOf(`${target}.part`)) > before ? 0 : idleTries + 1;
      if (idleTries >= triesMax) throw error;
      await pauseAfter(error, pauseMs * 2 ** idleTries, options.onRetry);
    }
  }
  throw new HubError(`${file.path} broke off too often.`, { retryable: false });
}

/** What arrived is not what the hub's list says. */
class WrongContent extends HubError {
  constructor(message: string) {
    super(message, { retryable: true });
  }
}

async function continueFile(options: DownloadOptions): Promise<void> {
  const { hub, repository, commit, file, target } = options;
  const from = await sizeOf(`${target}.part`);
  if (from === file.sizeBytes && from > 0) return;
  if (from > file.sizeBytes) await discard(target);
  const abort = new AbortController();
  const watch = new Watch(hub.timeoutMs, abort);
  try {
    const start = from > file.sizeBytes ? 0 : from;
    const etag = start > 0 ? await readEtag(target) : undefined;
    const response = await hub.open(repository, commit, file.path, {
      from: start,
      etag,
      signal: abort.signal,
    });
    const at = await findStart(response, start, options);
    await keepEtag(target, response);
    await pour(response, { at, watch, options });
  } finally {
    watch.stop();
  }
}

/** Where the content of the answer belongs; undoes what there is when it begins at 0. */
async function findStart(
  response: Response,
  from: number,
  { file, target }: DownloadOptions,
): Promise<number> {
  if (response.status === 416) {
    await dropBody(response);
    throw new WrongContent(`The hub has no byte ${from} of ${file.path}.`);
  }
  if (response.status === 206) {
    const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(response.headers.get("content-range") ?? "");
    const isRight = range?.[1] === String(from) && [String(file.sizeBytes), "*"].includes(range[2] ?? "");
    if (isRight) return from;
    await dropBody(response);
    throw new WrongContent(`The hub sent another part of ${file.path} than was asked for.`);
  }
  const length = response.headers.get("content-length");
  if (length !== null && Number(length) !== file.sizeBytes) {
    await dropBody(response);
    throw new WrongContent(`${file.path} has ${length} bytes, and the hub's list says ${file.sizeBytes}.`);
  }
  await discard(target);
  return 0;
}

async function pour(
  response: Response,
  { at, watch, options }: { at: number; watch: Watch; options: DownloadOptions },
): Promise<void> {
  const { file, target, onProgress } = options;
  const part = await open(`${target}.part`, at === 0 ? "w" : "r+");
  let end = at;
  try {
    for await (const piece of response.body ?? []) {
      watch.touch();
      if (end + piece.length > file.sizeBytes)
        throw new WrongContent(`${file.path} is longer than the hub's list says, ${file.sizeBytes} bytes.`);
      await writeAll(part, piece, end);
      end += piece.length;
      onProgress?.(end);
    }
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    if ((cause as NodeJS.ErrnoException).code === "ENOSPC") throw diskFull(target, cause);
    throw new HubError(`${file.path} broke off after ${end} of ${file.sizeBytes} bytes.`, {
      cause,
      retryable: true,
    });
  } finally {
    await part.close();
  }
  if (end < file.sizeBytes)
    throw new HubError(`${file.path} ended after ${end} of ${file.sizeBytes} bytes.`, { retryable: true });
}

async function writeAll(part: FileHandle, piece: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < piece.length; ) {
    const { bytesWritten } = await part.write(piece, done, piece.length - done, at + done);
    done += bytesWritten;
  }
}

function diskFull(target: string, cause: unknown): AppError {
  return new AppError("unavailable", `The disk is full while ${target} was written.`, { cause });
}

async function finish({ file, target }: DownloadOptions): Promise<void> {
  if (file.sizeBytes === 0) await writeFile(`${target}.part`, "");
  const found = await hashPart(`${target}.part`, file);
  const wanted = file.sha256 ?? file.gitSha1;
  if (found !== wanted)
    throw new WrongContent(`${file.path} is not what the hub's hash says (${wanted.slice(0, 12)}…).`);
  const handle = await open(`${target}.part`, "r+");
  await handle.sync();
  await handle.close();
  await rename(`${target}.part`, target);
  await rm(`${target}.etag`, { force: true });
}

/** SHA-256 where the hub keeps a file in LFS, otherwise the hash of a Git blob. */
async function hashPart(path: string, file: HubFile): Promise<string> {
  const hash: Hash = createHash(file.sha256 === undefined ? "sha1" : "sha256");
  if (file.sha256 === undefined) hash.update(`blob ${file.sizeBytes}\0`);
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 }))
    hash.update(chunk as Uint8Array);
  return hash.digest("hex");
}

async function discard(target: string): Promise<void> {
  await rm(`${target}.part`, { force: true });
  await rm(`${target}.etag`, { force: true });
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

/** Only a strong one may stand behind If-Range (RFC 9110, 13.1.5). */
async function keepEtag(target: string, response: Response): Promise<void> {
  const etag = response.headers.get("etag");
  if (etag?.startsWith('"')) await writeFile(`${target}.etag`, etag);
}

async function readEtag(target: string): Promise<string | undefined> {
  const etag = await readFile(`${target}.etag`, "utf8").catch(() => "");
  return /^"[!-~]{1,200}"$/.test(etag) ? etag : undefined;
}

/** Ends a transfer that has gone silent. */
class Watch {
  readonly #timeoutMs: number;
  readonly #abort: AbortController;
  #timer: ReturnType<typeof setTimeout>;

  constructor(timeoutMs: number, abort: AbortController) {
    this.#timeoutMs = timeoutMs;
    this.#abort = abort;
    this.#timer = this.#start();
  }

  touch(): void {
    clearTimeout(this.#timer);
    this.#timer = this.#start();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #start(): ReturnType<typeof setTimeout> {
    return setTimeout(() => this.#abort.abort(new DOMException("silent", "TimeoutError")), this.#timeoutMs);
  }
}
