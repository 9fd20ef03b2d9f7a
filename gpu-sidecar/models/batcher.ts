import type { Inference } from "./inference.ts";

/** One picture in, one vector out; pictures of several callers travel together. */
export interface PictureEmbedder {
  /** `pixels` is handed over: the caller does not touch it afterwards. An abort takes out a picture that still waits. */
  embed(model: string, pixels: Float32Array, signal?: AbortSignal): Promise<Float32Array>;
}

export interface EmbedderOptions {
  /** Pictures handed to the inference at once; the others wait for their turn. Default 192: three full batches. */
  readonly aheadMax?: number;
}

/** Waits for room where the inference would refuse. The vector of a picture does not depend on who travels with it. */
export function createPictureEmbedder(
  inference: Pick<Inference, "embedImages">,
  { aheadMax = 192 }: EmbedderOptions = {},
): PictureEmbedder {
  const turns: (() => void)[] = [];
  let ahead = 0;
  return {
    async embed(model, pixels, signal) {
      if (ahead >= aheadMax) await new Promise<void>((resolve) => turns.push(resolve));
      else ahead += 1;
      try {
        signal?.throwIfAborted();
        return await inference.embedImages(model, pixels, 1, { signal });
      } finally {
        // Whoever comes next takes the place over.
        const next = turns.shift();
        if (next) next();
        else ahead -= 1;
      }
    },
  };
}
