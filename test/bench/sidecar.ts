import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import sharp from "sharp";
import { decodePicture } from "../../gpu-sidecar/image/decode.ts";
import { normalisePixels, toModelPixels } from "../../gpu-sidecar/image/pixels.ts";
import { preparePicture } from "../../gpu-sidecar/image/prepare.ts";
import { palette } from "../../gpu-sidecar/models/catalog.ts";
import { createInference, type Inference } from "../../gpu-sidecar/models/inference.ts";
import { seededRandom } from "../helpers/pictures.ts";

/** What a sidecar does with a picture and a text, step by step, on the processor, by the built-in model. */
export interface SidecarBenchRow {
  what: string;
  batch: number;
  /** Median of one call. */
  medianMs: number;
  perSecond: number;
  /** The longest that the main thread was kept from its work. */
  loopLagMaxMs: number | null;
}

const card = palette.card;
const threads = 1;

export async function benchSidecar({ quick }: { quick: boolean }): Promise<{
  settings: object;
  rows: SidecarBenchRow[];
}> {
  const seconds = quick ? 0.7 : 4;
  const inference = createInference({ models: [card.name], threads });
  try {
    await inference.ready();
    const rows = [...(await benchPictures(seconds)), ...(await benchInference(inference, seconds))];
    const loadMs = round(inference.models()[0]?.loadMs ?? 0);
    return {
      settings: { model: card.name, device: "cpu", threads, decodesAtOnce: 1, seconds, loadMs },
      rows,
    };
  } finally {
    await inference.close();
  }
}

async function benchPictures(seconds: number): Promise<SidecarBenchRow[]> {
  const rows: SidecarBenchRow[] = [];
  for (const [name, bytes] of Object.entries(await drawInputs())) {
    rows.push(await measure(`decode to 2048 px, ${name}`, 1, seconds, () => decodePicture(bytes)));
    rows.push(await measure(`prepare whole, ${name}`, 1, seconds, () => preparePicture(bytes, card.image)));
  }
  const raster = {
    data: new Uint8Array(3 * card.image.size ** 2).fill(99),
    width: card.image.size,
    height: card.image.size,
  };
  rows.push(
    await measure("normalise pixels", 1, seconds / 4, async () => normalisePixels(raster, card.image)),
  );
  const { raster: thumbnail } = await decodePicture(await camera(512, 341));
  rows.push(await measure("pixels from 512 px", 1, seconds / 2, () => toModelPixels(thumbnail, card.image)));
  return rows;
}

async function benchInference(inference: Inference, seconds: number): Promise<SidecarBenchRow[]> {
  const rows: SidecarBenchRow[] = [];
  const length = 3 * card.image.size ** 2;
  const random = seededRandom(1);
  const pixels = Float32Array.from({ length: 16 * length }, random);
  for (const batch of [1, 4, 16]) {
    const embed = () => inference.embedImages(card.name, pixels.slice(0, batch * length), batch);
    rows.push(await measure("embed pictures", batch, seconds, embed));
  }
  for (const batch of [1, 8, 64]) {
    const texts = Array.from({ length: batch }, (_, index) => `pale green and dark blue stripes ${index}`);
    rows.push(await measure("embed texts", batch, seconds / 2, () => inference.embedTexts(card.name, texts)));
  }
  return rows;
}

/** Calls one after the other for some seconds, the first one not counted. */
async function measure(
  what: string,
  batch: number,
  seconds: number,
  call: () => Promise<unknown>,
): Promise<SidecarBenchRow> {
  await call();
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const times: number[] = [];
  const startMs = performance.now();
  while (performance.now() - startMs < seconds * 1000 || times.length < 3) {
    const beforeMs = performance.now();
    await call();
    times.push(performance.now() - beforeMs);
  }
  const tookSeconds = (performance.now() - startMs) / 1000;
  delay.disable();
  const median = times.sort((left, right) => left - right)[times.length >> 1] ?? 0;
  const lag = delay.count > 0 ? round(delay.max / 1e6) : null;
  return {
    what,
    batch,
    medianMs: round(median),
    perSecond: round((times.length * batch) / tookSeconds),
    loopLagMaxMs: lag,
  };
}

async function drawInputs(): Promise<Record<string, Uint8Array>> {
  return {
    "12 MP JPEG": await camera(4000, 3000),
    "2 MP JPEG": await camera(1600, 1200),
    "2 MP WebP": await sharp(await camera(1600, 1200))
      .webp({ effort: 1 })
      .toBuffer(),
    "2 MP PNG": await sharp(await camera(1600, 1200))
      .png({ compressionLevel: 3 })
      .toBuffer(),
  };
}

/** As hard to decode as a photograph: soft shapes under fine grain. */
async function camera(width: number, height: number): Promise<Uint8Array> {
  const random = seededRandom(7);
  const small = Uint8Array.from({ length: 40 * 30 * 3 }, () => random() * 255);
  const soft = sharp(small, { raw: { width: 40, height: 30, channels: 3 } }).resize(width, height, {
    fit: "fill",
  });
  const { data } = await soft.raw().toBuffer({ resolveWithObject: true });
  for (let i = 0; i < data.length; i++)
    data[i] = Math.max(0, Math.min(255, (data[i] ?? 0) + (random() - 0.5) * 24));
  return sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 85 })
    .toBuffer();
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
