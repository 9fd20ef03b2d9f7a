/**
 * How much is decoded at once: what a decoder holds goes with the pixels, not with the bytes, and a file of 2 kB may
 * have a hundred million of them. Pictures run side by side while their pixels fit together; first come, first served.
 */
export class PixelBudget {
  readonly #pixelsMax: number;
  readonly #waiting: { readonly pixels: number; readonly start: () => void }[] = [];
  #free: number;

  constructor(pixelsMax: number) {
    this.#pixelsMax = pixelsMax;
    this.#free = pixelsMax;
  }

  /** A picture above the whole budget runs alone. */
  async run<T>(pixels: number, work: () => Promise<T>): Promise<T> {
    const taken = Math.min(pixels, this.#pixelsMax);
    await new Promise<void>((start) => {
      this.#waiting.push({ pixels: taken, start });
      this.#startNext();
    });
    try {
      return await work();
    } finally {
      this.#free += taken;
      this.#startNext();
    }
  }

  #startNext(): void {
    for (let next = this.#waiting[0]; next && next.pixels <= this.#free; next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#free -= next.pixels;
      next.start();
    }
  }
}
