/** What the doctor says of machines of many kinds, and of this one. */
import { describe, expect, test } from "vitest";
import { describeFindings, type Findings } from "../../../gpu-sidecar/devices/doctor.ts";

const script = new URL("../../../gpu-sidecar/devices/doctor.ts", import.meta.url).pathname;

const plain: Findings = {
  versions: { bun: "1.4.5", onnxruntime: "1.30.0" },
  bundled: ["cpu", "webgpu"],
  runtimeFolder: "/ort",
  provider: undefined,
  driverCuda: undefined,
  gauge: { source: "none", note: "no library" },
  cards: [],
  choice: { devices: ["cpu"], why: "no graphics card: no library" },
  modelsFolder: "/models",
  models: ["palette"],
};
const driver: Partial<Findings> = {
  gauge: { source: "nvml", note: "libnvidia-ml.so.1, driver 580.95" },
  cards: ["cuda:0 NVIDIA H200"],
  driverCuda: "13.0",
};
const provider: Partial<Findings> = {
  provider: { path: "/ort/libonnxruntime_providers_cuda.so", needs: ["libcublas.so.13", "libcudart.so.13"] },
};

const describeMachine = (found: Partial<Findings>) => describeFindings({ ...plain, ...found });
const nextOf = (found: Partial<Findings>) => describeMachine(found).at(-1);

test("every line of a machine with a processor alone", () => {
  expect(describeMachine({})).toEqual([
    "Bun 1.4.5, ONNX Runtime 1.30.0 with cpu, webgpu",
    "CUDA provider: not in /ort",
    "Driver: none",
    "Graphics cards: no library",
    "Models in /models: palette",
    "DEVICES: cpu: no graphics card: no library",
    "Next: bun run sidecar. For CUDA, install NVIDIA's driver where there is a card.",
  ]);
});

test("every line of a machine with everything", () => {
  const choice = { devices: ["cuda:0"], why: "all is there" };
  expect(describeMachine({ ...driver, ...provider, choice })).toEqual([
    "Bun 1.4.5, ONNX Runtime 1.30.0 with cpu, webgpu",
    "CUDA provider: /ort/libonnxruntime_providers_cuda.so, for CUDA 13 (libcublas.so.13, libcudart.so.13)",
    "Driver: libnvidia-ml.so.1, driver 580.95, CUDA up to 13.0",
    "Graphics cards:",
    "  cuda:0 NVIDIA H200",
    "Models in /models: palette",
    "DEVICES: cuda:0: all is there",
    "Next: bun run sidecar. It needs the libraries of CUDA 13 (cudart, cublas) where the system finds them.",
  ]);
});

describe("what to do next", () => {
  test("with a card and no provider is to fetch it", () => {
    expect(nextOf(driver)).toBe("Next: bun run gpu:install fetches the CUDA provider.");
  });

  test("with a driver that is older than the provider is a newer driver", () => {
    expect(nextOf({ ...driver, ...provider, driverCuda: "12.8" })).toBe(
      "Next: the driver runs CUDA 12.8 at most, the provider needs CUDA 13: a newer driver.",
    );
  });

  test("with a device named that is not there is to name another", () => {
    expect(nextOf({ ...driver, ...provider, choice: { refused: "DEVICES names cuda:9" } })).toBe(
      "Next: name other DEVICES.",
    );
  });

  test("with a provider that is no library says so", () => {
    const broken = { provider: { path: "/ort/x.so", needs: undefined } };
    expect(describeMachine({ ...driver, ...broken })[1]).toBe(
      "CUDA provider: /ort/x.so, for an unknown CUDA (not a library)",
    );
  });
});

async function run(environment: Record<string, string>) {
  const child = Bun.spawn([process.execPath, script], {
    env: { PATH: process.env.PATH ?? "", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [output, errors] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { output, errors, code: await child.exited };
}

test("on this machine it tries what it would choose, without a database", async () => {
  const { output, code } = await run({ DEVICES: "cpu" });
  expect(code).toBe(0);
  expect(output).toMatch(/^Bun .*, ONNX Runtime .* with cpu/);
  expect(output).toContain("DEVICES: cpu: DEVICES names it");
  expect(output).toMatch(/Tried: cpu runs a model; the first answer took \d+ ms\.\n$/);
});

test("it refuses settings that it does not understand", async () => {
  const { errors, code } = await run({ DEVICES: "abacus" });
  expect(code).toBe(78);
  expect(errors).toContain("DEVICES is wrong");
});
