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

  /** The house's picture of that name. */
  async find(name: string): Promise<{ id: string; state: string } | undefined> {
    const response = await this.#call("GET", `/images?scope=own&name=${encodeURIComponent(name)}`);
    if (!response.ok) throw new Error(await readProblem(response));
    return ((await response.json()) as { items: { id: string; state: string }[] }).items[0];
  }

  /** Sends a picture; undefined when one of that name is there already. One that failed or never came is sent again. */
  async add(picture: Picture): Promise<Added | Refused | undefined> {
    const found = await this.find(picture.name);
    if (found && !["failed", "uploading"].includes(found.state)) return undefined;
    if (found) await this.#call("DELETE", `/images/${found.id}`);
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

/** What a person is told of a refusal: the fields at fault where there are any. */
async function readProblem(response: Response): Promise<string> {
  const problem = (await response.json().catch(() => ({}))) as {
    detail?: string;
    title?: string;
    errors?: readonly { field: string; message: string }[];
  };
  const fields = (problem.errors ?? []).map(({ field, message }) => `${field} ${message}`).join("; ");
  return fields || problem.detail || problem.title || `HTTP ${response.status}`;
}

export interface IngestReport {
  readonly added: readonly Added[];
  readonly skipped: number;
  readonly refused: readonly Refused[];
}

const sendersMax = 4;
const askEveryMs = 2_000;

/** Sends all pictures, four at a time, and resolves when each of their jobs has ended; no more once `signal` says so. */
export async function ingest(
  library: Library,
  pictures: readonly Picture[],
  onProgress: (done: number, message: string) => void,
  signal?: AbortSignal,
): Promise<IngestReport> {
  const jobs = new JobList();
  const refused: Refused[] = [];
  let skipped = 0;
  const tell = (message: string) => {
    if (!signal?.aborted) onProgress(skipped + refused.length + jobs.endedCount, message);
  };
  const unlisten = await library.listen((event) => {
    jobs.see(event.jobId, event);
    const name = jobs.nameOf(event.jobId);
    if (name) tell(name);
  });
  try {
    const queue = [...pictures];
    const send = async () => {
      for (let picture = queue.shift(); picture; picture = queue.shift()) {
        const outcome = await library.add(picture).catch((error: unknown) => refuse(picture, error));
        if (!outcome) skipped += 1;
        else if ("reason" in outcome) refused.push(outcome);
        else jobs.add(outcome);
        tell(picture.name);
        signal?.throwIfAborted();
      }
    };
    await Promise.all(Array.from({ length: sendersMax }, send));
    await waitForJobs(library, jobs, tell);
  } finally {
    await unlisten();
  }
  return { added: jobs.listDone(), skipped, refused: [...refused, ...jobs.listFailed()] };
}

/** A file that cannot be read, or an answer that does not come, costs this one picture only. */
function refuse({ name }: Picture, error: unknown): Refused {
  return { name, reason: error instanceof Error ? error.message : String(error) };
}

/** What became of the jobs of the pictures that were sent; an event may come before the answer that names its job. */
class JobList {
  readonly #added = new Map<string, Added>();
  /** Why each ended job failed; undefined for one that did not. */
  readonly #endings = new Map<string, string | undefined>();
  readonly #open = new Set<string>();

  add(added: Added): void {
    this.#added.set(added.jobId, added);
    if (!this.#endings.has(added.jobId)) this.#open.add(added.jobId);
  }

  see(jobId: string, { state, error }: { state: string; error: { message: string } | null }): void {
    if (!["done", "failed", "cancelled"].includes(state)) return;
    this.#endings.set(jobId, state === "done" ? undefined : (error?.message ?? state));
    this.#open.delete(jobId);
  }

  nameOf(jobId: string): string | undefined {
    return this.#added.get(jobId)?.name;
  }

  get endedCount(): number {
    return this.#added.size - this.#open.size;
  }

  listOpen(): string[] {
    return [...this.#open];
  }

  listDone(): Added[] {
    return [...this.#added.values()].filter(({ jobId }) => this.#endings.get(jobId) === undefined);
  }

  listFailed(): Refused[] {
    return [...this.#added.values()].flatMap(({ jobId, name }) => {
      const reason = this.#endings.get(jobId);
      return reason === undefined ? [] : [{ name, reason }];
    });
  }
}

/** Events are hints and rows are the truth: what no event ended within two seconds is asked for. */
async function waitForJobs(library: Library, jobs: JobList, tell: (message: string) => void): Promise<void> {
  let askedAtMs = Date.now();
  while (jobs.listOpen().length > 0) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    if (Date.now() - askedAtMs < askEveryMs) continue;
    for (const jobId of jobs.listOpen()) {
      const job = await library.findJob(jobId);
      if (job) jobs.see(jobId, job);
      tell(jobs.nameOf(jobId) ?? "");
    }
    askedAtMs = Date.now();
  }
}
