import fc from "fast-check";
import { expect, test } from "vitest";
import { countDifferentRowsOfFour } from "../../../../shared/interactions/metrics/different-rows.ts";
import { MeasuredText } from "../../../../shared/interactions/metrics/text.ts";

const ascii = fc.oneof(
  fc.string({ unit: "binary-ascii", maxLength: 200 }),
  fc
    .array(fc.constantFrom("a", "Z9", "'", "-", "_", " ", ".", "don't"), { maxLength: 60 })
    .map((parts) => parts.join("")),
);

test("words of ASCII are those of any other script", () => {
  fc.assert(
    fc.property(ascii, (text) => {
      // The pattern for all scripts is taken where one letter is none of ASCII.
      const [first, ...rest] = new MeasuredText(`é ${text}`).words;
      expect(first).toBe("é");
      expect(new MeasuredText(text).words).toEqual(rest);
    }),
    { numRuns: 500 },
  );
});

test("the row of numbers spells the words", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("a", "b", "é", " ", "-"), maxLength: 200 }), (text) => {
      const { words, wordRow, wordNumbers } = new MeasuredText(text);
      const spelled = [...wordNumbers.keys()];
      expect([...wordRow].map((number) => spelled[number])).toEqual(words);
      expect(spelled).toHaveLength(new Set(words).size);
    }),
  );
});

test("rows of four are counted as a set would", () => {
  const numbers = fc.oneof(
    fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 300 }),
    fc.array(fc.integer({ min: 0, max: 50_000 }), { maxLength: 300 }),
  );
  fc.assert(
    fc.property(numbers, (all) => {
      const rows = all.slice(3).map((_, start) => all.slice(start, start + 4).join(" "));
      expect(countDifferentRowsOfFour(Int32Array.from(all))).toBe(new Set(rows).size);
    }),
    { numRuns: 300 },
  );
});
