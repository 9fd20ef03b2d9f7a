/** What messages of OpenAI's APIs, and of those that follow them, consist of, as text. */
import { describeData, describeUrl } from "./call-texts.ts";
import { isRecord, lookList, lookText } from "./loose-json.ts";

interface Message {
  readonly role: string | undefined;
  readonly text: string;
}

/** One message is its text; of several each begins with who says it. */
export function joinMessages(messages: readonly Message[]): string {
  const said = messages.filter(({ text }) => text !== "");
  const [only] = said;
  if (only && said.length === 1) return only.text;
  return joinTexts(said.map(({ role, text }) => (role ? `${role}: ${text}` : text)));
}

export const joinTexts = (texts: readonly (string | undefined)[]) => texts.filter(Boolean).join("\n\n");

/** A text, or a list of parts. */
export function readContent(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content.map(readPart).filter(Boolean).join("\n");
}

/** A part of a message in chat completions or responses; what has no text is told by its kind and size. */
function readPart(part: unknown): string | undefined {
  if (typeof part === "string") return part;
  switch (lookText(part, "type")) {
    case "image_url":
      return readPicture(lookText(part, "image_url", "url"));
    case "input_image":
      return readPicture(lookText(part, "image_url"), lookText(part, "file_id"));
    case "input_audio":
      return describeData("audio", lookText(part, "input_audio", "data"));
    case "file":
      return readFile(isRecord(part) ? part.file : undefined);
    case "input_file":
      return readFile(part);
    case "refusal":
      return lookText(part, "refusal");
    default:
      return lookText(part, "text") ?? lookText(part, "transcript");
  }
}

function readPicture(url: string | undefined, fileId?: string): string {
  if (url) return describeUrl("image", url);
  return fileId ? `[image ${fileId}]` : "[image]";
}

function readFile(file: unknown): string {
  const name = lookText(file, "filename") ?? lookText(file, "file_id");
  const kind = name ? `file ${name.slice(0, 200)}` : "file";
  const url = lookText(file, "file_url");
  return url ? describeUrl(kind, url) : describeData(kind, lookText(file, "file_data"));
}

/** `get_weather({"city":"Bern"})` */
export function describeToolCall(name: string | undefined, given: string | undefined): string {
  return `${name ?? "tool"}(${given ?? ""})`;
}

/** The calls of tools in a message of chat completions, also as they were before there were several. */
export function readToolCalls(message: unknown): string[] {
  const called = [...lookList(message, "tool_calls")];
  if (isRecord(message) && isRecord(message.function_call)) called.push({ function: message.function_call });
  return called.map((call) =>
    describeToolCall(
      lookText(call, "function", "name") ?? lookText(call, "custom", "name"),
      lookText(call, "function", "arguments") ?? lookText(call, "custom", "input"),
    ),
  );
}
