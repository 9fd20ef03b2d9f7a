import { describe, expect, test } from "vitest";
import {
  chooseDevices,
  cudaIndex,
  type DeviceFacts,
  isolateDevice,
  listVisible,
} from "../../../gpu-sidecar/devices/choose.ts";
import { SettingsError } from "../../../shared/config.ts";

const nothing: DeviceFacts = {
  runtimeFolder: "/ort",
  hasCudaProvider: false,
  gpus: [],
  gpuNote: "no library",
  cudaVisible: undefined,
};
const two: DeviceFacts = { ...nothing, hasCudaProvider: true, gpus: ["H200", "H200"], gpuNote: "NVML" };

describe("without DEVICES", () => {
  test.each<[string, Partial<DeviceFacts>, string[], string]>([
    ["nothing at all", {}, ["cpu"], "no graphics card: no library"],
    ["a provider and no card", { hasCudaProvider: true }, ["cpu"], "no graphics card: no library"],
    [
      "a card and no provider",
      { gpus: ["H200"] },
      ["cpu"],
      "no CUDA provider in /ort; graphics cards: 1 found; run bun run gpu:install",
    ],
    [
      "both",
      { gpus: ["H200"], hasCudaProvider: true },
      ["cuda:0"],
      "ONNX Runtime has its CUDA provider, and graphics cards: 1 found",
    ],
    [
      "two cards",
      two,
      ["cuda:0", "cuda:1"],
      "ONNX Runtime has its CUDA provider, and graphics cards: 2 found",
    ],
    [
      "one of two to be seen",
      { ...two, cudaVisible: "1" },
      ["cuda:0"],
      "ONNX Runtime has its CUDA provider, and graphics cards: 2 found",
    ],
    [
      "cards that are hidden",
      { ...two, cudaVisible: "" },
      ["cpu"],
      "CUDA_VISIBLE_DEVICES hides every graphics card",
    ],
  ])("a machine with %s", (_what, facts, devices, why) => {
    expect(chooseDevices(undefined, { ...nothing, ...facts })).toEqual({ devices, why });
  });

  test("WebGPU is never chosen: who wants it names it", () => {
    for (const facts of [nothing, two])
      expect(chooseDevices(undefined, facts).devices).not.toContain("webgpu");
    expect(chooseDevices(["webgpu"], nothing)).toEqual({ devices: ["webgpu"], why: "DEVICES names it" });
  });
});

describe("a named device", () => {
  test.each([[["cpu"]], [["cpu", "cpu"]], [["cuda:1", "cuda:0", "cuda:1", "cpu"]]])(
    "%j is taken as it is",
    (named) => {
      expect(chooseDevices(named, two).devices).toEqual(named);
    },
  );

  test.each<[string[], Partial<DeviceFacts>, string]>([
    [
      ["cuda:0"],
      nothing,
      "DEVICES names cuda:0, but there is no CUDA provider in /ort: run bun run gpu:install, or name cpu",
    ],
    [
      ["cuda:0"],
      { hasCudaProvider: true },
      "DEVICES names cuda:0, but no graphics card was found: no library",
    ],
    [["cuda:2"], two, "DEVICES names cuda:2, but CUDA sees 2 cards"],
    [["cpu", "cuda:1"], { ...two, cudaVisible: "0" }, "DEVICES names cuda:1, but CUDA sees one card, cuda:0"],
  ])("%j that cannot be had is refused with what is missing, never replaced", (named, facts, problem) => {
    const choose = () => chooseDevices(named, { ...nothing, ...facts });
    expect(choose).toThrow(SettingsError);
    expect(choose).toThrow(problem);
  });

  test("named twice is refused once, two are refused together", () => {
    try {
      chooseDevices(["cuda:2", "cuda:2", "cuda:3"], two);
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({
        problems: [expect.stringContaining("cuda:2"), expect.stringContaining("cuda:3")],
      });
    }
  });
});

test.each([
  [undefined, ["0", "1"]],
  ["0", ["0"]],
  ["1,0", ["1", "0"]],
  [" 1 , 0 ", ["1", "0"]],
  ["", []],
  ["-1", []],
  ["0,-1,1", ["0"]],
  ["0,7,1", ["0"]],
  ["GPU-5d1a,MIG-2f0c", ["GPU-5d1a", "MIG-2f0c"]],
])("of two cards, CUDA_VISIBLE_DEVICES=%s shows %j", (cudaVisible, visible) => {
  expect(listVisible({ gpus: ["a", "b"], cudaVisible })).toEqual(visible);
});

test.each([
  ["cpu", undefined, undefined],
  ["webgpu", "1", undefined],
  ["cuda:1", undefined, "1"],
  ["cuda:0", "3", "3"],
  ["cuda:1", "3, GPU-5d1a", "GPU-5d1a"],
])("a process on %s of CUDA_VISIBLE_DEVICES=%s sees %s alone", (device, cudaVisible, seen) => {
  expect(isolateDevice(device, cudaVisible)).toEqual(
    seen === undefined ? {} : { CUDA_VISIBLE_DEVICES: seen, CUDA_DEVICE_ORDER: "PCI_BUS_ID" },
  );
});

test.each([
  ["cuda:0", 0],
  ["cuda:12", 12],
  ["cpu", undefined],
  ["webgpu", undefined],
  ["cuda", undefined],
])("the number of %s is %s", (device, index) => {
  expect(cudaIndex(device)).toBe(index);
});
