/** How a picture becomes the numbers that a model reads: [3, size, size], each (value * scale - mean) / deviation. */
export interface ImageInput {
  /** Edge of the square that the model reads, in pixels. */
  readonly size: number;
  /**
   * `squash` shows the model the whole picture, bent into a square. `cover` scales the shortest edge to `edge` and
   * cuts the square from the middle.
   */
  readonly resize: "squash" | "cover";
  /** Of `cover`: the shortest edge before the cut, at least `size`. Equal to `size` otherwise. */
  readonly edge: number;
  /** Antialiased, as Pillow does it: cubic is Catmull-Rom (a = -0.5). */
  readonly kernel: "nearest" | "linear" | "cubic" | "lanczos3";
  /** Of a byte; nearly always 1/255. */
  readonly scale: number;
  readonly mean: readonly [number, number, number];
  readonly deviation: readonly [number, number, number];
}

/** How a text becomes tokens. */
export interface TextInput {
  /** Longer texts are cut, in tokens; what ends a text stays its last one. */
  readonly tokensMax: number;
  /** `longest`: as long as the longest of a batch. `tokensMax`: always that long and unmasked, as some were trained. */
  readonly padding: "longest" | "tokensMax";
  readonly padId: number;
}

/** What everyone but the model itself must know about it. Plain data. */
export interface ModelCard {
  /** The key by which it is asked for, such as `clip-vit-base-patch32-int8`. */
  readonly name: string;
  /** Follows from the content of all its files; `built-in` for the one that needs none. Equal digests, equal vectors. */
  readonly digest: string;
  readonly dimensions: number;
  readonly image: ImageInput;
  readonly text: TextInput;
}

/** A text as tokens, ended and cut, not padded. */
export interface TokenizedText {
  readonly ids: readonly number[];
  /** How much of the text the model knew. 0: its vector would mean nothing. */
  readonly knownWords: number;
}

/** The two halves of a dual encoder: ONNX files, as bytes or as paths, and the tokenizer of the text half. */
export interface DualEncoderFiles {
  readonly vision: Uint8Array | string;
  readonly text: Uint8Array | string;
  readonly tokenize: (text: string) => TokenizedText;
  /**
   * Halves of which a run takes one row at a time: they quantise as they run, over all rows of a run together, so that
   * a row's vector would depend on what it travels with. Default: neither.
   */
  readonly runsAlone?: { readonly vision: boolean; readonly text: boolean };
}

export interface CatalogEntry {
  readonly card: ModelCard;
  /** Makes or reads the files; takes time, so only the inference thread calls it. */
  readonly load: () => Promise<DualEncoderFiles>;
}
