import { Worker } from "node:worker_threads";
import { AppError } from "../../shared/errors.ts";
import type { InferenceAnswers, InferenceReply, InferenceRequest } from "./inference-messages.ts";

/** `stuck`: a request took too long and may still run. `dead`: the thread threw or ended by itself. */
export type ThreadState = "alive" | "stuck" | "dead" | "ended";

interface Pending {
  readonly resolve: (reply: InferenceReply) => void;
  readonly reject: (error: AppError) => void;
}

/** One life of the inference thread, asked one thing at a time. */
export class InferenceThread {
  state: ThreadState = "alive";
  readonly #worker: Worker;
  #pending: Pending | undefined;

  constructor(url: URL = new URL("./inference-thread.ts", import.meta.url)) {
    this.#worker = new Worker(url);
    this.#worker.on("message", (reply: InferenceReply) => this.#settle((pending) => pending.resolve(reply)));
    this.#worker.on("error", (cause: unknown) => this.#die(cause));
    this.#worker.on("exit", (code: number) => this.#die(`exit code ${code}`));
  }

  async ask<Request extends InferenceRequest>(
    request: Request,
    timeoutMs: number,
  ): Promise<InferenceAnswers[Request["kind"]]> {
    if (this.state !== "alive" || this.#pending) {
      throw new AppError("unavailable", "The inference thread cannot be asked now.", { retryable: true });
    }
    const reply = await this.#post(request, timeoutMs);
    if ("error" in reply) {
      throw new AppError(reply.error.code, reply.error.message, {
        retryable: reply.error.code === "unexpected",
      });
    }
    return reply.value as InferenceAnswers[Request["kind"]];
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

  #post(request: InferenceRequest, timeoutMs: number): Promise<InferenceReply> {
    return new Promise<InferenceReply>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.state = "stuck";
        const late = new AppError("deadline_exceeded", `The model took longer than ${timeoutMs} ms.`, {
          retryable: true,
        });
        this.#settle((pending) => pending.reject(late));
      }, timeoutMs);
      this.#pending = {
        resolve: (reply) => {
          clearTimeout(timer);
          resolve(reply);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
      this.#worker.postMessage(
        request,
        request.kind === "images" ? [request.pixels.buffer as ArrayBuffer] : [],
      );
    });
  }

  #settle(tell: (pending: Pending) => void): void {
    const pending = this.#pending;
    this.#pending = undefined;
    if (pending) tell(pending);
  }

  #die(cause: unknown): void {
    if (this.state === "ended") return;
    this.state = "dead";
    const death = new AppError("unavailable", "The inference thread died.", { cause, retryable: true });
    this.#settle((pending) => pending.reject(death));
  }
}
