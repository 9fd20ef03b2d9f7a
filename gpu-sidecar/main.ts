/**
 * The sidecar: `bun gpu-sidecar/main.ts`, one process a slot of DEVICES, and this one, which watches over them.
 *
 *   SIGTERM, SIGINT ── every process drains, exit 0      a second one ── exit 1 at once
 *   wrong settings, login, models or device ── exit 78   a process that dies ── started again, the others go on
 *
 * With `--held` it ends with its input as at a SIGTERM.
 */
import postgres from "postgres";
import { SettingsError } from "../shared/config.ts";
import { databaseOptions } from "../shared/database.ts";
import { createLog, describeError, type Log } from "../shared/log.ts";
import { readEnvironment, readSidecarConfig, type SidecarConfig } from "./config.ts";
import { findDevices } from "./devices/find.ts";
import { openGauge } from "./devices/open-gauge.ts";
import { type ReportsOptions, startReports } from "./devices/reports.ts";
import { exitCodes } from "./exit-codes.ts";
import { awaitEnd, isHeld } from "./signals.ts";
import { spawnSlot } from "./spawn-slot.ts";
import { type SlotSupervisor, startSupervisor } from "./supervisor.ts";

/** What a process may take beyond its drain, and somewhat more. */
const closingMs = 35_000;

/** One Ctrl-C reaches this process twice: from the terminal, and again from `bun run`. */
const sameSignalMs = 1_000;

/** Runs until it is told to end or nothing can go on; answers the exit code. */
async function run(config: SidecarConfig, log: Log): Promise<number> {
  let supervisor: SlotSupervisor | undefined;
  let reports: ReturnType<typeof reportSlots> | undefined;
  const told = awaitEnd({
    log,
    event: "supervisor.signal",
    isHeld: isHeld(),
    sameSignalMs,
    onSecond: () => {
      supervisor?.kill();
      process.exit(exitCodes.failed);
    },
  });
  const gauge = await openGauge({ everySeconds: config.gpuStatsMs / 1000 });
  try {
    const choice = await findDevices(config, log, gauge);
    const environment = readEnvironment();
    const { cudaVisible, drainMs } = config;
    const slots = startSupervisor({
      devices: choice.devices,
      spawn: (slot, device, events) => spawnSlot(slot, device, { environment, cudaVisible }, events),
      log,
      drainMs: drainMs + closingMs,
      onChange: () => void reports?.report(),
    });
    supervisor = slots;
    void told.then(() => slots.stop());
    reports = reportSlots(config, { gauge, log, slots, deviceNote: choice.why });
    return await slots.ended;
  } finally {
    await reports?.close();
    gauge.close();
  }
}

/** Over a connection of its own: what the workers suffer must be told too. */
function reportSlots(
  config: SidecarConfig,
  { slots, ...options }: Pick<ReportsOptions, "gauge" | "log" | "deviceNote"> & { slots: SlotSupervisor },
): { report(): Promise<void>; close(): Promise<void> } {
  const sql = postgres(config.databaseUrl, { ...databaseOptions, max: 1 });
  const everyMs = config.gpuStatsMs;
  const reports = startReports({ ...options, sql, slots: () => slots.slots(), everyMs });
  const close = async () => {
    await reports.stop();
    await sql.end({ timeout: 5 });
  };
  return { report: () => reports.report(), close };
}

async function runProcess(): Promise<never> {
  const config = readSidecarConfig();
  const log = createLog((line) => process.stderr.write(`${line}\n`), config.logLevel);
  const die = (event: string) => (error: unknown) => {
    log.error(event, { error: describeError(error) });
    process.exit(exitCodes.failed);
  };
  process.on("unhandledRejection", die("supervisor.unhandled-rejection"));
  process.on("uncaughtException", die("supervisor.uncaught-exception"));
  process.exit(await run(config, log));
}

try {
  await runProcess();
} catch (error) {
  if (!(error instanceof SettingsError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(exitCodes.misconfigured);
}
