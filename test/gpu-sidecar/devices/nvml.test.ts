/** NVML as the driver answers it: a library of the same functions and layouts, compiled by Bun itself. */
import { cc } from "bun:ffi";
import { beforeEach, expect, test } from "vitest";
import { type Nvml, nvmlSymbols, openNvml } from "../../../gpu-sidecar/devices/nvml.ts";

const { symbols } = cc({
  source: new URL("../../fixtures/gpu/nvml-stub.c", import.meta.url).pathname,
  symbols: {
    ...nvmlSymbols,
    stub_set: { args: ["i32", "i32", "i32"], returns: "i32" },
    stub_use: { args: ["u32"], returns: "i32" },
    stub_opened: { args: [], returns: "i32" },
  },
});
const load = (): Nvml => symbols;

const ok = 0;
const noneLost = -1;
beforeEach(() => {
  symbols.stub_set(ok, 2, noneLost);
});

function open() {
  const gauge = openNvml(load);
  if ("error" in gauge) throw new Error(gauge.error);
  return gauge;
}

const card = {
  index: 0,
  uuid: "GPU-5d1a",
  name: "NVIDIA H200",
  driver: "580.95.05",
  memoryTotalBytes: 150_754_820_096,
  memoryUsedBytes: 6_442_450_944,
  gpuPercent: 87,
  memoryPercent: 31,
  temperatureCelsius: 64,
  powerWatts: 412.345,
};

test("every card is read, and what one does not have is null", () => {
  const gauge = open();
  expect(gauge.source).toBe("nvml");
  expect(gauge.note).toBe("libnvidia-ml.so.1, driver 580.95.05");
  expect(gauge.cudaVersion).toBe("13.2");
  expect(gauge.read()).toEqual([
    card,
    {
      ...card,
      index: 1,
      uuid: "MIG-2f0c",
      name: "NVIDIA H200 MIG 1g.18gb",
      memoryUsedBytes: 1,
      gpuPercent: null,
      memoryPercent: null,
      temperatureCelsius: 38,
      powerWatts: null,
    },
  ]);
  gauge.close();
});

test("a card that fell off the bus is left out, with the others where they were", () => {
  const gauge = open();
  symbols.stub_set(ok, 2, 0);
  expect(gauge.read().map(({ index }) => index)).toEqual([1]);
  gauge.close();
});

test("a share beyond all is none", () => {
  const gauge = open();
  symbols.stub_use(4_000);
  expect(gauge.read()[0]).toMatchObject({ gpuPercent: null, memoryPercent: 31 });
  symbols.stub_use(87);
  gauge.close();
});

test("a driver that does not answer any more is an error of the reading", () => {
  const gauge = open();
  symbols.stub_set(ok, -1, noneLost);
  expect(() => gauge.read()).toThrow("NVML cannot count the cards: Unknown Error");
  gauge.close();
});

test("a machine with the library and no card reads none", () => {
  const gauge = open();
  symbols.stub_set(ok, 0, noneLost);
  expect(gauge.read()).toEqual([]);
  gauge.close();
});

test("a library without its driver is no gauge, and says so", () => {
  symbols.stub_set(9, 2, noneLost);
  expect(openNvml(load)).toEqual({ error: "NVML: Driver Not Loaded" });
});

test("a machine without the library is no gauge, and says so", () => {
  const none = (): Nvml => {
    throw new Error("cannot open shared object file");
  };
  expect(openNvml(none)).toEqual({ error: "libnvidia-ml.so.1 is not here" });
});

test("an old library without a function that is needed is no gauge, and says so", () => {
  const old = (): Nvml => {
    throw new Error('Symbol "nvmlDeviceGetPowerUsage" not found');
  };
  expect(openNvml(old)).toEqual({ error: "libnvidia-ml.so.1 lacks a function" });
});

test("what was opened is closed", () => {
  const before = symbols.stub_opened();
  const gauge = open();
  expect(symbols.stub_opened()).toBe(before + 1);
  gauge.close();
  expect(symbols.stub_opened()).toBe(before);
});
