import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { Family } from "../../../gpu-sidecar/models/files/layout.ts";
import { readModelSettings } from "../../../gpu-sidecar/models/files/model-settings.ts";
import { changeJson, makeTiny, refusalOf, removeFolders } from "./made.ts";

type Changes = Record<string, unknown>;
const processor = "preprocessor_config.json";

afterEach(removeFolders);

async function readWith(family: Family, file: string, changes: Changes) {
  const folder = await makeTiny({ family });
  await changeJson(folder, file, changes);
  return readModelSettings(folder);
}

describe("the settings of a model", () => {
  test("of CLIP: the shortest edge is scaled, the middle is cut, texts are as long as they must be", async () => {
    const { image, text, read } = await readModelSettings(await makeTiny());
    expect(image).toEqual({
      size: 64,
      resize: "cover",
      edge: 64,
      kernel: "cubic",
      scale: 1 / 255,
      mean: [0.48145466, 0.4578275, 0.40821073],
      deviation: [0.26862954, 0.26130258, 0.27577711],
    });
    expect(text).toEqual({ tokensMax: 77, padding: "longest", padId: 1_199 });
    expect(read).toContainEqual({ name: "image.kernel", value: '"cubic"', from: `${processor}: resample` });
    expect(read).toContainEqual({
      name: "text.tokensMax",
      value: "77",
      from: "tokenizer_config.json: model_max_length",
    });
  });

  test("of SigLIP: the picture is squashed, texts always have their full length", async () => {
    const { image, text } = await readModelSettings(await makeTiny({ family: "siglip" }));
    expect(image).toMatchObject({ size: 64, resize: "squash", edge: 64, mean: [0.5, 0.5, 0.5] });
    expect(text).toEqual({ tokensMax: 64, padding: "tokensMax", padId: 1 });
  });

  test.each<[string, Changes, Changes]>([
    ["a larger shortest edge", { "size.shortest_edge": 73 }, { size: 64, edge: 73, resize: "cover" }],
    ["numbers as old files have them", { size: 80, crop_size: 64 }, { size: 64, edge: 80, resize: "cover" }],
    [
      "a square without a cut",
      { size: { height: 64, width: 64 }, do_center_crop: false },
      { resize: "squash" },
    ],
    ["a square and its own cut", { size: { height: 64, width: 64 } }, { resize: "squash", size: 64 }],
    [
      "the older name",
      { image_processor_type: undefined, feature_extractor_type: "CLIPFeatureExtractor" },
      {},
    ],
    ["nearest", { resample: 0 }, { kernel: "nearest" }],
    ["lanczos", { resample: 1 }, { kernel: "lanczos3" }],
    ["bilinear", { resample: 2 }, { kernel: "linear" }],
    ["no normalisation", { do_normalize: false }, { mean: [0, 0, 0], deviation: [1, 1, 1] }],
    ["bytes as they are", { do_rescale: false }, { scale: 1 }],
    ["another factor", { rescale_factor: 1 / 128 }, { scale: 1 / 128 }],
    ["what is null is not said", { do_pad: null, pad_size: null, data_format: "channels_first" }, {}],
  ])("understands %s", async (_, changes, expected) => {
    expect((await readWith("clip", processor, changes)).image).toMatchObject(expected);
  });

  test("the number of positions is what the model's type has where config.json is silent", async () => {
    const changes = { "text_config.max_position_embeddings": undefined };
    expect((await readWith("siglip", "config.json", changes)).text.tokensMax).toBe(64);
    expect((await readWith("clip", "config.json", changes)).text.tokensMax).toBe(77);
  });

  test("a tokenizer without a limit is limited by the model", async () => {
    const { text } = await readWith("clip", "tokenizer_config.json", { model_max_length: 1e30 });
    expect(text.tokensMax).toBe(77);
  });

  test("what tokenizer_config.json says of ends and lengths is held against the rest", async () => {
    const changes = { add_bos_token: true, add_eos_token: true, max_length: 40, stride: 0 };
    const { text } = await readWith("clip", "tokenizer_config.json", changes);
    expect(text.tokensMax).toBe(40);
  });

  test.each<[string, Changes, Changes]>([
    ["a fixed length", { padding: fixed(77) }, { padding: "tokensMax", padId: 1_199 }],
    ["a batch's longest", { padding: { ...fixed(1), strategy: "BatchLongest" } }, { padding: "longest" }],
    ["a shorter cut", { truncation: cutAt(32) }, { tokensMax: 32 }],
  ])("tokenizer.json may say %s", async (_, changes, expected) => {
    expect((await readWith("clip", "tokenizer.json", changes)).text).toMatchObject(expected);
  });

  test("small letters are made where only tokenizer_config.json asks for them", async () => {
    const { readTokenizer } = await import("../../../gpu-sidecar/models/files/model-settings.ts");
    const folder = await makeTiny();
    await changeJson(folder, "tokenizer.json", { normalizer: { type: "NFC" } });
    expect((await readTokenizer(folder)).normalizer).toEqual({
      type: "Sequence",
      normalizers: [{ type: "Lowercase" }, { type: "NFC" }],
    });
  });
});

function fixed(length: number) {
  return {
    strategy: { Fixed: length },
    direction: "Right",
    pad_to_multiple_of: null,
    pad_id: 1_199,
    pad_type_id: 0,
    pad_token: "<|endoftext|>",
  };
}

function cutAt(length: number) {
  return { direction: "Right", max_length: length, strategy: "LongestFirst", stride: 0 };
}

const square = { height: 64, width: 64 };

describe("what is not understood is refused", () => {
  test.each<[string, string, Changes, RegExp]>([
    ["an unknown filter", processor, { resample: 4 }, /resample is 4; understood is 0 \(nearest\)/],
    ["no filter", processor, { resample: undefined }, /resample is missing/],
    ["no cut of what is not square", processor, { do_center_crop: false }, /pictures would not be square/],
    ["a picture that is not square", processor, { size: { height: 64, width: 48 } }, /size is .*a square/],
    ["a cut that is not square", processor, { crop_size: { height: 64, width: 48 } }, /crop_size is/],
    [
      "a cut that is larger",
      processor,
      { "size.shortest_edge": 32 },
      /crop_size is 64; understood is at most/,
    ],
    ["a cut out of a square", processor, { size: { height: 80, width: 80 } }, /crop_size is 64/],
    ["a longest edge", processor, { size: { longest_edge: 64 } }, /size is {"longest_edge":64}/],
    ["a size of patches", processor, { size: { shortest_edge: 64, longest_edge: 99 } }, /size is/],
    ["an absurd size", processor, { size: 1e9 }, /size is 1000000000/],
    ["no size", processor, { size: undefined }, /size is missing/],
    ["no cut where one is wanted", processor, { crop_size: undefined }, /crop_size is missing/],
    ["no scaling", processor, { do_resize: false }, /do_resize is false/],
    ["another processor", processor, { image_processor_type: "ViTImageProcessor" }, /ViTImageProcessor/],
    [
      "a processor of patches",
      processor,
      { image_processor_type: "Siglip2ImageProcessor" },
      /Siglip2ImageProcessor/,
    ],
    ["a processor called like a method", processor, { image_processor_type: "toString" }, /toString/],
    ["no processor", processor, { image_processor_type: undefined }, /image_processor_type is missing/],
    ["no mean", processor, { image_mean: undefined }, /image_mean is missing/],
    ["no deviation", processor, { image_std: undefined }, /image_std is missing/],
    ["a deviation of 0", processor, { image_std: [1, 0, 1] }, /image_std is \[1,0,1\]/],
    ["a mean of one number", processor, { image_mean: 0.5 }, /image_mean is 0.5/],
    ["a mean of four numbers", processor, { image_mean: [0, 0, 0, 0] }, /image_mean is/],
    ["a factor of 0", processor, { rescale_factor: 0 }, /rescale_factor is 0/],
    ["padding of pictures", processor, { do_pad: true }, /do_pad is true/],
    ["channels last", processor, { data_format: "channels_last" }, /data_format is "channels_last"/],
    ["a flag that is none", processor, { do_center_crop: "yes" }, /do_center_crop is "yes"/],
    [
      "a setting of tomorrow",
      processor,
      { sharpen: 0.1 },
      /sharpen is 0.1; understood is nothing that is known/,
    ],
    ["a setting that offsets", processor, { rescale_offset: true }, /rescale_offset is true/],
    ["another size than the graph's", "config.json", { "vision_config.image_size": 96 }, /64 pixels.* 96/],
    ["another kind of model", "config.json", { model_type: "align" }, /model_type is "align"/],
    ["patches of any size", "config.json", { model_type: "siglip2" }, /model_type is "siglip2"/],
    ["code of its own", processor, { auto_map: { AutoProcessor: "x.Y" } }, /auto_map is/],
    ["code of its own for texts", "tokenizer_config.json", { auto_map: {} }, /auto_map is/],
    [
      "a start that is not made",
      "tokenizer_config.json",
      { add_bos_token: true, bos_token: "!" },
      /add_bos_token/,
    ],
    [
      "an end that is not made",
      "tokenizer_config.json",
      { add_eos_token: true, eos_token: "!" },
      /add_eos_token/,
    ],
    ["texts that overlap", "tokenizer_config.json", { stride: 8 }, /stride is 8/],
    [
      "padding to a multiple, there",
      "tokenizer_config.json",
      { pad_to_multiple_of: 8 },
      /pad_to_multiple_of is 8/,
    ],
    [
      "another way to cut",
      "tokenizer_config.json",
      { truncation_strategy: "do_not_truncate" },
      /truncation_strategy/,
    ],
    ["a lone number that is a square", processor, { size: 80, default_to_square: true }, /crop_size is 64/],
    ["no kind of model", "config.json", { model_type: undefined }, /model_type is missing/],
    ["padding at the left", "tokenizer_config.json", { padding_side: "left" }, /padding_side is "left"/],
    [
      "cutting at the left",
      "tokenizer_config.json",
      { truncation_side: "left" },
      /truncation_side is "left"/,
    ],
    ["an unknown filler", "tokenizer_config.json", { pad_token: "<nothing>" }, /pad_token is "<nothing>"/],
    ["two fillers", "tokenizer_config.json", { pad_token: "!" }, /means token 0, and .* means token 1199/],
    ["a length that is none", "tokenizer_config.json", { model_max_length: -1 }, /model_max_length is -1/],
    ["texts without room", "tokenizer_config.json", { model_max_length: 2 }, /Texts of 2 tokens/],
    ["spaces that are removed", "tokenizer_config.json", { remove_space: true }, /remove_space is true/],
    ["a setting of a tokenizer of tomorrow", "tokenizer_config.json", { split_by: "x" }, /split_by is "x"/],
    [
      "padding to another length",
      "tokenizer.json",
      { padding: fixed(64) },
      /to 64 tokens, and texts have 77/,
    ],
    [
      "padding at the left, there",
      "tokenizer.json",
      { padding: { ...fixed(77), direction: "Left" } },
      /padding/,
    ],
    [
      "padding to a multiple",
      "tokenizer.json",
      { padding: { ...fixed(77), pad_to_multiple_of: 8 } },
      /padding/,
    ],
    ["a cut with a stride", "tokenizer.json", { truncation: { ...cutAt(77), stride: 4 } }, /truncation/],
    ["words in pieces", "tokenizer.json", { "model.type": "WordPiece" }, /model/],
    ["chance", "tokenizer.json", { "model.dropout": 0.1 }, /model.dropout/],
    ["a prefix", "tokenizer.json", { "model.continuing_subword_prefix": "##" }, /continuing_subword_prefix/],
    ["an unknown part of a model", "tokenizer.json", { "model.speed": 3 }, /model is not understood/],
    ["a merge of three", "tokenizer.json", { "model.merges": ["a b c"] }, /model.merges/],
    ["a token numbered by a text", "tokenizer.json", { "model.vocab": { a: "0" } }, /model.vocab/],
    ["a normaliser of Bert", "tokenizer.json", { normalizer: { type: "BertNormalizer" } }, /normalizer.type/],
    [
      "a splitter by script",
      "tokenizer.json",
      { pre_tokenizer: { type: "UnicodeScripts" } },
      /pre_tokenizer.type/,
    ],
    [
      "a splitter that merges",
      "tokenizer.json",
      {
        pre_tokenizer: {
          type: "Split",
          pattern: { String: " " },
          behavior: "MergedWithPrevious",
          invert: false,
        },
      },
      /MergedWithPrevious is not understood/,
    ],
    [
      "an ending by a token that is not there",
      "tokenizer.json",
      { "post_processor.sep": ["x", 99_999] },
      /99999/,
    ],
    ["another version", "tokenizer.json", { version: "2.0" }, /version/],
    ["no tokens", "tokenizer.json", { model: undefined }, /model is not understood/],
  ])("%s", async (_, file, changes, message) => {
    const folder = await makeTiny();
    await changeJson(folder, file, changes);
    await expect(readModelSettings(folder)).rejects.toMatchObject({ code: "invalid_request" });
    expect(await refusalOf(folder)).toMatch(message);
  });

  test("no filler at all", async () => {
    const folder = await makeTiny();
    await changeJson(folder, "tokenizer_config.json", { pad_token: undefined });
    await changeJson(folder, "special_tokens_map.json", { pad_token: undefined });
    expect(await refusalOf(folder)).toMatch(/pad_token is missing, and there is no safe guess/);
  });

  test("a splitter whose pieces reach across words", async () => {
    const folder = await makeTiny({ family: "siglip" });
    await changeJson(folder, "tokenizer.json", {
      "model.vocab": [
        ["<pad>", 0],
        ["</s>", 0],
        ["<unk>", 0],
        ["▁a▁b", -1],
      ],
    });
    expect(await refusalOf(folder)).toMatch(/pieces that reach across two/);
  });

  test("files that are no settings", async () => {
    for (const [content, message] of [
      ["{", /preprocessor_config.json is not JSON/],
      ["[]", /is not an object/],
      ["null", /is not an object/],
      ['{"image_processor_type":5}', /image_processor_type is 5/],
    ] as const) {
      const folder = await makeTiny();
      await writeFile(join(folder, processor), content);
      expect(await refusalOf(folder)).toMatch(message);
    }
  });

  test("SigLIP with a middle cut out of a square, since it would not show all", async () => {
    const folder = await makeTiny({ family: "siglip" });
    await changeJson(folder, processor, { do_center_crop: true, crop_size: square });
    expect(await refusalOf(folder)).toBe("it was added");
    await changeJson(folder, processor, { crop_size: { height: 48, width: 48 } });
    expect(await refusalOf(folder)).toMatch(/crop_size is 48; understood is the size, 64/);
  });
});
