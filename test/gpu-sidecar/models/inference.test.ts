import { afterEach, describe, expect, test } from "vitest";
import { rowOf, vectorLength } from "../../../gpu-sidecar/math/vectors.ts";
import { findModel, getModel, listModels } from "../../../gpu-sidecar/models/catalog.ts";
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

const thread = (name: string) => new URL(`../../fixtures/inference/${name}.ts`, import.meta.url);

afterEach(async () => {
  for (const inference of opened.splice(0)) await inference.close();
});

describe("the inference", () => {
  test("loads its models in a thread of its own and says which", async () => {
    const inference = open();
    expect(inference.models()).toEqual([]);
    await inference.ready();
    expect(inference.models()).toMatchObject([{ name: "palette", space: 1, dimensions: 128, device: "cpu" }]);
  });

  test("embeds texts and pictures to unit length, however many", async () => {
    const inference = open({ batchMax: 4 });
    const { vectors, knownWords } = await inference.embedTexts("palette", ["red", "zeppelin"]);
    expect(knownWords).toEqual([1, 0]);
    expect(vectors).toHaveLength(256);
    const count = 10;
    const pixels = Float32Array.from({ length: count * pixelsOfOne }, (_, index) => (index % 97) / 97);
    const alone = await inference.embedImages("palette", pixels.slice(9 * pixelsOfOne), 1);
    const rows = await inference.embedImages("palette", pixels, count);
    for (let row = 0; row < count; row++) expect(vectorLength(rowOf(rows, row, 128))).toBeCloseTo(1, 5);
    rowOf(rows, 9, 128).forEach((value, index) => {
      expect(Math.abs(value - (alone[index] ?? Number.NaN))).toBeLessThan(1e-5);
    });
  });

  test("takes the pixels over and leaves nothing with the caller", async () => {
    const inference = open();
    const pixels = new Float32Array(pixelsOfOne);
    await inference.embedImages("palette", pixels, 1);
    expect(pixels).toHaveLength(0);
  });

  test("answers no texts with no vectors", async () => {
    expect(await open().embedTexts("palette", [])).toEqual({ vectors: new Float32Array(0), knownWords: [] });
  });

  test("lets texts pass the pictures that wait", async () => {
    const inference = open({ threadUrl: thread("thread-in-order"), batchMax: 1 });
    const pictures = [0, 1, 2].map(() => inference.embedImages("palette", new Float32Array(pixelsOfOne), 1));
    const text = await inference.embedTexts("palette", ["red"]);
    const images = await Promise.all(pictures);
    // The first answer was the loading's.
    expect(images.map((vector) => vector[0])).toEqual([1, 3, 4]);
    expect(text.knownWords).toEqual([2]);
  });

  test("does what it accepted before it closes, and nothing after", async () => {
    const inference = open();
    const accepted = inference.embedTexts("palette", ["red", "green"]);
    const closed = inference.close();
    await expect(inference.embedTexts("palette", ["blue"])).rejects.toMatchObject({
      code: "unavailable",
      retryable: true,
    });
    expect((await accepted).knownWords).toEqual([1, 1]);
    await closed;
    await expect(inference.ready()).rejects.toMatchObject({ code: "unavailable" });
  });

  test("refuses more than may wait", async () => {
    const inference = open({ pendingMax: 2 });
    const calls = Array.from({ length: 5 }, () => inference.embedTexts("palette", ["red"]));
    const results = await Promise.allSettled(calls);
    const refused = results.filter((result) => result.status === "rejected");
    expect(refused).toHaveLength(2);
    for (const { reason } of refused) expect(reason).toMatchObject({ code: "unavailable", retryable: true });
  });
});

describe("what is not understood is refused", () => {
  test.each([
    [{ models: ["clip"] }, 'No model is called "clip". There is: palette.'],
    [{ device: "gpu" }, '"gpu" is no device. There is: cpu, cuda, cuda:N.'],
    [{ device: "cuda:-1" }, '"cuda:-1" is no device. There is: cpu, cuda, cuda:N.'],
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

  test("a device that this machine has not, loudly and at once", async () => {
    await expect(open({ device: "cuda:99" }).ready()).rejects.toMatchObject({ code: "unexpected" });
  });
});

describe("a thread that dies", () => {
  test("fails its run so that it may be tried again, and the next call gets a new thread", async () => {
    const inference = open({ threadUrl: thread("thread-that-dies") });
    for (const _ of [1, 2]) {
      await expect(inference.embedTexts("palette", ["red"])).rejects.toMatchObject({
        code: "unavailable",
        retryable: true,
      });
      expect(inference.broken()).toBeUndefined();
      await inference.ready();
    }
  });

  test("three times in a row is given up", async () => {
    const inference = open({ threadUrl: thread("thread-that-dies") });
    for (const _ of [1, 2, 3]) await expect(inference.embedTexts("palette", ["red"])).rejects.toThrow("died");
    expect(inference.broken()).toMatchObject({ code: "unavailable" });
    await expect(inference.ready()).rejects.toThrow("again and again");
  });
});

test("a run that hangs is left at its limit, breaks the inference, and does not end the process", async () => {
  const inference = open({ threadUrl: thread("thread-that-hangs"), timeoutMs: 50 });
  const waiting = [inference.embedTexts("palette", ["red"]), inference.embedTexts("palette", ["blue"])];
  const [first, second] = await Promise.allSettled(waiting);
  expect(first).toMatchObject({ reason: { code: "deadline_exceeded", retryable: true } });
  expect(second).toMatchObject({ reason: { code: "unavailable", retryable: true } });
  expect(inference.broken()).toBeDefined();
});

test("the catalog knows palette as the model of space 1 with 128 dimensions", () => {
  expect(findModel("palette")).toMatchObject({ space: 1, dimensions: 128, image: { resize: "squash" } });
  expect(findModel("toString")).toBeUndefined();
  expect(() => getModel("")).toThrow("There is: palette");
  const cards = listModels();
  expect(new Set(cards.map(({ space }) => space)).size).toBe(cards.length);
});
