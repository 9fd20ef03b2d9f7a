import type { Shape } from "./contender.ts";
import type { Runtime } from "./options.ts";

/** One row of the tables: a contender in one of its forms. */
export interface Entry {
  readonly name: string;
  readonly library: "bare" | "graphile-worker" | "pg-boss" | "ours";
  readonly mode: string;
  readonly runtimes: readonly Runtime[];
  /** Tried before it counts; the best one goes on. The first is what its documentation says. */
  shapes(handlers: number): Shape[];
  /** The entry whose best shape this one takes, so that the two differ in nothing else. */
  readonly shapedAs?: string;
}

const both: readonly Runtime[] = ["bun", "node"];
const bun: readonly Runtime[] = ["bun"];

/** Each once, in this order. */
const unique = (shapes: readonly Shape[]) =>
  shapes.filter(
    (shape, at) => shapes.findIndex((one) => JSON.stringify(one) === JSON.stringify(shape)) === at,
  );

const loops = (handlers: number) => unique([1, 2, 4].map((count) => ({ loops: Math.min(handlers, count) })));

const connections = (handlers: number) => unique([{ connections: 10 }, { connections: handlers + 1 }]);

/** Of its performance test; and what its release notes advise. */
const localQueues = (handlers: number) => [
  { localQueue: 500, connections: 10 },
  { localQueue: 500, connections: handlers + 1 },
  { localQueue: handlers + 1, connections: 10 },
];

const batches = (handlers: number) =>
  unique([
    { localConcurrency: 1, batchSize: 64 },
    { localConcurrency: 1, batchSize: 512 },
    { localConcurrency: Math.min(handlers, 2), batchSize: 256 },
    { localConcurrency: Math.min(handlers, 4), batchSize: 64 },
    { localConcurrency: Math.min(handlers, 16), batchSize: 16 },
  ]);

const unbatched = (): Shape[] => [
  { prefetch: 0, connections: 2 },
  { prefetch: 0, connections: 10 },
];

const prefetched = (): Shape[] => [
  { prefetch: 64, connections: 2 },
  { prefetch: 256, connections: 2 },
  { prefetch: 256, connections: 10 },
];

export const entries: readonly Entry[] = [
  { name: "bare, batches of 16", library: "bare", mode: "", runtimes: bun, shapes: loops },
  {
    name: "graphile-worker, unbatched",
    library: "graphile-worker",
    mode: "unbatched",
    runtimes: both,
    shapes: connections,
  },
  {
    name: "graphile-worker, batched",
    library: "graphile-worker",
    mode: "batched",
    runtimes: both,
    shapes: localQueues,
  },
  { name: "pg-boss, fetch", library: "pg-boss", mode: "fetch", runtimes: both, shapes: () => [{}] },
  { name: "pg-boss, work in batches", library: "pg-boss", mode: "work", runtimes: both, shapes: batches },
  { name: "ours, unbatched", library: "ours", mode: "nothing", runtimes: bun, shapes: unbatched },
  { name: "ours, prefetching", library: "ours", mode: "nothing", runtimes: bun, shapes: prefetched },
  {
    name: "ours, prefetching, landing a row",
    library: "ours",
    mode: "row",
    runtimes: bun,
    shapes: prefetched,
    shapedAs: "ours, prefetching",
  },
  {
    name: "ours, prefetching, told to an owner",
    library: "ours",
    mode: "owned",
    runtimes: bun,
    shapes: prefetched,
    shapedAs: "ours, prefetching",
  },
];

/** How each hears of a job when nothing runs. Bare claims hear nothing. */
export const waiting: readonly Omit<Entry, "shapes">[] = [
  { name: "graphile-worker, unbatched", library: "graphile-worker", mode: "unbatched", runtimes: both },
  { name: "graphile-worker, batched", library: "graphile-worker", mode: "batched", runtimes: both },
  { name: "pg-boss, notified", library: "pg-boss", mode: "work", runtimes: both },
  { name: "pg-boss, polling every 0.5 s", library: "pg-boss", mode: "polling", runtimes: bun },
  { name: "ours", library: "ours", mode: "nothing", runtimes: bun },
  { name: "ours, told to an owner", library: "ours", mode: "owned", runtimes: bun },
];

export const adding: readonly Omit<Entry, "shapes">[] = [
  { name: "bare", library: "bare", mode: "", runtimes: bun },
  { name: "graphile-worker", library: "graphile-worker", mode: "unbatched", runtimes: both },
  { name: "pg-boss", library: "pg-boss", mode: "work", runtimes: both },
  { name: "ours", library: "ours", mode: "nothing", runtimes: bun },
  { name: "ours, told to an owner", library: "ours", mode: "owned", runtimes: bun },
];
