import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { findLayout } from "../../gpu-sidecar/models/files/layout.ts";
import { planFiles } from "../../gpu-sidecar/models/hub/pull.ts";
import { readTokenizerDefinition } from "../../gpu-sidecar/text/definition.ts";
import { createHubTokenizer } from "../../gpu-sidecar/text/hub-tokenizer.ts";
import { judgePattern } from "../../gpu-sidecar/text/pattern.ts";
import { AppError } from "../../shared/errors.ts";
import { appendExternalWeights } from "../gpu-sidecar/models/graphs.ts";
import {
  add,
  changeJson,
  makeFolder,
  makeTiny,
  refusalOf,
  removeFolders,
} from "../gpu-sidecar/models/made.ts";
import { clipDefinition, siglipDefinition } from "../gpu-sidecar/text/definitions.ts";

/** Models of people who mean harm: what they bring is refused when they are added, or stays within bounds. */
afterEach(removeFolders);

const tokenizer = "tokenizer.json";

/** CLIP's tokenizer with something else in it, on a text; what it refuses is answered in words. */
function tokenize(change: object, text: string): readonly number[] | string {
  try {
    const definition = readTokenizerDefinition({ ...structuredClone(clipDefinition), ...change });
    return createHubTokenizer(definition, 77).tokenize(text).ids;
  } catch (error) {
    if (error instanceof AppError) return error.message;
    throw error;
  }
}

const split = (pattern: string) => ({
  pre_tokenizer: { type: "Split", pattern: { Regex: pattern }, behavior: "Removed", invert: true },
});
const replace = (pattern: object, content: string) => ({ type: "Replace", pattern, content });

describe("patterns of a tokenizer", () => {
  test.each([
    ["(a+)+$", "repeats a group"],
    ["(?:a|aa)*b", "repeats a group"],
    ["(a*){2,}", "repeats a group"],
    ["(?:\\w+\\s?)*$", "repeats a group"],
    ["((((((((((a))))))))))", "is nested too deeply"],
    ["a*a*a*b", "repeats too many parts"],
    [`${"\\w*".repeat(20)}!`, "repeats too many parts"],
    ["[^x]+[^y]+[^z]+$", "repeats too many parts"],
    ["a{0,500}a{0,500}a{0,500}b", "repeats too many parts"],
    ["(?:x|a*)(?:y|a*)a*b", "repeats too many parts"],
    ["(?=a+)a+a+b", "repeats too many parts"],
    ["(a)\\1", "refers back"],
    ["(?<x>a)\\k<x>", "refers back"],
    ["(?<=a+)b", "looks behind"],
    ["(?<!a)b", "looks behind"],
    ["(a", "is not understood"],
    ["a)", "is not understood"],
    ["[a", "is not understood"],
    ["a".repeat(1_001), "has more than"],
  ])("%j is refused before it is run", (pattern, reason) => {
    expect(judgePattern(pattern)).toMatch(reason);
    expect(tokenize(split(pattern), "a".repeat(100))).toMatch(/^tokenizer\.json: the pattern .*\.$/);
    expect(tokenize({ normalizer: replace({ Regex: pattern }, "") }, "aaaa")).toMatch(reason);
  });

  test.each([
    "<\\|startoftext\\|>|<\\|endoftext\\|>|'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+",
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
    "[!\"#$%&'()*+,\\-.:;=?@\\[\\\\\\]^_`{|}~]",
    "\\s+",
    " {2,}",
    "[[:punct:]]+",
    "",
  ])("%j of a real one is understood", (pattern) => {
    expect(judgePattern(pattern)).toBeUndefined();
  });

  test("one that is no pattern is refused in words", () => {
    for (const pattern of ["*a", "a**", "\\p{NoSuchLetters}", "[b-a]", "(?<1>a)"])
      expect(tokenize(split(pattern), "aaaa"), pattern).toMatch(/^tokenizer\.json: /);
  });

  test("the two ready tokenizers keep their patterns", () => {
    for (const definition of [clipDefinition, siglipDefinition])
      expect(() => readTokenizerDefinition(structuredClone(definition))).not.toThrow();
  });
});

describe("a text that is normalised", () => {
  test("does not grow beyond all bounds by doubling again and again", () => {
    const normalizers = Array.from({ length: 32 }, () => replace({ String: "a" }, "aa"));
    expect(tokenize({ normalizer: { type: "Sequence", normalizers } }, "a")).toMatch(/grows too long/);
  });

  test("is not replaced by books", () => {
    expect(tokenize({ normalizer: replace({ String: "a" }, "b".repeat(65)) }, "a")).toMatch(/not understood/);
    expect(tokenize({ normalizer: { type: "Prepend", prepend: "b".repeat(65) } }, "a")).toMatch(
      /not understood/,
    );
  });

  test("is not filled from a table whose texts have no end", () => {
    // A trie of one leaf: the letter "a" stands for whatever the block of texts holds.
    const units = new Uint32Array(256);
    units[0] = 1 << 10;
    units[1 ^ 0x61] = 0x61 | (1 << 8) | (2 << 10);
    units[1 ^ 0x61 ^ 2] = 0;
    const length = Buffer.alloc(4);
    length.writeUInt32LE(units.byteLength);
    const table = (texts: string) =>
      Buffer.concat([length, Buffer.from(units.buffer), Buffer.from(texts)]).toString("base64");
    const chain = (texts: string) => ({
      normalizer: { type: "Precompiled", precompiled_charsmap: table(texts) },
    });
    expect(tokenize(chain("b\0"), "aaaa")).toEqual(tokenize({ normalizer: null }, "bbbb"));
    expect(tokenize(chain("b".repeat(1_000_000)), "aaaa")).toMatch(/precompiled_charsmap is damaged/);
  });
});

describe("names that every object has", () => {
  test("are tokens like all others", () => {
    const { model } = structuredClone(clipDefinition) as { model: { vocab: Record<string, number> } };
    const vocab = JSON.parse(
      `{"__proto__": 3, "constructor": 4, ${JSON.stringify(model.vocab).slice(1)}`,
    ) as object;
    expect(tokenize({ model: { ...model, vocab } }, "a dog")).toEqual(tokenize({}, "a dog"));
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  test.each(["__proto__", "constructor", "toString"])("%s is no special token by itself", (id) => {
    const ending = {
      type: "TemplateProcessing",
      single: [{ SpecialToken: { id, type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
      pair: [],
      special_tokens: {},
    };
    expect(tokenize({ post_processor: ending }, "a")).toMatch(/post_processor has no/);
  });

  test("are settings that are not understood", async () => {
    const folder = await makeTiny();
    await writeFile(
      join(folder, "tokenizer_config.json"),
      '{"__proto__": {"polluted": true, "pad_token": "!"}}',
    );
    expect(await refusalOf(folder)).toMatch(/^tokenizer_config\.json: /);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});

describe("files that are too much", () => {
  test("settings of a size that no settings have are not read", async () => {
    const folder = await makeTiny();
    await writeFile(join(folder, tokenizer), Buffer.alloc(65 * 2 ** 20, "["));
    expect(await refusalOf(folder)).toMatch(/at most 67108864 are read/);
  });

  test("settings nested without end are refused in words", async () => {
    const folder = await makeTiny();
    await writeFile(join(folder, tokenizer), "[".repeat(5_000_000));
    expect(await refusalOf(folder)).toMatch(/tokenizer\.json/);
  });

  test("texts of a length that no text has are refused", async () => {
    const folder = await makeTiny();
    await changeJson(folder, "config.json", { "text_config.max_position_embeddings": 2 ** 31 });
    await changeJson(folder, "tokenizer_config.json", { model_max_length: 2 ** 31 });
    expect(await refusalOf(folder)).toMatch(/not understood/);
  });

  test("pictures of a size that no picture has are refused", async () => {
    const folder = await makeTiny();
    await changeJson(folder, "preprocessor_config.json", { crop_size: 2 ** 20, size: 2 ** 20 });
    expect(await refusalOf(folder)).not.toBe("it was added");
  });
});

describe("a list of a hub", () => {
  const file = (path: string) => ({ path, sizeBytes: 1, sha256: undefined, gitSha1: "0".repeat(40) });
  const plain = [
    "config.json",
    "preprocessor_config.json",
    tokenizer,
    "tokenizer_config.json",
    "onnx/vision_model.onnx",
    "onnx/text_model.onnx",
  ];

  test.each([
    "onnx/vision_model.onnx_data/../../../.ssh/authorized_keys",
    "onnx/vision_model.onnx_data//etc/passwd",
    "onnx/vision_model.onnx_data/./x",
    "onnx/vision_model.onnx_data/.bashrc",
    "onnx/vision_model.onnx_data\u001b[2J",
    "onnx/vision_model.onnx_data\n",
    `onnx/vision_model.onnx_data${"x".repeat(300)}`,
  ])("with %j brings no file out of its folder", (path) => {
    expect(() => planFiles([...plain, path].map(file), { variant: "fp32" })).toThrow(/is no name for a file/);
  });

  test.each(["../config.json", "/config.json", "CONFIG.JSON", "config.json/", "./config.json"])(
    "has no settings by the name of %j",
    (path) => {
      const names = plain.map((name) => (name === "config.json" ? path : name));
      expect(() => findLayout(names, "fp32")).toThrow(/lacks config\.json/);
    },
  );

  test("of the same file twice fetches it once", () => {
    const plan = planFiles([...plain, ...plain].map(file), { variant: "fp32" });
    expect(plan.map(({ path }) => path).sort()).toEqual([...plain].sort());
  });
});

describe("a folder", () => {
  test.each(["config.json", "preprocessor_config.json", tokenizer, "onnx/vision_model.onnx"])(
    "whose %s is a link to a device is refused",
    async (name) => {
      const folder = await makeTiny();
      await rm(join(folder, name));
      await symlink("/dev/zero", join(folder, name));
      expect(await refusalOf(folder)).toMatch(/leads out of its folder/);
    },
  );

  test("in which a folder stands for a file is refused", async () => {
    const folder = await makeTiny();
    await rm(join(folder, tokenizer));
    await mkdir(join(folder, tokenizer));
    expect(await refusalOf(folder)).toMatch(/lacks tokenizer\.json/);
  });

  test("that links to itself is refused", async () => {
    const folder = await makeTiny();
    await rm(join(folder, "config.json"));
    await symlink("config.json", join(folder, "config.json"));
    expect(await refusalOf(folder)).not.toBe("it was added");
  });

  test.each(["*/_ORT_MEM_ADDR_/*", "\ufefftext", "a\u0000/etc/passwd", "text_model.onnx\u202e"])(
    "whose graph wants weights from %j is refused",
    async (location) => {
      const folder = await makeTiny();
      await appendExternalWeights(join(folder, "onnx/text_model.onnx"), location);
      expect(await refusalOf(folder)).not.toBe("it was added");
    },
  );

  test("of models that is a link of another's is not followed out of it", async () => {
    const outside = await makeFolder();
    const modelsFolder = await makeFolder();
    await symlink(outside, join(modelsFolder, "tiny"));
    await expect(add(await makeTiny(), { modelsFolder })).rejects.toMatchObject({ code: "conflict" });
  });
});
