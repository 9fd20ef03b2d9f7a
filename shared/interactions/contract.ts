/** What was said to a model, and what it said. */
import { z } from "zod";
import { InteractionAlert } from "./alerts.ts";
import { Time } from "./times.ts";

/** UTF-16 units of a text; what is longer is refused, not cut. */
export const textLengthMax = 200_000;

const labelPattern = /^[^\p{Cc}\p{Cs}]*$/u;
/** Neither control characters nor halves of surrogate pairs: Postgres keeps not all of them, and no list shows them. */
export const isLabel = (text: string) => labelPattern.test(text);
export const labelFault = "must have neither control characters nor half of a surrogate pair";

/** A label whose sender cannot be asked for a better one, as it may be kept. */
export function mendLabel(text: string): string {
  return text
    .trim()
    .toWellFormed()
    .replaceAll(/\p{Cc}/gu, "\ufffd");
}

export const label = (length: number) => z.string().trim().min(1).max(length).refine(isLabel, labelFault);

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
    occurredAt: Time.optional().describe("When the call began. Default: now."),
  })
  .strict();
export type NewInteraction = z.infer<typeof NewInteraction>;

/** As many may be sent at once. */
export const batchMax = 1000;

export const NewInteractions = z.object({ items: z.array(NewInteraction).min(1).max(batchMax) }).strict();
export type NewInteractions = z.infer<typeof NewInteractions>;

/** Without its texts' alerts: what the log has of it. */
export const Interaction = z.object({
  id: z.uuid(),
  ownerId: z.uuid().nullable().describe("Null: a call that Parlance itself made."),
  app: z.string(),
  environment: z.string().nullable(),
  sessionId: z.string().nullable(),
  userLabel: z.string().nullable(),
  provider: z.string().nullable(),
  model: z.string().nullable(),
  input: z.string(),
  output: z.string(),
  inputTokens: z.int().nullable(),
  outputTokens: z.int().nullable(),
  latencyMs: z.number().nullable(),
  costUsd: z.number().nullable(),
  tags: z.array(z.string()),
  occurredAt: z.iso.datetime(),
  createdAt: z.iso.datetime(),
  inputLanguage: z.string().nullable().describe("ISO 639-1; null where it is not known."),
  outputLanguage: z.string().nullable(),
  metrics: z
    .record(z.string(), z.number())
    .describe("By `element.metric`, such as `output.characters`; `GET /interactions/metrics` explains them."),
  importId: z.uuid().nullable(),
});
export type Interaction = z.infer<typeof Interaction>;

export const JudgedInteraction = Interaction.extend({
  alerts: z.array(InteractionAlert).describe("Alerts that this interaction made fire."),
});
export type JudgedInteraction = z.infer<typeof JudgedInteraction>;

/** What is answered of an interaction that was logged: all but what its sender knows. */
export const LoggedInteraction = JudgedInteraction.pick({
  id: true,
  occurredAt: true,
  inputLanguage: true,
  outputLanguage: true,
  metrics: true,
  alerts: true,
});
export type LoggedInteraction = z.infer<typeof LoggedInteraction>;
