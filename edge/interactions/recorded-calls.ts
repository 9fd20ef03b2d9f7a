/** A call of a model by Parlance itself, as an interaction. */
import { mendLabel, NewInteraction, textLengthMax } from "../../shared/interactions/contract.ts";
import { cutText } from "../clients/call-texts.ts";
import type { CallError, ModelCall } from "../clients/record.ts";

/** Of calls that do not say what they are for. */
const houseApp = "parlance";

/** Throws where the call is none that the log takes. */
export function toInteraction(call: ModelCall): NewInteraction {
  const { error } = call;
  const told = {
    input: cutText(call.input, textLengthMax),
    output: cutText(withError(call.output, error), textLengthMax),
    app: toLabel(call.app, 64) ?? houseApp,
    environment: toLabel(call.environment, 64),
    sessionId: toLabel(call.sessionId, 200),
    userLabel: toLabel(call.userLabel, 200),
    provider: toLabel(call.provider, 64),
    model: toLabel(call.model, 128),
    inputTokens: call.inputTokens,
    outputTokens: call.outputTokens,
    latencyMs: Math.max(0, call.latencyMs),
    costUsd: call.costUsd,
    tags: listTags(call),
    occurredAt: call.startedAt.toISOString(),
  };
  return NewInteraction.parse(told);
}

/** What the model said stays apart from what the house says of it, by brackets. */
function withError(output: string, error: CallError | undefined): string {
  if (!error) return output;
  const { kind, status = kind, code, message } = error;
  const mark = `[error ${status}${code ? ` ${code}` : ""}: ${message}]`;
  return output === "" ? mark : `${output}\n\n${mark}`;
}

const tagsMax = 20;

/** What rules and filters need first, in case there are too many. */
function listTags({ operation, error, tags }: ModelCall): string[] {
  const ofError = error ? ["error", `error:${error.status ?? error.kind}`] : [];
  const labels = [operation, ...ofError, ...tags].flatMap((tag) => toLabel(tag, 64) ?? []);
  return [...new Set(labels)].slice(0, tagsMax);
}

function toLabel(text: string | undefined, length: number): string | undefined {
  return text === undefined ? undefined : mendLabel(text.trim().slice(0, length)) || undefined;
}
