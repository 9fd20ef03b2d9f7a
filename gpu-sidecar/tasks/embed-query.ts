import { type EmbedQueryPayload, embedQuery } from "../../shared/images/kinds.ts";
import type { EmbedQueryOutcome } from "../../shared/images/outcomes.ts";
import { defineTask, type Task } from "../../shared/jobs/kinds.ts";
import type { Inference } from "../models/inference.ts";
import type { SpaceDirectory } from "../spaces.ts";

export interface EmbedQueryOptions {
  readonly spaces: SpaceDirectory;
  readonly inference: Pick<Inference, "embedTexts">;
}

/** The vector of a search; null where the model knows no word of it. */
export function createEmbedQueryTask(options: EmbedQueryOptions): Task {
  return defineTask(embedQuery, (payload) => embed(options, payload));
}

async function embed(
  { spaces, inference }: EmbedQueryOptions,
  { spaceId, query }: EmbedQueryPayload,
): Promise<EmbedQueryOutcome> {
  const { model } = await spaces.getUsable(spaceId);
  const { vectors, knownWords } = await inference.embedTexts(model.name, [query]);
  return { spaceId, query, embedding: knownWords[0] ? [...vectors] : null };
}
