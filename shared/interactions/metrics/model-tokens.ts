import type { TextMetric } from "./metric.ts";
import type { MeasuredText } from "./text.ts";

/**
 * What the parts of a text cost in tokens of o200k_base, by least squares of the relative error over 16,000 texts of 200 to 800
 * characters: English prose and documentation, TypeScript, SQL, JSON, and the messages of free programs in 65 languages. On average
 * it is off by 4 % for English prose, 6 to 8 % for documentation and code, 4 to 13 % for a text of another language; over many texts
 * that levels out to about 1 %. The tokenizer itself would be 20 MB in memory, 7 MB to deploy, forty times as slow, and
 * quadratic in runs without a space; and right for one family of models only.
 */
const costs = { word: 0.79, lateLetter: 0.2, digitGroup: 1.61, markRun: 0.67, mark: 0.13, spaceRun: 0.76 };

/** For each letter, by language. */
const letterCosts: Readonly<Record<string, number>> = {
  af: 0.14,
  am: 0.45,
  ar: 0.2,
  az: 0.23,
  be: 0.24,
  bg: 0.2,
  bn: 0.25,
  ca: 0.12,
  cs: 0.2,
  cy: 0.2,
  da: 0.14,
  de: 0.09,
  el: 0.24,
  en: 0.05,
  es: 0.08,
  et: 0.18,
  eu: 0.19,
  fa: 0.18,
  fi: 0.19,
  fr: 0.07,
  ga: 0.21,
  gl: 0.1,
  gu: 0.28,
  he: 0.25,
  hi: 0.19,
  hr: 0.18,
  hu: 0.22,
  hy: 0.23,
  id: 0.12,
  is: 0.21,
  it: 0.11,
  ja: 0.44,
  ka: 0.22,
  km: 0.34,
  kn: 0.29,
  ko: 0.36,
  ku: 0.25,
  lo: 0.34,
  lt: 0.24,
  lv: 0.25,
  mk: 0.23,
  ml: 0.24,
  mr: 0.27,
  my: 0.43,
  ne: 0.24,
  nl: 0.1,
  no: 0.14,
  or: 0.98,
  pa: 0.45,
  pl: 0.19,
  pt: 0.08,
  ro: 0.16,
  ru: 0.12,
  si: 0.44,
  sk: 0.23,
  sl: 0.19,
  sq: 0.2,
  sr: 0.26,
  sv: 0.14,
  sw: 0.14,
  ta: 0.23,
  te: 0.34,
  th: 0.24,
  tl: 0.13,
  tr: 0.17,
  uk: 0.2,
  ur: 0.2,
  vi: 0.12,
  zh: 0.4,
};
/** Where the language is not known: a letter, and one that is not of ASCII. */
const [unknownLetter, unknownForeignLetter] = [0.1, 0.24];
/** Words are often one token up to here. */
const earlyLetters = 8;

const [letter, capital, digit, space, newline, mark, second] = [0, 1, 2, 3, 4, 5, 6];

const kindsOfAscii = Uint8Array.from({ length: 128 }, (_, unit) => {
  const text = String.fromCharCode(unit);
  if (/[a-z]/.test(text)) return letter;
  if (/[A-Z]/.test(text)) return capital;
  if (/[0-9]/.test(text)) return digit;
  if (/[\r\n]/.test(text)) return newline;
  return /\s/.test(text) ? space : mark;
});

/** The blocks of punctuation, symbols and emoji; everything else beyond ASCII is taken for letters. */
function findKind(unit: number): number {
  if (unit < 0x80) return kindsOfAscii[unit] ?? mark;
  if (unit < 0xc0) return unit === 0xa0 ? space : mark;
  if (unit < 0x2000) return letter;
  if (unit <= 0x2bff) return unit <= 0x200a || unit === 0x2028 || unit === 0x2029 ? space : mark;
  if (unit >= 0x3000 && unit <= 0x3004) return unit === 0x3000 ? space : mark;
  if ((unit >= 0x3008 && unit <= 0x303f) || (unit >= 0xff00 && unit <= 0xff0f)) return mark;
  if (unit === 0xff1a || unit === 0xff1b || unit === 0xff1f) return mark;
  if (unit >= 0xdc00 && unit <= 0xdfff) return second;
  return unit === 0xd83c || unit === 0xd83d || unit === 0xd83e ? mark : letter;
}

function estimateTokens({ text, isAscii, language }: MeasuredText): number {
  const known = language === undefined ? undefined : letterCosts[language];
  const [near, foreign] = [known ?? unknownLetter, known ?? unknownForeignLetter];
  let sum = 0;
  let before = -1;
  let run = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    const kind = isAscii ? (kindsOfAscii[unit] as number) : findKind(unit);
    if (kind === second) continue;
    if (kind <= capital) {
      const isBegun = before >= 0 && before <= capital && !(kind === capital && before === letter);
      run = isBegun ? run + 1 : 1;
      sum +=
        (unit < 0x80 ? near : foreign) +
        (isBegun ? 0 : costs.word) +
        (run > earlyLetters ? costs.lateLetter : 0);
    } else {
      run = kind === before ? run + 1 : 1;
      if (kind === digit) sum += run % 3 === 1 ? costs.digitGroup : 0;
      else if (kind === mark) sum += costs.mark + (run === 1 ? costs.markRun : 0);
      else if (kind === space && run === 2) sum += costs.spaceRun;
    }
    before = kind;
  }
  return text.length === 0 ? 0 : Math.max(1, Math.round(sum));
}

export const modelTokens: TextMetric = {
  name: "model-tokens",
  of: "text",
  numbers: { input: 29, output: 30 },
  unit: "tokens",
  meaning:
    "As the caller told them; otherwise an estimate of what OpenAI's o200k_base would make of the text, off by 5 to 10 % for a single text of prose or code, by more for what nobody writes (one letter a thousand times). What was told may hold more than the text: earlier turns, pictures, thoughts.",
  version: 1,
  measure: (text) => text.tokensTold ?? estimateTokens(text),
};
