/** Cerebras' own SDK: of an older make than OpenAI's, it leaves answers unread that it tries again, and tells errors in its own way. */
import Cerebras from "@cerebras/cerebras_cloud_sdk";
import { afterEach, expect, test, vi } from "vitest";
import {
  type Answer,
  answerEvents,
  answerJson,
  type ModelServer,
  openModelServer,
  openRecording,
} from "./model-server.ts";

const servers: ModelServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function open(answers: Answer[], { warmTCPConnection = false } = {}) {
  const server = await openModelServer(...answers);
  servers.push(server);
  const recording = openRecording({ provider: "cerebras" });
  const cerebras = new Cerebras({
    apiKey: "csk-of-this-house-17",
    baseURL: server.url,
    fetch: recording.fetch as never,
    warmTCPConnection,
  });
  return { ...recording, server, cerebras };
}

const question = { model: "llama-4", messages: [{ role: "user" as const, content: "Capital?" }] };
const completion = {
  id: "1",
  object: "chat.completion",
  created: 1,
  model: "llama-4",
  system_fingerprint: "fp",
  choices: [
    {
      index: 0,
      finish_reason: "stop",
      message: { role: "assistant", content: "Bern.", reasoning: "Swiss." },
    },
  ],
  usage: { prompt_tokens: 2, completion_tokens: 3, total_tokens: 5 },
  time_info: { queue_time: 0.1, prompt_time: 0.1, completion_time: 0.1, total_time: 0.3 },
};

test("a chat completion is recorded; the reasoning before it is no part of the answer", async () => {
  const { cerebras, calls } = await open([answerJson(completion)]);
  expect(await cerebras.chat.completions.create(question)).toEqual(completion);
  expect(calls).toMatchObject([
    {
      provider: "cerebras",
      model: "llama-4",
      input: "Capital?",
      output: "Bern.",
      inputTokens: 2,
      outputTokens: 3,
    },
  ]);
});

test("a stream is recorded with the usage of its last piece", async () => {
  const piece = (delta: object, more: object = {}) => ({
    model: "llama-4",
    choices: [{ index: 0, delta, finish_reason: null, ...more }],
  });
  const { cerebras, calls } = await open([
    answerEvents(
      [
        piece({ role: "assistant", content: "Bé" }),
        piece({ content: "rn 🦊" }),
        { ...piece({}, { finish_reason: "stop" }), usage: completion.usage, time_info: completion.time_info },
      ],
      { bytes: 3 },
    ),
  ]);
  let read = "";
  for await (const chunk of await cerebras.chat.completions.create({ ...question, stream: true })) {
    read += (chunk as { choices: { delta: { content?: string } }[] }).choices[0]?.delta.content ?? "";
  }
  expect(read).toBe("Bérn 🦊");
  await vi.waitFor(() => expect(calls).toHaveLength(1), { timeout: 20_000 });
  expect(calls).toMatchObject([{ output: "Bérn 🦊", inputTokens: 2, outputTokens: 3, tags: [] }]);
  expect(calls[0]?.error).toBeUndefined();
});

test("a try that failed is recorded with its reason, though the SDK never reads it", async () => {
  const limited = {
    message: "Tokens per minute of csk-of-this-house-17",
    type: "too_many_requests_error",
    param: "quota",
    code: "token_quota_exceeded",
  };
  const { cerebras, calls } = await open([
    (response) => {
      response.writeHead(429, { "content-type": "application/json", "retry-after-ms": "1" });
      response.end(JSON.stringify(limited));
    },
    answerJson(completion),
  ]);
  await cerebras.chat.completions.create(question);
  await vi.waitFor(() => expect(calls).toHaveLength(2), { timeout: 20_000 });
  expect(calls.find(({ error }) => error)?.error).toEqual({
    kind: "status",
    status: 429,
    code: "token_quota_exceeded",
    message: "Tokens per minute of [key]",
  });
});

test("the request by which it warms its connection is no call of a model", async () => {
  const { cerebras, calls, server } = await open([answerJson({}), answerJson(completion)], {
    warmTCPConnection: true,
  });
  await vi.waitFor(() => expect(server.requests).toHaveLength(1), { timeout: 20_000 });
  await cerebras.chat.completions.create(question);
  expect(server.requests.map(({ path }) => path)).toEqual(["/v1/tcp_warming", "/v1/chat/completions"]);
  expect(calls).toHaveLength(1);
});
