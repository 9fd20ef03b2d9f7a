/** Numbers that follow from a seed alone: xorshift of 32 bits (Marsaglia 2003), fast enough for a hundred million. */
export class SeededRandom {
  #state: number;

  constructor(seed: number) {
    // Neighbouring seeds are scattered first; a state of 0 would stay 0.
    this.#state = Math.imul((seed >>> 0) + 0x9e37_79b9, 0x85eb_ca6b) | 1;
    for (let i = 0; i < 8; i++) this.#next();
  }

  /** A whole number from 0 to below `end`. */
  below(end: number): number {
    return Math.floor((this.#next() / 2 ** 32) * end);
  }

  /** Evenly spread around 0, with this standard deviation. */
  weights(count: number, deviation: number): Float32Array {
    const values = new Float32Array(count);
    const factor = (deviation * Math.sqrt(12)) / 2 ** 32;
    const offset = deviation * Math.sqrt(3);
    let state = this.#state;
    for (let i = 0; i < count; i++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      values[i] = (state >>> 0) * factor - offset;
    }
    this.#state = state;
    return values;
  }

  #next(): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return state >>> 0;
  }
}
