/** Arrays that go to the inference thread and come back: one runs, one waits for it, one is being filled. */
const keptMax = 3;

export class BatchBuffers {
  #free: Float32Array[] = [];

  take(length: number): Float32Array {
    const found = this.#free.findIndex((pixels) => pixels.buffer.byteLength >= length * 4);
    // None is large enough: the smallest makes room for a larger one.
    if (found < 0) this.#free.sort((left, right) => left.length - right.length).shift();
    const [pixels] = found < 0 ? [] : this.#free.splice(found, 1);
    return pixels ? new Float32Array(pixels.buffer, 0, length) : new Float32Array(length);
  }

  give(pixels: Float32Array): void {
    if (this.#free.length < keptMax) this.#free.push(pixels);
  }
}
