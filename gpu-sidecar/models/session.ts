import { InferenceSession, Tensor } from "onnxruntime-node";
import { AppError } from "../../shared/errors.ts";
import type { CatalogEntry, DualEncoderFiles, ModelCard } from "./card.ts";

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
  const vision = await openSession(files.vision, options);
  const text = await openSession(files.text, options);
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
  const cuda = /^cuda(?::(\d{1,2}))?$/.exec(device);
  if (cuda) return [{ name: "cuda", deviceId: Number(cuda[1] ?? 0) }];
  throw new AppError("invalid_request", `"${device}" is no device. There is: cpu, cuda, cuda:N.`);
}

function openSession(model: Uint8Array | string, options: SessionOptions): Promise<InferenceSession> {
  const settings: InferenceSession.SessionOptions = {
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
  session: InferenceSession,
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
  const feeds = { pixel_values: new Tensor("float32", pixels, [count, 3, size, size]) };
  return run(session, feeds, count * card.dimensions);
}

async function embedTexts(
  session: InferenceSession,
  card: ModelCard,
  tokenize: DualEncoderFiles["tokenize"],
  texts: readonly string[],
): Promise<TextEmbeddings> {
  const tokens = texts.map(tokenize);
  const { tokensMax, padding, padId } = card.text;
  const longest = Math.min(tokensMax, Math.max(1, ...tokens.map((one) => one.ids.length)));
  const length = padding === "tokensMax" ? tokensMax : longest;
  const ids = new BigInt64Array(texts.length * length).fill(BigInt(padId));
  const mask = new BigInt64Array(texts.length * length);
  tokens.forEach((one, row) => {
    one.ids.slice(0, length).forEach((id, column) => {
      ids[row * length + column] = BigInt(id);
      mask[row * length + column] = 1n;
    });
  });
  const shape = [texts.length, length];
  const feeds = {
    input_ids: new Tensor("int64", ids, shape),
    attention_mask: new Tensor("int64", mask, shape),
  };
  const vectors = await run(session, feeds, texts.length * card.dimensions);
  return { vectors, knownWords: tokens.map((one) => one.knownWords) };
}

/** Feeds only what the model asks for: exported text models differ in whether they take a mask. */
async function run(
  session: InferenceSession,
  feeds: Readonly<Record<string, Tensor>>,
  lengthExpected: number,
): Promise<Float32Array> {
  const wanted = Object.fromEntries(
    Object.entries(feeds).filter(([name]) => session.inputNames.includes(name)),
  );
  const outputs = await session.run(wanted);
  const data = outputs[session.outputNames[0] ?? ""]?.data;
  if (!(data instanceof Float32Array) || data.length !== lengthExpected) {
    throw new AppError("unexpected", "The model answered with something else than vectors.");
  }
  return data;
}
