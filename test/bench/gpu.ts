/**
 * `bun run bench gpu`: a full-size ViT-B/32 on the graphics card, in a process of its own, watched from here. Where
 * there is no card or no provider for it, the one row says "not run" and why.
 */
import { fileURLToPath } from "node:url";
import { chooseDevices } from "../../gpu-sidecar/devices/choose.ts";
import { gatherFacts } from "../../gpu-sidecar/devices/facts.ts";
import type { Gauge } from "../../gpu-sidecar/devices/gauge.ts";
import { openGauge } from "../../gpu-sidecar/devices/open-gauge.ts";
import type { GpuRate } from "./gpu-child.ts";
import { openBenchModel } from "./sidecar/model.ts";

interface GpuRow {
  what: string;
  batch: number | null;
  perSecond: number | "not run";
  /** Share of the time in which the card computed, and its memory in use, as its driver tells. */
  computes: string | null;
  memoryMiB: number | null;
}

export async function benchGpu({ quick }: { quick: boolean }): Promise<{ settings: object; rows: GpuRow[] }> {
  const gauge = await openGauge({ everySeconds: 1 });
  try {
    const { devices, why } = chooseDevices(undefined, gatherFacts(gauge, undefined));
    const device = devices.find((one) => one.startsWith("cuda"));
    const settings = { provider: device ?? "none", why, gauge: gauge.source };
    if (device === undefined) return { settings, rows: [emptyRow("pictures"), emptyRow("texts")] };
    return { settings: { ...settings, model: "ViT-B/32, fp32" }, rows: await watch(gauge, device, quick) };
  } finally {
    gauge.close();
  }
}

function emptyRow(what: string): GpuRow {
  return { what, batch: null, perSecond: "not run", computes: null, memoryMiB: null };
}

/** Memory before, what each measure took, memory when the process is gone. */
async function watch(gauge: Gauge, device: string, quick: boolean): Promise<GpuRow[]> {
  const index = Number(device.slice("cuda:".length));
  const read = () => gauge.read().find((card) => card.index === index);
  const memory = (what: string): GpuRow => {
    const bytes = read()?.memoryUsedBytes ?? null;
    return {
      ...emptyRow(what),
      perSecond: 0,
      memoryMiB: bytes === null ? null : Math.round(bytes / 2 ** 20),
    };
  };
  const rows = [memory("before the process")];
  const model = await openBenchModel(quick);
  const child = Bun.spawn(
    [
      process.execPath,
      fileURLToPath(new URL("./gpu-child.ts", import.meta.url)),
      device,
      model.modelsFolder,
      model.key,
    ],
    { stdio: ["ignore", "pipe", "inherit"], timeout: 300_000 },
  );
  let samples: NonNullable<ReturnType<typeof read>>[] = [];
  const timer = setInterval(() => samples.push(...[read()].filter((one) => one !== undefined)), 100);
  for await (const line of readLines(child.stdout)) {
    const rate = JSON.parse(line) as GpuRate;
    const computing = samples.flatMap(({ gpuPercent }) => gpuPercent ?? []);
    const used = samples.flatMap(({ memoryUsedBytes }) => memoryUsedBytes ?? []);
    rows.push({
      ...rate,
      computes: computing.length > 0 ? `${Math.round(mean(computing))} %` : null,
      memoryMiB: used.length > 0 ? Math.round(Math.max(...used) / 2 ** 20) : null,
    });
    samples = [];
  }
  clearInterval(timer);
  if ((await child.exited) !== 0) throw new Error("the process on the graphics card failed");
  return [...rows, memory("after the process")];
}

async function* readLines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of stream.pipeThrough(
    new TextDecoderStream() as never,
  ) as unknown as AsyncIterable<string>) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
