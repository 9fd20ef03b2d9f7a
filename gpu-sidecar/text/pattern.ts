/**
 * Whether a pattern of a tokenizer.json may be run on what people write. Patterns are searched for by trying again and
 * again: one that can share the same letters out in many ways takes longer than anyone lives. Those of real tokenizers
 * repeat single letters, and never a part that repeats something itself.
 */
const lengthMax = 1_000;
const depthMax = 8;
/** So many parts of one way through it may be of any length. */
const repeatedMax = 2;
/** `{0,9}` is of a length that matters little. */
const timesMax = 16;

/** What is wrong with it, or undefined. */
export function judgePattern(source: string): string | undefined {
  if (source.length > lengthMax) return `has more than ${lengthMax} letters`;
  const reader = new PatternReader(source);
  try {
    if (reader.readWays(0) > repeatedMax) return "repeats too many parts one after another";
    return reader.isAtEnd ? undefined : "is not understood";
  } catch (error) {
    if (error instanceof Refusal) return error.message;
    throw error;
  }
}

class Refusal extends Error {}

/** Walks through a pattern and counts, along the worst way, the parts that repeat without end. */
class PatternReader {
  readonly #source: string;
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#source.length;
  }

  /** Ways beside each other, up to the end of the pattern or of a group. */
  readWays(depth: number): number {
    if (depth > depthMax) throw new Refusal("is nested too deeply");
    let most = 0;
    let here = 0;
    while (!this.isAtEnd && this.#source[this.#at] !== ")") {
      if (this.#take(/\|/y)) {
        here = 0;
        continue;
      }
      here += this.#readPart(depth);
      most = Math.max(most, here);
    }
    return most;
  }

  #readPart(depth: number): number {
    if (this.#take(/\(/y)) return this.#readGroup(depth);
    if (this.#take(/\\[1-9k]/y)) throw new Refusal("refers back to what it found");
    if (!this.#take(/\\[pP]\{[^}]*\}|\\.|\[(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]|[^[]/suy))
      throw new Refusal("is not understood");
    return this.#readRepeat() ? 1 : 0;
  }

  #readGroup(depth: number): number {
    if (this.#take(/\?<[=!]/y)) throw new Refusal("looks behind");
    this.#take(/\?(?::|=|!|>|[a-z]*(?:-[a-z]+)?:|<\w+>)/y);
    const inside = this.readWays(depth + 1);
    if (!this.#take(/\)/y)) throw new Refusal("is not understood");
    if (this.#readRepeat()) throw new Refusal("repeats a group");
    return inside;
  }

  /** Passes over how often the part before may stand; true where that is without end, or many times. */
  #readRepeat(): boolean {
    const found = this.#take(/(?:[*+?]|\{(\d+)(,(\d*))?\})[?+]?/y);
    if (!found || found[0].startsWith("?")) return false;
    const [, least, range, most] = found;
    if (least === undefined || most === "") return true;
    return Number(range === undefined ? least : most) > timesMax;
  }

  #take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#source);
    if (found) this.#at = pattern.lastIndex;
    return found ?? undefined;
  }
}
