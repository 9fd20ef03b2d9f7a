import type { PhraseTokenizer } from "../text/phrases.ts";

/** How a picture becomes the numbers that a model reads: [3, size, size], each (value / 255 - mean) / deviation. */
export interface ImageInput {
  readonly size: number;
  /** `squash` shows the model the whole picture, bent into a square; `cover` cuts a square from its middle. */
  readonly resize: "squash" | "cover";
  readonly kernel: "linear" | "cubic";
  readonly mean: readonly [number, number, number];
  readonly deviation: readonly [number, number, number];
}

/** What everyone but the model itself must know about it. Plain data. */
export interface ModelCard {
  readonly name: string;
  /** The number of its embedding space, as in the database: vectors of two spaces are never compared. */
  readonly space: number;
  readonly dimensions: number;
  readonly image: ImageInput;
  /** Longer texts are cut, in tokens. */
  readonly textTokensMax: number;
}

/** The two halves of a dual encoder: ONNX files, as bytes or as paths, and the tokenizer of the text half. */
export interface DualEncoderFiles {
  readonly vision: Uint8Array | string;
  readonly text: Uint8Array | string;
  readonly tokenize: PhraseTokenizer;
}

export interface CatalogEntry {
  readonly card: ModelCard;
  /** Makes or reads the files; takes time, so only the inference thread calls it. */
  readonly load: () => Promise<DualEncoderFiles>;
}
