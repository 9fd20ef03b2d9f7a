/** What was said to a model, and what it said. */
import { z } from "zod";

/** UTF-16 units of a text; what is longer is refused, not cut. */
export const textLengthMax = 200_000;

const label = (length: number) => z.string().trim().min(1).max(length);

/** Of what a call was made: everything but the two texts may be missing. */
export const NewInteraction = z
  .object({
    input: z.string().max(textLengthMax).describe("What the model was asked; may be empty."),
    output: z.string().max(textLengthMax).describe("What it answered; may be empty."),
    app: label(64)
      .default("default")
      .describe("Which of your programs asked. Rules and charts are by app and model."),
    environment: label(64).optional().describe("Such as `production`."),
    sessionId: label(200).optional().describe("Ties the interactions of one conversation together."),
    userLabel: label(200).optional().describe("Who asked, as you call them. Not an account here."),
    provider: label(64).optional(),
    model: label(128).optional(),
    inputTokens: z.int().min(0).max(1e9).optional(),
    outputTokens: z.int().min(0).max(1e9).optional(),
    latencyMs: z.number().min(0).max(1e9).optional().describe("From the call to the end of the answer."),
    costUsd: z.number().min(0).max(1e6).optional(),
    tags: z.array(label(64)).max(20).default([]),
    occurredAt: z.iso.datetime({ offset: true }).optional().describe("When the call began. Default: now."),
  })
  .strict();
export type NewInteraction = z.infer<typeof NewInteraction>;
