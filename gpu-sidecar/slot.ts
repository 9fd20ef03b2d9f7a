/**
 * One process of a sidecar: a worker on one device. The supervisor starts it; alone it serves where something else
 * watches over processes: `bun gpu-sidecar/slot.ts`, with at most one device in DEVICES.
 *
 *   --slot=NAME   its name in the log; its graphics card is the only one that it sees, and is cuda:0 here
 *   --held        ends with its input
 *
 *   SIGTERM, SIGINT ── drains, exit 0        a second one ── exit 1 at once
 *   a fresh one would do better ── drains, exit 10  wrong settings, login, models or device ── exit 78
 *   what it cannot mend (models broken, a database gone for long) ── logged, exit 1
 */
import { parseArgs } from "node:util";
import postgres from "postgres";
import { SettingsError } from "../shared/config.ts";
import { workerDatabaseOptions } from "../shared/database.ts";
import { AppError } from "../shared/errors.ts";
import { createLog, describeError, type Log } from "../shared/log.ts";
import type { Tracing } from "../shared/tracing-export.ts";
import { readSidecarConfig, type SidecarConfig } from "./config.ts";
import { cudaIndex } from "./devices/choose.ts";
import { findDevices } from "./devices/find.ts";
import { exitCodes } from "./exit-codes.ts";
import { awaitEnd } from "./signals.ts";
import { startWorker } from "./start-worker.ts";
import { versions } from "./versions.ts";
import { isRefusal, type Worker } from "./worker.ts";

interface SlotArguments {
  readonly slot: string | undefined;
  readonly isHeld: boolean;
}

/** What closing the models and telling the database may take beyond the drain. */
const closingMs = 30_000;

/** Runs until it is told to end or cannot go on; answers the exit code. */
async function run(config: SidecarConfig, log: Log, { slot, isHeld }: SlotArguments): Promise<number> {
  const told = awaitEnd({
    log,
    event: "worker.signal",
    isHeld,
    onSecond: () => process.exit(exitCodes.failed),
  }).then(() => {
    limitDrain(config, log);
    return undefined;
  });
  const device = await findDevice(config, log);
  const deviceHere = slot !== undefined && cudaIndex(device) !== undefined ? "cuda:0" : device;
  const sql = postgres(config.databaseUrl, {
    ...workerDatabaseOptions,
    max: 1,
    // A connection that can listen is the server's own, and keeps what was prepared.
    prepare: config.listens,
  });
  try {
    const worker = await Promise.race([startWorker(config, { sql, log, device, deviceHere }), told]);
    if (!worker) return exitCodes.done;
    // The supervisor waits for this line.
    process.stdout.write("ready\n");
    const code = await Promise.race([told.then(() => exitCodes.done), awaitOwnEnd(worker, log)]);
    if (code !== exitCodes.done) limitDrain(config, log);
    await worker.stop();
    return code;
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/** Resolves with the exit code when the worker itself asks for the end. */
function awaitOwnEnd({ broken, renewal }: Worker, log: Log): Promise<number> {
  return Promise.race([
    broken.then((reason) => {
      log.error("worker.broken", { error: describeError(reason) });
      return exitCodes.failed;
    }),
    renewal.then((reason) => {
      log.info("worker.recycled", { reason });
      return exitCodes.recycled;
    }),
  ]);
}

/** A drain that takes too long is ended. */
function limitDrain({ drainMs }: SidecarConfig, log: Log): void {
  setTimeout(() => {
    log.error("worker.drain-took-too-long");
    process.exit(exitCodes.failed);
  }, drainMs + closingMs).unref();
}

async function findDevice(config: SidecarConfig, log: Log): Promise<string> {
  const [device, ...others] = config.devices ?? (await findDevices(config, log)).devices;
  if (device !== undefined && others.length === 0) return device;
  throw new SettingsError(["DEVICES names several; this process is for one: run bun gpu-sidecar/main.ts"]);
}

/** With what a process ends that could not start or go on. */
function judgeFailure(error: unknown): number {
  const isWrong = error instanceof SettingsError || isRefusal(error);
  const isRefused = error instanceof AppError && error.code === "invalid_request";
  return isWrong || isRefused ? exitCodes.misconfigured : exitCodes.failed;
}

function readArguments(): SlotArguments {
  const { values } = parseArgs({ options: { slot: { type: "string" }, held: { type: "boolean" } } });
  return { slot: values.slot, isHeld: values.held ?? false };
}

/** The log to stderr, each line with the name of the slot. */
function createSlotLog({ logLevel }: SidecarConfig, slot: string | undefined): Log {
  const log = createLog((line) => process.stderr.write(`${line}\n`), logLevel);
  if (slot === undefined) return log;
  const named =
    (write: Log["info"]): Log["info"] =>
    (event, details) =>
      write(event, { slot, ...details });
  return { debug: named(log.debug), info: named(log.info), warn: named(log.warn), error: named(log.error) };
}

/** Loaded only where traces go somewhere. */
async function trace({ tracing }: SidecarConfig): Promise<Tracing | undefined> {
  if (!tracing) return undefined;
  const { startTracing } = await import("../shared/tracing-export.ts");
  return startTracing({ ...tracing, service: "parlance-sidecar", version: versions.parlance ?? "" });
}

/** Settings from the environment; ends the process. */
async function runProcess(): Promise<never> {
  const given = readArguments();
  const config = readSidecarConfig();
  const log = createSlotLog(config, given.slot);
  const die = (event: string) => (error: unknown) => {
    log.error(event, { error: describeError(error) });
    process.exit(exitCodes.failed);
  };
  process.on("unhandledRejection", die("worker.unhandled-rejection"));
  process.on("uncaughtException", die("worker.uncaught-exception"));
  const tracing = await trace(config);
  try {
    const code = await run(config, log, given);
    await tracing?.stop();
    process.exit(code);
  } catch (error) {
    const code = judgeFailure(error);
    const hint =
      code === exitCodes.misconfigured ? { hint: "bun run doctor tells what this machine has" } : {};
    log.error("worker.failed", { error: describeError(error), ...hint });
    process.exit(code);
  }
}

try {
  await runProcess();
} catch (error) {
  if (!(error instanceof SettingsError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(exitCodes.misconfigured);
}
