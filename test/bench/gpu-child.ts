/** Embeds on one device, `bun test/bench/gpu-child.ts DEVICE FOLDER MODEL`, and prints a line of JSON for each measure. */
import { openCatalog } from "../../gpu-sidecar/models/catalog.ts";
import { openDualEncoder } from "../../gpu-sidecar/models/session.ts";

export interface GpuRate {
  readonly what: string;
  readonly batch: number;
  readonly perSecond: number;
}

const secondsEach = 3;

if (import.meta.main) {
  const [device = "cpu", folder, name = ""] = process.argv.slice(2);
  const catalog = await openCatalog(folder);
  const model = await openDualEncoder(catalog.entry(name), { device, threads: 1 });
  const length = 3 * model.card.image.size ** 2;
  for (const batch of [1, 4, 16, 64, 256]) {
    const pixels = new Float32Array(batch * length).fill(0.5);
    await print("pictures", batch, () => model.embedImages(pixels, batch));
  }
  for (const batch of [1, 8, 64, 256]) {
    const texts = Array.from({ length: batch }, (_, index) => `a dog runs along the beach at dusk ${index}`);
    await print("texts", batch, () => model.embedTexts(texts));
  }
  await model.release();
}

/** Calls one after the other; the first ones, in which the device finds its kernels, are not counted. */
async function print(what: string, batch: number, call: () => Promise<unknown>): Promise<void> {
  for (let warm = 0; warm < 3; warm++) await call();
  const startMs = performance.now();
  let calls = 0;
  while (performance.now() - startMs < secondsEach * 1000) {
    await call();
    calls += 1;
  }
  const seconds = (performance.now() - startMs) / 1000;
  const rate: GpuRate = { what, batch, perSecond: Math.round((calls * batch) / seconds) };
  console.log(JSON.stringify(rate));
}
