import { PixelBudget } from "../../../gpu-sidecar/image/pixel-budget.ts";
import { preparePixels } from "../../../gpu-sidecar/image/prepare.ts";
import { createPictureEmbedder } from "../../../gpu-sidecar/models/batcher.ts";
import { createInference, type Inference } from "../../../gpu-sidecar/models/inference.ts";
import { type Measured, measureRate, median, round, shareOfFreeCores } from "./measure.ts";
import type { BenchModel } from "./model.ts";

export interface StageRow {
  what: string;
  device: string;
  decodePerSecond: number;
  inferencePerSecond: number;
  limitPerSecond: number;
  perSecond: number;
  /** Median of the rounds, each against the limit of the same round. */
  shareOfLimit: number;
  /**
   * What the two sides cost together, of the cores that no other process took: the share on a machine that is not
   * quiet. Of the processor alone.
   */
  shareOfFreeCores: number | null;
  loopLagP99Ms: number;
  coreMs: number;
  foreignCores: number;
}

export interface StageOptions {
  readonly model: BenchModel;
  readonly threads: number;
  readonly seconds: number;
  readonly rounds: number;
}

/** Pictures that are under way at once, as when a space is filled: some are decoded, some run, some wait. */
const readers = 32;

/** The stage over one device: decoding alone, the model alone, both overlapped, in turns. */
export async function measureStage(
  files: { readonly what: string; readonly pictures: readonly Uint8Array[] },
  device: { readonly name: string; readonly millisecondsEach?: number },
  options: StageOptions,
): Promise<StageRow> {
  const inference = openDevice(device, options);
  const isSimulated = device.millisecondsEach !== undefined;
  try {
    await inference.ready();
    const stage = await createStage(inference, files.pictures, options.model);
    const rounds: Record<"decode" | "run" | "both", Measured>[] = [];
    // Once unmeasured, so that the size of the batches is learned.
    await measureRate(stage.run, options.seconds);
    for (let round = 0; round < options.rounds; round++) {
      const decode = await measureRate(stage.decode, options.seconds);
      const run = await measureRate(stage.run, options.seconds);
      rounds.push({ decode, run, both: await measureRate(stage.both, options.seconds) });
    }
    const limitOf = ({ decode, run }: (typeof rounds)[number]) =>
      isSimulated
        ? Math.min(decode.perSecond, run.perSecond)
        : 1 / (1 / decode.perSecond + 1 / run.perSecond);
    const middle = (pick: (one: (typeof rounds)[number]) => number) => median(rounds.map(pick));
    return {
      what: files.what,
      device: device.name,
      decodePerSecond: round(
        middle(({ decode }) => decode.perSecond),
        1,
      ),
      inferencePerSecond: round(
        middle(({ run }) => run.perSecond),
        1,
      ),
      limitPerSecond: round(middle(limitOf), 1),
      perSecond: round(
        middle(({ both }) => both.perSecond),
        1,
      ),
      shareOfLimit: round(middle((one) => one.both.perSecond / limitOf(one))),
      shareOfFreeCores: isSimulated
        ? null
        : round(middle(({ decode, run, both }) => shareOfFreeCores(both, decode.coreMs + run.coreMs))),
      loopLagP99Ms: round(
        middle(({ both }) => both.loopLagP99Ms),
        1,
      ),
      coreMs: round(
        middle(({ both }) => both.coreMs),
        1,
      ),
      foreignCores: round(Math.max(...rounds.map(({ both }) => both.foreignCores))),
    };
  } finally {
    await inference.close();
  }
}

function openDevice(
  { millisecondsEach }: { readonly millisecondsEach?: number },
  { model, threads }: StageOptions,
): Inference {
  const options = { catalog: model.catalog, modelsFolder: model.modelsFolder, preload: [model.key], threads };
  if (millisecondsEach === undefined) return createInference(options);
  process.env.BENCH_DEVICE_MS = String(millisecondsEach);
  return createInference({ ...options, threadUrl: new URL("./sleeping-device.ts", import.meta.url) });
}

async function createStage(
  inference: Inference,
  pictures: readonly Uint8Array[],
  { key, catalog }: BenchModel,
) {
  const { image } = catalog.get(key);
  const embedder = createPictureEmbedder(inference);
  const budget = new PixelBudget(100_000_000);
  let turn = 0;
  const decode = () =>
    preparePixels(pictures[turn++ % pictures.length] ?? new Uint8Array(), image, { budget });
  const ready = await decode();
  const embed = async (pixels: Float32Array) => embedder.embed(key, pixels);
  return {
    decode: { work: decode, atOnce: readers },
    run: { work: () => embed(ready), atOnce: readers },
    both: { work: async () => embed(await decode()), atOnce: readers },
  };
}
