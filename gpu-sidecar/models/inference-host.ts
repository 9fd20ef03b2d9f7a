import { performance } from "node:perf_hooks";
import { AppError } from "../../shared/errors.ts";
import { joinArrays } from "../math/vectors.ts";
import type {
  Asked,
  InferenceAnswers,
  InferenceReply,
  InferenceRequest,
  LoadedModel,
  PictureVectors,
  RunFailure,
} from "./inference-messages.ts";
import { judgeTrouble } from "./inference-trouble.ts";
import type { DualEncoder, TextEmbeddings } from "./session.ts";

export interface HostOptions {
  /** Called before anything is loaded; what it throws fails the start. */
  readonly start: (request: InferenceRequest & { kind: "start" }) => Promise<void>;
  readonly open: (model: string) => Promise<DualEncoder>;
  readonly device: () => string;
  readonly reply: (reply: InferenceReply) => void;
  /** Milliseconds. */
  readonly clock?: () => number;
}

/** Texts of several callers in one run. */
const textsMax = 32;

/**
 * What the inference thread does with what it hears: one run after the other, because a run blocks the thread.
 *
 *   urgent: loads, texts, single pictures ─▶ first          texts of one model that wait together ─▶ one run
 *   bulk:   batches of pictures           ─▶ when nothing urgent is heard
 *
 * So a text waits for the run that is on, and for no other bulk. A model is loaded when it is first needed. A run that
 * finds too little memory is tried once more as two halves.
 */
export class InferenceHost {
  readonly #options: HostOptions;
  readonly #clock: () => number;
  readonly #models = new Map<string, DualEncoder>();
  readonly #urgent: Asked[] = [];
  readonly #bulk: Asked[] = [];
  #working: Promise<void> | undefined;

  constructor(options: HostOptions) {
    this.#options = options;
    this.#clock = options.clock ?? (() => performance.now());
  }

  hear(asked: Asked): void {
    const { request } = asked;
    const isBulk = request.kind === "images" && !request.isUrgent;
    (isBulk ? this.#bulk : this.#urgent).push(asked);
    this.#working ??= this.#work();
  }

  async #work(): Promise<void> {
    for (;;) {
      // What was said during the last run is heard before the next one is chosen.
      await new Promise(setImmediate);
      const asked = this.#urgent.shift() ?? this.#bulk.shift();
      if (!asked) break;
      await this.#answer(asked);
    }
    this.#working = undefined;
  }

  async #answer(asked: Asked): Promise<void> {
    const { request } = asked;
    const together = request.kind === "texts" ? this.#joinTexts(asked, request) : [asked];
    const error = await this.#tryAnswer(together);
    if (error === undefined) return;
    const isOfAll = together.length === 1 || error instanceof LoadFailure || judgeTrouble(String(error));
    if (isOfAll) return this.#fail(together, error);
    // Callers that were put together do not fail for each other.
    for (const one of together) {
      const ofThisOne = await this.#tryAnswer([one]);
      if (ofThisOne !== undefined) this.#fail([one], ofThisOne);
    }
  }

  /** Answers them all, or says why that could not be. */
  async #tryAnswer(together: readonly Asked[]): Promise<unknown> {
    try {
      const values = await this.#run(together);
      together.forEach(({ id }, index) => {
        this.#options.reply({ id, value: values[index] });
      });
      return undefined;
    } catch (error) {
      return error;
    }
  }

  #fail(together: readonly Asked[], error: unknown): void {
    const failed = error instanceof LoadFailure ? [...together, ...this.#withdraw(error.model)] : together;
    const failure = toFailure(error);
    for (const { id } of failed) this.#options.reply({ id, error: failure });
  }

  /** One request, or texts of several for one model. */
  async #run(together: readonly Asked[]): Promise<InferenceAnswers[InferenceRequest["kind"]][]> {
    const request = together[0]?.request;
    switch (request?.kind) {
      case undefined:
        return [];
      case "start":
        await this.#options.start(request);
        return [undefined];
      case "load":
        await this.#encoder(request.model);
        return [undefined];
      case "images":
        return [await this.#embedImages(await this.#encoder(request.model), request)];
      case "texts":
        return this.#embedTexts(await this.#encoder(request.model), together);
      case "release":
        for (const model of this.#models.values()) await model.release();
        this.#models.clear();
        return [undefined];
    }
  }

  async #encoder(name: string): Promise<DualEncoder> {
    const loaded = this.#models.get(name);
    if (loaded) return loaded;
    const startMs = this.#clock();
    const encoder = await this.#options.open(name).catch((cause: unknown) => {
      throw new LoadFailure(name, cause);
    });
    this.#models.set(name, encoder);
    const { dimensions } = encoder.card;
    const model: LoadedModel = {
      name,
      dimensions,
      device: this.#options.device(),
      loadMs: this.#clock() - startMs,
    };
    this.#options.reply({ loaded: model });
    return encoder;
  }

  async #embedImages(
    encoder: DualEncoder,
    { pixels, count }: InferenceRequest & { kind: "images" },
  ): Promise<PictureVectors> {
    const startMs = this.#clock();
    const each = pixels.length / count;
    let isHalved = false;
    const parts = await runOrHalve(count, async (start, end) => {
      isHalved ||= end - start < count;
      return encoder.embedImages(pixels.subarray(start * each, end * each), end - start);
    });
    return { vectors: joinArrays(parts), tookMs: this.#clock() - startMs, isHalved, pixels };
  }

  async #embedTexts(encoder: DualEncoder, together: readonly Asked[]): Promise<TextEmbeddings[]> {
    const texts = together.map(({ request }) => (request.kind === "texts" ? request.texts : []));
    const all = texts.flat();
    const parts = await runOrHalve(all.length, (start, end) => encoder.embedTexts(all.slice(start, end)));
    const vectors = joinArrays(parts.map((part) => part.vectors));
    const knownWords = parts.flatMap((part) => part.knownWords);
    const { dimensions } = encoder.card;
    let start = 0;
    return texts.map(({ length }) => {
      const from = start;
      start += length;
      return {
        vectors: vectors.slice(from * dimensions, start * dimensions),
        knownWords: knownWords.slice(from, start),
      };
    });
  }

  /** Texts for the same model that wait already, as many as fit into one run. */
  #joinTexts(first: Asked, { model, texts }: InferenceRequest & { kind: "texts" }): Asked[] {
    const together = [first];
    let count = texts.length;
    for (let index = 0; index < this.#urgent.length; ) {
      const asked = this.#urgent[index];
      const isOther = asked?.request.kind !== "texts" || asked.request.model !== model;
      if (!asked || isOther || count + textsOf(asked) > textsMax) {
        index += 1;
        continue;
      }
      count += textsOf(asked);
      together.push(asked);
      this.#urgent.splice(index, 1);
    }
    return together;
  }

  /** Takes out what waits for a model that cannot be loaded. */
  #withdraw(model: string): Asked[] {
    const needs = ({ request }: Asked) => "model" in request && request.model === model;
    return [this.#urgent, this.#bulk].flatMap((queue) => {
      const withdrawn = queue.filter(needs);
      queue.splice(0, queue.length, ...queue.filter((asked) => !needs(asked)));
      return withdrawn;
    });
  }
}

function textsOf({ request }: Asked): number {
  return request.kind === "texts" ? request.texts.length : 0;
}

/** All at once; where memory does not suffice, once more as two halves. */
async function runOrHalve<Part>(
  count: number,
  run: (start: number, end: number) => Promise<Part>,
): Promise<Part[]> {
  try {
    return [await run(0, count)];
  } catch (error) {
    if (count < 2 || judgeTrouble(String(error)) !== "memory") throw error;
    const half = Math.ceil(count / 2);
    return [await run(0, half), await run(half, count)];
  }
}

class LoadFailure extends Error {
  readonly model: string;

  constructor(model: string, cause: unknown) {
    super(`The model "${model}" could not be loaded.`, { cause });
    this.model = model;
  }
}

/** What the house said itself keeps its words; of the runtime's words only the judgement is told. */
function toFailure(error: unknown): RunFailure {
  const model = error instanceof LoadFailure ? error.model : undefined;
  const cause = error instanceof LoadFailure ? error.cause : error;
  const detail = cause instanceof Error ? cause.message : String(cause);
  if (cause instanceof AppError) {
    const { code, message, retryable } = cause;
    return { code, message, isRetryable: retryable, detail, model, trouble: undefined };
  }
  const trouble = judgeTrouble(detail);
  // Too little memory for one more model is no harm to those that are loaded.
  if (model !== undefined && trouble === "memory") {
    const message = `There is not enough memory for the model "${model}".`;
    return { code: "unavailable", message, isRetryable: true, detail, model, trouble: undefined };
  }
  const message = error instanceof LoadFailure ? error.message : "The run of the model failed.";
  return { code: "unexpected", message, isRetryable: true, detail, model, trouble };
}
