import { afterEach, describe, expect, test } from "vitest";
import { rowOf, vectorLength } from "../../../gpu-sidecar/math/vectors.ts";
import { type ModelCatalog, palette } from "../../../gpu-sidecar/models/catalog.ts";
import {
  createInference,
  type Inference,
  type InferenceOptions,
} from "../../../gpu-sidecar/models/inference.ts";

const pixelsOfOne = 3 * 128 * 128;
const opened: Inference[] = [];

function open(options: InferenceOptions = {}): Inference {
  const inference = createInference(options);
  opened.push(inference);
  return inference;
}

const scripted = new URL("../../fixtures/inference/scripted-thread.ts", import.meta.url);

/** Over a device that does as it is told; see the fixture. */
const openScripted = (options: InferenceOptions = {}) => open({ threadUrl: scripted, ...options });

/** A picture for the scripted device, which fits into memory only in runs of at most `limit`. */
const picture = (limit = 0) => new Float32Array(pixelsOfOne).fill(limit);

afterEach(async () => {
  for (const inference of opened.splice(0)) await inference.close();
});

describe("the inference", () => {
  test("loads a model when it is first needed, or before when told so, and says which and when it was used", async () => {
    const inference = open();
    await inference.ready();
    expect(inference.loaded()).toEqual([]);
    await inference.embedTexts("palette", ["red"]);
    const [model] = inference.loaded();
    expect(model).toMatchObject({ name: "palette", dimensions: 128, device: "cpu" });
    expect(model?.loadMs).toBeGreaterThan(0);
    await inference.embedTexts("palette", ["blue"]);
    expect(inference.loaded()[0]?.usedAtMs).toBeGreaterThanOrEqual(model?.usedAtMs ?? Number.NaN);

    const preloading = open({ preload: ["palette"] });
    await preloading.ready();
    expect(preloading.loaded()).toMatchObject([{ name: "palette" }]);
  });

  test("embeds texts and pictures to unit length, however many", async () => {
    const inference = open();
    const texts = Array.from({ length: 70 }, (_, index) => (index % 2 ? "zeppelin" : "red"));
    const { vectors, knownWords } = await inference.embedTexts("palette", texts);
    expect(knownWords).toEqual(texts.map((text) => (text === "red" ? 1 : 0)));
    expect(vectors).toHaveLength(70 * 128);
    expect(rowOf(vectors, 68, 128)).toEqual(rowOf(vectors, 0, 128));
    const count = 10;
    const pixels = Float32Array.from({ length: count * pixelsOfOne }, (_, index) => (index % 97) / 97);
    const rows = await inference.embedImages("palette", pixels, count);
    for (let row = 0; row < count; row++) expect(vectorLength(rowOf(rows, row, 128))).toBeCloseTo(1, 5);
  });

  test("answers no texts with no vectors", async () => {
    expect(await open().embedTexts("palette", [])).toEqual({ vectors: new Float32Array(0), knownWords: [] });
  });

  test("does what it accepted before it closes, and nothing after", async () => {
    const inference = openScripted();
    const text = inference.embedTexts("palette", ["red"]);
    const pictures = Array.from({ length: 20 }, () => inference.embedImages("palette", picture(), 1));
    const closed = inference.close();
    const over = { code: "unavailable", retryable: true };
    await expect(inference.embedTexts("palette", ["blue"])).rejects.toMatchObject(over);
    await expect(inference.embedImages("palette", picture(), 1)).rejects.toMatchObject(over);
    await closed;
    expect((await text).knownWords).toEqual([1]);
    expect(await Promise.all(pictures)).toHaveLength(20);
    await expect(inference.ready()).rejects.toMatchObject({ code: "unavailable" });
  });

  test("refuses more than may wait", async () => {
    const inference = openScripted({ pendingMax: 2 });
    const asks: (() => Promise<unknown>)[] = [
      () => inference.embedTexts("palette", ["red"]),
      () => inference.embedImages("palette", picture(), 1),
    ];
    for (const ask of asks) {
      const results = await Promise.allSettled(Array.from({ length: 9 }, ask));
      const refused = results.filter((result) => result.status === "rejected");
      expect(refused.length).toBeGreaterThanOrEqual(4);
      for (const { reason } of refused)
        expect(reason).toMatchObject({ code: "unavailable", retryable: true });
    }
  });
});

describe("who goes first", () => {
  test("a text waits for no bulk but the run that is on, and no run of bulk takes longer than 200 ms", async () => {
    const inference = openScripted({ pendingMax: 1000 });
    const texts: Promise<number | undefined>[] = [];
    const pictures = Array.from({ length: 300 }, async () => {
      const vector = await inference.embedImages("palette", picture(), 1);
      if (texts.length < 60) {
        const asked = inference.embedTexts("palette", [`text ${texts.length}`]);
        texts.push(asked.then(({ vectors }) => vectors[0]));
      }
      return vector;
    });
    const runs = await Promise.all(pictures);
    expect(Math.max(...runs.map(([, , tookMs]) => tookMs ?? Number.NaN))).toBeLessThanOrEqual(200);
    // 20 + 12 × 8 ms is the most that fits the budget.
    expect(Math.max(...runs.map(([, count]) => count ?? Number.NaN))).toBe(8);
    for (const bulkRunsBefore of await Promise.all(texts)) expect(bulkRunsBefore).toBe(0);
  });

  test("texts that wait together run together", async () => {
    const inference = openScripted();
    await inference.ready();
    const bulk = inference.embedImages("palette", new Float32Array(4 * pixelsOfOne), 4);
    const texts = ["red", "green", "blue"].map((text) => inference.embedTexts("palette", [text]));
    const answers = await Promise.all(texts);
    expect(Math.max(...answers.map(({ vectors }) => vectors[1] ?? 0))).toBeGreaterThan(1);
    await bulk;
  });

  test("an urgent picture passes the bulk, alone", async () => {
    const inference = openScripted();
    const bulk = Array.from({ length: 20 }, () => inference.embedImages("palette", picture(), 1));
    const urgent = await inference.embedImages("palette", picture(), 1, { isUrgent: true });
    const [run, count] = urgent;
    expect(count).toBe(1);
    expect(run).toBeLessThanOrEqual(2);
    await Promise.all(bulk);
  });

  test("a picture that waits is taken out when its caller gives up; the others run", async () => {
    const inference = openScripted();
    const controller = new AbortController();
    const { signal } = controller;
    const given = Array.from({ length: 10 }, () => inference.embedImages("palette", picture(), 1));
    const givenUp = inference.embedImages("palette", picture(), 1, { signal });
    controller.abort("no longer wanted");
    await expect(givenUp).rejects.toBe("no longer wanted");
    await expect(inference.embedImages("palette", picture(), 1, { signal })).rejects.toBe("no longer wanted");
    expect(await Promise.all(given)).toHaveLength(10);
  });
});

describe("what is not understood is refused", () => {
  test.each([
    [{ preload: ["clip"] }, 'No model is called "clip". There is: palette.'],
    [{ device: "gpu" }, '"gpu" is no device.'],
    [{ device: "cuda:-1" }, '"cuda:-1" is no device.'],
  ])("%o", (options, message) => {
    expect(() => createInference(options)).toThrow(message);
  });

  test("pixels that are not as many pictures", async () => {
    const inference = open();
    for (const [length, count] of [
      [pixelsOfOne, 2],
      [pixelsOfOne - 1, 1],
      [0, 0],
      [pixelsOfOne, 0.5],
    ] as const) {
      await expect(inference.embedImages("palette", new Float32Array(length), count)).rejects.toMatchObject({
        code: "invalid_request",
      });
    }
    await expect(inference.embedTexts("clip", ["red"])).rejects.toMatchObject({ code: "invalid_request" });
  });

  test("a device that this machine has not, loudly and with what the runtime said", async () => {
    const inference = open({ device: "cuda:99", preload: ["palette"] });
    const refused = await inference.ready().catch((error: unknown) => error);
    expect(refused).toMatchObject({
      code: "unexpected",
      message: 'The model "palette" could not be loaded.',
    });
    expect(String((refused as Error).cause)).toMatch(/cuda/i);
    expect(inference.loaded()).toEqual([]);
    expect(inference.broken()).toBeUndefined();
  });
});

test("all that waits for a model that cannot be loaded is turned away at once, and other models run on", async () => {
  const { card, load } = palette;
  const lost = { ...card, name: "lost" };
  const catalog: ModelCatalog = {
    cards: () => [card, lost],
    find: (name) => (name === "lost" ? lost : card),
    get: (name) => (name === "lost" ? lost : card),
    entry: (name) => ({ card: name === "lost" ? lost : card, load }),
  };
  const inference = openScripted({ catalog });
  const asked = Array.from({ length: 30 }, () => inference.embedImages("lost", picture(), 1));
  const told = (await Promise.allSettled(asked)).map((one) => one.status === "rejected" && one.reason);
  for (const error of told) {
    expect(error).toMatchObject({ message: 'The model "lost" could not be loaded.', retryable: true });
    expect(error.cause.message).toBe("load 1 failed");
  }
  expect((await inference.embedTexts("palette", ["red"])).knownWords).toEqual([1]);
  await expect(inference.embedTexts("lost", ["red"])).rejects.toMatchObject({ code: "unexpected" });
  expect(inference.loaded()).toMatchObject([{ name: "palette" }]);
  expect(inference.broken()).toBeUndefined();
});

describe("a thread that dies", () => {
  test("fails its runs so that they may be tried again, and the next call gets a new thread", async () => {
    const inference = openScripted();
    for (const _ of [1, 2]) {
      await expect(inference.embedTexts("palette", ["die"])).rejects.toMatchObject({
        code: "unavailable",
        retryable: true,
      });
      expect(inference.broken()).toBeUndefined();
      expect(inference.loaded()).toEqual([]);
    }
    expect((await inference.embedTexts("palette", ["red"])).knownWords).toEqual([1]);
  });

  test("takes all that it was given with it, and the rest goes on in the next one", async () => {
    const inference = openScripted();
    const dying = inference.embedTexts("palette", ["die"]);
    const pictures = Array.from({ length: 12 }, () => inference.embedImages("palette", picture(), 1));
    await expect(dying).rejects.toMatchObject({ retryable: true });
    const results = await Promise.allSettled(pictures);
    const lost = results.filter((result) => result.status === "rejected");
    expect(lost.length).toBeGreaterThan(0);
    expect(lost.length).toBeLessThanOrEqual(2);
    for (const { reason } of lost) expect(reason).toMatchObject({ code: "unavailable", retryable: true });
  });

  test("three times in a row is given up", async () => {
    const inference = openScripted();
    for (const _ of [1, 2, 3]) await expect(inference.embedTexts("palette", ["die"])).rejects.toThrow("died");
    expect(inference.broken()).toMatchObject({ code: "unavailable" });
    await expect(inference.ready()).rejects.toThrow("again and again");
  });
});

test("a run that hangs is left at its limit, breaks the inference, and does not end the process", async () => {
  const inference = openScripted({ timeoutMs: 50, loadTimeoutMs: 5_000 });
  await inference.embedTexts("palette", ["red"]);
  const hanging = inference.embedTexts("palette", ["hang"]);
  const pictures = Array.from({ length: 9 }, () => inference.embedImages("palette", picture(), 1));
  await expect(hanging).rejects.toMatchObject({ code: "deadline_exceeded", retryable: true });
  for (const { status } of await Promise.allSettled(pictures)) expect(status).toBe("rejected");
  expect(inference.broken()).toMatchObject({ code: "unavailable" });
  await expect(inference.embedTexts("palette", ["blue"])).rejects.toMatchObject({ code: "unavailable" });
});

describe("a device with too little memory", () => {
  test("gets the batch once more as two halves, and never again one so large", async () => {
    const inference = openScripted({ pendingMax: 1000 });
    const vectors = await Promise.all(
      Array.from({ length: 200 }, () => inference.embedImages("palette", picture(4), 1)),
    );
    const counts = vectors.map(([, count]) => count ?? Number.NaN);
    expect(Math.max(...counts)).toBe(4);
    // One batch of 8 was halved: its halves say so themselves.
    expect(inference.broken()).toBeUndefined();
  });

  test("ends it all when half is too much as well: the process must end", async () => {
    const inference = openScripted({ pace: { budgetMs: 1e9 } });
    await Promise.all(Array.from({ length: 31 }, () => inference.embedImages("palette", picture(), 1)));
    // While this one runs, the others arrive; they fit in no run, however small.
    const before = inference.embedImages("palette", picture(-300), 1);
    const tooLarge = Array.from({ length: 16 }, () => inference.embedImages("palette", picture(0.5), 1));
    const later = inference.embedTexts("palette", ["red"]);
    const ends = (await Promise.allSettled(tooLarge)).map(({ status }) => status);
    expect(ends).toEqual(new Array(16).fill("rejected"));
    expect(inference.broken()).toMatchObject({ message: "The device has too little memory for a run." });
    await Promise.allSettled([before, later]);
    await expect(inference.embedTexts("palette", ["blue"])).rejects.toMatchObject({ retryable: true });
  });

  test("cannot be helped when a single text is too much", async () => {
    const inference = openScripted();
    await expect(inference.embedTexts("palette", ["throw: CUDA failure 2: out of memory"])).rejects.toThrow();
    expect(inference.broken()).toBeDefined();
  });
});

test("a device that fails for good ends it all at once", async () => {
  const inference = openScripted();
  const failure =
    "throw: CUDA failure 700: an illegal memory access was encountered ; GPU=0 ; expr=cudaFree(p);";
  const texts = [failure, "red"].map((text) => inference.embedTexts("palette", [text]));
  for (const text of texts) await expect(text).rejects.toMatchObject({ retryable: true });
  expect(inference.broken()).toMatchObject({ message: "The device failed for good." });
});

test("a run that was wrong alone fails alone, and its words stay in the log", async () => {
  const inference = openScripted();
  await inference.ready();
  const bulk = inference.embedImages("palette", picture(), 1);
  const [wrong, right] = [["throw: Got invalid dimensions for input: input_ids"], ["red"]].map((texts) =>
    inference.embedTexts("palette", texts),
  );
  const [failed, answered] = await Promise.allSettled([wrong, right, bulk]);
  expect(answered).toMatchObject({ value: { knownWords: [1] } });
  expect(failed).toMatchObject({
    reason: { code: "unexpected", message: "The run of the model failed." },
  });
  expect(inference.broken()).toBeUndefined();
  expect((await inference.embedTexts("palette", ["red"])).knownWords).toEqual([1]);
});
