import { z } from "zod";
import { AppError } from "../../../shared/errors.ts";

/**
 * The part of the Hugging Face hub that a download needs (https://huggingface.co/docs/hub/api): the commit behind a
 * branch, the files of a commit with their hashes, and their content. The token is sent to the hub's own origin only;
 * large files come from other hosts, by redirects that are followed here, one by one.
 */
export interface HubOptions {
  /** Without a slash at the end. */
  readonly endpoint: string;
  readonly token?: string | undefined;
  /** Until an answer begins, and between two pieces of its content. Default 30,000. */
  readonly timeoutMs?: number;
}

/** A file of a commit. A large one is known by its SHA-256, a small one by the hash that Git gives it. */
export interface HubFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string | undefined;
  readonly gitSha1: string;
}

/** Why the hub did not answer as hoped. */
export class HubError extends AppError {
  /** Given with 429 and 503. */
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    options: { cause?: unknown; retryable: boolean; retryAfterMs?: number | undefined },
  ) {
    super("upstream_failed", message, { cause: options.cause, retryable: options.retryable });
    this.retryAfterMs = options.retryAfterMs;
  }
}

const Sha1 = z.string().regex(/^[0-9a-f]{40}$/);
const Revision = z.object({ sha: Sha1 });
const Size = z.number().int().min(0);
const Tree = z.array(
  z.object({
    type: z.string(),
    path: z.string(),
    size: Size.optional(),
    oid: z.string(),
    lfs: z.object({ oid: z.string().regex(/^(sha256:)?[0-9a-f]{64}$/), size: Size }).nullish(),
  }),
);

const redirectsMax = 5;
const pagesMax = 50;
const answerBytesMax = 32 * 2 ** 20;

export class HubClient {
  readonly endpoint: string;
  readonly timeoutMs: number;
  readonly #token: string | undefined;

  constructor({ endpoint, token, timeoutMs = 30_000 }: HubOptions) {
    this.endpoint = endpoint;
    this.timeoutMs = timeoutMs;
    this.#token = token;
  }

  /** The commit that a branch, a tag or a commit means now. */
  async findCommit(repository: string, revision: string): Promise<string> {
    const path = `/api/models/${repository}/revision/${encodeURIComponent(revision)}`;
    const { content } = await this.#getJson(`${this.endpoint}${path}`, repository);
    return this.#parse(Revision, content).sha;
  }

  async listFiles(repository: string, commit: string): Promise<HubFile[]> {
    let url: string | undefined = `${this.endpoint}/api/models/${repository}/tree/${commit}?recursive=true`;
    const files: HubFile[] = [];
    for (let page = 0; url !== undefined; page++) {
      if (page >= pagesMax) throw new HubError(`${repository} has too many files.`, { retryable: false });
      const { content, next } = await this.#getJson(url, repository);
      for (const entry of this.#parse(Tree, content)) {
        if (entry.type !== "file") continue;
        const sizeBytes = entry.lfs?.size ?? entry.size;
        if (sizeBytes === undefined) continue;
        const sha256 = entry.lfs?.oid.replace(/^sha256:/, "");
        files.push({ path: entry.path, sizeBytes, sha256, gitSha1: entry.oid });
      }
      url = next;
    }
    return files;
  }

  /** The content of a file, as an answer whose body was not read yet: 200, 206 or 416. */
  async open(
    repository: string,
    commit: string,
    path: string,
    options: { from?: number; etag?: string | undefined; signal: AbortSignal },
  ): Promise<Response> {
    const headers: Record<string, string> = { "accept-encoding": "identity" };
    if (options.from) headers.range = `bytes=${options.from}-`;
    if (options.from && options.etag) headers["if-range"] = options.etag;
    const encoded = path.split("/").map(encodeURIComponent).join("/");
    const url = `${this.endpoint}/${repository}/resolve/${commit}/${encoded}`;
    return this.#fetch(url, { headers, signal: options.signal, repository });
  }

  async #getJson(url: string, repository: string): Promise<{ content: unknown; next: string | undefined }> {
    const signal = AbortSignal.timeout(this.timeoutMs);
    const response = await this.#fetch(url, { headers: { accept: "application/json" }, signal, repository });
    const next = findNext(response.headers.get("link"), url);
    const text = await readText(response).catch((cause: unknown) => {
      throw new HubError(`${this.endpoint} broke off its answer.`, { cause, retryable: true });
    });
    try {
      return { content: JSON.parse(text), next };
    } catch (cause) {
      throw new HubError(`${this.endpoint} did not answer with JSON; is it a hub?`, {
        cause,
        retryable: false,
      });
    }
  }

  async #fetch(
    first: string,
    {
      headers,
      signal,
      repository,
    }: { headers: Record<string, string>; signal: AbortSignal; repository: string },
  ): Promise<Response> {
    const home = new URL(this.endpoint).origin;
    let url = new URL(first);
    for (let hop = 0; hop <= redirectsMax; hop++) {
      const isHome = url.origin === home;
      const authorization = this.#token && isHome ? { authorization: `Bearer ${this.#token}` } : {};
      const response = await fetch(url, {
        headers: { ...headers, ...authorization, "user-agent": "parlance" },
        redirect: "manual",
        signal,
      }).catch((cause: unknown) => {
        throw this.#unreachable(url, cause);
      });
      if (![301, 302, 303, 307, 308].includes(response.status)) {
        if (response.ok || response.status === 416) return response;
        await dropBody(response);
        throw this.#refused(response, repository, isHome ? this.endpoint : url.origin);
      }
      await dropBody(response);
      url = follow(url, response.headers.get("location"));
    }
    throw new HubError(`${this.endpoint} redirects in circles.`, { retryable: false });
  }

  #unreachable(url: URL, cause: unknown): HubError {
    const isLate = cause instanceof Error && /timeout|abort/i.test(cause.name);
    const what = isLate ? `did not answer within ${this.timeoutMs / 1000} s` : "cannot be reached";
    const hint =
      "Is this machine offline? HF_ENDPOINT names another hub, and `models add` takes a local folder.";
    return new HubError(`${url.origin} ${what}. ${hint}`, { cause, retryable: true });
  }

  /** A link to another host that was refused has run out of time; the hub gives a new one. */
  #refused({ status, headers }: Response, repository: string, origin: string): HubError {
    const isLink = origin !== this.endpoint;
    const retryable = status === 408 || status === 429 || status >= 500 || (isLink && status !== 404);
    const retryAfterMs = parseRetryAfter(headers.get("retry-after"));
    return new HubError(this.#explain(status, repository, origin), { retryable, retryAfterMs });
  }

  #explain(status: number, repository: string, origin: string): string {
    const token = this.#token === undefined ? "Set HF_TOKEN to a token" : "HF_TOKEN is not a token";
    if (origin !== this.endpoint) return `${origin}, where the hub keeps its files, answered ${status}.`;
    if (status === 401)
      return `${origin} wants to know who asks for ${repository} (401); it may be private, or not there. ${token} that may read it.`;
    if (status === 403)
      return `${origin} does not give ${repository} to everyone (403). ${token} of an account that was admitted to it.`;
    if (status === 404) return `${origin} has no ${repository}, or not that revision or file of it (404).`;
    if (status === 429) return `${origin} says that too much was asked (429).`;
    return `${origin} answered ${status}.`;
  }

  #parse<T>(schema: z.ZodType<T>, content: unknown): T {
    const result = schema.safeParse(content);
    if (result.success) return result.data;
    throw new HubError(`${this.endpoint} answered with something else than a hub does.`, {
      cause: result.error,
      retryable: false,
    });
  }
}

/** Ends a transfer that nobody wants to read; that it broke off already is no matter. */
export async function dropBody(response: Response): Promise<void> {
  await response.body?.cancel().catch(() => undefined);
}

function follow(url: URL, location: string | null): URL {
  const target = location === null ? undefined : URL.parse(location, url);
  if (!target || !/^https?:$/.test(target.protocol))
    throw new HubError(`${url.origin} redirects to nowhere.`, { retryable: false });
  if (url.protocol === "https:" && target.protocol !== "https:")
    throw new HubError(`${url.origin} redirects to ${target.origin}, without encryption.`, {
      retryable: false,
    });
  return target;
}

/** `<https://…>; rel="next"`; only on the same origin, since the next page is asked with the token. */
function findNext(link: string | null, url: string): string | undefined {
  const found = /<([^>]+)>\s*;\s*rel="next"/.exec(link ?? "")?.[1];
  const next = found === undefined ? undefined : URL.parse(found, url);
  return next && next.origin === new URL(url).origin ? next.href : undefined;
}

/** Seconds, or a date. */
export function parseRetryAfter(text: string | null, nowMs: number = Date.now()): number | undefined {
  if (text === null) return undefined;
  if (/^\d{1,6}$/.test(text.trim())) return Number(text) * 1000;
  const atMs = Date.parse(text);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}

async function readText(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response.body ?? []) {
    length += part.length;
    if (length > answerBytesMax) throw new Error("too long");
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}
