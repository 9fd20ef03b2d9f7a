import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { modelTokens } from "../../../../shared/interactions/metrics/model-tokens.ts";
import { MeasuredText } from "../../../../shared/interactions/metrics/text.ts";

/** Counted by gpt-tokenizer 4.0.0 with o200k_base. None of the texts was among those from which the estimate was made. */
const counted: readonly { what: string; text: string; tokens: number }[] = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../../fixtures/o200k-tokens.json"), "utf8"),
);
const estimate = (text: string): number => modelTokens.measure(new MeasuredText(text)) ?? Number.NaN;

test.each(counted)("$what is estimated within 15 % of its tokens", ({ text, tokens }) => {
  expect(Math.abs(estimate(text) / tokens - 1)).toBeLessThan(0.15);
});

test("over many texts the errors level out to less than 3 %", () => {
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const share = sum(counted.map(({ text }) => estimate(text))) / sum(counted.map(({ tokens }) => tokens));
  expect(Math.abs(share - 1)).toBeLessThan(0.03);
});

test("what was told is believed", () => {
  expect(modelTokens.measure(new MeasuredText("Hello.", 1234))).toBe(1234);
  expect(modelTokens.measure(new MeasuredText("Hello.", 0))).toBe(0);
});

test("a text has one token at least, and not many more than it has bytes", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", minLength: 1, maxLength: 300 }), (text) => {
      const tokens = estimate(text);
      expect(Number.isInteger(tokens)).toBe(true);
      expect(tokens).toBeGreaterThanOrEqual(1);
      expect(tokens).toBeLessThanOrEqual(2 * new TextEncoder().encode(text).length + 1);
    }),
  );
});
