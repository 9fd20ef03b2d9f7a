import type { Triple } from "../../math/colour.ts";
import { toUnit } from "../../math/vectors.ts";
import {
  type BasicColour,
  type Block,
  bands,
  basicColours,
  blocks,
  dimensions,
  type LineDirection,
  lineDirections,
  type SignedProperty,
  shadeCount,
  signedProperties,
} from "./layout.ts";
import { shareOfBasics, shareOfShades } from "./shades.ts";

/** A colour and how much of the picture it takes, against the other colours of the same concept. */
export interface ColourShare {
  readonly lab: Triple;
  readonly weight: number;
}

/** What a word means, said in the properties of a picture. What is not named is left open. */
export interface Concept extends Readonly<Partial<Record<SignedProperty, number>>> {
  /** One basic colour and nothing else: ranks by its share alone. */
  readonly basic?: BasicColour;
  readonly colours?: readonly ColourShare[];
  /** Colours of one third of the picture, in place of `colours` there. */
  readonly top?: readonly ColourShare[];
  readonly bottom?: readonly ColourShare[];
  readonly lines?: Readonly<Partial<Record<LineDirection, number>>>;
  /** That the lines agree on a direction, whichever it is. */
  readonly aligned?: number;
  /** How much the colours count against the other properties; default 1. */
  readonly colourWeight?: number;
}

/** The unit vector of a concept: the vector of the picture that shows it best, without what it leaves open. */
export function encodeConcept(concept: Concept): Float32Array {
  const vector = new Float64Array(dimensions);
  writeColours(vector, concept);
  for (const property of signedProperties) {
    const value = concept[property];
    if (value !== undefined) write(vector, blocks[property], [value]);
  }
  const aligned = concept.aligned ?? 0;
  const lines = lineDirections.map((direction) => concept.lines?.[direction] ?? 0);
  write(vector, blocks.direction, [...lines, aligned]);
  return toUnit(vector);
}

function writeColours(vector: Float64Array, concept: Concept): void {
  const weight = concept.colourWeight ?? 1;
  if (concept.basic) {
    writeBasic(vector, concept.basic);
    return;
  }
  const all = shareOut(concept.colours ?? []);
  write(vector, blocks.shades, roots(all, weight));
  write(vector, blocks.basic, roots(shareOfBasics(all), weight * 0.6));
  const thirds = [concept.top, undefined, concept.bottom].map((colours) =>
    colours ? shareOut(colours) : all,
  );
  const layout = thirds.flatMap((shares) => roots(shareOfBasics(shares), weight / Math.sqrt(bands.length)));
  write(vector, blocks.layout, layout);
}

function writeBasic(vector: Float64Array, basic: BasicColour): void {
  const shares = basicColours.map((colour) => (colour === basic ? 1 : 0));
  write(vector, blocks.basic, shares);
  const layout = bands.flatMap(() => roots(shares, 1 / Math.sqrt(bands.length)));
  write(vector, blocks.layout, layout);
}

/** Colours as shares of the 63 shades. A name means a small region, not a point. */
function shareOut(colours: readonly ColourShare[]): Float64Array {
  const shares = new Float64Array(shadeCount);
  const sum = colours.reduce((total, colour) => total + colour.weight, 0);
  for (const { lab, weight } of colours) {
    for (const point of region(lab)) {
      shareOfShades(point.lab).forEach((share, index) => {
        shares[index] = (shares[index] ?? 0) + (share * point.weight * weight) / sum;
      });
    }
  }
  return shares;
}

/** The colour itself counts for two fifths, six neighbours for a tenth each. */
function region(lab: Triple): ColourShare[] {
  const reach = 9;
  const around = [0, 1, 2].flatMap((axis) =>
    [-reach, reach].map((step) => {
      const near: [number, number, number] = [lab[0], lab[1], lab[2]];
      near[axis] = (near[axis] ?? 0) + step;
      return { lab: near, weight: 0.1 };
    }),
  );
  return [{ lab, weight: 0.4 }, ...around];
}

function roots(shares: ArrayLike<number>, weight: number): number[] {
  return Array.from(shares, (share) => Math.sqrt(share) * weight);
}

function write(vector: Float64Array, block: Block, values: readonly number[]): void {
  values.forEach((value, index) => {
    vector[block.offset + index] = value * Math.sqrt(block.energy);
  });
}
