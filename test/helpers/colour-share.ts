import type { TestPicture } from "./pictures.ts";

/** A colour that has a word; several may share one. */
export interface Focus {
  readonly word: string;
  readonly hex: string;
}

type Lab = readonly [number, number, number];

/**
 * The share of a picture's own pixels whose nearest colour in CIELAB (CIE76) has each word. Every pixel counts; the
 * formulas are those of Lindbloom (brucelindbloom.com), written here a second time on purpose.
 */
export function shareOfWords(picture: TestPicture, foci: readonly Focus[]): Map<string, number> {
  const points = foci.map(({ word, hex }) => ({ word, lab: labOf(...bytesOf(hex)) }));
  const shares = new Map<string, number>(foci.map(({ word }) => [word, 0]));
  const known = new Map<number, string>();
  const pixels = picture.rgb.length / 3;
  for (let at = 0; at < picture.rgb.length; at += 3) {
    const [red = 0, green = 0, blue = 0] = picture.rgb.subarray(at, at + 3);
    const key = (red << 16) | (green << 8) | blue;
    const word = known.get(key) ?? nearest(labOf(red, green, blue), points);
    known.set(key, word);
    shares.set(word, (shares.get(word) ?? 0) + 1 / pixels);
  }
  return shares;
}

function nearest(lab: Lab, points: readonly { word: string; lab: Lab }[]): string {
  let [word, least] = ["", Number.POSITIVE_INFINITY];
  for (const point of points) {
    const distance = Math.hypot(lab[0] - point.lab[0], lab[1] - point.lab[1], lab[2] - point.lab[2]);
    if (distance < least) [word, least] = [point.word, distance];
  }
  return word;
}

function bytesOf(hex: string): [number, number, number] {
  const value = Number.parseInt(hex.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

function labOf(red: number, green: number, blue: number): Lab {
  const [r, g, b] = [red, green, blue].map((byte) => {
    const value = byte / 255;
    return value > 0.04045 ? ((value + 0.055) / 1.055) ** 2.4 : value / 12.92;
  }) as [number, number, number];
  const [x, y, z] = [
    (0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047,
    0.2126729 * r + 0.7151522 * g + 0.072175 * b,
    (0.0193339 * r + 0.119192 * g + 0.9503041 * b) / 1.08883,
  ].map((value) => (value > 216 / 24389 ? Math.cbrt(value) : ((24389 / 27) * value + 16) / 116)) as [
    number,
    number,
    number,
  ];
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}
