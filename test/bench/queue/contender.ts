/**
 * What a queue must be able to do here. Each stands in a file of its own and runs in a process of its own, on Bun or on
 * Node, so nothing in those files needs more than Node's type stripping.
 */

/** Sizes of batches and pools, in the contender's own words. */
export type Shape = Readonly<Record<string, number>>;

export type Handle = (index: number) => Promise<void>;

export interface Work {
  /** One of the contender's forms: batched, unbatched … */
  readonly mode: string;
  /** How many jobs are handled at once. */
  readonly handlers: number;
  readonly shape: Shape;
  readonly handle: Handle;
}

export interface Contender {
  /** Makes its tables in a fresh database. */
  install(): Promise<void>;
  addOne(mode: string, index: number): Promise<unknown>;
  /** By its documented bulk call, one call; the jobs bear the numbers from `first` on. */
  addMany(mode: string, first: number, count: number): Promise<unknown>;
  /** Starts to work; the answer stops it. */
  start(work: Work): Promise<() => Promise<unknown>>;
  /** Whether a job waits or runs: one look at an index. */
  hasOpen(): Promise<boolean>;
  /** Of so many jobs added since `clear`, how many the database knows to have ended well. */
  countEnded(mode: string, added: number): Promise<number>;
  /** Statistics are fresh and nothing is left to be written when a measurement begins. */
  settle(): Promise<void>;
  clear(): Promise<void>;
  close(): Promise<void>;
}

export interface ContenderOptions {
  /** Of its own database. */
  readonly url: string;
  /** Where the packages are installed. */
  readonly home: string;
}

/** At most `atOnce` at a time, in order. */
export async function runLimited<Item>(
  items: readonly Item[],
  atOnce: number,
  run: (item: Item) => Promise<void>,
): Promise<void> {
  if (atOnce >= items.length) {
    await Promise.all(items.map(run));
    return;
  }
  const left = items.values();
  const lane = async () => {
    for (const item of left) await run(item);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}

export const range = (first: number, count: number) =>
  Array.from({ length: count }, (_, index) => first + index);
