/** Chat completions, and the completions before them: https://platform.openai.com/docs/api-reference/chat */
import type { Answered, CallFormat, EventReader } from "./call-formats.ts";
import { KeptText } from "./call-texts.ts";
import { isRecord, look, lookList, lookText } from "./loose-json.ts";
import { readError, readUsage, tagsOfEnding } from "./openai-errors.ts";
import { describeToolCall, joinMessages, joinTexts, readContent, readToolCalls } from "./openai-parts.ts";

export const chatFormat: CallFormat = {
  operation: "chat",
  readAsked: (body) => ({
    ...readCommon(body),
    input: joinMessages(
      lookList(body, "messages").map((message) => ({
        role: lookText(message, "role"),
        text: joinTexts([readContent(look(message, "content")), ...readToolCalls(message)]),
      })),
    ),
  }),
  readAnswered: (body) => readChoices(body, readMessage),
  openEvents: (charactersMax) => new ChoiceEvents(charactersMax),
};

export const completionFormat: CallFormat = {
  operation: "completion",
  readAsked: (body) => ({ ...readCommon(body), input: readPrompt(look(body, "prompt")) }),
  readAnswered: (body) => readChoices(body, (choice) => lookText(choice, "text") ?? ""),
  openEvents: (charactersMax) => new ChoiceEvents(charactersMax),
};

const readCommon = (body: unknown) => ({
  model: lookText(body, "model"),
  isStreamed: look(body, "stream") === true,
  userLabel: lookText(body, "user") ?? lookText(body, "safety_identifier"),
});

/** A text, several, or tokens by their numbers. */
function readPrompt(prompt: unknown): string {
  if (typeof prompt === "string") return prompt;
  if (!Array.isArray(prompt)) return "";
  if (prompt.every((one) => typeof one === "number")) return `[${prompt.length} tokens]`;
  return joinTexts(prompt.map(readPrompt));
}

function readMessage(choice: unknown): string {
  const message = look(choice, "message");
  return joinTexts([
    readContent(look(message, "content")),
    lookText(message, "refusal"),
    lookText(message, "audio", "transcript"),
    ...readToolCalls(message),
  ]);
}

function readChoices(body: unknown, readText: (choice: unknown) => string): Answered {
  const choices = lookList(body, "choices");
  const endings = choices.flatMap((choice) => tagsOfEnding(lookText(choice, "finish_reason")));
  const isRefused = choices.some((choice) => lookText(choice, "message", "refusal"));
  return {
    model: lookText(body, "model"),
    output: joinTexts(choices.map(readText)),
    ...readUsage(look(body, "usage")),
    tags: [...new Set([...endings, ...(isRefused ? ["refusal"] : [])])],
    error: readError(body),
  };
}

/** More choices, or more calls of tools in one, than anybody asks for are left out. */
const partsMax = 128;

interface Choice {
  readonly text: KeptText;
  readonly calls: Map<unknown, { name: string; readonly given: KeptText }>;
  ending?: string;
}

/** Puts the pieces of a stream together. A usage of its own comes last, where `stream_options` asks for it. */
class ChoiceEvents implements EventReader {
  readonly #budget: { left: number };
  readonly #choices = new Map<unknown, Choice>();
  #model: string | undefined;
  #usage: unknown;
  #isRefused = false;
  #error: Answered["error"];

  constructor(charactersMax: number) {
    this.#budget = { left: charactersMax };
  }

  readEvent(event: unknown): void {
    this.#error ??= readError(event);
    this.#model ??= lookText(event, "model");
    const usage = look(event, "usage");
    if (isRecord(usage)) this.#usage = usage;
    for (const choice of lookList(event, "choices")) this.#readChoice(choice);
  }

  #readChoice(piece: unknown): void {
    const choice = this.#find(look(piece, "index"));
    if (!choice) return;
    const delta = look(piece, "delta");
    const refusal = lookText(delta, "refusal");
    if (refusal) this.#isRefused = true;
    const texts = [readContent(look(delta, "content")), refusal, lookText(delta, "audio", "transcript")];
    for (const text of [...texts, lookText(piece, "text")]) if (text) choice.text.append(text);
    for (const call of lookList(delta, "tool_calls")) this.#readCall(choice, look(call, "index"), call);
    const single = look(delta, "function_call");
    if (isRecord(single)) this.#readCall(choice, undefined, { function: single });
    const ending = lookText(piece, "finish_reason");
    if (ending) choice.ending = ending;
  }

  #readCall({ calls }: Choice, index: unknown, piece: unknown): void {
    let call = calls.get(index);
    if (!call && calls.size < partsMax) {
      call = { name: "", given: new KeptText(this.#budget) };
      calls.set(index, call);
    }
    if (!call) return;
    call.name ||= (lookText(piece, "function", "name") ?? lookText(piece, "custom", "name") ?? "").slice(
      0,
      200,
    );
    call.given.append(lookText(piece, "function", "arguments") ?? lookText(piece, "custom", "input") ?? "");
  }

  #find(index: unknown): Choice | undefined {
    let choice = this.#choices.get(index);
    if (!choice && this.#choices.size < partsMax) {
      choice = { text: new KeptText(this.#budget), calls: new Map() };
      this.#choices.set(index, choice);
    }
    return choice;
  }

  read(): Answered {
    const choices = [...this.#choices.values()];
    const endings = choices.flatMap(({ ending }) => tagsOfEnding(ending));
    return {
      model: this.#model,
      output: joinTexts(
        choices.flatMap(({ text, calls }) => [
          text.toString(),
          ...[...calls.values()].map(({ name, given }) => describeToolCall(name, given.toString())),
        ]),
      ),
      ...readUsage(this.#usage),
      tags: [...new Set([...endings, ...(this.#isRefused ? ["refusal"] : [])])],
      error: this.#error,
    };
  }

  isComplete(): boolean {
    const choices = [...this.#choices.values()];
    return choices.length > 0 && choices.every(({ ending }) => ending !== undefined);
  }
}
