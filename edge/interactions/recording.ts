/**
 * Calls of models that Parlance itself makes enter the log: after the answer, many at once, and never at the cost of the call. What
 * cannot be written is tried once more, then counted and left out; a log that is slower than the calls loses some of them.
 *
 *   record ─▶ queue (bounded) ── a moment later ──▶ logInteractions, by owner
 */
import { AppError } from "../../shared/errors.ts";
import { createId } from "../../shared/ids.ts";
import type { NewInteraction } from "../../shared/interactions/contract.ts";
import { createTroubleLog } from "../../shared/log.ts";
import type { CallRecorder, ModelCall } from "../clients/record.ts";
import type { Deps } from "../deps.ts";
import { createGroupCheck } from "./imports/groups.ts";
import { logInteractions } from "./logging.ts";
import { toInteraction } from "./recorded-calls.ts";

export interface RecorderOptions {
  /** Calls within it are written together. */
  readonly windowMs?: number;
  readonly batchMax?: number;
  /** Of the texts of a batch, so that measuring them holds up others for a moment only. One call may have more. */
  readonly batchCharactersMax?: number;
  readonly queuedMax?: number;
  /** Of the texts that wait. */
  readonly queuedCharactersMax?: number;
  readonly retryMs?: number;
  /** How long the end of a process waits. */
  readonly settleMs?: number;
  readonly log?: typeof logInteractions;
}

interface QueuedCall {
  readonly ownerId: string | null;
  readonly interaction: NewInteraction;
  readonly characters: number;
}

const isQuota = (error: unknown) => error instanceof AppError && error.code === "quota_exceeded";

type RecorderDeps = Pick<Deps, "sql" | "now" | "log" | "keepAlive" | "ending">;

export function createRecorder(deps: RecorderDeps, options: RecorderOptions = {}): CallRecorder {
  const queue = new CallQueue(deps, options);
  return { record: (call) => queue.add(call), settle: () => queue.settle() };
}

class CallQueue {
  readonly #deps: RecorderDeps;
  readonly #options: Required<RecorderOptions>;
  readonly #warn: (doing: string, error: unknown) => void;
  #queued: QueuedCall[] = [];
  #characters = 0;
  #dropped = 0;
  #working: Promise<void> | undefined;
  #isSettling = false;
  #wake = () => {};

  constructor(deps: RecorderDeps, options: RecorderOptions) {
    this.#deps = deps;
    this.#warn = createTroubleLog(deps.log, "model-call.not-logged");
    this.#options = {
      windowMs: 250,
      batchMax: 100,
      batchCharactersMax: 500_000,
      queuedMax: 1_000,
      queuedCharactersMax: 8_000_000,
      retryMs: 1_000,
      settleMs: 10_000,
      log: logInteractions,
      ...options,
    };
    deps.ending?.addEventListener("abort", () => this.#wake());
  }

  add(call: ModelCall): void {
    try {
      const interaction = toInteraction(call);
      const characters = interaction.input.length + interaction.output.length;
      if (!this.#hasRoom(characters)) {
        this.#dropped++;
        this.#warn("keeping up", new Error("too many calls wait to be written"));
        return;
      }
      this.#characters += characters;
      this.#queued.push({ ownerId: call.ownerId ?? null, interaction, characters });
      if (!this.#working) this.#begin();
    } catch (error) {
      this.#warn("reading", error);
    }
  }

  #hasRoom(characters: number): boolean {
    const { queuedMax, queuedCharactersMax } = this.#options;
    return this.#queued.length < queuedMax && this.#characters + characters <= queuedCharactersMax;
  }

  #begin(): void {
    this.#working = this.#work();
    this.#deps.keepAlive?.(this.#working);
  }

  async #work(): Promise<void> {
    await this.#pause(this.#options.windowMs);
    while (this.#queued.length > 0) await this.#write(this.#takeBatch());
    this.#tellDropped();
    this.#working = undefined;
  }

  /** The oldest that belong to one owner. */
  #takeBatch(): QueuedCall[] {
    const { batchMax, batchCharactersMax } = this.#options;
    const ownerId = this.#queued[0]?.ownerId;
    const batch: QueuedCall[] = [];
    const left: QueuedCall[] = [];
    let room = batchCharactersMax;
    for (const call of this.#queued) {
      const fits = batch.length === 0 || (batch.length < batchMax && call.characters <= room);
      if (call.ownerId !== ownerId || !fits) left.push(call);
      else {
        batch.push(call);
        room -= call.characters;
        this.#characters -= call.characters;
      }
    }
    this.#queued = left;
    return batch;
  }

  /** A second try of what was written after all adds nothing: it bears the same id. */
  async #write(batch: readonly QueuedCall[]): Promise<void> {
    const ownerId = batch[0]?.ownerId ?? null;
    const given = batch.map(({ interaction }) => interaction);
    const operationId = createId();
    let left = given.length;
    const write = (news: readonly NewInteraction[]) => {
      left = news.length;
      return this.#options.log(this.#deps, ownerId, { news, operationId });
    };
    try {
      await write(given).catch(async (error: unknown) => {
        if (isQuota(error)) return write(await this.#leaveOutGroups(ownerId, given, error));
        await this.#pause(this.#options.retryMs);
        return write(given);
      });
    } catch (error) {
      this.#dropped += left;
      this.#warn("writing", error);
    }
  }

  /** One app, environment and model too many is no reason to lose the calls of the others. */
  async #leaveOutGroups(
    ownerId: string | null,
    news: readonly NewInteraction[],
    error: unknown,
  ): Promise<NewInteraction[]> {
    const hasGroup = await createGroupCheck(this.#deps.sql, ownerId)(news);
    const kept = news.filter((one) => hasGroup(one) === undefined);
    this.#dropped += news.length - kept.length;
    if (kept.length < news.length) this.#warn("writing", error);
    return kept;
  }

  #tellDropped(): void {
    if (this.#dropped === 0) return;
    this.#deps.log.warn("model-calls.dropped", { calls: this.#dropped });
    this.#dropped = 0;
  }

  async settle(): Promise<void> {
    this.#isSettling = true;
    this.#wake();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.#options.settleMs);
    });
    await Promise.race([this.#working, patience]);
    clearTimeout(timer);
    this.#isSettling = false;
  }

  /** Not when the process is about to end. */
  #pause(ms: number): Promise<void> {
    if (this.#deps.ending?.aborted || this.#isSettling) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
