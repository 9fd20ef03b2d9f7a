/**
 * The worker with the models: it runs the sidecar's kinds of jobs, is seen in the table of workers while it lives,
 * and says when it cannot go on.
 *
 *   first report ──▶ runs jobs · reports every few seconds ──stop──▶ drains · closes the models · takes its row along
 *        └─ refused: never starts             └─ database gone, models broken: `broken`
 */
import type { Sql } from "postgres";
import { databaseErrorCode, isTransientDatabaseError } from "../shared/database.ts";
import { AppError } from "../shared/errors.ts";
import { createId } from "../shared/ids.ts";
import type { JobLane } from "../shared/jobs/contract.ts";
import type { JobEnding } from "../shared/jobs/executor.ts";
import type { Task } from "../shared/jobs/kinds.ts";
import { type Presence, removeWorker, reportWorker } from "../shared/jobs/presence.ts";
import type { ClaimedJob } from "../shared/jobs/queue.ts";
import { type Runner, startRunner } from "../shared/jobs/runner.ts";
import { jobKinds } from "../shared/kinds.ts";
import { createTroubleLog, describeError, type Log } from "../shared/log.ts";
import type { WebhookTargets } from "../shared/webhooks/targets.ts";
import { findIdleness } from "./idleness.ts";
import type { Mailer } from "./mail/mailer.ts";
import { createPictureEmbedder } from "./models/batcher.ts";
import type { ModelCatalog } from "./models/catalog.ts";
import type { Inference } from "./models/inference.ts";
import { createSpaceDirectory, type SpaceDirectory } from "./spaces.ts";
import type { PictureStore } from "./storage.ts";
import { createCompareSpacesTask } from "./tasks/compare-spaces.ts";
import { createDeliverWebhookTask } from "./tasks/deliver-webhook.ts";
import { createEmbedPictureTask } from "./tasks/embed-picture.ts";
import { createEmbedQueryTask } from "./tasks/embed-query.ts";
import { createFillSpaceTask } from "./tasks/fill-space.ts";
import { createIngestTask } from "./tasks/ingest-image.ts";
import { createSendMailTask } from "./tasks/send-mail.ts";
import { versions } from "./versions.ts";
import { resolveHost } from "./webhooks/hosts.ts";

export interface WorkerOptions {
  /** Logged in as `parlance_sidecar`; one connection is enough, LISTEN takes a second one. */
  readonly sql: Sql;
  readonly store: PictureStore;
  /** The worker owns it and closes it at its end. */
  readonly inference: Inference;
  /** The models installed here. */
  readonly catalog: ModelCatalog;
  /** The models that are installed by now. Default: none is ever added. */
  readonly reopenCatalog?: () => Promise<ModelCatalog>;
  /** Where the inference runs: `cpu`, `webgpu` or `cuda:N`. */
  readonly device: string;
  readonly log: Log;
  readonly slots: Readonly<Record<JobLane, number>>;
  readonly pixelsMax: number;
  /** What webhooks may call. Default `public`. */
  readonly webhookTargets?: WebhookTargets;
  /** What sends mail. Without one, mails wait for a worker that has one. */
  readonly mailer?: Mailer | undefined;
  readonly listens?: boolean;
  readonly leaseSeconds?: number;
  readonly pollMs?: number;
  readonly drainMs?: number;
  /** Default 5,000. */
  readonly reportMs?: number;
  /** A model that is unused for longer is held for nothing. 0 (default): never. */
  readonly modelIdleMs?: number;
  /** A database that is silent for longer cannot be waited for. Default 120,000. */
  readonly databasePatienceMs?: number;
}

export interface Worker {
  readonly id: string;
  /** Jobs that run now. */
  readonly running: number;
  /** Resolves with the reason when the worker cannot go on; it should be stopped then, and its process end. */
  readonly broken: Promise<AppError>;
  /**
   * Resolves with the reason when a fresh process would do better: this one holds memory for nothing, or does not know
   * a model that was installed since. It should be stopped then, and another one started.
   */
  readonly renewal: Promise<string>;
  /** Drains, closes the models, and takes the worker's row out of the table. */
  stop(): Promise<void>;
}

/** Resolves once the database knows the worker; rejects when the database or the models refuse it. */
export async function runWorker(options: WorkerOptions): Promise<Worker> {
  const worker = new SidecarWorker(options);
  await worker.start();
  return worker;
}

class SidecarWorker implements Worker {
  readonly id = createId();
  readonly broken: Promise<AppError>;
  readonly renewal: Promise<string>;
  readonly #options: WorkerOptions;
  readonly #spaces: SpaceDirectory;
  readonly #tasks: readonly Task[];
  readonly #break: (reason: AppError) => void;
  readonly #askForRenewal: (reason: string) => void;
  #runners: readonly Runner[] = [];
  #timer: ReturnType<typeof setInterval> | undefined;
  #reporting: Promise<void> | undefined;
  #seenAtMs = Date.now();
  #stopped: Promise<void> | undefined;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#spaces = createSpaceDirectory(options.sql, options.catalog);
    this.#tasks = createTasks(options, this.#spaces);
    const { promise, resolve } = Promise.withResolvers<AppError>();
    this.broken = promise;
    this.#break = resolve;
    const renewal = Promise.withResolvers<string>();
    this.renewal = renewal.promise;
    this.#askForRenewal = renewal.resolve;
  }

  get running(): number {
    return this.#runners.reduce((sum, { running }) => sum + running, 0);
  }

  async start(): Promise<void> {
    const { inference, log } = this.#options;
    await inference.ready();
    await this.#introduce();
    const calls = this.#tasks.filter(({ kind }) => kind.slots === "calls");
    const others = this.#tasks.filter(({ kind }) => kind.slots !== "calls");
    this.#runners = [this.#run(others, this.#options.slots), this.#run(calls, callSlots)];
    this.#timer = setInterval(() => this.#tick(), this.#options.reportMs ?? 5_000);
    log.info("worker.started", { workerId: this.id, device: this.#options.device, ...versions });
  }

  #run(tasks: readonly Task[], slots: WorkerOptions["slots"]): Runner {
    return startRunner({
      ...this.#options,
      workerId: this.id,
      tasks,
      slots,
      kinds: jobKinds,
      models: () => this.#spaces.offers(),
      loaded: () => this.#loaded(),
      onEnded: (job, ending, error, tookMs) => this.#logEnding(job, ending, error, tookMs),
      onTrouble: createTroubleLog(this.#options.log, "worker.trouble"),
    });
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    const { sql, inference, log } = this.#options;
    clearInterval(this.#timer);
    const draining = Promise.all(this.#runners.map((runner) => runner.stop()));
    await this.#reporting;
    await this.#report("draining").catch(() => {});
    await draining;
    await inference.close();
    await removeWorker(sql, this.id).catch((error) => {
      log.warn("worker.row-left", { workerId: this.id, error: describeError(error) });
    });
    log.info("worker.stopped", { workerId: this.id });
  }

  /** The first report proves the database, the role and the migrations. Only a database that is not there yet is waited for. */
  async #introduce(): Promise<void> {
    for (;;) {
      try {
        await this.#report("running");
        return;
      } catch (error) {
        if (!isTransientDatabaseError(error)) throw error;
        const gone = this.#judgeSilence();
        if (gone) throw gone;
        this.#options.log.warn("worker.waits-for-database", { error: describeError(error) });
        await new Promise((resolve) => setTimeout(resolve, 1_000));
      }
    }
  }

  #tick(): void {
    const reason = this.#options.inference.broken() ?? this.#judgeSilence();
    if (reason) this.#break(reason);
    this.#judgeIdleness();
    this.#reporting ??= this.#report("running")
      .then(() => this.#lookForModels())
      .catch((error) => {
        this.#options.log.warn("worker.unseen", { workerId: this.id, error: describeError(error) });
        if (isRefusal(error)) this.#break(refused(error));
      })
      .finally(() => {
        this.#reporting = undefined;
      });
  }

  async #report(state: Presence["state"]): Promise<void> {
    const { sql, inference, device } = this.#options;
    await this.#spaces.refresh();
    await reportWorker(sql, {
      id: this.id,
      runner: "sidecar",
      device,
      provider: device.split(":")[0] ?? device,
      kinds: this.#tasks.map((task) => task.kind.name),
      models: this.#spaces.offers(),
      loaded: inference.loaded().map((model) => model.name),
      memoryBytes: process.memoryUsage.rss(),
      versions,
      state,
    });
    this.#seenAtMs = Date.now();
  }

  /** Of the models that it offers, under the names that jobs know them by. */
  #loaded(): string[] {
    const inMemory = new Set(this.#options.inference.loaded().map((model) => model.name));
    return this.#spaces.offers().filter((name) => inMemory.has(name));
  }

  #judgeIdleness(): void {
    const { inference, catalog, modelIdleMs = 0 } = this.#options;
    const isBuiltIn = (name: string) => catalog.find(name)?.digest === builtInDigest;
    const reason = findIdleness(
      inference.loaded().filter(({ name }) => !isBuiltIn(name)),
      { nowMs: Date.now(), idleMs: modelIdleMs, needed: this.#spaces.offers() },
    );
    if (reason !== undefined) this.#askForRenewal(reason);
  }

  /** Models are read at the start only; one that a space waits for may be installed at any time. */
  async #lookForModels(): Promise<void> {
    const missing = this.#spaces.missing();
    if (missing.length === 0 || !this.#options.reopenCatalog) return;
    const catalog = await this.#options.reopenCatalog();
    const found = missing.find(({ model, digest }) => catalog.find(model)?.digest === digest);
    if (found) this.#askForRenewal(`${found.model} was installed`);
  }

  #judgeSilence(): AppError | undefined {
    const patienceMs = this.#options.databasePatienceMs ?? 120_000;
    if (Date.now() - this.#seenAtMs < patienceMs) return undefined;
    return new AppError("unavailable", `The database did not answer for ${Math.round(patienceMs / 1000)} s.`);
  }

  #logEnding(job: ClaimedJob, ending: JobEnding, error: AppError | undefined, tookMs: number): void {
    const { log, inference } = this.#options;
    const details = { jobId: job.id, kind: job.kind, attempt: job.attempts, ending, tookMs };
    if (error?.code === "unexpected") log.error("job.ended", { ...details, error: describeError(error) });
    else log.info("job.ended", error ? { ...details, code: error.code, message: error.message } : details);
    const broken = inference.broken();
    if (broken) this.#break(broken);
  }
}

/** Pictures of fills that wait for the model at once: those that someone has just sent wait behind few of them. */
const backgroundAheadMax = 16;

function createTasks(options: WorkerOptions, spaces: SpaceDirectory): Task[] {
  const { sql, store, inference, pixelsMax, mailer, webhookTargets: targets = "public" } = options;
  const embedder = createPictureEmbedder(inference);
  const background = createPictureEmbedder(inference, { aheadMax: backgroundAheadMax });
  return [
    createIngestTask({ sql, store, spaces, embedder, pixelsMax }),
    createEmbedQueryTask({ spaces, inference }),
    createEmbedPictureTask({ store, spaces, inference, pixelsMax }),
    createCompareSpacesTask({ sql, spaces, inference }),
    createFillSpaceTask({ sql, store, spaces, embedder: background, pixelsMax }),
    createDeliverWebhookTask({ sql, resolve: resolveHost, targets }),
    ...(mailer ? [createSendMailTask({ sql, mailer })] : []),
  ];
}

/** Webhooks and mail wait for strangers: they have slots of their own, so that a slow receiver holds up no model. */
const callSlots = { interactive: 0, bulk: 8 };

/** Of models that are made in memory and so small that nobody misses it. */
const builtInDigest = "built-in";

/** 28xxx: login refused; 3D, 3F, 42: what should be there is not, or not for us. */
export function isRefusal(error: unknown): boolean {
  return /^(28|3D|3F|42)/.test(databaseErrorCode(error) ?? "");
}

function refused(cause: unknown): AppError {
  return new AppError("unavailable", "The database refuses this worker.", { cause });
}
