/** The sidecar inside the stack's own process: over PGlite, which one process alone can open. */
import type { Sql } from "postgres";
import { readSidecarConfig, type SidecarConfig } from "../../gpu-sidecar/config.ts";
import { findDevices } from "../../gpu-sidecar/devices/find.ts";
import type { Gauge } from "../../gpu-sidecar/devices/gauge.ts";
import { openGauge } from "../../gpu-sidecar/devices/open-gauge.ts";
import { startReports } from "../../gpu-sidecar/devices/reports.ts";
import { exitCodes } from "../../gpu-sidecar/exit-codes.ts";
import { startWorker } from "../../gpu-sidecar/start-worker.ts";
import { type ProcessEvents, type SlotProcess, startSupervisor } from "../../gpu-sidecar/supervisor.ts";
import { type Environment, SettingsError } from "../../shared/config.ts";
import { describeError, type Log } from "../../shared/log.ts";
import type { LocalDatabase } from "./database.ts";

export interface InProcessOptions {
  readonly database: LocalDatabase;
  readonly environment: Environment;
  readonly log: Log;
}

/** What closing the models may take beyond the drain. */
const closingMs = 30_000;

/** Answers what stops it, once the worker works; throws when it cannot. A worker that ends by itself is replaced. */
export async function runInProcess({
  database,
  environment,
  log,
}: InProcessOptions): Promise<() => Promise<void>> {
  const config = readSidecarConfig(environment);
  const gauge = await openGauge({ everySeconds: config.gpuStatsMs / 1000 });
  const { device, why } = await findDevice(config, { log, gauge });
  const sql = database.connect({ role: "parlance_sidecar", max: 1 });
  const started = Promise.withResolvers<void>();
  const supervisor = startSupervisor({
    devices: [device],
    spawn: (_slot, _device, events) =>
      new WorkerAsProcess(config, { sql, log, device }, events, (error) => {
        if (error === undefined) started.resolve();
        else started.reject(error);
      }),
    log,
    drainMs: config.drainMs + closingMs,
  });
  const slots = () => supervisor.slots();
  const reports = startReports({ sql, gauge, slots, deviceNote: why, everyMs: config.gpuStatsMs, log });
  const stop = async () => {
    supervisor.stop();
    await supervisor.ended;
    await reports.stop();
    gauge.close();
    await sql.end({ timeout: 5 });
  };
  try {
    await started.promise;
    return stop;
  } catch (error) {
    await stop();
    throw error;
  }
}

/** One device, the first where several are found. */
async function findDevice(
  config: SidecarConfig,
  { log, gauge }: { log: Log; gauge: Gauge },
): Promise<{ device: string; why: string }> {
  const { devices, why } = await findDevices(config, log, gauge);
  const [device = "cpu", ...others] = devices;
  if (others.length === 0 || config.devices === undefined) return { device, why };
  gauge.close();
  throw new SettingsError(["DEVICES names several; without DATABASE_URL there is one process, so name one"]);
}

/** A worker that looks to the supervisor like a process, as far as one can end inside another. */
class WorkerAsProcess implements SlotProcess {
  readonly pid = process.pid;
  readonly #log: Log;
  readonly #ending = Promise.withResolvers<number>();
  #end: (code: number) => void;

  constructor(
    config: SidecarConfig,
    options: { sql: Sql; log: Log; device: string },
    events: ProcessEvents,
    onStarted: (error?: unknown) => void,
  ) {
    this.#log = options.log;
    this.#end = (code) => {
      this.#end = () => {};
      events.onEnd({ code, signal: null });
    };
    this.#run(config, options, () => {
      onStarted();
      events.onReady();
    }).then(
      (code) => this.#end(code),
      (error) => {
        onStarted(error);
        this.#log.error("worker.failed", { error: describeError(error) });
        this.#end(exitCodes.failed);
      },
    );
  }

  /** Nothing can be killed inside a process; it is only waited for no longer. */
  kill(signal: "SIGTERM" | "SIGKILL"): void {
    this.#ending.resolve(exitCodes.done);
    if (signal === "SIGKILL") this.#end(exitCodes.failed);
  }

  async #run(
    config: SidecarConfig,
    options: { sql: Sql; log: Log; device: string },
    onReady: () => void,
  ): Promise<number> {
    const worker = await startWorker(config, options);
    onReady();
    const broken = worker.broken.then((reason) => {
      this.#log.error("worker.broken", { error: describeError(reason) });
      return exitCodes.failed;
    });
    const renewed = worker.renewal.then((reason) => {
      this.#log.info("worker.recycled", { reason });
      return exitCodes.recycled;
    });
    const code = await Promise.race([this.#ending.promise, broken, renewed]);
    await worker.stop();
    return code;
  }
}
