import { describe, expect, test } from "vitest";
import { AppError } from "../../../shared/errors.ts";
import { readSpans } from "../../../shared/interactions/otlp.ts";
import { ExportTraceServiceRequest } from "../../../shared/interactions/otlp-request.ts";

type Attributes = Readonly<Record<string, unknown>>;

/** As OTLP writes a value in JSON. */
function toValue(value: unknown): object {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  if (typeof value === "number")
    return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(toValue) } };
  return { kvlistValue: { values: toAttributes(value as Attributes) } };
}

const toAttributes = (attributes: Attributes) =>
  Object.entries(attributes).map(([key, value]) => ({ key, value: toValue(value) }));

interface GivenSpan {
  readonly attributes?: Attributes;
  readonly events?: readonly { readonly name: string; readonly attributes: Attributes }[];
  readonly [field: string]: unknown;
}

function toSpan({ attributes = {}, events = [], ...fields }: GivenSpan) {
  return {
    traceId: "5B8EFFF798038103D269B633813FC60C",
    spanId: "eee19b7ec3c1b174",
    name: "chat gpt-4o",
    kind: 3,
    startTimeUnixNano: "1767225600000000000",
    endTimeUnixNano: "1767225601250000000",
    attributes: toAttributes(attributes),
    events: events.map((event) => ({
      ...event,
      timeUnixNano: "1767225600000000000",
      attributes: toAttributes(event.attributes),
    })),
    ...fields,
  };
}

const service = { "service.name": "support-bot", "deployment.environment.name": "production" };

const send = (spans: readonly unknown[], resource: Attributes = service) =>
  readSpans(
    ExportTraceServiceRequest.parse({
      resourceSpans: [
        { resource: { attributes: toAttributes(resource) }, scopeSpans: [{ scope: { name: "x" }, spans }] },
      ],
    }),
  );

/** What one span became. */
function read(span: GivenSpan) {
  const { interactions, refusals } = send([toSpan(span)]);
  expect(refusals).toEqual([]);
  return interactions[0]?.interaction;
}

const chat = { "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o" };

describe("a span of a call", () => {
  test("lands with all that the conventions of OpenTelemetry say of it", () => {
    const { interactions } = send([
      toSpan({
        attributes: {
          ...chat,
          "gen_ai.provider.name": "openai",
          "gen_ai.response.model": "gpt-4o-2024-08-06",
          "gen_ai.usage.input_tokens": 12,
          "gen_ai.usage.output_tokens": 7,
          "gen_ai.conversation.id": "talk-1",
          "user.id": "u-9",
          "gen_ai.input.messages": JSON.stringify([
            { role: "system", parts: [{ type: "text", content: "Be brief." }] },
            { role: "user", parts: [{ type: "text", content: "Weather in Paris?" }] },
          ]),
          "gen_ai.output.messages": JSON.stringify([
            { role: "assistant", parts: [{ type: "text", content: "Rainy, 14 °C." }], finish_reason: "stop" },
          ]),
        },
      }),
    ]);
    expect(interactions).toEqual([
      {
        key: "otlp:5b8efff798038103d269b633813fc60c:eee19b7ec3c1b174",
        interaction: {
          input: "system: Be brief.\n\nuser: Weather in Paris?",
          output: "Rainy, 14 °C.",
          app: "support-bot",
          environment: "production",
          sessionId: "talk-1",
          userLabel: "u-9",
          provider: "openai",
          model: "gpt-4o-2024-08-06",
          inputTokens: 12,
          outputTokens: 7,
          latencyMs: 1250,
          tags: [],
          occurredAt: "2026-01-01T00:00:00.000Z",
        },
      },
    ]);
  });

  test.each<[string, GivenSpan, string, string]>([
    [
      "structured attributes",
      {
        attributes: {
          ...chat,
          "gen_ai.system_instructions": [{ type: "text", content: "Be kind." }],
          "gen_ai.input.messages": [{ role: "user", parts: [{ type: "text", content: "Hi" }] }],
          "gen_ai.output.messages": [{ role: "assistant", parts: [{ type: "text", content: "Hello" }] }],
        },
      },
      "system: Be kind.\n\nuser: Hi",
      "Hello",
    ],
    [
      "an event for each message",
      {
        attributes: { ...chat, "gen_ai.system": "openai" },
        events: [
          { name: "gen_ai.system.message", attributes: { content: "Be brief." } },
          { name: "gen_ai.user.message", attributes: { content: "Hi" } },
          {
            name: "gen_ai.choice",
            attributes: { index: 0, message: { role: "assistant", content: "Hello" } },
          },
        ],
      },
      "system: Be brief.\n\nuser: Hi",
      "Hello",
    ],
    [
      "events with the contents of prompt and completion",
      {
        attributes: chat,
        events: [
          {
            name: "gen_ai.content.prompt",
            attributes: { "gen_ai.prompt": JSON.stringify([{ role: "user", content: "Hi" }]) },
          },
          {
            name: "gen_ai.content.completion",
            attributes: { "gen_ai.completion": JSON.stringify([{ role: "assistant", content: "Hello" }]) },
          },
        ],
      },
      "Hi",
      "Hello",
    ],
    [
      "OpenLLMetry's numbered attributes",
      {
        attributes: {
          "gen_ai.system": "Anthropic",
          "gen_ai.prompt.0.role": "system",
          "gen_ai.prompt.0.content": "Be brief.",
          "gen_ai.prompt.1.role": "user",
          "gen_ai.prompt.1.content": JSON.stringify([
            { type: "text", text: "Hi" },
            { type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } },
          ]),
          "gen_ai.completion.0.role": "assistant",
          "gen_ai.completion.0.content": "Hello",
        },
      },
      "system: Be brief.\n\nuser: Hi",
      "Hello",
    ],
    [
      "OpenInference's messages",
      {
        attributes: {
          "openinference.span.kind": "LLM",
          "llm.model_name": "llama",
          "llm.input_messages.0.message.role": "user",
          "llm.input_messages.0.message.content": "Hi",
          "llm.output_messages.0.message.content": "Hello",
        },
      },
      "Hi",
      "Hello",
    ],
    [
      "OpenInference's values",
      { attributes: { "openinference.span.kind": "LLM", "input.value": "Hi", "output.value": "Hello" } },
      "Hi",
      "Hello",
    ],
    ["no contents, because the exporter keeps them back", { attributes: chat }, "", ""],
    [
      "tools that are called",
      {
        attributes: {
          ...chat,
          "gen_ai.input.messages": JSON.stringify([
            { role: "user", parts: [{ type: "text", content: "Weather?" }] },
          ]),
          "gen_ai.output.messages": JSON.stringify([
            {
              role: "assistant",
              parts: [{ type: "tool_call", name: "get_weather", arguments: { city: "Paris" } }],
            },
          ]),
        },
      },
      "Weather?",
      "",
    ],
  ])("is read from %s", (_name, span, input, output) => {
    expect(read(span)).toMatchObject({ input, output });
  });

  test("whose clock went back took no time", () => {
    expect(read({ attributes: chat, endTimeUnixNano: "1767225599000000000" })?.latencyMs).toBe(0);
  });

  test("with neither service nor tokens is an interaction all the same", () => {
    const { interactions } = send([toSpan({ attributes: chat })], {});
    expect(interactions[0]?.interaction).toMatchObject({ app: "default", model: "gpt-4o" });
    expect(interactions[0]?.interaction.inputTokens).toBeUndefined();
  });
});

describe("other spans", () => {
  test.each<[string, Attributes]>([
    ["of HTTP", { "http.request.method": "GET" }],
    ["of embeddings", { "gen_ai.operation.name": "embeddings", "gen_ai.request.model": "x" }],
    ["of tools", { "gen_ai.operation.name": "execute_tool" }],
    ["of agents", { "gen_ai.operation.name": "invoke_agent" }],
    ["of chains", { "openinference.span.kind": "CHAIN", "input.value": "x" }],
  ])("%s are left out without a word", (_name, attributes) => {
    expect(send([toSpan({ attributes })])).toEqual({ interactions: [], refusals: [] });
  });

  test("that are broken are refused one by one, and the others land", () => {
    const { interactions, refusals } = send([
      toSpan({ attributes: chat, traceId: "short" }),
      toSpan({ attributes: { ...chat, "gen_ai.request.model": "x".repeat(129) } }),
      "no span",
      toSpan({ attributes: chat }),
    ]);
    expect(interactions).toHaveLength(1);
    expect(refusals).toHaveLength(3);
    expect(refusals[0]).toContain("traceId");
    expect(refusals[1]).toContain("model");
  });

  test("made to be deep exhaust nothing", () => {
    const depth = 20_000;
    const nested = `${'{"arrayValue":{"values":['.repeat(depth)}${"]}}".repeat(depth)}`;
    const deepText = `${"[".repeat(depth)}${"]".repeat(depth)}`;
    const span = toSpan({ attributes: { ...chat, "gen_ai.output.messages": deepText } });
    span.attributes.push({ key: "gen_ai.input.messages", value: JSON.parse(nested) as object });
    expect(send([span]).interactions[0]?.interaction).toMatchObject({ input: "", output: "" });
  });
});

describe("an export", () => {
  const read = (request: unknown) => readSpans(ExportTraceServiceRequest.parse(request));
  const codeOf = (request: unknown) => {
    try {
      read(request);
    } catch (error) {
      if (error instanceof AppError) return [error.code, error.fields[0]?.field];
      throw error;
    }
    return undefined;
  };

  test("is refused for its length before anything in it is looked at", () => {
    const zeros = Array(1_000_000).fill(0);
    const problems = ExportTraceServiceRequest.safeParse({ resourceSpans: zeros });
    expect(problems.error?.issues).toHaveLength(1);
    expect(codeOf({ resourceSpans: [{ scopeSpans: zeros }] })).toEqual([
      "invalid_request",
      "body.resourceSpans.0.scopeSpans",
    ]);
    expect(codeOf({ resourceSpans: [{}, { scopeSpans: Array(1_000).fill(0) }] })).toEqual([
      "invalid_request",
      "body.resourceSpans.1.scopeSpans.0",
    ]);
    const scope = { spans: Array(5_001).fill(0) };
    expect(codeOf({ resourceSpans: [{ scopeSpans: [scope, scope] }] })).toEqual([
      "payload_too_large",
      undefined,
    ]);
    expect(send([{ ...toSpan({ attributes: chat }), events: zeros }]).refusals[0]).toMatch(/^events: /);
  });

  test("may say null for what is empty", () => {
    expect(read({ resourceSpans: null })).toEqual({ interactions: [], refusals: [] });
    expect(
      read({ resourceSpans: [{ resource: null, scopeSpans: null }, { scopeSpans: [{ spans: null }] }] }),
    ).toEqual({
      interactions: [],
      refusals: [],
    });
    const span = { ...toSpan({ attributes: chat }), events: [{ name: null, attributes: null }] };
    const value = { stringValue: "u-1", intValue: null, arrayValue: null, kvlistValue: null };
    span.attributes.push({ key: "user.id", value });
    const request = { resourceSpans: [{ resource: { attributes: null }, scopeSpans: [{ spans: [span] }] }] };
    expect(read(request).interactions[0]?.interaction.userLabel).toBe("u-1");
    const { interactions, refusals } = send([
      { ...toSpan({ attributes: chat }), events: null },
      { ...toSpan({}), attributes: null },
    ]);
    expect([interactions.length, refusals]).toEqual([1, []]);
  });
});

describe("times", () => {
  test("may be numbers, of which the last digits are lost", () => {
    const times = { startTimeUnixNano: 1767225600000000000, endTimeUnixNano: 1767225601500000000 };
    expect(read({ attributes: chat, ...times })).toMatchObject({
      occurredAt: "2026-01-01T00:00:00.000Z",
      latencyMs: 1500,
    });
  });

  test.each([-1, 1.5, 1e300, null, "x"])("may not be %j", (startTimeUnixNano) => {
    expect(send([toSpan({ attributes: chat, startTimeUnixNano })]).refusals).toHaveLength(1);
  });
});

test("labels that nobody could keep are mended, so that no end user stops the log by a name", () => {
  const attributes = {
    ...chat,
    "user.id": " a\0b\n",
    "session.id": "\ud800x",
    "gen_ai.request.model": "m\u0007",
  };
  expect(read({ attributes })).toMatchObject({
    userLabel: "a\ufffdb",
    sessionId: "\ufffdx",
    model: "m\ufffd",
  });
});
