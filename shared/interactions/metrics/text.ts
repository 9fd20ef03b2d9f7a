/** A text with what several metrics ask of it, worked out once and only when asked. */
import { findLanguage } from "./language.ts";

/** Letters and digits of any script, with what joins parts of a word. */
const wordPattern = /[\p{L}\p{M}\p{N}]+(?:['’_-][\p{L}\p{M}\p{N}]+)*/gu;
/** Scripts that put no space between words. */
const unspacedPattern =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
const sentenceEndPattern = /(?<![.!?…])[.!?…]+(?=[\s"'”’)\]]|$)|[。！？]+|\n{2,}/gu;

let segmenter: Intl.Segmenter | undefined;

function segmentWords(text: string): string[] {
  segmenter ??= new Intl.Segmenter("und", { granularity: "word" });
  return [...segmenter.segment(text)].filter(({ isWordLike }) => isWordLike).map(({ segment }) => segment);
}

/** Of the 128 units of ASCII those of a word, and those that join its parts. */
const isWordUnit = Uint8Array.from({ length: 128 }, (_, unit) =>
  /[a-z0-9]/.test(String.fromCharCode(unit)) ? 1 : 0,
);
const isJoint = Uint8Array.from({ length: 128 }, (_, unit) =>
  /['_-]/.test(String.fromCharCode(unit)) ? 1 : 0,
);

/** What `wordPattern` finds in a text of ASCII in lower case, in half of the time. */
function splitWords(text: string): string[] {
  const words: string[] = [];
  let from = -1;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (isWordUnit[unit] === 1) {
      if (from < 0) from = index;
    } else if (from >= 0 && !(isJoint[unit] === 1 && isWordUnit[text.charCodeAt(index + 1)] === 1)) {
      words.push(text.slice(from, index));
      from = -1;
    }
  }
  if (from >= 0) words.push(text.slice(from));
  return words;
}

function countSentences(text: string): number {
  let count = 0;
  let end = 0;
  for (const match of text.matchAll(sentenceEndPattern)) {
    count += 1;
    end = match.index + match[0].length;
  }
  return /[\p{L}\p{N}]/u.test(text.slice(end)) ? count + 1 : count;
}

export class MeasuredText {
  readonly text: string;
  /** Model tokens as the caller told them. */
  readonly tokensTold: number | null;
  #words: readonly string[] | undefined;
  #lower: string | undefined;
  #isAscii: boolean | undefined;
  #wordNumbers: ReadonlyMap<string, number> | undefined;
  #wordRow: Int32Array | undefined;
  #language: string | null | undefined;
  #sentenceCount: number | undefined;

  constructor(text: string, tokensTold: number | null = null) {
    this.text = text;
    this.tokensTold = tokensTold;
  }

  /** In lower case, in their order. */
  get words(): readonly string[] {
    this.#words ??= this.isAscii
      ? splitWords(this.lower)
      : unspacedPattern.test(this.lower)
        ? segmentWords(this.lower)
        : (this.lower.match(wordPattern) ?? []);
    return this.#words;
  }

  get lower(): string {
    this.#lower ??= this.text.toLowerCase();
    return this.#lower;
  }

  get isAscii(): boolean {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the range of ASCII begins with them.
    this.#isAscii ??= !/[^\x00-\x7f]/.test(this.text);
    return this.#isAscii;
  }

  /** The different words, numbered from 0 as they first come. */
  get wordNumbers(): ReadonlyMap<string, number> {
    if (!this.#wordNumbers) this.#numberWords();
    return this.#wordNumbers as ReadonlyMap<string, number>;
  }

  /** The words in their order, by their numbers. */
  get wordRow(): Int32Array {
    if (!this.#wordRow) this.#numberWords();
    return this.#wordRow as Int32Array;
  }

  #numberWords(): void {
    const numbers = new Map<string, number>();
    const row = new Int32Array(this.words.length);
    for (let index = 0; index < this.words.length; index++) {
      const word = this.words[index] as string;
      let number = numbers.get(word);
      if (number === undefined) {
        number = numbers.size;
        numbers.set(word, number);
      }
      row[index] = number;
    }
    this.#wordNumbers = numbers;
    this.#wordRow = row;
  }

  /** ISO 639-1, undefined where it is not clear. */
  get language(): string | undefined {
    if (this.#language === undefined) this.#language = findLanguage(this) ?? null;
    return this.#language ?? undefined;
  }

  /** A text with words has one at least. */
  get sentenceCount(): number {
    this.#sentenceCount ??= this.words.length === 0 ? 0 : countSentences(this.text.trim());
    return this.#sentenceCount;
  }
}
