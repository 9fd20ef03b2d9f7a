import type { TokenizerDefinition } from "../../text/definition.ts";
import type { TextInput } from "../card.ts";
import type { Family } from "./layout.ts";
import { refuse } from "./refuse.ts";
import { isObject, type ReadSetting, type SettingsReader, show } from "./settings-reader.ts";

/**
 * How texts are cut and filled up: from tokenizer_config.json, tokenizer.json, special_tokens_map.json and config.json.
 * SigLIP was trained on texts that are always filled up to their full length, with nothing masked; its files leave
 * that to whoever calls it, so here it follows from the model's type.
 */
export interface TextSettings {
  readonly text: TextInput;
  readonly read: readonly ReadSetting[];
}

export interface TextSources {
  readonly family: Family;
  readonly tokenizerConfig: SettingsReader;
  readonly tokenizer: TokenizerDefinition;
  readonly specialTokens: SettingsReader | undefined;
  /** Of the graph, by config.json or by what its type has without a word. */
  readonly positions: { readonly count: number; readonly from: string };
  readonly findId: (token: string) => number | undefined;
  /** Put before and behind every text. */
  readonly ends: { readonly before: readonly number[]; readonly behind: readonly number[] };
}

/** Keys of tokenizer_config.json that bear on other than tokens, or that tokenizer.json says itself. */
const harmless = [
  "add_prefix_space",
  "added_tokens_decoder",
  "additional_special_tokens",
  "backend",
  "chat_template",
  "clean_up_tokenization_spaces",
  "cls_token",
  "errors",
  "extra_ids",
  "extra_special_tokens",
  "is_local",
  "keep_accents",
  "legacy",
  "mask_token",
  "model_input_names",
  "name_or_path",
  "pad_token_type_id",
  "processor_class",
  "sep_token",
  "sp_model_kwargs",
  "spaces_between_special_tokens",
  "special_tokens_map_file",
  "tokenizer_class",
  "tokenizer_file",
  "unk_token",
  "use_default_system_prompt",
  "use_fast",
  "vocab_file",
];

export function readTextSettings(sources: TextSources): TextSettings {
  const { tokenizerConfig: config } = sources;
  config.pass(harmless);
  for (const key of ["padding_side", "truncation_side"]) {
    const side = config.findText(key);
    if (side !== undefined && side !== "right") throw config.refuse(key, side, '"right"');
  }
  for (const key of ["remove_space", "do_lowercase_and_remove_accent", "split_special_tokens"]) {
    if (config.findFlag(key)) throw config.refuse(key, true, "false");
  }
  checkOthers(config);
  checkEnds(sources);
  // Seen to where the tokenizer is read.
  config.findFlag("do_lower_case");
  const length = readLength(sources);
  const padding = readPadding(sources, length.value);
  const pad = readPad(sources);
  config.finish();
  return {
    text: { tokensMax: length.value, padding: padding.value, padId: pad.value },
    read: [
      { name: "text.tokensMax", value: show(length.value), from: length.from },
      { name: "text.padding", value: show(padding.value), from: padding.from },
      { name: "text.padId", value: show(pad.value), from: pad.from },
    ],
  };
}

function checkOthers(config: SettingsReader): void {
  const stride = config.find("stride");
  if (stride !== undefined && stride !== 0) throw config.refuse("stride", stride, "0");
  const strategy = config.findText("truncation_strategy");
  if (strategy !== undefined && strategy !== "longest_first" && strategy !== "only_first")
    throw config.refuse("truncation_strategy", strategy, '"longest_first" or "only_first"');
  const multiple = config.find("pad_to_multiple_of");
  if (multiple !== undefined) throw config.refuse("pad_to_multiple_of", multiple, "nothing");
}

/** What is to begin or end a text must be what tokenizer.json puts there. */
function checkEnds({ tokenizerConfig: config, ends, findId }: TextSources): void {
  for (const [name, ids] of [
    ["bos", ends.before],
    ["eos", ends.behind],
  ] as const) {
    const token = readToken(config, `${name}_token`);
    const id = token === undefined ? undefined : findId(token);
    if (config.findFlag(`add_${name}_token`) && (id === undefined || !ids.includes(id)))
      throw refuse(`${config.file}: add_${name}_token is true, and tokenizer.json does not add it.`);
  }
}

interface Found<T> {
  readonly value: T;
  readonly from: string;
}

/** The smallest of what the files name. Tokenizers without a limit write 1e30, which is no length. */
function readLength({ tokenizerConfig: config, tokenizer, positions }: TextSources): Found<number> {
  const written = config.find("model_max_length");
  if (written !== undefined && (typeof written !== "number" || !(written >= 1)))
    throw config.refuse("model_max_length", written, "a whole number above 0");
  const candidates: Found<number>[] = [{ value: positions.count, from: positions.from }];
  if (typeof written === "number" && written < 1e9) {
    if (!Number.isInteger(written)) throw config.refuse("model_max_length", written, "a whole number");
    candidates.unshift({ value: written, from: `${config.file}: model_max_length` });
  }
  const other = config.findWhole("max_length");
  if (other !== undefined) candidates.push({ value: other, from: `${config.file}: max_length` });
  if (tokenizer.truncation)
    candidates.push({
      value: tokenizer.truncation.max_length,
      from: "tokenizer.json: truncation.max_length",
    });
  const smallest = Math.min(...candidates.map(({ value }) => value));
  const found = candidates.find(({ value }) => value === smallest);
  if (!found || smallest < 4 || smallest > 8192)
    throw refuse(`Texts of ${smallest} tokens (${found?.from}) are not understood; 4 to 8192 are.`);
  return found;
}

function readPadding({ family, tokenizer }: TextSources, tokensMax: number): Found<TextInput["padding"]> {
  const from = "tokenizer.json: padding.strategy";
  const strategy = tokenizer.padding?.strategy;
  if (isObject(strategy) && strategy.Fixed !== tokensMax)
    throw refuse(
      `tokenizer.json: padding is to ${show(strategy.Fixed)} tokens, and texts have ${tokensMax}.`,
    );
  if (family === "siglip") return { value: "tokensMax", from: "config.json: model_type siglip" };
  if (isObject(strategy)) return { value: "tokensMax", from };
  return { value: "longest", from: strategy === undefined ? "config.json: model_type clip" : from };
}

function readPad({ tokenizerConfig, tokenizer, specialTokens, findId }: TextSources): Found<number> {
  const found: Found<number>[] = [];
  if (tokenizer.padding)
    found.push({ value: tokenizer.padding.pad_id, from: "tokenizer.json: padding.pad_id" });
  for (const reader of [tokenizerConfig, specialTokens]) {
    const token = reader && readToken(reader, "pad_token");
    if (!reader || token === undefined) continue;
    const value = findId(token);
    if (value === undefined)
      throw refuse(`${reader.file}: pad_token is ${show(token)}, which tokenizer.json does not have.`);
    found.push({ value, from: `${reader.file}: pad_token` });
  }
  const [first] = found;
  if (!first) throw tokenizerConfig.missing("pad_token");
  const other = found.find(({ value }) => value !== first.value);
  if (other)
    throw refuse(`${first.from} means token ${first.value}, and ${other.from} means token ${other.value}.`);
  return first;
}

/** A token is written as its text, or as an object with its text. */
function readToken(reader: SettingsReader, key: string): string | undefined {
  const value = reader.find(key);
  if (value === undefined || typeof value === "string") return value;
  if (isObject(value) && typeof value.content === "string") return value.content;
  throw reader.refuse(key, value, "a token");
}
