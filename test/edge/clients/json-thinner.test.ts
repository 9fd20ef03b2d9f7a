import fc from "fast-check";
import { expect, test } from "vitest";
import { JsonThinner, type ThinnerLimits } from "../../../edge/clients/json-thinner.ts";

const roomy: ThinnerLimits = { stringsMax: 1e9, stringMin: 1e9, charactersMax: 1e9 };

/** The text in pieces that end at `cuts`. */
function thin(text: string, cuts: readonly number[], limits: ThinnerLimits): string | undefined {
  const thinner = new JsonThinner(limits);
  let from = 0;
  for (const to of [...new Set(cuts.map((cut) => cut % (text.length + 1)))].toSorted((a, b) => a - b)) {
    thinner.push(text.slice(from, to));
    from = to;
  }
  thinner.push(text.slice(from));
  return thinner.take();
}

/** JSON with escapes of every kind. */
const json = fc
  .jsonValue()
  .map((value) => JSON.stringify(value))
  .map((text) =>
    text.replaceAll(/[é-￿]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`),
  );
const cuts = fc.array(fc.nat(2_000), { maxLength: 20 });

test("what is short comes out as it came, however it is cut", () => {
  fc.assert(fc.property(json, cuts, (text, at) => void expect(thin(text, at, roomy)).toBe(text)));
});

test("what is long comes out as JSON of the same shape, its strings beginning as they did", () => {
  const strings = fc.array(fc.string({ unit: "binary", maxLength: 300 }), { maxLength: 20 });
  fc.assert(
    fc.property(strings, cuts, (texts, at) => {
      const limits = { stringsMax: 100, stringMin: 10, charactersMax: 1e9 };
      const thinned = JSON.parse(thin(JSON.stringify({ texts }), at, limits) ?? "") as { texts: string[] };
      expect(thinned.texts).toHaveLength(texts.length);
      thinned.texts.forEach((text, index) => {
        const kept = text.replace(/… \[\d+ characters left out\]$/, "");
        expect(texts[index]?.startsWith(kept) || kept === texts[index]).toBe(true);
        if (kept === text) expect(text).toBe(texts[index]);
      });
      const keptLength = thinned.texts.join("").length;
      expect(keptLength).toBeLessThanOrEqual(100 + texts.length * (10 + 40));
    }),
  );
});

test("a cut string says how much is missing", () => {
  const limits = { stringsMax: 5, stringMin: 2, charactersMax: 1e9 };
  const text = thin(JSON.stringify(["abcdefgh", "xyz"]), [4, 9], limits);
  expect(JSON.parse(text ?? "")).toEqual(["abcde… [3 characters left out]", "xy… [1 characters left out]"]);
});

test("structure without end is given up, and what comes next is read again", () => {
  const thinner = new JsonThinner({ stringsMax: 10, stringMin: 10, charactersMax: 1_000 });
  for (let index = 0; index < 1_000; index++) thinner.push("[1,2,3],");
  expect(thinner.take()).toBeUndefined();
  thinner.push('{"a":"b"}');
  expect(thinner.take()).toBe('{"a":"b"}');
});
