import type { Sql } from "postgres";
import type { Log } from "../shared/log.ts";
import type { SidecarConfig } from "./config.ts";
import { proveDevice } from "./devices/prove.ts";
import { openMailer } from "./mail/open-mailer.ts";
import { openCatalog } from "./models/catalog.ts";
import { createInference } from "./models/inference.ts";
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
    // Found out before a job is claimed for it.
    await proveDevice(inference, options.device);
    return await runWorker({
      ...config,
      ...options,
      catalog,
      reopenCatalog: () => openCatalog(modelsFolder),
      inference,
      mailer: openMailer(config.mail),
      store: createPictureStore({ ...config, sizeBytesMax: config.uploadBytesMax }),
    });
  } catch (error) {
    await inference.close();
    throw error;
  }
}
