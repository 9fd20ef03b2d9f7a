import {
  type EmbedPictureOutcome,
  type EmbedPicturePayload,
  embedPicture,
} from "../../shared/images/picture-queries.ts";
import { defineTask, type Task, type TaskContext } from "../../shared/jobs/kinds.ts";
import { PixelBudget } from "../image/pixel-budget.ts";
import { preparePixels } from "../image/prepare.ts";
import type { Inference } from "../models/inference.ts";
import type { SpaceDirectory } from "../spaces.ts";
import type { PictureStore } from "../storage.ts";

export interface EmbedPictureOptions {
  readonly store: Pick<PictureStore, "get">;
  readonly spaces: SpaceDirectory;
  readonly inference: Pick<Inference, "embedImages">;
  /** Width times height of a picture, and of all that are decoded for searches at the same time. */
  readonly pixelsMax: number;
}

/** The vector of a picture that is searched by; nothing of the picture itself is kept. */
export function createEmbedPictureTask(options: EmbedPictureOptions): Task {
  const budget = new PixelBudget(options.pixelsMax);
  return defineTask(embedPicture, (payload, context) => embed({ ...options, budget }, payload, context));
}

async function embed(
  { store, spaces, inference, pixelsMax, budget }: EmbedPictureOptions & { readonly budget: PixelBudget },
  { spaceId, path }: EmbedPicturePayload,
  { signal }: TaskContext,
): Promise<EmbedPictureOutcome> {
  const { model } = await spaces.getUsable(spaceId);
  const bytes = await store.get(path, signal);
  signal.throwIfAborted();
  const pixels = await preparePixels(bytes, model.image, { pixelsMax, budget });
  signal.throwIfAborted();
  const embedding = await inference.embedImages(model.name, pixels, 1, { isUrgent: true, signal });
  return { spaceId, embedding: [...embedding] };
}
