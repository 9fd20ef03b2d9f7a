/**
 * E-mail addresses, phone numbers, card numbers and keys in a text: what is counted as personal data, and what is left out when a
 * text is redacted. By their form alone: what merely looks like one is taken for one, names and addresses of houses are not found.
 * Every pattern runs in linear time: each part has a limit and none can begin within another.
 */
export type PersonalDataKind = "email" | "phone" | "card" | "key";

export interface PersonalData {
  readonly kind: PersonalDataKind;
  /** UTF-16 units from the beginning. */
  readonly from: number;
  readonly to: number;
}

interface Finder {
  readonly kind: PersonalDataKind;
  readonly pattern: RegExp;
  readonly isMeant?: (text: string) => boolean;
  /** Without them in the whole text nothing can be found: most texts are done with it. */
  readonly digitsMin: number;
  /** Letters, digits, hyphens and underscores in a row. */
  readonly rowMin?: number;
  /** With it the others are not asked for. */
  readonly sign?: string;
}

const keyBlock = "-----BEGIN ";

/** In the order of who is believed where two overlap. */
const finders: readonly Finder[] = [
  {
    kind: "key",
    // Prefixes that issuers give so that leaks are found, PEM blocks, JSON Web Tokens.
    pattern:
      /(?<![\w-])(?:c?sk|gsk|xai|pk|rk|sb|whsec|xox[abprs]|gh[pousr]|glpat|hf|AKIA|AIza)[-_]?[A-Za-z0-9_-]{16,200}|(?<![\w-])eyJ[\w-]{10,2000}\.eyJ[\w-]{10,4000}\.[\w-]{10,1000}|-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----(?:(?:[^-]|-(?!----)){0,10000}-----END [A-Z ]{0,40}PRIVATE KEY-----)?/g,
    isMeant: (text) => /[0-9]/.test(text) || text.startsWith(keyBlock),
    digitsMin: 1,
    // The first part of a JSON Web Token; the others are longer.
    rowMin: 13,
    sign: keyBlock,
  },
  {
    kind: "email",
    // RFC 5321 allows 64 octets before the sign; labels of a domain have 63 (RFC 1035).
    pattern: /(?<![\w.+-])[\w.+-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,8}/gi,
    digitsMin: Number.POSITIVE_INFINITY,
    sign: "@",
  },
  {
    kind: "card",
    pattern: /(?<![\d.])(?:\d[ -]?){12,18}\d(?![\d.]*\d)/g,
    isMeant: (text) => isCardNumber(text.replace(/\D/g, "")),
    digitsMin: 13,
  },
  {
    kind: "phone",
    // International with its plus, or in the groups in which people write one; a bare row of digits is no phone number.
    pattern:
      /(?<![\w.+-])(?:\+\d{1,3}[ .-]?)?(?:\(\d{1,4}\)[ .-]?)?\d{2,4}(?:[ .-]\d{2,4}){1,4}(?![\w-]|\.\d)|(?<![\w+])\+\d{8,15}(?!\d)/g,
    isMeant: (text) => isPhoneNumber(text),
    digitsMin: 8,
  },
];

/** The check digit of ISO/IEC 7812 (Luhn), and a length that issuers give. */
function isCardNumber(digits: string): boolean {
  if (digits.length < 13 || digits.length > 19 || /^(\d)\1*$/.test(digits)) return false;
  let sum = 0;
  for (let index = 0; index < digits.length; index++) {
    const digit = Number(digits[digits.length - 1 - index]);
    const doubled = index % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

/** E.164 has 15 digits at most; dates and versions are written in groups too. */
function isPhoneNumber(text: string): boolean {
  const digits = text.replace(/\D/g, "");
  if (digits.length < 8 || digits.length > 15) return false;
  const isDate = /^(?:\d{4}[ .-]\d{2}[ .-]\d{2}|\d{2}[ .-]\d{2}[ .-]\d{4})$/.test(text);
  return !isDate;
}

export const personalDataKinds: readonly PersonalDataKind[] = ["key", "email", "card", "phone"];

const isRowUnit = Uint8Array.from({ length: 128 }, (_, unit) =>
  /[\w-]/.test(String.fromCharCode(unit)) ? 1 : 0,
);

/** How many digits there are, and the longest row of letters, digits, hyphens and underscores. */
function surveyText(text: string): { digits: number; longestRow: number } {
  let [digits, row, longestRow] = [0, 0, 0];
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (isRowUnit[unit] !== 1) row = 0;
    else {
      row += 1;
      if (row > longestRow) longestRow = row;
      if (unit >= 0x30 && unit <= 0x39) digits += 1;
    }
  }
  return { digits, longestRow };
}

/** Both in the order of the text; of `found` only what `known` leaves room for. */
function mergeFound(known: readonly PersonalData[], found: readonly PersonalData[]): PersonalData[] {
  const merged: PersonalData[] = [];
  let at = 0;
  for (const one of found) {
    for (let next = known[at]; next && next.to <= one.from; next = known[++at]) merged.push(next);
    const next = known[at];
    if (!next || next.from >= one.to) merged.push(one);
  }
  return [...merged, ...known.slice(at)];
}

/** In the order of the text; they do not overlap. */
export function findPersonalData(text: string, kinds = personalDataKinds): PersonalData[] {
  const { digits, longestRow } = surveyText(text);
  let all: PersonalData[] = [];
  for (const { kind, pattern, isMeant, digitsMin, rowMin = 0, sign } of finders) {
    if (!kinds.includes(kind)) continue;
    const mayBeFound = digits >= digitsMin && longestRow >= rowMin;
    if (!mayBeFound && !(sign !== undefined && text.includes(sign))) continue;
    const found: PersonalData[] = [];
    for (const match of text.matchAll(pattern)) {
      if (isMeant && !isMeant(match[0])) continue;
      found.push({ kind, from: match.index, to: match.index + match[0].length });
    }
    if (found.length > 0) all = mergeFound(all, found);
  }
  return all;
}

/** With `[email]`, `[phone]`, `[card]` and `[key]` in place of what was found. */
export function redactText(text: string, kinds = personalDataKinds): string {
  let redacted = "";
  let end = 0;
  for (const { kind, from, to } of findPersonalData(text, kinds)) {
    redacted += `${text.slice(end, from)}[${kind}]`;
    end = to;
  }
  return redacted + text.slice(end);
}
