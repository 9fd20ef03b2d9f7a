import { buildClipTokenizer } from "./bpe.ts";
import type { ModelPlan } from "./plan.ts";
import { buildSiglipTokenizer } from "./unigram.ts";

/** The small files of a model as the hub has them, by name. */
export function buildConfigs(plan: ModelPlan, seed: number): Record<string, object> {
  const { family, text } = plan;
  const isClip = family === "clip";
  return {
    "config.json": modelConfig(plan),
    "preprocessor_config.json": isClip ? clipProcessor(plan) : siglipProcessor(plan),
    "tokenizer.json": isClip
      ? buildClipTokenizer(text.vocabulary, seed)
      : buildSiglipTokenizer(text.vocabulary, seed),
    "tokenizer_config.json": isClip ? clipTokenizerConfig(plan) : siglipTokenizerConfig(plan),
    "special_tokens_map.json": isClip ? clipSpecials : siglipSpecials,
  };
}

function modelConfig({ family, vision, text, dimensions }: ModelPlan): object {
  const tower = (plan: { width: number; layers: number; heads: number; inner: number }) => ({
    hidden_size: plan.width,
    num_hidden_layers: plan.layers,
    num_attention_heads: plan.heads,
    intermediate_size: plan.inner,
  });
  return {
    architectures: [family === "clip" ? "CLIPModel" : "SiglipModel"],
    model_type: family,
    ...(family === "clip" ? { projection_dim: dimensions } : {}),
    text_config: {
      ...tower(text),
      max_position_embeddings: text.tokens,
      vocab_size: text.vocabulary,
      model_type: `${family}_text_model`,
    },
    vision_config: {
      ...tower(vision),
      image_size: vision.size,
      patch_size: vision.patch,
      model_type: `${family}_vision_model`,
    },
  };
}

function clipProcessor({ vision: { size } }: ModelPlan): object {
  return {
    crop_size: { height: size, width: size },
    do_center_crop: true,
    do_convert_rgb: true,
    do_normalize: true,
    do_rescale: true,
    do_resize: true,
    image_mean: [0.48145466, 0.4578275, 0.40821073],
    image_processor_type: "CLIPImageProcessor",
    image_std: [0.26862954, 0.26130258, 0.27577711],
    resample: 3,
    rescale_factor: 1 / 255,
    size: { shortest_edge: size },
  };
}

function siglipProcessor({ vision: { size } }: ModelPlan): object {
  return {
    do_normalize: true,
    do_rescale: true,
    do_resize: true,
    image_mean: [0.5, 0.5, 0.5],
    image_processor_type: "SiglipImageProcessor",
    image_std: [0.5, 0.5, 0.5],
    processor_class: "SiglipProcessor",
    resample: 3,
    rescale_factor: 1 / 255,
    size: { height: size, width: size },
  };
}

const clipSpecials = {
  bos_token: "<|startoftext|>",
  eos_token: "<|endoftext|>",
  pad_token: "<|endoftext|>",
  unk_token: "<|endoftext|>",
};

const siglipSpecials = { eos_token: "</s>", pad_token: "</s>", unk_token: "<unk>" };

function clipTokenizerConfig({ text }: ModelPlan): object {
  return {
    ...clipSpecials,
    add_prefix_space: false,
    clean_up_tokenization_spaces: true,
    do_lower_case: true,
    errors: "replace",
    model_max_length: text.tokens,
    tokenizer_class: "CLIPTokenizer",
  };
}

function siglipTokenizerConfig({ text }: ModelPlan): object {
  return {
    ...siglipSpecials,
    additional_special_tokens: [],
    clean_up_tokenization_spaces: true,
    do_lower_case: true,
    model_input_names: ["input_ids"],
    model_max_length: text.tokens,
    sp_model_kwargs: {},
    tokenizer_class: "SiglipTokenizer",
  };
}
