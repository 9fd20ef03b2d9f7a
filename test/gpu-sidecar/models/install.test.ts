import {
  copyFile,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { innerProduct } from "../../../gpu-sidecar/math/vectors.ts";
import { builtInCatalog, openCatalog } from "../../../gpu-sidecar/models/catalog.ts";
import { nameModel } from "../../../gpu-sidecar/models/files/install.ts";
import type { Family } from "../../../gpu-sidecar/models/files/layout.ts";
import { digestFiles } from "../../../gpu-sidecar/models/files/lock.ts";
import { verifyModel } from "../../../gpu-sidecar/models/files/verify.ts";
import { GraphBuilder } from "../../../gpu-sidecar/models/onnx/graph.ts";
import { openDualEncoder } from "../../../gpu-sidecar/models/session.ts";
import { appendExternalWeights, appendOperator, cutFile } from "./graphs.ts";
import { add, changeJson, makeFolder, makeTiny, refusalOf, removeFolders } from "./made.ts";

const text = "onnx/text_model.onnx";
const vision = "onnx/vision_model.onnx";

afterEach(removeFolders);

async function open(modelsFolder: string, name = "tiny") {
  return openDualEncoder((await openCatalog(modelsFolder)).entry(name), { device: "cpu", threads: 1 });
}

describe("adding a model", () => {
  test("copies its files, locks them, and the catalog has it beside the built-in one", async () => {
    const folder = await makeTiny();
    const { lock, modelsFolder } = await add(folder);
    await rm(folder, { recursive: true });
    expect(lock.files.map(({ name }) => name)).toEqual([
      "config.json",
      text,
      vision,
      "preprocessor_config.json",
      "special_tokens_map.json",
      "tokenizer.json",
      "tokenizer_config.json",
    ]);
    const catalog = await openCatalog(modelsFolder);
    expect(catalog.cards().map(({ name }) => name)).toEqual(["palette", "tiny"]);
    expect(catalog.get("tiny")).toEqual({
      name: "tiny",
      digest: lock.digest,
      dimensions: 32,
      image: lock.image,
      text: lock.text,
    });
    const model = await open(modelsFolder);
    expect((await model.embedTexts(["a dog"])).vectors).toHaveLength(32);
    await model.release();
    expect(await readdir(modelsFolder)).toEqual(["tiny"]);
  });

  test("again with the same content changes nothing; with other content it is refused", async () => {
    const modelsFolder = await makeFolder();
    const { lock } = await add(await makeTiny({ seed: 5 }), { modelsFolder });
    expect((await add(await makeTiny({ seed: 5 }), { modelsFolder })).lock).toEqual(lock);
    await expect(add(await makeTiny({ seed: 6 }), { modelsFolder })).rejects.toMatchObject({
      code: "conflict",
    });
    expect(await readdir(modelsFolder)).toEqual(["tiny"]);
    expect(await verifyModel(modelsFolder, lock)).toEqual([]);
  });

  test("equal files have an equal digest wherever they lie, and each changed byte another", async () => {
    const one = await add(await makeTiny({ seed: 5 }));
    const other = await add(await makeTiny({ seed: 5 }));
    expect(one.lock.digest).toBe(other.lock.digest);
    const folder = await makeTiny({ seed: 5 });
    await changeJson(folder, "config.json", { note: 1 });
    expect((await add(folder)).lock.digest).not.toBe(one.lock.digest);
    expect(digestFiles(one.lock.files.toReversed())).toBe(one.lock.digest);
  });

  test("takes the graphs from the folder itself too, and int8 by either of its names", async () => {
    const folder = await makeTiny({ variants: ["fp32", "int8"] });
    await rename(join(folder, vision), join(folder, "vision_model.onnx"));
    expect((await add(folder)).lock.vision).toBe("vision_model.onnx");
    await rename(join(folder, "onnx/text_model_quantized.onnx"), join(folder, "onnx/text_model_int8.onnx"));
    expect((await add(folder, { variant: "int8" })).lock.language).toBe("onnx/text_model_int8.onnx");
  });

  test("weights that lie beside a graph are copied and locked with it", async () => {
    const folder = await makeTiny();
    await writeFile(join(folder, "onnx/text_model.onnx_data"), new Uint8Array(16));
    await appendExternalWeights(join(folder, text), "text_model.onnx_data");
    const { lock, modelsFolder } = await add(folder);
    expect(lock.files.map(({ name }) => name)).toContain("onnx/text_model.onnx_data");
    await (await open(modelsFolder)).release();
  });

  test("a link inside of the folder is followed", async () => {
    const folder = await makeTiny();
    await rename(join(folder, vision), join(folder, "blob"));
    await symlink("../blob", join(folder, vision));
    expect(await refusalOf(folder)).toBe("it was added");
  });

  test.each([
    ["clip", "fp32", "clip"],
    ["clip", "int8", "clip-int8"],
    ["clip-fp16", "fp16", "clip-fp16"],
  ] as const)("%s in %s is called %s", (name, variant, key) => {
    expect(nameModel(name, variant)).toBe(key);
  });

  test.each(["", "Clip", "../clip", "-clip", "a b", "palette", "x".repeat(65), ".adding"])(
    "%j is no name for a model",
    (name) => {
      expect(() => nameModel(name, "fp32")).toThrow(/is no name for a model/);
    },
  );
});

describe("a model that is not to be trusted", () => {
  test.each([
    "../config.json",
    "../../../../etc/passwd",
    "/etc/passwd",
    "..",
    ".",
    "",
    "a/../../b",
    "sub/weights",
    "C:\\weights",
    "weights\0",
    "~/weights",
  ])("cannot read weights from %j", async (location) => {
    const folder = await makeTiny();
    await appendExternalWeights(join(folder, text), location);
    expect(await refusalOf(folder)).toMatch(/which is not a file beside it/);
  });

  test("cannot read weights through a link", async () => {
    const folder = await makeTiny();
    const outside = join(await makeFolder(), "secret");
    await writeFile(outside, new Uint8Array(16));
    await symlink(outside, join(folder, "onnx/text_model.onnx_data"));
    await appendExternalWeights(join(folder, text), "text_model.onnx_data");
    expect(await refusalOf(folder)).toMatch(/leads out of its folder \(a link\)/);
  });

  test.each([text, "tokenizer.json"])("cannot be %s somewhere else", async (name) => {
    const [folder, outside] = [await makeTiny(), await makeFolder()];
    await rename(join(folder, name), join(outside, "file"));
    await symlink(join(outside, "file"), join(folder, name));
    expect(await refusalOf(folder)).toMatch(/leads out of its folder \(a link\)/);
  });

  test("cannot be locked to read more than its lock names, even later", async () => {
    const { lock, modelsFolder } = await add(await makeTiny());
    const path = join(modelsFolder, "tiny", text);
    await writeFile(join(modelsFolder, "tiny/onnx/more"), new Uint8Array(16));
    const before = await readFile(path);
    await appendExternalWeights(path, "more");
    const { length } = await readFile(path);
    const files = lock.files.map((file) => (file.name === text ? { ...file, sizeBytes: length } : file));
    const forged = { ...lock, files, digest: digestFiles(files) };
    await writeFile(join(modelsFolder, "tiny/model.lock.json"), JSON.stringify(forged));
    await expect(open(modelsFolder)).rejects.toThrow("onnx/more is not in model.lock.json");
    expect(length).toBeGreaterThan(before.length);
  });

  test.each([
    ["Steal", "evil.example"],
    ["Anything", "ai.onnx.contrib"],
  ])("cannot bring operators of its own: %s of %s", async (operator, domain) => {
    const folder = await makeTiny();
    await appendOperator(join(folder, text), operator, domain);
    expect(await refusalOf(folder)).toMatch(
      `needs ${operator} of ${domain}, which onnxruntime does not have`,
    );
  });

  test("cannot use an operator that names files", async () => {
    const folder = await makeTiny();
    await appendOperator(join(folder, text), "EPContext", "com.microsoft");
    expect(await refusalOf(folder)).toMatch(/uses EPContext, which may reach outside of it/);
  });

  test("is refused by the runtime where it uses an operator that there is not", async () => {
    const folder = await makeTiny();
    await appendOperator(join(folder, text), "Steal", "");
    expect(await refusalOf(folder)).toMatch(/cannot be opened: .*Steal/);
  });

  test.each([0.999, 0.5, 0.01])("is refused when a graph ends too early, at %f", async (share) => {
    const folder = await makeTiny();
    await cutFile(join(folder, vision), share);
    expect(await refusalOf(folder)).toMatch(/damaged|cannot be opened|no ONNX graph/);
  });

  test.each(["", "not a graph at all", "\0".repeat(100), "\xff".repeat(100)])(
    "is refused when a graph is %j",
    async (content) => {
      const folder = await makeTiny();
      await writeFile(join(folder, vision), content, "latin1");
      expect(await refusalOf(folder)).toMatch(/damaged|cannot be opened|no ONNX graph/);
    },
  );
});

describe("halves that do not fit are refused", () => {
  test("a picture half of another size of vectors", async () => {
    const folder = await makeTiny();
    await writeFile(join(folder, vision), buildHalf("image_embeds", "pixel_values", 16));
    expect(await refusalOf(folder)).toMatch(
      /vectors of 16 numbers and .* of 32: they do not belong together/,
    );
  });

  test.each<[Family, string, RegExp]>([
    ["clip", "pooler_output", /gives out pooler_output, and not image_embeds/],
    ["clip", "last_hidden_state", /gives out last_hidden_state/],
    ["siglip", "last_hidden_state", /gives out last_hidden_state, and not pooler_output or image_embeds/],
  ])("of %s, one that gives out %s", async (family, output, message) => {
    const folder = await makeTiny({ family });
    await writeFile(join(folder, vision), buildHalf(output, "pixel_values", 32));
    expect(await refusalOf(folder)).toMatch(message);
  });

  test("a half that asks for something unknown", async () => {
    const folder = await makeTiny();
    await writeFile(join(folder, vision), buildHalf("image_embeds", "pixel_attention_mask", 32));
    expect(await refusalOf(folder)).toMatch(/asks for pixel_attention_mask, which is not understood/);
  });

  test("a half that answers with more than a vector", async () => {
    const folder = await makeTiny();
    await writeFile(join(folder, vision), buildTallHalf());
    expect(await refusalOf(folder)).toMatch(/answers one row with \[1,3,64\] and not with one vector/);
  });

  test("a half that takes no batches", async () => {
    const folder = await makeTiny();
    await writeFile(join(folder, vision), buildBoundlessHalf(1));
    expect(await refusalOf(folder)).toMatch(/tiny cannot be run: .*pixel_values/s);
  });

  test("a half that answers everything alike", async () => {
    const folder = await makeTiny();
    await writeFile(join(folder, vision), buildHalf("image_embeds", "pixel_values", 32));
    expect(await refusalOf(folder)).toMatch(/different pictures have the same vector/);
  });

  test("a half whose vectors depend on the batch", async () => {
    const folder = await makeTiny();
    await writeFile(join(folder, vision), buildMixingHalf());
    expect(await refusalOf(folder)).toMatch(/a vector of pictures depends on what it travels with/);
  });

  test("a half of another picture size", async () => {
    const folder = await makeTiny();
    await changeJson(folder, "config.json", { "vision_config.image_size": 32 });
    await changeJson(folder, "preprocessor_config.json", { size: 32, crop_size: 32 });
    expect(await refusalOf(folder)).not.toBe("it was added");
  });
});

/** The same vector for everything. */
function buildHalf(output: string, input: string, length: number): Uint8Array {
  const graph = new GraphBuilder("half");
  const pixels = graph.input(input, "float32", ["batch_size", 3, 64, 64]);
  const zero = graph.node("Mul", [
    graph.node("ReduceMean", [pixels], { axes: [1, 2, 3], keepdims: 0 }),
    graph.scalar(0),
  ]);
  const column = graph.node("Unsqueeze", [zero, graph.integers([1])]);
  const rows = graph.node("Add", [column, graph.constant(new Float32Array(length).fill(1), [length])]);
  graph.output(output, rows, ["batch_size", length]);
  return graph.toBytes();
}

function buildTallHalf(): Uint8Array {
  const graph = new GraphBuilder("tall");
  const pixels = graph.input("pixel_values", "float32", ["batch_size", 3, 64, 64]);
  const rows = graph.node("ReduceMean", [pixels], { axes: [2], keepdims: 0 });
  graph.output("image_embeds", rows, ["batch_size", 3, 64]);
  return graph.toBytes();
}

/** How long its vectors are follows from what it reads. */
function buildBoundlessHalf(batch: number | string): Uint8Array {
  const graph = new GraphBuilder("boundless");
  const pixels = graph.input("pixel_values", "float32", [batch, 3, 64, 64]);
  const small = graph.node("ReduceMean", [pixels], { axes: [1, 2], keepdims: 0 });
  const mean = graph.node("ReduceMean", [pixels], { axes: [0, 1, 2, 3], keepdims: 0 });
  const end = graph.node("Cast", [graph.node("Add", [mean, graph.scalar(32)])], { to: 7 });
  const ends = graph.node("Reshape", [end, graph.integers([1])]);
  const cut = graph.node("Slice", [small, graph.integers([0]), ends, graph.integers([1])]);
  graph.output("image_embeds", cut, [batch, "dimensions"]);
  return graph.toBytes();
}

/** Every row has something of all others. */
function buildMixingHalf(): Uint8Array {
  const graph = new GraphBuilder("mixing");
  const pixels = graph.input("pixel_values", "float32", ["batch_size", 3, 64, 64]);
  const small = graph.node("ReduceMean", [pixels], { axes: [1, 2], keepdims: 0 });
  const cut = graph.node("Slice", [small, graph.integers([0]), graph.integers([32]), graph.integers([1])]);
  const mean = graph.node("ReduceMean", [cut], { axes: [0], keepdims: 1 });
  graph.output("image_embeds", graph.node("Add", [cut, mean]), ["batch_size", 32]);
  return graph.toBytes();
}

/** Numbers of 16 bits go in and come out. */
function buildHalfPrecision(): Uint8Array {
  const graph = new GraphBuilder("float16");
  const pixels = graph.input("pixel_values", "float16", ["batch_size", 3, 64, 64]);
  const wide = graph.node("Cast", [pixels], { to: 1 });
  const small = graph.node("ReduceMean", [wide], { axes: [1, 2], keepdims: 0 });
  const cut = graph.node("Slice", [small, graph.integers([0]), graph.integers([32]), graph.integers([1])]);
  graph.output("image_embeds", graph.node("Cast", [cut], { to: 10 }), ["batch_size", 32], "float16");
  return graph.toBytes();
}

test("a graph need not say how long its vectors are", async () => {
  const folder = await makeTiny();
  await writeFile(join(folder, vision), buildBoundlessHalf("batch_size"));
  expect((await add(folder)).lock.dimensions).toBe(32);
});

test("a graph may take and give numbers of 16 bits", async () => {
  const folder = await makeTiny();
  await writeFile(join(folder, vision), buildHalfPrecision());
  const { modelsFolder } = await add(folder);
  const model = await open(modelsFolder);
  const pixels = Float32Array.from({ length: 3 * 64 * 64 }, (_, i) => (i % 64) / 64);
  const expected = Float32Array.from({ length: 32 }, (_, i) => i / 64);
  const length = Math.sqrt(innerProduct(expected, expected));
  const vector = await model.embedImages(pixels, 1);
  vector.forEach((value, i) => {
    expect(value).toBeCloseTo((expected[i] ?? 0) / length, 3);
  });
  await model.release();
});

describe("what lies in the folder of models", () => {
  test("a folder that is not there has only the built-in model", async () => {
    const catalog = await openCatalog(join(await makeFolder(), "nothing"));
    expect(catalog.cards()).toEqual(builtInCatalog.cards());
    expect((await openCatalog()).cards()).toEqual(builtInCatalog.cards());
  });

  test("a model that is being added, or was never locked, is none", async () => {
    const modelsFolder = await makeFolder();
    await mkdir(join(modelsFolder, ".adding-tiny-1"));
    await mkdir(join(modelsFolder, "unlocked"));
    await writeFile(join(modelsFolder, "file"), "");
    expect((await openCatalog(modelsFolder)).cards()).toHaveLength(1);
  });

  test.each<[string, (lock: string) => string, RegExp]>([
    ["is no JSON", () => "{", /is not understood \(it is not JSON\)/],
    ["is of tomorrow", (lock) => lock.replace('"format": 1', '"format": 2'), /is not understood \(format/],
    [
      "names a file outside",
      (lock) => lock.replace('"config.json"', '"../config.json"'),
      /is not understood \(files/,
    ],
    ["has another digest", (lock) => lock.replace(/"digest": "./, '"digest": "0'), /contradicts itself/],
    ["is another model's", (lock) => lock.replace('"name": "tiny"', '"name": "other"'), /is of other/],
  ])("a lock that %s makes that model unusable, and no other", async (_, change, message) => {
    const { modelsFolder } = await add(await makeTiny());
    const path = join(modelsFolder, "tiny/model.lock.json");
    const content = await readFile(path, "utf8");
    const changed = change(content);
    await writeFile(path, changed === content ? content.replace(/"digest": "./, '"digest": "f') : changed);
    const catalog = await openCatalog(modelsFolder);
    expect(catalog.find("tiny")).toBeUndefined();
    expect(() => catalog.get("tiny")).toThrow(message);
    expect(catalog.get("palette").dimensions).toBe(128);
  });

  test("a file that lost its end is told before anything is loaded", async () => {
    const { lock, modelsFolder } = await add(await makeTiny());
    await truncate(join(modelsFolder, "tiny", vision), 1_000);
    await expect(open(modelsFolder)).rejects.toThrow(/has 1000 bytes and was locked with/);
    expect(await verifyModel(modelsFolder, lock)).toEqual([expect.stringMatching(/has 1000 bytes/)]);
  });

  test("verifying finds a changed byte, a missing file and a lock that was changed", async () => {
    const { lock, modelsFolder } = await add(await makeTiny());
    expect(await verifyModel(modelsFolder, lock)).toEqual([]);
    const changed = { ...lock, text: { ...lock.text, padId: 5 } };
    expect(await verifyModel(modelsFolder, changed)).toEqual([
      expect.stringMatching(/^text is read as .*was locked as/),
    ]);
    const path = join(modelsFolder, "tiny", vision);
    await copyFile(path, `${path}.kept`);
    const content = await readFile(path);
    content[2_000] = (content[2_000] ?? 0) ^ 1;
    await writeFile(path, content);
    expect(await verifyModel(modelsFolder, lock)).toEqual([`${vision} is not the file that was locked.`]);
    await rm(path);
    expect(await verifyModel(modelsFolder, lock)).toEqual([expect.stringMatching(/is missing/)]);
    await rename(`${path}.kept`, path);
    expect(await verifyModel(modelsFolder, lock)).toEqual([]);
  });
});
