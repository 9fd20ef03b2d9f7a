/**
 * Fills an embedding space in the shadow: pictures that lack a vector there are read from their smallest copies, many
 * at once, and written batch by batch, each under the claim of the job. What is killed halfway goes on where it was.
 *
 *   pass: page of pictures ─▶ read and decode ─▶ embed ─▶ batch ─▶ written with the progress
 *    └── again, until a pass finds nothing but what could not be read
 */
import type { Sql } from "postgres";
import type { ImageColour } from "../../shared/images/contract.ts";
import type { FillSpaceOutcome } from "../../shared/images/outcomes.ts";
import { type FillSpacePayload, fillSpace } from "../../shared/images/space-kinds.ts";
import { defineTask, type Task, type TaskContext } from "../../shared/jobs/kinds.ts";
import { PixelBudget } from "../image/pixel-budget.ts";
import type { PictureEmbedder } from "../models/batcher.ts";
import type { SpaceDirectory, UsableSpace } from "../spaces.ts";
import type { PictureStore } from "../storage.ts";
import {
  countLacking,
  countVectorsSince,
  type FilledPicture,
  type LackingPicture,
  listLacking,
  writeBatch,
} from "./lacking-pictures.ts";
import { isOfThePicture, readDerivative } from "./read-derivative.ts";

export interface FillOptions {
  readonly sql: Sql;
  readonly store: PictureStore;
  readonly spaces: SpaceDirectory;
  /** One with few places: a fill must not stand in the way of pictures that someone has just sent. */
  readonly embedder: PictureEmbedder;
  readonly pixelsMax: number;
  /** Pictures of one transaction. Default 32. */
  readonly batchMax?: number;
}

const pageMax = 10_000;
/** Pictures that are read or wait for the model at once, and how much memory their pixels may take. */
const readAheadMax = 32;
const readAheadBytesMax = 64 * 2 ** 20;
/** What is finished is written at least as often: a slow model does not fill a batch soon. */
const writeMs = 1_000;
const zeroId = "00000000-0000-0000-0000-000000000000";

export function createFillSpaceTask(options: FillOptions): Task {
  const budget = new PixelBudget(options.pixelsMax);
  return defineTask(fillSpace, async ({ spaceId }: FillSpacePayload, context) => {
    const space = await options.spaces.getUsable(spaceId);
    return new Fill({ ...options, budget }, space, context).run();
  });
}

class Fill {
  readonly #options: FillOptions & { readonly budget: PixelBudget };
  readonly #space: UsableSpace;
  readonly #context: TaskContext;
  /** Why each picture that could not be read could not be. */
  readonly #failures = new Map<string, string>();
  #waiting: FilledPicture[] = [];
  #writtenAtMs = Date.now();
  #added = 0;
  #coloured = 0;
  #done = 0;
  #total = 0;

  constructor(
    options: FillOptions & { readonly budget: PixelBudget },
    space: UsableSpace,
    context: TaskContext,
  ) {
    this.#options = options;
    this.#space = space;
    this.#context = context;
  }

  async run(): Promise<FillSpaceOutcome> {
    const { sql } = this.#options;
    // What earlier claims of the job have done: it began when its id was made.
    this.#done = await countVectorsSince(sql, this.#space.id, timeOfId(this.#context.job.id));
    this.#total = this.#done + (await countLacking(sql, this.#space.id));
    this.#context.reportProgress(this.#done, this.#total, this.#describe());
    while ((await this.#pass()) > 0) {}
    return {
      spaceId: this.#space.id,
      added: this.#added,
      coloured: this.#coloured,
      failures: [...this.#failures].map(([imageId, code]) => ({ imageId, code })),
    };
  }

  /** Goes through the library once; answers how many pictures it tried. */
  async #pass(): Promise<number> {
    const { sql } = this.#options;
    let tried = 0;
    for (let afterId = zeroId; ; ) {
      this.#context.signal.throwIfAborted();
      const page = await listLacking(sql, this.#space.id, { afterId, limit: pageMax });
      const untried = page.filter(({ id }) => !this.#failures.has(id));
      await this.#fillPage(untried);
      tried += untried.length;
      afterId = page.at(-1)?.id ?? afterId;
      if (page.length < pageMax) return tried;
    }
  }

  /** Several at once. Trouble that is not of one picture begins no other; what was begun is still finished and written. */
  async #fillPage(page: readonly LackingPicture[]): Promise<void> {
    const { signal } = this.#context;
    const left = page.values();
    let trouble: { readonly error: unknown } | undefined;
    const readers = Array.from({ length: Math.min(page.length, this.#readAhead()) }, async () => {
      for (const picture of left) {
        if (signal.aborted || trouble) return;
        try {
          await this.#finish(await this.#fillPicture(picture, signal));
        } catch (error) {
          trouble ??= { error };
        }
      }
    });
    await Promise.all(readers);
    signal.throwIfAborted();
    await this.#write();
    if (trouble) throw trouble.error;
  }

  async #fillPicture(picture: LackingPicture, signal: AbortSignal): Promise<FilledPicture> {
    const { store, embedder, pixelsMax, budget } = this.#options;
    const { model } = this.#space;
    const wish = { input: picture.lacksVector ? model.image : undefined, colours: picture.lacksColours };
    const filled = { id: picture.id, embedding: undefined, colours: undefined, failure: undefined };
    let colours: readonly ImageColour[] | undefined;
    try {
      const read = await readDerivative({ store, pixelsMax, budget }, picture, wish, signal);
      colours = read.colours;
      const embedding = read.pixels && (await embedder.embed(model.name, read.pixels, signal));
      if (embedding && !isUnit(embedding)) return { ...filled, colours, failure: "unexpected" };
      return { ...filled, embedding, colours };
    } catch (error) {
      if (!isOfThePicture(error)) throw error;
      return { ...filled, colours, failure: error.code };
    }
  }

  async #finish(picture: FilledPicture): Promise<void> {
    this.#waiting.push(picture);
    const isFull = this.#waiting.length >= (this.#options.batchMax ?? 32);
    if (isFull || Date.now() - this.#writtenAtMs >= writeMs) await this.#write();
  }

  async #write(): Promise<void> {
    const batch = this.#waiting;
    if (batch.length === 0) return;
    this.#waiting = [];
    this.#writtenAtMs = Date.now();
    this.#done += batch.length;
    // More may have come in than there were at the start.
    this.#total = Math.max(this.#total, this.#done);
    const { job, claim } = this.#context;
    const progress = { done: this.#done, total: this.#total, message: this.#describe() };
    const target = { claim: { id: job.id, claim }, spaceId: this.#space.id, progress };
    const written = await writeBatch(this.#options.sql, target, batch);
    this.#added += written.added;
    this.#coloured += written.coloured;
    for (const { imageId, code } of written.failures) this.#failures.set(imageId, code);
  }

  #describe(): string {
    const failed = this.#failures.size === 0 ? "" : `, ${this.#failures.size} could not be read`;
    return `filling ${this.#space.name}${failed}`;
  }

  #readAhead(): number {
    const pictureBytes = 12 * this.#space.model.image.size ** 2;
    return Math.min(readAheadMax, Math.max(2, Math.floor(readAheadBytesMax / pictureBytes)));
  }
}

/** What the table of vectors takes; a model whose numbers overflow gives something else. */
function isUnit(vector: Float32Array): boolean {
  const length = Math.hypot(...vector);
  return length > 0.9995 && length < 1.0005;
}

/** When a UUIDv7 was made. */
function timeOfId(id: string): number {
  return Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16);
}
