/**
 * Watches over the processes of a sidecar, one a slot.
 *
 *   starting ──ready──▶ running ──told──▶ ended
 *      │                   ├─ gives memory back (10) ──▶ starting, at once
 *      └──────died─────────┴─ died ──▶ waiting, or crash-looping ──▶ starting
 *      └─ misconfigured (78), never having run ──▶ the whole sidecar ends
 *
 * What one slot suffers does not touch the others. A slot that has run before and is now refused (a card that fell
 * off the bus) counts as dead, for the others are well.
 */
import type { Slot, SlotState } from "../shared/gpu-stats.ts";
import { describeError, type Log } from "../shared/log.ts";
import { exitCodes } from "./exit-codes.ts";
import { type Deaths, noDeaths, planRestart, wellMs } from "./restarts.ts";

export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: string | null;
}

export interface ProcessEvents {
  /** It works. */
  onReady(): void;
  onEnd(end: ProcessEnd): void;
}

export interface SlotProcess {
  readonly pid: number;
  kill(signal: "SIGTERM" | "SIGKILL"): void;
}

export interface Clock {
  nowMs(): number;
  /** Answers what calls it off. */
  after(delayMs: number, work: () => void): () => void;
}

export interface SupervisorOptions {
  /** One slot each. */
  readonly devices: readonly string[];
  /** Starts the process of a slot; may throw. */
  readonly spawn: (slot: string, device: string, events: ProcessEvents) => SlotProcess;
  readonly log: Log;
  /** For a drain; who takes longer is killed. */
  readonly drainMs: number;
  readonly clock?: Clock;
  /** In [0, 1). */
  readonly random?: () => number;
  /** Some slot is in another state than before. */
  readonly onChange?: () => void;
}

export interface SlotSupervisor {
  slots(): Slot[];
  /** Resolves with the exit code once every process is gone. */
  readonly ended: Promise<number>;
  /** Tells every process to drain; starts none again. */
  stop(): void;
  /** Ends every process at once. */
  kill(): void;
}

export const machineClock: Clock = {
  nowMs: () => performance.now(),
  after: (delayMs, work) => {
    const timer = setTimeout(work, delayMs);
    return () => clearTimeout(timer);
  },
};

export function startSupervisor(options: SupervisorOptions): SlotSupervisor {
  return new Slots(options);
}

/** `cpu`, `cuda:1`; from the second one on a device, `cpu#2`, `cpu#3`. */
export function nameSlots(devices: readonly string[]): { slot: string; device: string }[] {
  const counts = new Map<string, number>();
  return devices.map((device) => {
    const count = (counts.get(device) ?? 0) + 1;
    counts.set(device, count);
    return { slot: count === 1 ? device : `${device}#${count}`, device };
  });
}

class Slots implements SlotSupervisor {
  readonly ended: Promise<number>;
  readonly #slots: readonly WatchedSlot[];
  readonly #options: SupervisorOptions;
  readonly #clock: Clock;
  readonly #end: (code: number) => void;
  #isStopping = false;
  #code: number = exitCodes.done;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#clock = options.clock ?? machineClock;
    const { promise, resolve } = Promise.withResolvers<number>();
    this.ended = promise;
    this.#end = resolve;
    this.#slots = nameSlots(options.devices).map(
      ({ slot, device }) =>
        new WatchedSlot(slot, device, options, {
          clock: this.#clock,
          onEnded: (code) => this.#hearEnd(code),
        }),
    );
    for (const slot of this.#slots) slot.start();
  }

  slots(): Slot[] {
    return this.#slots.map((slot) => slot.describe());
  }

  stop(): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    for (const slot of this.#slots) slot.stop();
    const cancel = this.#clock.after(this.#options.drainMs, () => {
      this.#options.log.error("supervisor.drain-took-too-long");
      this.#code = exitCodes.failed;
      this.kill();
    });
    void this.ended.then(cancel);
  }

  kill(): void {
    this.stop();
    for (const slot of this.#slots) slot.kill();
  }

  #hearEnd(code: number): void {
    if (this.#code === exitCodes.done) this.#code = code;
    if (code === exitCodes.misconfigured) this.stop();
    if (this.#slots.every((slot) => slot.isEnded)) this.#end(this.#code);
  }
}

class WatchedSlot {
  readonly #slot: string;
  readonly #device: string;
  readonly #options: SupervisorOptions;
  readonly #clock: Clock;
  readonly #onEnded: (code: number) => void;
  #state: SlotState = "starting";
  #process: SlotProcess | undefined;
  #deaths: Deaths = noDeaths;
  #deathsEver = 0;
  #lastEnd: string | null = null;
  #hasRun = false;
  #isStopping = false;
  #cancelTimer = () => {};

  constructor(
    slot: string,
    device: string,
    options: SupervisorOptions,
    owner: { clock: Clock; onEnded: (code: number) => void },
  ) {
    this.#slot = slot;
    this.#device = device;
    this.#options = options;
    this.#clock = owner.clock;
    this.#onEnded = owner.onEnded;
  }

  get isEnded(): boolean {
    return this.#state === "ended";
  }

  describe(): Slot {
    return {
      slot: this.#slot,
      device: this.#device,
      state: this.#state,
      deaths: this.#deathsEver,
      lastEnd: this.#lastEnd,
    };
  }

  start(): void {
    if (!this.#deaths.isLooping) this.#enter("starting");
    let isReady = false;
    const events: ProcessEvents = {
      onReady: () => {
        isReady = true;
        this.#hearReady();
      },
      onEnd: (end) => this.#hearEnd(end, isReady),
    };
    try {
      this.#process = this.#options.spawn(this.#slot, this.#device, events);
      this.#options.log.info("slot.started", { slot: this.#slot, pid: this.#process.pid });
    } catch (error) {
      this.#options.log.error("slot.not-started", { slot: this.#slot, error: describeError(error) });
      this.#die("it could not be started");
    }
  }

  stop(): void {
    this.#isStopping = true;
    this.#cancelTimer();
    if (this.#process) this.#process.kill("SIGTERM");
    else if (!this.isEnded) this.#finish(exitCodes.done);
  }

  kill(): void {
    this.#process?.kill("SIGKILL");
  }

  #hearReady(): void {
    this.#hasRun = true;
    if (!this.#deaths.isLooping) this.#enter("running");
    this.#cancelTimer = this.#clock.after(wellMs, () => {
      if (this.#deaths.isLooping) this.#options.log.info("slot.recovered", { slot: this.#slot });
      this.#deaths = noDeaths;
      this.#enter("running");
    });
  }

  #hearEnd(end: ProcessEnd, wasReady: boolean): void {
    this.#process = undefined;
    this.#cancelTimer();
    if (this.#isStopping) {
      // One that was told before it could listen ends by the signal itself.
      const isDone = [exitCodes.done, exitCodes.recycled].some((code) => code === end.code);
      this.#finish(isDone || end.signal === "SIGTERM" ? exitCodes.done : exitCodes.failed);
    } else if (end.code === exitCodes.recycled && wasReady) {
      this.#options.log.info("slot.recycled", { slot: this.#slot });
      this.start();
    } else if (end.code === exitCodes.misconfigured && !this.#hasRun) {
      this.#options.log.error("slot.misconfigured", { slot: this.#slot });
      this.#finish(exitCodes.misconfigured);
    } else {
      this.#die(end.signal ?? `exit code ${end.code}`);
    }
  }

  /** Told once when it becomes a loop; every single death is told anyway. */
  #die(how: string): void {
    const wasLooping = this.#deaths.isLooping;
    const random = (this.#options.random ?? Math.random)();
    const plan = planRestart(this.#deaths, { nowMs: this.#clock.nowMs(), random });
    this.#deaths = plan.deaths;
    this.#deathsEver += 1;
    this.#lastEnd = how;
    const told = { slot: this.#slot, ended: how, restartMs: plan.restartMs };
    this.#options.log.error("slot.died", told);
    if (this.#deaths.isLooping && !wasLooping) {
      const message = `The process of ${this.#slot} dies again and again. It is tried once a minute from now on.`;
      this.#options.log.error("slot.crash-loop", { slot: this.#slot, message });
    }
    this.#enter(this.#deaths.isLooping ? "crash-looping" : "waiting");
    this.#cancelTimer = this.#clock.after(plan.restartMs, () => this.start());
  }

  #finish(code: number): void {
    this.#enter("ended");
    this.#onEnded(code);
  }

  #enter(state: SlotState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#options.onChange?.();
  }
}
