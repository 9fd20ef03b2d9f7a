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

const phrases = [
  "do anything now",
  "you are now dan",
  "you are now unrestricted",
  "you are now jailbroken",
  "developer mode enabled",
  "<|im_start|>",
  "<|im_end|>",
  "<|system|>",
  "<|endoftext|>",
  "[/inst]",
  "<</sys>>",
];

/** One look at each word, however often a form begins. */
function hasForm(words: readonly string[], { wish, which, what, apart }: Form): boolean {
  let wished = Number.NEGATIVE_INFINITY;
  let named = Number.NEGATIVE_INFINITY;
  for (const [index, word] of words.entries()) {
    if (what.has(word) && index - named <= apart[1]) return true;
    if (which.has(word) && index - wished <= apart[0]) named = index;
    if (wish.has(word)) wished = index;
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
  measure: ({ words, lower }) =>
    phrases.some((phrase) => lower.includes(phrase)) || forms.some((form) => hasForm(words, form)) ? 1 : 0,
};
