/**
 * Graphics cards read through NVML, the library that comes with the driver. Names and layouts are those of NVIDIA's
 * nvml.h; a value that a card does not have (a MIG slice has no utilisation) is null.
 */
import { CString, dlopen, type FFIFunction, type Pointer, ptr, read } from "bun:ffi";
import type { GpuReading } from "../../shared/gpu-stats.ts";
import type { Gauge, GaugeError } from "./gauge.ts";

const deviceOut = { args: ["ptr", "ptr"], returns: "i32" } as const;
const deviceText = { args: ["ptr", "ptr", "u32"], returns: "i32" } as const;

/** The functions that are called, all of them answering 0 for success. */
export const nvmlSymbols = {
  nvmlInit_v2: { args: [], returns: "i32" },
  nvmlShutdown: { args: [], returns: "i32" },
  nvmlErrorString: { args: ["i32"], returns: "ptr" },
  nvmlSystemGetDriverVersion: { args: ["ptr", "u32"], returns: "i32" },
  nvmlSystemGetCudaDriverVersion_v2: { args: ["ptr"], returns: "i32" },
  nvmlDeviceGetCount_v2: { args: ["ptr"], returns: "i32" },
  nvmlDeviceGetHandleByIndex_v2: { args: ["u32", "ptr"], returns: "i32" },
  nvmlDeviceGetName: deviceText,
  nvmlDeviceGetUUID: deviceText,
  nvmlDeviceGetMemoryInfo: deviceOut,
  nvmlDeviceGetUtilizationRates: deviceOut,
  nvmlDeviceGetTemperature: { args: ["ptr", "u32", "ptr"], returns: "i32" },
  nvmlDeviceGetPowerUsage: deviceOut,
} as const satisfies Record<string, FFIFunction>;

export type Nvml = ReturnType<typeof dlopen<typeof nvmlSymbols>>["symbols"];

const libraryName = "libnvidia-ml.so.1";

/** The gauge, or why there is none: no library, no driver, no right to ask. */
export function openNvml(load: () => Nvml = loadLibrary): Gauge | GaugeError {
  let nvml: Nvml;
  try {
    nvml = load();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return {
      error: /symbol/i.test(reason) ? `${libraryName} lacks a function` : `${libraryName} is not here`,
    };
  }
  const status = nvml.nvmlInit_v2();
  if (status !== 0) return { error: `NVML: ${describeStatus(nvml, status)}` };
  const driver = readText(80, (text, length) => nvml.nvmlSystemGetDriverVersion(text, length));
  return {
    source: "nvml",
    note: `${libraryName}, driver ${driver ?? "unknown"}`,
    cudaVersion: readCudaVersion(nvml),
    read: () => readCards(nvml, driver),
    close: () => {
      nvml.nvmlShutdown();
    },
  };
}

function loadLibrary(): Nvml {
  return dlopen(libraryName, nvmlSymbols).symbols;
}

function readCards(nvml: Nvml, driver: string | null): GpuReading[] {
  const count = new Uint32Array(1);
  const status = nvml.nvmlDeviceGetCount_v2(ptr(count));
  if (status !== 0) throw new Error(`NVML cannot count the cards: ${describeStatus(nvml, status)}`);
  return Array.from({ length: count[0] ?? 0 }, (_, index) => readCard(nvml, index, driver)).filter(
    (card) => card !== undefined,
  );
}

/** Undefined for a card that fell off the bus. */
function readCard(nvml: Nvml, index: number, driver: string | null): GpuReading | undefined {
  const handle = new BigUint64Array(1);
  if (nvml.nvmlDeviceGetHandleByIndex_v2(index, ptr(handle)) !== 0) return undefined;
  const card = read.ptr(ptr(handle)) as Pointer;
  const uuid = readText(96, (text, length) => nvml.nvmlDeviceGetUUID(card, text, length));
  if (uuid === null) return undefined;
  // nvmlMemory_t: total, free, used.
  const memory = new BigUint64Array(3);
  const hasMemory = nvml.nvmlDeviceGetMemoryInfo(card, ptr(memory)) === 0;
  // nvmlUtilization_t: gpu, memory.
  const use = new Uint32Array(2);
  const hasUse = nvml.nvmlDeviceGetUtilizationRates(card, ptr(use)) === 0;
  const milliwatts = readNumber((out) => nvml.nvmlDeviceGetPowerUsage(card, out));
  return {
    index,
    uuid,
    name: readText(96, (text, length) => nvml.nvmlDeviceGetName(card, text, length)) ?? "unknown",
    driver,
    memoryTotalBytes: hasMemory ? Number(memory[0]) : null,
    memoryUsedBytes: hasMemory ? Number(memory[2]) : null,
    gpuPercent: hasUse ? toPercent(use[0]) : null,
    memoryPercent: hasUse ? toPercent(use[1]) : null,
    // Sensor 0 is the one on the chip.
    temperatureCelsius: readNumber((out) => nvml.nvmlDeviceGetTemperature(card, 0, out)),
    powerWatts: milliwatts === null ? null : milliwatts / 1000,
  };
}

/** Some drivers answer nonsense right after a reset. */
function toPercent(value: number | undefined): number | null {
  return value !== undefined && value <= 100 ? value : null;
}

function readNumber(ask: (out: Pointer) => number): number | null {
  const out = new Uint32Array(1);
  return ask(ptr(out)) === 0 ? (out[0] ?? null) : null;
}

function readText(length: number, ask: (text: Pointer, length: number) => number): string | null {
  const text = new Uint8Array(length);
  if (ask(ptr(text), length) !== 0) return null;
  const end = text.indexOf(0);
  return new TextDecoder().decode(text.subarray(0, end < 0 ? length : end));
}

/** 13000 is 13.0. */
function readCudaVersion(nvml: Nvml): string | undefined {
  const version = readNumber((out) => nvml.nvmlSystemGetCudaDriverVersion_v2(out));
  return version === null ? undefined : `${Math.floor(version / 1000)}.${Math.floor((version % 1000) / 10)}`;
}

function describeStatus(nvml: Nvml, status: number): string {
  const text = nvml.nvmlErrorString(status);
  return text ? String(new CString(text)) : `status ${status}`;
}
