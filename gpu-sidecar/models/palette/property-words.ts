import type { Meaning } from "./meaning.ts";

/** Words for light, colour, texture and lines. */
export const propertyWords: readonly (readonly [words: string, meaning: Meaning])[] = [
  // Brightness
  [
    "dark, darkness, dim, gloomy, shadow, shadowy, low key, unlit, murky, sombre, somber, black out",
    {
      brightness: -1,
      colours: "black 6, charcoal 2, midnight blue 1, dark brown 1, dark green 1",
      colourWeight: 0.5,
    },
  ],
  [
    "bright, brightness, light, sunny, sunlit, luminous, high key, radiant, airy",
    {
      brightness: 1,
      colours: "white 4, cream 1, pale yellow 1, pale blue 1, light grey 1",
      colourWeight: 0.3,
    },
  ],
  ["midtone, half dark", { brightness: -0.2, contrast: -0.3 }],
  // Contrast
  ["high contrast, contrast, contrasty, harsh, stark, strong contrast, crisp, bold", { contrast: 1 }],
  [
    "low contrast, flat, even, uniform, hazy, washed out, bland, featureless",
    { contrast: -1, texture: -0.3 },
  ],
  ["plain, blank, empty, solid, monotone", { contrast: -1, texture: -1, variety: -0.6 }],
  // Warmth
  [
    "warm, warmth, cosy, cozy, hot, toasty",
    { warmth: 1, colours: "orange 2, amber 2, red 1, brown 1", colourWeight: 0.35 },
  ],
  [
    "cold, cool, chilly, wintry, frigid, chill",
    { warmth: -1, colours: "blue 2, ice blue 2, sky blue 2, slate 1", colourWeight: 0.35 },
  ],
  // Saturation and the number of colours
  ["vivid, saturated, vibrant, intense, rich, punchy, loud, flashy", { saturation: 1 }],
  [
    "colourful, colorful, multicoloured, multicolored, rainbow, motley, kaleidoscope, kaleidoscopic",
    {
      saturation: 0.6,
      variety: 1,
      colours: "red 1, orange 1, yellow 1, green 1, blue 1, purple 1, pink 1",
      colourWeight: 0.7,
    },
  ],
  ["muted, dull, faded, desaturated, drab, subdued, understated, washed", { saturation: -0.8 }],
  [
    "pastel, pale, faint, delicate",
    {
      brightness: 0.8,
      saturation: -0.25,
      contrast: -0.5,
      colours: "pale pink 1, pale blue 1, mint 1, lavender 1, pale yellow 1, peach 1",
      colourWeight: 0.6,
    },
  ],
  [
    "neon, fluorescent",
    { saturation: 1, colours: "hot pink 2, cyan 2, lime 2, magenta 2, black 1", colourWeight: 0.7 },
  ],
  [
    "black and white, black white, white and black, monochrome, greyscale, grayscale, bw, b and w, colourless, colorless, achromatic",
    { saturation: -1, variety: -0.8, colours: "black 3, white 3, grey 1, charcoal 1", colourWeight: 0.9 },
  ],
  [
    "vintage, retro, antique, nostalgic",
    { saturation: -0.2, warmth: 0.7, colours: "sepia 2, tan 2, cream 1, brown 1" },
  ],
  // Texture
  [
    "busy, detailed, detail, texture, textured, noise, noisy, grainy, cluttered, intricate, chaotic, chaos, rough, crowded, complex, pattern, patterned, mosaic, speckled, granular",
    { texture: 1 },
  ],
  [
    "calm, smooth, quiet, simple, minimal, minimalist, minimalistic, clean, serene, peaceful, still, blurred, blurry, blur, tranquil",
    { texture: -1 },
  ],
  ["gradient, gradation, ombre", { texture: -1, contrast: 0.2 }],
  // Direction
  [
    "stripes, stripe, striped, lines, line, bars, barred, banded, streaks, lined",
    { aligned: 1, contrast: 0.5, texture: 0.4 },
  ],
  [
    "horizontal, horizontal lines, horizontal stripes, horizontal bars, level, layers, layered, strata, horizon, horizontally striped",
    { lines: { horizontal: 1, vertical: -0.5 }, aligned: 0.5 },
  ],
  [
    "vertical, vertical lines, vertical stripes, vertical bars, upright, pillars, columns, trunks, vertically striped, tree trunks",
    { lines: { vertical: 1, horizontal: -0.5 }, aligned: 0.5 },
  ],
  [
    "diagonal, diagonal lines, diagonal stripes, slanted, slanting, oblique, tilted, slope, sloping, diagonally striped",
    { lines: { rising: 0.7, falling: 0.7, horizontal: -0.5, vertical: -0.5 }, aligned: 0.3 },
  ],
  ["rising, rising lines, upward, uphill, ascending", { lines: { rising: 1, falling: -0.5 }, aligned: 0.5 }],
  [
    "falling, falling lines, downward, downhill, descending",
    { lines: { falling: 1, rising: -0.5 }, aligned: 0.5 },
  ],
  [
    "checkerboard, checkered, chequered, chessboard, chess, checked, grid, tiles, tiled, plaid, tartan",
    { lines: { horizontal: 0.7, vertical: 0.7, rising: -0.5, falling: -0.5 }, contrast: 0.5 },
  ],
  // Small lights
  [
    "glow, glowing, spotlight, sparkle, sparkling, twinkling, lit, lamp, lamps, lantern, candle, candlelight",
    { glow: 1, brightness: -0.6, contrast: 0.3 },
  ],
  [
    "silhouette, backlit, backlight",
    { contrast: 0.9, colours: "black 3, orange 1, white 1", brightness: -0.3, colourWeight: 0.4 },
  ],
];
