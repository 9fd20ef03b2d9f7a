/** How OpenAI, and who follows it, says that something went wrong, how much was used, and why an answer ended. */
import type { Answered } from "./call-formats.ts";
import { isRecord, look, lookAmount, lookCount, lookText } from "./loose-json.ts";

/** The error in a body or an event: `{ error: { code, message } }`, and what others make of it. */
export function readError(body: unknown): Answered["error"] {
  const error = look(body, "error");
  if (typeof error === "string" && error !== "") return { message: error };
  if (isRecord(error)) return describe(error);
  // Cerebras' way, and that of Responses' events.
  const isError = look(body, "type") === "error" || lookText(body, "code") !== undefined;
  return isError && isRecord(body) && lookText(body, "message") ? describe(body) : undefined;
}

function describe(error: unknown): Answered["error"] {
  const code = look(error, "code") ?? look(error, "type");
  return {
    message: lookText(error, "message") ?? "It did not say why.",
    ...(typeof code === "string" || typeof code === "number" ? { code: String(code).slice(0, 100) } : {}),
  };
}

/** Tokens under the names of chat completions or of responses, and the cost where a provider tells it. */
export function readUsage(usage: unknown): Pick<Answered, "inputTokens" | "outputTokens" | "costUsd"> {
  return {
    inputTokens: lookCount(usage, "prompt_tokens") ?? lookCount(usage, "input_tokens"),
    outputTokens: lookCount(usage, "completion_tokens") ?? lookCount(usage, "output_tokens"),
    costUsd: lookAmount(usage, "cost"),
  };
}

/** Why a text ended, where that is worth knowing. */
export function tagsOfEnding(reason: string | undefined): string[] {
  if (reason === "length" || reason === "max_output_tokens") return ["incomplete"];
  return reason === "content_filter" ? ["content-filter"] : [];
}
