import OpenAI from "openai";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { ModelCall } from "../../../edge/clients/record.ts";
import { createRecordingFetch } from "../../../edge/clients/recording-fetch.ts";
import { createRecorder, type RecorderOptions } from "../../../edge/interactions/recording.ts";
import { createLog } from "../../../shared/log.ts";
import { openTestApp, type TestApp } from "../../helpers/app.ts";
import { answerJson, openModelServer } from "../clients/model-server.ts";

const startedAt = new Date("2026-11-20T10:00:00.123Z");
const call = (more: Partial<ModelCall> = {}): ModelCall => ({
  provider: "openai",
  model: "gpt-5",
  operation: "chat",
  input: "Capital?",
  output: "Bern.",
  latencyMs: 120.5,
  startedAt,
  tags: [],
  ...more,
});

describe("calls of models", () => {
  let house: TestApp;
  beforeAll(async () => {
    house = await openTestApp();
  });
  afterAll(() => house.close());
  beforeEach(async () => {
    await house.sql`delete from parlance.interactions`;
  });

  const readLog = () =>
    house.sql<Record<string, unknown>[]>`
      select i.owner_id, i.input, i.output, i.provider, i.input_tokens, i.latency_ms, i.cost_usd, i.tags,
        i.session_id, i.user_label, i.batch_id, i.occurred_at, g.app, g.environment, g.model
      from parlance.interactions i
        join parlance.interaction_groups g on g.id = i.group_id
      order by i.input
    `;

  test("stand in the log of the house, with all that was told of them", async () => {
    const { record, settle } = house.deps.calls;
    record(
      call({
        app: "stories",
        environment: "production",
        sessionId: " s-1 ",
        userLabel: "u-1",
        inputTokens: 3,
        costUsd: 0.5,
        tags: ["draft", "draft"],
      }),
    );
    await settle();
    expect(await readLog()).toMatchObject([
      {
        ownerId: null,
        input: "Capital?",
        output: "Bern.",
        provider: "openai",
        inputTokens: 3,
        latencyMs: 120.5,
        costUsd: 0.5,
        tags: ["chat", "draft"],
        sessionId: "s-1",
        userLabel: "u-1",
        app: "stories",
        environment: "production",
        model: "gpt-5",
      },
    ]);
  });

  test("that come together are written together, those of each owner to their own log", async () => {
    const { record, settle } = house.deps.calls;
    for (let index = 0; index < 5; index++) record(call({ input: `house ${index}` }));
    for (let index = 0; index < 3; index++)
      record(call({ input: `alice ${index}`, ownerId: house.alice.id }));
    record(call({ input: "house 5" }));
    await settle();
    const rows = await readLog();
    const ofHouse = rows.filter(({ ownerId }) => ownerId === null);
    const ofAlice = rows.filter(({ ownerId }) => ownerId === house.alice.id);
    expect(ofHouse.map(({ input }) => input)).toEqual([0, 1, 2, 3, 4, 5].map((index) => `house ${index}`));
    expect(ofAlice.map(({ input }) => input)).toEqual([0, 1, 2].map((index) => `alice ${index}`));
    expect(new Set(ofHouse.map(({ batchId }) => batchId)).size).toBe(1);
    expect(new Set(ofAlice.map(({ batchId }) => batchId)).size).toBe(1);
  });

  test.each([
    [
      { kind: "status", status: 429, code: "rate_limit", message: "Slow down" } as const,
      "",
      "[error 429 rate_limit: Slow down]",
      "error:429",
    ],
    [
      { kind: "network", message: "socket hang up" } as const,
      "Be",
      "Be\n\n[error network: socket hang up]",
      "error:network",
    ],
  ])(
    "that failed are told apart by tags, and what the house says of them by brackets (%#)",
    async (error, output, stored, tag) => {
      const { record, settle } = house.deps.calls;
      record(call({ output, error, tags: ["draft"] }));
      await settle();
      expect(await readLog()).toMatchObject([{ output: stored, tags: ["chat", "error", tag, "draft"] }]);
    },
  );

  test("are cut to what the log takes", async () => {
    const { record, settle } = house.deps.calls;
    const error = { kind: "network", message: "gone" } as const;
    record(
      call({
        input: "a ".repeat(150_000),
        output: "b ".repeat(99_999),
        error,
        model: "m".repeat(300),
        sessionId: "\uD83E",
        tags: Array.from({ length: 40 }, (_, index) => `t${index}`),
      }),
    );
    await settle();
    const [row] = await readLog();
    expect(String(row?.input).length).toBe(200_000);
    expect(row?.output).toMatch(/characters left out\] .*gone\]$/s);
    expect([row?.model, row?.sessionId]).toEqual(["m".repeat(128), "\uFFFD"]);
    expect(row?.tags).toHaveLength(20);
    expect(row?.tags).toContain("error");
  });

  test("made by the SDK of a company arrive in the log", async () => {
    const server = await openModelServer(
      answerJson({
        choices: [{ finish_reason: "stop", message: { role: "assistant", content: "Bern." } }],
        usage: { prompt_tokens: 5, completion_tokens: 2 },
      }),
    );
    const { log, calls } = house.deps;
    const fetch = createRecordingFetch({
      record: calls.record,
      log,
      provider: "openai",
      context: { app: "captions" },
    });
    const openai = new OpenAI({ apiKey: "odd-key-of-this-house", baseURL: server.url, fetch });
    await openai.chat.completions.create({
      model: "gpt-5",
      messages: [{ role: "user", content: "Capital?" }],
    });
    await calls.settle();
    await server.close();
    expect(await readLog()).toMatchObject([
      { app: "captions", model: "gpt-5", input: "Capital?", output: "Bern.", inputTokens: 5, tags: ["chat"] },
    ]);
  });

  test("of a model too many are left out, those beside them are not", async () => {
    await house.sql`
      insert into parlance.interaction_groups (owner_id, app, environment, model)
      select ${house.bob.id}, 'x', '', 'm' || n from generate_series(1, 999) as n
    `;
    const { record, settle } = house.deps.calls;
    for (const model of ["m1", "one more", "two more", "m2"]) {
      record(call({ app: "x", ownerId: house.bob.id, input: model, model }));
    }
    await settle();
    expect((await readLog()).map(({ input }) => input)).toEqual(["m1", "m2", "one more"]);
  });

  test("written twice because an answer was lost stand in the log once", async () => {
    const { logInteractions } = await import("../../../edge/interactions/logging.ts");
    let tries = 0;
    const { record, settle } = createRecorder(house.deps, {
      windowMs: 0,
      retryMs: 1,
      log: async (...given) => {
        const logged = await logInteractions(...given);
        if (++tries === 1) throw new Error("the connection broke after the commit");
        return logged;
      },
    });
    record(call());
    await settle();
    expect([tries, (await readLog()).length]).toEqual([2, 1]);
  });
});

describe("a log that is away", () => {
  type Log = NonNullable<RecorderOptions["log"]>;

  /** A recorder over a log that is a function. */
  function open(
    log: Log,
    options: RecorderOptions & { keepAlive?: (work: Promise<unknown>) => void; ending?: AbortSignal } = {},
  ) {
    const { keepAlive, ending, ...rest } = options;
    const logLines: Record<string, unknown>[] = [];
    const deps = {
      sql: undefined as never,
      now: () => new Date(),
      log: createLog((line) => logLines.push(JSON.parse(line))),
      ...(keepAlive ? { keepAlive } : {}),
      ...(ending ? { ending } : {}),
    };
    return { ...createRecorder(deps, { windowMs: 0, retryMs: 1, ...rest, log }), logLines };
  }

  test("is tried once more with the same id, and then the calls are counted and left out", async () => {
    const ids: (string | undefined)[] = [];
    const { record, settle, logLines } = open(async (_deps, _owner, { operationId }) => {
      ids.push(operationId);
      throw new Error("the database is away");
    });
    for (let index = 0; index < 3; index++) record(call());
    await settle();
    expect(ids).toHaveLength(2);
    expect(ids[0]).toBe(ids[1]);
    expect(logLines).toMatchObject([
      {
        level: "warn",
        event: "model-call.not-logged",
        doing: "writing",
        error: { message: "the database is away" },
      },
      { level: "warn", event: "model-calls.dropped", calls: 3 },
    ]);
    expect(JSON.stringify(logLines)).not.toContain("Capital?");
  });

  test("that comes back loses nothing more", async () => {
    const written: string[] = [];
    let isAway = true;
    const { record, settle } = open(async (_deps, _owner, { news }) => {
      if (isAway) throw new Error("away");
      written.push(...news.map(({ input }) => input));
      return [];
    });
    record(call({ input: "lost" }));
    await settle();
    isAway = false;
    record(call({ input: "kept" }));
    await settle();
    expect(written).toEqual(["kept"]);
  });

  test.each<[string, RecorderOptions, Partial<ModelCall>]>([
    ["by their number", { queuedMax: 10 }, {}],
    ["by their texts", { queuedCharactersMax: 10_000 }, { input: "a".repeat(995), output: "bbbbb" }],
  ])("holds up no call: what waits is bounded %s, the rest is counted", async (_, options, more) => {
    const written: number[] = [];
    const gate = Promise.withResolvers<void>();
    const { record, settle, logLines } = open(
      async (_deps, _owner, { news }) => {
        written.push(news.length);
        await gate.promise;
        return [];
      },
      { ...options, windowMs: 1 },
    );
    for (let index = 0; index < 25; index++) record(call(more));
    await vi.waitFor(() => expect(written).toEqual([10]), { timeout: 20_000 });
    // What is being written waits no more.
    for (let index = 0; index < 25; index++) record(call(more));
    gate.resolve();
    await settle();
    expect(written).toEqual([10, 10]);
    expect(logLines).toMatchObject([
      { event: "model-call.not-logged", doing: "keeping up" },
      { event: "model-calls.dropped", calls: 30 },
    ]);
  });

  test("is given no more at once than it takes", async () => {
    const written: number[] = [];
    const { record, settle } = open(async (_deps, _owner, { news }) => {
      written.push(news.length);
      return [];
    });
    for (let index = 0; index < 250; index++) record(call());
    await settle();
    expect(written).toEqual([100, 100, 50]);
    for (const length of [200_000, 200_000, 200_000, 10]) record(call({ input: "a".repeat(length) }));
    await settle();
    expect(written.slice(3)).toEqual([3, 1]);
  });

  test("hears of a call that is none in a warning, and of the others", async () => {
    const written: string[] = [];
    const { record, settle, logLines } = open(async (_deps, _owner, { news }) => {
      written.push(...news.map(({ input }) => input));
      return [];
    });
    record(call({ costUsd: Number.NaN }));
    record(call({ startedAt: new Date(Number.NaN) }));
    record(null as never);
    record(call({ input: "kept" }));
    await settle();
    expect(written).toEqual(["kept"]);
    expect(logLines).toMatchObject([{ event: "model-call.not-logged", doing: "reading" }]);
  });

  test("keeps the process up until it has all that was told", async () => {
    const kept: Promise<unknown>[] = [];
    let written = 0;
    const { record } = open(
      async (_deps, _owner, { news }) => {
        written += news.length;
        return [];
      },
      { keepAlive: (work) => void kept.push(work), windowMs: 5 },
    );
    record(call());
    record(call());
    expect([kept.length, written]).toEqual([1, 0]);
    await Promise.all(kept);
    expect(written).toBe(2);
  });

  test("is given at once what waits when the process is about to end", async () => {
    const ending = new AbortController();
    let written = 0;
    const { record } = open(
      async (_deps, _owner, { news }) => {
        written += news.length;
        return [];
      },
      { ending: ending.signal, windowMs: 3_600_000 },
    );
    record(call());
    ending.abort();
    await vi.waitFor(() => expect(written).toBe(1), { timeout: 20_000 });
  });

  test("that never answers does not hold up the end", async () => {
    const { record, settle } = open(() => new Promise(() => {}), { settleMs: 20 });
    record(call());
    await settle();
  });
});
