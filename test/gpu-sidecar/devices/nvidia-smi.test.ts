/** nvidia-smi as a program on the path that prints what the real one prints. */
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Gauge } from "../../../gpu-sidecar/devices/gauge.ts";
import { openNvidiaSmi, parseNvidiaSmiLine } from "../../../gpu-sidecar/devices/nvidia-smi.ts";
import { until } from "../../helpers/until.ts";

const h200 = "0, GPU-5d1a, NVIDIA H200, 580.95.05, 143771, 6144, 87, 31, 64, 412.35";
const slice = "1, GPU-77b0, NVIDIA A100-SXM4-40GB, 580.95.05, 40960, 812, [N/A], [N/A], 38, [N/A]";

const reading = {
  index: 0,
  uuid: "GPU-5d1a",
  name: "NVIDIA H200",
  driver: "580.95.05",
  memoryTotalBytes: 143_771 * 2 ** 20,
  memoryUsedBytes: 6_144 * 2 ** 20,
  gpuPercent: 87,
  memoryPercent: 31,
  temperatureCelsius: 64,
  powerWatts: 412.35,
};

describe("a line", () => {
  test("is a card", () => {
    expect(parseNvidiaSmiLine(h200)).toEqual(reading);
  });

  test.each(["[N/A]", "[Not Supported]", "[Unknown Error]", "N/A", ""])(
    "with %s in it is null there",
    (text) => {
      const line = h200.replace(" 87, 31, 64, 412.35", ` ${text}, ${text}, ${text}, ${text}`);
      expect(parseNvidiaSmiLine(line)).toEqual({
        ...reading,
        gpuPercent: null,
        memoryPercent: null,
        temperatureCelsius: null,
        powerWatts: null,
      });
    },
  );

  test.each([
    "",
    "No devices were found",
    "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that it runs.",
    "index, uuid, name, driver_version, memory.total [MiB], memory.used [MiB], u, m, t, p",
    "0, GPU-5d1a, NVIDIA H200",
    `${h200}, 1`,
    "[N/A], GPU-5d1a, NVIDIA H200, 580.95.05, 143771, 6144, 87, 31, 64, 412.35",
    "0, , NVIDIA H200, 580.95.05, 143771, 6144, 87, 31, 64, 412.35",
    "0, GPU-5d1a, NVIDIA H200, 580.95.05, 143771, 6144, 870, 31, 64, 412.35",
  ])("of another kind is none: %s", (line) => {
    expect(parseNvidiaSmiLine(line)).toBeUndefined();
  });
});

describe("the program", () => {
  let folder: string;
  let gauge: Gauge | undefined;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "parlance-smi-"));
  });
  afterEach(async () => {
    gauge?.close();
    gauge = undefined;
    await rm(folder, { recursive: true, force: true });
  });

  /** A program that does this; `$0.arguments` holds what it was called with. */
  async function install(body: string): Promise<string> {
    const program = join(folder, "nvidia-smi");
    await writeFile(program, `#!/bin/sh\necho "$@" >> "$0.arguments"\n${body}\n`);
    await chmod(program, 0o755);
    return program;
  }

  async function open(
    body: string,
    options: { now?: () => number; timeoutMs?: number } = {},
  ): Promise<Gauge> {
    const opened = await openNvidiaSmi({ program: await install(body), everySeconds: 5, ...options });
    if ("error" in opened) throw new Error(opened.error);
    gauge = opened;
    return opened;
  }

  const countStarts = async () =>
    (await readFile(join(folder, "nvidia-smi.arguments"), "utf8")).trimEnd().split("\n").length;

  test("is started once, told to print in a loop, and read as often as is liked", async () => {
    const smi = await open(`printf '%s\\n' '${slice}' '${h200}'; exec sleep 60`);
    expect(smi.source).toBe("nvidia-smi");
    await until("both were read", () => smi.read().length === 2);
    expect(smi.read().map(({ uuid }) => uuid)).toEqual(["GPU-5d1a", "GPU-77b0"]);
    expect(await countStarts()).toBe(1);
    const told = await readFile(join(folder, "nvidia-smi.arguments"), "utf8");
    expect(told).toContain("--query-gpu=index,uuid,name,driver_version,memory.total,memory.used,");
    expect(told).toContain("--format=csv,noheader,nounits --loop=5");
  });

  test("has its newest line for each card read", async () => {
    const newer = h200.replace("87, 31", "12, 3");
    const smi = await open(
      `echo '${h200}'; while [ ! -e "$0.go" ]; do sleep 0.02; done; echo '${newer}'; exec sleep 60`,
    );
    expect(smi.read()).toEqual([reading]);
    await writeFile(join(folder, "nvidia-smi.go"), "");
    await until("the newer line is there", () => smi.read()[0]?.gpuPercent === 12);
    expect(smi.read()).toHaveLength(1);
  });

  test("that says nothing for three rounds is an error, not an old truth", async () => {
    let nowMs = 1_000_000;
    const smi = await open(`echo '${h200}'; exec sleep 60`, { now: () => nowMs });
    nowMs += 16_000;
    expect(smi.read()).toHaveLength(1);
    nowMs += 1;
    expect(() => smi.read()).toThrow("said nothing lately");
  });

  test("that ended is started again, half a minute later at the soonest", async () => {
    let nowMs = 1_000_000;
    const smi = await open(`echo '${h200}'`, { now: () => nowMs });
    nowMs += 20_000;
    expect(() => smi.read()).toThrow();
    expect(await countStarts()).toBe(1);
    nowMs += 10_001;
    const reads = () => {
      try {
        return smi.read().length;
      } catch {
        return 0;
      }
    };
    await until("it is read again", () => reads() === 1);
    expect(await countStarts()).toBe(2);
  });

  test.each([
    ["echo 'No devices were found'; exit 6", "nvidia-smi: No devices were found"],
    [
      "printf 'NVIDIA-SMI has failed because it is not loaded.'; exit 9",
      "nvidia-smi: NVIDIA-SMI has failed because it is not loaded.",
    ],
    ["exit 9", "nvidia-smi: it ended with 9"],
  ])("that fails is no gauge, and its reason is told: %s", async (body, error) => {
    expect(await openNvidiaSmi({ program: await install(body), everySeconds: 5 })).toEqual({ error });
  });

  test("that hangs is not waited for", async () => {
    const opened = await openNvidiaSmi({
      program: await install("exec sleep 60"),
      everySeconds: 5,
      timeoutMs: 1,
    });
    expect(opened).toEqual({ error: "nvidia-smi: it said nothing in time" });
  });

  test("that is not there is no gauge", async () => {
    expect(await openNvidiaSmi({ program: "nvidia-smi-of-nobody", everySeconds: 5 })).toEqual({
      error: "nvidia-smi is not on the path",
    });
    expect(await openNvidiaSmi({ program: join(folder, "none"), everySeconds: 5 })).toHaveProperty("error");
  });
});
