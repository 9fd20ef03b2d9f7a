/** OpenAI's own SDK, over a server on this machine that answers as its API does. */
import OpenAI from "openai";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { RecordingFetchOptions } from "../../../edge/clients/recording-fetch.ts";
import {
  type Answer,
  answerEvents,
  answerJson,
  type ModelServer,
  openModelServer,
  openRecording,
} from "./model-server.ts";

const apiKey = "odd-key-of-this-house-17";
const servers: ModelServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function open(answers: Answer[], options: Partial<RecordingFetchOptions> = {}) {
  const server = await openModelServer(...answers);
  servers.push(server);
  const recording = openRecording(options);
  const openai = new OpenAI({ apiKey, baseURL: `${server.url}/v1`, fetch: recording.fetch, maxRetries: 0 });
  return { ...recording, server, openai };
}

const waitForCalls = (calls: readonly unknown[], number: number) =>
  vi.waitFor(() => expect(calls.length).toBeGreaterThanOrEqual(number), { timeout: 20_000 });

const completion = {
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1,
  model: "gpt-5-2026-01-01",
  choices: [
    {
      index: 0,
      finish_reason: "stop",
      message: { role: "assistant", content: "Bern, 東京 🦊.", refusal: null },
    },
  ],
  usage: { prompt_tokens: 12, completion_tokens: 7, total_tokens: 19 },
};

const piece = (delta: object, finish_reason: string | null = null, index = 0) => ({
  id: "chatcmpl-1",
  object: "chat.completion.chunk",
  model: "gpt-5-2026-01-01",
  choices: [{ index, delta, finish_reason }],
});

const question = { model: "gpt-5", messages: [{ role: "user" as const, content: "Which capitals?" }] };

describe("a chat completion", () => {
  test("is recorded with its texts, tokens and time, and reaches the caller as it came", async () => {
    const { openai, calls, server } = await open([answerJson(completion)]);
    const answer = await openai.chat.completions.create({
      model: "gpt-5",
      user: "u-1",
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content: "Which capitals?" },
      ],
    });
    expect(answer).toEqual(completion);
    expect(JSON.parse(server.requests[0]?.body ?? "").messages).toHaveLength(2);
    expect(calls).toEqual([
      {
        provider: "openai",
        model: "gpt-5",
        operation: "chat",
        input: "system: Be brief.\n\nuser: Which capitals?",
        output: "Bern, 東京 🦊.",
        inputTokens: 12,
        outputTokens: 7,
        latencyMs: expect.any(Number),
        startedAt: expect.any(Date),
        userLabel: "u-1",
        tags: [],
      },
    ]);
    expect(calls[0]?.latencyMs).toBeGreaterThan(0);
  });

  test("by a tool is recorded with what it calls, and the result that follows is part of what is asked", async () => {
    const call = {
      id: "c1",
      type: "function",
      function: { name: "get_weather", arguments: '{"city":"Bern"}' },
    };
    const message = { role: "assistant", content: null, refusal: null, tool_calls: [call] };
    const choices = [{ index: 0, finish_reason: "tool_calls", message }];
    const { openai, calls } = await open([answerJson({ ...completion, choices })]);
    await openai.chat.completions.create({
      ...question,
      messages: [
        { role: "user", content: "Rain?" },
        { role: "assistant", tool_calls: [call as never] },
        { role: "tool", tool_call_id: "c1", content: "Sunny" },
      ],
    });
    expect(calls[0]).toMatchObject({
      input: 'user: Rain?\n\nassistant: get_weather({"city":"Bern"})\n\ntool: Sunny',
      output: 'get_weather({"city":"Bern"})',
    });
  });

  test("that is refused, cut at its length or filtered says so in its tags", async () => {
    const choices = [
      { index: 0, finish_reason: "stop", message: { content: null, refusal: "I cannot help with that." } },
      { index: 1, finish_reason: "length", message: { content: "And so" } },
      { index: 2, finish_reason: "content_filter", message: { content: "" } },
    ];
    const { openai, calls } = await open([answerJson({ ...completion, choices })]);
    await openai.chat.completions.create({ ...question, n: 3 });
    expect(calls[0]).toMatchObject({
      output: "I cannot help with that.\n\nAnd so",
      tags: ["incomplete", "content-filter", "refusal"],
    });
  });

  test("keeps neither pictures nor keys: neither those in its texts nor the one that it was made with", async () => {
    const content = `Your key is ${apiKey}, hers sk-proj-abcdefghij0123456789ABCDEF.`;
    const choices = [{ index: 0, finish_reason: "stop", message: { role: "assistant", content } }];
    const { openai, calls } = await open([answerJson({ ...completion, choices })]);
    const picture = Buffer.alloc(12_000, 7).toString("base64");
    await openai.chat.completions.create({
      model: "gpt-5",
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: `What is this? data:image/png;base64,${picture} or this?` },
            { type: "image_url", image_url: { url: `data:image/jpeg;base64,${picture}` } },
            { type: "image_url", image_url: { url: "https://cdn.example.com/fox.jpg?signature=abc" } },
            { type: "input_audio", input_audio: { data: picture, format: "wav" } },
            {
              type: "file",
              file: { filename: "a.pdf", file_data: `data:application/pdf;base64,${picture}` },
            },
          ],
        },
      ],
    });
    expect(calls[0]).toMatchObject({
      input: [
        "What is this? [image, 12 kB] or this?",
        "[image, 12 kB]",
        "[image https://cdn.example.com/fox.jpg]",
        "[audio, 12 kB]",
        "[file a.pdf, 12 kB]",
      ].join("\n"),
      output: "Your key is [key], hers [key].",
    });
    expect(JSON.stringify(calls)).not.toContain(apiKey);
  });
});

describe("a streamed chat completion", () => {
  const events = [
    piece({ role: "assistant", content: "" }),
    piece({ content: "Bern, 東" }),
    piece({ content: "京 🦊" }),
    piece({ content: '\r\n\\"é\u2028' }),
    piece({}, "stop"),
    { ...piece({}), choices: [], usage: { prompt_tokens: 5, completion_tokens: 9 } },
    "[DONE]",
  ];
  const said = 'Bern, 東京 🦊\r\n\\"é\u2028';

  test.each([
    ["an event at a time", {}],
    ["a byte at a time", { bytes: 1 }],
    ["seven bytes at a time, with CRLF", { bytes: 7, lineEnd: "\r\n" }],
    ["a thousand bytes at a time, with CR", { bytes: 1000, lineEnd: "\r" }],
  ])("that comes %s is recorded whole, and the caller reads the same", async (_, options) => {
    const { openai, calls } = await open([answerEvents(events, options)]);
    const stream = await openai.chat.completions.create({
      ...question,
      stream: true,
      stream_options: { include_usage: true },
    });
    let read = "";
    for await (const chunk of stream) read += chunk.choices[0]?.delta.content ?? "";
    expect(read).toBe(said);
    await waitForCalls(calls, 1);
    expect(calls).toMatchObject([{ output: said, inputTokens: 5, outputTokens: 9, tags: [] }]);
    expect(calls[0]?.error).toBeUndefined();
  });

  test("puts calls of tools together", async () => {
    const call = (given: string, name?: string) => ({
      tool_calls: [{ index: 0, function: { name, arguments: given } }],
    });
    const { openai, calls } = await open([
      answerEvents([
        piece(call("", "get_weather")),
        piece(call('{"ci')),
        piece(call('ty":1}')),
        piece({}, "tool_calls"),
        "[DONE]",
      ]),
    ]);
    for await (const _ of await openai.chat.completions.create({ ...question, stream: true }));
    await waitForCalls(calls, 1);
    expect(calls[0]).toMatchObject({ output: 'get_weather({"city":1})', tags: [] });
  });

  test("hands on each piece when it comes, not when the answer is over", async () => {
    const { openai, calls } = await open([answerEvents(events, { stallAfter: 2 })]);
    const stream = await openai.chat.completions.create({ ...question, stream: true });
    const pieces = stream[Symbol.asyncIterator]();
    await pieces.next();
    const second = await pieces.next();
    expect(second.value?.choices[0]?.delta.content).toBe("Bern, 東");
    expect(calls).toEqual([]);
    stream.controller.abort();
  });

  test("of which the caller has had enough is no error", async () => {
    const { openai, calls } = await open([answerEvents(events, { stallAfter: 3 })]);
    for await (const chunk of await openai.chat.completions.create({ ...question, stream: true })) {
      if (chunk.choices[0]?.delta.content) break;
    }
    await waitForCalls(calls, 1);
    expect(calls[0]).toMatchObject({ output: expect.stringMatching(/^Bern, 東/), tags: ["aborted"] });
    expect(calls[0]?.error).toBeUndefined();
  });

  test("that breaks off keeps what was said, and says that it broke", async () => {
    const { openai, calls } = await open([answerEvents(events, { cutAfter: 3 })]);
    const read = async () => {
      for await (const _ of await openai.chat.completions.create({ ...question, stream: true }));
    };
    await expect(read()).rejects.toThrow();
    await waitForCalls(calls, 1);
    expect(calls).toHaveLength(1);
    // What was on its way when the connection was cut may be lost with it.
    expect(calls[0]).toMatchObject({
      output: expect.stringMatching(/^Bern, 東/),
      error: { kind: "network" },
    });
  });

  test("that ends before its answer does is an error, though the SDK takes it for whole", async () => {
    const { openai, calls } = await open([answerEvents(events.slice(0, 3))]);
    for await (const _ of await openai.chat.completions.create({ ...question, stream: true }));
    await waitForCalls(calls, 1);
    expect(calls[0]).toMatchObject({ output: "Bern, 東京 🦊", error: { kind: "cut-off" } });
  });

  test("with an error in its midst tells it", async () => {
    const error = { message: "The server had an error", type: "server_error", code: null };
    const { openai, calls } = await open([answerEvents([events[1], { error }])]);
    const read = async () => {
      for await (const _ of await openai.chat.completions.create({ ...question, stream: true }));
    };
    await expect(read()).rejects.toThrow("The server had an error");
    await waitForCalls(calls, 1);
    expect(calls[0]).toMatchObject({
      output: "Bern, 東",
      error: { kind: "api", code: "server_error", message: "The server had an error" },
    });
  });
});

describe("failures", () => {
  test("each try of the SDK is a call, with the reason that the SDK leaves unread", async () => {
    const limited = { error: { message: `Rate limit of ${apiKey} reached`, code: "rate_limit_exceeded" } };
    const { openai, calls, server } = await open([
      (response) => {
        response.writeHead(429, { "content-type": "application/json", "retry-after-ms": "1" });
        response.end(JSON.stringify(limited));
      },
      answerJson(completion),
    ]);
    const answer = await openai.chat.completions.create(question, { maxRetries: 1 });
    expect(answer.choices[0]?.message.content).toBe("Bern, 東京 🦊.");
    await waitForCalls(calls, 2);
    expect(server.requests).toHaveLength(2);
    const failed = calls.find(({ error }) => error);
    expect(failed).toMatchObject({
      model: "gpt-5",
      input: "Which capitals?",
      output: "",
      error: {
        kind: "status",
        status: 429,
        code: "rate_limit_exceeded",
        message: "Rate limit of [key] reached",
      },
    });
    expect(calls.find(({ error }) => !error)).toMatchObject({ output: "Bern, 東京 🦊." });
  });

  test.each([
    [
      401,
      { error: { message: "Incorrect API key", type: "invalid_request_error", code: "invalid_api_key" } },
    ],
    [500, "upstream is away"],
    [503, ""],
  ])("status %i reaches the caller as it is, and is recorded", async (status, body) => {
    const { openai, calls } = await open([answerJson(body, status)]);
    await expect(openai.chat.completions.create(question)).rejects.toMatchObject({ status });
    await waitForCalls(calls, 1);
    const message = typeof body === "string" ? body : body.error.message;
    expect(calls).toMatchObject([{ error: { kind: "status", status, message } }]);
  });

  test("a timeout of the SDK before the answer is an error", async () => {
    const { openai, calls } = await open([() => {}]);
    await expect(openai.chat.completions.create(question, { timeout: 200 })).rejects.toThrow("timed out");
    await waitForCalls(calls, 1);
    expect(calls).toMatchObject([{ output: "", error: { kind: "aborted" } }]);
  });

  test("a call that its caller's time ends is a timeout", async () => {
    const { fetch, calls, server } = await open([() => {}]);
    const sent = fetch(`${server.url}/v1/chat/completions`, {
      method: "POST",
      body: JSON.stringify(question),
      signal: AbortSignal.timeout(100),
    });
    await expect(sent).rejects.toThrow();
    await waitForCalls(calls, 1);
    expect(calls).toMatchObject([{ input: "Which capitals?", error: { kind: "timeout" } }]);
  });

  test("a caller that gives up before the answer is told apart by nobody from a timeout", async () => {
    const { openai, calls } = await open([() => {}]);
    const ending = new AbortController();
    const asked = openai.chat.completions.create(question, { signal: ending.signal });
    setTimeout(() => ending.abort(), 50);
    await expect(asked).rejects.toThrow("aborted");
    await waitForCalls(calls, 1);
    expect(calls).toMatchObject([{ error: { kind: "aborted" } }]);
    expect(calls).toHaveLength(1);
  });

  test("a server that is not there is an error of the network", async () => {
    const { openai, calls, server } = await open([answerJson({})]);
    await server.close();
    servers.length = 0;
    await expect(openai.chat.completions.create(question)).rejects.toThrow("Connection error");
    await waitForCalls(calls, 1);
    expect(calls).toMatchObject([{ error: { kind: "network", message: expect.stringMatching(/./) } }]);
  });

  test("an answer that is none of this API is an error, and the caller gets it as it is", async () => {
    const page = "<html>Welcome to the gateway</html>";
    const { openai, calls } = await open([
      (response) => {
        response.writeHead(200, { "content-type": "text/html" });
        response.end(page);
      },
    ]);
    expect(await openai.chat.completions.create(question)).toBe(page);
    await waitForCalls(calls, 1);
    expect(calls).toMatchObject([{ output: "", error: { kind: "unreadable" } }]);
  });
});

describe("other calls", () => {
  const response = {
    id: "resp_1",
    object: "response",
    model: "gpt-5-2026-01-01",
    status: "completed",
    conversation: { id: "conv_7" },
    error: null,
    incomplete_details: null,
    output: [
      { type: "reasoning", id: "rs_1", summary: [{ type: "summary_text", text: "Thinking." }] },
      { type: "web_search_call", id: "ws_1", status: "completed" },
      {
        type: "message",
        id: "m_1",
        role: "assistant",
        content: [{ type: "output_text", text: "Bern.", annotations: [] }],
      },
      { type: "function_call", id: "f_1", call_id: "c", name: "save", arguments: '{"a":1}' },
    ],
    usage: { input_tokens: 3, output_tokens: 4, total_tokens: 7 },
  };
  const input = [
    { role: "user" as const, content: [{ type: "input_text" as const, text: "Capital?" }] },
    { type: "function_call_output" as const, call_id: "b", output: "42" },
  ];

  test("a response", async () => {
    const { openai, calls } = await open([answerJson(response)]);
    const answer = await openai.responses.create({ model: "gpt-5", instructions: "Be brief.", input });
    expect(answer.output_text).toBe("Bern.");
    expect(calls).toMatchObject([
      {
        operation: "response",
        input: "system: Be brief.\n\nuser: Capital?\n\n42",
        output: '[web_search_call]\n\nBern.\n\nsave({"a":1})',
        inputTokens: 3,
        outputTokens: 4,
        sessionId: "conv_7",
        tags: [],
      },
    ]);
  });

  const streamed = [
    { type: "response.created", response: { ...response, status: "in_progress", output: [], usage: null } },
    { type: "response.output_item.added", output_index: 0, item: { type: "message", content: [] } },
    { type: "response.output_text.delta", output_index: 0, content_index: 0, delta: "Be" },
    { type: "response.output_text.delta", output_index: 0, content_index: 0, delta: "rn." },
    { type: "response.output_item.added", output_index: 1, item: { type: "function_call", name: "save" } },
    { type: "response.function_call_arguments.delta", output_index: 1, delta: '{"a":1}' },
    { type: "response.completed", response },
  ];

  test("a streamed response is told by its last event", async () => {
    const { openai, calls } = await open([answerEvents(streamed, { bytes: 5 })]);
    const types: string[] = [];
    for await (const event of await openai.responses.create({ model: "gpt-5", input: "?", stream: true })) {
      types.push(event.type);
    }
    expect(types).toEqual(streamed.map(({ type }) => type));
    await waitForCalls(calls, 1);
    expect(calls[0]).toMatchObject({
      output: '[web_search_call]\n\nBern.\n\nsave({"a":1})',
      outputTokens: 4,
    });
    expect(calls[0]?.error).toBeUndefined();
  });

  test("a streamed response that ends without one is told by its pieces", async () => {
    const { openai, calls } = await open([answerEvents(streamed.slice(0, -1))]);
    for await (const _ of await openai.responses.create({ model: "gpt-5", input: "?", stream: true }));
    await waitForCalls(calls, 1);
    expect(calls[0]).toMatchObject({
      output: 'Bern.\n\nsave({"a":1})',
      sessionId: "conv_7",
      error: { kind: "cut-off" },
    });
  });

  test("a response that failed, or is worked on in the background, says so", async () => {
    const failed = {
      ...response,
      status: "failed",
      output: [],
      error: { code: "server_error", message: "Sorry" },
    };
    const queued = { ...response, status: "queued", output: [], usage: null };
    const { openai, calls } = await open([
      answerEvents([streamed[0], { type: "response.failed", response: failed }]),
      answerJson(queued),
    ]);
    for await (const _ of await openai.responses.create({ model: "gpt-5", input: "?", stream: true }));
    await openai.responses.create({ model: "gpt-5", input: "?", background: true });
    await waitForCalls(calls, 2);
    expect(calls).toMatchObject([
      { output: "", error: { kind: "api", code: "server_error", message: "Sorry" } },
      { output: "", tags: ["background"] },
    ]);
  });

  test("a completion of the old kind", async () => {
    const choices = [{ index: 0, text: " upon a time", finish_reason: "length", logprobs: null }];
    const { openai, calls } = await open([
      answerJson({ ...completion, object: "text_completion", choices }),
      answerEvents([
        { choices: [{ index: 0, text: " upon", finish_reason: null }] },
        { choices: [{ index: 0, text: " a", finish_reason: "stop" }] },
        "[DONE]",
      ]),
      answerJson({ ...completion, choices: [] }),
    ]);
    await openai.completions.create({ model: "davinci", prompt: "Once" });
    for await (const _ of await openai.completions.create({
      model: "davinci",
      prompt: ["One", "Two"],
      stream: true,
    }));
    await openai.completions.create({ model: "davinci", prompt: [1, 2, 3] });
    await waitForCalls(calls, 3);
    expect(calls).toMatchObject([
      { operation: "completion", input: "Once", output: " upon a time", tags: ["incomplete"] },
      { input: "One\n\nTwo", output: " upon a" },
      { input: "[3 tokens]", output: "" },
    ]);
  });

  test("a picture: its prompt, and how the model understood it or how large the picture is", async () => {
    const picture = Buffer.alloc(2_400_000, 9).toString("base64");
    const { openai, calls, server } = await open([
      answerJson({ created: 1, data: [{ b64_json: picture, revised_prompt: "A red fox in snow" }] }),
      answerJson({
        created: 1,
        data: [{ b64_json: picture }],
        usage: { input_tokens: 8, output_tokens: 4160 },
      }),
    ]);
    const made = await openai.images.generate({ model: "gpt-image-1", prompt: "A fox" });
    expect(made.data?.[0]?.b64_json).toBe(picture);
    await openai.images.edit({
      model: "gpt-image-1",
      prompt: "In snow",
      image: new File(["x"], "fox.png", { type: "image/png" }),
    });
    await waitForCalls(calls, 2);
    expect(server.requests[1]?.body).toContain("fox.png");
    expect(calls).toMatchObject([
      { operation: "image", model: "gpt-image-1", input: "A fox", output: "A red fox in snow" },
      { operation: "image", input: "In snow", output: "[image, 2.4 MB]", inputTokens: 8, outputTokens: 4160 },
    ]);
  });

  test("a streamed picture is told by its last event", async () => {
    const picture = Buffer.alloc(30_000, 9).toString("base64");
    const { openai, calls } = await open([
      answerEvents([
        { type: "image_generation.partial_image", b64_json: picture, partial_image_index: 0 },
        {
          type: "image_generation.completed",
          b64_json: picture,
          usage: { input_tokens: 1, output_tokens: 2 },
        },
      ]),
    ]);
    for await (const _ of await openai.images.generate({ prompt: "A fox", stream: true, partial_images: 1 }));
    await waitForCalls(calls, 1);
    expect(calls).toMatchObject([{ output: "[image, 30 kB]", inputTokens: 1, outputTokens: 2 }]);
    expect(calls[0]?.error).toBeUndefined();
  });

  test("embeddings, models and files pass through and are not recorded", async () => {
    const { openai, calls } = await open([
      answerJson({ object: "list", data: [{ embedding: [1], index: 0 }] }),
    ]);
    await openai.embeddings.create({ model: "e", input: "x", encoding_format: "float" });
    await openai.models.list();
    await openai.chat.completions.list();
    expect(calls).toEqual([]);
  });
});
