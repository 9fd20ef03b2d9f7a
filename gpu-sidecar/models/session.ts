import { InferenceSession } from "onnxruntime-node";
import { AppError } from "../../shared/errors.ts";
import type { CatalogEntry, DualEncoderFiles, ModelCard } from "./card.ts";
import { groupByLength } from "./length-buckets.ts";
import { Tower } from "./tower.ts";

/** Where a model runs and with how many threads. */
export interface SessionOptions {
  /** `cpu`, `cuda` or `cuda:N`. */
  readonly device: string;
  /** Threads inside one run, on the processor. */
  readonly threads: number;
}

/** Vectors of texts, and how much of each text the model knew. */
export interface TextEmbeddings {
  /** Rows of unit length, one after the other. */
  readonly vectors: Float32Array;
  /** Words known, one number a text. 0: its vector says "nothing this model knows" and scores 0 with every picture. */
  readonly knownWords: readonly number[];
}

/** A loaded model. Its calls block the thread while they run, so it lives in the inference thread only. */
export interface DualEncoder {
  readonly card: ModelCard;
  embedImages(pixels: Float32Array, count: number): Promise<Float32Array>;
  embedTexts(texts: readonly string[]): Promise<TextEmbeddings>;
  release(): Promise<void>;
}

export async function openDualEncoder(entry: CatalogEntry, options: SessionOptions): Promise<DualEncoder> {
  const files = await entry.load();
  // Pictures come in few shapes, for which memory is planned ahead; texts in so many that the plans would pile up.
  const visionSession = await openSession(files.vision, options, { enableMemPattern: true });
  const textSession = await openSession(files.text, options, { enableMemPattern: false }).catch(
    async (error: unknown) => {
      await visionSession.release();
      throw error;
    },
  );
  const vision = new Tower(visionSession, entry.card, files.runsAlone?.vision);
  const text = new Tower(textSession, entry.card, files.runsAlone?.text);
  return {
    card: entry.card,
    embedImages: (pixels, count) => embedImages(vision, entry.card, pixels, count),
    embedTexts: (texts) => embedTexts(text, entry.card, files.tokenize, texts),
    release: async () => {
      await vision.release();
      await text.release();
    },
  };
}

/** Refuses a device that it does not understand; never falls back to another one by itself. */
export function providersOf(device: string): InferenceSession.ExecutionProviderConfig[] {
  if (device === "cpu") return ["cpu"];
  if (device === "webgpu") return ["webgpu"];
  const cuda = /^cuda(?::(\d{1,2}))?$/.exec(device);
  if (cuda) return [{ name: "cuda", deviceId: Number(cuda[1] ?? 0) }];
  throw new AppError("invalid_request", `"${device}" is no device. There is: cpu, webgpu, cuda:N.`);
}

function openSession(
  model: Uint8Array | string,
  options: SessionOptions,
  shapes: Pick<InferenceSession.SessionOptions, "enableMemPattern">,
): Promise<InferenceSession> {
  const settings: InferenceSession.SessionOptions = {
    ...shapes,
    executionProviders: providersOf(options.device),
    intraOpNumThreads: options.threads,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
    // Threads that spin while they wait would take the cores from the decoding of pictures.
    extra: { session: { intra_op: { allow_spinning: "0" } } },
  };
  return typeof model === "string"
    ? InferenceSession.create(model, settings)
    : InferenceSession.create(model, settings);
}

async function embedImages(
  tower: Tower,
  card: ModelCard,
  pixels: Float32Array,
  count: number,
): Promise<Float32Array> {
  const { size } = card.image;
  if (count < 1 || pixels.length !== count * 3 * size * size) {
    throw new AppError(
      "invalid_request",
      `${pixels.length} numbers are not ${count} pictures of ${card.name}.`,
    );
  }
  return tower.run(count, { pixel_values: { data: pixels, row: [3, size, size] } });
}

async function embedTexts(
  tower: Tower,
  card: ModelCard,
  tokenize: DualEncoderFiles["tokenize"],
  texts: readonly string[],
): Promise<TextEmbeddings> {
  const tokens = texts.map(tokenize);
  const knownWords = tokens.map((one) => one.knownWords);
  const lists = tokens.map((one) => one.ids);
  const groups = groupRows(lists, card, tower.runsAlone);
  const vectors = new Float32Array(texts.length * card.dimensions);
  for (const rows of groups) {
    const some = await embedTokens(
      tower,
      card,
      rows.map((row) => lists[row] ?? []),
    );
    rows.forEach((row, index) => {
      vectors.set(
        some.subarray(index * card.dimensions, (index + 1) * card.dimensions),
        row * card.dimensions,
      );
    });
  }
  return { vectors, knownWords };
}

/** Rows that run together. */
function groupRows(
  lists: readonly (readonly number[])[],
  { text }: ModelCard,
  runsAlone: boolean,
): number[][] {
  const rows = [...lists.keys()];
  if (runsAlone) return rows.map((row) => [row]);
  return text.padding === "tokensMax" ? [rows] : groupByLength(lists.map((ids) => ids.length));
}

/** Filled up to one length. Where that is always the full one, nothing is masked: the model was trained so. */
function embedTokens(
  tower: Tower,
  { text: { tokensMax, padding, padId } }: ModelCard,
  lists: readonly (readonly number[])[],
): Promise<Float32Array> {
  const isFull = padding === "tokensMax";
  const longest = Math.min(tokensMax, Math.max(1, ...lists.map((ids) => ids.length)));
  const length = isFull ? tokensMax : longest;
  const ids = new BigInt64Array(lists.length * length).fill(BigInt(padId));
  const mask = new BigInt64Array(lists.length * length).fill(isFull ? 1n : 0n);
  lists.forEach((list, row) => {
    list.slice(0, length).forEach((id, column) => {
      ids[row * length + column] = BigInt(id);
      mask[row * length + column] = 1n;
    });
  });
  const row = [length];
  return tower.run(lists.length, { input_ids: { data: ids, row }, attention_mask: { data: mask, row } });
}
