/**
 * Which language a text is written in, by its script where one language alone uses it, otherwise by the words that hold sentences
 * together, each counting the more the fewer languages have it, and by letters that few languages use. It says nothing rather than
 * guess: of a few words, of code, of names. Microseconds and no model to load, which an edge function would pay for at each start.
 */
import { functionWords } from "./function-words.ts";

/** UTF-16 units from the beginning that are looked at, and words. */
const lookedAt = 400;
const wordsMax = 60;
/** What the best language must have in votes, for each word, and before the second. */
const votesMin = 0.9;
const shareMin = 0.08;
const distanceMin = 0.3;
/** So far ahead after a block of words, none of the others can be meant, and the rest is not read. */
const distanceEnough = 3;
const blockWords = 16;
/** A letter is weaker evidence than a word: names and borrowed words bring theirs along. */
const letterWeight = 0.5;

/** What a word or a letter says for the languages that have it: their indexes and shares, which sum up to 1. */
interface Vote {
  readonly languages: number[];
  readonly shares: number[];
}

const languages = Object.keys(functionWords);

/** Written less often than their neighbours: a word that they share speaks for the neighbour. */
const seldom = new Set(["af", "ca", "cy", "eu", "ga", "gl", "sw", "tl"]);
const seldomWeight = 0.7;

/** Letters that only some of the languages use. */
const letters: Readonly<Record<string, string>> = {
  ß: "de",
  ä: "de fi et sv sk",
  ö: "de fi et sv hu tr az is",
  ü: "de et hu tr az",
  õ: "et pt vi",
  ñ: "es gl eu tl",
  "¿¡": "es",
  œêèùûîï: "fr",
  ë: "fr sq nl",
  à: "fr it ca pt vi",
  ç: "fr pt tr az ca sq",
  è: "fr it ca",
  ê: "fr pt vi cy",
  ã: "pt vi",
  òì: "it vi ca",
  "·": "ca",
  å: "sv da no",
  æø: "da no",
  æ: "is",
  ðþ: "is",
  łąęśźżćń: "pl",
  ą: "lt",
  ęėįųū: "lt",
  āēīģķļņ: "lv",
  řěů: "cs",
  ľĺŕ: "sk",
  ôď: "sk",
  žš: "cs sk sl hr lt lv",
  č: "cs sk sl hr lt lv",
  ćđ: "hr",
  ýí: "cs sk is",
  őű: "hu",
  ășțşţ: "ro",
  ğış: "tr az",
  ə: "az",
  ŵŷ: "cy",
  ơưạảấầẩẫậắằặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ: "vi",
  ыэ: "ru be",
  ё: "ru be",
  іїєґ: "uk",
  і: "be",
  ў: "be",
  ъ: "bg ru",
  щ: "bg ru uk",
  љњ: "sr mk",
  ј: "sr mk",
  ђћ: "sr",
  ѓќѕ: "mk",
  پچژگ: "fa ur",
  ی: "fa ur",
  ک: "fa ur",
  ٹڈڑےھں: "ur",
  ةىي: "ar",
  ڕۆێڵ: "ku",
};

function countShares(languagesByKey: ReadonlyMap<string, ReadonlySet<number>>): ReadonlyMap<string, Vote> {
  const votes = new Map<string, Vote>();
  for (const [key, known] of languagesByKey) {
    const weights = [...known].map((index) => (seldom.has(languages[index] ?? "") ? seldomWeight : 1));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    votes.set(key, { languages: [...known], shares: weights.map((weight) => weight / sum) });
  }
  return votes;
}

function listVotes(entries: Iterable<readonly [key: string, language: string]>): ReadonlyMap<string, Vote> {
  const languagesByKey = new Map<string, Set<number>>();
  for (const [key, language] of entries) {
    const known = languagesByKey.get(key) ?? new Set<number>();
    languagesByKey.set(key, known.add(languages.indexOf(language)));
  }
  return countShares(languagesByKey);
}

const wordVotes = listVotes(
  Object.entries(functionWords).flatMap(([language, words]) =>
    words.split(" ").map((word) => [word, language] as const),
  ),
);

const letterVotes = listVotes(
  Object.entries(letters).flatMap(([row, codes]) =>
    [...row].flatMap((letter) => codes.split(" ").map((language) => [letter, language] as const)),
  ),
);

/** Scripts by their first and last code point, in order; with a language where no other of our list is written in it. */
const scripts: readonly (readonly [from: number, to: number, language: string])[] = [
  [0x370, 0x3ff, "el"],
  [0x530, 0x58f, "hy"],
  [0x590, 0x5ff, "he"],
  [0x980, 0x9ff, "bn"],
  [0xa00, 0xa7f, "pa"],
  [0xa80, 0xaff, "gu"],
  [0xb00, 0xb7f, "or"],
  [0xb80, 0xbff, "ta"],
  [0xc00, 0xc7f, "te"],
  [0xc80, 0xcff, "kn"],
  [0xd00, 0xd7f, "ml"],
  [0xd80, 0xdff, "si"],
  [0xe00, 0xe7f, "th"],
  [0xe80, 0xeff, "lo"],
  [0x1000, 0x109f, "my"],
  [0x10a0, 0x10ff, "ka"],
  [0x1100, 0x11ff, "ko"],
  [0x1200, 0x139f, "am"],
  [0x1780, 0x17ff, "km"],
  [0x3040, 0x30ff, "ja"],
  [0x3400, 0x4dbf, "zh"],
  [0x4e00, 0x9fff, "zh"],
  [0xac00, 0xd7af, "ko"],
];

const findScriptLanguage = (unit: number): string | undefined =>
  scripts.find(([from, to]) => unit >= from && unit <= to)?.[2];

/** A sign of Han says as much as two or three letters. */
const hanWeight = 2.5;

/** The language of the script in which half of the letters are written; kana among Han make it Japanese. */
function findLanguageByScript(head: string): string | undefined {
  const counts = new Map<string, number>();
  let all = 0;
  for (let index = 0; index < head.length; index++) {
    const unit = head.charCodeAt(index);
    if (unit < 0x41 || (unit > 0x5a && unit < 0x61) || (unit > 0x7a && unit < 0xaa)) continue;
    const language = unit < 0x370 ? undefined : findScriptLanguage(unit);
    const weight = language === "zh" ? hanWeight : 1;
    all += weight;
    if (language !== undefined) counts.set(language, (counts.get(language) ?? 0) + weight);
  }
  const [kana, han] = [counts.get("ja") ?? 0, counts.get("zh") ?? 0];
  if (kana > 0 && kana * 20 > han) {
    counts.set("ja", kana + han);
    counts.delete("zh");
  }
  for (const [language, count] of counts) if (count >= 2 && count * 2 > all) return language;
  return undefined;
}

function addVote(votes: Float64Array, vote: Vote | undefined, weight: number): void {
  if (!vote) return;
  for (let at = 0; at < vote.languages.length; at++) {
    const language = vote.languages[at] as number;
    votes[language] = (votes[language] as number) + weight * (vote.shares[at] as number);
  }
}

function addLetterVotes(votes: Float64Array, head: string): void {
  for (let index = 0; index < head.length; index++) {
    if (head.charCodeAt(index) > 0x7f) addVote(votes, letterVotes.get(head[index] as string), letterWeight);
  }
}

interface Standing {
  readonly best: number;
  readonly second: number;
  readonly language: string | undefined;
}

function findStanding(votes: Float64Array): Standing {
  let [best, second, language] = [0, 0, -1];
  for (let index = 0; index < votes.length; index++) {
    const count = votes[index] as number;
    if (count > best) {
      second = best;
      best = count;
      language = index;
    } else if (count > second) second = count;
  }
  return { best, second, language: languages[language] };
}

interface ReadText {
  readonly lower: string;
  /** In lower case, in their order. */
  readonly words: readonly string[];
  readonly isAscii: boolean;
}

/** ISO 639-1, undefined where it is not clear. */
export function findLanguage({ lower, words, isAscii }: ReadText): string | undefined {
  const head = isAscii ? "" : lower.slice(0, lookedAt);
  const alone = findLanguageByScript(head);
  if (alone !== undefined) return alone;
  const votes = new Float64Array(languages.length);
  addLetterVotes(votes, head);
  const count = Math.min(words.length, wordsMax);
  let standing = findStanding(votes);
  for (let index = 0; index < count; ) {
    const blockEnd = Math.min(count, index + blockWords);
    for (; index < blockEnd; index++) addVote(votes, wordVotes.get(words[index] as string), 1);
    standing = findStanding(votes);
    if (standing.best >= standing.second + distanceEnough) return standing.language;
  }
  const { best, second, language } = standing;
  return best >= votesMin && best >= shareMin * count && best >= second + distanceMin ? language : undefined;
}
