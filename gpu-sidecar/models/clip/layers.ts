import type { Variant } from "../files/layout.ts";
import { type ElementType, elementTypes, type GraphBuilder } from "../onnx/graph.ts";
import type { TowerPlan } from "./plan.ts";
import type { SeededRandom } from "./random.ts";

/**
 * The layers of a transformer with random weights, in float32, in float16, or with the matrices in 8 bits (one scale
 * a column; what comes in is quantised by its range as it runs, as onnxruntime's own tool does it).
 */
export class LayerBuilder {
  readonly graph: GraphBuilder;
  readonly #random: SeededRandom;
  readonly #variant: Variant;

  constructor(graph: GraphBuilder, random: SeededRandom, variant: Variant) {
    this.graph = graph;
    this.#random = random;
    this.#variant = variant;
  }

  /** What runs between the layers. */
  get type(): ElementType {
    return this.#variant === "fp16" ? "float16" : "float32";
  }

  constant(values: Float32Array, dimensions: readonly number[]): string {
    if (this.#variant !== "fp16") return this.graph.tensor("float32", values, dimensions);
    return this.graph.tensor("float16", new Uint16Array(new Float16Array(values).buffer), dimensions);
  }

  number(value: number): string {
    return this.constant(Float32Array.of(value), []);
  }

  weight(dimensions: readonly number[], deviation: number): string {
    const count = dimensions.reduce((product, length) => product * length, 1);
    return this.constant(this.#random.weights(count, deviation), dimensions);
  }

  /** Into the type that runs between the layers, or out of it. */
  cast(value: string, type: ElementType): string {
    return this.graph.node("Cast", [value], { to: elementTypes[type] });
  }

  linear(value: string, from: number, to: number): string {
    const weights = this.#random.weights(from * to, 1 / Math.sqrt(from));
    const product =
      this.#variant === "int8"
        ? this.#multiplyBytes(value, weights, from, to)
        : this.graph.node("MatMul", [value, this.constant(weights, [from, to])]);
    return this.graph.node("Add", [product, this.weight([to], 0.02)]);
  }

  /** Without an offset, as the last projection of CLIP is. */
  projection(value: string, from: number, to: number): string {
    return this.graph.node("MatMul", [value, this.weight([from, to], 1 / Math.sqrt(from))]);
  }

  norm(value: string, width: number): string {
    const ones = this.constant(new Float32Array(width).fill(1), [width]);
    const zeros = this.constant(new Float32Array(width), [width]);
    const epsilon = { float: 1e-5 };
    return this.graph.node("LayerNormalization", [value, ones, zeros], { epsilon });
  }

  /** Attention and two layers, each around what was there. [batch, tokens, width] to the same. */
  block(value: string, { width, heads, inner }: TowerPlan, options: BlockOptions): string {
    const normed = this.norm(value, width);
    const attended = this.attention(normed, normed, { width, heads, mask: options.mask });
    const first = this.graph.node("Add", [value, attended]);
    const second = this.inner(this.norm(first, width), { width, inner, activation: options.activation });
    return this.graph.node("Add", [first, second]);
  }

  inner(value: string, options: { width: number; inner: number; activation: Activation }): string {
    const { width, inner, activation } = options;
    const wide = this.linear(value, width, inner);
    const bent = activation === "quick" ? this.#quickGelu(wide) : this.#tanhGelu(wide);
    return this.linear(bent, inner, width);
  }

  attention(
    asks: string,
    knows: string,
    options: { width: number; heads: number; mask?: string | undefined },
  ): string {
    const { width, heads, mask } = options;
    const each = width / heads;
    const split = (value: string, perm: readonly number[]) =>
      this.graph.node("Transpose", [this.#reshape(value, [0, -1, heads, each])], { perm });
    const query = split(this.linear(asks, width, width), [0, 2, 1, 3]);
    const key = split(this.linear(knows, width, width), [0, 2, 3, 1]);
    const known = split(this.linear(knows, width, width), [0, 2, 1, 3]);
    const product = this.graph.node("MatMul", [query, key]);
    const scaled = this.graph.node("Mul", [product, this.number(1 / Math.sqrt(each))]);
    const seen = mask === undefined ? scaled : this.graph.node("Add", [scaled, mask]);
    const shares = this.graph.node("Softmax", [seen], { axis: 3 });
    const mixed = this.graph.node("Transpose", [this.graph.node("MatMul", [shares, known])], {
      perm: [0, 2, 1, 3],
    });
    return this.linear(this.#reshape(mixed, [0, -1, width]), width, width);
  }

  #multiplyBytes(value: string, weights: Float32Array, from: number, to: number): string {
    const { bytes, scales } = quantiseColumns(weights, from, to);
    const [quantised, scale, zero] = this.graph.quantise(value);
    const matrix = this.graph.tensor("int8", bytes, [from, to]);
    const whole = this.graph.node("MatMulInteger", [quantised, matrix, zero]);
    const scaled = this.graph.node("Mul", [scale, this.constant(scales, [to])]);
    return this.graph.node("Mul", [this.cast(whole, "float32"), scaled]);
  }

  #reshape(value: string, shape: readonly number[]): string {
    return this.graph.node("Reshape", [value, this.graph.integers(shape)]);
  }

  #quickGelu(value: string): string {
    const bent = this.graph.node("Sigmoid", [this.graph.node("Mul", [value, this.number(1.702)])]);
    return this.graph.node("Mul", [value, bent]);
  }

  #tanhGelu(value: string): string {
    const { graph } = this;
    const cube = graph.node("Mul", [graph.node("Mul", [value, value]), value]);
    const sum = graph.node("Add", [value, graph.node("Mul", [cube, this.number(0.044715)])]);
    const bent = graph.node("Tanh", [graph.node("Mul", [sum, this.number(Math.sqrt(2 / Math.PI))])]);
    const share = graph.node("Mul", [graph.node("Add", [bent, this.number(1)]), this.number(0.5)]);
    return graph.node("Mul", [value, share]);
  }
}

export type Activation = "quick" | "tanh";

export interface BlockOptions {
  readonly activation: Activation;
  /** Added before the softmax: far below 0 where a token must not look. */
  readonly mask?: string | undefined;
}

/** The largest of each column becomes 127. */
export function quantiseColumns(
  weights: Float32Array,
  rows: number,
  columns: number,
): { bytes: Int8Array; scales: Float32Array } {
  const scales = new Float32Array(columns);
  for (let i = 0; i < weights.length; i++) {
    const column = i % columns;
    scales[column] = Math.max(scales[column] ?? 0, Math.abs(weights[i] ?? 0) / 127);
  }
  const bytes = new Int8Array(rows * columns);
  for (let i = 0; i < weights.length; i++) {
    const scale = scales[i % columns] ?? 0;
    bytes[i] = scale > 0 ? Math.round((weights[i] ?? 0) / scale) : 0;
  }
  return { bytes, scales };
}
