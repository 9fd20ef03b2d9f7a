/**
 * Spans of calls of models, as OpenTelemetry's exporters send them (OTLP/HTTP with JSON, opentelemetry-proto 1.x), as interactions.
 * Understood are the conventions that are in use: OpenTelemetry's own for generative AI with messages as attributes or as events
 * (semconv 1.28 and later), those of OpenLLMetry (`gen_ai.prompt.0.content`) and of OpenInference (`input.value`).
 */
import { z } from "zod";
import { AppError } from "../errors.ts";
import { mendLabel, NewInteraction } from "./contract.ts";

type Value = string | number | boolean | null | readonly Value[] | { readonly [key: string]: Value };

/** What is deeper is left out: nobody's messages are, and a body made to be deep would exhaust the stack. */
const depthMax = 12;

/** What proto3 leaves out it may also write as null. */
const list = () =>
  z
    .array(z.unknown())
    .nullish()
    .transform((items) => items ?? []);

const Kinds = z.looseObject({
  stringValue: z.string().nullish(),
  /** Integers of 64 bits are strings in OTLP's JSON. */
  intValue: z.union([z.string(), z.number()]).nullish(),
  doubleValue: z.number().nullish(),
  boolValue: z.boolean().nullish(),
  arrayValue: z.looseObject({ values: list() }).nullish(),
  kvlistValue: z.looseObject({ values: list() }).nullish(),
});
const Pair = z.looseObject({ key: z.string(), value: z.unknown() });

/** An `AnyValue` of OTLP; null for what is none. */
function readValue(given: unknown, depth = 0): Value {
  // A schema's refusal costs far more than the byte that it is of.
  if (typeof given !== "object" || depth > depthMax) return null;
  const kinds = Kinds.safeParse(given);
  if (!kinds.success) return null;
  const { stringValue, intValue, doubleValue, boolValue, arrayValue, kvlistValue } = kinds.data;
  if (arrayValue) return arrayValue.values.map((value) => readValue(value, depth + 1));
  if (kvlistValue) return Object.fromEntries(readPairs(kvlistValue.values, depth + 1));
  return stringValue ?? (intValue == null ? undefined : Number(intValue)) ?? doubleValue ?? boolValue ?? null;
}

function readPairs(given: readonly unknown[], depth = 0): [string, Value][] {
  return given.flatMap((one): [string, Value][] => {
    if (typeof one !== "object") return [];
    const pair = Pair.safeParse(one);
    return pair.success ? [[pair.data.key, readValue(pair.data.value, depth)]] : [];
  });
}

const Attributes = list().transform((pairs): ReadonlyMap<string, Value> => new Map(readPairs(pairs)));
type Attributes = z.infer<typeof Attributes>;

/** As a number it has lost its last digits already. */
const UnixNano = z
  .union([z.string().regex(/^\d{1,20}$/), z.number().min(0).refine(Number.isInteger, "must be an integer")])
  .transform((nano) => BigInt(nano));

/** A list is held against its length before anything in it is looked at: each fault in it costs more than the byte that makes it. */
const listOf = <Item extends z.ZodType>(item: Item, countMax: number) =>
  z
    .array(z.unknown())
    .max(countMax)
    .nullish()
    .transform((items) => items ?? [])
    .pipe(z.array(item));

const eventsMax = 1_000;

const Span = z.object({
  traceId: z.string().regex(/^[0-9a-fA-F]{32}$/),
  spanId: z.string().regex(/^[0-9a-fA-F]{16}$/),
  startTimeUnixNano: UnixNano,
  endTimeUnixNano: UnixNano,
  attributes: Attributes,
  events: listOf(
    z.object({
      name: z
        .string()
        .nullish()
        .transform((name) => name ?? ""),
      attributes: Attributes,
    }),
    eventsMax,
  ),
});
type Span = z.infer<typeof Span>;

/** Of an export, and scopes of each of them. */
const resourcesMax = 1_000;
/** Of an export. OpenTelemetry's collector sends 8,192 at once where it is not told otherwise. */
export const spansMax = 10_000;

const Resource = z.object({
  resource: z.object({ attributes: Attributes }).nullish(),
  scopeSpans: z.array(z.unknown()).max(resourcesMax).nullish(),
});
const Scope = z.object({ spans: z.array(z.unknown()).nullish() });

/** The body of `POST /v1/traces`: what is in it is looked at piece by piece. */
export const ExportTraceServiceRequest = z.object({
  resourceSpans: z.array(z.unknown()).max(resourcesMax).nullish(),
});
export type ExportTraceServiceRequest = z.infer<typeof ExportTraceServiceRequest>;

interface GivenSpan {
  readonly span: unknown;
  readonly resource: Attributes;
}

const noAttributes: Attributes = new Map();

/** Spans as they were given. The first thing around them that is not understood refuses them all. */
function listSpans({ resourceSpans }: ExportTraceServiceRequest): GivenSpan[] {
  const found: GivenSpan[] = [];
  for (const [index, given] of (resourceSpans ?? []).entries()) {
    const path = ["body", "resourceSpans", index];
    const { resource, scopeSpans } = readPiece(Resource, given, path);
    for (const [place, scope] of (scopeSpans ?? []).entries()) {
      const { spans } = readPiece(Scope, scope, [...path, "scopeSpans", place]);
      if (found.length + (spans?.length ?? 0) > spansMax) {
        throw new AppError(
          "payload_too_large",
          `An export may have ${spansMax} spans; send smaller batches.`,
        );
      }
      for (const span of spans ?? []) found.push({ span, resource: resource?.attributes ?? noAttributes });
    }
  }
  return found;
}

function readPiece<Schema extends z.ZodType>(
  schema: Schema,
  given: unknown,
  path: readonly PropertyKey[],
): z.infer<Schema> {
  const piece = schema.safeParse(given);
  if (piece.success) return piece.data;
  const fields = piece.error.issues
    .slice(0, 50)
    .map((issue) => ({ field: [...path, ...issue.path].join("."), message: issue.message }));
  throw new AppError("invalid_request", "The request is not valid; see `errors`.", { fields });
}

export interface SpanInteraction {
  /** The same for a span that is sent again. */
  readonly key: string;
  readonly interaction: NewInteraction;
}

export interface ReadSpans {
  readonly interactions: readonly SpanInteraction[];
  /** Why spans are refused; those that are no calls of models are left out without a word. */
  readonly refusals: readonly string[];
}

/** Spans are judged one by one; throws where what is around them is not understood. */
export function readSpans(request: ExportTraceServiceRequest): ReadSpans {
  const interactions: SpanInteraction[] = [];
  const refusals: string[] = [];
  for (const { span: given, resource } of listSpans(request)) {
    const span = Span.safeParse(given);
    if (!span.success) refusals.push(explain(span.error));
    else if (isCall(span.data.attributes)) {
      const interaction = NewInteraction.safeParse(toInteraction(span.data, resource));
      const key = `otlp:${span.data.traceId}:${span.data.spanId}`.toLowerCase();
      if (interaction.success) interactions.push({ key, interaction: interaction.data });
      else refusals.push(`${span.data.spanId}: ${explain(interaction.error)}`);
    }
  }
  return { interactions, refusals };
}

function explain(error: z.ZodError): string {
  const [issue] = error.issues;
  return issue ? `${issue.path.join(".")}: ${issue.message}` : "not understood";
}

const callOperations = new Set(["chat", "text_completion", "generate_content"]);

/** A call that generates text: not an embedding, a tool, or an agent around such calls. */
function isCall(attributes: Attributes): boolean {
  const operation = attributes.get("gen_ai.operation.name");
  if (typeof operation === "string") return callOperations.has(operation);
  const kind = attributes.get("openinference.span.kind");
  if (typeof kind === "string") return kind === "LLM";
  return ["gen_ai.system", "gen_ai.provider.name", "gen_ai.request.model"].some((name) =>
    attributes.has(name),
  );
}

function toInteraction(span: Span, resource: Attributes) {
  const { attributes } = span;
  const text = (...names: string[]) =>
    pick(names, (name) => toLabel(attributes.get(name) ?? resource.get(name)));
  const count = (...names: string[]) => pick(names, (name) => toNumber(attributes.get(name)));
  return {
    input: readInput(span),
    output: readOutput(span),
    app: text("service.name"),
    environment: text("deployment.environment.name", "deployment.environment"),
    sessionId: text("gen_ai.conversation.id", "session.id"),
    userLabel: text("user.id", "enduser.id"),
    provider: text("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system"),
    model: text("gen_ai.response.model", "gen_ai.request.model", "llm.model_name"),
    inputTokens: count("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt"),
    outputTokens: count(
      "gen_ai.usage.output_tokens",
      "gen_ai.usage.completion_tokens",
      "llm.token_count.completion",
    ),
    latencyMs: Math.max(0, Number(span.endTimeUnixNano - span.startTimeUnixNano) / 1e6),
    occurredAt: toTime(span.startTimeUnixNano),
  };
}

/** What is beyond the times of JavaScript is refused by the schema, not thrown. */
function toTime(unixNano: bigint): string {
  const time = new Date(Number(unixNano / 1_000_000n));
  return Number.isNaN(time.getTime()) ? "" : time.toISOString();
}

function pick<T>(names: readonly string[], look: (name: string) => T | undefined): T | undefined {
  for (const name of names) {
    const found = look(name);
    if (found !== undefined) return found;
  }
  return undefined;
}

const toText = (value: Value | undefined) => (typeof value === "string" && value !== "" ? value : undefined);
/** An end user's name may be anything, and no export is sent again for it. */
const toLabel = (value: Value | undefined) =>
  typeof value === "string" ? mendLabel(value) || undefined : undefined;
const toNumber = (value: Value | undefined) =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;

function readInput({ attributes, events }: Span): string {
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

function readOutput({ attributes, events }: Span): string {
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
