import { labKnee, xyzFromLinear } from "../../math/colour.ts";
import { GraphBuilder } from "../onnx/graph.ts";
import { type BlockName, bands, basicColours, blocks, dimensions, shadeCount } from "./layout.ts";
import { shadeSpread, shades } from "./shades.ts";

/**
 * The vision half of `palette`: `pixel_values` [batch, 3, size, size], sRGB from 0 to 1, to `image_embeds`
 * [batch, 128] of length 1. Every number is a mean over one picture's own pixels, so a batch changes nothing.
 * The pixels become CIELAB inside the graph; all that follows is measured in its units.
 */
export const imageSize = 128;

/** Middle and reach of each signed property: at the middle it is 0, at the reach tanh(1.2) = 0.83. */
const scales = {
  brightness: { middle: 50, reach: 34 },
  contrast: { middle: 20, reach: 15 },
  warmth: { middle: 2, reach: 20 },
  saturation: { middle: 24, reach: 20 },
  /** Of the logarithm of the mean step between neighbouring pixels. */
  texture: { middle: Math.log(3.2), reach: 1.1 },
  variety: { middle: 1.35, reach: 0.7 },
  glow: { middle: 0.1, reach: 1.6 },
} as const;

/** A share below this is noise from soft edges and counts as none. */
const shareFloor = 0.002;
const tiny = 1e-9;

export function buildVisionGraph(): Uint8Array {
  const graph = new GraphBuilder("palette-vision");
  const build = new VisionBuilder(graph);
  const pixels = graph.input("pixel_values", "float32", ["batch", 3, imageSize, imageSize]);
  const lab = build.toLab(pixels);
  const parts = [...build.colours(lab), ...build.light(lab), ...build.lines(lab)];
  const ordered = (Object.keys(blocks) as BlockName[]).map((name) => build.scaled(name, parts));
  const joined = graph.node("Concat", ordered, { axis: 1 });
  graph.output("image_embeds", build.toUnit(joined, 1), ["batch", dimensions]);
  return graph.toBytes();
}

/** A block's unit vector, [batch, length]. */
interface Part {
  readonly name: BlockName;
  readonly value: string;
}

class VisionBuilder {
  readonly #graph: GraphBuilder;

  constructor(graph: GraphBuilder) {
    this.#graph = graph;
  }

  /** [batch, 3, height, width] in sRGB to [batch, height, width, 3] in CIELAB. */
  toLab(pixels: string): string {
    const graph = this.#graph;
    const shown = graph.node("Clip", [pixels, graph.scalar(0), graph.scalar(1)]);
    const last = graph.node("Transpose", [shown], { perm: [0, 2, 3, 1] });
    const power = this.#pow(this.#linear(last, 1 / 1.055, 0.055 / 1.055), 2.4);
    const straight = this.#linear(last, 1 / 12.92, 0);
    const linear = this.#choose(last, 0.04045, power, straight);
    const xyz = graph.node("MatMul", [linear, graph.constant(transpose(xyzFromLinear), [3, 3])]);
    const root = this.#pow(graph.node("Max", [xyz, graph.scalar(tiny)]), 1 / 3);
    const bent = this.#choose(xyz, labKnee.limit, root, this.#linear(xyz, labKnee.slope, labKnee.offset));
    const mixed = graph.node("MatMul", [
      bent,
      graph.constant([0, 500, 0, 116, -500, 200, 0, 0, -200], [3, 3]),
    ]);
    return graph.node("Add", [mixed, graph.constant([-16, 0, 0], [3])]);
  }

  /** Shares of shades, of basic colours, of basic colours in the three bands, and how many colours there are. */
  colours(lab: string): Part[] {
    const graph = this.#graph;
    const variance = shadeSpread ** 2;
    const weights = transpose(shades.map((shade) => shade.lab.map((value) => value / variance)));
    const bias = shades.map(
      (shade) => -shade.lab.reduce((sum, value) => sum + value ** 2, 0) / (2 * variance),
    );
    const product = graph.node("MatMul", [lab, graph.constant(weights, [3, shadeCount])]);
    const closeness = graph.node("Add", [product, graph.constant(bias, [shadeCount])]);
    const shared = graph.node("Softmax", [closeness], { axis: 3 });
    const rows = graph.node("ReduceMean", [shared], { axes: [2], keepdims: 0 });
    const all = graph.node("ReduceMean", [rows], { axes: [1], keepdims: 0 });
    const groups = graph.constant(groupShades(), [shadeCount, basicColours.length]);
    const banded = graph.node("MatMul", [graph.constant(averageBands(), [bands.length, imageSize]), rows]);
    const basic = this.#rootShares(graph.node("MatMul", [all, groups]), 1);
    const layout = this.#rootShares(graph.node("MatMul", [banded, groups]), 2);
    const layoutFlat = graph.node("Flatten", [this.#linear(layout, 1 / Math.sqrt(bands.length), 0)], {
      axis: 1,
    });
    const coloured = graph.node("Slice", [
      basic,
      graph.integers([0]),
      graph.integers([8]),
      graph.integers([1]),
    ]);
    const variety = graph.node("ReduceSum", [coloured, graph.integers([1])], { keepdims: 1 });
    return [
      { name: "basic", value: basic },
      { name: "layout", value: layoutFlat },
      { name: "shades", value: this.#rootShares(all, 1) },
      this.#signed("variety", variety),
    ];
  }

  /** Mean and spread of the lightness, warmth and chroma of the colours, and light spots on dark ground. */
  light(lab: string): Part[] {
    const graph = this.#graph;
    const lightness = this.#channel(lab, 0);
    const mean = this.#meanOf(lightness);
    const apart = graph.node("Sub", [lightness, mean]);
    const variance = this.#meanOf(graph.node("Mul", [apart, apart]));
    const deviation = graph.node("Sqrt", [this.#linear(variance, 1, 1e-6)]);
    const cubes = this.#meanOf(graph.node("Mul", [graph.node("Mul", [apart, apart]), apart]));
    const skew = graph.node("Div", [cubes, this.#linear(this.#pow(deviation, 3), 1, 200)]);
    // Warm points at orange (hue 60 degrees), cold away from it, at azure.
    const warm = graph.node("MatMul", [lab, graph.constant([0, 0.5, Math.sqrt(3) / 2], [3, 1])]);
    const tinted = graph.node("MatMul", [graph.node("Mul", [lab, lab]), graph.constant([0, 1, 1], [3, 1])]);
    const chroma = graph.node("Sqrt", [this.#linear(tinted, 1, tiny)]);
    return [
      this.#signed("brightness", mean),
      this.#signed("contrast", deviation),
      this.#signed("glow", skew),
      this.#signed("warmth", this.#meanOf(this.#flat(warm))),
      this.#signed("saturation", this.#meanOf(this.#flat(chroma))),
    ];
  }

  /**
   * Steps between neighbours, and which way they run: the structure tensor of the three channels together
   * (Di Zenzo 1986), each pixel voting for horizontal, vertical or diagonal lines with the strength of its edge.
   */
  lines(lab: string): Part[] {
    const graph = this.#graph;
    const [across, down] = this.#steps(lab);
    const xx = this.#sumChannels(graph.node("Mul", [across, across]));
    const yy = this.#sumChannels(graph.node("Mul", [down, down]));
    const xy = this.#sumChannels(graph.node("Mul", [across, down]));
    const energy = graph.node("Add", [xx, yy]);
    const strength = this.#meanOf(graph.node("Sqrt", [this.#linear(energy, 1, tiny)]));
    const straight = graph.node("Sub", [yy, xx]);
    const slanted = this.#linear(xy, 2, 0);
    const squares = graph.node("Add", [
      graph.node("Mul", [straight, straight]),
      graph.node("Mul", [slanted, slanted]),
    ]);
    // One edge's votes are the squares of cosines, so they add up to 1; the fourth root makes it count by its height.
    const share = graph.node("Pow", [this.#linear(squares, 1, 1e-6), graph.scalar(-0.75)]);
    const votes = [straight, graph.node("Neg", [straight]), slanted, graph.node("Neg", [slanted])].map(
      (value) => {
        const positive = graph.node("Relu", [value]);
        return this.#meanOf(graph.node("Mul", [graph.node("Mul", [positive, positive]), share]));
      },
    );
    return [
      this.#signed("texture", graph.node("Log", [this.#linear(strength, 1, 0.05)])),
      this.#direction(votes),
    ];
  }

  /** A block as it stands in the vector: its unit vector times the root of its energy. */
  scaled(name: BlockName, parts: readonly Part[]): string {
    const part = parts.find((one) => one.name === name);
    if (part) return this.#linear(part.value, Math.sqrt(blocks[name].energy), 0);
    const basic = parts.find((one) => one.name === "basic");
    if (!basic) throw new Error("the basic colours must be made first");
    const first = [this.#graph.integers([0]), this.#graph.integers([1]), this.#graph.integers([1])];
    return this.#linear(this.#graph.node("Slice", [basic.value, ...first]), 0, 0);
  }

  toUnit(value: string, axis: number): string {
    const length = this.#graph.node("ReduceL2", [value], { axes: [axis], keepdims: 1 });
    return this.#graph.node("Div", [value, this.#graph.node("Max", [length, this.#graph.scalar(tiny)])]);
  }

  /** Votes [batch, 1] for four directions: each less a quarter, so that a picture without direction says nothing. */
  #direction(votes: readonly string[]): Part {
    const graph = this.#graph;
    const joined = graph.node("Concat", [...votes], { axis: 1 });
    const sum = graph.node("ReduceSum", [joined, graph.integers([1])], { keepdims: 1 });
    // Soft steps of less than about half a unit a pixel, as in a clear sky, are no lines.
    const shares = graph.node("Div", [joined, this.#linear(sum, 1, 0.5)]);
    const evened = graph.node("Mul", [sum, graph.node("Reciprocal", [this.#linear(sum, 1, 0.5)])]);
    const apart = graph.node("Sub", [shares, this.#linear(evened, 0.25, 0)]);
    const signed = this.#linear(apart, 0.9, 0);
    const agreement = graph.node("ReduceL2", [signed], { axes: [1], keepdims: 1 });
    const six = graph.node("Concat", [signed, this.#linear(agreement, 0.9, -0.25)], { axis: 1 });
    return { name: "direction", value: this.#completed(six) };
  }

  #signed(name: keyof typeof scales, value: string): Part {
    const { middle, reach } = scales[name];
    const signed = this.#graph.node("Tanh", [this.#linear(value, 1.2 / reach, (-1.2 * middle) / reach)]);
    return { name, value: this.#completed(signed) };
  }

  /** Adds the number that makes the length 1. */
  #completed(value: string): string {
    const graph = this.#graph;
    const squares = graph.node("ReduceSumSquare", [value], { axes: [1], keepdims: 1 });
    const rest = graph.node("Sqrt", [graph.node("Relu", [this.#linear(squares, -1, 1)])]);
    return this.toUnit(graph.node("Concat", [value, rest], { axis: 1 }), 1);
  }

  #rootShares(shares: string, axis: number): string {
    const heard = this.#graph.node("Relu", [this.#linear(shares, 1, -shareFloor)]);
    return this.toUnit(this.#graph.node("Sqrt", [heard]), axis);
  }

  /** Differences between neighbours, each the mean of two, so that both belong to the same point. */
  #steps(lab: string): [string, string] {
    const graph = this.#graph;
    const corner = (y: number, x: number) => {
      const ends = [y, x].map((start) => imageSize - 1 + start);
      return graph.node("Slice", [lab, graph.integers([y, x]), graph.integers(ends), graph.integers([1, 2])]);
    };
    const [a, b, c, d] = [corner(0, 0), corner(0, 1), corner(1, 0), corner(1, 1)];
    const one = graph.node("Sub", [d, a]);
    const other = graph.node("Sub", [b, c]);
    const across = this.#linear(graph.node("Add", [one, other]), 0.5, 0);
    const down = this.#linear(graph.node("Sub", [one, other]), 0.5, 0);
    return [across, down];
  }

  #channel(lab: string, channel: number): string {
    const graph = this.#graph;
    const ends = [graph.integers([channel]), graph.integers([channel + 1]), graph.integers([3])];
    return this.#flat(graph.node("Slice", [lab, ...ends]));
  }

  /** [batch, height, width, 1] to [batch, pixels]. */
  #flat(value: string): string {
    return this.#graph.node("Flatten", [value], { axis: 1 });
  }

  #sumChannels(value: string): string {
    return this.#flat(this.#graph.node("ReduceSum", [value, this.#graph.integers([3])], { keepdims: 0 }));
  }

  /** [batch, pixels] to [batch, 1]. */
  #meanOf(value: string): string {
    return this.#graph.node("ReduceMean", [value], { axes: [1], keepdims: 1 });
  }

  #linear(value: string, factor: number, offset: number): string {
    const graph = this.#graph;
    const scaled = factor === 1 ? value : graph.node("Mul", [value, graph.scalar(factor)]);
    return offset === 0 ? scaled : graph.node("Add", [scaled, graph.scalar(offset)]);
  }

  #pow(value: string, exponent: number): string {
    return this.#graph.node("Pow", [value, this.#graph.scalar(exponent)]);
  }

  #choose(value: string, limit: number, above: string, below: string): string {
    const isAbove = this.#graph.node("Greater", [value, this.#graph.scalar(limit)]);
    return this.#graph.node("Where", [isAbove, above, below]);
  }
}

function transpose(rows: readonly (readonly number[])[]): number[] {
  return (rows[0] ?? []).flatMap((_, column) => rows.map((row) => row[column] ?? 0));
}

function groupShades(): number[] {
  return shades.flatMap((shade) => basicColours.map((colour) => shade.basics[colour] ?? 0));
}

/** [bands, rows]: the mean of each third, a row on the border counting for both in part. */
function averageBands(): number[] {
  const height = imageSize / bands.length;
  return bands.flatMap((_, band) =>
    Array.from({ length: imageSize }, (_, row) => {
      const overlap = Math.min(row + 1, (band + 1) * height) - Math.max(row, band * height);
      return Math.max(0, overlap) / height;
    }),
  );
}
