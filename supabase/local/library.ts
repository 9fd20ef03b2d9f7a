/**
 * Takes pictures into the library as any client would: over the API, with supabase-js for Realtime. What the bar
 * shows is what the jobs tell on their topic; where an event was missed, the job itself is asked.
 */
import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import type { SearchPage } from "../../shared/images/contract.ts";
import { JobEvent, jobTopic } from "../../shared/jobs/contract.ts";

export interface Picture {
  readonly name: string;
  readonly title?: string;
  readonly keywords?: readonly string[];
  readonly mediaType: string;
  bytes(): Promise<Uint8Array>;
}

export interface Added {
  readonly name: string;
  readonly imageId: string;
  readonly jobId: string;
}

export interface Refused {
  readonly name: string;
  readonly reason: string;
}

/** A client of the running house that acts as the house itself. */
export class Library {
  readonly #api: string;
  readonly #secretKey: string;
  readonly #supabase: SupabaseClient;

  constructor(publicUrl: string, secretKey: string) {
    this.#api = `${publicUrl}/functions/v1/api`;
    this.#secretKey = secretKey;
    this.#supabase = createClient(publicUrl, secretKey, {
      auth: { persistSession: false, autoRefreshToken: false },
    });
  }

  async #call(method: string, path: string, body?: BodyInit): Promise<Response> {
    return fetch(`${this.#api}${path}`, {
      method,
      headers: { apikey: this.#secretKey },
      ...(body ? { body } : {}),
      signal: AbortSignal.timeout(60_000),
    });
  }

  /** Sends a picture; undefined when one of that name is there already. */
  async add(picture: Picture): Promise<Added | Refused | undefined> {
    const found = await this.#call("GET", `/images?scope=own&name=${encodeURIComponent(picture.name)}`);
    if (found.ok && ((await found.json()) as { items: unknown[] }).items.length > 0) return undefined;
    const form = new FormData();
    const bytes = (await picture.bytes()) as Uint8Array<ArrayBuffer>;
    form.set("file", new File([bytes], picture.name, { type: picture.mediaType }));
    form.set("name", picture.name);
    if (picture.title) form.set("title", picture.title);
    if (picture.keywords?.length) form.set("keywords", picture.keywords.join(","));
    const response = await this.#call("POST", "/images", form);
    if (!response.ok) return { name: picture.name, reason: await readProblem(response) };
    const { image, job } = (await response.json()) as { image: { id: string }; job: { id: string } };
    return { name: picture.name, imageId: image.id, jobId: job.id };
  }

  async publish(imageId: string): Promise<void> {
    const response = await this.#call("PUT", `/images/${imageId}/publication`);
    if (!response.ok) throw new Error(await readProblem(response));
  }

  async search(query: string, limit: number): Promise<SearchPage> {
    const response = await this.#call("GET", `/images/search?limit=${limit}&q=${encodeURIComponent(query)}`);
    if (!response.ok) throw new Error(await readProblem(response));
    return (await response.json()) as SearchPage;
  }

  /** Tells every event of the house's jobs until the returned function is called. */
  async listen(onEvent: (event: JobEvent) => void): Promise<() => Promise<void>> {
    const channel = this.#supabase.channel(jobTopic(null), { config: { private: true } });
    channel.on("broadcast", { event: "*" }, (message) => {
      const event = JobEvent.safeParse(message.payload);
      if (event.success) onEvent(event.data);
    });
    await new Promise<void>((resolve, reject) => {
      channel.subscribe((status, error) => {
        if (status === "SUBSCRIBED") resolve();
        if (status === "CHANNEL_ERROR" || status === "TIMED_OUT") reject(error ?? new Error(status));
      }, 10_000);
    });
    return async () => {
      await this.#supabase.removeAllChannels();
      this.#supabase.realtime.disconnect();
    };
  }

  /** The state of a job, or undefined when it cannot be had just now. */
  async findJob(id: string): Promise<{ state: string; error: { message: string } | null } | undefined> {
    const response = await this.#call("GET", `/jobs/${id}`).catch(() => undefined);
    return response?.ok
      ? ((await response.json()) as { state: string; error: { message: string } | null })
      : undefined;
  }
}

async function readProblem(response: Response): Promise<string> {
  const problem = (await response.json().catch(() => ({}))) as { detail?: string; title?: string };
  return problem.detail ?? problem.title ?? `HTTP ${response.status}`;
}

export interface IngestReport {
  readonly added: readonly Added[];
  readonly skipped: number;
  readonly refused: readonly Refused[];
}

const sendersMax = 4;
const askEveryMs = 2_000;

/** Sends all pictures, four at a time, and resolves when each of their jobs has ended. */
export async function ingest(
  library: Library,
  pictures: readonly Picture[],
  onProgress: (done: number, message: string) => void,
): Promise<IngestReport> {
  const added: Added[] = [];
  const refused: Refused[] = [];
  const ended = new Map<string, string | undefined>();
  let skipped = 0;
  const tell = (message: string) => onProgress(skipped + refused.length + countEnded(added, ended), message);
  const unlisten = await library.listen((event) => {
    if (["done", "failed", "cancelled"].includes(event.state)) ended.set(event.jobId, event.error?.message);
    tell(event.progress.message ?? event.event);
  });
  try {
    const queue = [...pictures];
    const send = async () => {
      for (let picture = queue.shift(); picture; picture = queue.shift()) {
        const outcome = await library.add(picture);
        if (!outcome) skipped += 1;
        else if ("reason" in outcome) refused.push(outcome);
        else added.push(outcome);
        tell(picture.name);
      }
    };
    await Promise.all(Array.from({ length: sendersMax }, send));
    await waitForJobs(library, added, ended, tell);
  } finally {
    await unlisten();
  }
  const failed = added.flatMap(({ name, jobId }) => {
    const reason = ended.get(jobId);
    return reason === undefined ? [] : [{ name, reason }];
  });
  return {
    added: added.filter(({ jobId }) => ended.get(jobId) === undefined),
    skipped,
    refused: [...refused, ...failed],
  };
}

function countEnded(added: readonly Added[], ended: ReadonlyMap<string, unknown>): number {
  return added.filter(({ jobId }) => ended.has(jobId)).length;
}

/** Events are hints and rows are the truth: what no event ended within two seconds is asked for. */
async function waitForJobs(
  library: Library,
  added: readonly Added[],
  ended: Map<string, string | undefined>,
  tell: (message: string) => void,
): Promise<void> {
  let askedAtMs = Date.now();
  while (countEnded(added, ended) < added.length) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    if (Date.now() - askedAtMs < askEveryMs) continue;
    askedAtMs = Date.now();
    for (const { jobId } of added.filter((one) => !ended.has(one.jobId))) {
      const job = await library.findJob(jobId);
      if (job && ["done", "failed", "cancelled"].includes(job.state)) ended.set(jobId, job.error?.message);
    }
    tell("waiting");
  }
}
