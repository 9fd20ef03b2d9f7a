import type { Log } from "../../shared/log.ts";
import type { SidecarConfig } from "../config.ts";
import { type Choice, chooseDevices } from "./choose.ts";
import { gatherFacts } from "./facts.ts";
import type { Gauge } from "./gauge.ts";
import { openGauge } from "./open-gauge.ts";

/** The devices of this machine that the settings name, or that are best; says in one line which and why. */
export async function findDevices(config: SidecarConfig, log: Log, gauge?: Gauge): Promise<Choice> {
  const reading = gauge ?? (await openGauge({ everySeconds: config.gpuStatsMs / 1000 }));
  try {
    const choice = chooseDevices(config.devices, gatherFacts(reading, config.cudaVisible));
    log.info("devices.chosen", { devices: choice.devices, why: choice.why });
    return choice;
  } finally {
    if (!gauge) reading.close();
  }
}
