import type { TextMetric } from "./metric.ts";

/** Words that come after each other, with some others between them: what is wished, of which, and what it is about. */
interface Form {
  readonly wish: ReadonlySet<string>;
  readonly which: ReadonlySet<string>;
  readonly what: ReadonlySet<string>;
  /** How far the second may be from the first, and the third from the second. */
  readonly apart: readonly [number, number];
}

const setOf = (words: string) => new Set(words.split(" "));

const forms: readonly Form[] = [
  {
    wish: setOf("ignore disregard forget override bypass"),
    which: setOf("previous prior above earlier preceding all any your system"),
    what: setOf("instruction instructions prompt prompts rules directions guidelines messages"),
    apart: [6, 4],
  },
  {
    wish: setOf("reveal print show repeat output leak tell give"),
    which: setOf("system initial hidden your developer"),
    what: setOf("prompt instructions"),
    apart: [5, 1],
  },
  {
    wish: setOf("pretend act imagine"),
    which: setOf("no without free"),
    what: setOf("restrictions rules filters guidelines limits"),
    apart: [8, 3],
  },
];

/** By how they begin: most texts have none of the beginnings, and are done with it. */
const phrases: Readonly<Record<string, readonly string[]>> = {
  "do anything now": ["do anything now"],
  "you are now ": ["you are now dan", "you are now unrestricted", "you are now jailbroken"],
  "developer mode enabled": ["developer mode enabled"],
  "<|": ["<|im_start|>", "<|im_end|>", "<|system|>", "<|endoftext|>"],
  "[/inst]": ["[/inst]"],
  "<</sys>>": ["<</sys>>"],
};
const beginnings = Object.entries(phrases);

const hasPhrase = (lower: string): boolean =>
  beginnings.some(
    ([beginning, all]) => lower.includes(beginning) && all.some((phrase) => lower.includes(phrase)),
  );

/** For each word of a form, what it is in it: three bits a form. One look-up answers for all forms. */
const roles: ReadonlyMap<string, number> = (() => {
  const all = new Map<string, number>();
  for (const [index, { wish, which, what }] of forms.entries()) {
    for (const [bit, words] of [wish, which, what].entries()) {
      for (const word of words) all.set(word, (all.get(word) ?? 0) | (1 << (index * 3 + bit)));
    }
  }
  return all;
})();

/** One look at each word, however often a form begins. */
function hasForm(words: readonly string[]): boolean {
  const wished = forms.map(() => Number.NEGATIVE_INFINITY);
  const named = forms.map(() => Number.NEGATIVE_INFINITY);
  for (let index = 0; index < words.length; index++) {
    const role = roles.get(words[index] as string);
    if (role === undefined) continue;
    for (const [form, { apart }] of forms.entries()) {
      const bits = (role >> (form * 3)) & 7;
      if (bits & 4 && index - (named[form] as number) <= apart[1]) return true;
      if (bits & 2 && index - (wished[form] as number) <= apart[0]) named[form] = index;
      if (bits & 1) wished[form] = index;
    }
  }
  return false;
}

export const promptInjection: TextMetric = {
  name: "prompt-injection",
  of: "text",
  numbers: { input: 23, output: 24 },
  unit: "flag",
  meaning:
    "Whether it has a form in which prompts are taken over, such as a wish to ignore earlier instructions. English; a hint, not a guard.",
  version: 1,
  measure: ({ words, lower }) => (hasForm(words) || hasPhrase(lower) ? 1 : 0),
};
