import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { listNormalisers, readTokenizerDefinition, type TokenizerDefinition } from "../../text/definition.ts";
import { createHubTokenizer } from "../../text/hub-tokenizer.ts";
import type { ImageInput, TextInput } from "../card.ts";
import { readImageSettings } from "./image-settings.ts";
import { type Family, families } from "./layout.ts";
import { refuse } from "./refuse.ts";
import { type ReadSetting, SettingsReader, show } from "./settings-reader.ts";
import { readTextSettings } from "./text-settings.ts";

export interface ModelSettings {
  readonly family: Family;
  readonly image: ImageInput;
  readonly text: TextInput;
  /** Every setting with its value and where it stood. */
  readonly read: readonly ReadSetting[];
}

/** What `transformers` takes where config.json leaves it out, as it does with every default. */
const defaults: Readonly<Record<Family, { positions: number }>> = {
  clip: { positions: 77 },
  siglip: { positions: 64 },
};

const jsonBytesMax = 64 * 2 ** 20;

/** Reads all settings in `folder`; refuses the first that is missing or not understood. */
export async function readModelSettings(folder: string): Promise<ModelSettings> {
  const config = new SettingsReader("config.json", await readJson(folder, "config.json"));
  const family = readFamily(config);
  const visionSize = config.findObject("vision_config")?.findWhole("image_size");
  const image = readImageSettings(await openReader(folder, "preprocessor_config.json"), visionSize);
  const tokenizer = await readTokenizer(folder);
  const positions = readPositions(config, family);
  const { findId, ends } = createHubTokenizer(tokenizer, positions.count);
  const text = readTextSettings({
    family,
    tokenizer,
    positions,
    findId,
    ends,
    tokenizerConfig: await openReader(folder, "tokenizer_config.json"),
    specialTokens: await findReader(folder, "special_tokens_map.json"),
  });
  const type = { name: "family", value: show(family), from: "config.json: model_type" };
  return { family, image: image.image, text: text.text, read: [type, ...image.read, ...text.read] };
}

/**
 * The tokenizer, with small letters first where tokenizer_config.json wants them and tokenizer.json does not make
 * them: SigLIP 2 was trained on small letters and leaves them to whoever calls it.
 */
export async function readTokenizer(folder: string): Promise<TokenizerDefinition> {
  const definition = readTokenizerDefinition(await readJson(folder, "tokenizer.json"));
  const config = await openReader(folder, "tokenizer_config.json");
  const parts = listNormalisers(definition);
  if (!config.findFlag("do_lower_case") || parts.some(({ type }) => type === "Lowercase")) return definition;
  const normalizers = [{ type: "Lowercase" as const }, ...parts];
  return { ...definition, normalizer: { type: "Sequence", normalizers } };
}

function readFamily(config: SettingsReader): Family {
  const type = config.findText("model_type");
  if (type === undefined) throw config.missing("model_type");
  const family = families.find((one) => one === type);
  if (family) return family;
  throw config.refuse("model_type", type, families.join(" or "));
}

function readPositions(config: SettingsReader, family: Family): { count: number; from: string } {
  const text = config.findObject("text_config");
  const count = text?.findWhole("max_position_embeddings");
  if (text && count !== undefined) return { count, from: `${text.file}.max_position_embeddings` };
  return {
    count: defaults[family].positions,
    from: `what model_type ${family} has where config.json is silent`,
  };
}

async function openReader(folder: string, name: string): Promise<SettingsReader> {
  return new SettingsReader(name, await readJson(folder, name));
}

async function findReader(folder: string, name: string): Promise<SettingsReader | undefined> {
  const isThere = await stat(join(folder, name)).then(
    () => true,
    () => false,
  );
  return isThere ? openReader(folder, name) : undefined;
}

async function readJson(folder: string, name: string): Promise<unknown> {
  const path = join(folder, name);
  const { size } = await stat(path).catch((cause: unknown) => {
    throw refuse(`The model lacks ${name}.`, cause);
  });
  if (size > jsonBytesMax) throw refuse(`${name} has ${size} bytes; at most ${jsonBytesMax} are read.`);
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch (cause) {
    throw refuse(`${name} is not JSON.`, cause);
  }
}
