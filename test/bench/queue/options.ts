/** What `bun run bench queue` may be told. */

export type Runtime = "bun" | "node";

export interface QueueOptions {
  /** How many jobs a run has; without it, as many as take about four seconds. */
  readonly jobs?: number;
  readonly handlers: readonly number[];
  readonly rounds: number;
  /** Beginnings of the names of contenders; empty: all. */
  readonly only: readonly string[];
  /** Both where it is not said, and the faster one counts. */
  readonly runtimes: readonly Runtime[];
}

type Take = (option: string, what: string) => string | undefined;

function toNumber(text: string, option: string, [least, most]: readonly [number, number]): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least || value > most) {
    throw new Error(`${option} takes whole numbers from ${least} to ${most}`);
  }
  return value;
}

export function readQueueOptions(take: Take, quick: boolean): QueueOptions {
  const jobs = take("--jobs", "a number");
  const handlers = take("--handlers", "numbers with commas between them") ?? (quick ? "1,16" : "1,16,64");
  const rounds = take("--rounds", "a number") ?? (quick ? "1" : "3");
  const only = take("--only", "names with commas between them");
  const runtime = take("--runtime", "bun or node");
  if (runtime !== undefined && runtime !== "bun" && runtime !== "node") {
    throw new Error("--runtime takes bun or node");
  }
  return {
    ...(jobs === undefined ? {} : { jobs: toNumber(jobs, "--jobs", [100, 1_000_000]) }),
    handlers: handlers.split(",").map((text) => toNumber(text, "--handlers", [1, 256])),
    rounds: toNumber(rounds, "--rounds", [1, 20]),
    only: only === undefined ? [] : only.split(",").map((name) => name.trim()),
    runtimes: runtime === undefined ? ["bun", "node"] : [runtime],
  };
}

export function isChosen(name: string, { only }: Pick<QueueOptions, "only">): boolean {
  return only.length === 0 || only.some((beginning) => name.startsWith(beginning));
}
