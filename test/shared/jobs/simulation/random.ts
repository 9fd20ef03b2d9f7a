import { seededRandom } from "../../../helpers/pictures.ts";

/** Choices from a seed; the same seed chooses the same. */
export class Choices {
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = seededRandom(seed);
    // Seeds that lie side by side begin alike.
    for (let round = 0; round < 4; round++) this.#next();
  }

  /** From 0 to 1. */
  share(): number {
    return this.#next();
  }

  below(most: number): number {
    return Math.floor(this.#next() * most);
  }

  between(least: number, most: number): number {
    return least + this.#next() * (most - least);
  }

  chance(share: number): boolean {
    return this.#next() < share;
  }

  pick<T>(list: readonly T[]): T {
    if (list.length === 0) throw new RangeError("there is nothing to pick from");
    return list[this.below(list.length)] as T;
  }

  /** Up to so many different ones. */
  some<T>(list: readonly T[], most: number): T[] {
    const left = [...list];
    const picked: T[] = [];
    while (left.length > 0 && picked.length < most) picked.push(...left.splice(this.below(left.length), 1));
    return picked;
  }

  weighted<T>(weights: readonly (readonly [T, number])[]): T {
    let rest = this.#next() * weights.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [value, weight] of weights) {
      rest -= weight;
      if (rest < 0) return value;
    }
    return (weights.at(-1) as readonly [T, number])[0];
  }

  /** A UUIDv7 of this time. */
  id(ms: number): string {
    const hex = (digits: number) =>
      Array.from({ length: digits }, () => this.below(16).toString(16)).join("");
    const time = ms.toString(16).padStart(12, "0");
    return `${time.slice(0, 8)}-${time.slice(8)}-7${hex(3)}-8${hex(3)}-${hex(12)}`;
  }
}
