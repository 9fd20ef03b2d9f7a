import { preparePixels } from "../../gpu-sidecar/image/prepare.ts";
import { innerProduct, joinArrays, rowOf } from "../../gpu-sidecar/math/vectors.ts";
import { palette } from "../../gpu-sidecar/models/catalog.ts";
import { type DualEncoder, openDualEncoder } from "../../gpu-sidecar/models/session.ts";
import { encodePicture, type TestPicture } from "./pictures.ts";

/** The model as a sidecar runs it, but in the thread of the test. */
export class Palette {
  readonly #model: DualEncoder;

  private constructor(model: DualEncoder) {
    this.#model = model;
  }

  static async open(): Promise<Palette> {
    return new Palette(await openDualEncoder(palette, { device: "cpu", threads: 1 }));
  }

  /** The whole way of a picture: encoded, decoded, made small, embedded. */
  async embed(pictures: readonly TestPicture[]): Promise<Float32Array[]> {
    const { card } = this.#model;
    const vectors: Float32Array[] = [];
    for (let start = 0; start < pictures.length; start += 16) {
      const batch = pictures.slice(start, start + 16);
      const pixels = await Promise.all(
        batch.map(async (picture) => preparePixels(await encodePicture(picture), card.image)),
      );
      vectors.push(...(await this.embedPixels(pixels)));
    }
    return vectors;
  }

  async embedPixels(pixels: readonly Float32Array[]): Promise<Float32Array[]> {
    const batch = await this.#model.embedImages(joinArrays(pixels), pixels.length);
    return pixels.map((_, row) => rowOf(batch, row, this.#model.card.dimensions));
  }

  async embedTexts(
    texts: readonly string[],
  ): Promise<{ vectors: Float32Array[]; knownWords: readonly number[] }> {
    const { vectors, knownWords } = await this.#model.embedTexts(texts);
    return { vectors: texts.map((_, row) => rowOf(vectors, row, this.#model.card.dimensions)), knownWords };
  }

  async scores(text: string, vectors: readonly Float32Array[]): Promise<number[]> {
    const asked = (await this.embedTexts([text])).vectors[0] ?? new Float32Array(0);
    return vectors.map((vector) => innerProduct(vector, asked));
  }

  async score(text: string, vector: Float32Array): Promise<number> {
    return (await this.scores(text, [vector]))[0] ?? 0;
  }

  close(): Promise<void> {
    return this.#model.release();
  }
}
