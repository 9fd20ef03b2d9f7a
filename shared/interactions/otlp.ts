/**
 * Spans of calls of models, as OpenTelemetry's exporters send them (OTLP/HTTP with JSON, opentelemetry-proto 1.x), as interactions.
 * Understood are the conventions that are in use: OpenTelemetry's own for generative AI with messages as attributes or as events
 * (semconv 1.28 and later), those of OpenLLMetry (`gen_ai.prompt.0.content`) and of OpenInference (`input.value`).
 */
import type { z } from "zod";
import { mendLabel, NewInteraction } from "./contract.ts";
import { pick, readInput, readOutput } from "./otlp-messages.ts";
import {
  type Attributes,
  type ExportTraceServiceRequest,
  listSpans,
  Span,
  type Value,
} from "./otlp-request.ts";

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

/** An end user's name may be anything, and no export is sent again for it. */
const toLabel = (value: Value | undefined) =>
  typeof value === "string" ? mendLabel(value) || undefined : undefined;
const toNumber = (value: Value | undefined) =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
