import type { EnqueueResult } from "./child.ts";
import { adding, waiting } from "./entries.ts";
import type { Field } from "./field.ts";
import { isChosen, type QueueOptions, type Runtime } from "./options.ts";

export interface Pickups {
  readonly name: string;
  readonly runtime: Runtime;
  readonly delaysMs: number[];
  readonly problems: string[];
}

/** Polling takes half a second a job. */
const pollingShare = 0.1;

/**
 * Jobs that come when nothing runs: from before the call that adds one, in a process of its own, until the handler's
 * first line. The insert and its commit are in it.
 */
export async function measurePickups(
  field: Field,
  options: QueueOptions,
  jobsEach: number,
): Promise<Pickups[]> {
  const lanes = waiting
    .filter(({ name }) => isChosen(name, options))
    .flatMap((entry) =>
      entry.runtimes
        .filter((runtime) => field.runtimes.includes(runtime))
        .map((runtime) => ({ ...entry, runtime, delaysMs: [] as number[], problems: [] as string[] })),
    );
  for (let round = 0; round < options.rounds; round += 1) {
    for (const lane of lanes) {
      const share = lane.mode === "polling" ? pollingShare : 1;
      const jobs = Math.ceil((jobsEach / options.rounds) * share);
      await pickUp(field, lane, jobs).then(
        (delaysMs) => lane.delaysMs.push(...delaysMs),
        (error) => lane.problems.push(String(error)),
      );
    }
  }
  return lanes;
}

type Lane = Pick<(typeof waiting)[number], "library" | "mode"> & { runtime: Runtime };

async function pickUp(field: Field, { library, mode, runtime }: Lane, jobs: number): Promise<number[]> {
  const worker = await field.contestant(library, runtime);
  const producer = await field.producer(library, runtime);
  await worker.ask("startPickup", { mode, shape: {} });
  // Connections are made and the first poll is over.
  await Bun.sleep(1_000);
  const delaysMs: number[] = [];
  const warmUps = mode === "polling" ? 1 : 10;
  for (let index = 0; index < warmUps + jobs; index += 1) {
    const addedAtMs = await producer.ask("addTimed", { mode, index });
    const startedAtMs = await worker.ask("awaitPickup", { index });
    if (index >= warmUps) delaysMs.push(startedAtMs - addedAtMs);
    await Bun.sleep(5 + 15 * Math.random());
  }
  await worker.ask("stopPickup", {});
  return delaysMs;
}

export interface Enqueues {
  readonly name: string;
  readonly runtime: Runtime;
  readonly results: EnqueueResult[];
  readonly problems: string[];
}

export async function measureEnqueues(
  field: Field,
  options: QueueOptions,
  counts: { ones: number; bulk: number },
): Promise<Enqueues[]> {
  const lanes = adding
    .filter(({ name }) => isChosen(name, options))
    .flatMap((entry) =>
      entry.runtimes
        .filter((runtime) => field.runtimes.includes(runtime))
        .map((runtime) => ({ ...entry, runtime, results: [] as EnqueueResult[], problems: [] as string[] })),
    );
  for (let round = 0; round < options.rounds; round += 1) {
    for (const { library, mode, runtime, results, problems } of lanes) {
      const contestant = await field.contestant(library, runtime);
      await contestant.ask("enqueue", { mode, ...counts }).then(
        (result) => results.push(result),
        (error) => problems.push(String(error)),
      );
    }
  }
  return lanes;
}
