import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BatchBuffers } from "../../../gpu-sidecar/models/inference-buffers.ts";
import { PictureLines } from "../../../gpu-sidecar/models/inference-lines.ts";
import { batchSizes, Pace } from "../../../gpu-sidecar/models/inference-pace.ts";
import { judgeTrouble } from "../../../gpu-sidecar/models/inference-trouble.ts";
import { groupByLength } from "../../../gpu-sidecar/models/length-buckets.ts";

/** Runs as many pictures as the pace takes, for as long as told; answers [size, time] of each run. */
function drive(pace: Pace, timeOf: (size: number, run: number) => number, runs: number): [number, number][] {
  return Array.from({ length: runs }, (_, run) => {
    const size = pace.take(1_000);
    const tookMs = timeOf(size, run);
    pace.learn(size, tookMs);
    return [size, tookMs];
  });
}

const device = fc.record({
  callMs: fc.double({ min: 0, max: 60, noNaN: true }),
  eachMs: fc.double({ min: 0.05, max: 80, noNaN: true }),
});

describe("the size of a batch", () => {
  test("never takes longer than the budget, on any device that is not too slow for one", () => {
    fc.assert(
      fc.property(device, ({ callMs, eachMs }) => {
        const timeOf = (size: number) => callMs + size * eachMs;
        const runs = drive(new Pace(), timeOf, 200);
        for (const [size, tookMs] of runs) expect(size === 1 || tookMs <= 150).toBe(true);
        const best = batchSizes.findLast((size) => timeOf(size) <= 150 && 2 * timeOf(size / 2) <= 150) ?? 1;
        expect(runs.at(-1)?.[0]).toBeGreaterThanOrEqual(best);
      }),
    );
  });

  test("stays under 200 ms on a device whose times vary by a tenth", () => {
    const seeds = fc.array(fc.double({ min: 0.9, max: 1.1, noNaN: true }), {
      minLength: 400,
      maxLength: 400,
    });
    fc.assert(
      fc.property(device, seeds, ({ callMs, eachMs }, noise) => {
        const timeOf = (size: number, run: number) => (callMs + size * eachMs) * (noise[run] ?? 1);
        for (const [size, tookMs] of drive(new Pace(), timeOf, 200)) {
          expect(size === 1 || tookMs <= 200).toBe(true);
        }
      }),
    );
  });

  test("begins with one and is not misled by first runs that warm the device up", () => {
    const seen = new Set<number>();
    const timeOf = (size: number) => (seen.has(size) ? 5 + size : seen.add(size) && 900);
    const sizes = drive(new Pace(), timeOf, 40).map(([size]) => size);
    expect(sizes[0]).toBe(1);
    expect(sizes.at(-1)).toBe(64);
  });

  test("shrinks when the device becomes slower, and grows again when it is quick", () => {
    const pace = new Pace();
    drive(pace, (size) => 10 * size, 30);
    expect(pace.size).toBe(8);
    drive(pace, (size) => 60 * size, 20);
    expect(pace.size).toBeLessThanOrEqual(2);
    drive(pace, (size) => 10 * size, 200);
    expect(pace.size).toBe(8);
  });

  test("is never again what was too much for the memory", () => {
    const pace = new Pace();
    drive(pace, () => 1, 30);
    expect(pace.take(1000)).toBe(64);
    pace.forbid(32);
    drive(pace, () => 1, 300);
    expect(pace.size).toBe(16);
    pace.forbid(1);
    expect(pace.size).toBe(1);
  });

  test("is one of few, and no more than wait", () => {
    const pace = new Pace();
    drive(pace, () => 1, 30);
    expect([1, 2, 3, 5, 9, 63, 64, 65].map((waiting) => pace.take(waiting))).toEqual([
      1, 2, 2, 4, 8, 32, 64, 64,
    ]);
  });
});

describe("pictures that wait", () => {
  const picture = (value: number) => ({
    pixels: Float32Array.of(value),
    resolve: () => {},
    reject: () => {},
  });

  test("of several models take turns, and a full line does not starve another", () => {
    const lines = new PictureLines();
    const taken: string[] = [];
    for (let index = 0; index < 40; index++) lines.add("busy", picture(index), index);
    lines.add("quiet", picture(0), 0);
    // The first run stands still; each further one is asked for while one runs.
    for (let run = 0; run < 4; run++) taken.push(lines.next(1_000, 1_000, run > 0)?.model ?? "nothing");
    expect(taken.indexOf("quiet")).toBeLessThanOrEqual(1);
    expect(taken.filter((model) => model === "busy").length).toBeGreaterThanOrEqual(2);
  });

  test("wait for a full batch while something runs, and for no longer than told when nothing does", () => {
    const lines = new PictureLines();
    const pace = lines.paceOf("any");
    drive(pace, () => 1, 30);
    lines.add("any", picture(1), 100);
    expect(lines.next(200, 200, true)).toBeUndefined();
    expect(lines.next(99, 104, false)).toBeUndefined();
    expect(lines.next(100, 105, false)?.pictures).toHaveLength(1);
    expect(lines.length).toBe(0);
  });

  test("are taken out once", () => {
    const lines = new PictureLines();
    const one = picture(1);
    lines.add("any", one, 0);
    expect([lines.remove("any", one), lines.remove("any", one), lines.length]).toEqual([true, false, 0]);
  });
});

test("the arrays of batches are used again, three at most", () => {
  const buffers = new BatchBuffers();
  const large = buffers.take(64);
  buffers.give(large);
  const small = buffers.take(8);
  expect(small).toHaveLength(8);
  expect(small.buffer).toBe(large.buffer);
  buffers.give(small);
  expect(buffers.take(64).buffer).toBe(large.buffer);
  const given = Array.from({ length: 5 }, () => new Float32Array(4));
  for (const pixels of given) buffers.give(pixels);
  const again = given.map(() => buffers.take(4).buffer);
  expect(given.filter(({ buffer }) => again.includes(buffer))).toHaveLength(3);
});

test.each([
  [
    "memory",
    "bfc_arena.cc:376 void* onnxruntime::BFCArena::AllocateRawInternal(size_t, bool) Failed to allocate memory for requested buffer of size 8388608000",
  ],
  [
    "memory",
    "BFCArena::AllocateRawInternal Available memory of 1048576 is smaller than requested bytes of 939524096",
  ],
  [
    "memory",
    "CUDA failure 2: out of memory ; GPU=0 ; hostname=a ; file=cuda_allocator.cc ; line=48 ; expr=cudaMalloc((void**)&p, size);",
  ],
  ["memory", "CUDA error cudaErrorMemoryAllocation:out of memory"],
  ["memory", "CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED ; GPU=0 ; expr=cublasCreate(&cublas_handle_);"],
  ["memory", "std::bad_alloc"],
  [
    "device",
    "CUDA failure 700: an illegal memory access was encountered ; GPU=0 ; expr=cudaStreamSynchronize(stream_);",
  ],
  ["device", "CUDA failure 719: unspecified launch failure ; GPU=0"],
  ["device", "CUBLAS failure 13: CUBLAS_STATUS_EXECUTION_FAILED ; GPU=0"],
  ["device", "CUDNN failure 5000: CUDNN_STATUS_EXECUTION_FAILED ; GPU=0"],
  ["device", "WebGPU device lost (1): the driver was reset"],
  [
    undefined,
    "Got invalid dimensions for input: pixel_values for the following indices index: 2 Got: 225 Expected: 224",
  ],
  [
    undefined,
    "Failed to load library libonnxruntime_providers_cuda.so with error: cannot open shared object file",
  ],
])("the judgement is %s of: %s", (trouble, message) => {
  expect(judgeTrouble(message)).toBe(trouble);
});

test("texts run with texts of about their length", () => {
  expect(groupByLength([3, 16, 17, 77, 5, 64, 32])).toEqual([[0, 1, 4], [2, 6], [3], [5]]);
  expect(groupByLength([])).toEqual([]);
});
