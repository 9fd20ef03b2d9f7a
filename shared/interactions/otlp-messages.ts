/** What was said in a span of a model call, by the conventions that are in use. */
import { type Attributes, depthMax, type Span, type Value } from "./otlp-request.ts";

export function pick<T>(names: readonly string[], look: (name: string) => T | undefined): T | undefined {
  for (const name of names) {
    const found = look(name);
    if (found !== undefined) return found;
  }
  return undefined;
}

export const toText = (value: Value | undefined) =>
  typeof value === "string" && value !== "" ? value : undefined;
export function readInput({ attributes, events }: Span): string {
  const messages = [
    ...readMessages(attributes.get("gen_ai.system_instructions"), "system"),
    ...readMessages(attributes.get("gen_ai.input.messages")),
    ...readEvents(events, (name) => /^gen_ai\.(?:system|user|assistant|tool)\.message$/.test(name)),
    ...readMessages(findInEvents(events, ["gen_ai.input.messages", "gen_ai.prompt"])),
    ...readNumbered(attributes, "gen_ai.prompt", ""),
    ...readNumbered(attributes, "llm.input_messages", "message."),
  ];
  return messages.length > 0 ? joinMessages(messages) : (toText(attributes.get("input.value")) ?? "");
}

export function readOutput({ attributes, events }: Span): string {
  const messages = [
    ...readMessages(attributes.get("gen_ai.output.messages")),
    ...readEvents(events, (name) => name === "gen_ai.choice"),
    ...readMessages(findInEvents(events, ["gen_ai.output.messages", "gen_ai.completion"])),
    ...readNumbered(attributes, "gen_ai.completion", ""),
    ...readNumbered(attributes, "llm.output_messages", "message."),
  ];
  if (messages.length === 0) return toText(attributes.get("output.value")) ?? "";
  return messages.map(({ content }) => content).join("\n\n");
}

interface Message {
  readonly role: string | undefined;
  readonly content: string;
}

/** One message is its text; of several each begins with who says it. */
function joinMessages(messages: readonly Message[]): string {
  const [only] = messages;
  if (only && messages.length === 1) return only.content;
  return messages.map(({ role, content }) => (role ? `${role}: ${content}` : content)).join("\n\n");
}

/** A list of messages, or of parts of one; as a structure, as JSON in a text, or a plain text. */
function readMessages(value: Value | undefined, role?: string): Message[] {
  if (value === undefined || value === null) return [];
  if (typeof value === "string") {
    const parsed = parseJson(value);
    return parsed === undefined ? [{ role, content: value }] : readMessages(parsed, role);
  }
  const isParts = Array.isArray(value) && value.every((part) => !isRecord(part) || part.role === undefined);
  if (!Array.isArray(value) || isParts) {
    const content = readContent(value as Value);
    return content === ""
      ? []
      : [{ role: isRecord(value as Value) ? readRole(value as Value) : role, content }];
  }
  return value.flatMap((message) => {
    const content = readContent(message);
    return content === "" ? [] : [{ role: readRole(message) ?? role, content }];
  });
}

const isRecord = (value: Value | undefined): value is { readonly [key: string]: Value } =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const readRole = (value: Value) => (isRecord(value) ? toText(value.role) : undefined);

/** The texts of a message or of its parts; what is no text (pictures, calls of tools) is left out. */
function readContent(value: Value | undefined, depth = 0): string {
  if (typeof value === "string") return value;
  if (depth > depthMax) return "";
  if (Array.isArray(value)) {
    return value
      .map((part) => readContent(part, depth + 1))
      .filter((text) => text !== "")
      .join("\n");
  }
  if (!isRecord(value)) return "";
  if (typeof value.type === "string" && !/^(?:text|output_text|input_text|message)$/.test(value.type))
    return "";
  return readContent(value.parts ?? value.content ?? value.text ?? value.message, depth + 1);
}

function readEvents(events: Span["events"], isMeant: (name: string) => boolean): Message[] {
  return events
    .filter(({ name }) => isMeant(name))
    .flatMap(({ name, attributes }) => {
      const body = attributes.get("content") ?? attributes.get("message") ?? null;
      const content = readMessages(body)
        .map((message) => message.content)
        .join("\n");
      const role = toText(attributes.get("role")) ?? /^gen_ai\.(\w+)\.message$/.exec(name)?.[1];
      return content === "" ? [] : [{ role, content }];
    });
}

function findInEvents(events: Span["events"], names: readonly string[]): Value | undefined {
  return pick(names, (name) =>
    events.map(({ attributes }) => attributes.get(name)).find((value) => value != null),
  );
}

const numberedMax = 1_000;

/** `prefix.0.role`, `prefix.0.content`, `prefix.1.role` … */
function readNumbered(attributes: Attributes, prefix: string, within: string): Message[] {
  const messages: Message[] = [];
  for (let index = 0; index < numberedMax; index++) {
    const at = `${prefix}.${index}.${within}`;
    const [role, content] = [attributes.get(`${at}role`), attributes.get(`${at}content`)];
    if (role === undefined && content === undefined) break;
    const text = readMessages(content)
      .map((message) => message.content)
      .join("\n");
    if (text !== "") messages.push({ role: toText(role), content: text });
  }
  return messages;
}

function parseJson(text: string): Value | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text) as Value;
  } catch {
    return undefined;
  }
}
