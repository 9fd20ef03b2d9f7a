/**
 * Words as the log is searched by them. A batch keeps the hashes of its words, by which batches are found that may hold what is
 * searched; whether a text does hold it, the text alone decides. So there is one law: whoever holds the terms has their hashes.
 *
 *   "Don't ask GPT-4o: 漢字?"  ─▶  don · t · ask · gpt · 4o · 漢 · 字
 *
 * Scripts that put no space between words count by their characters, so that nothing depends on how they are cut into words.
 */
import { MeasuredText } from "./metrics/text.ts";

/** As many words are searched for; what comes after them is not looked at. */
export const termsMax = 10;

const unspaced =
  "\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}";
const spaced = `(?:(?![${unspaced}])[\\p{L}\\p{M}\\p{Nd}\\p{Nl}])`;
const isUnspaced = new RegExp(`[${unspaced}]`, "u");
const isSpaced = new RegExp(spaced, "u");
/** A word, or one character of a script without spaces. */
const unitPattern = new RegExp(`${spaced}+|[${unspaced}]`, "gu");
/** A word with what joins its parts, or a run of a script without spaces. */
const termPattern = new RegExp(`${spaced}+(?:['_-]${spaced}+)*|[${unspaced}]+`, "gu");

/** What a UTF-16 unit is to a word; worked out when it is first met. */
const [unknown, inWord, alone, between, hard] = [0, 1, 2, 3, 4];
const kinds = new Uint8Array(65_536);

function findKind(unit: number): number {
  const character = String.fromCharCode(unit);
  if (unit >= 0xd800 && unit <= 0xdfff) return hard;
  if (isUnspaced.test(character)) return alone;
  if (!isSpaced.test(character)) return between;
  // It may become another character together with its neighbour.
  const isStable = character.normalize("NFC") === character && !/[\p{M}\u1100-\u11ff]/u.test(character);
  return isStable ? inWord : hard;
}

const hashStart = 0x811c9dc5;
/** FNV-1a, by UTF-16 units. */
const addUnit = (hash: number, unit: number) => Math.imul(hash ^ unit, 0x01000193);
/** The last step of MurmurHash3: each bit of the hash depends on every one. */
function finishHash(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

function hashUnit(text: string): number {
  let hash = hashStart;
  for (let index = 0; index < text.length; index++) hash = addUnit(hash, text.charCodeAt(index));
  return finishHash(hash);
}

function addTokens(hashes: Set<number>, tokens: Iterable<string>): void {
  for (const token of tokens) {
    if (!addPlainToken(hashes, token)) addHardToken(hashes, token);
  }
}

/** Adds the hashes of a token's parts; answers false where a character needs more than a look. */
function addPlainToken(hashes: Set<number>, token: string): boolean {
  let hash = hashStart;
  let length = 0;
  for (let index = 0; index < token.length; index++) {
    const unit = token.charCodeAt(index);
    let kind = kinds[unit] as number;
    if (kind === unknown) {
      kind = findKind(unit);
      kinds[unit] = kind;
    }
    if (kind === inWord) {
      hash = addUnit(hash, unit);
      length += 1;
      continue;
    }
    if (kind === hard) return false;
    if (length > 0) hashes.add(finishHash(hash));
    if (kind === alone) hashes.add(finishHash(addUnit(hashStart, unit)));
    hash = hashStart;
    length = 0;
  }
  if (length > 0) hashes.add(finishHash(hash));
  return true;
}

function addHardToken(hashes: Set<number>, token: string): void {
  for (const [unit] of token.normalize("NFC").matchAll(unitPattern)) hashes.add(hashUnit(unit));
}

/**
 * Distinct int4 in ascending order. Takes words in lower case, as `MeasuredText` gives them, or the terms of a search; and labels as
 * `labelsOf` gives them, which count as they are.
 */
export function hashWords(words: Iterable<string>, labels: Iterable<string> = []): number[] {
  const hashes = new Set<number>();
  addTokens(hashes, words);
  for (const label of labels) hashes.add(hashUnit(label));
  return Array.from(Int32Array.from(hashes).sort());
}

/** What else a batch is found by, in a form that no word has. */
export function labelsOf(row: {
  readonly tags?: readonly string[] | undefined;
  readonly provider?: string | null | undefined;
}): string[] {
  const labels = (row.tags ?? []).map((tag) => `tag ${tag}`);
  return row.provider ? [...labels, `provider ${row.provider}`] : labels;
}

/** In the form in which texts and terms are compared. */
const fold = (lower: string) => lower.normalize("NFC").replaceAll("’", "'");

/** The words of a search in lower case, each once: all of them are meant. `gpt-4o` is one word, and so is a row of Han. */
export function findTerms(query: string): string[] {
  const terms = new Set<string>();
  for (const [term] of fold(query.toLowerCase()).matchAll(termPattern)) {
    terms.add(term);
    if (terms.size === termsMax) break;
  }
  return [...terms];
}

/**
 * Whether all terms of `findTerms` stand in a text, or each in one of several: as whole words, case-insensitive; a run of a script
 * without spaces anywhere.
 */
export function holdsTerms(text: string | readonly string[], terms: readonly string[]): boolean {
  const texts = (typeof text === "string" ? [text] : text).map(searchText);
  return terms.every((term) => texts.some((holds) => holds(term)));
}

/** Decides by the characters, then by the hashes: where they differ, nothing is held that would not be found. */
function searchText(text: string): (term: string) => boolean {
  const measured = new MeasuredText(text);
  const folded = fold(measured.lower);
  let hashes: Set<number> | undefined;
  return (term) => {
    if (!standsIn(folded, term)) return false;
    hashes ??= new Set(hashWords(measured.words));
    return hashWords([term]).every((hash) => hashes?.has(hash));
  };
}

function standsIn(folded: string, term: string): boolean {
  if (isUnspaced.test(term)) return folded.includes(term);
  for (let from = folded.indexOf(term); from >= 0; from = folded.indexOf(term, from + 1)) {
    if (!endsInWord(folded, from) && !beginsInWord(folded, from + term.length)) return true;
  }
  return false;
}

function endsInWord(text: string, end: number): boolean {
  const isPair = end > 1 && /[\ud800-\udbff][\udc00-\udfff]/.test(text.slice(end - 2, end));
  return end > 0 && isSpaced.test(text.slice(end - (isPair ? 2 : 1), end));
}

function beginsInWord(text: string, from: number): boolean {
  const code = text.codePointAt(from);
  return code !== undefined && isSpaced.test(String.fromCodePoint(code));
}
