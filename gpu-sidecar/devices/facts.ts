/** What the choice of devices asks of the machine. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { DeviceFacts } from "./choose.ts";
import type { Gauge } from "./gauge.ts";

/** Where onnxruntime-node keeps the libraries of this platform. */
export function findRuntimeFolder(): string {
  const entry = fileURLToPath(import.meta.resolve("onnxruntime-node/package.json"));
  return join(dirname(entry), "bin/napi-v6", process.platform, process.arch);
}

export function findCudaProvider(folder: string): string | undefined {
  const path = join(folder, "libonnxruntime_providers_cuda.so");
  return existsSync(path) ? path : undefined;
}

export function gatherFacts(gauge: Gauge, cudaVisible: string | undefined): DeviceFacts {
  const runtimeFolder = findRuntimeFolder();
  const { gpus, gpuNote } = listGpus(gauge);
  return {
    runtimeFolder,
    hasCudaProvider: findCudaProvider(runtimeFolder) !== undefined,
    gpus,
    gpuNote,
    cudaVisible,
  };
}

function listGpus(gauge: Gauge): Pick<DeviceFacts, "gpus" | "gpuNote"> {
  try {
    return { gpus: gauge.read().map(({ name }) => name), gpuNote: gauge.note };
  } catch (error) {
    return { gpus: [], gpuNote: `${gauge.note}: ${error instanceof Error ? error.message : String(error)}` };
  }
}
