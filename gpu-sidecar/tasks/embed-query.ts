import { AppError } from "../../shared/errors.ts";
import { type EmbedQueryPayload, embedQuery } from "../../shared/images/kinds.ts";
import type { EmbedQueryOutcome } from "../../shared/images/outcomes.ts";
import { defineTask, type Task } from "../../shared/jobs/kinds.ts";
import type { ModelCard } from "../models/card.ts";
import type { Inference } from "../models/inference.ts";

export interface EmbedQueryOptions {
  readonly model: ModelCard;
  readonly inference: Pick<Inference, "embedTexts">;
}

/** The vector of a search; null where the model knows no word of it. */
export function createEmbedQueryTask(options: EmbedQueryOptions): Task {
  return defineTask(embedQuery, (payload) => embed(options, payload));
}

async function embed(
  { model, inference }: EmbedQueryOptions,
  { spaceId, query }: EmbedQueryPayload,
): Promise<EmbedQueryOutcome> {
  if (spaceId !== model.space) {
    throw new AppError(
      "conflict",
      `This worker runs ${model.name}, whose vectors are of space ${model.space}.`,
    );
  }
  const { vectors, knownWords } = await inference.embedTexts(model.name, [query]);
  return { spaceId, query, embedding: knownWords[0] ? [...vectors] : null };
}
