import { describe, expect, test, vi } from "vitest";
import type { CallFormat } from "../../../edge/clients/call-formats.ts";
import { lookText } from "../../../edge/clients/loose-json.ts";
import type { RecordingFetchOptions } from "../../../edge/clients/recording-fetch.ts";
import { openRecording } from "./model-server.ts";

const url = "https://models.example/v1/chat/completions";
const question = { model: "m", messages: [{ role: "user", content: "Capital?" }] };
const answered = { choices: [{ finish_reason: "stop", message: { content: "Bern." } }] };
const json = { "content-type": "application/json" };

/** A call whose company is a function. */
function open(answer: RecordingFetchOptions["fetch"], options: Partial<RecordingFetchOptions> = {}) {
  return openRecording({ fetch: answer as never, ...options });
}

const post = (body: BodyInit, init: RequestInit = {}): RequestInit => ({ method: "POST", body, ...init });

describe("what passes through", () => {
  test("is what was given, and the answer as it came", async () => {
    const given: unknown[] = [];
    const headers = { ...json, "x-request-id": "r-1" };
    const { fetch } = open(async (...all) => {
      given.push(all);
      return new Response(JSON.stringify(answered), { status: 201, statusText: "Made", headers });
    });
    const init = post(JSON.stringify(question), { headers: { authorization: "Bearer key-of-house" } });
    const answer = await fetch(url, init);
    expect(given).toEqual([[url, init]]);
    expect((given[0] as unknown[])[1]).toBe(init);
    expect([answer.status, answer.statusText, answer.headers.get("x-request-id")]).toEqual([
      201,
      "Made",
      "r-1",
    ]);
    expect(await answer.json()).toEqual(answered);
  });

  test("of a stream is taken one piece at a time, when the caller asks", async () => {
    let given = 0;
    const stream = new ReadableStream(
      {
        pull(controller) {
          if (++given > 50) controller.close();
          else controller.enqueue(new TextEncoder().encode(`data: {"choices":[]}\n\n`));
        },
      },
      { highWaterMark: 0 },
    );
    const { fetch } = open(
      async () => new Response(stream, { headers: { "content-type": "text/event-stream" } }),
    );
    const reader = (await fetch(url, post(JSON.stringify(question)))).body?.getReader();
    expect(given).toBe(0);
    await reader?.read();
    await reader?.read();
    expect(given).toBe(2);
    await reader?.cancel();
  });

  test("is not recorded where it is no call of a model", async () => {
    const { fetch, calls } = open(async () => new Response("{}", { headers: json }));
    await (await fetch(url, { method: "GET" })).text();
    await (await fetch("https://models.example/v1/embeddings", post("{}"))).text();
    await (await fetch("https://models.example/v1/responses/resp_1/cancel", post("{}"))).text();
    await (await fetch("https://models.example/v1/chat/completions/1/messages", post("{}"))).text();
    expect(calls).toEqual([]);
  });
});

describe("what is read", () => {
  const answer = async () => new Response(JSON.stringify(answered), { headers: json });

  test.each<[string, () => [string | URL | Request, RequestInit?]]>([
    ["a URL and a text", () => [new URL(url), post(JSON.stringify(question))]],
    ["bytes", () => [url, post(new TextEncoder().encode(JSON.stringify(question)))]],
    ["a blob", () => [url, post(new Blob([JSON.stringify(question)]))]],
    ["a request", () => [new Request(url, post(JSON.stringify(question)))]],
    [
      "a deployment of Azure's",
      () => [
        `https://x.example/openai/deployments/m/chat/completions?api-version=1`,
        post(JSON.stringify(question)),
      ],
    ],
  ])("is the body of %s, which is sent as it is", async (_, given) => {
    const sent: string[] = [];
    const { fetch, calls } = open(async (input, init) => {
      sent.push(await new Request(input as string, init).text());
      return answer();
    });
    await (await fetch(...given())).text();
    await vi.waitFor(() => expect(calls).toHaveLength(1), { timeout: 20_000 });
    expect(sent).toEqual([JSON.stringify(question)]);
    expect(calls).toMatchObject([{ model: "m", input: "Capital?", output: "Bern." }]);
  });

  test("is said to be missing where reading it would take it away", async () => {
    const { fetch, calls } = open(answer);
    const body = new Blob([JSON.stringify(question)]).stream();
    await (await fetch(url, { method: "POST", body, duplex: "half" } as RequestInit)).text();
    expect(calls).toMatchObject([{ input: "[request not read]", output: "Bern." }]);
  });

  test("is told with whose it is, what it costs and what it is for", async () => {
    const { fetch, calls } = open(answer, {
      context: () => ({ ownerId: "o-1", app: "stories", sessionId: "s-1", tags: ["draft"] }),
      priceUsd: ({ model, operation }) => (model === "m" && operation === "chat" ? 0.25 : undefined),
    });
    await (await fetch(url, post(JSON.stringify(question)))).text();
    expect(calls).toMatchObject([
      { ownerId: "o-1", app: "stories", sessionId: "s-1", tags: ["draft"], costUsd: 0.25 },
    ]);
  });

  test("may be of an API that speaks otherwise", async () => {
    const speech: CallFormat = {
      operation: "rhyme",
      readAsked: (body) => ({ input: lookText(body, "line") ?? "" }),
      readAnswered: (body) => ({ output: lookText(body, "rhyme") ?? "" }),
      openEvents: () => ({ readEvent: () => {}, read: () => ({ output: "" }), isComplete: () => true }),
    };
    const { fetch, calls } = open(async () => new Response('{"rhyme":"moon"}', { headers: json }), {
      formats: [[/\/rhymes$/, speech]],
    });
    await (await fetch("https://rhymes.example/rhymes", post('{"line":"June"}'))).text();
    await (await fetch(url, post(JSON.stringify(question)))).text();
    expect(calls).toMatchObject([{ operation: "rhyme", input: "June", output: "moon" }]);
  });

  test("is cut in its middle where it is too long, and what an answer takes is bounded", async () => {
    const long = `${"a b ".repeat(100_000)}the end`;
    const choices = [
      { message: { content: long } },
      { message: { content: long } },
      { message: { content: long } },
    ];
    const { fetch, calls } = open(async () => new Response(JSON.stringify({ choices }), { headers: json }), {
      charactersMax: 1_000,
    });
    const body = JSON.stringify({ ...question, messages: [{ role: "user", content: `Begin. ${long}` }] });
    const answer = await fetch(url, post(body));
    expect(((await answer.json()) as typeof answered).choices).toEqual(choices as never);
    const [call] = calls;
    expect(call?.input).toMatch(/^Begin\. a b .* … \[\d+ characters left out\] .*the end$/);
    expect([call?.input.length, call?.output.length].map((length) => (length ?? 0) <= 1_000)).toEqual([
      true,
      true,
    ]);
    expect(call?.output).toContain("characters left out]");
  });

  test("of a stream that never ends is no more than its limit", async () => {
    const event = new TextEncoder().encode(
      `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: "word ".repeat(2_000) } }] })}\n\n`,
    );
    let given = 0;
    const stream = new ReadableStream({
      pull(controller) {
        if (++given > 2_000) controller.close();
        else controller.enqueue(event);
      },
    });
    const { fetch, calls } = open(
      async () => new Response(stream, { headers: { "content-type": "text/event-stream" } }),
      { charactersMax: 5_000 },
    );
    const reader = (await fetch(url, post(JSON.stringify(question)))).body?.getReader();
    while (!(await reader?.read())?.done);
    expect(calls[0]?.output.length).toBeLessThanOrEqual(5_000);
    expect(calls[0]?.output).toMatch(/characters left out\]/);
  });

  test("never holds what the call proves itself with, wherever it stands", async () => {
    const secret = "0f9a-secret-of-house";
    const { fetch, calls } = open(async () => {
      throw new TypeError(`error sending request for ${url}?key=${secret}`, {
        cause: new Error(`to ${secret}`),
      });
    });
    const asked = { ...question, messages: [{ role: "user", content: `My key is ${secret}` }] };
    const init = post(JSON.stringify(asked), { headers: { "api-key": secret } });
    await expect(fetch(`${url}?key=${secret}`, init)).rejects.toThrow(secret);
    expect(calls).toMatchObject([
      { input: "My key is [key]", error: { kind: "network", message: expect.stringContaining("to [key]") } },
    ]);
    expect(JSON.stringify(calls)).not.toContain(secret);
  });
});

describe("what goes wrong in recording", () => {
  const answer = async () => new Response(JSON.stringify(answered), { headers: json });
  const failure = () => {
    throw new Error("the log is full");
  };

  test.each<[string, Partial<RecordingFetchOptions>, number]>([
    ["recording", { record: failure }, 0],
    ["beginning", { context: failure }, 0],
    ["pricing", { priceUsd: failure }, 1],
  ])("while %s reaches nobody, and is warned of once", async (doing, options, recorded) => {
    const { fetch, calls, logLines } = open(answer, options);
    for (const _ of [1, 2, 3]) {
      const response = await fetch(url, post(JSON.stringify(question)));
      expect(await response.json()).toEqual(answered);
    }
    expect(calls).toHaveLength(3 * recorded);
    expect(logLines).toMatchObject([
      { level: "warn", event: "model-call.not-recorded", doing, error: { message: "the log is full" } },
    ]);
  });

  test.each([
    ["no JSON", "{"],
    ["a list", "[1]"],
    ["null", "null"],
    [
      "odd parts",
      '{"messages":[null,3,{"role":7,"content":{"a":1}},{"content":[null,{"type":"image_url"}]}],"model":9}',
    ],
  ])("a request of %s is passed on", async (_, body) => {
    const { fetch, calls, logLines } = open(answer);
    const response = await fetch(url, post(body));
    expect(await response.json()).toEqual(answered);
    expect(calls).toMatchObject([{ output: "Bern." }]);
    expect(logLines).toEqual([]);
  });

  test.each([
    '{"choices":null}',
    '{"choices":[null,1,{"message":[]}],"usage":7}',
    '{"choices":[{"message":{"content":[{"type":"text"}],"tool_calls":[null,{}]}}]}',
    "[]",
    "null",
    '"text"',
  ])("an answer of %s is passed on", async (body) => {
    const { fetch, calls, logLines } = open(async () => new Response(body, { headers: json }));
    const response = await fetch(url, post(JSON.stringify(question)));
    expect(await response.text()).toBe(body);
    expect(calls).toHaveLength(1);
    expect(logLines).toEqual([]);
  });

  test("an answer without a body is one that cannot be read", async () => {
    const { fetch, calls } = open(async () => new Response(null, { status: 204 }));
    expect((await fetch(url, post(JSON.stringify(question)))).status).toBe(204);
    expect(calls).toMatchObject([{ error: { kind: "unreadable" } }]);
  });
});
