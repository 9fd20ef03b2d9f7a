/**
 * The API for programs that call it, typed from its routes: hono's `hc`, which turns `client.images.search.$get(…)`
 * into a request. Runs in browsers, Node, Bun and Deno; of the server it knows types only.
 */
import { type ClientResponse, hc } from "hono/client";
import type { SuccessStatusCode } from "hono/utils/http-status";
import type { Api } from "./client/api.ts";
import type { Problem } from "./client/routes.ts";

export interface ClientSettings {
  /** The project's URL, the same that supabase-js takes. */
  url: string;
  /** A user's token, or what finds it when a request is made; without one you see what is public. */
  accessToken?: string | (() => string | undefined | Promise<string | undefined>);
  /** Asked instead of the global `fetch`. */
  fetch?: (input: string | URL | Request, init?: RequestInit) => Promise<Response>;
  /** How long one answer may take, its body included. Default 60,000. */
  timeoutMs?: number;
}

/** One key: the publishable one anywhere, the secret one only where nobody else can read it. */
export type ClientKey =
  | { publishableKey: string; secretKey?: never }
  | { secretKey: string; publishableKey?: never };

export type Client = Api;

/** `client.images[":id"].$get({ param: { id } })` and so on: the path, then the method. */
export function createClient(settings: ClientSettings & ClientKey): Client {
  const { accessToken, timeoutMs = 60_000, fetch: ask = fetch } = settings;
  const headers = async (): Promise<Record<string, string>> => {
    const token = typeof accessToken === "function" ? await accessToken() : accessToken;
    return {
      apikey: settings.publishableKey ?? settings.secretKey ?? "",
      ...(token ? { authorization: `Bearer ${token}` } : {}),
    };
  };
  const askInTime = (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    const timeout = AbortSignal.timeout(timeoutMs);
    return ask(input, { ...init, signal: init.signal ? AbortSignal.any([init.signal, timeout]) : timeout });
  };
  const base = `${settings.url.replace(/\/+$/, "")}/functions/v1`;
  // The type of the global fetch names more than a call where a runtime adds to it.
  const client = hc(base, { headers, fetch: askInTime as typeof fetch }) as unknown as {
    api: Client;
  };
  return encodeParams(client).api;
}

/**
 * Each value of a path as one segment of it. Left as it is, an id that holds `../` would lead to another route, and
 * an empty one to the list.
 */
function encodeParams<Target extends object>(target: Target): Target {
  return new Proxy(target, {
    get(inner, key) {
      const next: unknown = Reflect.get(inner, key);
      return typeof next === "function" ? encodeParams(next) : next;
    },
    apply(inner, _self, [input, options]: [{ param?: Params } | undefined, unknown]) {
      const sent = [input?.param ? { ...input, param: encodeSegments(input.param) } : input, options];
      return Reflect.apply(inner as unknown as () => unknown, undefined, sent);
    },
  });
}

type Params = Record<string, string | number>;

function encodeSegments(params: Params): Params {
  const encoded = Object.entries(params).map(([name, value]): [string, string] => {
    const text = String(value);
    if (/^\.{0,2}$/.test(text)) throw new TypeError(`\`${name}\` must be an id or a name: it is "${text}".`);
    return [name, encodeURIComponent(text)];
  });
  return Object.fromEntries(encoded);
}

/** An answer that was no success. What the API says is in it; where something else answered, `problem` is undefined. */
export class ApiProblem extends Error {
  readonly status: number;
  /** For programs; does not change. `unexpected` where something else than the API answered. */
  readonly code: Problem["code"];
  /** The fields at fault: `{ field, message }`. */
  readonly fields: Problem["errors"];
  /** Name it when you ask about this. */
  readonly requestId: string | undefined;
  /** When to try again, where the answer says so. */
  readonly retryAfterSeconds: number | undefined;
  readonly problem: Problem | undefined;

  constructor(response: { status: number; headers: Headers }, problem?: Problem) {
    super(problem?.detail ?? `The answer has status ${response.status} and does not say why.`);
    this.name = "ApiProblem";
    this.status = response.status;
    this.code = problem?.code ?? "unexpected";
    this.fields = problem?.errors ?? [];
    this.requestId = problem?.requestId ?? response.headers.get("x-request-id") ?? undefined;
    const seconds = Number.parseInt(response.headers.get("retry-after") ?? "", 10);
    this.retryAfterSeconds = Number.isNaN(seconds) ? undefined : seconds;
    this.problem = problem;
  }
}

type AnyResponse = ClientResponse<unknown, number, "json" | "text">;

/** What a route's response holds when it is a success; `Status` narrows it to one of several. */
export type Answer<Response, Status extends number = SuccessStatusCode> =
  Response extends ClientResponse<infer Output, infer Given, infer _Format>
    ? Given extends Status & SuccessStatusCode
      ? Output
      : never
    : never;

/**
 * The body of a success; throws an ApiProblem for every other answer. Given a status, every other success is refused
 * too: `unwrap(client.images.$post({ form }), 202)`.
 */
export async function unwrap<
  Response extends AnyResponse,
  Status extends Response["status"] & SuccessStatusCode = Response["status"] & SuccessStatusCode,
>(asked: Response | Promise<Response>, status?: Status): Promise<Answer<Response, Status>> {
  const response = await asked;
  if (!response.ok || (status !== undefined && response.status !== status)) {
    throw new ApiProblem(response, await readProblem(response));
  }
  // The type of the route says what it answers; nothing is checked again here.
  return (await readBody(response)) as Answer<Response, Status>;
}

async function readBody(response: AnyResponse): Promise<unknown> {
  if (response.status === 204) return undefined;
  const isJson = /[/+]json\b/.test(response.headers.get("content-type") ?? "");
  return isJson ? response.json() : response.text();
}

async function readProblem(response: AnyResponse): Promise<Problem | undefined> {
  const text = await response.text();
  if (!response.headers.get("content-type")?.startsWith("application/problem+json")) return undefined;
  try {
    return JSON.parse(text) as Problem;
  } catch {
    return undefined;
  }
}

export type Job = Answer<Awaited<ReturnType<Client["jobs"][":id"]["$get"]>>>;
export type JobEvent = Answer<Awaited<ReturnType<Client["jobs"][":id"]["events"]["$get"]>>>["items"][number];

export interface FollowSettings {
  /** Told of each event, in order and once. */
  onEvent?: (event: JobEvent) => void;
  /** Ends the waiting, not the job. */
  signal?: AbortSignal;
  /** How long to wait for the job's end. Default 300,000. */
  timeoutMs?: number;
  /** Between two looks. Default 1,000. */
  pollMs?: number;
}

/**
 * Waits for a job's end and returns the job, which may be `done`, `failed` or `cancelled`. It asks again and again;
 * in a browser the same events come by themselves on the Realtime topic `user:<your id>`.
 */
export async function followJob(client: Client, id: string, settings: FollowSettings = {}): Promise<Job> {
  const { onEvent, pollMs = 1_000, timeoutMs = 300_000 } = settings;
  const timeout = AbortSignal.timeout(timeoutMs);
  const signal = settings.signal ? AbortSignal.any([settings.signal, timeout]) : timeout;
  for (let told = 0; ; ) {
    const job = await unwrap(client.jobs[":id"].$get({ param: { id } }, { init: { signal } }));
    while (onEvent && told < job.lastSequence) {
      const events = await listEvents(client, job, told, signal);
      for (const event of events) onEvent(event);
      told = events.at(-1)?.sequence ?? job.lastSequence;
    }
    if (job.finishedAt !== null) return job;
    await pause(pollMs, signal);
  }
}

/** The next events, those since the job was read among them; none where they were pruned. */
async function listEvents(client: Client, job: Job, after: number, signal: AbortSignal): Promise<JobEvent[]> {
  const input = { param: { id: job.id }, query: { after } };
  const response = await client.jobs[":id"].events.$get(input, { init: { signal } });
  return response.status === 410 ? [] : (await unwrap(response)).items;
}

function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, durationMs);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}
