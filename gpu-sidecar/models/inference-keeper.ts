import { AppError } from "../../shared/errors.ts";
import { InferenceThread } from "./inference-client.ts";
import type { InferenceAnswers, InferenceRequest, LoadedModel as Loaded } from "./inference-messages.ts";
import type { DeviceTrouble } from "./inference-trouble.ts";

export interface KeeperOptions {
  readonly modelsFolder?: string | undefined;
  readonly device?: string;
  readonly threads?: number;
  readonly timeoutMs?: number;
  readonly loadTimeoutMs?: number;
  readonly threadUrl?: URL;
}

export interface KeeperEvents {
  readonly onBroken: (reason: AppError) => void;
  readonly onLoadFailed: (model: string, error: AppError) => void;
}

export interface LoadedModel extends Loaded {
  /** When it was last asked for, as of `Date.now()`. */
  readonly usedAtMs: number;
}

/** Deaths of the thread with no run between them, after which it is given up. */
const deathsMax = 3;

const troubles: Record<DeviceTrouble, string> = {
  memory: "The device has too little memory for a run.",
  device: "The device failed for good.",
};

/** Keeps an inference thread alive: starts it when it is first asked, buries the dead, and knows when it is of no use. */
export class ThreadKeeper {
  readonly #options: KeeperOptions;
  readonly #events: KeeperEvents;
  readonly #loaded = new Map<string, LoadedModel>();
  #opening: Promise<InferenceThread> | undefined;
  #thread: InferenceThread | undefined;
  #deaths = 0;
  #broken: AppError | undefined;

  constructor(options: KeeperOptions, events: KeeperEvents) {
    this.#options = options;
    this.#events = events;
  }

  get broken(): AppError | undefined {
    return this.#broken;
  }

  loaded(): LoadedModel[] {
    return [...this.#loaded.values()];
  }

  open(): Promise<InferenceThread> {
    this.#opening ??= this.#start();
    return this.#opening;
  }

  async ask<Request extends InferenceRequest>(request: Request): Promise<InferenceAnswers[Request["kind"]]> {
    if (this.#broken) throw this.#broken;
    const thread = await this.open();
    const model = "model" in request ? request.model : undefined;
    this.#use(model);
    try {
      const answer = await thread.ask(request, this.#timeoutOf(model));
      if (request.kind !== "load") this.#deaths = 0;
      this.#use(model);
      return answer;
    } catch (error) {
      this.#judge(thread, error);
      throw error;
    }
  }

  async end(): Promise<void> {
    const thread = await this.#opening?.catch(() => undefined);
    await thread?.end();
  }

  #timeoutOf(model: string | undefined): number {
    const { timeoutMs = 60_000, loadTimeoutMs = 120_000 } = this.#options;
    return model !== undefined && this.#loaded.has(model) ? timeoutMs : loadTimeoutMs;
  }

  #use(name: string | undefined): void {
    const model = this.#loaded.get(name ?? "");
    if (model) this.#loaded.set(model.name, { ...model, usedAtMs: Date.now() });
  }

  async #start(): Promise<InferenceThread> {
    const { modelsFolder: folder, device = "cpu", threads = 1, threadUrl: url } = this.#options;
    const thread = new InferenceThread({
      url,
      onLoaded: (model) => this.#loaded.set(model.name, { ...model, usedAtMs: Date.now() }),
      onLoadFailed: this.#events.onLoadFailed,
      onTrouble: (trouble, error) => this.#break(troubles[trouble], error),
    });
    this.#thread = thread;
    try {
      await thread.ask({ kind: "start", folder, session: { device, threads } }, this.#timeoutOf(undefined));
      return thread;
    } catch (error) {
      this.#opening = undefined;
      this.#judge(thread, error);
      await thread.end();
      throw error;
    }
  }

  #judge(thread: InferenceThread, error: unknown): void {
    if (thread !== this.#thread) return;
    if (thread.state === "stuck") this.#break("A run of the model did not end in time.", error);
    if (thread.state !== "dead") return;
    this.#thread = undefined;
    this.#opening = undefined;
    this.#loaded.clear();
    this.#deaths += 1;
    if (this.#deaths >= deathsMax) this.#break("The inference thread died again and again.", error);
  }

  #break(message: string, cause: unknown): void {
    if (this.#broken) return;
    this.#loaded.clear();
    this.#broken = new AppError("unavailable", message, { cause, retryable: true });
    this.#events.onBroken(this.#broken);
  }
}
