/**
 * Colours between sRGB (IEC 61966-2-1) and CIELAB (CIE 15, white D65, 2 degrees).
 * sRGB is 0 to 1 a channel; L is 0 to 100, a and b about -128 to 128.
 */
export type Triple = readonly [number, number, number];

/** Linear sRGB to XYZ, each row divided by the white point, so that white is (1, 1, 1). */
export const xyzFromLinear: readonly Triple[] = [
  [0.4124564 / 0.95047, 0.3575761 / 0.95047, 0.1804375 / 0.95047],
  [0.2126729, 0.7151522, 0.072175],
  [0.0193339 / 1.08883, 0.119192 / 1.08883, 0.9503041 / 1.08883],
];

const linearFromXyz: readonly Triple[] = [
  [3.2404542 * 0.95047, -1.5371385, -0.4985314 * 1.08883],
  [-0.969266 * 0.95047, 1.8760108, 0.041556 * 1.08883],
  [0.0556434 * 0.95047, -0.2040259, 1.0572252 * 1.08883],
];

/** Where the cube root of CIELAB becomes a straight line: (6/29)^3, and the line itself. */
export const labKnee = { limit: (6 / 29) ** 3, slope: (29 / 6) ** 2 / 3, offset: 4 / 29 } as const;

export function linearFromSrgb(value: number): number {
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}

export function srgbFromLinear(value: number): number {
  return value <= 0.0031308 ? value * 12.92 : 1.055 * value ** (1 / 2.4) - 0.055;
}

export function labFromSrgb(srgb: Triple): Triple {
  const linear: Triple = [linearFromSrgb(srgb[0]), linearFromSrgb(srgb[1]), linearFromSrgb(srgb[2])];
  const [x, y, z] = multiply(xyzFromLinear, linear).map(bend) as unknown as Triple;
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

/** May leave 0 to 1 where the colour cannot be shown in sRGB: see `fitIntoSrgb`. */
export function srgbFromLab(lab: Triple): Triple {
  const y = (lab[0] + 16) / 116;
  const xyz: Triple = [straighten(y + lab[1] / 500), straighten(y), straighten(y - lab[2] / 200)];
  const linear = multiply(linearFromXyz, xyz);
  return [srgbFromLinear(linear[0]), srgbFromLinear(linear[1]), srgbFromLinear(linear[2])];
}

/** The nearest colour of the same lightness and hue that sRGB can show, found by taking chroma away. */
export function fitIntoSrgb(lab: Triple): Triple {
  const lightness = Math.min(100, Math.max(0, lab[0]));
  let [low, high] = [0, 1];
  if (isShowable([lightness, lab[1], lab[2]])) return [lightness, lab[1], lab[2]];
  for (let step = 0; step < 20; step++) {
    const middle = (low + high) / 2;
    if (isShowable([lightness, lab[1] * middle, lab[2] * middle])) low = middle;
    else high = middle;
  }
  return [lightness, lab[1] * low, lab[2] * low];
}

/** `#rrggbb` as sRGB. */
export function srgbFromHex(hex: string): Triple {
  const value = Number.parseInt(hex.slice(1), 16);
  if (!/^#[0-9a-f]{6}$/i.test(hex)) throw new Error(`"${hex}" is not a colour such as #1a2b3c`);
  return [(value >> 16) / 255, ((value >> 8) & 255) / 255, (value & 255) / 255];
}

export function labFromHex(hex: string): Triple {
  return labFromSrgb(srgbFromHex(hex));
}

function isShowable(lab: Triple): boolean {
  return srgbFromLab(lab).every((value) => value >= -1e-4 && value <= 1 + 1e-4);
}

function bend(value: number): number {
  return value > labKnee.limit ? Math.cbrt(value) : labKnee.slope * value + labKnee.offset;
}

function straighten(value: number): number {
  return value > 6 / 29 ? value ** 3 : (value - labKnee.offset) / labKnee.slope;
}

function multiply(matrix: readonly Triple[], vector: Triple): Triple {
  return matrix.map(
    (row) => row[0] * vector[0] + row[1] * vector[1] + row[2] * vector[2],
  ) as unknown as Triple;
}
