import { labFromHex, type Triple } from "../../math/colour.ts";
import { type BasicColour, basicColours, shadeCount } from "./layout.ts";

/**
 * The 63 shades that every pixel is shared out to, and the basic colours that each one counts as. They stand about
 * 15 to 30 units apart in CIELAB, denser where people have more names. A shade between two basic colours counts half
 * for each: nobody agrees on whether teal is a green or a blue.
 */
export interface Shade {
  readonly name: string;
  readonly lab: Triple;
  readonly basics: Readonly<Partial<Record<BasicColour, number>>>;
}

const table: readonly (readonly [name: string, hex: string, basics: string])[] = [
  ["black", "#0a0a0a", "black"],
  ["soot", "#2b2b2b", "grey 2 black 1"],
  ["charcoal", "#454545", "grey"],
  ["dim grey", "#666666", "grey"],
  ["grey", "#8c8c8c", "grey"],
  ["silver", "#b4b4b4", "grey"],
  ["pale grey", "#d8d8d8", "white grey"],
  ["white", "#fbfbfb", "white"],
  ["red", "#e6141e", "red"],
  ["scarlet", "#ff4a2a", "red"],
  ["crimson", "#b4102d", "red"],
  ["maroon", "#7a1020", "red"],
  ["dark wine", "#420a16", "red 2 black 1"],
  ["brick", "#a2302a", "brown 3 red 2"],
  ["coral", "#ff7f5a", "orange pink"],
  ["orange", "#ff8f0a", "orange"],
  ["burnt orange", "#cc5c0c", "orange"],
  ["apricot", "#ffb878", "orange"],
  ["amber", "#ffc20a", "orange yellow"],
  ["yellow", "#ffee14", "yellow"],
  ["lemon", "#fff68c", "yellow"],
  ["mustard", "#cfa318", "yellow"],
  ["cream", "#fbf2d0", "white yellow"],
  ["olive", "#84801a", "green yellow"],
  ["dark olive", "#4c4a12", "green brown"],
  ["tan", "#cca878", "brown"],
  ["brown", "#8a5426", "brown"],
  ["dark brown", "#512d14", "brown"],
  ["espresso", "#2c1a10", "brown 2 black 1"],
  ["taupe", "#85715c", "brown grey"],
  ["mocha", "#5c4636", "brown"],
  ["chartreuse", "#b4e61e", "green yellow"],
  ["lime", "#4fe02a", "green"],
  ["green", "#1f9c34", "green"],
  ["forest", "#145c28", "green"],
  ["dark green", "#0b3216", "green"],
  ["moss", "#73924a", "green"],
  ["sage", "#a0b392", "green grey"],
  ["mint", "#a8f0b8", "green"],
  ["sea green", "#2fb987", "green"],
  ["turquoise", "#3fdcd0", "blue green"],
  ["teal", "#12807f", "green blue"],
  ["dark teal", "#0c3f46", "blue green"],
  ["ice", "#cfeef5", "white blue"],
  ["cyan", "#16c4f0", "blue"],
  ["sky", "#86c0ee", "blue"],
  ["azure", "#2a86e0", "blue"],
  ["blue", "#1c4be0", "blue"],
  ["ultramarine", "#2010b0", "blue"],
  ["navy", "#14205c", "blue"],
  ["midnight", "#0b1030", "blue 2 black 1"],
  ["slate", "#62788e", "blue grey"],
  ["lavender", "#bcb0ea", "purple"],
  ["violet", "#7a4ce0", "purple"],
  ["purple", "#8a1e9c", "purple"],
  ["dark purple", "#3c1254", "purple"],
  ["mauve", "#94708e", "purple"],
  ["magenta", "#e424c0", "pink purple"],
  ["raspberry", "#c41e6e", "pink"],
  ["hot pink", "#ff5aa4", "pink"],
  ["pink", "#ffa8c4", "pink"],
  ["blush", "#fbd6da", "pink"],
  ["old rose", "#c47e80", "pink"],
];

export const shades: readonly Shade[] = table.map(([name, hex, basics]) => ({
  name,
  lab: labFromHex(hex),
  basics: shareOut(basics),
}));

if (shades.length !== shadeCount) throw new Error(`there are ${shades.length} shades, not ${shadeCount}`);

/** How sharply a pixel decides between two shades: the standard deviation of each in CIELAB units. */
export const shadeSpread = 5;

/** "orange pink" is half and half; "brown 3 red 2" gives three parts and two. */
function shareOut(names: string): Shade["basics"] {
  const parts = [...names.matchAll(/([a-z]+)(?: (\d))?/g)].map(([, name, weight]) => ({
    colour: getBasicColour(name),
    weight: Number(weight ?? 1),
  }));
  const sum = parts.reduce((total, part) => total + part.weight, 0);
  return Object.fromEntries(parts.map(({ colour, weight }) => [colour, weight / sum]));
}

function getBasicColour(name: string | undefined): BasicColour {
  const found = basicColours.find((colour) => colour === name);
  if (!found) throw new Error(`"${name}" is not a basic colour`);
  return found;
}

/** How a colour is shared out to the shades, adding up to 1: the sum that the vision graph does for every pixel. */
export function shareOfShades(lab: Triple): Float64Array {
  const shares = new Float64Array(shadeCount);
  let nearest = Number.POSITIVE_INFINITY;
  shades.forEach((shade, index) => {
    const distance = squaredDistance(lab, shade.lab);
    shares[index] = distance;
    nearest = Math.min(nearest, distance);
  });
  let sum = 0;
  shares.forEach((distance, index) => {
    const weight = Math.exp((nearest - distance) / (2 * shadeSpread ** 2));
    shares[index] = weight;
    sum += weight;
  });
  return shares.map((weight) => weight / sum);
}

/** Shares of shades as shares of the eleven basic colours. */
export function shareOfBasics(shareByShade: ArrayLike<number>): Float64Array {
  const shares = new Float64Array(basicColours.length);
  shades.forEach((shade, row) => {
    basicColours.forEach((colour, column) => {
      shares[column] = (shares[column] ?? 0) + (shareByShade[row] ?? 0) * (shade.basics[colour] ?? 0);
    });
  });
  return shares;
}

function squaredDistance(left: Triple, right: Triple): number {
  return (left[0] - right[0]) ** 2 + (left[1] - right[1]) ** 2 + (left[2] - right[2]) ** 2;
}
