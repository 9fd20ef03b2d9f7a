import { AppError } from "../../shared/errors.ts";
import { builtInCatalog, type ModelCatalog } from "./catalog.ts";
import { InferenceThread } from "./inference-client.ts";
import type { InferenceAnswers, InferenceRequest, LoadedModel } from "./inference-messages.ts";
import { providersOf, type TextEmbeddings } from "./session.ts";

export type { LoadedModel } from "./inference-messages.ts";
export type { TextEmbeddings } from "./session.ts";

export interface InferenceOptions {
  /** Default: the built-in model alone. */
  readonly catalog?: ModelCatalog;
  /** Where the catalog's models lie. */
  readonly modelsFolder?: string | undefined;
  /** Loaded at once. Default `palette`. */
  readonly models?: readonly string[];
  /** `cpu` (default), `cuda` or `cuda:N`. Never falls back to another one. */
  readonly device?: string;
  /** Threads inside one run. Default 1, which leaves the other cores to the decoding of pictures. */
  readonly threads?: number;
  /** Pictures in one run; more are split, so that a text never waits long behind them. Default 16. */
  readonly batchMax?: number;
  /** For one run, from its start. A run that takes longer cannot be stopped and breaks the inference. Default 60,000. */
  readonly timeoutMs?: number;
  /** For the loading of all models. Default 120,000. */
  readonly loadTimeoutMs?: number;
  /** Runs that may wait; more are refused as `unavailable`. Default 256. */
  readonly pendingMax?: number;
  /** What the worker thread runs, instead of the inference thread. */
  readonly threadUrl?: URL;
}

/**
 * Runs models in one worker thread, one run at a time, texts before pictures. A thread that dies takes its run with
 * it (a retryable error) and the next call starts a new one. A thread that hangs cannot be ended without ending
 * the process (terminating it inside a run aborts), so then the inference is `broken` for good.
 */
export interface Inference {
  /** Loads the models, if they are not yet; throws when that cannot be. */
  ready(): Promise<void>;
  models(): readonly LoadedModel[];
  /** `pixels` is handed over: the caller cannot read it afterwards. Gives rows of unit length. */
  embedImages(model: string, pixels: Float32Array, count: number): Promise<Float32Array>;
  embedTexts(model: string, texts: readonly string[]): Promise<TextEmbeddings>;
  /** Why nothing will ever run here again. The process should end, and not with 0. */
  broken(): AppError | undefined;
  /** Takes nothing new, waits for what was accepted, then ends the thread. */
  close(): Promise<void>;
}

export function createInference(options: InferenceOptions = {}): Inference {
  const models = options.models ?? ["palette"];
  const catalog = options.catalog ?? builtInCatalog;
  for (const name of models) catalog.get(name);
  providersOf(options.device ?? "cpu");
  return new QueuedInference(models, catalog, options);
}

interface Waiting {
  readonly request: InferenceRequest;
  readonly resolve: (value: InferenceAnswers[InferenceRequest["kind"]]) => void;
  readonly reject: (error: AppError) => void;
}

/** Deaths of the thread with no run between them, after which it is given up. */
const deathsMax = 3;

class QueuedInference implements Inference {
  readonly #models: readonly string[];
  readonly #catalog: ModelCatalog;
  readonly #options: InferenceOptions;
  readonly #texts: Waiting[] = [];
  readonly #images: Waiting[] = [];
  #thread: Promise<InferenceThread> | undefined;
  #loaded: readonly LoadedModel[] = [];
  #working: Promise<void> | undefined;
  #deaths = 0;
  #broken: AppError | undefined;
  #closing: Promise<void> | undefined;

  constructor(models: readonly string[], catalog: ModelCatalog, options: InferenceOptions) {
    this.#models = models;
    this.#catalog = catalog;
    this.#options = options;
  }

  async ready(): Promise<void> {
    this.#refuseIfOver();
    await this.#open();
  }

  models(): readonly LoadedModel[] {
    return this.#loaded;
  }

  broken(): AppError | undefined {
    return this.#broken;
  }

  async embedImages(model: string, pixels: Float32Array, count: number): Promise<Float32Array> {
    const { dimensions, image } = this.#catalog.get(model);
    const length = 3 * image.size ** 2;
    if (!Number.isInteger(count) || count < 1 || pixels.length !== count * length) {
      throw new AppError(
        "invalid_request",
        `${pixels.length} numbers are not ${count} pictures for ${model}.`,
      );
    }
    const batchMax = this.#options.batchMax ?? 16;
    if (count <= batchMax) return this.#add({ kind: "images", model, pixels, count });
    const vectors = new Float32Array(count * dimensions);
    for (let start = 0; start < count; start += batchMax) {
      const size = Math.min(batchMax, count - start);
      const part = pixels.slice(start * length, (start + size) * length);
      const rows = await this.#add({ kind: "images", model, pixels: part, count: size });
      vectors.set(rows, start * dimensions);
    }
    return vectors;
  }

  async embedTexts(model: string, texts: readonly string[]): Promise<TextEmbeddings> {
    this.#catalog.get(model);
    if (texts.length === 0) return { vectors: new Float32Array(0), knownWords: [] };
    return this.#add({ kind: "texts", model, texts });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#working;
    const thread = await this.#thread?.catch(() => undefined);
    await thread?.end();
  }

  #add<Kind extends "images" | "texts">(
    request: InferenceRequest & { kind: Kind },
  ): Promise<InferenceAnswers[Kind]> {
    this.#refuseIfOver();
    const queue = request.kind === "texts" ? this.#texts : this.#images;
    if (queue.length >= (this.#options.pendingMax ?? 256)) {
      throw new AppError("unavailable", "Too much is waiting for the model.", { retryable: true });
    }
    return new Promise<InferenceAnswers[Kind]>((resolve, reject) => {
      queue.push({ request, resolve: resolve as Waiting["resolve"], reject });
      this.#working ??= this.#work();
    });
  }

  /** Works off both queues, texts first, until nothing waits. */
  async #work(): Promise<void> {
    for (;;) {
      const next = this.#texts.shift() ?? this.#images.shift();
      if (!next) {
        this.#working = undefined;
        return;
      }
      try {
        next.resolve(await this.#run(next.request));
        this.#deaths = 0;
      } catch (error) {
        next.reject(error as AppError);
      }
    }
  }

  async #run(request: InferenceRequest): Promise<InferenceAnswers[InferenceRequest["kind"]]> {
    if (this.#broken) throw this.#broken;
    const thread = await this.#open();
    return this.#ask(thread, request, this.#options.timeoutMs ?? 60_000);
  }

  /** One request; what it does to the thread decides whether there is another one. */
  async #ask<Request extends InferenceRequest>(
    thread: InferenceThread,
    request: Request,
    timeoutMs: number,
  ): Promise<InferenceAnswers[Request["kind"]]> {
    try {
      return await thread.ask(request, timeoutMs);
    } catch (error) {
      if (thread.state === "dead") this.#bury();
      if (thread.state === "stuck") this.#break("A run of the model did not end in time.", error);
      throw error;
    }
  }

  #open(): Promise<InferenceThread> {
    this.#thread ??= this.#load();
    return this.#thread;
  }

  async #load(): Promise<InferenceThread> {
    const thread = new InferenceThread(this.#options.threadUrl);
    const session = { device: this.#options.device ?? "cpu", threads: this.#options.threads ?? 1 };
    const request: InferenceRequest & { kind: "load" } = {
      kind: "load",
      models: this.#models,
      folder: this.#options.modelsFolder,
      session,
    };
    try {
      this.#loaded = await this.#ask(thread, request, this.#options.loadTimeoutMs ?? 120_000);
      return thread;
    } catch (error) {
      this.#thread = undefined;
      await thread.end();
      throw error;
    }
  }

  #bury(): void {
    this.#thread = undefined;
    this.#loaded = [];
    this.#deaths += 1;
    if (this.#deaths >= deathsMax) this.#break("The inference thread died again and again.");
  }

  #break(message: string, cause?: unknown): void {
    this.#loaded = [];
    this.#broken = new AppError("unavailable", message, { cause, retryable: true });
  }

  #refuseIfOver(): void {
    if (this.#broken) throw this.#broken;
    if (this.#closing) throw new AppError("unavailable", "The inference is closing.", { retryable: true });
  }
}
