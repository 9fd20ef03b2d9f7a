/**
 * The process of one contender, `child.ts CONTENDER URL HOME POSTMASTER`: a line of JSON in is a command, a line of JSON
 * out its answer. Commands come one at a time.
 */
import { createInterface } from "node:readline";
import type { Contender, ContenderOptions, Handle, Shape } from "./contender.ts";
import { type Cost, type CpuSample, costBetween, sampleCpu } from "./cpu.ts";

export interface RunCommand {
  readonly mode: string;
  readonly handlers: number;
  readonly workMs: number;
  readonly jobs: number;
  readonly shape: Shape;
}

export interface RunResult {
  /** Jobs that were counted: those after the warm-up. */
  readonly jobs: number;
  readonly cost: Cost;
  /** What a handler's work took, of which `workMs` was asked. */
  readonly workMeanMs: number;
  /** How many were not handled exactly once, and how many the database does not know to have ended. */
  readonly mishandled: number;
  readonly unacknowledged: number;
}

export interface EnqueueResult {
  readonly sequentialPerSecond: number;
  readonly concurrentPerSecond: number;
  readonly bulkPerSecond: number;
}

export interface Commands {
  install: { given: Record<string, never>; answer: null };
  run: { given: RunCommand; answer: RunResult };
  enqueue: { given: { mode: string; ones: number; bulk: number }; answer: EnqueueResult };
  startPickup: { given: { mode: string; shape: Shape }; answer: null };
  /** Adds one job; answers when it was about to. */
  addTimed: { given: { mode: string; index: number }; answer: number };
  /** Answers when the handler's first line ran, once the job is acknowledged. */
  awaitPickup: { given: { index: number }; answer: number };
  stopPickup: { given: Record<string, never>; answer: null };
  close: { given: Record<string, never>; answer: null };
}

/** Share of the jobs of a run that warm up what is measured with the rest. */
const warmShare = 0.1;
const bulkCallJobs = 5_000;
const atOnce = 16;

const nowMs = () => performance.timeOrigin + performance.now();
const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

async function openContender(name: string, options: ContenderOptions): Promise<Contender> {
  if (name === "bare") return (await import("./bare.ts")).openBare(options);
  if (name === "graphile-worker") return (await import("./graphile-worker.ts")).openGraphileWorker(options);
  if (name === "pg-boss") return (await import("./pg-boss.ts")).openPgBoss(options);
  return (await import("./ours.ts")).openOurs(options);
}

class Child {
  readonly #contender: Contender;
  readonly #postmaster: number;
  readonly #picked = new Map<number, number>();
  #stopPickup: (() => Promise<unknown>) | undefined;

  constructor(contender: Contender, postmaster: number) {
    this.#contender = contender;
    this.#postmaster = postmaster;
  }

  install = () => this.#contender.install();

  async run({ mode, handlers, workMs, jobs, shape }: RunCommand): Promise<RunResult> {
    const contender = this.#contender;
    await contender.clear();
    await this.#addAll(mode, jobs);
    await contender.settle();
    const counter = countHandled(jobs, workMs, this.#postmaster);
    const stop = await contender.start({ mode, handlers, shape, handle: counter.handle });
    await counter.allHandled;
    while (await contender.hasOpen()) await sleep(2);
    const measured = counter.finish();
    await stop();
    const ended = await contender.countEnded(mode, jobs);
    await contender.clear();
    return { ...measured, unacknowledged: jobs - ended };
  }

  async enqueue({ mode, ones, bulk }: Commands["enqueue"]["given"]): Promise<EnqueueResult> {
    const contender = this.#contender;
    const add = (index: number) => contender.addOne(mode, index);
    await contender.clear();
    await addOnes(add, 100, atOnce);
    const sequentialPerSecond = await addOnes(add, ones, 1);
    const concurrentPerSecond = await addOnes(add, ones, atOnce);
    await contender.clear();
    await contender.addMany(mode, 0, bulkCallJobs);
    await contender.settle();
    const startedAtMs = performance.now();
    await this.#addAll(mode, bulk);
    const bulkPerSecond = (bulk / (performance.now() - startedAtMs)) * 1000;
    await contender.clear();
    return { sequentialPerSecond, concurrentPerSecond, bulkPerSecond };
  }

  async startPickup({ mode, shape }: Commands["startPickup"]["given"]): Promise<void> {
    await this.#contender.clear();
    const handle = async (index: number) => void this.#picked.set(index, nowMs());
    this.#stopPickup = await this.#contender.start({ mode, handlers: 1, shape, handle });
  }

  async addTimed({ mode, index }: Commands["addTimed"]["given"]): Promise<number> {
    const atMs = nowMs();
    await this.#contender.addOne(mode, index);
    return atMs;
  }

  async awaitPickup({ index }: Commands["awaitPickup"]["given"]): Promise<number> {
    while (!this.#picked.has(index) || (await this.#contender.hasOpen())) await sleep(2);
    return this.#picked.get(index) ?? Number.NaN;
  }

  async stopPickup(): Promise<void> {
    await this.#stopPickup?.();
    this.#picked.clear();
  }

  close = () => this.#contender.close();

  async #addAll(mode: string, count: number): Promise<void> {
    for (let first = 0; first < count; first += bulkCallJobs) {
      await this.#contender.addMany(mode, first, Math.min(bulkCallJobs, count - first));
    }
  }
}

async function addOnes(
  add: (index: number) => Promise<unknown>,
  count: number,
  lanes: number,
): Promise<number> {
  let next = 0;
  const startedAtMs = performance.now();
  const lane = async () => {
    while (next < count) await add(next++);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return (count / (performance.now() - startedAtMs)) * 1000;
}

/** A handler that knows each job, and takes the time from when it is warm. */
function countHandled(jobs: number, workMs: number, postmaster: number) {
  const timesHandled = new Uint8Array(jobs);
  const warmAt = Math.floor(jobs * warmShare);
  let [started, handled, workedMs] = [0, 0, 0];
  let warm: CpuSample | undefined;
  let finished: () => void = () => {};
  const allHandled = new Promise<void>((resolve) => {
    finished = resolve;
  });
  const handle: Handle = async (index) => {
    if (started++ === warmAt) warm = sampleCpu(postmaster);
    timesHandled[index] = (timesHandled[index] ?? 0) + 1;
    if (workMs > 0) {
      const startedAtMs = performance.now();
      await sleep(workMs);
      workedMs += performance.now() - startedAtMs;
    }
    if (++handled === jobs) finished();
  };
  return {
    handle,
    allHandled,
    finish() {
      if (!warm) throw new Error("No job was handled.");
      return {
        jobs: jobs - warmAt,
        cost: costBetween(warm, sampleCpu(postmaster)),
        workMeanMs: workedMs / jobs,
        mishandled: timesHandled.reduce((sum, times) => sum + (times === 1 ? 0 : 1), 0),
      };
    },
  };
}

const [name = "", url = "", home = "", postmaster = "0"] = process.argv.slice(2);
const child = new Child(await openContender(name, { url, home }), Number(postmaster));
for await (const line of createInterface({ input: process.stdin })) {
  const { command, given } = JSON.parse(line) as { command: keyof Commands; given: never };
  const reply = await child[command](given).then(
    (answer) => ({ answer: answer ?? null }),
    (error: unknown) => ({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
  console.log(JSON.stringify(reply));
  if (command === "close") break;
}
process.exit(0);
