/**
 * A sketch as the database keeps it: runs of neighbouring buckets, the key of the first and how many values each has. Most sketches
 * are a few runs, so that this is a third of two lists of numbers, and costs the database nothing to read.
 *
 *   4400:3,5,,7;4512:1      4400 has 3 values, 4401 5, 4403 7, and 4512 1
 */
import type { SketchParts } from "./sketch.ts";

/** So many empty buckets cost as much as another run. */
const gapMax = 4;

export function writeSketch({ keys, counts }: SketchParts): string {
  let text = "";
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index] as number;
    const gap = key - (keys[index - 1] ?? Number.NEGATIVE_INFINITY);
    if (gap <= gapMax) text += ",".repeat(gap);
    else text += `${index === 0 ? "" : ";"}${key}:`;
    text += counts[index];
  }
  return text;
}

/** Tells of each bucket that has values, in ascending order of keys. */
export function eachBucket(text: string, tell: (key: number, count: number) => void): void {
  let key = 0;
  let number = 0;
  let isNegative = false;
  for (let index = 0; index <= text.length; index++) {
    const code = index < text.length ? text.charCodeAt(index) : semicolon;
    if (code >= zero && code <= nine) number = number * 10 + code - zero;
    else if (code === minus) isNegative = true;
    else if (code === colon) {
      key = isNegative ? -number : number;
      number = 0;
      isNegative = false;
    } else {
      if (number > 0) tell(key, number);
      key += 1;
      number = 0;
    }
  }
}

const [zero, nine, minus, colon, semicolon] = [48, 57, 45, 58, 59];

export function readSketch(text: string): SketchParts {
  const keys: number[] = [];
  const counts: number[] = [];
  eachBucket(text, (key, count) => {
    keys.push(key);
    counts.push(count);
  });
  return { keys, counts };
}

/** No bucket is farther from the middle. */
const keyMax = 6_000;

/** The sum of many sketches, without making each: an array with a place for every bucket there may be. */
export class SketchSum {
  readonly #counts = new Float64Array(2 * keyMax + 1);
  #lowest = keyMax;
  #highest = -keyMax;

  add(text: string): void {
    this.#merge(text, 1);
  }

  /** Of one that was added before. */
  subtract(text: string): void {
    this.#merge(text, -1);
  }

  #merge(text: string, times: 1 | -1): void {
    eachBucket(text, (key, count) => {
      this.#counts[key + keyMax] = (this.#counts[key + keyMax] as number) + times * count;
      if (key < this.#lowest) this.#lowest = key;
      if (key > this.#highest) this.#highest = key;
    });
  }

  toParts(): SketchParts {
    const keys: number[] = [];
    const counts: number[] = [];
    for (let key = this.#lowest; key <= this.#highest; key++) {
      const count = this.#counts[key + keyMax] as number;
      if (count === 0) continue;
      keys.push(key);
      counts.push(count);
    }
    return { keys, counts };
  }

  /** What was added since the last time. */
  take(): SketchParts {
    const parts = this.toParts();
    this.#counts.fill(0, Math.max(0, this.#lowest + keyMax), Math.max(0, this.#highest + keyMax + 1));
    this.#lowest = keyMax;
    this.#highest = -keyMax;
    return parts;
  }
}
