/** Spans that exporters send, as interactions. */
import { gzipSync } from "node:zlib";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { SimpleSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { openTestApp, type TestApp, type TestUser } from "../../../helpers/app.ts";

const { measured } = vi.hoisted(() => ({ measured: vi.fn() }));
vi.mock(import("../../../../shared/interactions/metrics/registry.ts"), async (importOriginal) => {
  const original = await importOriginal();
  return {
    ...original,
    measureInteraction: (...given) => {
      measured();
      return original.measureInteraction(...given);
    },
  };
});

let house: TestApp;
let server: ReturnType<typeof Bun.serve>;
beforeAll(async () => {
  house = await openTestApp();
  server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: (request) => house.app.fetch(request) });
});
afterAll(async () => {
  await server.stop(true);
  await house.close();
});
beforeEach(async () => {
  await house.sql`delete from parlance.interactions`;
});

interface Stored {
  ownerId: string | null;
  app: string;
  model: string;
  input: string;
  output: string;
  inputTokens: number | null;
  latencyMs: number;
}

const listStored = () => house.sql<Stored[]>`
  select interactions.owner_id, app, model, input, output, input_tokens, latency_ms
  from parlance.interactions
  join parlance.interaction_groups as groups on groups.id = interactions.group_id
  order by interactions.id
`;

const span = (spanId: string, attributes: Record<string, string | number> = {}) => ({
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId,
  name: "chat",
  startTimeUnixNano: "1767225600000000000",
  endTimeUnixNano: "1767225601500000000",
  attributes: Object.entries({
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "gpt-x",
    "gen_ai.usage.input_tokens": 7,
    "gen_ai.prompt.0.content": "What is it?",
    "gen_ai.completion.0.content": "A pipe.",
    ...attributes,
  }).map(([key, value]) => ({
    key,
    value: typeof value === "number" ? { intValue: `${value}` } : { stringValue: value },
  })),
});

const body = (...spans: unknown[]) =>
  JSON.stringify({
    resourceSpans: [
      {
        resource: { attributes: [{ key: "service.name", value: { stringValue: "shop" } }] },
        scopeSpans: [{ spans }],
      },
    ],
  });

const send = (who: TestUser | "secret" | "nobody", text: BodyInit, headers: Record<string, string> = {}) =>
  house.call(who, "POST", "/otlp/v1/traces", {
    body: text,
    headers: { "content-type": "application/json", ...headers },
  });

describe("spans", () => {
  test("of model calls become interactions, others are left out", async () => {
    const tool = span("00f067aa0ba902b8", { "gen_ai.operation.name": "execute_tool" });
    const answer = await send(house.alice, body(span("00f067aa0ba902b7"), tool));
    expect([answer.status, answer.body]).toEqual([200, { partialSuccess: {} }]);
    expect(await listStored()).toEqual([
      {
        ownerId: house.alice.id,
        app: "shop",
        model: "gpt-x",
        input: "What is it?",
        output: "A pipe.",
        inputTokens: 7,
        latencyMs: 1500,
      },
    ]);
  });

  test("that are sent again, also several times at once, land once for each owner", async () => {
    const text = body(span("00f067aa0ba902b7"), span("00f067aa0ba902b8"), span("00f067aa0ba902b8"));
    await Promise.all([1, 2, 3, 4].map(() => send(house.alice, text)));
    await send("secret", text);
    expect((await listStored()).map(({ ownerId }) => ownerId)).toEqual([
      house.alice.id,
      house.alice.id,
      null,
      null,
    ]);
  });

  test("that cannot be read are counted and explained, the others land", async () => {
    const answer = await send(
      house.alice,
      body(
        { ...span("00f067aa0ba902b7"), spanId: "x" },
        { ...span("00f067aa0ba902b9"), startTimeUnixNano: "32503680000000000000" },
        span("00f067aa0ba902b8"),
      ),
    );
    expect(answer.status).toBe(200);
    expect(answer.body.partialSuccess.rejectedSpans).toBe("2");
    expect(answer.body.partialSuccess.errorMessage).toMatch(/spanId/);
    expect(await listStored()).toHaveLength(1);
  });

  test("whose labels Postgres could not keep land all the same, as do those beside them", async () => {
    const attributes = { "user.id": "\0", "session.id": "\ud800", "gen_ai.request.model": "m\0" };
    const answer = await send(
      house.alice,
      body(span("00f067aa0ba902b7", attributes), span("00f067aa0ba902b8")),
    );
    expect([answer.status, answer.body]).toEqual([200, { partialSuccess: {} }]);
    expect((await listStored()).map(({ model }) => model).toSorted()).toEqual(["gpt-x", "m\ufffd"]);
  });

  test("of one model too many are refused by themselves", async () => {
    await house.sql`
      insert into parlance.interaction_groups (owner_id, app, environment, model)
      select ${house.bob.id}, 'shop', '', 'm' || n from generate_series(1, 1000) as n
    `;
    const models = ["m1", "one more", "m2"].map((model) => ({ "gen_ai.request.model": model }));
    const answer = await send(
      house.bob,
      body(...models.map((attributes, index) => span(`00f067aa0ba902b${index}`, attributes))),
    );
    expect([answer.status, answer.body.partialSuccess.rejectedSpans]).toEqual([200, "1"]);
    expect(answer.body.partialSuccess.errorMessage).toMatch(/1000 combinations/);
    expect((await listStored()).map(({ model }) => model).toSorted()).toEqual(["m1", "m2"]);
  });

  test("of an export that broke off are not measured again when it comes again", async () => {
    const spans = Array.from({ length: 450 }, (_, index) => span(`00f067aa0ba9${1000 + index}`));
    await house.sql`
      create function parlance.break_off() returns trigger language plpgsql as $$
      begin
        if (select count(*) from parlance.interaction_batches where owner_id = new.owner_id) > 2 then
          raise exception 'broken off';
        end if;
        return new;
      end
      $$
    `;
    await house.sql`delete from parlance.interaction_batches`;
    await house.sql`
      create trigger break_off after insert on parlance.interaction_batches
      for each row execute function parlance.break_off()
    `;
    expect((await send(house.alice, body(...spans))).status).toBe(500);
    expect(await listStored()).toHaveLength(400);
    await house.sql`drop trigger break_off on parlance.interaction_batches`;
    measured.mockClear();
    expect((await send(house.alice, body(...spans))).status).toBe(200);
    expect(measured).toHaveBeenCalledTimes(50);
    expect(await listStored()).toHaveLength(450);
  });

  test("in what is not understood are refused, and the field is named", async () => {
    const answer = await send(house.alice, '{"resourceSpans":[{"scopeSpans":[{"spans":5}]}]}');
    expect([answer.status, answer.body.code]).toEqual([400, "invalid_request"]);
    expect(answer.body.errors[0].field).toBe("body.resourceSpans.0.scopeSpans.0.spans");
    const zeros = await send(house.alice, JSON.stringify({ resourceSpans: Array(1_500_000).fill(0) }));
    expect([zeros.status, zeros.body.errors?.length]).toEqual([400, 1]);
    expect((await send(house.alice, '{"resourceSpans":null}')).status).toBe(200);
  });

  test("may be gzipped, but not inflate without end, nor be something else", async () => {
    const gzip = { "content-encoding": "gzip" };
    expect((await send(house.alice, gzipSync(body(span("00f067aa0ba902b7"))), gzip)).status).toBe(200);
    expect(await listStored()).toHaveLength(1);
    const bomb = gzipSync(Buffer.alloc(64 * 2 ** 20, "["));
    expect((await send(house.alice, bomb, gzip)).body.code).toBe("payload_too_large");
    expect((await send(house.alice, "not gzip", gzip)).body.code).toBe("invalid_request");
    expect((await send(house.alice, "x", { "content-encoding": "br" })).body.code).toBe(
      "unsupported_media_type",
    );
    expect((await send(house.alice, "{")).status).toBe(400);
    expect((await send("nobody", body())).status).toBe(401);
  });
});

test("the exporter of OpenTelemetry only needs a URL and a key", async () => {
  const exporter = new OTLPTraceExporter({
    url: `http://127.0.0.1:${server.port}/api/otlp/v1/traces`,
    headers: { apikey: house.keys.secretKey },
  });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ "service.name": "exporter" }),
    spanProcessors: [new SimpleSpanProcessor({ exporter })],
  });
  const call = provider.getTracer("test").startSpan("chat gpt-x", {
    attributes: {
      "gen_ai.operation.name": "chat",
      "gen_ai.request.model": "gpt-x",
      "gen_ai.input.messages": JSON.stringify([{ role: "user", parts: [{ type: "text", content: "Hi" }] }]),
      "gen_ai.output.messages": JSON.stringify([
        { role: "assistant", parts: [{ type: "text", content: "Hello" }] },
      ]),
    },
  });
  call.end();
  await provider.forceFlush();
  await provider.shutdown();
  expect(await listStored()).toMatchObject([
    { app: "exporter", input: "Hi", output: "Hello", ownerId: null },
  ]);
});
