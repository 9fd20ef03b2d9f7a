/** A text with what several metrics ask of it, worked out once and only when asked. */

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

export class MeasuredText {
  readonly text: string;
  #words: readonly string[] | undefined;
  #lower: string | undefined;

  constructor(text: string) {
    this.text = text;
  }

  /** In lower case, in their order. */
  get words(): readonly string[] {
    this.#words ??= unspacedPattern.test(this.lower)
      ? segmentWords(this.lower)
      : (this.lower.match(wordPattern) ?? []);
    return this.#words;
  }

  get lower(): string {
    this.#lower ??= this.text.toLowerCase();
    return this.#lower;
  }

  /** A text with words has one at least. */
  get sentenceCount(): number {
    if (this.words.length === 0) return 0;
    const trimmed = this.text.trim();
    let count = 0;
    let end = 0;
    for (const match of trimmed.matchAll(sentenceEndPattern)) {
      count += 1;
      end = match.index + match[0].length;
    }
    const rest = trimmed.slice(end);
    return /[\p{L}\p{N}]/u.test(rest) ? count + 1 : count;
  }
}
