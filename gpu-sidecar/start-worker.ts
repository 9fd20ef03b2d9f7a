import type { Sql } from "postgres";
import { AppError } from "../shared/errors.ts";
import type { Log } from "../shared/log.ts";
import type { SidecarConfig } from "./config.ts";
import { openCatalog, palette } from "./models/catalog.ts";
import { createInference, type Inference } from "./models/inference.ts";
import { createPictureStore } from "./storage.ts";
import { runWorker, type Worker } from "./worker.ts";

export interface StartOptions {
  /** The caller ends it after the worker. */
  readonly sql: Sql;
  readonly log: Log;
  /** As it is called on this machine. */
  readonly device: string;
  /** As it is called in this process. Default the same. */
  readonly deviceHere?: string;
}

/** A worker as the settings want it, on a device that was seen to run a model. */
export async function startWorker(config: SidecarConfig, options: StartOptions): Promise<Worker> {
  const { modelsFolder, modelThreads } = config;
  const device = options.deviceHere ?? options.device;
  const catalog = await openCatalog(modelsFolder);
  const inference = createInference({ catalog, modelsFolder, device, threads: modelThreads });
  try {
    await proveDevice(inference, options.device);
    return await runWorker({
      ...config,
      ...options,
      catalog,
      inference,
      store: createPictureStore({ ...config, sizeBytesMax: config.uploadBytesMax }),
    });
  } catch (error) {
    await inference.close();
    throw error;
  }
}

/** A device that cannot run the smallest model is found out before a job is claimed for it. */
async function proveDevice(inference: Inference, device: string): Promise<void> {
  try {
    await inference.embedTexts(palette.card.name, ["red"]);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `No model can be run on ${device}: ${reason}. bun run doctor tells what this machine has.`;
    throw new AppError("invalid_request", message, { cause });
  }
}
