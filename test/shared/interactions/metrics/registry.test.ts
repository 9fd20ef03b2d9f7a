import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  findMetricNumber,
  measureInteraction,
  metricEdition,
  metricNames,
  metrics,
  nameValues,
} from "../../../../shared/interactions/metrics/registry.ts";

/**
 * What each number has meant since a row was first measured with it. A metric that is measured otherwise takes other numbers and a
 * greater version: a line here is added, or its name moves to the new number and the old one is listed as left; none is changed.
 */
const meant: readonly (readonly [number: number, value: string])[] = [
  [1, "input.characters@1"],
  [2, "output.characters@1"],
  [3, "input.words@1"],
  [4, "output.words@1"],
  [5, "input.sentences@1"],
  [6, "output.sentences@1"],
  [7, "input.reading-ease@1"],
  [8, "output.reading-ease@1"],
  [9, "input.lexical-variety@1"],
  [10, "output.lexical-variety@1"],
  [11, "input.repetition@1"],
  [12, "output.repetition@1"],
  [13, "input.code-share@1"],
  [14, "output.code-share@1"],
  [15, "input.valid-json@1"],
  [16, "output.valid-json@1"],
  [17, "input.urls@1"],
  [18, "output.urls@1"],
  [19, "input.personal-data@1"],
  [20, "output.personal-data@1"],
  [21, "input.refusal@1"],
  [22, "output.refusal@1"],
  [23, "input.prompt-injection@1"],
  [24, "output.prompt-injection@1"],
  [25, "pair.word-overlap@1"],
  [26, "pair.latency@1"],
  [27, "pair.tokens-per-second@1"],
  [28, "pair.cost@1"],
  [29, "input.model-tokens@1"],
  [30, "output.model-tokens@1"],
  [31, "input.sentiment@1"],
  [32, "output.sentiment@1"],
  [33, "pair.language-match@1"],
];

const nothing = { inputTokens: null, outputTokens: null, latencyMs: null, costUsd: null };

describe("the registry", () => {
  test("has each name once, in kebab-case, with what it means", () => {
    const names = metrics.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, meaning, version } of metrics) {
      expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/);
      expect(meaning.length).toBeGreaterThan(10);
      expect(version).toBeGreaterThan(0);
    }
  });

  test("gives every value a number of its own that says the same for ever", () => {
    const numbers = metrics.flatMap((metric): [number, string][] => {
      const value = (element: string) => `${element}.${metric.name}@${metric.version}`;
      if (metric.of === "pair") return [[metric.number, value("pair")]];
      return [
        [metric.numbers.input, value("input")],
        [metric.numbers.output, value("output")],
      ];
    });
    expect(new Set(numbers.map(([number]) => number)).size).toBe(numbers.length);
    expect(numbers.toSorted(([one], [other]) => one - other)).toEqual(meant);
    expect(metricEdition).toBe(Math.max(...numbers.map(([number]) => number)));
    // A row keeps it as a smallint's index.
    for (const [number] of numbers)
      expect(Number.isInteger(number) && number > 0 && number < 32_768).toBe(true);
  });

  test("finds a number by the name of its value and back", () => {
    for (const [number, name] of metricNames) expect(findMetricNumber(name)).toBe(number);
    expect(findMetricNumber("output.characters")).toBe(2);
    expect(findMetricNumber("characters")).toBeUndefined();
    expect(findMetricNumber("pair.characters")).toBeUndefined();
    expect(findMetricNumber("constructor")).toBeUndefined();
  });
});

describe("a measured interaction", () => {
  const interaction = {
    input: "Where is my parcel? It should have been here by Monday.",
    output: "I am sorry about that. Your parcel is on its way and will be with you tomorrow.",
    ...nothing,
  };

  test("keeps each value at its number, and null where there is nothing to measure", () => {
    const { values } = measureInteraction({ ...interaction, latencyMs: 900 });
    expect(values).toHaveLength(metricEdition);
    expect(values[2 - 1]).toBe(interaction.output.length);
    expect(values[16 - 1]).toBeNull();
    expect(values[26 - 1]).toBe(900);
    expect(values[28 - 1]).toBeNull();
  });

  test("says in which languages it is, and gives its words", () => {
    const { inputLanguage, outputLanguage, words } = measureInteraction(interaction);
    expect([inputLanguage, outputLanguage]).toEqual(["en", "en"]);
    expect(words.input.slice(0, 4)).toEqual(["where", "is", "my", "parcel"]);
    expect(words.output.slice(0, 3)).toEqual(["i", "am", "sorry"]);
    expect(measureInteraction({ ...interaction, input: "42" }).inputLanguage).toBeNull();
  });

  test("that was measured at an edition is measured only for what came later", () => {
    const all = measureInteraction(interaction).values;
    fc.assert(
      fc.property(fc.integer({ min: 0, max: metricEdition }), (edition) => {
        const { values } = measureInteraction(interaction, edition);
        expect(values).toEqual(all.map((value, index) => (index + 1 > edition ? value : null)));
      }),
    );
  });

  test("is named for those who read it", () => {
    const { values } = measureInteraction(interaction);
    const named = nameValues(values);
    expect(named["output.words"]).toBe(17);
    expect(Object.keys(named)).toHaveLength(values.filter((value) => value !== null).length);
    // A row of an earlier edition is shorter, one of a later edition longer.
    expect(nameValues([3])).toEqual({ "input.characters": 3 });
    expect(nameValues([...values, 7])).toEqual(named);
    expect(nameValues([])).toEqual({});
  });

  test("takes tokens as they were told, and estimates those that were not", () => {
    const { values } = measureInteraction({ ...interaction, outputTokens: 0 });
    expect(values[30 - 1]).toBe(0);
    expect(values[29 - 1]).toBeGreaterThan(8);
    expect(values[29 - 1]).toBeLessThan(18);
    // What is only estimated makes no speed.
    expect(measureInteraction({ ...interaction, latencyMs: 1000 }).values[27 - 1]).toBeNull();
  });
});
