/** The Responses API: https://platform.openai.com/docs/api-reference/responses */
import type { Answered, CallFormat, EventReader } from "./call-formats.ts";
import { describeData, KeptText } from "./call-texts.ts";
import { look, lookList, lookText } from "./loose-json.ts";
import { readError, readUsage, tagsOfEnding } from "./openai-errors.ts";
import { describeToolCall, joinMessages, joinTexts, readContent } from "./openai-parts.ts";

export const responseFormat: CallFormat = {
  operation: "response",
  readAsked: (body) => ({
    model: lookText(body, "model"),
    isStreamed: look(body, "stream") === true,
    userLabel: lookText(body, "user") ?? lookText(body, "safety_identifier"),
    sessionId: readConversation(body),
    input: joinMessages([
      { role: "system", text: lookText(body, "instructions") ?? "" },
      { role: "prompt", text: readTemplate(look(body, "prompt")) },
      ...readInput(look(body, "input")),
    ]),
  }),
  readAnswered: readResponse,
  openEvents: (charactersMax) => new ResponseEvents(charactersMax),
};

const readConversation = (body: unknown) =>
  lookText(body, "conversation") ?? lookText(body, "conversation", "id");

/** A prompt that is kept at OpenAI: its name, and what was put into it. */
function readTemplate(prompt: unknown): string {
  const id = lookText(prompt, "id");
  const variables = look(prompt, "variables");
  return id ? `${id}${variables ? ` ${JSON.stringify(variables)}` : ""}` : "";
}

function readInput(input: unknown): { role: string | undefined; text: string }[] {
  if (typeof input === "string") return [{ role: "user", text: input }];
  if (!Array.isArray(input)) return [];
  return input.map((item) => ({ role: lookText(item, "role"), text: readItem(item) }));
}

/** An item of what was asked or answered. What the model thought, and references, are none of it. */
function readItem(item: unknown): string {
  const type = lookText(item, "type") ?? "message";
  switch (type) {
    case "message":
      return readContent(look(item, "content"));
    case "function_call":
    case "custom_tool_call":
      return describeToolCall(lookText(item, "name"), lookText(item, "arguments") ?? lookText(item, "input"));
    case "function_call_output":
    case "custom_tool_call_output":
      return readContent(look(item, "output"));
    case "image_generation_call":
      return describeData("image", lookText(item, "result"));
    case "reasoning":
    case "item_reference":
      return "";
    default:
      return `[${type.slice(0, 64)}]`;
  }
}

const tagsOfStatus = (status: string | undefined) =>
  status === "queued" || status === "in_progress" ? ["background"] : [];

function readResponse(body: unknown): Answered {
  const output = lookList(body, "output");
  const isRefused = output.some((item) =>
    lookList(item, "content").some((part) => lookText(part, "refusal")),
  );
  return {
    model: lookText(body, "model"),
    output: joinTexts(output.map(readItem)),
    ...readUsage(look(body, "usage")),
    sessionId: readConversation(body),
    tags: [
      ...tagsOfStatus(lookText(body, "status")),
      ...tagsOfEnding(lookText(body, "incomplete_details", "reason")),
      ...(isRefused ? ["refusal"] : []),
    ],
    error: readError(body),
  };
}

/** Items of one answer that are put together, at most. */
const itemsMax = 1_000;

interface Item {
  tool: string | undefined;
  readonly text: KeptText;
}

/** The last event tells the whole answer; the pieces count if it never comes. */
class ResponseEvents implements EventReader {
  readonly #budget: { left: number };
  readonly #items = new Map<string, Item>();
  #begun: unknown;
  #whole: unknown;
  #error: Answered["error"];

  constructor(charactersMax: number) {
    this.#budget = { left: charactersMax };
  }

  readEvent(event: unknown): void {
    const type = lookText(event, "type") ?? "";
    if (/^response\.(?:completed|incomplete|failed|cancelled)$/.test(type))
      this.#whole = look(event, "response");
    else if (type === "response.created") this.#begun = look(event, "response");
    else if (type === "error" || look(event, "error")) this.#error ??= readError(event);
    else if (type === "response.output_item.added") this.#begin(event);
    else if (pieces.test(type)) this.#find(event)?.text.append(lookText(event, "delta") ?? "");
  }

  /** A call of a tool begins with its name. */
  #begin(event: unknown): void {
    const name = lookText(event, "item", "name");
    const item = name ? this.#find(event) : undefined;
    if (item) item.tool = name;
  }

  #find(event: unknown): Item | undefined {
    const key = `${look(event, "output_index")}:${look(event, "content_index") ?? ""}`;
    let item = this.#items.get(key);
    if (!item && this.#items.size < itemsMax) {
      item = { tool: undefined, text: new KeptText(this.#budget) };
      this.#items.set(key, item);
    }
    return item;
  }

  read(): Answered {
    if (this.#whole !== undefined) {
      const whole = readResponse(this.#whole);
      return { ...whole, error: this.#error ?? whole.error };
    }
    const begun = readResponse(this.#begun);
    const output = joinTexts(
      [...this.#items.values()].map(({ tool, text }) =>
        tool ? describeToolCall(tool, text.toString()) : text.toString(),
      ),
    );
    return { ...begun, output, tags: [], error: this.#error };
  }

  isComplete(): boolean {
    return this.#whole !== undefined;
  }
}

const pieces = /^response\.(?:output_text|refusal|function_call_arguments|custom_tool_call_input)\.delta$/;
