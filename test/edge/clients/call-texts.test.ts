import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cleanText, cutText, describeData, describeUrl } from "../../../edge/clients/call-texts.ts";

const base64 = (sizeBytes: number) =>
  Buffer.from(Array.from({ length: sizeBytes }, (_, index) => (index * 89 + 7) % 256)).toString("base64");

describe("a cut text", () => {
  test("is as it was where it is short enough, and never longer than allowed", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 400 }), fc.integer({ min: 1, max: 300 }), (text, max) => {
        const cut = cutText(text, max);
        expect(cut.length).toBeLessThanOrEqual(max);
        if (text.length <= max) expect(cut).toBe(text);
      }),
    );
  });

  test("keeps its beginning and its end, and says how much is missing", () => {
    const cut = cutText(`begin${"-".repeat(1_000)}end`, 100);
    expect(cut).toMatch(/^begin-+ … \[\d+ characters left out\] -+end$/);
    const missing = Number(/\d+/.exec(cut)?.[0]);
    expect(cut.replace(/ … .*\] /, "").length + missing).toBe(1_008);
  });
});

describe("a cleaned text", () => {
  test.each([
    [`see data:image/png;base64,${base64(12_000)}.`, "see [image, 12 kB]."],
    [`see data:audio/wav;rate=8000;base64,${base64(900)} end`, "see [audio, 900 B] end"],
    [`see data:application/pdf;base64,${base64(2_500_000)} end`, "see [file, 2.5 MB] end"],
    [`{"image":"${base64(3_000)}"}`, '{"image":"[data, 3 kB]"}'],
    ["data:text/plain,hello", "data:text/plain,hello"],
    ["a".repeat(2_000), "a".repeat(2_000)],
    ["0123456789abcdef".repeat(100), "0123456789abcdef".repeat(100)],
    ["sk-proj-abcdefghij0123456789ABCDEF", "[key]"],
    ["write to ada@example.com or +1 415 555 2671", "write to ada@example.com or +1 415 555 2671"],
  ])("%#", (text, cleaned) => {
    expect(cleanText(text, [])).toBe(cleaned);
  });

  test("is made in linear time from texts that try to take long", () => {
    for (const part of [
      "data:image/",
      "data:a/b;c=d;",
      "data:image/png;base64,",
      `${"Aa1".repeat(150)} `,
      "A-/",
    ]) {
      const text = part.repeat(Math.ceil(400_000 / part.length));
      expect(cleanText(text, ["a secret"]).length).toBeLessThanOrEqual(text.length);
    }
  });
});

test.each([
  [describeUrl("image", "https://u:p@cdn.example/a.png?sig=1#x"), "[image https://cdn.example/a.png]"],
  [describeUrl("image", "DATA:image/png;base64,AAAA"), "[image, 3 B]"],
  [describeData("image", undefined), "[image]"],
  [describeData("image", "AAAA… [4000000 characters left out]"), "[image, 3.0 MB]"],
])("%s", (described, expected) => {
  expect(described).toBe(expected);
});
