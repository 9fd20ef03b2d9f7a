/**
 * Graphics cards read through nvidia-smi, for machines where NVML cannot be loaded. Starting it takes long, so one
 * process is kept that prints a line a card again and again; its newest lines are the reading.
 */
import { GpuReading } from "../../shared/gpu-stats.ts";
import type { Gauge, GaugeError } from "./gauge.ts";

export interface NvidiaSmiOptions {
  readonly everySeconds: number;
  /** The program: a name on the path, or a file. */
  readonly program?: string;
  /** For its first lines. Default 10,000. */
  readonly timeoutMs?: number;
  /** Milliseconds. Default the clock of the machine. */
  readonly now?: () => number;
}

/** In the order of the columns. */
const query = [
  "index",
  "uuid",
  "name",
  "driver_version",
  "memory.total",
  "memory.used",
  "utilization.gpu",
  "utilization.memory",
  "temperature.gpu",
  "power.draw",
] as const;

/** The gauge once it has read the cards for the first time, or why there is none. */
export async function openNvidiaSmi(options: NvidiaSmiOptions): Promise<Gauge | GaugeError> {
  const program = options.program ?? "nvidia-smi";
  const path = program.includes("/") ? program : Bun.which(program);
  if (!path) return { error: "nvidia-smi is not on the path" };
  const reader = new NvidiaSmiReader(path, options);
  const problem = await reader.start();
  if (problem !== undefined) return { error: `nvidia-smi: ${problem}` };
  return {
    source: "nvidia-smi",
    note: path,
    read: () => reader.read(),
    close: () => reader.close(),
  };
}

const cardsMax = 256;
const lineLengthMax = 4096;
const restartMs = 30_000;

class NvidiaSmiReader {
  readonly #path: string;
  readonly #options: NvidiaSmiOptions;
  readonly #cards = new Map<string, { reading: GpuReading; atMs: number }>();
  readonly #now: () => number;
  #child: Bun.Subprocess<"ignore", "pipe", "ignore"> | undefined;
  #startedAtMs = 0;
  #said = "";
  #isClosed = false;

  constructor(path: string, options: NvidiaSmiOptions) {
    this.#path = path;
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** Resolves after the first card, or with what was wrong. */
  async start(): Promise<string | undefined> {
    const seen = Promise.withResolvers<undefined>();
    const timeout = Promise.withResolvers<string>();
    const timer = setTimeout(
      () => timeout.resolve("it said nothing in time"),
      this.#options.timeoutMs ?? 10_000,
    );
    try {
      const ended = this.#spawn(() => seen.resolve(undefined));
      const problem = await Promise.race([seen.promise, ended, timeout.promise]);
      if (problem !== undefined) this.close();
      return problem;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Cards of which nothing was heard for three rounds are left out. */
  read(): readonly GpuReading[] {
    const nowMs = this.#now();
    if (!this.#child && !this.#isClosed && nowMs - this.#startedAtMs > restartMs) void this.#spawn(() => {});
    const oldestMs = nowMs - 3 * this.#options.everySeconds * 1000 - 1_000;
    const fresh = [...this.#cards.values()].filter(({ atMs }) => atMs >= oldestMs);
    if (fresh.length === 0) throw new Error("nvidia-smi has said nothing lately.");
    return fresh.map(({ reading }) => reading).toSorted((one, other) => one.index - other.index);
  }

  close(): void {
    this.#isClosed = true;
    this.#child?.kill("SIGKILL");
  }

  /** Resolves with the reason when the program ends. */
  async #spawn(onCard: () => void): Promise<string> {
    this.#startedAtMs = this.#now();
    const format = ["--format=csv,noheader,nounits", `--loop=${this.#options.everySeconds}`];
    try {
      this.#child = Bun.spawn([this.#path, `--query-gpu=${query.join(",")}`, ...format], {
        stdio: ["ignore", "pipe", "ignore"],
      });
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
    const child = this.#child;
    await this.#listen(child.stdout, onCard);
    const code = await child.exited;
    this.#child = undefined;
    return this.#said.trim() || `it ended with ${child.signalCode ?? code}`;
  }

  async #listen(output: ReadableStream<Uint8Array>, onCard: () => void): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const part of output) {
      const lines = (rest + decoder.decode(part, { stream: true })).split("\n");
      rest = (lines.pop() ?? "").slice(0, lineLengthMax);
      for (const line of lines) if (this.#hear(line)) onCard();
    }
    // What it says instead of cards is the reason why there are none.
    if (rest) this.#hear(rest);
  }

  #hear(line: string): boolean {
    const reading = parseNvidiaSmiLine(line);
    if (!reading) {
      if (line.trim()) this.#said = line.slice(0, 200);
      return false;
    }
    if (this.#cards.size >= cardsMax && !this.#cards.has(reading.uuid)) return false;
    this.#cards.set(reading.uuid, { reading, atMs: this.#now() });
    return true;
  }
}

/** A card of a line of CSV without units; undefined for anything else. `[N/A]` and its like are null. */
export function parseNvidiaSmiLine(line: string): GpuReading | undefined {
  const columns = line.split(",").map((column) => column.trim());
  if (columns.length !== query.length) return undefined;
  const value = (name: (typeof query)[number]) => columns[query.indexOf(name)] ?? "";
  const number = (name: (typeof query)[number]) => {
    const text = value(name);
    return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : null;
  };
  const mebibytes = (name: (typeof query)[number]) => {
    const count = number(name);
    return count === null ? null : Math.round(count * 2 ** 20);
  };
  const parsed = GpuReading.safeParse({
    index: number("index"),
    uuid: value("uuid"),
    name: value("name"),
    driver: /^[\d.]+$/.test(value("driver_version")) ? value("driver_version") : null,
    memoryTotalBytes: mebibytes("memory.total"),
    memoryUsedBytes: mebibytes("memory.used"),
    gpuPercent: number("utilization.gpu"),
    memoryPercent: number("utilization.memory"),
    temperatureCelsius: number("temperature.gpu"),
    powerWatts: number("power.draw"),
  });
  return parsed.success ? parsed.data : undefined;
}
