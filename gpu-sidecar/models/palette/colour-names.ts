import { fitIntoSrgb, labFromHex, type Triple } from "../../math/colour.ts";
import type { BasicColour } from "./layout.ts";

/**
 * English names of colours with the shade that each one means. The first name of a line is the one that scenes use;
 * the others are its synonyms. After Wikipedia's lists of colours and the xkcd colour survey (2010).
 */
const named: readonly (readonly [names: string, hex: string])[] = [
  ["crimson, cherry, cherry red", "#c8142f"],
  ["scarlet, tomato, poppy red, fire engine red", "#f53420"],
  ["vermilion, red orange, orange red", "#f4502a"],
  ["ruby, carmine, blood red, cardinal", "#a01028"],
  ["maroon, burgundy, wine, wine red, oxblood, claret, bordeaux", "#741022"],
  ["brick, brick red", "#a5402f"],
  ["rust, rust red, copper red", "#b0481c"],
  ["terracotta, clay, burnt sienna, sienna", "#c3633f"],
  ["coral, coral red", "#ff7458"],
  ["salmon, salmon pink, shrimp", "#fa8a78"],
  ["peach, apricot", "#ffc096"],
  ["tangerine, carrot, pumpkin, mandarin", "#f98218"],
  ["burnt orange", "#c85a10"],
  ["copper", "#b87038"],
  ["bronze", "#a5742e"],
  ["amber, marigold, saffron, yellow orange, orange yellow", "#ffb31a"],
  ["gold, golden, golden yellow, goldenrod", "#e4b422"],
  ["mustard, ochre, ocher, mustard yellow", "#c89a24"],
  ["honey, caramel, butterscotch", "#cf8f2e"],
  ["lemon, lemon yellow, canary, canary yellow", "#fff04a"],
  ["cream, ivory, eggshell, vanilla, off white, bone", "#fbf3da"],
  ["beige, ecru, linen, oatmeal", "#e6d7ba"],
  ["tan, camel, fawn, buff", "#cfa97a"],
  ["khaki, straw, flax", "#c8b878"],
  ["sepia, umber, chestnut, mahogany", "#78421f"],
  ["chocolate, cocoa, coffee, espresso", "#4f2f1b"],
  ["taupe, mushroom", "#8a7868"],
  ["olive, olive green, army green", "#7a7a22"],
  ["moss, moss green, avocado, fern", "#6d8a3c"],
  ["chartreuse, yellow green, green yellow, lime yellow", "#b2e22a"],
  ["lime, lime green, neon green, apple green", "#66dc2c"],
  ["kelly green, grass green, leaf green", "#3a9d35"],
  ["emerald, emerald green, shamrock", "#1ba35c"],
  ["jade, sea green, seafoam green", "#2fae7e"],
  ["forest green, hunter green, pine green, bottle green, british racing green", "#1b5a2a"],
  ["sage, sage green, celadon", "#9db08c"],
  ["mint, mint green, seafoam", "#a9efc0"],
  ["pistachio, tea green", "#b9dc94"],
  ["turquoise, tiffany blue", "#3ed6cb"],
  ["aquamarine, aqua", "#5ee8d0"],
  ["teal, petrol, blue green, green blue", "#127f82"],
  ["cyan, cerulean", "#19c2ee"],
  ["sky blue, baby blue, light sky blue", "#8cc6f2"],
  ["ice blue, powder blue, glacier blue", "#cdeaf4"],
  ["azure, dodger blue", "#2a86e2"],
  ["cobalt, cobalt blue, royal blue, sapphire", "#2450c8"],
  ["electric blue, ultramarine, cornflower blue", "#3a4cf0"],
  ["navy, navy blue, dark navy", "#15215e"],
  ["midnight blue", "#121a45"],
  ["indigo", "#3a1a8c"],
  ["denim, steel blue, denim blue", "#4a76a8"],
  ["slate, slate grey, slate blue, blue grey, grey blue, gunmetal", "#64788c"],
  ["periwinkle", "#98a0f0"],
  ["lavender, lilac, wisteria", "#bba8e8"],
  ["violet, blue violet, amethyst, ultraviolet", "#7440da"],
  ["plum, aubergine, eggplant, dark plum", "#521a54"],
  ["mauve", "#a07c9c"],
  ["orchid, heather", "#c470d0"],
  ["magenta, fuchsia", "#e026bc"],
  ["raspberry, cerise, red violet, ruby pink, crimson pink", "#c21f66"],
  ["hot pink, shocking pink, bubblegum, bubblegum pink", "#ff5ba6"],
  ["rose, rose pink, flamingo, carnation", "#fa8fb0"],
  ["blush, baby pink, powder pink, blush pink", "#fbd0d6"],
  ["dusty rose, dusty pink, old rose, old pink, rose gold", "#c48488"],
  ["silver, platinum, chrome, metal, metallic", "#b9bcc0"],
  ["charcoal, graphite, anthracite, lead", "#414448"],
  ["ash, ash grey, smoke grey, concrete, pewter", "#93938e"],
  ["jet black, ebony, pitch black, onyx, ink black", "#080808"],
  ["snow white, pure white, chalk, milk white, milky", "#fdfdfd"],
];

/** A typical shade of each basic colour; "dark red" and its like are made from it. */
export const basicShades: Readonly<Record<BasicColour, string>> = {
  red: "#e0202a",
  orange: "#ff8c14",
  yellow: "#fde326",
  green: "#2c9c3e",
  blue: "#2a72d4",
  purple: "#8430b4",
  pink: "#ff8cb8",
  brown: "#8a5428",
  black: "#0a0a0a",
  white: "#fafafa",
  grey: "#8a8a8a",
};

/** How a word in front of a colour changes it: lightness and chroma; sRGB sets the bounds. */
export const modifiers: readonly (readonly [names: string, change: (lab: Triple) => Triple])[] = [
  ["dark, darkest, shadowy, dim", (lab) => change(lab, lab[0] * 0.5, 0.8)],
  ["deep, rich", (lab) => change(lab, lab[0] * 0.7, 1.05)],
  ["light, lightest", (lab) => change(lab, lab[0] + (97 - lab[0]) * 0.55, 0.7)],
  [
    "pale, pastel, soft, faint, whitish, milky, powdery",
    (lab) => change(lab, lab[0] + (95 - lab[0]) * 0.7, 0.42),
  ],
  [
    "bright, vivid, intense, strong, saturated, neon, electric, brilliant, vibrant",
    (lab) => change(lab, lab[0] + (62 - lab[0]) * 0.25, 1.35),
  ],
  [
    "muted, dull, dusty, faded, greyish, desaturated, smoky, washed out",
    (lab) => change(lab, lab[0] + (60 - lab[0]) * 0.25, 0.45),
  ],
];

/** Colours that tint another one: "bluish green" is a third of the way from green to blue. */
export const tints: readonly BasicColour[] = [
  "red",
  "orange",
  "yellow",
  "green",
  "blue",
  "purple",
  "pink",
  "brown",
];

export interface NamedColour {
  readonly names: readonly string[];
  readonly lab: Triple;
}

export const namedColours: readonly NamedColour[] = named.map(([names, hex]) => ({
  names: splitNames(names),
  lab: labFromHex(hex),
}));

/** Names separated by commas; "grey" may be spelled "gray". */
export function splitNames(names: string): string[] {
  return names.split(",").map((name) => name.trim());
}

export function mix(from: Triple, to: Triple, share: number): Triple {
  return [
    from[0] + (to[0] - from[0]) * share,
    from[1] + (to[1] - from[1]) * share,
    from[2] + (to[2] - from[2]) * share,
  ];
}

function change(lab: Triple, lightness: number, chroma: number): Triple {
  return fitIntoSrgb([lightness, lab[1] * chroma, lab[2] * chroma]);
}
