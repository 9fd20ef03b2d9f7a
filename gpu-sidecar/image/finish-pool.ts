import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { AppError } from "../../shared/errors.ts";
import { costOf, type Finishing, finish } from "./finish.ts";
import type { FinishReply, FinishRequest } from "./finish-thread.ts";

/**
 * Threads that make rasters into numbers, some milliseconds each, so that the main thread stays free for what must not
 * wait. They are started when there is work for them, as many as there are cores, and hold no process alive.
 */
interface Thread {
  readonly worker: Worker;
  readonly pending: Map<number, PromiseWithResolvers<Float32Array>>;
}

/** Cheaper than the way to a thread and back. */
const costHere = 300_000;
/** One is worked on, one lies ready. */
const pendingMax = 2;
const timeoutMs = 30_000;
const threadsMax = availableParallelism();

const threads = new Set<Thread>();
const waiting: (() => void)[] = [];
let requests = 0;

export async function finishPixels(finishing: Finishing): Promise<Float32Array> {
  if (costOf(finishing) <= costHere) return finish(finishing);
  const thread = await chooseThread();
  return ask(thread, finishing);
}

/** The one with the least to do; a new one rather than a busy one. */
async function chooseThread(): Promise<Thread> {
  for (;;) {
    const [idlest] = [...threads].sort((left, right) => left.pending.size - right.pending.size);
    if (idlest && (idlest.pending.size === 0 || threads.size >= threadsMax)) {
      if (idlest.pending.size < pendingMax) return idlest;
      await new Promise<void>((resolve) => waiting.push(resolve));
      continue;
    }
    return startThread();
  }
}

function startThread(): Thread {
  const worker = new Worker(new URL("./finish-thread.ts", import.meta.url));
  const thread: Thread = { worker, pending: new Map() };
  const fail = (cause: unknown) => {
    threads.delete(thread);
    for (const { reject } of thread.pending.values()) reject(failed(cause));
    thread.pending.clear();
    waiting.shift()?.();
  };
  worker.on("message", (reply: FinishReply) => {
    const asked = thread.pending.get(reply.id);
    thread.pending.delete(reply.id);
    if (thread.pending.size === 0) worker.unref();
    if ("pixels" in reply) asked?.resolve(reply.pixels);
    else asked?.reject(failed(reply.message));
    waiting.shift()?.();
  });
  worker.on("error", fail);
  worker.on("exit", (code) => fail(`exit code ${code}`));
  threads.add(thread);
  return thread;
}

async function ask(thread: Thread, finishing: Finishing): Promise<Float32Array> {
  const id = ++requests;
  const answer = Promise.withResolvers<Float32Array>();
  thread.pending.set(id, answer);
  thread.worker.ref();
  thread.worker.postMessage({ id, finishing } satisfies FinishRequest);
  const timer = setTimeout(() => thread.worker.terminate(), timeoutMs);
  return answer.promise.finally(() => clearTimeout(timer));
}

function failed(cause: unknown): AppError {
  return new AppError("unexpected", "The picture could not be made into numbers.", {
    cause,
    retryable: true,
  });
}
