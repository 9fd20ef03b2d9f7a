import type { ImageInput } from "../card.ts";
import { refuse } from "./refuse.ts";
import { isObject, type ReadSetting, type SettingsReader, show } from "./settings-reader.ts";

/**
 * How a preprocessor_config.json says that pictures are to be prepared (the image processors of Hugging Face's
 * `transformers`, CLIP's and SigLIP's). Written as a card: squash, or scale the shortest edge and cut the middle.
 */
export interface ImageSettings {
  readonly image: ImageInput;
  readonly read: readonly ReadSetting[];
}

interface ProcessorClass {
  /** What a lone number as `size` means, and whether the middle is cut where the file does not say. */
  readonly cuts: boolean;
}

const processorClasses: Readonly<Record<string, ProcessorClass>> = {
  CLIPImageProcessor: { cuts: true },
  CLIPImageProcessorFast: { cuts: true },
  CLIPFeatureExtractor: { cuts: true },
  SiglipImageProcessor: { cuts: false },
  SiglipImageProcessorFast: { cuts: false },
};

/** Pillow's numbers for its filters. */
const kernels: Readonly<Record<number, ImageInput["kernel"]>> = {
  0: "nearest",
  1: "lanczos3",
  2: "linear",
  3: "cubic",
};

/** Keys that change no number: names, hints for batching, and what is always so here. */
const harmless = ["processor_class", "_valid_processor_keys", "do_convert_rgb"];

export function readImageSettings(reader: SettingsReader, sizeOfGraph: number | undefined): ImageSettings {
  const { cuts } = readClass(reader);
  reader.pass(harmless);
  const layout = reader.findText("data_format");
  if (layout !== undefined && layout !== "channels_first")
    throw reader.refuse("data_format", layout, '"channels_first"');
  for (const key of ["do_pad", "do_flip_channel_order", "do_thumbnail", "do_align_long_axis"]) {
    if (reader.findFlag(key)) throw reader.refuse(key, true, "false");
  }
  const shape = readShape(reader, cuts);
  const numbers = readNumbers(reader);
  const image = { ...shape, kernel: readKernel(reader), ...numbers };
  reader.finish();
  if (sizeOfGraph !== undefined && sizeOfGraph !== image.size)
    throw refuse(
      `${reader.file} makes pictures of ${image.size} pixels, and the model reads ${sizeOfGraph} (config.json).`,
    );
  return { image, read: describe(reader.file, image) };
}

function readClass(reader: SettingsReader): ProcessorClass {
  const extractor = reader.findText("feature_extractor_type");
  const name = reader.findText("image_processor_type") ?? extractor;
  if (name === undefined) throw reader.missing("image_processor_type");
  const known = Object.hasOwn(processorClasses, name) ? processorClasses[name] : undefined;
  if (known) return known;
  throw reader.refuse("image_processor_type", name, Object.keys(processorClasses).join(", "));
}

type Shape = Pick<ImageInput, "size" | "resize" | "edge">;

function readShape(reader: SettingsReader, cutsByClass: boolean): Shape {
  if (reader.findFlag("do_resize") === false) throw reader.refuse("do_resize", false, "true");
  const isCut = reader.findFlag("do_center_crop") ?? cutsByClass;
  const size = readSize(reader, "size", !(reader.findFlag("default_to_square") ?? !cutsByClass));
  const crop = readSize(reader, "crop_size", false);
  if (!isCut) {
    if (size.kind === "square") return { size: size.edge, resize: "squash", edge: size.edge };
    throw refuse(
      `${reader.file}: do_center_crop is false and size names the shortest edge only, so pictures would not be square.`,
    );
  }
  if (crop === undefined) throw reader.missing("crop_size");
  if (crop.edge > size.edge) throw reader.refuse("crop_size", crop.edge, `at most size, ${size.edge}`);
  if (size.kind === "shortest") return { size: crop.edge, resize: "cover", edge: size.edge };
  // A square that is bent first and cut then shows less than all of it; nobody trains like that.
  if (crop.edge !== size.edge) throw reader.refuse("crop_size", crop.edge, `the size, ${size.edge}`);
  return { size: size.edge, resize: "squash", edge: size.edge };
}

interface Size {
  readonly kind: "square" | "shortest";
  readonly edge: number;
}

function readSize(reader: SettingsReader, key: "size", bareIsShortest: boolean): Size;
function readSize(reader: SettingsReader, key: "crop_size", bareIsShortest: boolean): Size | undefined;
function readSize(reader: SettingsReader, key: string, bareIsShortest: boolean): Size | undefined {
  const value = reader.find(key);
  if (value === undefined) {
    if (key === "size") throw reader.missing(key);
    return undefined;
  }
  const found = parseSize(value, bareIsShortest);
  if (found && found.edge >= 16 && found.edge <= 2048) return found;
  throw reader.refuse(key, value, "a square or a shortest_edge of 16 to 2048 pixels");
}

function parseSize(value: unknown, bareIsShortest: boolean): Size | undefined {
  if (isWhole(value)) return { kind: bareIsShortest ? "shortest" : "square", edge: value };
  if (!isObject(value)) return undefined;
  const named = Object.entries(value).filter(([, one]) => one !== null);
  const { shortest_edge: shortest, height, width } = Object.fromEntries(named);
  if (named.length === 1 && isWhole(shortest)) return { kind: "shortest", edge: shortest };
  if (named.length === 2 && isWhole(height) && height === width) return { kind: "square", edge: height };
  return undefined;
}

function isWhole(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0;
}

function readKernel(reader: SettingsReader): ImageInput["kernel"] {
  const value = reader.find("resample");
  if (value === undefined) throw reader.missing("resample");
  const kernel = typeof value === "number" ? kernels[value] : undefined;
  if (kernel) return kernel;
  throw reader.refuse("resample", value, "0 (nearest), 1 (lanczos), 2 (bilinear) or 3 (bicubic)");
}

function readNumbers(reader: SettingsReader): Pick<ImageInput, "scale" | "mean" | "deviation"> {
  const scales = reader.findFlag("do_rescale") ?? true;
  const factor = reader.findPositive("rescale_factor") ?? 1 / 255;
  const scale = scales ? factor : 1;
  const mean = readTriple(reader, "image_mean");
  const deviation = readTriple(reader, "image_std");
  if (reader.findFlag("do_normalize") === false) return { scale, mean: [0, 0, 0], deviation: [1, 1, 1] };
  if (!mean) throw reader.missing("image_mean");
  if (!deviation) throw reader.missing("image_std");
  if (deviation.some((value) => value <= 0))
    throw reader.refuse("image_std", deviation, "three numbers above 0");
  return { scale, mean, deviation };
}

function readTriple(reader: SettingsReader, key: string): [number, number, number] | undefined {
  const value = reader.find(key);
  if (value === undefined) return undefined;
  if (Array.isArray(value) && value.length === 3 && value.every(Number.isFinite))
    return value as [number, number, number];
  throw reader.refuse(key, value, "three numbers");
}

function describe(file: string, image: ImageInput): ReadSetting[] {
  const keys: Readonly<Record<keyof ImageInput, string>> = {
    size: image.resize === "cover" ? "crop_size" : "size",
    resize: "size, do_center_crop",
    edge: "size",
    kernel: "resample",
    scale: "do_rescale, rescale_factor",
    mean: "do_normalize, image_mean",
    deviation: "do_normalize, image_std",
  };
  return Object.entries(keys).map(([name, key]) => ({
    name: `image.${name}`,
    value: show(image[name as keyof ImageInput]),
    from: `${file}: ${key}`,
  }));
}
