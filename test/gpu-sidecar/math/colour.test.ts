import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  fitIntoSrgb,
  labFromHex,
  labFromSrgb,
  srgbFromHex,
  srgbFromLab,
} from "../../../gpu-sidecar/math/colour.ts";

const channel = fc.double({ min: 0, max: 1, noNaN: true });

describe("sRGB and CIELAB", () => {
  // Reference numbers: brucelindbloom.com, sRGB with D65.
  test.each([
    ["#ffffff", [100, 0, 0]],
    ["#000000", [0, 0, 0]],
    ["#ff0000", [53.24, 80.09, 67.2]],
    ["#00ff00", [87.73, -86.18, 83.18]],
    ["#0000ff", [32.3, 79.19, -107.86]],
    ["#808080", [53.59, 0, 0]],
    ["#ffa500", [74.94, 23.93, 78.95]],
  ])("%s is %o", (hex, expected) => {
    labFromHex(hex).forEach((value, index) => {
      expect(Math.abs(value - (expected[index] ?? Number.NaN))).toBeLessThan(0.02);
    });
  });

  test("go there and back", () => {
    fc.assert(
      fc.property(channel, channel, channel, (red, green, blue) => {
        const back = srgbFromLab(labFromSrgb([red, green, blue]));
        [red, green, blue].forEach((value, index) => {
          expect(Math.abs(value - (back[index] ?? Number.NaN))).toBeLessThan(1e-4);
        });
      }),
    );
  });

  test("what sRGB cannot show keeps its lightness and hue and loses chroma only", () => {
    const lab = fc.tuple(
      fc.double({ min: 0, max: 100, noNaN: true }),
      fc.double({ min: -150, max: 150, noNaN: true }),
      fc.double({ min: -150, max: 150, noNaN: true }),
    );
    fc.assert(
      fc.property(lab, (wanted) => {
        const fitted = fitIntoSrgb(wanted);
        expect(fitted[0]).toBe(wanted[0]);
        expect(fitted[1] * wanted[2]).toBeCloseTo(fitted[2] * wanted[1], 6);
        expect(Math.hypot(fitted[1], fitted[2])).toBeLessThanOrEqual(Math.hypot(wanted[1], wanted[2]) + 1e-9);
        for (const value of srgbFromLab(fitted)) {
          expect(value).toBeGreaterThan(-0.001);
          expect(value).toBeLessThan(1.001);
        }
      }),
    );
  });

  test.each(["red", "#12345", "#12345g", "123456", "#1234567"])("%s is no colour", (text) => {
    expect(() => srgbFromHex(text)).toThrow("is not a colour");
  });
});
