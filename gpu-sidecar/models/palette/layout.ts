/**
 * What the 128 numbers of a `palette` vector mean. They fall into blocks, and the squared length of each block is
 * fixed (its `energy`; together 1), so that no property of a picture can push another one aside:
 *
 *   basic      the share of the eleven basic colours (Berlin & Kay)
 *   layout     the same for the top, the middle and the bottom third
 *   shades     the share of 63 finer shades
 *   brightness, contrast, warmth, saturation, texture, variety, glow
 *              a signed number s with the rest that makes a unit: (s, sqrt(1 - s²))
 *   direction  signed weights of horizontal, vertical and diagonal lines, how much they agree, and the rest
 *   nothing    0 in every picture; a text without a known word points here, and so scores 0 with everything
 *
 * A share h is written as sqrt(h): shares add up to 1, so their roots are a unit vector, and the inner product of two
 * is the Bhattacharyya coefficient of the two distributions (the same as RootSIFT, Arandjelović & Zisserman 2012).
 */
export const basicColours = [
  "red",
  "orange",
  "yellow",
  "green",
  "blue",
  "purple",
  "pink",
  "brown",
  "black",
  "white",
  "grey",
] as const;
export type BasicColour = (typeof basicColours)[number];

export const bands = ["top", "middle", "bottom"] as const;
export const signedProperties = [
  "brightness",
  "contrast",
  "warmth",
  "saturation",
  "texture",
  "variety",
  "glow",
] as const;
export type SignedProperty = (typeof signedProperties)[number];
export const lineDirections = ["horizontal", "vertical", "rising", "falling"] as const;
export type LineDirection = (typeof lineDirections)[number];

export const shadeCount = 63;
export const dimensions = 128;

export interface Block {
  readonly offset: number;
  readonly length: number;
  /** The squared length of this part of every picture's vector. */
  readonly energy: number;
}

const plan = [
  ["basic", basicColours.length, 0.24],
  ["layout", bands.length * basicColours.length, 0.09],
  ["shades", shadeCount, 0.19],
  ["brightness", 2, 0.1],
  ["contrast", 2, 0.06],
  ["warmth", 2, 0.06],
  ["saturation", 2, 0.08],
  ["texture", 2, 0.06],
  ["variety", 2, 0.02],
  ["glow", 2, 0.01],
  ["direction", lineDirections.length + 2, 0.09],
  ["nothing", 1, 0],
] as const;

export type BlockName = (typeof plan)[number][0];

export const blocks: Readonly<Record<BlockName, Block>> = layOut();

/** Where "nothing this model knows" is written. */
export const nothingIndex: number = blocks.nothing.offset;

function layOut(): Record<BlockName, Block> {
  const laid: Partial<Record<BlockName, Block>> = {};
  let offset = 0;
  for (const [name, length, energy] of plan) {
    laid[name] = { offset, length, energy };
    offset += length;
  }
  if (offset !== dimensions) throw new Error(`the blocks fill ${offset} of ${dimensions} numbers`);
  return laid as Record<BlockName, Block>;
}
