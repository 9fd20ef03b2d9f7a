import { Worker } from "node:worker_threads";
import { AppError } from "../../shared/errors.ts";
import type {
  Asked,
  InferenceAnswers,
  InferenceReply,
  InferenceRequest,
  LoadedModel,
  RunFailure,
} from "./inference-messages.ts";
import type { DeviceTrouble } from "./inference-trouble.ts";

/** `stuck`: it was silent for too long and may still run, or its device failed. `dead`: the thread threw or ended by itself. */
export type ThreadState = "alive" | "stuck" | "dead" | "ended";

export interface ThreadOptions {
  readonly url?: URL | undefined;
  readonly onLoaded: (model: LoadedModel) => void;
  readonly onLoadFailed: (model: string, error: AppError) => void;
  /** After a failure that says so, nothing should be asked here any more. */
  readonly onTrouble: (trouble: DeviceTrouble, error: AppError) => void;
}

interface Pending {
  readonly resolve: (value: InferenceAnswers[InferenceRequest["kind"]]) => void;
  readonly reject: (error: AppError) => void;
  readonly timeoutMs: number;
}

/** One life of the inference thread. It may be asked several things at once and answers in its own order. */
export class InferenceThread {
  state: ThreadState = "alive";
  readonly #worker: Worker;
  readonly #options: ThreadOptions;
  readonly #pending = new Map<number, Pending>();
  #asked = 0;
  #silence: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ThreadOptions) {
    this.#options = options;
    this.#worker = new Worker(options.url ?? new URL("./inference-thread.ts", import.meta.url));
    this.#worker.on("message", (reply: InferenceReply) => this.#hear(reply));
    this.#worker.on("error", (cause: unknown) => this.#die(cause));
    this.#worker.on("exit", (code: number) => this.#die(`exit code ${code}`));
  }

  /** `timeoutMs`: how long the thread may say nothing at all while this waits for its answer. */
  ask<Request extends InferenceRequest>(
    request: Request,
    timeoutMs: number,
  ): Promise<InferenceAnswers[Request["kind"]]> {
    if (this.state !== "alive") {
      const message = "The inference thread cannot be asked now.";
      return Promise.reject(new AppError("unavailable", message, { retryable: true }));
    }
    return new Promise((resolve, reject) => {
      const id = ++this.#asked;
      this.#pending.set(id, { resolve: resolve as Pending["resolve"], reject, timeoutMs });
      if (this.#pending.size === 1) this.#watch();
      const buffers = request.kind === "images" ? [request.pixels.buffer as ArrayBuffer] : [];
      this.#worker.postMessage({ id, request } satisfies Asked, buffers);
    });
  }

  /** Releases the models and ends the thread. One that hangs is left behind: to terminate it inside a run aborts the process. */
  async end(): Promise<void> {
    if (this.state === "alive") await this.ask({ kind: "release" }, 10_000).catch(() => undefined);
    if (this.state === "alive") {
      this.state = "ended";
      await this.#worker.terminate();
    } else {
      this.#worker.unref();
    }
  }

  #hear(reply: InferenceReply): void {
    if ("loaded" in reply) this.#options.onLoaded(reply.loaded);
    else {
      const pending = this.#pending.get(reply.id);
      this.#pending.delete(reply.id);
      if ("value" in reply) pending?.resolve(reply.value);
      else this.#fail(pending, reply.error);
    }
    this.#watch();
  }

  #fail(pending: Pending | undefined, failure: RunFailure): void {
    const { code, message, isRetryable, detail, model, trouble } = failure;
    const error = new AppError(code, message, { cause: new Error(detail), retryable: isRetryable });
    if (trouble) this.#options.onTrouble(trouble, error);
    if (model !== undefined) this.#options.onLoadFailed(model, error);
    pending?.reject(error);
    // Not even the release of a model is safe on a device that failed.
    if (trouble !== "device") return;
    this.state = "stuck";
    this.#rejectAll(error);
  }

  /** Every sign of life sets the clock back; while nothing is asked it stands still. */
  #watch(): void {
    clearTimeout(this.#silence);
    if (this.state !== "alive" || this.#pending.size === 0) return;
    const timeoutMs = Math.max(...[...this.#pending.values()].map((pending) => pending.timeoutMs));
    this.#silence = setTimeout(() => {
      this.state = "stuck";
      const message = `The model took longer than ${timeoutMs} ms.`;
      this.#rejectAll(new AppError("deadline_exceeded", message, { retryable: true }));
    }, timeoutMs);
  }

  #die(cause: unknown): void {
    if (this.state === "ended") return;
    this.state = "dead";
    this.#rejectAll(new AppError("unavailable", "The inference thread died.", { cause, retryable: true }));
  }

  #rejectAll(error: AppError): void {
    clearTimeout(this.#silence);
    const all = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of all) reject(error);
  }
}
