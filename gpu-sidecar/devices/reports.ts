/** Tells the database, every few seconds, which processes this sidecar has and what its graphics cards do. */
import { hostname } from "node:os";
import type { JSONValue, Sql } from "postgres";
import type { GpuReading, Slot } from "../../shared/gpu-stats.ts";
import { createId } from "../../shared/ids.ts";
import { describeError, type Log } from "../../shared/log.ts";
import type { Gauge } from "./gauge.ts";

export interface ReportsOptions {
  /** Logged in as `parlance_sidecar`; the caller ends it after the reports. */
  readonly sql: Sql;
  readonly gauge: Gauge;
  readonly slots: () => readonly Slot[];
  /** Why these devices. */
  readonly deviceNote: string;
  readonly everyMs: number;
  readonly log: Log;
  /** Default the name of this machine. */
  readonly host?: string;
}

export interface Reports {
  readonly id: string;
  /** Reports now, or once more after the report under way. */
  report(): Promise<void>;
  /** Takes the row of this sidecar out of the table. */
  stop(): Promise<void>;
}

/** The first report is under way when it answers. A database that is away is told of in the log, and tried again. */
export function startReports(options: ReportsOptions): Reports {
  const reports = new RepeatedReports(options);
  void reports.report();
  return reports;
}

const removeMs = 5_000;

class RepeatedReports implements Reports {
  readonly id = createId();
  readonly #options: ReportsOptions;
  readonly #timer: ReturnType<typeof setInterval>;
  #running: Promise<void> | undefined;
  #isWanted = false;
  #isStopped = false;
  /** What is wrong now, by what was being done; each is told once. */
  readonly #troubles = new Map<string, string>();

  constructor(options: ReportsOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.report(), options.everyMs);
  }

  report(): Promise<void> {
    this.#isWanted = true;
    this.#running ??= this.#work().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#timer);
    const timeout = new Promise((resolve) => setTimeout(resolve, removeMs).unref());
    await Promise.race([this.#remove(), timeout]);
  }

  async #remove(): Promise<void> {
    await this.#running;
    await this.#attempt("remove", () => removeSupervisor(this.#options.sql, this.id));
  }

  async #work(): Promise<void> {
    while (this.#isWanted && !this.#isStopped) {
      this.#isWanted = false;
      const gpus = this.#read();
      await this.#attempt("report", () => reportSupervisor(this.#options, this.id, gpus));
    }
  }

  #read(): readonly GpuReading[] {
    try {
      const gpus = this.#options.gauge.read();
      this.#troubles.delete("read");
      return gpus;
    } catch (error) {
      this.#tell("read", error);
      return [];
    }
  }

  async #attempt(doing: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
      this.#troubles.delete(doing);
    } catch (error) {
      this.#tell(doing, error);
    }
  }

  #tell(doing: string, error: unknown): void {
    const trouble = error instanceof Error ? error.message : String(error);
    if (this.#troubles.get(doing) === trouble) return;
    this.#troubles.set(doing, trouble);
    this.#options.log.warn("gpu-stats.trouble", { doing, error: describeError(error) });
  }
}

async function reportSupervisor(
  options: ReportsOptions,
  id: string,
  gpus: readonly GpuReading[],
): Promise<void> {
  const { sql, gauge, deviceNote, host = hostname() } = options;
  const slots = options.slots().map((slot): JSONValue => ({ ...slot }));
  await sql`
    select parlance.report_supervisor(
      ${id},
      ${host.slice(0, 255) || "unnamed"},
      ${gauge.source},
      ${gauge.note.slice(0, 1000)},
      ${deviceNote.slice(0, 1000)},
      ${sql.json(slots)},
      ${sql.json(gpus.map(toRow))}
    )
  `;
}

async function removeSupervisor(sql: Sql, id: string): Promise<void> {
  await sql`select parlance.remove_supervisor(${id})`;
}

/** As the columns are called. */
function toRow(gpu: GpuReading): JSONValue {
  return {
    uuid: gpu.uuid,
    index: gpu.index,
    name: gpu.name,
    driver: gpu.driver,
    memory_total_bytes: gpu.memoryTotalBytes,
    memory_used_bytes: gpu.memoryUsedBytes,
    gpu_percent: gpu.gpuPercent,
    memory_percent: gpu.memoryPercent,
    temperature_celsius: gpu.temperatureCelsius,
    power_watts: gpu.powerWatts,
  };
}
