import { AppError } from "../../shared/errors.ts";
import { joinArrays } from "../math/vectors.ts";
import { builtInCatalog, type ModelCatalog } from "./catalog.ts";
import { BatchBuffers } from "./inference-buffers.ts";
import { type LoadedModel, ThreadKeeper } from "./inference-keeper.ts";
import { type PictureBatch, PictureLines, type WaitingPicture } from "./inference-lines.ts";
import type { PaceOptions } from "./inference-pace.ts";
import { providersOf, type TextEmbeddings } from "./session.ts";

export type { LoadedModel } from "./inference-keeper.ts";
export type { TextEmbeddings } from "./session.ts";

export interface InferenceOptions {
  /** Default: the built-in model alone. */
  readonly catalog?: ModelCatalog;
  /** Where the catalog's models lie. */
  readonly modelsFolder?: string | undefined;
  /** Loaded by `ready`; the others when they are first needed. Default none. */
  readonly preload?: readonly string[];
  /** `cpu` (default), `cuda` or `cuda:N`. Never falls back to another one. */
  readonly device?: string;
  /** Threads inside one run, on the processor. Default 1. */
  readonly threads?: number;
  /** How much bulk runs at once. */
  readonly pace?: PaceOptions;
  /** How long a batch that is not full waits for more pictures while nothing runs. Default 1. */
  readonly lingerMs?: number;
  /** For one run. One that takes longer cannot be stopped and breaks the inference. Default 60,000. */
  readonly timeoutMs?: number;
  /** For the start of the thread or the loading of a model. Default 120,000. */
  readonly loadTimeoutMs?: number;
  /** Pictures, and calls with texts, that may wait; more are refused as `unavailable`. Default 256. */
  readonly pendingMax?: number;
  /** What the worker thread runs, instead of the inference thread. */
  readonly threadUrl?: URL;
}

export interface EmbedOptions {
  /** Someone waits for it: it passes the bulk, alone. */
  readonly isUrgent?: boolean;
  /** Pictures that still wait when it aborts are taken out, and rejected with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs models in one worker thread, one run at a time; a text passes all bulk but the run that is on, and waits besides
 * only while a model is loaded, which happens once. Batches of
 * pictures are made as late as can be: one runs, the next lies ready in the thread, the rest waits here.
 * A thread that dies takes its runs with it (a retryable error) and the next call starts a new one. A thread that
 * hangs cannot be ended without ending the process (terminating it inside a run aborts), and a device that has no
 * memory left, or fails for good, does not recover in this process: then the inference is `broken`.
 */
export interface Inference {
  /** The thread lives and what is preloaded is in memory; throws when that cannot be. */
  ready(): Promise<void>;
  /** What is in memory now. Memory comes back only with the end of the process. */
  loaded(): readonly LoadedModel[];
  /** `pixels` is handed over: the caller does not touch it afterwards. Gives rows of unit length. */
  embedImages(
    model: string,
    pixels: Float32Array,
    count: number,
    options?: EmbedOptions,
  ): Promise<Float32Array>;
  embedTexts(model: string, texts: readonly string[]): Promise<TextEmbeddings>;
  /** Why nothing will ever run here again. The process should end, and not with 0. */
  broken(): AppError | undefined;
  /** Takes nothing new, waits for what was accepted, then ends the thread. */
  close(): Promise<void>;
}

export function createInference(options: InferenceOptions = {}): Inference {
  const catalog = options.catalog ?? builtInCatalog;
  for (const name of options.preload ?? []) catalog.get(name);
  providersOf(options.device ?? "cpu");
  return new ThreadedInference(catalog, options);
}

/** Batches in the thread: one runs, one is ready. */
const postedMax = 2;
/** Texts of one call that travel together; more are cut into several requests. */
const textsMax = 32;

class ThreadedInference implements Inference {
  readonly #catalog: ModelCatalog;
  readonly #options: InferenceOptions;
  readonly #lines: PictureLines;
  readonly #keeper: ThreadKeeper;
  readonly #buffers = new BatchBuffers();
  readonly #working = new Set<Promise<unknown>>();
  /** In the thread, in the order of their runs. */
  readonly #posted: PictureBatch[] = [];
  #nextAtMs = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #textCalls = 0;
  #closing: Promise<void> | undefined;

  constructor(catalog: ModelCatalog, options: InferenceOptions) {
    this.#catalog = catalog;
    this.#options = options;
    this.#lines = new PictureLines(options.pace);
    // Whoever waits for what will not come is told at once.
    const turnAway = (error: AppError, model?: string) => {
      for (const { reject } of this.#lines.clear(model)) reject(error);
    };
    this.#keeper = new ThreadKeeper(options, {
      onBroken: (reason) => turnAway(reason),
      onLoadFailed: (model, error) => turnAway(error, model),
    });
  }

  async ready(): Promise<void> {
    this.#refuseIfOver();
    await this.#keeper.open();
    for (const model of this.#options.preload ?? []) await this.#keeper.ask({ kind: "load", model });
  }

  loaded(): readonly LoadedModel[] {
    return this.#keeper.loaded();
  }

  broken(): AppError | undefined {
    return this.#keeper.broken;
  }

  async embedImages(
    model: string,
    pixels: Float32Array,
    count: number,
    { isUrgent = false, signal }: EmbedOptions = {},
  ): Promise<Float32Array> {
    const length = 3 * this.#catalog.get(model).image.size ** 2;
    if (!Number.isInteger(count) || count < 1 || pixels.length !== count * length) {
      throw new AppError(
        "invalid_request",
        `${pixels.length} numbers are not ${count} pictures for ${model}.`,
      );
    }
    this.#refuseIfOver();
    const each = Array.from({ length: count }, (_, row) => pixels.subarray(row * length, (row + 1) * length));
    if (isUrgent)
      return joinArrays(await this.#keep(Promise.all(each.map((one) => this.#runNow(model, one)))));
    if (this.#lines.length + count > this.#pendingMax) throw tooMuch();
    signal?.throwIfAborted();
    return joinArrays(await this.#keep(Promise.all(each.map((one) => this.#wait(model, one, signal)))));
  }

  async embedTexts(model: string, texts: readonly string[]): Promise<TextEmbeddings> {
    this.#catalog.get(model);
    if (texts.length === 0) return { vectors: new Float32Array(0), knownWords: [] };
    this.#refuseIfOver();
    if (this.#textCalls >= this.#pendingMax) throw tooMuch();
    this.#textCalls += 1;
    const parts = Array.from({ length: Math.ceil(texts.length / textsMax) }, (_, part) =>
      this.#keeper.ask({ kind: "texts", model, texts: texts.slice(part * textsMax, (part + 1) * textsMax) }),
    );
    const answers = await this.#keep(Promise.all(parts)).finally(() => {
      this.#textCalls -= 1;
    });
    return {
      vectors: joinArrays(answers.map(({ vectors }) => vectors)),
      knownWords: answers.flatMap(({ knownWords }) => knownWords),
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    while (this.#working.size > 0) await Promise.allSettled(this.#working);
    await this.#keeper.end();
  }

  #refuseIfOver(): void {
    if (this.#keeper.broken) throw this.#keeper.broken;
    if (this.#closing) throw new AppError("unavailable", "The inference is closing.", { retryable: true });
  }

  get #pendingMax(): number {
    return this.#options.pendingMax ?? 256;
  }

  /** What was accepted is waited for by `close`. */
  #keep<T>(work: Promise<T>): Promise<T> {
    this.#working.add(work);
    const forget = () => this.#working.delete(work);
    work.then(forget, forget);
    return work;
  }

  async #runNow(model: string, pixels: Float32Array): Promise<Float32Array> {
    const batch = this.#buffers.take(pixels.length);
    batch.set(pixels);
    const answer = await this.#keeper.ask({ kind: "images", model, pixels: batch, count: 1, isUrgent: true });
    this.#buffers.give(answer.pixels);
    return answer.vectors;
  }

  #wait(model: string, pixels: Float32Array, signal: AbortSignal | undefined): Promise<Float32Array> {
    const { promise, resolve, reject } = Promise.withResolvers<Float32Array>();
    const picture: WaitingPicture = { pixels, resolve, reject };
    this.#lines.add(model, picture, performance.now());
    const leave = () => this.#lines.remove(model, picture) && reject(signal?.reason);
    signal?.addEventListener("abort", leave, { once: true });
    this.#pump();
    return promise.finally(() => signal?.removeEventListener("abort", leave));
  }

  /**
   * Sends batches while the thread has room for them. The first waits a little for company; the one behind it is sent
   * when it is full, or shortly before the one that runs is expected to end.
   */
  #pump(): void {
    clearTimeout(this.#timer);
    while (this.#posted.length < postedMax && this.#lines.length > 0) {
      const nowMs = performance.now();
      const lingerMs = this.#options.lingerMs ?? 1;
      const isIdle = this.#posted.length === 0;
      const earlyMs = isIdle ? lingerMs : this.#nextAtMs - nowMs;
      const isDue = !isIdle && earlyMs <= 0;
      const batch = this.#lines.next(isDue ? nowMs : nowMs - lingerMs, nowMs, !isIdle && !isDue);
      if (!batch) {
        this.#timer = setTimeout(() => this.#pump(), Math.max(1, earlyMs));
        return;
      }
      this.#posted.push(batch);
      if (isIdle) this.#expectEnd();
      void this.#runBatch(batch);
    }
  }

  /** A run begins now: reckons when the batch behind it must be on its way. */
  #expectEnd(): void {
    const [running] = this.#posted;
    if (!running) return;
    const runMs = this.#lines.paceOf(running.model).expect(running.pictures.length);
    this.#nextAtMs = performance.now() + runMs - Math.min(20, Math.max(5, runMs / 4));
  }

  #end(batch: PictureBatch): void {
    this.#posted.splice(this.#posted.indexOf(batch), 1);
    this.#expectEnd();
    this.#pump();
  }

  async #runBatch(batch: PictureBatch): Promise<void> {
    const { model, pictures } = batch;
    const count = pictures.length;
    const pixels = this.#buffers.take(pictures.reduce((sum, picture) => sum + picture.pixels.length, 0));
    let start = 0;
    for (const picture of pictures) {
      pixels.set(picture.pixels, start);
      start += picture.pixels.length;
    }
    try {
      const answer = await this.#keeper.ask({ kind: "images", model, pixels, count, isUrgent: false });
      const pace = this.#lines.paceOf(model);
      if (answer.isHalved) pace.forbid(count);
      else pace.learn(count, answer.tookMs);
      this.#buffers.give(answer.pixels);
      this.#end(batch);
      const length = answer.vectors.length / count;
      pictures.forEach(({ resolve }, row) => {
        resolve(answer.vectors.slice(row * length, (row + 1) * length));
      });
    } catch (error) {
      for (const { reject } of pictures) reject(error);
      this.#end(batch);
    }
  }
}

function tooMuch(): AppError {
  return new AppError("unavailable", "Too much is waiting for the model.", { retryable: true });
}
