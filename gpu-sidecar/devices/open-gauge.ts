import type { Gauge } from "./gauge.ts";
import { openNvidiaSmi } from "./nvidia-smi.ts";
import { openNvml } from "./nvml.ts";

export interface GaugeOptions {
  /** How often nvidia-smi is to look. */
  readonly everySeconds: number;
}

/** The best gauge of this machine. Never throws: a machine without graphics cards has one that reads nothing. */
export async function openGauge({ everySeconds }: GaugeOptions): Promise<Gauge> {
  const nvml = openNvml();
  if (!("error" in nvml)) return nvml;
  const program = await openNvidiaSmi({ everySeconds });
  if (!("error" in program)) return program;
  return { source: "none", note: `${nvml.error}; ${program.error}`, read: () => [], close: () => {} };
}
